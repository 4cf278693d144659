//! The network and its forward pass.

use ndarray::{Array1, Array2, ArrayView2, Axis};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::activation::Activation;
use crate::initializer::Initializer;
use crate::real::Real;

/// One layer: `activation(x · W + b)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer<F> {
    /// W, shape `(n_inputs, n_outputs)`.
    pub weights: Array2<F>,
    /// b, length `n_outputs`; none in a layer without biases.
    pub bias: Option<Array1<F>>,
    /// What is applied to the net inputs.
    pub activation: Activation,
}

impl<F: Real> Layer<F> {
    /// The net inputs z = x · W + b of a batch, shape `(n_samples, n_outputs)`.
    ///
    /// # Panics
    /// Where `inputs` is not `(n_samples, n_inputs)`.
    pub fn net_inputs(&self, inputs: ArrayView2<'_, F>) -> Array2<F> {
        assert_eq!(
            inputs.ncols(),
            self.weights.nrows(),
            "a batch of shape {:?} cannot enter a layer with weights of shape {:?}",
            inputs.shape(),
            self.weights.shape()
        );
        let product = product(inputs, self.weights.view());
        match &self.bias {
            Some(bias) => product + bias,
            None => product,
        }
    }

    /// The outputs a = activation(z) of a batch, shape `(n_samples, n_outputs)`.
    ///
    /// # Panics
    /// As [`Layer::net_inputs`].
    pub fn forward(&self, inputs: ArrayView2<'_, F>) -> Array2<F> {
        activate(self.activation, self.net_inputs(inputs))
    }
}

/// The matrix product, stored row by row whatever the layout of its factors.
pub(crate) fn product<F: Real>(left: ArrayView2<'_, F>, right: ArrayView2<'_, F>) -> Array2<F> {
    let product = left.dot(&right);
    if product.is_standard_layout() { product } else { product.as_standard_layout().into_owned() }
}

/// Applies an activation to a batch of net inputs, one sample (row) at a time.
pub(crate) fn activate<F: Real>(activation: Activation, mut net_inputs: Array2<F>) -> Array2<F> {
    if net_inputs.ncols() > 0 {
        for mut row in net_inputs.axis_iter_mut(Axis(0)) {
            activation.apply(row.as_slice_mut().expect("a product is stored row by row"));
        }
    }
    net_inputs
}

/// A multilayer perceptron: layers, each fed with the outputs of the one before.
///
/// ```
/// use mlp_core::{Activation, Initializer, Mlp};
/// use mlp_core::ndarray::Array2;
///
/// let sizes = [784, 30, 6];
/// let mlp = Mlp::<f32>::seeded(&sizes, &[Activation::Sigmoid; 2], true, Initializer::GLOROT_UNIFORM, 0);
/// assert_eq!(mlp.n_parameters(), 784 * 30 + 30 + 30 * 6 + 6);
/// assert_eq!(mlp.forward(Array2::zeros((5, 784)).view()).shape(), [5, 6]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Mlp<F> {
    /// The layers, the one next to the inputs first.
    pub layers: Vec<Layer<F>>,
}

impl<F: Real> Mlp<F> {
    /// A network whose weights are drawn by `initializer`, layer by layer, and whose biases are 0.
    ///
    /// `sizes` are the number of inputs and the number of units of each layer; `activations` has one entry a layer.
    ///
    /// # Panics
    /// Where there is no layer, a size is 0, the number of activations is not the number of layers, or softmax stands
    /// anywhere but in the last layer.
    pub fn new(
        sizes: &[usize],
        activations: &[Activation],
        bias: bool,
        initializer: Initializer,
        rng: &mut impl Rng,
    ) -> Mlp<F> {
        assert!(sizes.len() >= 2, "a network needs inputs and at least one layer, not the sizes {sizes:?}");
        assert!(!sizes.contains(&0), "no size may be 0: {sizes:?}");
        assert_eq!(activations.len(), sizes.len() - 1, "one activation for each layer of {sizes:?}");
        let layers = sizes
            .windows(2)
            .zip(activations)
            .map(|(pair, &activation)| Layer {
                weights: initializer.weights(pair[0], pair[1], rng),
                bias: bias.then(|| Array1::zeros(pair[1])),
                activation,
            })
            .collect();
        let mlp = Mlp { layers };
        mlp.assert_consistent();
        mlp
    }

