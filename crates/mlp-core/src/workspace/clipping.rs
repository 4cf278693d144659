//! Norms: steps whose gradient is clipped by its own, and that of the weights.
//!
//! The gradient is never stored, so it is computed twice: once for its norm, once for the sink. In between the deltas are
//! scaled, in which the gradient is linear. A step that is not clipped is, bit for bit, one without a bound.

use std::ops::Range;

use crate::kernel::simd::{FiniteCheck, Simd};
use crate::kernel::workers::Workers;
use crate::loss::Objective;
use crate::real::Real;
use crate::sink::GradientSink;
use crate::workspace::batch::Batch;
use crate::workspace::negligible::flush_all_negligible;
use crate::workspace::options::StepOptions;
use crate::workspace::patch::{Patch, Received};
use crate::workspace::sharing::each;
use crate::workspace::tile::Tile;
use crate::workspace::update::Strips;
use crate::workspace::{NonFinite, Workspace};

impl<F: Real> Workspace<F> {
    /// [`Workspace::step`] with the gradient g of all weights and biases (and γ, with batch normalisation) clipped: where its Euclidean norm is above `max_norm`, the
    /// sink is handed g · max_norm / ‖g‖ (Pascanu, Mikolov & Bengio 2013). Needs a workspace for batches of at least 2; the
    /// batch may be smaller.
    ///
    /// ```
    /// use mlp_core::{
    ///     Activation, ArrayBatch, Initializer, KeepGradient, Kernel, Loss, Mlp, Objective, Reduction, Workers, Workspace,
    /// };
    /// use mlp_core::ndarray::array;
    ///
    /// let mlp = Mlp::<f64>::seeded(&[2, 3, 1], &[Activation::Sigmoid; 2], true, Initializer::LECUN_NORMAL, 0);
    /// let (inputs, targets) = (array![[0.0, 1.0], [1.0, 0.5]], array![[9.0], [-9.0]]);
    /// let objective = Objective { loss: Loss::Squared, reduction: Reduction::Mean };
    /// let workers = Workers::new(1);
    /// let mut workspace = Workspace::new(&mlp, 2, 1, Kernel::detect(), &workers);
    /// let batch = ArrayBatch::new(inputs.view(), targets.view());
    /// workspace.step_clipped(&batch, objective, &KeepGradient, 0.01, &workers)?;
    ///
    /// let layers = workspace.slot(0).layers;
    /// let numbers = layers.iter().flat_map(|layer| layer.weights.iter().chain(layer.bias.iter().flatten()));
    /// assert!((numbers.map(|g| g * g).sum::<f64>().sqrt() - 0.01).abs() < 1e-12);
    /// # Ok::<(), mlp_core::NonFinite>(())
    /// ```
    ///
    /// # Errors
    /// As [`Workspace::step`], and where the norm is infinite or not a number.
    ///
    /// # Panics
    /// As [`Workspace::step`], and in a workspace for single samples.
    pub fn step_clipped<S: GradientSink<F>>(
        &mut self,
        batch: &impl Batch<F>,
        objective: Objective,
        sink: &S,
        max_norm: f64,
        workers: &Workers,
    ) -> Result<f64, NonFinite> {
        assert!(self.max_batch > 1, "gradients are clipped in workspaces for batches of 2 or more");
        let options = StepOptions { clip_norm: Some(max_norm), ..StepOptions::default() };
        self.step_with_options(batch, objective, sink, options, workers)
    }

    /// Scales the deltas where the gradient is longer than `max_norm`.
    pub(super) fn clip(&mut self, max_norm: f64, workers: &Workers) -> Result<(), NonFinite> {
        // What the deltas of a broken layer make of the layers before is not looked at.
        self.loss_of_step()?;
        self.tiles.iter_mut().for_each(|tile| tile.squared_gradient = 0.0);
        self.update(&SquaredNorm, workers);
        if let Some(broken) = self.tiles.iter().find(|tile| !tile.squared_gradient.is_finite()) {
            return Err(NonFinite { layer: broken.layer });
        }
        let norm = self.tiles.iter().map(|tile| tile.squared_gradient).sum::<f64>().sqrt();
        if norm > max_norm {
            self.scale_deltas(F::narrow(max_norm / norm));
        }
        Ok(())
    }

