//! A training loop of one's own: a loss and an update rule that this crate does not have, on the readable path and on the
//! fast one.
//!
//!     cargo run --release -p mlp-core --example custom_loop
//!
//! The task is a noisy sine with outliers. Huber's loss (Huber 1964) grows only linearly with a large error, so that outliers
//! pull less. The rule is RMSProp (Tieleman and Hinton 2012): each parameter's step is divided by the root of a running mean
//! of its squared gradients. A check by finite differences comes first: a loss of one's own is easily a sign wrong.

use mlp_core::ndarray::{Array1, Array2, ArrayView2, Zip};
use mlp_core::{
    Activation, ArrayBatch, GradientSink, Gradients, Initializer, Kernel, LayerGradient, Mlp, NonFinite, Parameter,
    Real, SampleLoss, Workers, Workspace, backpropagate_with, compare_gradients, finite_differences_with,
};

/// Squared up to the threshold, linear beyond it: ½e² for |e| ≤ t, otherwise t(|e| − t/2); the mean over the outputs.
struct Huber {
    threshold: f64,
}

impl<F: Real> SampleLoss<F> for Huber {
    fn value_and_gradient(&self, outputs: &[F], targets: &[F], gradient: &mut [F]) -> f64 {
        let (threshold, n_outputs) = (self.threshold, outputs.len() as f64);
        let mut value = 0.0;
        for ((gradient, a), y) in gradient.iter_mut().zip(outputs).zip(targets) {
            let error = a.widen() - y.widen();
            let size = error.abs();
            value += if size <= threshold { 0.5 * error * error } else { threshold * (size - 0.5 * threshold) };
            *gradient = F::narrow(error.clamp(-threshold, threshold) / n_outputs);
        }
        value / n_outputs
    }
}

/// RMSProp: v ← ρv + (1 − ρ)g², w ← w − ηg / (√v + ε).
#[derive(Clone, Copy)]
struct RmsProp<F> {
    learning_rate: F,
    decay: F,
    epsilon: F,
}

impl<F: Real> RmsProp<F> {
    fn new(learning_rate: f64) -> RmsProp<F> {
        RmsProp { learning_rate: F::narrow(learning_rate), decay: F::narrow(0.9), epsilon: F::narrow(1e-8) }
    }

    /// The parameter and its v after a step.
    #[inline(always)]
    fn stepped(&self, w: F, v: F, gradient: F) -> (F, F) {
        let v = self.decay * v + (F::one() - self.decay) * gradient * gradient;
        (w - self.learning_rate * gradient / (v.sqrt() + self.epsilon), v)
    }
}

/// On the fast path: parameter by parameter, as the gradient is computed. One number of state each.
impl<F: Real> GradientSink<F> for RmsProp<F> {
    const N_SLOTS: usize = 1;

    #[inline(always)]
    fn weight(&self, weight: Parameter<F>, gradient: F) -> Parameter<F> {
        let (value, v) = self.stepped(weight.value, weight.state[0], gradient);
        Parameter { value, state: [v, F::zero()] }
    }

    #[inline(always)]
    fn bias(&self, bias: Parameter<F>, gradient: F) -> Parameter<F> {
        self.weight(bias, gradient)
    }
}

/// On the readable path: matrix by matrix.
fn apply<F: Real>(rule: &RmsProp<F>, mlp: &mut Mlp<F>, state: &mut Gradients<F>, gradients: &Gradients<F>) {
    for ((layer, state), gradient) in mlp.layers.iter_mut().zip(&mut state.layers).zip(&gradients.layers) {
        let step = |w: &mut F, v: &mut F, &g: &F| (*w, *v) = rule.stepped(*w, *v, g);
        Zip::from(&mut layer.weights).and(&mut state.weights).and(&gradient.weights).for_each(step);
        if let (Some(bias), Some(state), Some(gradient)) = (&mut layer.bias, &mut state.bias, &gradient.bias) {
            Zip::from(bias).and(state).and(gradient).for_each(step);
        }
    }
}

/// 0 for every parameter.
fn zeros<F: Real>(mlp: &Mlp<F>) -> Gradients<F> {
    let layers = mlp.layers.iter().map(|layer| LayerGradient {
        weights: Array2::zeros(layer.weights.dim()),
        bias: layer.bias.as_ref().map(|bias| Array1::zeros(bias.len())),
    });
    Gradients { layers: layers.collect() }
}

