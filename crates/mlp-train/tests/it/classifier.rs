//! A trained network in use.

use mlp_core::{Activation, Initializer, Kernel, Layer, Mlp, Workers};
use mlp_train::{
    Classifier, ErrorKind, Inputs, Precision, Samples, SavedModel, TargetEncoding, Targets, TrainConfig, evaluate,
};
use mnist_io::synthetic_digits;
use ndarray::{Array2, array};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use tempfile::tempdir;

fn digits() -> Vec<char> {
    ('0'..='9').collect()
}

fn config() -> TrainConfig {
    TrainConfig::new().hidden([40])
}

/// An untrained network for digits: its answers are as good as any to compare.
fn model() -> SavedModel {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mlp = Mlp::<f32>::new(&[784, 40, 6], &config().activations(), true, Initializer::GLOROT_UNIFORM, &mut rng);
    SavedModel::new(mlp, config(), digits())
}

#[test]
fn one_by_one_and_together_images_get_the_answers_that_an_evaluation_measures() {
    let images = synthetic_digits(600, 3);
    let model = model();
    let codebook = config().encoding.codebook(&images.classes);
    let targets = Targets::labels(&images.labels, &codebook);
    let samples = Samples { inputs: Inputs::Pixels(images.pixels()), targets, weights: None };
    for kernel in Kernel::ALL.into_iter().filter(|kernel| kernel.is_supported()) {
        let mlp_train::AnyMlp::F32(mlp) = &model.network else { panic!("single precision") };
        let measured = evaluate(mlp, &samples, config().objective(), &Workers::new(2), kernel);
        let mut classifier = Classifier::with_kernel(&model, kernel, Workers::new(2)).unwrap();
        let together = classifier.classify_images(images.pixels()).unwrap();
        for (answer, measured) in together.iter().zip(&measured.answers) {
            assert_eq!(answer.class, measured.exact.map(|class| images.classes[class].to_string()));
            assert_eq!(answer.nearest(), images.classes[measured.nearest].to_string());
        }
        for mistake in &measured.mistakes {
            let outputs: Vec<f64> = together[mistake.index].bits.iter().map(|bit| bit.output).collect();
            assert_eq!(outputs, mistake.outputs, "bit for bit");
        }
        for row in [0, 1, 511, 512, 599] {
            let pixels = images.pixels().row(row).to_vec();
            assert_eq!(classifier.classify(&pixels).unwrap(), together[row], "row {row}, {kernel:?}");
        }
    }
}

#[test]
fn a_loaded_classifier_is_the_one_that_was_saved_and_numbers_are_taken_as_they_are() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    model().save(&path).unwrap();
    let mut classifier = Classifier::load(&path).unwrap();
    assert_eq!(classifier.n_inputs(), 784);
    assert_eq!(classifier.classes().concat(), "0123456789");
    let pixels = synthetic_digits(1, 0).pixels().row(0).to_vec();
    let values: Vec<f64> = pixels.iter().map(|&pixel| f64::from(f32::from(pixel) / 255.0)).collect();
    assert_eq!(classifier.classify(&pixels).unwrap(), classifier.classify_values(&values).unwrap());
}

/// A network whose output is its input.
fn mirror(n_bits: usize) -> SavedModel {
    let layer = Layer { weights: Array2::<f64>::eye(n_bits), bias: None, activation: Activation::Identity };
    let config = TrainConfig::new()
        .hidden([])
        .bias(false)
        .output_activation(Activation::Identity)
        .precision(Precision::F64)
        .encoding(TargetEncoding::Binary);
    SavedModel::new(Mlp { layers: vec![layer] }, config, vec!['a', 'b', 'c'])
}

#[test]
fn an_answer_has_its_bits_with_their_confidence_and_the_classes_by_distance() {
    let mut classifier = Classifier::new(&mirror(2)).unwrap(); // 00, 01, 10
    let answer = classifier.classify_values(&[0.25, 0.5]).unwrap();
    assert_eq!((answer.class.as_deref(), answer.nearest()), (Some("b"), "a"));
    let bits: Vec<_> = answer.bits.iter().map(|bit| (bit.output, bit.is_one, bit.confidence)).collect();
    assert_eq!(bits, [(0.25, false, 0.75), (0.5, true, 0.5)]);
    assert_eq!(answer.least_sure_bit(), 1);
    let ranking: Vec<_> =
        answer.ranking.iter().map(|candidate| (candidate.class.as_str(), candidate.distance)).collect();
    assert_eq!(ranking, [("a", 0.3125_f64.sqrt()), ("b", 0.3125_f64.sqrt()), ("c", 0.8125_f64.sqrt())]);
    assert_eq!(answer.runners_up().len(), 2);

    let invalid = classifier.classify_values(&[0.75, 2.0]).unwrap();
    assert_eq!((invalid.class.as_deref(), invalid.nearest()), (None, "b"));
    assert_eq!(invalid.bits[1].confidence, 1.0, "beyond 1 nothing is surer");
}

#[test]
fn what_does_not_fit_is_refused_with_what_to_do() {
    let refusal = |model: &SavedModel| {
        let error = Classifier::new(model).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Model);
        error.to_string()
    };
    let mut nameless = mirror(2);
    nameless.classes.clear();
    let mut classifier = Classifier::new(&mirror(2)).unwrap();
    let images = classifier.classify(&[0; 3]).unwrap_err();
    let rows = classifier.classify_rows(array![[0.0, 1.0], [0.5, f64::NAN]].view()).unwrap_err();
    assert_eq!((rows.kind(), rows.sample()), (ErrorKind::Samples, Some(1)));
    let mut large = mirror(2);
    large.network = Mlp {
        layers: vec![Layer { weights: Array2::from_elem((2, 2), 1e300), bias: None, activation: Activation::Identity }],
    }
    .into();
    let overflow = Classifier::new(&large).unwrap().classify_values(&[1e300, 1.0]).unwrap_err();
    assert_eq!(overflow.kind(), ErrorKind::NotFinite);
    let all = [refusal(&mirror(3)), refusal(&nameless), images.to_string(), rows.to_string(), overflow.to_string()];
    insta::assert_snapshot!(all.join("\n"), @r"
    expected a network with 2 outputs, for the binary codes of 3 classes, found 3; take the model that was trained on these classes
    config, key classes: expected the names of the classes, found none; say what the labels stand for in SavedModel::classes, or load what answers with numbers as a tabular::MlpRegressor
    expected 2 inputs in each sample, as the network has, found 3
    input 1 of sample 1 is NaN; every number must be finite
    expected finite outputs, found inf at bit 1: the weights of the model are too large for its numbers; take a model of a run that did not diverge
    ");
}
