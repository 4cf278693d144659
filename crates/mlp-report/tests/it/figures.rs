use mlp_core::{Activation, Layer, Mlp};
use mlp_report::diagnosis::{N_EPOCHS, N_LAYERS, Quantity, diagnosis_map};
use mlp_report::effects::effects;
use mlp_report::{
    against_key, best_cells, comparison, confusion, cost, curves, diagnosis_maps, heat_map, interplay, parallel,
    robustness, weights,
};
use mlp_results::Metric;
use mlp_results::Overview;
use mlp_results::levels::constant_answers;
use mlp_results::text;
use ndarray::Array2;
use serde_json::json;

use crate::made_up::{self, CLASS_COUNTS, Story};

const STORY: Story = Story { accuracy: 0.9, pace: 2.0, n_epochs: 4, seed: 0 };

/// The figures of `figures.py`, which computes them from MNIST's label counts in plain Python.
#[test]
fn the_levels_of_constant_answers_on_mnist_are_those_of_the_paper() {
    let levels = constant_answers(&made_up::record(&[], STORY));
    let rounded: Vec<String> = levels
        .iter()
        .map(|l| format!("{} {:.4} {:.4} {:.4} {:.4}", l.name, l.mae, l.rmse, l.bit_accuracy, l.digit_accuracy))
        .collect();
    assert_eq!(
        rounded,
        [
            "all ones 0.4176 0.6462 0.5824 0.0000",
            "majority bits 0.2466 0.4966 0.7534 0.1135",
            "mean of bits 0.2955 0.3844 0.7534 0.1135",
        ]
    );
}

#[test]
fn the_levels_follow_the_class_counts_and_the_encoding() {
    let mut record = made_up::record(&[("encoding", json!("one-hot"))], STORY);
    record.data.classes = "ab".to_owned();
    record.confusion = Some(vec![vec![30, 0, 0], vec![0, 10, 0]]);
    let levels = constant_answers(&record);
    assert_eq!(levels[0].mae, 0.5);
    assert_eq!(levels[1].mae, 0.25);
    assert_eq!(levels[1].digit_accuracy, 0.75);
    assert_eq!(levels[2].mae, 2.0 * 0.75 * 0.25);
}

#[test]
fn the_class_counts_of_the_made_up_records_are_those_of_mnist() {
    let record = made_up::record(&[], STORY);
    let sums: Vec<u64> = record.confusion.iter().flatten().map(|row| row.iter().sum()).collect();
    assert_eq!(sums, CLASS_COUNTS);
}

#[test]
fn a_small_curve_looks_as_it_did() {
    insta::assert_snapshot!(curves::curve(&made_up::record(&[], STORY), Metric::Mae));
}

#[test]
fn a_small_confusion_matrix_looks_as_it_did() {
    let mut record = made_up::record(&[], STORY);
    record.data.classes = "ab".to_owned();
    record.confusion = Some(vec![vec![8, 1, 1], vec![0, 5, 0]]);
    insta::assert_snapshot!(confusion::confusion_matrix(&record).unwrap());
}

#[test]
fn every_figure_is_a_document_of_its_own() {
    let sweep = made_up::input(made_up::depth_sweep());
    let grid = made_up::input(made_up::grid(80));
    let (depths, cells) = (Overview::new(&sweep.trials), Overview::new(&grid.trials));
    let curve = made_up::robustness(&sweep.trials[0].record);
    for svg in [
        comparison::by_epoch(&depths, Metric::Rmse),
        comparison::wrong_by_epoch(&depths),
        against_key::against_key(&depths, &effects(&depths), 0),
        against_key::against_key(&cells, &effects(&cells), 0),
        against_key::against_key(&cells, &effects(&cells), 3),
        against_key::against_key(&cells, &effects(&cells), 99),
        best_cells::best_cells(&depths),
        best_cells::best_cells(&cells),
        interplay::interplay(&cells, &effects(&cells), (0, 1)),
        parallel::parallel(&cells, &effects(&cells)),
        cost::cost(&depths).unwrap(),
        heat_map::heat_map(&cells, 0, 1),
        heat_map::heat_map(&depths, 0, 1),
        robustness::robustness(&depths, &curve, "gaussian-blur"),
    ] {
        assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
        assert!(svg.ends_with("</svg>\n"));
        assert!(svg.contains("aria-label=\"") && svg.contains("prefers-color-scheme:dark"));
        assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
        assert!(!svg.contains("NaN"));
    }
}

#[test]
fn seeds_are_one_configuration_and_the_depth_is_what_varies() {
    let input = made_up::input(made_up::depth_sweep());
    let overview = Overview::new(&input.trials);
    assert_eq!(overview.varied.len(), 1);
    assert_eq!(overview.varied[0].numbers.as_deref(), Some(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0][..]));
    assert_eq!(overview.cells.len(), 7);
    assert!(overview.cells.iter().all(|cell| cell.trials.len() == 3));
    assert_eq!(overview.cells[0].short_label, "6 layers");
    let deepest = overview.cells.iter().find(|cell| cell.short_label == "7 layers").unwrap();
    assert_eq!((deepest.scores.len(), deepest.n_diverged), (2, 1));
}

