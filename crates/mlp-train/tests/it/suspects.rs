//! The doctor names the setting that is far from its default, and no other.

use mlp_core::{Activation, Initializer, Loss, Mlp, Objective, Reduction};
use mlp_train::{
    Background, Cause, ClassWeights, Diagnosis, Finding, Optimizer, Probe, Schedule, TrainConfig, diagnose,
};

use crate::diagnosis::{Digits, config, examined};

/// What is said of a network that learned nothing, whose configuration is `config`.
fn told(diagnosis: &Diagnosis, config: &TrainConfig) -> String {
    diagnosis.explain(&Background { config: Some(config), accuracies: Some((0.05, 0.1167)), n_tested: 0 })
}

#[test]
fn outputs_that_are_always_zero_are_counted_and_nothing_is_said_to_learn() {
    let digits = Digits::new(64);
    let samples = digits.samples::<f32>();
    let probe = Probe::of(&samples);
    let objective = Objective { loss: Loss::Squared, reduction: Reduction::Mean };
    let mut rng = <rand_chacha::ChaCha8Rng as rand_chacha::rand_core::SeedableRng>::seed_from_u64(0);
    let activations = [Activation::Sigmoid, Activation::Relu];
    let mut mlp = Mlp::<f32>::new(&[784, 20, 6], &activations, true, Initializer::HE_UNIFORM, &mut rng);
    let bias = mlp.layers[1].bias.as_mut().unwrap();
    bias.fill(5.0);
    mlp.layers[1].weights *= 5.0;
    let mut diagnosis = Diagnosis::new("t".to_owned(), &mlp, &probe);
    diagnosis.add(diagnose(&mlp, &probe, objective, 0).unwrap());
    assert_eq!(diagnosis.finding(), None);
    let healthy = Background { config: None, accuracies: Some((0.9, 0.1167)), n_tested: 0 };
    assert!(diagnosis.explain(&healthy).starts_with("No layer is dead: at epoch 0"), "{}", diagnosis.explain(&healthy));

    let bias = mlp.layers[1].bias.as_mut().unwrap();
    (bias[1], bias[4]) = (-1e3, -1e3);
    (1..4).for_each(|epoch| diagnosis.add(diagnose(&mlp, &probe, objective, epoch).unwrap()));
    let expected = Finding { layer: 1, since: 1, cause: Cause::SilentUnits, is_fatal: false };
    assert_eq!(diagnosis.finding(), Some(expected));
    let text = diagnosis.explain(&Background { config: None, accuracies: Some((0.0, 0.1167)), n_tested: 0 });
    assert!(
        text.starts_with("Layer 2 of 2 (out): 2 of 6 units give 0 to each of the 32 samples examined from epoch 1 on"),
        "{text}"
    );
    assert!(text.contains("Nothing has been learned: 0 % of the test samples"), "{text}");
    assert!(text.ends_with("Try output_activation = \"sigmoid\"."), "{text}");
}

#[test]
fn no_better_than_a_constant_answer_is_never_healthy() {
    let (diagnosis, _) = examined::<f64>(&config().loss(Loss::CrossEntropy).batch_size(8), &Digits::new(300));
    for reached in [0.0, 0.05, 0.1167] {
        let background = Background { config: None, accuracies: Some((reached, 0.1167)), n_tested: 0 };
        let text = diagnosis.explain(&background);
        assert!(!text.contains("No layer is dead: at"), "{text}");
    }
}

#[test]
fn a_setting_is_named_where_it_is_far_from_its_default_and_only_there() {
    let (diagnosis, _) = examined::<f64>(&config().epochs(0), &Digits::new(100));
    let narrow = TrainConfig::new().hidden([1]);
    let cases = [
        (TrainConfig::new().dropout([0.95]), "dropout = 0.95"),
        (TrainConfig::new().input_dropout(0.99), "input_dropout = 0.99"),
        (TrainConfig::new().label_smoothing(0.99), "label_smoothing = 0.99"),
        (TrainConfig::new().optimizer(Optimizer::Sgd).clip_norm(1e-6), "clip_norm = 0.000001"),
        (
            TrainConfig::new().augment("shift 500".parse::<mlp_train::Augmentation>().unwrap()),
            "augment = \"shift 500\"",
        ),
        (TrainConfig::new().max_norm(1e-6), "max_norm = 0.000001"),
        (narrow, "layer 1 lets pass is the one number"),
    ];
    for (config, named) in &cases {
        let text = told(&diagnosis, config);
        assert!(text.contains(named) && !text.contains("more epochs"), "{named}: {text}");
    }
    // What is usual is not suspected, nor is what Adam does not feel.
    let usual = TrainConfig::new().dropout([0.5]).input_dropout(0.2).label_smoothing(0.1).clip_norm(1.0);
    for config in [TrainConfig::new(), usual.augment(mlp_train::Augmentation::GENTLE).max_norm(3.0)] {
        let text = told(&diagnosis, &config);
        assert!(text.ends_with("Try more epochs or a larger learning_rate."), "{text}");
    }
    assert!(told(&diagnosis, &TrainConfig::new().learning_rate(3.0)).ends_with("Try a smaller learning_rate."));
}

