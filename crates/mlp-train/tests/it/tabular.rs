//! Small tables: a scaler, splits, a classifier and a regressor.

use std::fmt;

use mlp_core::{Activation, Layer, Loss, Mlp};
use mlp_train::ndarray::{Array2, Axis, array, s};
use mlp_train::tabular::{
    MlpClassifier, MlpRegressor, StandardScaler, classifier_config, random_split, regressor_config, stratified_split,
};
use mlp_train::{
    Classifier, Decoding, EarlyStopping, ErrorKind, EvaluateTrain, Precision, Result, SavedModel, TargetEncoding,
    ValidationMetric, load_model,
};
use proptest::prelude::*;
use tempfile::tempdir;

use crate::examples::iris;

fn flowers() -> (Array2<f64>, Vec<&'static str>) {
    iris::read(iris::TABLE).unwrap()
}

/// `n_classes` groups of four rows each, a unit apart from the next.
fn groups(n_classes: usize) -> (Array2<f64>, Vec<usize>) {
    let labels: Vec<usize> = (0..4 * n_classes).map(|row| row % n_classes).collect();
    let inputs = Array2::from_shape_fn((labels.len(), 2), |(row, column)| {
        let (x, y) = (labels[row] % 20, labels[row] / 20);
        [x, y][column] as f64 + 0.1 * ((row / n_classes) as f64 - 1.5)
    });
    (inputs, labels)
}

/// The mean over 20 splits by scikit-learn 1.9.1 is 94.6 %: `make_pipeline(StandardScaler(), MLPClassifier(random_state=s))`
/// on `train_test_split(X, y, test_size=.25, stratify=y, random_state=s)`, s = 0, …, 19.
#[test]
fn iris_are_told_apart_as_well_as_scikit_learn_does() {
    let (flowers, species) = flowers();
    let accuracies: Vec<f64> = (0..20)
        .map(|seed| {
            let split = stratified_split(&flowers, &species, 0.25, seed).unwrap();
            let model = MlpClassifier::fit(&split.train_inputs, &split.train_targets).unwrap();
            model.score(&split.test_inputs, &split.test_targets).unwrap()
        })
        .collect();
    let mean = accuracies.iter().sum::<f64>() / accuracies.len() as f64;
    assert!(mean >= 0.95, "{mean}: {accuracies:?}");
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Size {
    Small,
    Large,
}

/// The same text for both.
impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("some size")
    }
}

#[test]
fn labels_may_be_of_any_type_with_an_order_and_of_more_classes_than_a_byte_counts() {
    let (inputs, indices) = groups(4);
    fn learnt<L: Ord + Clone + fmt::Debug>(inputs: &Array2<f64>, labels: &[L]) {
        let model = MlpClassifier::fit_with(&classifier_config().epochs(300), inputs, labels).unwrap();
        assert_eq!(model.predict(inputs).unwrap(), labels);
        assert!(model.classes().is_sorted());
    }
    let of = |labels: [&'static str; 4]| indices.iter().map(|&index| labels[index]).collect::<Vec<_>>();
    learnt(&inputs, &of(["setosa", "T-shirt", "ß", ""]));
    learnt(&inputs, &indices.iter().map(|&index| -70_000 * index as i64).collect::<Vec<_>>());
    learnt(&inputs, &indices.iter().map(|&index| ['d', 'a', 'b', 'c'][index]).collect::<Vec<_>>());
    learnt(&inputs, &indices.iter().map(|&index| (index / 2, index % 2 == 0)).collect::<Vec<_>>());
    learnt(&inputs, &indices.iter().map(|&index| [Size::Small, Size::Large][index / 2]).collect::<Vec<_>>());

    let (inputs, labels) = groups(300);
    let labels: Vec<u32> = labels.into_iter().map(|label| 1_000 + label as u32).collect();
    let config =
        classifier_config().hidden([64]).epochs(60).learning_rate(0.03).evaluate_train(EvaluateTrain::Count(1));
    let model = MlpClassifier::fit_with(&config, &inputs, &labels).unwrap();
    assert_eq!(model.classes().len(), 300);
    let accuracy = model.score(&inputs, &labels).unwrap();
    assert!(accuracy > 0.9, "{accuracy}");
}

#[test]
fn a_classifier_and_a_regressor_are_the_same_after_they_are_saved_and_loaded() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a table.safetensors");
    let (flowers, species) = flowers();
    for config in [
        classifier_config().epochs(5),
        classifier_config().epochs(5).precision(Precision::F64).hidden([]).bias(false),
        classifier_config()
            .epochs(5)
            .encoding(TargetEncoding::Random { bits: 5 })
            .output_activation(Activation::Sigmoid)
            .loss(Loss::CrossEntropy),
    ] {
        let model = MlpClassifier::fit_with(&config, &flowers, &species).unwrap();
        model.save(&path).unwrap();
        let loaded = MlpClassifier::<String>::load(&path).unwrap();
        assert_eq!(loaded.classes(), ["setosa", "versicolor", "virginica"]);
        assert_eq!(loaded.predict(&flowers).unwrap(), model.predict(&flowers).unwrap());
        if config.output_activation == Activation::Softmax {
            assert_eq!(loaded.predict_proba(&flowers).unwrap(), model.predict_proba(&flowers).unwrap());
        }
        assert!(model.history().is_some() && loaded.history().is_none());

        // The file is a model as any other.
        let mut classifier = Classifier::load(&path).unwrap();
        let answers = classifier.classify_rows(flowers.view()).unwrap();
        let nearest: Vec<&str> = answers.iter().map(|answer| answer.nearest()).collect();
        assert_eq!(nearest, model.predict(&flowers).unwrap());
    }

    let (inputs, targets) = (flowers.slice(s![.., ..2]).to_owned(), flowers.slice(s![.., 2..]).to_owned());
    let model = MlpRegressor::fit(&inputs, &targets).unwrap();
    model.save(&path).unwrap();
    assert_eq!(MlpRegressor::load(&path).unwrap().predict(&inputs).unwrap(), model.predict(&inputs).unwrap());

    // Labels that are numbers are numbers again.
    let (inputs, labels) = groups(3);
    let model = MlpClassifier::fit(&inputs, &labels.iter().map(|label| label * 1_000).collect::<Vec<_>>()).unwrap();
    model.save(&path).unwrap();
    assert_eq!(MlpClassifier::<usize>::load(&path).unwrap().predict(&inputs).unwrap(), model.predict(&inputs).unwrap());
}

