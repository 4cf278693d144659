//! The doctor finds planted illnesses, and none in the healthy.

use std::ops::ControlFlow;

use mlp_core::{Activation, Initializer, Kernel, Layer, Loss, Mlp, Objective, Reduction, Workers};
use mlp_train::{
    Cause, Codebook, Diagnosis, EpochDiagnosis, ErrorKind, EvaluateTrain, Finding, Inputs, LayerDiagnosis, Optimizer,
    Precision, Probe, Progress, Samples, Setup, TargetEncoding, Targets, TrainConfig, Trainable, diagnose,
    train_resumable, weights_sha256,
};
use mnist_io::{LabeledImages, synthetic_digits};
use ndarray::{Array2, array};

pub(crate) struct Digits {
    images: LabeledImages,
    codebook: Codebook,
}

impl Digits {
    pub(crate) fn new(n_samples: usize) -> Self {
        let images = synthetic_digits(n_samples, 1);
        let codebook = TargetEncoding::Ascii.codebook(&images.classes);
        Self { images, codebook }
    }

    pub(crate) fn samples<F: Trainable>(&self) -> Samples<'_, F> {
        let targets = Targets::labels(&self.images.labels, &self.codebook);
        Samples { inputs: Inputs::Pixels(self.images.pixels()), targets, weights: None }
    }
}

/// The paper's way: batches of one sample, the root mean square of each.
pub(crate) fn config() -> TrainConfig {
    TrainConfig::new()
        .hidden([32, 16])
        .loss(Loss::Rmse)
        .reduction(Reduction::Mean)
        .precision(Precision::F64)
        .optimizer(Optimizer::Sgd)
        .batch_size(1)
        .learning_rate(0.3)
        .epochs(2)
        .evaluate_train(EvaluateTrain::Count(32))
}