/// A sine with a little noise, and every tenth point far off.
fn sine<F: Real>(n_samples: usize) -> (Array2<F>, Array2<F>) {
    let x = |sample: usize| 2.0 * sample as f64 / (n_samples - 1) as f64 - 1.0;
    let noise = |sample: usize| 0.05 * ((sample * 37 % 11) as f64 - 5.0) / 5.0;
    let outlier = |sample: usize| if sample % 10 == 7 { 4.0 } else { 0.0 };
    let inputs = Array2::from_shape_fn((n_samples, 1), |(sample, _)| F::narrow(x(sample)));
    let targets = Array2::from_shape_fn((n_samples, 1), |(sample, _)| {
        F::narrow((3.0 * x(sample)).sin() + noise(sample) + outlier(sample))
    });
    (inputs, targets)
}

const SIZES: [usize; 3] = [1, 16, 1];
const ACTIVATIONS: [Activation; 2] = [Activation::Tanh, Activation::Identity];
const HUBER: Huber = Huber { threshold: 0.1 };
const N_STEPS: usize = 1_500;

fn network<F: Real>() -> Mlp<F> {
    Mlp::seeded(&SIZES, &ACTIVATIONS, true, Initializer::GLOROT_UNIFORM, 1)
}

/// How far the network is from the sine without its noise, at most.
fn worst_error(mlp: &Mlp<f64>, inputs: ArrayView2<'_, f64>) -> f64 {
    let outputs = mlp.forward(inputs);
    inputs.iter().zip(&outputs).map(|(x, a)| (a - (3.0 * x).sin()).abs()).fold(0.0, f64::max)
}

fn main() -> Result<(), NonFinite> {
    let (inputs, targets) = sine::<f64>(100);

    println!("The gradient of Huber's loss, against finite differences of it:");
    let mut mlp = network();
    let mean_loss = |mlp: &Mlp<f64>| HUBER.of_batch(mlp.forward(inputs.view()).view(), targets.view()).0;
    let numeric = finite_differences_with(&mlp, 1e-5, mean_loss);
    let (_, analytic) = backpropagate_with(&mlp, inputs.view(), |outputs| HUBER.of_batch(outputs, targets.view()));
    for check in compare_gradients(&analytic, &numeric) {
        let tensor = if check.is_bias { "biases" } else { "weights" };
        println!("  layer {} {tensor:8} relative error {:.1e}", check.layer + 1, check.relative_error);
        assert!(check.relative_error < 1e-6);
    }

    println!("\nThe readable path:");
    let rule = RmsProp::new(0.003);
    let mut state = zeros(&mlp);
    for step in 0..N_STEPS {
        let (loss, gradients) =
            backpropagate_with(&mlp, inputs.view(), |outputs| HUBER.of_batch(outputs, targets.view()));
        apply(&rule, &mut mlp, &mut state, &gradients);
        if step % 500 == 0 {
            println!("  step {step:4}  loss {loss:.5}");
        }
    }
    println!("  loss {:.5}, at most {:.3} from the sine", mean_loss(&mlp), worst_error(&mlp, inputs.view()));

    println!("\nThe fast path, with the same loss and the same rule:");
    let workers = Workers::new(2);
    let mut workspace =
        Workspace::new(&network(), 100, <RmsProp<f64> as GradientSink<f64>>::N_SLOTS, Kernel::detect(), &workers);
    let batch = ArrayBatch::new(inputs.view(), targets.view());
    for step in 0..N_STEPS {
        let loss = workspace.step_with(&batch, &HUBER, &rule, &workers)?;
        if step % 500 == 0 {
            println!("  step {step:4}  loss {:.5}", loss / 100.0);
        }
    }
    let mut fast = network();
    workspace.store(&mut fast);
    println!("  loss {:.5}, at most {:.3} from the sine", mean_loss(&fast), worst_error(&fast, inputs.view()));

    // Both took the same steps; only rounding differs, and grows from step to step.
    let difference = &fast.layers[0].weights - &mlp.layers[0].weights;
    let largest = difference.iter().fold(0.0_f64, |largest, difference| largest.max(difference.abs()));
    println!("\nThe weights of the two differ by at most {largest:.1e}.");
    Ok(())
}