#[test]
fn the_spread_is_the_sample_standard_deviation() {
    let input = made_up::input(vec![made_up::record(&[], STORY), made_up::record(&[], Story { seed: 1, ..STORY })]);
    let overview = Overview::new(&input.trials);
    let cell = &overview.cells[0];
    let expected = (cell.scores[0] - cell.scores[1]).abs() / 2f64.sqrt();
    assert!((cell.deviation().unwrap() - expected).abs() < 1e-12);
}

#[test]
fn class_scores_are_counted_by_hand() {
    let mut record = made_up::record(&[], STORY);
    record.data.classes = "ab".to_owned();
    record.confusion = Some(vec![vec![6, 3, 1], vec![0, 5, 0]]);
    let scores = confusion::class_scores(&record);
    assert_eq!((scores[0].precision, scores[0].recall), (Some(1.0), Some(0.6)));
    assert_eq!((scores[1].precision, scores[1].recall), (Some(5.0 / 8.0), Some(1.0)));
    assert_eq!(scores[0].confused_with, Some(("b".to_owned(), 3)));
    assert_eq!(scores[1].confused_with, None);
}

#[test]
fn weights_are_drawn_only_where_they_have_the_shape_of_a_picture() {
    let layer = Layer { weights: Array2::<f64>::zeros((6, 2)), bias: None, activation: Activation::Sigmoid };
    let mlp = Mlp { layers: vec![layer] };
    assert!(weights::first_layer(&mlp, 2, 3).unwrap().contains("data:image/png;base64,iVBORw0KGgo"));
    assert!(weights::first_layer(&mlp, 28, 28).is_none());
    assert!(weights::first_layer(&mlp, usize::MAX, 2).is_none());
    assert!(weights::first_layer(&mlp, 0, 0).is_none());
}

#[test]
fn configuration_values_read_as_a_person_writes_them() {
    let cases = [
        (json!("sigmoid"), "sigmoid"),
        (json!([512, 256]), "512-256"),
        (json!(1.0), "1"),
        (json!(1e-7), "1e-7"),
        (json!(u64::MAX), "18446744073709551615"),
        (json!({ "name": "momentum", "momentum": 0.9 }), "momentum (momentum 0.9)"),
        (json!(null), "none"),
        (json!(false), "no"),
    ];
    for (value, expected) in cases {
        assert_eq!(text::value(&value), expected);
    }
}

/// The numbers written into a figure.
fn words(svg: &str) -> Vec<&str> {
    svg.split("</text>")
        .filter_map(|part| part.rsplit_once('>'))
        .map(|(_, word)| word.trim())
        .filter(|word| !word.is_empty())
        .collect()
}

#[test]
fn a_map_has_a_row_for_each_layer_and_a_column_for_each_epoch() {
    let diagnosis = made_up::diagnosis(&made_up::record(&[], STORY), true);
    let svg = diagnosis_map(&diagnosis, Quantity::Saturated);
    let words = words(&svg);
    for name in ["1: 512", "2: 256", "3: 128", "4: 6 (out)", "epoch", "0 %", "100 %"] {
        assert!(words.contains(&name), "{name}: {words:?}");
    }
    // Four layers by five epochs.
    assert_eq!(words.iter().filter(|word| **word == "100").count(), 20);
    let svg = diagnosis_map(&diagnosis, Quantity::Spread);
    assert!(svg.contains("exactly 0"));
}

#[test]
fn a_gap_stays_grey_and_many_epochs_and_layers_are_thinned() {
    let mut diagnosis = made_up::diagnosis(&made_up::record(&[], Story { n_epochs: 3, ..STORY }), false);
    diagnosis.epochs.remove(2);
    assert!(diagnosis_map(&diagnosis, Quantity::Gradient).contains("grey: not measured"));
    let mut long = diagnosis.clone();
    long.layers = vec![long.layers[0].clone(); 500];
    for (index, epoch) in long.epochs.iter_mut().enumerate() {
        epoch.epoch = [0, 10_000, usize::MAX][index];
        epoch.layers = vec![epoch.layers[0].clone(); 500];
    }
    let svg = diagnosis_map(&long, Quantity::Gradient);
    assert!(svg.matches("<rect").count() <= N_EPOCHS * N_LAYERS + 20);
    assert!(svg.contains("500: 512 (out)") && svg.contains(&format!("{N_EPOCHS} of ")));
}

#[test]
fn maps_are_chosen_by_activation_and_nothing_measured_is_no_map() {
    let mut diagnosis = made_up::diagnosis(&made_up::record(&[], STORY), false);
    let names = |diagnosis: &_| diagnosis_maps(diagnosis, "best").into_iter().map(|map| map.name).collect::<Vec<_>>();
    assert_eq!(names(&diagnosis).len(), 6);
    assert!(names(&diagnosis).contains(&"best-diagnosis-zero-derivative".to_owned()));
    diagnosis.layers[0].activation = "relu".to_owned();
    assert!(names(&diagnosis).contains(&"best-diagnosis-dead-units".to_owned()));
    diagnosis.epochs.clear();
    assert!(names(&diagnosis).is_empty());
}