#[test]
fn weights_that_max_norm_holds_down_are_not_put_down_to_penalties() {
    let held = config().max_norm(1e-4).batch_size(8);
    let (diagnosis, _) = examined::<f64>(&held, &Digits::new(200));
    let text = told(&diagnosis, &held);
    assert!(text.contains("max_norm = 0.0001 holds") && text.ends_with("Try a larger max_norm."), "{text}");
    assert!(!text.contains("l2"), "{text}");
    let penalised = config().l2(0.5).batch_size(8);
    let (diagnosis, _) = examined::<f64>(&penalised, &Digits::new(200));
    let text = told(&diagnosis, &penalised);
    assert!(text.contains("its weights have shrunk") && text.ends_with("Try a smaller l2."), "{text}");
}

#[test]
fn equal_weights_are_found_in_the_first_layer() {
    let zero = config().hidden([64, 64]).initializer(Initializer::Normal { mean: 0.0, deviation: 0.0 }).batch_size(8);
    let (diagnosis, _) = examined::<f64>(&zero, &Digits::new(200));
    let finding = diagnosis.finding().unwrap();
    assert_eq!((finding.layer, finding.since, finding.cause), (0, 0, Cause::EqualWeights));
    let text = told(&diagnosis, &zero);
    // They stay one unit, but not at 0.
    assert!(diagnosis.epochs[2].layers[0].weight_norm > 0.0);
    let said = "Layer 1 of 3: from epoch 0 on all its units have the same weights (0 to begin with)";
    assert!(text.starts_with(said), "{text}");
    assert!(text.contains("normal with these numbers gives every weight the same value"), "{text}");
}

/// Nearly all units were saturated before training: neither the rate nor the number of epochs is to blame.
#[test]
fn weights_that_began_too_large_are_named_where_some_units_escape_saturation() {
    let large = |deviation: f64| config().initializer(Initializer::Normal { mean: 0.0, deviation }).batch_size(8);
    let one = large(3.0).activation([Activation::Tanh]);
    let (diagnosis, _) = examined::<f64>(&one, &Digits::new(200));
    let text = told(&diagnosis, &one);
    assert!(text.contains("were saturated before training"), "{text}");
    assert!(text.ends_with("Try initializer = \"glorot-uniform\"."), "{text}");
    let small = large(0.05).activation([Activation::Tanh]);
    let (diagnosis, _) = examined::<f64>(&small, &Digits::new(200));
    assert!(!told(&diagnosis, &small).contains("too large"), "{}", told(&diagnosis, &small));
}

/// Weights that have grown by a hundredth have not grown.
#[test]
fn a_layer_that_began_saturated_for_the_most_part_is_not_said_to_have_grown() {
    let (mut diagnosis, _) = examined::<f64>(&config().activation([Activation::Tanh]), &Digits::new(200));
    let layer = |diagnosis: &mut Diagnosis, epoch: usize, saturated: f64, norm: f64| {
        let found = &mut diagnosis.epochs[epoch].layers[1];
        (found.saturated, found.saturated_high, found.weight_norm) = (saturated, saturated / 2.0, norm);
    };
    layer(&mut diagnosis, 0, 0.84, 255.0);
    (1..3).for_each(|epoch| layer(&mut diagnosis, epoch, 0.998, 261.0));
    let finding = diagnosis.finding().unwrap();
    assert_eq!((finding.layer, finding.since, finding.cause), (1, 1, Cause::LargeWeights));
    let text = told(&diagnosis, &config());
    assert!(text.contains("too large (84 % were saturated before training; net inputs of"), "{text}");
    (1..3).for_each(|epoch| layer(&mut diagnosis, epoch, 0.998, 600.0));
    assert_eq!(diagnosis.finding().unwrap().cause, Cause::GrownWeights);
}

