//! Which pixels speak for an answer, and which against it.
//!
//! With z the net inputs of the output layer and x the pixels, the evidence is s = Σ wⱼ·zⱼ. For an answer against its
//! runner-up, wⱼ is the difference of their codes: with sigmoid outputs s is then the logarithm of the odds between the two, and
//! with softmax as well. For a single bit, s is its net input. Each pixel is given xᵢ·∂s/∂xᵢ (gradient × input; Shrikumar,
//! Greenside and Kundaje, *Learning important features through propagating activation differences*, 2017, section 2.3).
//! Of one sample, xᵢ·∂s/∂xᵢ = Σⱼ xᵢ·δⱼ·Wᵢⱼ = Σⱼ (∂s/∂Wᵢⱼ)·Wᵢⱼ over the weights W of the first layer: so plain back-propagation
//! says it.

use mlp_core::{Activation, Mlp, Real, backpropagate_with};
use ndarray::{Array2, ArrayView2};

/// xᵢ·∂s/∂xᵢ of every input of `sample`, shape `(1, n_inputs)`, with `of_outputs` the weights wⱼ.
pub(super) fn gradient_times_input<F: Real>(mlp: &Mlp<F>, sample: ArrayView2<'_, F>, of_outputs: &[f64]) -> Vec<f64> {
    let mut linear = mlp.clone();
    if let Some(last) = linear.layers.last_mut() {
        last.activation = Activation::Identity;
    }
    let (_, gradients) = backpropagate_with(&linear, sample, |outputs| {
        let weights = Array2::from_shape_fn(outputs.dim(), |(_, output)| F::narrow(of_outputs[output]));
        (0.0, weights)
    });
    let (gradient, weights) = (&gradients.layers[0].weights, &linear.layers[0].weights);
    let rows = gradient.rows().into_iter().zip(weights.rows());
    rows.map(|(gradient, weights)| gradient.iter().zip(weights).map(|(g, w)| g.widen() * w.widen()).sum()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mlp_core::Initializer;

    #[test]
    fn the_map_is_the_gradient_by_the_pixels_times_the_pixels() {
        let sizes = [5, 4, 3, 2];
        let mlp = Mlp::<f64>::seeded(
            &sizes,
            &[Activation::Tanh, Activation::Sigmoid, Activation::Sigmoid],
            true,
            Initializer::GLOROT_NORMAL,
            3,
        );
        let sample = Array2::from_shape_vec((1, 5), vec![0.0, 0.2, 0.5, 1.0, 0.7]).expect("a sample");
        let of_outputs = [1.0, -1.0];
        let evidence = |sample: &Array2<f64>| {
            let mut linear = mlp.clone();
            linear.layers[2].activation = Activation::Identity;
            let outputs = linear.forward(sample.view());
            outputs[(0, 0)] - outputs[(0, 1)]
        };
        let map = gradient_times_input(&mlp, sample.view(), &of_outputs);
        for (pixel, share) in map.iter().enumerate() {
            let (mut more, mut less) = (sample.clone(), sample.clone());
            more[(0, pixel)] += 1e-6;
            less[(0, pixel)] -= 1e-6;
            let expected = sample[(0, pixel)] * (evidence(&more) - evidence(&less)) / 2e-6;
            assert!((share - expected).abs() < 1e-8, "pixel {pixel}: {share} and {expected}");
        }
    }
}