#[test]
fn a_network_for_images_is_loaded_as_a_classifier() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    let config = mlp_train::TrainConfig::new().hidden([3]);
    let mlp = Mlp::<f32>::seeded(&[4, 3, 6], &config.activations(), true, config.initializer, 0);
    SavedModel::new(mlp, config, '0'..='9').save(&path).unwrap();
    let model = MlpClassifier::<u8>::load(&path).unwrap();
    assert_eq!(model.classes(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(model.predict(&array![[0.0, 0.5, 1.0, 0.25]]).unwrap().len(), 1);
}

#[test]
fn the_unit_of_a_column_makes_no_difference() {
    let (flowers, species) = flowers();
    let in_other_units = &flowers * 1e-3 + 1e4;
    let config = classifier_config().precision(Precision::F64).epochs(20);
    let model = MlpClassifier::fit_with(&config, &flowers, &species).unwrap();
    let other = MlpClassifier::fit_with(&config, &in_other_units, &species).unwrap();
    let difference = model.predict_proba(&flowers).unwrap() - other.predict_proba(&in_other_units).unwrap();
    assert!(difference.iter().all(|difference| difference.abs() < 1e-6), "{difference}");

    let (inputs, targets) = (flowers.slice(s![.., ..3]).to_owned(), flowers.slice(s![.., 3..]).to_owned());
    let config = regressor_config().precision(Precision::F64).epochs(20);
    let model = MlpRegressor::fit_with(&config, &inputs, &targets).unwrap();
    let in_euros = &targets * 1e5 - 3e4;
    let other = MlpRegressor::fit_with(&config, &inputs, &in_euros).unwrap();
    let difference = (other.predict(&inputs).unwrap() + 3e4) / 1e5 - model.predict(&inputs).unwrap();
    assert!(difference.iter().all(|difference| difference.abs() < 1e-9), "{difference}");
}

#[test]
fn the_same_table_gives_the_same_network_and_a_row_the_same_answer_whatever_the_others() {
    let (flowers, species) = flowers();
    let fitted =
        |seed: u64| MlpClassifier::fit_with(&classifier_config().epochs(3).seed(seed), &flowers, &species).unwrap();
    assert_eq!(fitted(1).to_model(), fitted(1).to_model());
    assert_ne!(fitted(1).to_model(), fitted(2).to_model());
    let model = fitted(1);
    let together = model.predict_proba(&flowers).unwrap();
    for row in [0, 70, 149] {
        let alone = model.predict_proba(flowers.slice(s![row..=row, ..])).unwrap();
        assert_eq!(alone.row(0), together.row(row), "row {row}");
    }
}

#[test]
fn numbers_are_met_in_one_column_and_in_several() {
    let inputs = Array2::from_shape_fn((200, 2), |(row, column)| [row as f64, (row * row % 17) as f64][column]);
    let target = |x: f64, y: f64| [5e6 + 1e4 * x, (0.1 * y).sin(), 3.0];
    let targets = Array2::from_shape_fn((200, 3), |(row, column)| target(inputs[[row, 0]], inputs[[row, 1]])[column]);
    let split = random_split(&inputs, &targets, 0.2, 0).unwrap();
    assert_eq!(split.test_rows.len(), 40);
    let config = regressor_config().epochs(300);
    let one = MlpRegressor::fit_with(&config, &split.train_inputs, split.train_targets.slice(s![.., ..1])).unwrap();
    let score = one.score(&split.test_inputs, split.test_targets.slice(s![.., ..1])).unwrap();
    assert!(score > 0.99, "{score}");
    let two = MlpRegressor::fit_with(&config, &split.train_inputs, split.train_targets.slice(s![.., ..2])).unwrap();
    let score = two.score(&split.test_inputs, split.test_targets.slice(s![.., ..2])).unwrap();
    assert!(score > 0.98, "{score}");

    // sklearn.metrics.r2_score([[0, 1], [2, 3], [4, 8]], [[0, 1], [2, 3], [4, 4]]) is 0.6923076923076923.
    let folder = tempdir().unwrap();
    let path = folder.path().join("identity.safetensors");
    let layer = Layer { weights: Array2::<f64>::eye(2), bias: None, activation: Activation::Identity };
    let config = regressor_config().hidden([]).bias(false).precision(Precision::F64);
    SavedModel::new(Mlp { layers: vec![layer] }, config, Vec::<char>::new()).save(&path).unwrap();
    let identity = MlpRegressor::load(&path).unwrap();
    let (answers, targets) = (array![[0.0, 1.0], [2.0, 3.0], [4.0, 4.0]], array![[0.0, 1.0], [2.0, 3.0], [4.0, 8.0]]);
    let score = identity.score(&answers, &targets).unwrap();
    assert!((score - 9.0 / 13.0).abs() < 1e-12, "{score}");
    let constant = array![[7.0], [7.0], [7.0]];
    let model = MlpRegressor::fit_with(&regressor_config().epochs(0), &constant, &constant).unwrap();
    assert_eq!(model.score(&constant, &(&constant + 1.0)).unwrap(), 0.0);

    // Outputs with bounds take targets as they are.
    let config = regressor_config().output_activation(Activation::Sigmoid).epochs(50);
    let shares = inputs.slice(s![.., ..1]).mapv(|x| x / 200.0);
    let model = MlpRegressor::fit_with(&config, &inputs, &shares).unwrap();
    assert!(model.predict(&inputs).unwrap().iter().all(|share| (0.0..=1.0).contains(share)));
    assert!(model.score(&inputs, &shares).unwrap() > 0.9);
}

#[test]
fn a_table_smaller_than_a_batch_is_one_and_early_stopping_watches_its_own_rows() {
    let (inputs, labels) = (array![[0.0], [1.0], [0.1]], ["no", "yes", "no"]);
    let model = MlpClassifier::fit(&inputs, &labels).unwrap();
    assert_eq!(model.predict(&inputs).unwrap(), labels);
    let single = MlpClassifier::fit(&array![[1.0, 2.0]], &["only"]).unwrap();
    assert_eq!(single.predict(&array![[3.0, 4.0]]).unwrap(), ["only"]);

    let (flowers, species) = flowers();
    let stopping = EarlyStopping { metric: ValidationMetric::NearestAccuracy, patience: 3 };
    let config = classifier_config().validation(50).early_stopping(stopping);
    let model = MlpClassifier::fit_with(&config, &flowers, &species).unwrap();
    assert!(model.history().unwrap().stopped_early);
}

#[test]
fn what_does_not_fit_is_refused_with_what_to_do() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    let (inputs, labels) = (array![[0.0, 1.0], [1.0, 5.0], [2.0, 5.0]], ["a", "b", "b"]);
    let model = MlpClassifier::fit(&inputs, &labels).unwrap();
    let regressor = MlpRegressor::fit(&inputs, &inputs).unwrap();
    let linear = MlpRegressor::fit_with(&regressor_config().hidden([]), &inputs, &(&inputs * 100.0)).unwrap();
    let config = classifier_config;
    let sigmoid = config().output_activation(Activation::Sigmoid).loss(Loss::CrossEntropy);
    let said = |error: mlp_train::Error| error.to_string().replace(&path.display().to_string(), "FILE");
    let mut messages = Vec::new();
    let mut refused = |refusal: Result<()>| messages.push(said(refusal.unwrap_err()));
    refused(MlpClassifier::fit(&inputs, &labels[..2]).map(drop));
    refused(MlpClassifier::<&str>::fit(&Array2::zeros((0, 2)), &[]).map(drop));
    refused(MlpClassifier::fit(&Array2::zeros((3, 0)), &labels).map(drop));
    refused(MlpClassifier::fit(&array![[0.0], [f64::NAN], [1.0]], &labels).map(drop));
    refused(MlpClassifier::fit(&array![[0.0], [1e300], [1.0]], &labels).map(drop));
    refused(MlpClassifier::fit_with(&config().encoding(TargetEncoding::Ascii), &inputs, &labels).map(drop));
    refused(MlpClassifier::fit_with(&config().encoding(TargetEncoding::Binary), &inputs, &labels).map(drop));
    refused(MlpClassifier::fit_with(&config().validation(3), &inputs, &labels).map(drop));
    refused(MlpRegressor::fit_with(&regressor_config().learning_rate(1e300), &inputs, &inputs).map(drop));
    refused(MlpRegressor::fit(&inputs, &array![[1.0]]).map(drop));
    refused(model.predict(&array![[1.0]]).map(drop));
    refused(model.predict(&array![[1.0, f64::INFINITY]]).map(drop));
    refused(linear.predict(&array![[1e308, 1e308]]).map(drop));
    refused(MlpClassifier::fit_with(&sigmoid, &inputs, &labels).unwrap().predict_proba(&inputs).map(drop));
    refused(model.score(&inputs, &[]).map(drop));
    refused(regressor.score(&inputs, &array![[1.0]]).map(drop));
    refused(stratified_split(&inputs, &labels, 1.0, 0).map(drop));
    refused(stratified_split(&inputs, &labels, 0.1, 0).map(drop));
    refused(stratified_split(&inputs, &["a", "b"], 0.5, 0).map(drop));
    refused(StandardScaler::fit(&inputs).unwrap().transform(&array![[1.0]]).map(drop));
    refused(MlpClassifier::fit(&inputs, &[Size::Small, Size::Large, Size::Large]).unwrap().save(&path));
    assert!(!path.exists());
    model.save(&path).unwrap();
    refused(MlpClassifier::<u16>::load(&path).map(drop));
    refused(MlpRegressor::load(&path).map(drop));
    regressor.save(&path).unwrap();
    refused(MlpClassifier::<String>::load(&path).map(drop));
    insta::assert_snapshot!(messages.join("\n"));
}