#[test]
fn weights_of_classes_that_leave_one_of_them_are_named_whatever_the_layers_do() {
    let one = |weights: Vec<f64>| config().class_weights(ClassWeights::Each(weights)).epochs(8);
    let only_the_first = one([1.0].into_iter().chain([0.0; 9]).collect());
    let (diagnosis, _) = examined::<f64>(&only_the_first, &Digits::new(200));
    let text = told(&diagnosis, &only_the_first);
    assert!(text.contains("class_weights give 9 of 10 classes next to no weight"), "{text}");
    assert!(text.ends_with("Try class_weights that are nearer to each other."), "{text}");
    let rare = one([1.0; 8].into_iter().chain([0.0, 20.0]).collect());
    assert!(!told(&diagnosis, &rare).contains("class_weights"), "{}", told(&diagnosis, &rare));
}

#[test]
fn an_initializer_that_is_set_already_is_not_advised() {
    let deep = |gain: f64| config().hidden([16, 8, 8, 8, 8, 8]).initializer(Initializer::GlorotUniform { gain });
    for (gain, advice) in [(0.5, "gain = 4 }, or fewer layers."), (4.0, "Try fewer layers, or more epochs.")] {
        let (diagnosis, _) = examined::<f64>(&deep(0.5).batch_size(8), &Digits::new(100));
        assert_eq!(diagnosis.finding().unwrap().cause, Cause::FadedSignal);
        let text = told(&diagnosis, &deep(gain));
        assert!(text.ends_with(advice), "{gain}: {text}");
    }
}

/// A sigmoid's slope of a quarter takes a gain of 4; a tanh's of 1 none, and with it saturates; a relu passes half.
#[test]
fn the_initializer_that_is_advised_suits_the_units_that_the_signal_fades_in() {
    let small = Initializer::Normal { mean: 0.0, deviation: 0.01 };
    for (activation, advice) in [
        (Activation::Sigmoid, "Try initializer = { name = \"glorot-uniform\", gain = 4 }, or fewer layers."),
        (Activation::Tanh, "Try initializer = \"glorot-uniform\", or fewer layers."),
        (Activation::Relu, "Try initializer = \"he-uniform\", or fewer layers."),
    ] {
        let deep = config().hidden([16; 8]).activation([activation]).initializer(small).batch_size(8);
        let (diagnosis, _) = examined::<f64>(&deep, &Digits::new(100));
        let text = told(&diagnosis, &deep);
        assert!(text.ends_with(advice), "{activation}: {text}");
        let shallow = deep.hidden([16]);
        let (diagnosis, _) = examined::<f64>(&shallow, &Digits::new(100));
        assert!(!told(&diagnosis, &shallow).contains("fewer layers"), "{}", told(&diagnosis, &shallow));
    }
}

/// A fifth of the units of every layer saturated before training keeps a deep network from learning.
#[test]
fn a_share_of_saturated_units_is_named_where_nothing_is_learned_and_most_where_something_is() {
    let (mut diagnosis, _) = examined::<f64>(&config().activation([Activation::Tanh]).batch_size(8), &Digits::new(300));
    let began = |diagnosis: &mut Diagnosis, share: f64| diagnosis.epochs[0].layers[1].saturated = share;
    let named = |diagnosis: &Diagnosis, reached: f64| {
        let background = Background { config: None, accuracies: Some((reached, 0.1167)), n_tested: 0 };
        diagnosis.explain(&background).contains("units of layer 2 were saturated before training")
    };
    for (share, reached, is_named) in [(0.1, 0.05, false), (0.3, 0.05, true), (0.3, 0.9, false), (0.6, 0.2, true)] {
        began(&mut diagnosis, share);
        assert_eq!(named(&diagnosis, reached), is_named, "{share} {reached}");
    }
}