    /// [`Mlp::new`] with numbers that follow from `seed` alone, on every machine: those of
    /// [`ChaCha8Rng::seed_from_u64`](rand_chacha::ChaCha8Rng).
    ///
    /// ```
    /// use mlp_core::{Activation, Initializer, Mlp};
    ///
    /// let network = |seed| {
    ///     Mlp::<f32>::seeded(&[784, 30, 10], &[Activation::Sigmoid; 2], true, Initializer::GLOROT_UNIFORM, seed)
    /// };
    /// assert_eq!(network(7), network(7));
    /// assert_ne!(network(7), network(8));
    /// ```
    ///
    /// # Panics
    /// As [`Mlp::new`].
    pub fn seeded(
        sizes: &[usize],
        activations: &[Activation],
        bias: bool,
        initializer: Initializer,
        seed: u64,
    ) -> Mlp<F> {
        Mlp::new(sizes, activations, bias, initializer, &mut ChaCha8Rng::seed_from_u64(seed))
    }

    /// The layers can be changed by hand; this finds what cannot work.
    ///
    /// # Panics
    /// Where there is no layer, a layer does not take what the one before puts out, a bias does not fit its weights, or
    /// softmax stands anywhere but in the last layer.
    pub fn assert_consistent(&self) {
        assert!(!self.layers.is_empty(), "a network needs at least one layer");
        for (index, pair) in self.layers.windows(2).enumerate() {
            let (before, after) = (pair[0].weights.dim(), pair[1].weights.dim());
            assert_eq!(
                before.1, after.0,
                "layers[{index}] with weights of shape {before:?} feeds one of shape {after:?}"
            );
            assert!(pair[0].activation != Activation::Softmax, "softmax belongs in the last layer only");
        }
        for (index, layer) in self.layers.iter().enumerate() {
            let (shape, n_biases) = (layer.weights.dim(), layer.bias.as_ref().map(Array1::len));
            assert!(shape.0 > 0 && shape.1 > 0, "layers[{index}] with weights of shape {shape:?}");
            assert!(n_biases.is_none_or(|n| n == shape.1), "{n_biases:?} biases for weights of shape {shape:?}");
        }
    }

    /// The outputs for a batch: `(n_samples, n_inputs)` in, `(n_samples, n_outputs)` out.
    ///
    /// # Panics
    /// Where the number of inputs is wrong.
    pub fn forward(&self, inputs: ArrayView2<'_, F>) -> Array2<F> {
        self.assert_consistent();
        let mut outputs = inputs.to_owned();
        for layer in &self.layers {
            outputs = layer.forward(outputs.view());
        }
        outputs
    }

    /// The outputs of every layer for a batch, the first layer's first.
    ///
    /// # Panics
    /// Where the number of inputs is wrong.
    pub fn activations(&self, inputs: ArrayView2<'_, F>) -> Vec<Array2<F>> {
        let mut activations: Vec<Array2<F>> = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let outputs = layer.forward(activations.last().map_or(inputs, |previous| previous.view()));
            activations.push(outputs);
        }
        activations
    }

    /// Shortens the weights of each unit, those of its column, to the Euclidean norm `max_norm` where they are longer (Srebro,
    /// Rennie & Jaakkola 2004). Biases are left alone.
    ///
    /// ```
    /// use mlp_core::{Activation, Layer, Mlp};
    /// use mlp_core::ndarray::array;
    ///
    /// let weights = array![[3.0, 0.5], [4.0, 0.0]];
    /// let mut mlp = Mlp { layers: vec![Layer { weights, bias: None, activation: Activation::Relu }] };
    /// mlp.limit_norms(2.0);
    /// assert_eq!(mlp.layers[0].weights.map(|w: &f64| (w * 1e9).round() / 1e9), array![[1.2, 0.5], [1.6, 0.0]]);
    /// ```
    pub fn limit_norms(&mut self, max_norm: f64) {
        for mut weights in self.layers.iter_mut().flat_map(|layer| layer.weights.columns_mut()) {
            let norm = weights.iter().map(|weight| weight.widen()).map(|weight| weight * weight).sum::<f64>().sqrt();
            if norm > max_norm {
                let factor = F::narrow(max_norm / norm);
                weights.mapv_inplace(|weight| weight * factor);
            }
        }
    }

    /// The number of inputs.
    pub fn n_inputs(&self) -> usize {
        self.layers[0].weights.nrows()
    }

    /// The number of outputs.
    pub fn n_outputs(&self) -> usize {
        self.layers[self.layers.len() - 1].weights.ncols()
    }

    /// The number of inputs, and the number of units of each layer.
    pub fn sizes(&self) -> Vec<usize> {
        std::iter::once(self.n_inputs()).chain(self.layers.iter().map(|layer| layer.weights.ncols())).collect()
    }

    /// The number of weights and biases.
    pub fn n_parameters(&self) -> usize {
        self.layers.iter().map(|layer| layer.weights.len() + layer.bias.as_ref().map_or(0, Array1::len)).sum()
    }
}
