//! A mean of the parameters of a workspace over its steps, in its layout.

use crate::aligned::Aligned;
use crate::batch_norm::{BatchNorm, NormalizedLayer};
use crate::kernel::simd::{Simd, Task};
use crate::kernel::workers::Workers;
use crate::mlp::Mlp;
use crate::real::Real;
use crate::workspace::Workspace;
use crate::workspace::negligible::flush_negligible;
use crate::workspace::normalization::fill;
use crate::workspace::normalize::TileNorm;
use crate::workspace::packing::fill_parameters;
use crate::workspace::sharing::each_with_index;
use crate::workspace::tile::Tile;

/// A running mean of the weights and biases of one [`Workspace`], kept in its layout: an update is one pass over memory. Where
/// the workspace has batch normalisation, γ and the running statistics have their means too.
///
/// ```
/// use mlp_core::{Activation, Average, Initializer, Kernel, Mlp, Workers, Workspace};
///
/// let network = |seed| {
///     Mlp::<f64>::seeded(&[5, 3, 1], &[Activation::Sigmoid; 2], true, Initializer::LECUN_NORMAL, seed)
/// };
/// let (first, second, workers) = (network(0), network(1), Workers::new(1));
/// let mut workspace = Workspace::new(&first, 1, 0, Kernel::detect(), &workers);
/// let mut average = Average::new(&workspace);
/// workspace.load(&second);
/// average.add(&workspace, 0.25, &workers);
///
/// let mut mean = network(2);
/// average.store(&workspace, &mut mean);
/// let [first, second, mean] = [first, second, mean].map(|network| network.layers[0].weights[[4, 2]]);
/// assert!((mean - (0.75 * first + 0.25 * second)).abs() < 1e-15);
/// ```
#[derive(Debug)]
pub struct Average<F> {
    tiles: Vec<TileMeans<F>>,
}

/// What is averaged of one tile.
#[derive(Debug)]
struct TileMeans<F> {
    weights: Aligned<F>,
    bias: Aligned<F>,
    /// γ and the running mean and variance, where the layer is normalised.
    norm: Option<[Aligned<F>; 3]>,
}

/// What is averaged of a normalised layer.
fn averaged<F>(norm: &TileNorm<F>) -> [&Aligned<F>; 3] {
    [&norm.scale, &norm.mean, &norm.variance]
}

impl<F: Real> Average<F> {
    /// A mean that begins with the parameters of this moment.
    pub fn new(workspace: &Workspace<F>) -> Average<F> {
        let copy = |values: &Aligned<F>| {
            let mut copied = Aligned::zeros(values.len());
            copied.copy_from_slice(values);
            copied
        };
        let tiles = workspace.tiles.iter().map(|tile| TileMeans {
            weights: copy(&tile.weights),
            bias: copy(&tile.bias),
            norm: tile.norm.as_ref().map(|norm| averaged(norm).map(copy)),
        });
        Average { tiles: tiles.collect() }
    }

    /// mean ← mean + rate · (parameters − mean), with a rate from 0 to 1. With a rate of 1 the mean becomes the parameters,
    /// to the bit. The number of workers changes no bit.
    ///
    /// # Panics
    /// Where the mean is one of a workspace of another network.
    pub fn add(&mut self, workspace: &Workspace<F>, rate: f64, workers: &Workers) {
        self.assert_fits(workspace);
        let work = workspace.tiles.iter().map(|tile| tile.weights.len()).sum();
        let (kernel, tiles, rate) = (workspace.kernel, &workspace.tiles, F::narrow(rate));
        each_with_index(workers, work, &mut self.tiles, |index, TileMeans { weights, bias, norm }| {
            F::dispatch(kernel, Approach { mean: weights, values: &tiles[index].weights, rate });
            F::dispatch(kernel, Approach { mean: bias, values: &tiles[index].bias, rate });
            if let (Some(means), Some(norm)) = (norm, &tiles[index].norm) {
                for (mean, values) in means.iter_mut().zip(averaged(norm)) {
                    F::dispatch(kernel, Approach { mean, values, rate });
                }
            }
        });
    }

    /// Writes the mean into `mlp`. `workspace` is the one that the mean is of.
    ///
    /// # Panics
    /// Where the shape of `mlp` or of the workspace is another.
    pub fn store(&self, workspace: &Workspace<F>, mlp: &mut Mlp<F>) {
        self.assert_fits(workspace);
        workspace.store_parts(mlp, |index, _| {
            let TileMeans { weights, bias, .. } = &self.tiles[index];
            (weights, bias)
        });
    }

    /// The means of γ and of the running statistics; none without batch normalisation. `workspace` is the one that the mean
    /// is of.
    ///
    /// # Panics
    /// Where the shape of the workspace is another.
    pub fn batch_norm(&self, workspace: &Workspace<F>) -> Option<BatchNorm<F>> {
        self.assert_fits(workspace);
        let rows = |index: usize| self.tiles[index].norm.as_ref().map(|rows: &[Aligned<F>; 3]| rows.each_ref());
        workspace.is_normalized.then(|| workspace.norm_of(|index, norm| rows(index).unwrap_or_else(|| averaged(norm))))
    }

    /// Replaces the mean by the parameters of `mlp`. `workspace` is the one that the mean is of.
    ///
    /// # Panics
    /// As [`Average::store`].
    pub fn load(&mut self, workspace: &Workspace<F>, mlp: &Mlp<F>) {
        self.assert_fits(workspace);
        workspace.assert_network(mlp);
        for (TileMeans { weights, bias, .. }, tile) in self.tiles.iter_mut().zip(&workspace.tiles) {
            weights.fill(F::zero());
            bias.fill(F::zero());
            fill_parameters(tile, &mlp.layers[tile.layer], weights, bias);
        }
    }

    /// Replaces the means of γ and of the running statistics. `workspace` is the one that the mean is of.
    ///
    /// # Panics
    /// As [`Workspace::load_batch_norm`].
    pub fn load_batch_norm(&mut self, workspace: &Workspace<F>, norm: &BatchNorm<F>) {
        self.assert_fits(workspace);
        workspace.assert_batch_norm(norm);
        for (means, tile) in self.tiles.iter_mut().zip(&workspace.tiles) {
            let Some(rows) = &mut means.norm else { continue };
            let NormalizedLayer { scale, mean, variance } = &norm.layers[tile.layer];
            for (row, units) in rows.iter_mut().zip([scale, mean, variance]) {
                row.fill(F::zero());
                fill(row, units, tile.first_unit);
            }
        }
    }

    fn assert_fits(&self, workspace: &Workspace<F>) {
        let lengths = |tile: &Tile<F>| (tile.weights.len(), tile.bias.len(), tile.norm.is_some());
        let own = self.tiles.iter().map(|means| (means.weights.len(), means.bias.len(), means.norm.is_some()));
        assert!(own.eq(workspace.tiles.iter().map(lengths)), "the mean is one of a workspace of another shape");
    }
}

struct Approach<'a, F> {
    mean: &'a mut [F],
    values: &'a [F],
    rate: F,
}

impl<F: Real> Task<F> for Approach<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, _: S) {
        let Approach { mean, values, rate } = self;
        if rate == F::one() {
            mean.copy_from_slice(values);
            return;
        }
        for (mean, &value) in mean.iter_mut().zip(values) {
            *mean = flush_negligible(*mean + rate * (value - *mean));
        }
    }
}