/// Two of the bits that tell digits apart stay at 0 whatever is shown.
#[test]
fn outputs_that_are_stuck_while_others_answer_are_counted_and_nothing_is_called_alive() {
    let digits = Digits::new(64);
    let samples = digits.samples::<f32>();
    let probe = Probe::of(&samples);
    let objective = Objective { loss: Loss::Squared, reduction: Reduction::Mean };
    let mut mlp =
        Mlp::<f32>::seeded(&[784, 20, 6], &[Activation::Sigmoid; 2], true, Initializer::GlorotUniform { gain: 4.0 }, 0);
    let mut diagnosis = Diagnosis::new("t".to_owned(), &mlp, &probe);
    diagnosis.add(diagnose(&mlp, &probe, objective, 0).unwrap());
    assert_eq!((diagnosis.finding(), diagnosis.epochs[0].layers[1].n_stuck_outputs), (None, 0));
    // The first two bits are those of all digits: they are to be stuck.
    let bias = mlp.layers[1].bias.as_mut().unwrap();
    [0, 1, 2, 4].into_iter().for_each(|output| bias[output] = -40.0);
    (1..3).for_each(|epoch| diagnosis.add(diagnose(&mlp, &probe, objective, epoch).unwrap()));
    let expected = Finding { layer: 1, since: 1, cause: Cause::StuckOutputs, is_fatal: false };
    assert_eq!(diagnosis.finding(), Some(expected));
    assert_eq!(diagnosis.epochs[1].layers[1].n_stuck_outputs, 2);
    let told = |config: &TrainConfig| {
        diagnosis.explain(&Background { config: Some(config), accuracies: Some((0.2, 0.1167)), n_tested: 0 })
    };
    let text = told(&TrainConfig::new().loss(Loss::Squared));
    let start = "Layer 2 of 2 (out): 2 of 6 units give nearly the same answer to each of the 32 samples examined from epoch 1 on";
    assert!(text.starts_with(start) && text.ends_with("Try a smaller learning_rate."), "{text}");
    assert!(told(&TrainConfig::new().loss(Loss::Absolute)).contains("Try another loss"), "{text}");
}

/// Relus do not saturate: that their weights began too large is seen in their net inputs.
#[test]
fn relus_that_began_with_weights_out_of_all_proportion_are_named_also_where_the_run_diverged() {
    let large = Initializer::Normal { mean: 0.0, deviation: 1.0 };
    let deep = config().hidden([64; 5]).activation([Activation::Relu]).epochs(0);
    let (diagnosis, _) = examined::<f64>(&deep.clone().initializer(large), &Digits::new(200));
    let named = "Note that the weights it began with are too large: net inputs of layer";
    for text in [told(&diagnosis, &deep), diagnosis.explain_divergence(&Background::default()).unwrap()] {
        assert!(text.contains(named) && text.ends_with("Try initializer = \"he-uniform\"."), "{text}");
    }
    let (diagnosis, _) = examined::<f64>(&deep.initializer(Initializer::HE_UNIFORM), &Digits::new(200));
    let text = diagnosis.explain_divergence(&Background::default()).unwrap();
    assert!(text.ends_with("grew beyond all bounds. Try a smaller learning_rate."), "{text}");
    let shallow = config().hidden([64, 64]).activation([Activation::Relu]).initializer(large).epochs(0);
    let (diagnosis, _) = examined::<f64>(&shallow, &Digits::new(200));
    assert!(
        told(&diagnosis, &shallow).contains("the weights it began with are too large"),
        "{}",
        told(&diagnosis, &shallow)
    );
}

#[test]
fn a_layer_of_which_some_units_woke_again_is_told_with_what_is_left() {
    let (mut diagnosis, _) = examined::<f64>(&config().activation([Activation::Relu]), &Digits::new(200));
    for (epoch, dead) in [(0, 0.0), (1, 1.0), (2, 0.875)] {
        diagnosis.epochs[epoch].layers[0].dead_units = dead;
    }
    let text = diagnosis.sentence();
    assert!(text.contains("at least 87.5 % of its units give 0 to each of the 32 samples examined (others"), "{text}");
}

/// Weights next to 0: what comes of it, units that move as one until they saturate, is not the cause.
#[test]
fn weights_that_began_too_small_are_named_though_the_layer_is_saturated_in_the_end() {
    let tiny = Initializer::Normal { mean: 0.0, deviation: 0.001 };
    let small = config().activation([Activation::Tanh]).initializer(tiny).batch_size(8);
    let (mut diagnosis, _) = examined::<f64>(&small, &Digits::new(200));
    assert!(diagnosis.epochs[0].layers[1].spread < 1e-4);
    for epoch in 1..3 {
        let layers = &mut diagnosis.epochs[epoch].layers;
        (layers[1].saturated, layers[1].saturated_high, layers[1].positive_weights) = (1.0, 1.0, 1.0);
        layers[2].spread = 1e-6;
    }
    let finding = diagnosis.finding().unwrap();
    assert_eq!((finding.since, finding.cause, finding.is_fatal), (0, Cause::FadedSignal, true));
    let text = told(&diagnosis, &small);
    assert!(text.contains("from epoch 0 on its units give nearly the same answer"), "{text}");
    assert!(
        text.ends_with("the weights are too small to pass on what differs. Try initializer = \"glorot-uniform\"."),
        "{text}"
    );
}

