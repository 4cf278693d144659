//! Dropout: the inputs and hidden outputs that a step of training leaves out.

use ndarray::Array2;

use crate::activation::Activation;
use crate::real::Real;

/// How often an input, or an output of a hidden layer, is left out of a step of training (Srivastava, Hinton, Krizhevsky,
/// Sutskever & Salakhutdinov 2014).
///
/// With the rate p, each is 0 with the probability p, and otherwise divided by 1 − p: its mean stays, so a trained network
/// is used as it is. What is left out in a step is drawn by [`Dropout::masks`].
///
/// ```
/// use mlp_core::Dropout;
///
/// // A fifth of the inputs, half of the outputs of each of two hidden layers.
/// let dropout = Dropout::new(0.2, &[0.5, 0.5]);
/// let factors = dropout.masks(7).factors::<f32>(1, 4, 1000);
/// assert!(factors.iter().all(|&factor| factor == 0.0 || factor == 2.0));
/// assert!((factors.mean().unwrap() - 1.0).abs() < 0.05);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Dropout {
    /// That of the inputs, then that of each hidden layer.
    rates: Vec<f64>,
}

impl Dropout {
    /// With the rate of the inputs, and that of each hidden layer. A rate of 0 leaves nothing out.
    ///
    /// # Panics
    /// Where a rate is not at least 0 and below 1.
    pub fn new(inputs: f64, hidden: &[f64]) -> Dropout {
        let rates = [&[inputs], hidden].concat();
        let wrong = rates.iter().find(|rate| !(0.0..1.0).contains(*rate));
        assert!(wrong.is_none(), "a rate of dropout of {wrong:?}: it is at least 0 and below 1");
        Dropout { rates }
    }

    /// Whether nothing is left out, ever.
    pub fn is_none(&self) -> bool {
        self.rates.iter().all(|&rate| rate == 0.0)
    }

    /// What one step leaves out. Steps with keys that differ, if only by one, leave out what has nothing to do with each
    /// other.
    pub fn masks(&self, key: u64) -> Masks<'_> {
        Masks { dropout: self, key }
    }
}

/// What one step leaves out. It follows from the rates, the key, and the row and place of a number alone, on every machine:
///
/// > r = splitmix(splitmix(key, layer), row), word = lowbias(unit, r), out where word < p · 2³².
///
/// splitmix(s, n) is the number n of the generator SplitMix64 (Steele, Lea & Flood 2014) with the seed s, and lowbias(u, r)
/// the hash of 32 bits "lowbias32" (Wellons 2018) of u · 0x9e3779b9 + the low half of r, with the high half brought in between
/// its two products. Layer 0 are the inputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Masks<'a> {
    dropout: &'a Dropout,
    key: u64,
}

impl Masks<'_> {
    /// What each number of a batch is multiplied by, 0 or 1 / (1 − p): of the inputs for `layer` 0, of the outputs of the
    /// hidden layer number `layer`, counted from 1, otherwise. Shape `(n_samples, n_units)`.
    ///
    /// # Panics
    /// Where there is no such layer.
    pub fn factors<F: Real>(&self, layer: usize, n_samples: usize, n_units: usize) -> Array2<F> {
        let mut factors = Array2::from_elem((n_samples, n_units), F::one());
        if let Some(mask) = self.of_layer::<F>(layer) {
            for (row, mut factors) in factors.rows_mut().into_iter().enumerate() {
                mask.apply(row, 0, factors.as_slice_mut().expect("rows are contiguous"));
                factors.iter_mut().for_each(|factor| *factor += F::zero()); // 0 for −0
            }
        }
        factors
    }

    /// The mask of the inputs (0) or of a hidden layer (from 1); none where nothing is left out there.
    pub(crate) fn of_layer<F: Real>(&self, layer: usize) -> Option<Mask<F>> {
        let rate = self.dropout.rates[layer];
        (rate > 0.0).then(|| Mask {
            // A conversion from a double stops at the largest integer.
            threshold: (rate * 4_294_967_296.0).round() as u32,
            scale: F::narrow(1.0 / (1.0 - rate)),
            kept: F::narrow(1.0 - rate),
            key: splitmix(self.key, layer as u64),
        })
    }

    /// # Panics
    /// Where the rates are not those of a network of so many layers.
    pub(crate) fn assert_fits(&self, n_layers: usize) {
        let n_hidden = self.dropout.rates.len() - 1;
        assert_eq!(n_hidden + 1, n_layers, "rates of dropout for {n_hidden} hidden layers, in {n_layers} layers");
    }
}

/// What is left out of one layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mask<F> {
    threshold: u32,
    /// 1 / (1 − p)
    scale: F,
    /// 1 − p
    kept: F,
    key: u64,
}

impl<F: Real> Mask<F> {
    /// Leaves out some of the numbers of the sample in `row` of the batch, which stand from `first_unit` on in the layer,
    /// and scales the others. What is left out becomes −0, which no activation gives: so it is known again on the way back.
    #[inline(always)]
    pub(crate) fn apply(self, row: usize, first_unit: usize, values: &mut [F]) {
        let key = splitmix(self.key, row as u64);
        // A plain loop: in chunks of a register's length the compiler would take the n-th of every chunk together.
        for (index, value) in values.iter_mut().enumerate() {
            let word = lowbias((first_unit + index) as u32, key);
            *value = if word >= self.threshold { *value * self.scale } else { -F::zero() };
        }
    }

    /// Multiplies `gradient`, the derivative of a loss by `outputs` as [`Mask::apply`] left them, by that of these by the net
    /// inputs.
    #[inline(always)]
    pub(crate) fn times_derivative(self, activation: Activation, outputs: &[F], gradient: &mut [F]) {
        let Mask { scale, kept, .. } = self;
        let pairs = gradient.iter_mut().zip(outputs);
        match activation {
            // What is left out is 0, and so is its derivative. Rounding must not bring an output above 1.
            Activation::Sigmoid => pairs.for_each(|(g, &output)| {
                let a = (output * kept).min(F::one());
                *g = *g * scale * (a * (F::one() - a));
            }),
            Activation::Relu => {
                pairs.for_each(|(g, &output)| *g = if output > F::zero() { *g * scale } else { F::zero() })
            }
            Activation::Tanh => pairs.for_each(|(g, &output)| {
                let a = (output * kept).abs().min(F::one());
                *g *= if is_out(output) { F::zero() } else { scale * (F::one() - a * a) };
            }),
            Activation::Identity => {
                pairs.for_each(|(g, &output)| *g *= if is_out(output) { F::zero() } else { scale });
            }
            Activation::Softmax => unreachable!("softmax belongs in the last layer only"),
        }
    }
}

/// Whether an output is −0.
#[inline(always)]
fn is_out<F: Real>(output: F) -> bool {
    output == F::zero() && output.is_sign_negative()
}

/// The number `n`, counted from 0, of SplitMix64 with this seed.
#[inline(always)]
fn splitmix(seed: u64, n: u64) -> u64 {
    let mut z = seed.wrapping_add((n.wrapping_add(1)).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A hash of 32 bits, of which a register takes many at a time.
#[inline(always)]
fn lowbias(unit: u32, key: u64) -> u32 {
    let mut x = unit.wrapping_mul(0x9e37_79b9).wrapping_add(key as u32);
    x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
    x = (x ^ (x >> 15) ^ (key >> 32) as u32).wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}
