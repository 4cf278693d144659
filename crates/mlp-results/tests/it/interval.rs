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
        (1, 0.6, 1.37638192047117),
        (1, 0.9, 6.31375151467504),
        (1, 0.95, 12.7062047361747),
        (1, 0.999, 636.619248768719),
        (1, 0.9999, 6366.19767131664),
        (2, 0.5, 0.816496580927726),
        (2, 0.6, 1.06066017177982),
        (2, 0.9, 2.91998558035373),
        (2, 0.95, 4.30265272974946),
        (2, 0.999, 31.5990545764436),
        (2, 0.9999, 99.99249984375),
        (3, 0.5, 0.764892328404345),
        (3, 0.6, 0.978472312363304),
        (3, 0.9, 2.35336343480182),
        (3, 0.95, 3.18244630528371),
        (3, 0.999, 12.9239786366875),
        (3, 0.9999, 28.00013001095),
        (4, 0.5, 0.740697084112683),
        (4, 0.6, 0.940964577235181),
        (4, 0.9, 2.13184678632665),
        (4, 0.95, 2.77644510519779),
        (4, 0.999, 8.61030158137927),
        (4, 0.9999, 15.5441005815461),
        (9, 0.5, 0.702722146751326),
        (9, 0.6, 0.883403859685534),
        (9, 0.9, 1.83311293265624),
        (9, 0.95, 2.2621571627982),
        (9, 0.999, 4.78091258593114),
        (9, 0.9999, 6.59368258394488),
        (30, 0.5, 0.682755693321293),
        (30, 0.6, 0.853767261471298),
        (30, 0.9, 1.69726088659396),
        (30, 0.95, 2.04227245630124),
        (30, 0.999, 3.64595863504202),
        (30, 0.9999, 4.48241717540979),
        (120, 0.5, 0.67653972491252),
        (120, 0.6, 0.844626837743131),
        (120, 0.9, 1.65765089935524),
        (120, 0.95, 1.97993040508244),
        (120, 0.999, 3.3734537685625),
        (120, 0.9999, 4.02538995005842),
        (121, 0.5, 0.676522737780504),
        (121, 0.6, 0.844601913842885),
        (121, 0.9, 1.65754431908747),
        (121, 0.95, 1.97976376250539),
        (121, 0.999, 3.37275303507547),
        (121, 0.9999, 4.02424236329959),
        (999, 0.5, 0.674735410346719),
        (999, 0.6, 0.841981182258946),
        (999, 0.9, 1.64638034542754),
        (999, 0.95, 1.96234146113345),
        (999, 0.999, 3.30029244039874),
        (999, 0.9999, 3.90635956110224),
        (1000, 0.5, 0.674735164607009),
        (1000, 0.6, 0.841980822162429),
        (1000, 0.9, 1.64637881728546),
        (1000, 0.95, 1.96233908082641),
        (1000, 0.999, 3.30028264842391),
        (1000, 0.9999, 3.90634373670141),
        (1988, 0.5, 0.674613178219107),
        (1988, 0.6, 0.841802076227506),
        (1988, 0.9, 1.64562046990126),
        (1988, 0.95, 1.9611579944219),
        (1988, 0.999, 3.29542758134558),
        (1988, 0.9999, 3.89850120452931),
        (2000, 0.5, 0.674612437531022),
        (2000, 0.6, 0.841800990948741),
        (2000, 0.9, 1.64561586669891),
        (2000, 0.95, 1.96115082609944),
        (2000, 0.999, 3.29539813672974),
        (2000, 0.9999, 3.8984536633333),
    ];
    for (degrees, share, expected) in exact {
        let found = student_quantile(share, degrees);
        // In the tail, where 1 − share has few digits of a double left, a little more.
        let tolerance = if share > 0.9995 { 5e-12 } else { 1e-12 };
        assert!(((found - expected) / expected).abs() < tolerance, "{degrees} {share}: {found} {expected}");
    }
}