    /// Σ w² over all weights, biases left out: what an L2 penalty is made of. Summed in double precision, tile by tile, so
    /// that the number of workers changes no bit.
    ///
    /// ```
    /// use mlp_core::{Activation, Initializer, Kernel, Mlp, Workers, Workspace};
    ///
    /// let mlp = Mlp::<f64>::seeded(&[5, 3, 1], &[Activation::Sigmoid; 2], true, Initializer::LECUN_NORMAL, 0);
    /// let workers = Workers::new(2);
    /// let mut workspace = Workspace::new(&mlp, 2, 0, Kernel::detect(), &workers);
    /// let expected: f64 = mlp.layers.iter().map(|layer| layer.weights.mapv(|w| w * w).sum()).sum();
    /// assert!((workspace.squared_weights(&workers) - expected).abs() < 1e-14);
    /// ```
    pub fn squared_weights(&mut self, workers: &Workers) -> f64 {
        let work = self.tiles.iter().map(|tile| tile.weights.len()).sum();
        each(workers, work, &mut self.tiles, |tile| tile.squared_weights = sum_of_squares(&tile.weights));
        self.tiles.iter().map(|tile| tile.squared_weights).sum()
    }

    fn scale_deltas(&mut self, factor: F) {
        for patch in self.patches.iter_mut().flatten() {
            let deltas = &mut patch.deltas[..patch.n_rows * patch.width];
            deltas.iter_mut().for_each(|delta| *delta *= factor);
            flush_all_negligible(deltas);
            patch.pack_deltas();
        }
        self.tiles.iter_mut().filter_map(|tile| tile.norm.as_mut()).for_each(|norm| norm.scale_gradient(factor));
    }
}

/// Its squares are summed, in double precision, tile by tile; the sums of the tiles are added in their order. The weights
/// stay.
struct SquaredNorm;

impl<F: Real> Strips<F> for SquaredNorm {
    #[inline(always)]
    fn ignores_zero_gradients(&self) -> bool {
        true
    }

    #[inline(always)]
    fn weights<S: Simd<F>>(&self, tile: &mut Tile<F>, _: &mut FiniteCheck<F, S>, _: usize, gradient: Range<usize>) {
        tile.squared_gradient += sum_of_squares(&tile.gradient[gradient]);
    }

    #[inline(always)]
    fn done<S: Simd<F>>(&self, _: S, _: &mut Tile<F>, _: &Patch<F>, _: Range<usize>) {}

    #[inline(always)]
    fn bias<S: Simd<F>>(&self, _: S, tile: &mut Tile<F>, gradient: &[F]) {
        tile.squared_gradient += sum_of_squares(gradient);
    }

    #[inline(always)]
    fn scale<S: Simd<F>>(&self, _: S, tile: &mut Tile<F>, gradient: &[F]) {
        tile.squared_gradient += sum_of_squares(gradient);
    }

    #[inline(always)]
    fn end<S: Simd<F>>(&self, _: S, _: &mut Tile<F>, _: Received<'_, F>, _: bool) {}
}

/// In several sums, which do not wait for each other.
#[inline(always)]
fn sum_of_squares<F: Real>(values: &[F]) -> f64 {
    const SUMS: usize = 16;
    let mut sums = [0.0; SUMS];
    let (chunks, rest) = values.as_chunks::<SUMS>();
    for chunk in chunks {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            let value = value.widen();
            *sum += value * value;
        }
    }
    let rest = rest.iter().map(|value| value.widen()).map(|value| value * value).sum::<f64>();
    sums.iter().sum::<f64>() + rest
}