/// What is documented as an error is none of codes that cannot be made, of answers bit by bit, and of logarithms.
#[test]
fn choices_that_a_table_cannot_have_are_errors() {
    let (inputs, labels) = (array![[0.0], [1.0], [2.0], [3.0]], ["a", "b", "b", "a"]);
    let config = || classifier_config().output_activation(Activation::Sigmoid).loss(Loss::CrossEntropy);
    for bits in [0, 65] {
        let config = config().encoding(TargetEncoding::Random { bits });
        let error = MlpClassifier::fit_with(&config, &inputs, &labels).unwrap_err();
        assert_eq!((error.kind(), error.key()), (ErrorKind::Configuration, Some("encoding.bits")), "{error}");
    }
    let bit_by_bit = config().encoding(TargetEncoding::Binary).decoding(Decoding::Exact);
    let error = MlpClassifier::fit_with(&bit_by_bit, &inputs, &labels).unwrap_err();
    assert_eq!(error.key(), Some("decoding"), "{error}");
    let counts = array![[1.0], [2.0], [3.0], [4.0]];
    let error = MlpRegressor::fit_with(&regressor_config().loss(Loss::Poisson), &inputs, &counts).unwrap_err();
    assert!(error.key() == Some("loss") && error.to_string().contains("exponentials"), "{error}");
}

