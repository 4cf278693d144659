//! Random networks and batches for the tests.

use mlp_core::ndarray::Array2;
use mlp_core::{
    Activation, Batch, GradientSink, Initializer, Kernel, Loss, Mlp, Objective, Parameter, Real, Reduction,
};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

pub(crate) fn generator(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// A batch in two matrices.
pub(crate) struct Samples<F> {
    pub(crate) inputs: Array2<F>,
    pub(crate) targets: Array2<F>,
}

impl<F: Real> Batch<F> for Samples<F> {
    fn n_samples(&self) -> usize {
        self.inputs.nrows()
    }
    fn input(&self, row: usize, into: &mut [F]) {
        into.iter_mut().zip(self.inputs.row(row)).for_each(|(into, &value)| *into = value);
    }
    fn target(&self, row: usize, into: &mut [F]) {
        into.iter_mut().zip(self.targets.row(row)).for_each(|(into, &value)| *into = value);
    }
}

/// Samples with a weight each.
pub(crate) struct Weighted {
    pub(crate) samples: Samples<f64>,
    pub(crate) weights: Vec<f64>,
}

impl Batch<f64> for Weighted {
    fn n_samples(&self) -> usize {
        self.samples.n_samples()
    }
    fn input(&self, row: usize, into: &mut [f64]) {
        self.samples.input(row, into);
    }
    fn target(&self, row: usize, into: &mut [f64]) {
        self.samples.target(row, into);
    }
    fn weight(&self, row: usize) -> f64 {
        self.weights[row]
    }
}

/// Gradient descent: W ← W − η g.
pub(crate) struct Descent<F> {
    pub(crate) rate: F,
    /// Whether it need not see gradients of zero.
    pub(crate) is_sparse: bool,
}

impl<F: Real> GradientSink<F> for Descent<F> {
    const N_SLOTS: usize = 0;
    fn ignores_zero_gradients(&self) -> bool {
        self.is_sparse
    }
    #[inline(always)]
    fn weight(&self, weight: Parameter<F>, gradient: F) -> Parameter<F> {
        Parameter { value: weight.value - self.rate * gradient, ..weight }
    }
    #[inline(always)]
    fn bias(&self, bias: Parameter<F>, gradient: F) -> Parameter<F> {
        self.weight(bias, gradient)
    }
}

/// Inputs of which about half are zero, and targets of zeros and ones.
pub(crate) fn samples<F: Real>(n_samples: usize, n_inputs: usize, n_outputs: usize, seed: u64) -> Samples<F> {
    let mut rng = generator(seed);
    let inputs = Array2::from_shape_simple_fn((n_samples, n_inputs), || {
        if rng.random::<bool>() { F::zero() } else { F::narrow(rng.random_range(-1.0..1.0)) }
    });
    let targets = Array2::from_shape_simple_fn((n_samples, n_outputs), || F::from_u8(u8::from(rng.random::<bool>())));
    Samples { inputs, targets }
}

/// Targets with a single one in each row, as softmax needs them.
pub(crate) fn one_hot<F: Real>(samples: &mut Samples<F>, seed: u64) {
    let mut rng = generator(seed);
    samples.targets.fill(F::zero());
    for mut row in samples.targets.rows_mut() {
        let class = rng.random_range(0..row.len());
        row[class] = F::one();
    }
}

/// A network with weights around 1/√n and biases that are not zero.
pub(crate) fn network<F: Real>(sizes: &[usize], activations: &[Activation], bias: bool, seed: u64) -> Mlp<F> {
    let mut rng = generator(seed);
    let mut mlp = Mlp::new(sizes, activations, bias, Initializer::LECUN_NORMAL, &mut rng);
    for layer in &mut mlp.layers {
        if let Some(bias) = &mut layer.bias {
            bias.mapv_inplace(|_| F::narrow(rng.random_range(-0.5..0.5)));
        }
    }
    mlp
}

/// The levels of this processor.
pub(crate) fn kernels() -> impl Iterator<Item = Kernel> {
    Kernel::ALL.into_iter().filter(|kernel| kernel.is_supported())
}

/// The bits of all parameters: unlike numbers, 0 and −0 are not the same.
pub(crate) fn bits<F: Real>(mlp: &Mlp<F>) -> Vec<u64> {
    let layers = mlp.layers.iter();
    let parameters = layers.flat_map(|layer| layer.weights.iter().chain(layer.bias.iter().flatten()));
    parameters.map(|parameter| parameter.widen().to_bits()).collect()
}

/// Every loss with every reduction that can stand behind the output activation.
pub(crate) fn objectives(output: Activation) -> impl Iterator<Item = Objective> {
    Loss::ALL
        .into_iter()
        .filter(move |loss| loss.fits(output))
        .flat_map(|loss| Reduction::ALL.map(|reduction| Objective { loss, reduction }))
}