/// Trains, with an examination before training and after each epoch; and the hash of the weights.
pub(crate) fn examined<F: Trainable>(config: &TrainConfig, digits: &Digits) -> (Diagnosis, String) {
    let samples = digits.samples::<F>();
    let probe = Probe::of(&samples);
    let (workers, mut diagnosis) = (Workers::new(1), None);
    let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
    let run = train_resumable(config, &samples, None, setup, None, &mut |progress, moment| {
        if let Progress::Epoch(record) = progress {
            let mlp = moment.network();
            let measured = diagnose(&mlp, &probe, config.objective(), record.epoch).unwrap();
            diagnosis.get_or_insert_with(|| Diagnosis::new("t".to_owned(), &mlp, &probe)).add(measured);
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    (diagnosis.unwrap(), weights_sha256(&run.mlp))
}

#[test]
fn positive_weights_are_found_to_saturate_the_first_layer_from_the_beginning() {
    let config = config().initializer(Initializer::Uniform01).bias(false);
    let (diagnosis, _) = examined::<f64>(&config, &Digits::new(200));
    let expected = Finding { layer: 0, since: 0, cause: Cause::PositiveWeights, is_fatal: true };
    assert_eq!(diagnosis.finding(), Some(expected));
    let sentence = diagnosis.sentence();
    assert!(sentence.starts_with("Layer 1 of 3: 100 % of its units are saturated at 1 from epoch 0 on"), "{sentence}");
    for word in ["the weights are all positive", "Try initializer = { name = \"glorot-uniform\", gain = 2 }."] {
        assert!(sentence.contains(word), "{word}: {sentence}");
    }
}

#[test]
fn a_sentence_says_all_and_exactly_only_where_the_numbers_do() {
    let config = config().initializer(Initializer::Uniform01).bias(false);
    let (mut diagnosis, _) = examined::<f64>(&config, &Digits::new(200));
    let mut sentence = |saturated, high, zero, positive| {
        for epoch in &mut diagnosis.epochs {
            let first = &mut epoch.layers[0];
            (first.saturated, first.saturated_high) = (saturated, high);
            (first.zero_derivative, first.positive_weights) = (zero, positive);
        }
        diagnosis.sentence()
    };
    let text = sentence(1.0, 1.0, 1.0, 1.0);
    assert!(
        text.contains("100 % of its units are saturated at 1 from epoch 0 on, with a derivative of exactly 0:"),
        "{text}"
    );
    let text = sentence(1.0, 1.0, 0.995, 1.0);
    assert!(text.contains("saturated at 1 from epoch 0 on, and 99.5 % have a derivative of exactly 0:"), "{text}");
    assert!(!text.contains("with a derivative of exactly 0"), "{text}");
    let text = sentence(0.99996, 0.9996, 0.5, 0.9999);
    assert!(text.contains("more than 99.9 % of its units are saturated, nearly all at 1, from epoch 0 on:"), "{text}");
    assert!(text.contains("more than 99.9 % of the weights are positive") && !text.contains("100 %"), "{text}");
}

#[test]
fn a_net_that_learns_is_healthy_with_every_activation() {
    let digits = Digits::new(600);
    for (activation, learning_rate) in [(Activation::Sigmoid, 1.0), (Activation::Tanh, 0.1), (Activation::Relu, 0.05)] {
        let (activation, loss) = (vec![activation], Loss::CrossEntropy);
        let config = config().activation(activation).loss(loss).learning_rate(learning_rate).epochs(8).batch_size(8);
        let (diagnosis, _) = examined::<f64>(&config, &digits);
        assert_eq!(diagnosis.finding(), None, "{}", diagnosis.sentence());
        assert!(diagnosis.sentence().starts_with("No layer is dead: at epoch 8"), "{}", diagnosis.sentence());
        let losses: Vec<f64> = diagnosis.epochs.iter().map(|epoch| epoch.loss).collect();
        assert!(losses[8] < losses[0], "{losses:?}");
    }
}

#[test]
fn in_a_deep_net_of_sigmoids_with_small_weights_the_signal_is_found_to_fade() {
    let config = config().hidden([128, 64, 64, 32, 32, 16, 8]).batch_size(32);
    let (diagnosis, _) = examined::<f64>(&config, &Digits::new(300));
    let finding = diagnosis.finding().unwrap();
    assert_eq!(
        (finding.cause, finding.since, finding.is_fatal),
        (Cause::FadedSignal, 0, true),
        "{}",
        diagnosis.sentence()
    );
    assert!((2..7).contains(&finding.layer), "{finding:?}");
    let sentence = diagnosis.sentence();
    assert!(sentence.contains("nearly the same answer") && sentence.contains("gain = 4"), "{sentence}");
    // Both ways: what varies, and the gradient.
    let layers = &diagnosis.epochs[0].layers;
    assert!(layers.windows(2).all(|pair| pair[1].spread < pair[0].spread), "{layers:#?}");
    assert!(layers[0].gradient_norm < 1e-2 * layers[7].gradient_norm, "{layers:#?}");
}

#[test]
fn relus_that_a_step_has_killed_are_found_with_the_epoch() {
    let digits = Digits::new(64);
    let samples = digits.samples::<f32>();
    let probe = Probe::of(&samples);
    let objective = Objective { loss: Loss::Squared, reduction: Reduction::Mean };
    let mut rng = <rand_chacha::ChaCha8Rng as rand_chacha::rand_core::SeedableRng>::seed_from_u64(0);
    let activations = [Activation::Relu, Activation::Relu, Activation::Sigmoid];
    let mut mlp = Mlp::<f32>::new(&[784, 20, 10, 6], &activations, true, Initializer::HE_UNIFORM, &mut rng);
    let mut diagnosis = Diagnosis::new("t".to_owned(), &mlp, &probe);
    diagnosis.add(diagnose(&mlp, &probe, objective, 0).unwrap());
    assert_eq!(diagnosis.finding(), None);
    mlp.layers[1].bias.as_mut().unwrap().fill(-1e3);
    (1..4).for_each(|epoch| diagnosis.add(diagnose(&mlp, &probe, objective, epoch).unwrap()));
    let expected = Finding { layer: 1, since: 1, cause: Cause::SilentUnits, is_fatal: true };
    assert_eq!(diagnosis.finding(), Some(expected));
    let sentence = diagnosis.sentence();
    assert!(
        sentence
            .starts_with("Layer 2 of 3: 100 % of its units give 0 to each of the 32 samples examined from epoch 1 on"),
        "{sentence}"
    );
    assert_eq!(diagnosis.epochs[1].layers[0].gradient_norm, 0.0);
}

/// It is not the rate that kills them: the weights are all positive, so that any step on such net inputs is too large.
#[test]
fn relus_that_began_with_positive_weights_are_not_put_down_to_the_rate() {
    let config = config()
        .activation([Activation::Relu])
        .initializer(Initializer::Uniform01)
        .loss(Loss::CrossEntropy)
        .reduction(Reduction::Sum)
        .batch_size(20);
    let (diagnosis, _) = examined::<f64>(&config, &Digits::new(200));
    let finding = diagnosis.finding().expect("a dead layer");
    assert_eq!(finding.cause, Cause::SilentUnits, "{}", diagnosis.sentence());
    let sentence = diagnosis.sentence();
    assert!(sentence.contains("the weights it began with were all positive"), "{sentence}");
    assert!(sentence.ends_with("Try initializer = \"he-uniform\"."), "{sentence}");
}

#[test]
fn weights_that_have_grown_are_told_from_those_that_were_large() {
    let digits = Digits::new(64);
    let probe = Probe::of(&digits.samples::<f64>());
    let objective = Objective { loss: Loss::Squared, reduction: Reduction::Mean };
    let mut rng = <rand_chacha::ChaCha8Rng as rand_chacha::rand_core::SeedableRng>::seed_from_u64(0);
    let activations = [Activation::Tanh, Activation::Sigmoid];
    let healthy = Mlp::<f64>::new(&[784, 20, 6], &activations, true, Initializer::GLOROT_UNIFORM, &mut rng);
    let mut large = healthy.clone();
    large.layers[0].weights *= 1e4;
    let mut diagnosis = Diagnosis::new("t".to_owned(), &healthy, &probe);
    diagnosis.add(diagnose(&large, &probe, objective, 0).unwrap());
    assert_eq!(diagnosis.finding().unwrap().cause, Cause::LargeWeights);
    diagnosis.add(diagnose(&healthy, &probe, objective, 0).unwrap());
    diagnosis.add(diagnose(&large, &probe, objective, 4).unwrap());
    let finding = diagnosis.finding().unwrap();
    assert_eq!((finding.cause, finding.since), (Cause::GrownWeights, 4));
    assert!(diagnosis.sentence().contains("at either end from epoch 4 on"), "{}", diagnosis.sentence());
    assert!(diagnosis.sentence().ends_with("(Not measured: epoch 1 to 3; the run was not watched then.)"));
}

/// Two units in opposite directions vary along one line, two independent ones in two.
#[test]
fn the_figures_of_a_small_layer_are_those_of_the_formulas() {
    let inputs = array![[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]];
    let targets: Array2<f64> = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
    let samples =
        Samples { inputs: Inputs::Values(inputs.view()), targets: Targets::Values(targets.view()), weights: None };
    let of = |weights: Array2<f64>, activation| {
        let mlp = Mlp { layers: vec![Layer { weights, bias: None, activation }] };
        let objective = Objective { loss: Loss::HalfSquared, reduction: Reduction::Sum };
        diagnose(&mlp, &Probe::of(&samples), objective, 0).unwrap().layers.remove(0)
    };
    let apart = of(array![[3.0, 0.0], [0.0, 3.0]], Activation::Identity);
    assert!([apart.spread, apart.activation_rms, apart.net_input_rms].iter().all(|x| (x - 3.0).abs() < 1e-12));
    assert!((apart.effective_rank - 2.0).abs() < 1e-12);
    assert_eq!((apart.weight_norm, apart.positive_weights, apart.saturated), (18.0_f64.sqrt(), 0.5, 0.0));
    // The mean over the samples of xᵀ(a − y): 3.5 on the diagonal, because a − y = 3x − (1 − x)/2.
    assert!((apart.gradient_norm - 2.0_f64.sqrt() * 3.5).abs() < 1e-12);

    let along = of(array![[1.0, -2.0], [0.0, 0.0]], Activation::Identity);
    assert!((along.effective_rank - 1.0).abs() < 1e-12 && (along.spread - 2.5_f64.sqrt()).abs() < 1e-12);

    let constant = of(array![[0.0, 0.0], [0.0, 0.0]], Activation::Sigmoid);
    assert_eq!((constant.spread, constant.effective_rank, constant.activation_rms), (0.0, 0.0, 0.5));

    // The first unit is saturated at either end, in f64 exactly at the upper one only; the second is not.
    let saturated = of(array![[50.0, 1.0], [0.0, 0.0]], Activation::Sigmoid);
    let shares = [saturated.saturated, saturated.saturated_high, saturated.zero_derivative, saturated.dead_units];
    assert_eq!(shares, [0.5, 0.25, 0.25, 0.5]);

    let relu = of(array![[1.0, 0.0], [0.0, 0.0]], Activation::Relu);
    assert_eq!([relu.saturated, relu.saturated_high, relu.dead_units], [0.75, 0.0, 0.5]);
}

#[test]
fn watching_changes_no_weight() {
    let digits = Digits::new(100);
    let config = config().precision(Precision::F32);
    let (_, watched) = examined::<f32>(&config, &digits);
    let workers = Workers::new(1);
    let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
    let samples = digits.samples::<f32>();
    let alone = mlp_train::train(&config, &samples, None, setup, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(weights_sha256(&alone.mlp), watched);
}

#[test]
fn epochs_are_kept_in_order_and_gaps_are_named() {
    let (mut diagnosis, _) = examined::<f64>(&config().epochs(0), &Digits::new(40));
    let measured = diagnosis.epochs[0].clone();
    for epoch in [7, 3, 4, 7] {
        diagnosis.add(EpochDiagnosis { epoch, ..measured.clone() });
    }
    let epochs: Vec<usize> = diagnosis.epochs.iter().map(|epoch| epoch.epoch).collect();
    assert_eq!(epochs, [0, 3, 4, 7]);
    assert_eq!(diagnosis.missing(), [(1, 2), (5, 6)]);
}

#[test]
fn what_overflows_is_not_measured() {
    let digits = Digits::new(40);
    let probe = Probe::of(&digits.samples::<f64>());
    let weights = Array2::from_elem((784, 6), 1e300);
    let mlp = Mlp { layers: vec![Layer { weights, bias: None, activation: Activation::Identity }] };
    let objective = Objective { loss: Loss::Squared, reduction: Reduction::Mean };
    assert_eq!(diagnose(&mlp, &probe, objective, 0), None);
}

#[test]
fn a_file_reads_back_as_it_was_and_a_damaged_one_is_refused_with_the_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.json");
    let (diagnosis, _) = examined::<f64>(&config(), &Digits::new(40));
    std::fs::write(&path, diagnosis.to_json()).unwrap();
    assert_eq!(Diagnosis::read(&path).unwrap(), diagnosis);

    let text = || {
        let error = Diagnosis::read(&path).unwrap_err();
        assert_eq!((error.kind(), error.path()), (ErrorKind::Diagnosis, Some(path.as_path())));
        error.to_string().replace(&format!("{}: ", path.display()), "")
    };
    let damaged = |change: &dyn Fn(&mut Diagnosis)| {
        let mut diagnosis = diagnosis.clone();
        change(&mut diagnosis);
        std::fs::write(&path, diagnosis.to_json()).unwrap();
        text()
    };
    assert_eq!(damaged(&|d| d.layers.clear()), "layers: expected at least one, found none");
    assert_eq!(damaged(&|d| d.epochs[1].layers.truncate(2)), "epochs[1].layers: expected 3, as in layers, found 2");
    assert_eq!(damaged(&|d| d.epochs[2].epoch = 1), "epochs[2].epoch: expected more than 1, found 1");
    let negative =
        |d: &mut Diagnosis| d.epochs[0].layers[1] = LayerDiagnosis { spread: -1.0, ..d.epochs[0].layers[1].clone() };
    assert_eq!(damaged(&negative), "epochs[0].layers: expected numbers of at least 0, found -1");
    std::fs::write(&path, "{}").unwrap();
    assert!(text().starts_with("missing field `trial`"));
}