/// Whatever the codes, a row that is between two of them included.
#[test]
fn a_classifier_and_its_model_give_the_same_answers() {
    let (inputs, labels) = flowers();
    for encoding in [TargetEncoding::OneHot, TargetEncoding::Binary, TargetEncoding::Random { bits: 8 }] {
        let config = classifier_config().encoding(encoding).output_activation(Activation::Sigmoid);
        let config = config.loss(Loss::CrossEntropy).epochs(8);
        let model = MlpClassifier::fit_with(&config, &inputs, &labels).unwrap();
        let mut classifier = Classifier::new(&model.to_model()).unwrap();
        for (row, label) in inputs.rows().into_iter().zip(model.predict(&inputs).unwrap()) {
            let answer = classifier.classify_values(row.as_slice().unwrap()).unwrap();
            assert_eq!(answer.class.as_deref(), Some(label), "{encoding:?}");
        }
        let accuracy = model.history().unwrap().epochs.last().unwrap().train.accuracy.unwrap();
        assert!(accuracy > 0.5, "{encoding:?}: {accuracy}");
    }
}

#[test]
fn a_model_file_says_words_as_a_list_and_characters_as_ever() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    let entries = |labels: &[&str]| {
        MlpClassifier::fit(&array![[0.0], [1.0]], labels).unwrap().save(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let header = String::from_utf8_lossy(&bytes).replace('\\', "");
        ["\"classes\":", "\"class_names\":"].map(|key| {
            let start = header.find(key)? + key.len();
            Some(header[start..start + header[start..].find(",\"enc").unwrap_or(24).min(24)].to_owned())
        })
    };
    let [classes, names] = entries(&["setosa", "virginica"]);
    assert_eq!((classes, names.unwrap().starts_with("[\"setosa\",\"virginica\"]")), (None, true));
    let [classes, names] = entries(&["y", "x"]);
    assert_eq!((classes.unwrap().starts_with("\"xy\""), names), (true, None));
    assert_eq!(load_model(&path).unwrap().classes, ["x", "y"]);
}

