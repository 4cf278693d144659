//! Figures one by one.

use mlp_core::{Activation, Layer, Mlp};
use mlp_report::diagnosis::{N_EPOCHS, N_LAYERS, Quantity, diagnosis_map};
use mlp_report::effects::effects;
use mlp_report::{
    against_key, best_cells, comparison, confusion, cost, curves, diagnosis_maps, heat_map, interplay, parallel,
    robustness, weights,
};
use mlp_results::{Metric, Overview};
use ndarray::Array2;

use crate::made_up::{self, Story};

const STORY: Story = Story { accuracy: 0.9, pace: 2.0, n_epochs: 4, seed: 0 };

#[test]
fn a_small_curve_looks_as_it_did() {
    insta::assert_snapshot!(curves::curve(&made_up::record(&[], STORY), Metric::Mae));
}

#[test]
fn a_small_confusion_matrix_looks_as_it_did() {
    let mut record = made_up::record(&[], STORY);
    record.data.classes = vec!["a".to_owned(), "b".to_owned()];
    record.confusion = Some(vec![vec![8, 1, 1], vec![0, 5, 0]]);
    insta::assert_snapshot!(confusion::confusion_matrix(&record).unwrap());
}

/// What is told of a point is what its axis shows.
#[test]
fn the_points_of_the_figure_of_wrong_answers_tell_wrong_answers() {
    let sweep = made_up::input(made_up::depth_sweep());
    let depths = Overview::new(&sweep.trials);
    let told = |svg: &str, end: &str| -> Vec<(String, f64)> {
        let titles = svg.split("<title>").skip(1).filter_map(|rest| rest.split("</title>").next());
        let of_points = titles.filter_map(|title| title.strip_suffix(end)?.rsplit_once(": "));
        of_points.map(|(point, share)| (point.to_owned(), share.parse().unwrap())).collect()
    };
    let right = told(&comparison::by_epoch(&depths, Metric::Accuracy), " %");
    let wrong = told(&comparison::wrong_by_epoch(&depths), " % wrong");
    assert!(!wrong.is_empty() && wrong.len() == right.len(), "{} and {}", wrong.len(), right.len());
    for ((point, wrong), (same, right)) in wrong.iter().zip(&right) {
        assert!(point == same && (wrong + right - 100.0).abs() < 0.011, "{point}: {wrong} and {right}");
    }
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
fn class_scores_are_counted_by_hand() {
    let mut record = made_up::record(&[], STORY);
    record.data.classes = vec!["a".to_owned(), "b".to_owned()];
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

#[test]
fn quantities_are_read_as_they_are_written_and_other_names_are_refused() {
    for quantity in Quantity::ALL {
        assert_eq!(quantity.to_string().parse::<Quantity>().unwrap(), quantity);
    }
    let error = "entropy".parse::<Quantity>().unwrap_err();
    assert_eq!((error.kind(), error.path()), (mlp_report::ErrorKind::Argument, None));
    insta::assert_snapshot!(error, @r#"expected a quantity of layers, found "entropy"; choose one of saturated, zero-derivative, dead-units, gradient, spread, effective-rank, activation"#);
}
