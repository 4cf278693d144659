//! Networks with batch normalisation before it is folded: what is trained, kept in files, and gone on from.

use std::path::Path;

use mlp_core::{BatchNorm, Layer, Mlp, NormalizedLayer, Real};
use serde_json::{Map, Value};

use crate::config::Precision;
use crate::error::Result;
use crate::model::{AnyMlp, save_model, save_unfolded};

/// A network with batch normalisation as it is trained. What answers is the [folded](Unfolded::fold) network.
///
/// ```
/// use mlp_train::Unfolded;
/// use mlp_train::mlp_core::{Activation, BatchNorm, Initializer, Mlp};
///
/// let activations = [Activation::Relu, Activation::Sigmoid];
/// let mlp = Mlp::<f64>::seeded(&[4, 3, 2], &activations, true, Initializer::HE_NORMAL, 0);
/// let mut unfolded = Unfolded { norm: BatchNorm::new(&mlp), mlp };
/// unfolded.norm.layers[0].scale.fill(2.0);
/// let folded = unfolded.fold();
/// assert!((folded.layers[0].weights[[3, 2]] - 2.0 * unfolded.mlp.layers[0].weights[[3, 2]]).abs() < 1e-4);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Unfolded<F> {
    /// Weights, and as biases of hidden layers β.
    pub mlp: Mlp<F>,
    /// γ, and the running statistics.
    pub norm: BatchNorm<F>,
}

impl<F: Real> Unfolded<F> {
    /// The ordinary network that computes the same with the running statistics; see [`BatchNorm::fold`].
    ///
    /// # Panics
    ///
    /// Where the two parts are not of one network.
    pub fn fold(&self) -> Mlp<F> {
        self.norm.fold(&self.mlp)
    }

    /// The same in another type of numbers.
    pub fn converted<To: Real>(&self) -> Unfolded<To> {
        let to = |value: &F| To::narrow(value.widen());
        let layers = self.mlp.layers.iter().map(|layer| Layer {
            weights: layer.weights.map(to),
            bias: layer.bias.as_ref().map(|bias| bias.map(to)),
            activation: layer.activation,
        });
        let norm = self.norm.layers.iter().map(|layer| NormalizedLayer {
            scale: layer.scale.map(to),
            mean: layer.mean.map(to),
            variance: layer.variance.map(to),
        });
        Unfolded { mlp: Mlp { layers: layers.collect() }, norm: BatchNorm { layers: norm.collect() } }
    }
}

/// An [`Unfolded`] network of either precision.
#[derive(Clone, Debug, PartialEq)]
pub enum AnyUnfolded {
    /// Single precision.
    F32(Unfolded<f32>),
    /// Double precision.
    F64(Unfolded<f64>),
}

impl AnyUnfolded {
    /// The network in its own precision.
    pub fn new<F: Real>(unfolded: &Unfolded<F>) -> Self {
        match Precision::of::<F>() {
            // The same type of numbers: nothing is rounded.
            Precision::F32 | Precision::Bf16 => Self::F32(unfolded.converted()),
            Precision::F64 => Self::F64(unfolded.converted()),
        }
    }

    /// The network in numbers of type `F`.
    pub fn converted<F: Real>(&self) -> Unfolded<F> {
        match self {
            Self::F32(unfolded) => unfolded.converted(),
            Self::F64(unfolded) => unfolded.converted(),
        }
    }
}

/// A trained network of either precision, as a model file keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct AnyNetwork {
    /// What answers.
    pub mlp: AnyMlp,
    /// What it was folded from, with batch normalisation.
    pub unfolded: Option<AnyUnfolded>,
}

impl AnyNetwork {
    /// Saves the network with its configuration, as [`save_model`] or [`save_unfolded`].
    ///
    /// # Errors
    ///
    /// As these.
    pub fn save(&self, path: impl AsRef<Path>, config: &Map<String, Value>) -> Result<()> {
        match (&self.unfolded, &self.mlp) {
            (Some(AnyUnfolded::F32(unfolded)), _) => save_unfolded(path, unfolded, config),
            (Some(AnyUnfolded::F64(unfolded)), _) => save_unfolded(path, unfolded, config),
            (None, AnyMlp::F32(mlp)) => save_model(path, mlp, config),
            (None, AnyMlp::F64(mlp)) => save_model(path, mlp, config),
        }
    }
}

/// A network to start from: an ordinary one or, for a run with batch normalisation, one with it.
#[derive(Clone, Debug, PartialEq)]
pub enum Initial<F> {
    /// Without batch normalisation.
    Plain(Mlp<F>),
    /// With batch normalisation that is not folded.
    Unfolded(Unfolded<F>),
}

impl<F> From<Mlp<F>> for Initial<F> {
    fn from(mlp: Mlp<F>) -> Self {
        Self::Plain(mlp)
    }
}

impl<F> From<Unfolded<F>> for Initial<F> {
    fn from(unfolded: Unfolded<F>) -> Self {
        Self::Unfolded(unfolded)
    }
}

/// A network under way: what answers and, with batch normalisation, what it was folded from.
#[derive(Clone, Debug)]
pub(crate) struct Network<F> {
    /// What is measured.
    pub(crate) mlp: Mlp<F>,
    pub(crate) unfolded: Option<Unfolded<F>>,
}

impl<F: Real> Network<F> {
    pub(crate) fn new(mlp: Mlp<F>, norm: Option<BatchNorm<F>>) -> Self {
        match norm {
            None => Self { mlp, unfolded: None },
            Some(norm) => {
                let unfolded = Unfolded { mlp, norm };
                Self { mlp: unfolded.fold(), unfolded: Some(unfolded) }
            }
        }
    }

    /// Weights and biases as they are trained.
    pub(crate) fn trained(&self) -> &Mlp<F> {
        self.unfolded.as_ref().map_or(&self.mlp, |unfolded| &unfolded.mlp)
    }

    pub(crate) fn norm(&self) -> Option<&BatchNorm<F>> {
        self.unfolded.as_ref().map(|unfolded| &unfolded.norm)
    }

    pub(crate) fn clone_from(&mut self, other: &Self) {
        self.mlp.clone_from(&other.mlp);
        self.unfolded.clone_from(&other.unfolded);
    }
}