#[test]
fn columns_have_mean_0_and_deviation_1_and_constant_ones_are_only_shifted() {
    let (flowers, _) = flowers();
    let mut table = flowers.clone();
    table.column_mut(2).fill(0.1);
    let scaler = StandardScaler::fit(&table).unwrap();
    let scaled = scaler.transform(&table).unwrap();
    for (column, values) in scaled.columns().into_iter().enumerate() {
        let deviation = if column == 2 { 0.0 } else { 1.0 };
        assert!(values.mean().unwrap().abs() < 1e-12, "column {column}");
        assert!((values.std_axis(Axis(0), 0.0)[()] - deviation).abs() < 1e-12, "column {column}");
    }
    assert_eq!((scaler.mean()[2], scaler.deviation()[2]), (0.1, 1.0));
    let back = scaler.inverse_transform(&scaled).unwrap();
    assert!((&back - &table).iter().all(|difference| difference.abs() < 1e-12));
    // Whose squared differences are rounded to 0.
    let near = array![[1e-200], [2e-200]];
    assert_eq!(StandardScaler::fit(&near).unwrap().deviation(), [1.0]);
    assert_eq!(StandardScaler::fit(&array![[1e200], [2e200]]).unwrap_err().kind(), ErrorKind::Samples);
}

proptest! {
    #[test]
    fn every_class_has_its_share_tested_and_a_row_to_learn_from(
        labels in prop::collection::vec(0_u8..5, 2..80),
        test_share in 0.05_f64..0.95,
        seed: u64,
    ) {
        let inputs = Array2::from_shape_fn((labels.len(), 1), |(row, _)| row as f64);
        let Ok(split) = stratified_split(&inputs, &labels, test_share, seed) else {
            // Too few to be tested: less than half a row, or only classes with a single row.
            let n_most = (0..5).map(|class| labels.iter().filter(|&&label| label == class).count()).max();
            prop_assert!(n_most == Some(1) || test_share * (labels.len() as f64) < 0.5 + 1e-9);
            return Ok(());
        };
        let mut all = [split.train_rows.clone(), split.test_rows.clone()].concat();
        prop_assert!(split.train_rows.is_sorted() && split.test_rows.is_sorted());
        all.sort_unstable();
        prop_assert_eq!(all, (0..labels.len()).collect::<Vec<_>>());
        for class in 0..5 {
            let count = |labels: &[u8]| labels.iter().filter(|&&label| label == class).count();
            let (whole, tested) = (count(&labels), count(&split.test_targets));
            let share = whole as f64 * test_share;
            prop_assert!((tested as f64 - share).abs() <= 1.0, "{tested} of {whole} at {test_share}");
            prop_assert!(whole == 0 || tested < whole);
        }
        prop_assert!(split.test_rows.iter().zip(split.test_inputs.column(0)).all(|(&row, &input)| row as f64 == input));
        prop_assert_eq!(&stratified_split(&inputs, &labels, test_share, seed).unwrap(), &split);
    }
}
