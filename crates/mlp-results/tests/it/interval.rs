//! Intervals, against numbers that another program computed (`interval.py`).

use mlp_results::interval::{interval, student_975, student_quantile};
use mlp_results::{Overview, RunRecord};
use serde_json::json;

use crate::made_up::{self, scored};

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 2e-10
}

/// Computed by `interval.py` with SciPy.
#[test]
fn the_quantiles_of_students_distribution_are_those_of_scipy() {
    for (degrees, expected) in [
        (1, 12.706204736),
        (2, 4.302652730),
        (3, 3.182446305),
        (4, 2.776445105),
        (9, 2.262157163),
        (30, 2.042272456),
        (120, 1.979930405),
    ] {
        let found = student_975(degrees).unwrap();
        assert!((found - expected).abs() < 1e-9, "{degrees}: {found}");
    }
    assert_eq!(student_975(0), None);
    // That of infinitely many is 1.95996.
    assert!((student_975(usize::MAX).unwrap() - 1.96).abs() < 2e-3);
}

/// Computed by `interval.py` with SciPy.
#[test]
fn the_interval_of_a_mean_is_that_of_scipy() {
    let found = interval(&[0.97, 0.96, 0.981, 0.9555]).unwrap();
    assert!(close(found.mean, 0.966625) && close(found.half_width, 0.0180421481), "{found:?}");
    assert_eq!(interval(&[0.97]), None);
    assert_eq!(interval(&[]), None);
    // Two accuracies that agree do not make the mean certain.
    assert_eq!(interval(&[0.9731, 0.9731]), None);
    assert_eq!(interval(&[0.1 + 0.2, 0.3]), None);
    assert_eq!(interval(&[0.9, 0.99]).unwrap().ends_within(0.0, 1.0).1, 1.0);
}

/// Computed by `interval.py` with SciPy.
#[test]
fn the_difference_of_two_configurations_is_taken_seed_by_seed() {
    let of = |rate: f64, scores: [f64; 4]| {
        (0..4).map(move |seed| scored(&[("learning_rate", json!(rate))], seed as u64, scores[seed]))
    };
    let mut records: Vec<RunRecord> = of(0.1, [0.97, 0.96, 0.981, 0.9555]).collect();
    records.extend(of(0.2, [0.95, 0.955, 0.97, 0.9405]));
    // A seed that only one of them has does not count.
    records.push(scored(&[("learning_rate", json!(0.2))], 4, 0.99));
    let trials = made_up::trials(records);
    let overview = Overview::new(&trials);
    let difference = overview.difference(&overview.cells[1], &overview.cells[0]).unwrap();
    assert!(close(difference.mean, -0.01275) && close(difference.half_width, 0.0100951792), "{difference:?}");
}

/// Computed by `interval.py exact` with mpmath.
#[test]
fn quantiles_are_exact_to_twelve_digits_over_all_degrees_that_are_told_apart() {
    #[rustfmt::skip]
    let exact = [
        (1, 0.5, 1.0),
        (1, 0.6, 1.3763819204711734),
        (1, 0.9, 6.3137515146750445),
        (1, 0.95, 12.706204736174693),
        (1, 0.999, 636.61924876871905),
        (1, 0.9999, 6366.1976713166369),
        (2, 0.5, 0.81649658092772603),
        (2, 0.6, 1.0606601717798212),
        (2, 0.9, 2.9199855803537261),
        (2, 0.95, 4.3026527297494618),
        (2, 0.999, 31.599054576443607),
        (2, 0.9999, 99.992499843750038),
        (3, 0.5, 0.76489232840434528),
        (3, 0.6, 0.97847231236330439),
        (3, 0.9, 2.3533634348018241),
        (3, 0.95, 3.1824463052837084),
        (3, 0.999, 12.923978636687479),
        (3, 0.9999, 28.000130010950006),
        (4, 0.5, 0.74069708411268263),
        (4, 0.6, 0.94096457723518112),
        (4, 0.9, 2.1318467863266505),
        (4, 0.95, 2.7764451051977935),
        (4, 0.999, 8.6103015813792731),
        (4, 0.9999, 15.544100581546113),
        (9, 0.5, 0.70272214675132637),
        (9, 0.6, 0.88340385968553449),
        (9, 0.9, 1.8331129326562373),
        (9, 0.95, 2.262157162798205),
        (9, 0.999, 4.7809125859311384),
        (9, 0.9999, 6.5936825839448813),
        (30, 0.5, 0.68275569332129255),
        (30, 0.6, 0.85376726147129759),
        (30, 0.9, 1.697260886593958),
        (30, 0.95, 2.0422724563012379),
        (30, 0.999, 3.6459586350420215),
        (30, 0.9999, 4.4824171754097865),
        (120, 0.5, 0.67653972491252022),
        (120, 0.6, 0.84462683774313098),
        (120, 0.9, 1.6576508993552358),
        (120, 0.95, 1.9799304050824405),
        (120, 0.999, 3.3734537685625001),
        (120, 0.9999, 4.025389950058417),
        (121, 0.5, 0.67652273778050359),
        (121, 0.6, 0.84460191384288482),
        (121, 0.9, 1.6575443190874729),
        (121, 0.95, 1.9797637625053867),
        (121, 0.999, 3.3727530350754691),
        (121, 0.9999, 4.0242423632995895),
        (999, 0.5, 0.67473541034671903),
        (999, 0.6, 0.84198118225894648),
        (999, 0.9, 1.6463803454275358),
        (999, 0.95, 1.9623414611334496),
        (999, 0.999, 3.3002924403987352),
        (999, 0.9999, 3.9063595611022385),
        (1000, 0.5, 0.67473516460700944),
        (1000, 0.6, 0.84198082216242852),
        (1000, 0.9, 1.6463788172854648),
        (1000, 0.95, 1.9623390808264081),
        (1000, 0.999, 3.3002826484239127),
        (1000, 0.9999, 3.9063437367014083),
        (1988, 0.5, 0.67461317821910686),
        (1988, 0.6, 0.84180207622750644),
        (1988, 0.9, 1.6456204699012582),
        (1988, 0.95, 1.9611579944219029),
        (1988, 0.999, 3.2954275813455763),
        (1988, 0.9999, 3.8985012045293147),
        (2000, 0.5, 0.67461243753102188),
        (2000, 0.6, 0.84180099094874074),
        (2000, 0.9, 1.6456158666989077),
        (2000, 0.95, 1.9611508260994377),
        (2000, 0.999, 3.2953981367297394),
        (2000, 0.9999, 3.8984536633332951),
    ];
    for (degrees, share, expected) in exact {
        let found = student_quantile(share, degrees);
        // In the tail, where 1 − share has few digits of a double left, a little more.
        let tolerance = if share > 0.9995 { 5e-12 } else { 1e-12 };
        assert!(((found - expected) / expected).abs() < tolerance, "{degrees} {share}: {found} {expected}");
    }
}