/// A network that learns all the same, and could have begun better, or lost most of its gradient on the way.
#[test]
fn what_holds_a_living_network_back_is_noted() {
    let healthy = |diagnosis: &Diagnosis, config: &TrainConfig| {
        let text =
            diagnosis.explain(&Background { config: Some(config), accuracies: Some((0.8, 0.1167)), n_tested: 0 });
        assert!(text.starts_with("No layer is dead: at"), "{text}");
        text
    };
    let digits = Digits::new(600);
    let usual = config().loss(Loss::CrossEntropy).batch_size(8).learning_rate(1.0).epochs(8);
    let (diagnosis, _) = examined::<f64>(&usual, &digits);
    assert!(!healthy(&diagnosis, &usual).contains("Note"), "{}", healthy(&diagnosis, &usual));
    let small = usual.clone().initializer(Initializer::Normal { mean: 0.0, deviation: 0.01 });
    let (diagnosis, _) = examined::<f64>(&small, &digits);
    let text = told(&diagnosis, &small);
    assert!(text.contains("the weights are too small to pass on what differs"), "{text}");
    let adam = Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
    let small = small.hidden([32]).optimizer(adam).learning_rate(0.01);
    let (diagnosis, _) = examined::<f64>(&small, &digits);
    let text = healthy(&diagnosis, &small);
    assert!(text.contains("Note that the weights it began with are small: the units of layer"), "{text}");
    assert!(text.ends_with("Try initializer = { name = \"glorot-uniform\", gain = 4 }."), "{text}");

    let tanh = usual.activation([Activation::Tanh]).learning_rate(0.1);
    let (mut diagnosis, _) = examined::<f64>(&tanh, &digits);
    let last = diagnosis.epochs.last_mut().unwrap();
    (last.layers[0].saturated, last.layers[0].saturated_high, last.layers[0].weight_norm) = (0.95, 0.5, 300.0);
    let text = healthy(&diagnosis, &tanh);
    assert!(text.contains("little of the gradient passes layer 1: its weights have grown (their norm from"), "{text}");
    assert!(text.ends_with("Try a smaller learning_rate."), "{text}");
}

#[test]
fn relus_that_were_silent_before_training_are_not_put_down_to_the_rate_or_to_the_initializer_in_use() {
    let he = config().hidden([32; 6]).activation([Activation::Relu]).initializer(Initializer::HE_UNIFORM);
    let (mut diagnosis, _) = examined::<f64>(&he, &Digits::new(200));
    diagnosis.epochs[0].layers.iter_mut().for_each(|layer| layer.dead_units = 0.0);
    let dead = |diagnosis: &mut Diagnosis, epoch: usize, share: f64| {
        diagnosis.epochs[epoch].layers[3].dead_units = share;
    };
    for (began, advice) in
        [(0.4, "Try more units in each layer, or fewer layers."), (0.0, "Try a smaller learning_rate.")]
    {
        (0..3).for_each(|epoch| dead(&mut diagnosis, epoch, if epoch == 0 { began } else { 0.6 }));
        let text = told(&diagnosis, &he);
        assert!(text.starts_with("Layer 4 of 7: 60 % of its units give 0") && text.ends_with(advice), "{text}");
    }
    let glorot = he.initializer(Initializer::GlorotUniform { gain: 0.5 });
    assert!(told(&diagnosis, &glorot).ends_with("with initializer = \"he-uniform\"."), "{}", told(&diagnosis, &glorot));
}

/// What a trial found: steps that are too large, and rates that a schedule has taken away.
#[test]
fn a_leap_of_the_weights_and_a_schedule_that_ends_learning_are_named() {
    let (mut diagnosis, _) = examined::<f64>(&config().batch_size(8), &Digits::new(200));
    let usual = config().batch_size(8);
    assert!(!told(&diagnosis, &usual).contains("Note"), "{}", told(&diagnosis, &usual));
    let step = usual.clone().epochs(6).schedule(Schedule::Step { every: 1, factor: 0.001 });
    let text = told(&diagnosis, &step);
    assert!(text.contains("of the learning_rate the schedule leaves 1.0e-9 in epoch 4 of 6"), "{text}");
    assert!(text.ends_with("Try schedule = \"constant\"."), "{text}");
    let restarts = usual.clone().schedule(Schedule::WarmRestarts { every: 20, growth: 1, floor: 0.0 }).epochs(38);
    assert!(!told(&diagnosis, &restarts).contains("schedule"), "{}", told(&diagnosis, &restarts));

    let norm = diagnosis.epochs[0].layers[0].weight_norm;
    diagnosis.epochs[1].layers[0].weight_norm = 4.0 * norm;
    let text = told(&diagnosis, &usual);
    assert!(text.contains("the first epoch has made the norm of the weights of layer 1 4.0 times as large"), "{text}");
    assert!(text.ends_with("Try a smaller learning_rate."), "{text}");
}

