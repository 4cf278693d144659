//! Losses that the fast path can be given: those of this crate, and one's own.

use ndarray::{Array2, ArrayView2};

use crate::activation::Activation;
use crate::loss::Objective;
use crate::real::Real;

/// A loss of one's own: how the outputs of one sample are compared with its targets. Training minimises its mean over the
/// samples of a batch.
///
/// One implementation serves both paths: [`Workspace::step_with`](crate::Workspace::step_with) calls it for each sample, and
/// [`backpropagate_with`](crate::backpropagate_with) takes what [`SampleLoss::of_batch`] returns.
///
/// ```
/// use mlp_core::{Activation, Initializer, Mlp, SampleLoss, backpropagate_with};
/// use mlp_core::ndarray::array;
///
/// /// Log-cosh: squared near 0, absolute far from it.
/// struct LogCosh;
/// impl SampleLoss<f64> for LogCosh {
///     fn value_and_gradient(&self, outputs: &[f64], targets: &[f64], gradient: &mut [f64]) -> f64 {
///         let errors = outputs.iter().zip(targets).map(|(a, y)| a - y);
///         gradient.iter_mut().zip(errors.clone()).for_each(|(g, error)| *g = error.tanh());
///         errors.map(|error| error.cosh().ln()).sum()
///     }
/// }
///
/// let mlp = Mlp::<f64>::seeded(&[2, 3, 1], &[Activation::Tanh; 2], true, Initializer::GLOROT_UNIFORM, 0);
/// let (inputs, targets) = (array![[0.0, 1.0], [1.0, 1.0]], array![[0.5], [-0.5]]);
/// let (loss, gradients) =
///     backpropagate_with(&mlp, inputs.view(), |outputs| LogCosh.of_batch(outputs, targets.view()));
/// assert!(loss > 0.0);
/// assert_eq!(gradients.layers[0].weights.dim(), (2, 3));
/// ```
pub trait SampleLoss<F: Real>: Sync {
    /// The loss of one sample. `gradient` receives its derivative by each output; what it holds before is undefined. All
    /// three have `n_outputs` numbers, and `outputs` are what the output activation returned.
    fn value_and_gradient(&self, outputs: &[F], targets: &[F], gradient: &mut [F]) -> f64;

    /// The mean loss of a batch, and its derivative by each output, shape `(n_samples, n_outputs)` as both arguments.
    ///
    /// # Panics
    /// Where the shapes differ or there is no sample.
    fn of_batch(&self, outputs: ArrayView2<'_, F>, targets: ArrayView2<'_, F>) -> (f64, Array2<F>) {
        assert_eq!(outputs.shape(), targets.shape(), "shapes of outputs and targets");
        assert!(outputs.nrows() > 0, "a batch needs at least one sample");
        let (outputs, targets) = (outputs.as_standard_layout(), targets.as_standard_layout());
        let scale = 1.0 / outputs.nrows() as f64;
        let (mut loss, mut gradients) = (0.0, Array2::zeros(outputs.dim()));
        for ((outputs, targets), mut gradient) in
            outputs.rows().into_iter().zip(targets.rows()).zip(gradients.rows_mut())
        {
            let [outputs, targets] = [outputs, targets].map(|row| row.to_slice().expect("rows are contiguous"));
            let gradient = gradient.as_slice_mut().expect("rows are contiguous");
            loss += self.value_and_gradient(outputs, targets, gradient);
            gradient.iter_mut().for_each(|derivative| *derivative *= F::narrow(scale));
        }
        (loss / outputs.nrows() as f64, gradients)
    }
}

/// What the output layer answers to one sample, and what it should.
#[derive(Clone, Copy)]
pub(crate) struct SampleOutputs<'a, F> {
    pub(crate) activation: Activation,
    pub(crate) net_inputs: &'a [F],
    pub(crate) outputs: &'a [F],
    pub(crate) targets: &'a [F],
}

/// A loss as back-propagation takes it.
pub(crate) trait OutputError<F>: Sync {
    /// The loss of one sample; `scale` times its derivative by the net inputs of the output layer is written into `delta`.
    fn output_error(&self, sample: SampleOutputs<'_, F>, scale: f64, delta: &mut [F]) -> f64;
}

impl<F: Real> OutputError<F> for Objective {
    #[inline]
    fn output_error(&self, sample: SampleOutputs<'_, F>, scale: f64, delta: &mut [F]) -> f64 {
        let SampleOutputs { activation, net_inputs, outputs, targets } = sample;
        let value = self.value(net_inputs, outputs, targets);
        self.output_delta(activation, outputs, targets, scale, delta);
        value
    }
}

/// A loss that knows the outputs only: their derivative by the net inputs is added here.
pub(crate) struct ByOutputs<'a, L>(pub(crate) &'a L);

impl<F: Real, L: SampleLoss<F>> OutputError<F> for ByOutputs<'_, L> {
    #[inline]
    fn output_error(&self, sample: SampleOutputs<'_, F>, scale: f64, delta: &mut [F]) -> f64 {
        let value = self.0.value_and_gradient(sample.outputs, sample.targets, delta);
        delta.iter_mut().for_each(|derivative| *derivative *= F::narrow(scale));
        sample.activation.times_derivative(sample.outputs, delta);
        value
    }
}
