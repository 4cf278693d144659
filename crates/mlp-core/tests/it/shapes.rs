//! A wrong shape is a mistake in the program: it panics and names both shapes.

use mlp_core::ndarray::Array2;
use mlp_core::{Activation, Initializer, Loss, Mlp, Objective, Reduction, backpropagate};

use crate::networks::{generator, network};

#[test]
#[should_panic(expected = "a batch of shape [2, 4] cannot enter a layer with weights of shape [3, 5]")]
fn inputs_of_the_wrong_width_panic() {
    network::<f64>(&[3, 5], &[Activation::Sigmoid], true, 0).forward(Array2::zeros((2, 4)).view());
}

#[test]
#[should_panic(expected = "targets of shape [2, 4] for inputs of shape [2, 3] and 5 outputs")]
fn targets_of_the_wrong_width_panic() {
    let mlp = network::<f64>(&[3, 5], &[Activation::Sigmoid], true, 0);
    let objective = Objective { loss: Loss::Squared, reduction: Reduction::Mean };
    backpropagate(&mlp, Array2::zeros((2, 3)).view(), Array2::zeros((2, 4)).view(), objective);
}

#[test]
#[should_panic(expected = "softmax belongs in the last layer only")]
fn softmax_in_a_hidden_layer_panics() {
    let activations = [Activation::Softmax, Activation::Sigmoid];
    let _: Mlp<f32> = Mlp::new(&[3, 4, 2], &activations, true, Initializer::HE_NORMAL, &mut generator(0));
}

#[test]
fn one_input_one_unit_and_transposed_inputs_work() {
    let objective = Objective { loss: Loss::Squared, reduction: Reduction::Mean };
    let mlp = network::<f64>(&[1, 1, 1], &[Activation::Tanh; 2], true, 0);
    let inputs = Array2::from_elem((4, 1), 0.5);
    let (loss, _) = backpropagate(&mlp, inputs.view(), inputs.view(), objective);
    assert!(loss.is_finite());
    let mlp = network::<f64>(&[3, 1], &[Activation::Tanh], true, 0);
    let columns = Array2::from_shape_fn((3, 4), |(input, sample)| (input + sample) as f64);
    let rows = columns.t().as_standard_layout().into_owned();
    assert_eq!(mlp.forward(columns.t()), mlp.forward(rows.view()));
}

#[test]
fn initialisers_have_the_moments_that_they_state_and_the_same_draws_in_both_precisions() {
    let (n, m) = (300_usize, 200_usize);
    let cases = [
        (Initializer::Uniform01, 0.5, 1.0 / 12.0),
        (Initializer::Uniform { low: -2.0, high: 4.0 }, 1.0, 3.0),
        (Initializer::Normal { mean: -1.0, deviation: 0.5 }, -1.0, 0.25),
        (Initializer::GLOROT_UNIFORM, 0.0, 2.0 / 500.0),
        (Initializer::GLOROT_NORMAL, 0.0, 2.0 / 500.0),
        (Initializer::LECUN_UNIFORM, 0.0, 1.0 / 300.0),
        (Initializer::LECUN_NORMAL, 0.0, 1.0 / 300.0),
        (Initializer::HE_UNIFORM, 0.0, 2.0 / 300.0),
        (Initializer::HE_NORMAL, 0.0, 2.0 / 300.0),
    ];
    for (initializer, mean, variance) in cases {
        let weights: Array2<f64> = initializer.weights(n, m, &mut generator(1));
        let found_mean = weights.sum() / weights.len() as f64;
        let found_variance = weights.mapv(|w| (w - found_mean).powi(2)).sum() / weights.len() as f64;
        assert!(
            (found_mean - mean).abs() < 5.0 * (variance / weights.len() as f64).sqrt(),
            "{initializer} {found_mean}"
        );
        assert!((found_variance / variance - 1.0).abs() < 0.02, "{initializer}: {found_variance} for {variance}");
        let single: Array2<f32> = initializer.weights(n, m, &mut generator(1));
        assert_eq!(single, weights.mapv(|weight| weight as f32), "{initializer}");
    }
}

#[test]
fn a_gain_multiplies_the_deviation() {
    for (plain, doubled) in [
        (Initializer::GLOROT_UNIFORM, Initializer::GlorotUniform { gain: 2.0 }),
        (Initializer::LECUN_NORMAL, Initializer::LecunNormal { gain: 2.0 }),
        (Initializer::HE_UNIFORM, Initializer::HeUniform { gain: 2.0 }),
    ] {
        let plain: Array2<f64> = plain.weights(30, 20, &mut generator(1));
        let doubled: Array2<f64> = doubled.weights(30, 20, &mut generator(1));
        assert!(plain.iter().zip(&doubled).all(|(plain, doubled)| (2.0 * plain - doubled).abs() < 1e-15));
    }
}

#[test]
fn the_widest_uniform_distribution_stays_finite() {
    let widest = Initializer::Uniform { low: -1e308, high: 1e308 };
    let weights: Array2<f64> = widest.weights(30, 20, &mut generator(1));
    assert!(weights.iter().all(|weight| weight.is_finite()));
}

#[test]
#[should_panic(expected = "a gain is a finite number above 0, not 0")]
fn a_gain_of_zero_panics() {
    let _: Array2<f64> = Initializer::GlorotNormal { gain: 0.0 }.weights(3, 2, &mut generator(0));
}

#[test]
#[should_panic(expected = "layers[0] with weights of shape (3, 4) feeds one of shape (5, 2)")]
fn layers_that_do_not_fit_each_other_panic() {
    let mut mlp = network::<f64>(&[3, 4, 2], &[Activation::Sigmoid; 2], true, 0);
    mlp.layers[1].weights = Array2::zeros((5, 2));
    mlp.forward(Array2::zeros((2, 3)).view());
}

#[test]
#[should_panic(expected = "Some(1) biases for weights of shape (3, 4)")]
fn biases_that_do_not_fit_their_layer_panic() {
    let mut mlp = network::<f64>(&[3, 4], &[Activation::Sigmoid], true, 0);
    mlp.layers[0].bias = Some(mlp_core::ndarray::Array1::zeros(1));
    mlp.forward(Array2::zeros((2, 3)).view());
}

/// A digest of a million draws, so that the tails of the distributions take part. The values are those of the day on
/// which the format of records was fixed: a change orphans every result.
#[test]
fn the_draws_of_a_seed_never_change() {
    let digest = |initializer: Initializer| {
        let weights: Array2<f64> = initializer.weights(1_000, 1_000, &mut generator(42));
        weights.iter().fold(0_u64, |digest, weight| digest.rotate_left(5).wrapping_add(weight.to_bits()))
    };
    assert_eq!(digest(Initializer::GLOROT_UNIFORM), 6_513_690_682_701_050_213);
    assert_eq!(digest(Initializer::LECUN_NORMAL), 8_239_513_265_020_573_390);
}