/// Rare classes may be learned at the cost of the commonest, and then a constant answer has more of all right.
#[test]
fn accuracies_do_not_tell_what_is_learned_where_classes_have_weights() {
    let digits = Digits::new(600);
    let usual = config().loss(Loss::CrossEntropy).batch_size(8).learning_rate(1.0).epochs(8);
    let (diagnosis, _) = examined::<f64>(&usual, &digits);
    assert!(told(&diagnosis, &usual).contains("nothing has been learned"), "{}", told(&diagnosis, &usual));
    let balanced = usual.class_weights(Some(ClassWeights::Balanced));
    assert!(told(&diagnosis, &balanced).starts_with("No layer is dead: at epoch 8"), "{}", told(&diagnosis, &balanced));
}

/// Relus below have driven a layer to its ends, not its own weights.
#[test]
fn what_a_layer_receives_is_named_where_its_weights_have_hardly_grown() {
    let tanh = config().activation([Activation::Tanh]).batch_size(8);
    let (mut diagnosis, _) = examined::<f64>(&tanh, &Digits::new(200));
    let last = diagnosis.epochs.last_mut().unwrap();
    (last.layers[1].saturated, last.layers[1].saturated_high, last.layers[1].net_input_rms) = (1.0, 1.0, 7000.0);
    last.layers[1].positive_weights = 0.5;
    let text = told(&diagnosis, &tanh);
    assert!(text.contains("what it receives has grown (its net inputs from"), "{text}");
    assert!(text.ends_with("Try a smaller learning_rate."), "{text}");
}

/// A lead over the constant answer that chance alone makes is no learning, as far as anybody can tell.
#[test]
fn a_lead_that_chance_makes_is_not_called_learning() {
    let digits = Digits::new(600);
    let usual = config().loss(Loss::CrossEntropy).batch_size(8).learning_rate(1.0).epochs(8);
    let (diagnosis, _) = examined::<f64>(&usual, &digits);
    let of = |reached, n_tested| Background { config: Some(&usual), accuracies: Some((reached, 0.124)), n_tested };
    assert_eq!(of(0.128, 500).is_clearly_better(), Some(false));
    assert_eq!(of(0.2, 500).is_clearly_better(), Some(true));
    assert_eq!(Background::default().is_clearly_better(), None);
    let text = diagnosis.explain(&of(0.128, 500));
    assert!(text.starts_with("No layer is dead, but chance alone may have done so much: 12.8 % of the"), "{text}");
    assert!(diagnosis.explain(&of(0.2, 500)).starts_with("No layer is dead: at epoch 8"));
}

/// What is set already helps nobody.
#[test]
fn weights_that_are_too_large_with_the_initializer_in_use_are_not_put_down_to_another_one() {
    let usual = config().activation([Activation::Identity]).batch_size(8);
    let (mut diagnosis, _) = examined::<f64>(&usual, &Digits::new(200));
    diagnosis.epochs[0].layers[1].net_input_rms = 6.0;
    for (gain, advice) in [(2.0, "initializer = \"glorot-uniform\"."), (5.0, "gain = 2 }.")] {
        let config = usual.clone().initializer(Initializer::GlorotUniform { gain });
        let text = told(&diagnosis, &config);
        assert!(text.contains("net inputs of layer 2 were 6.0 before training") && text.ends_with(advice), "{text}");
        let background = Background { config: Some(&config), ..Background::default() };
        let of_divergence = diagnosis.explain_divergence(&background).unwrap();
        assert!(of_divergence.ends_with(advice), "{of_divergence}");
    }
}

#[test]
fn heavy_penalties_are_named() {
    let (diagnosis, _) = examined::<f64>(&config().epochs(0), &Digits::new(100));
    let text = told(&diagnosis, &TrainConfig::new().l2(5.0));
    assert!(text.contains("l2 = 5 draws the weights towards 0") && text.ends_with("Try a smaller l2."), "{text}");
    assert!(!told(&diagnosis, &TrainConfig::new().l2(1e-3)).contains("draws"));
}
