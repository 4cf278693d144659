//! Workspaces with batch normalisation.

use ndarray::Array1;

use crate::aligned::Aligned;
use crate::batch_norm::{BatchNorm, NormalizedLayer};
use crate::dropout::Mask;
use crate::kernel::level::Kernel;
use crate::kernel::workers::Workers;
use crate::real::Real;
use crate::workspace::Workspace;
use crate::workspace::layout::LayerShape;
use crate::workspace::normalize::{Normalize, PassBack, SumDeltas, TakeStatistics, TileNorm};
use crate::workspace::patch::{Patch, Patches};
use crate::workspace::sharing::each;
use crate::workspace::tile::Tile;

/// What a number of a normalised layer costs in each of the two stages of a batch, in multiply-adds.
const COST_OF_SUMS: usize = 4;
const COST_OF_OUTPUT: usize = 20;

impl<F: Real> Workspace<F> {
    /// The same with batch normalisation of its hidden layers, which begins with what is in `norm`: steps then are those of
    /// [`backpropagate_normalized`](crate::backpropagate_normalized), on batches of 2 and more. The sink is handed γ and β as it
    /// is handed biases, and the running statistics [follow](BatchNorm::follow) those of each batch with
    /// [`BatchNorm::MOMENTUM`]. [`Workspace::forward`] answers by the running statistics.
    ///
    /// ```
    /// use mlp_core::{
    ///     Activation, ArrayBatch, BatchNorm, Initializer, KeepGradient, Kernel, Loss, Mlp, Objective, Reduction, Workers,
    ///     Workspace, backpropagate_normalized,
    /// };
    /// use mlp_core::ndarray::array;
    ///
    /// let mlp = Mlp::<f64>::seeded(&[2, 3, 1], &[Activation::Sigmoid; 2], true, Initializer::LECUN_NORMAL, 0);
    /// let mut norm = BatchNorm::new(&mlp);
    /// let (inputs, targets) = (array![[0.0, 1.0], [1.0, 0.5], [0.2, 0.1]], array![[1.0], [0.0], [1.0]]);
    /// let objective = Objective { loss: Loss::Squared, reduction: Reduction::Mean };
    /// let workers = Workers::new(1);
    /// let mut workspace = Workspace::new(&mlp, 3, 1, Kernel::detect(), &workers).with_batch_norm(&norm);
    /// workspace.step(&ArrayBatch::new(inputs.view(), targets.view()), objective, &KeepGradient, &workers)?;
    ///
    /// let expected = backpropagate_normalized(&mlp, &norm, inputs.view(), targets.view(), None, objective, None);
    /// let found = workspace.slot(0);
    /// let error = &found.layers[0].weights - &expected.gradients.layers[0].weights;
    /// assert!(error.iter().all(|error| error.abs() < 1e-13));
    /// assert!((&workspace.scale_slot(0)[0] - &expected.scales[0]).iter().all(|error| error.abs() < 1e-13));
    /// norm.follow(&expected.statistics, BatchNorm::<f64>::MOMENTUM);
    /// let found = workspace.batch_norm().expect("with batch normalisation");
    /// assert!((&found.layers[0].mean - &norm.layers[0].mean).iter().all(|error| error.abs() < 1e-15));
    /// # Ok::<(), mlp_core::NonFinite>(())
    /// ```
    ///
    /// # Panics
    /// Where `norm` is that of another network, or the workspace is for single samples, which have no variance.
    #[must_use]
    pub fn with_batch_norm(mut self, norm: &BatchNorm<F>) -> Workspace<F> {
        assert!(self.max_batch > 1, "a single sample has no variance: batch normalisation is for batches of 2 or more");
        let last = self.layers.len() - 1;
        for tile in self.tiles.iter_mut().filter(|tile| tile.layer < last) {
            tile.norm = Some(TileNorm::new(tile.width, self.n_slots));
        }
        for patch in self.patches[..last].iter_mut().flatten() {
            patch.normalized = Aligned::zeros(patch.outputs.len());
        }
        self.is_normalized = true;
        self.load_batch_norm(norm);
        self
    }

    /// γ and the running statistics of this moment; none without batch normalisation. The β are the biases, which
    /// [`Workspace::store`] writes.
    pub fn batch_norm(&self) -> Option<BatchNorm<F>> {
        self.is_normalized.then(|| self.norm_of(|_, norm| [&norm.scale, &norm.mean, &norm.variance]))
    }

    /// Takes over γ and the running statistics; the state slots stay.
    ///
    /// # Panics
    /// Where `norm` is that of another network, or the workspace has no batch normalisation.
    pub fn load_batch_norm(&mut self, norm: &BatchNorm<F>) {
        self.assert_batch_norm(norm);
        for tile in &mut self.tiles {
            let (layer, first_unit) = (tile.layer, tile.first_unit);
            let Some(own) = &mut tile.norm else { continue };
            own.clear();
            let NormalizedLayer { scale, mean, variance } = &norm.layers[layer];
            fill(&mut own.scale, scale, first_unit);
            fill(&mut own.mean, mean, first_unit);
            fill(&mut own.variance, variance, first_unit);
        }
    }

    /// The state that sinks keep in slot `slot` for the γ of each hidden layer.
    ///
    /// # Panics
    /// Where there is no such slot, or no batch normalisation.
    pub fn scale_slot(&self, slot: usize) -> Vec<Array1<F>> {
        assert!(slot < self.n_slots, "slot {slot} of {}", self.n_slots);
        assert!(self.is_normalized, "a workspace without batch normalisation");
        self.hidden().map(|shape| self.unit_row(shape, |_, norm| &norm.scale_state[slot])).collect()
    }

    /// Replaces the state in slot `slot` of the γ.
    ///
    /// # Panics
    /// As [`Workspace::scale_slot`], and where there is not a number for each unit of each hidden layer.
    pub fn set_scale_slot(&mut self, slot: usize, state: &[Array1<F>]) {
        assert!(slot < self.n_slots, "slot {slot} of {}", self.n_slots);
        assert!(self.is_normalized, "a workspace without batch normalisation");
        let found: Vec<usize> = state.iter().map(Array1::len).collect();
        assert_eq!(self.n_units_hidden(), found, "units of hidden layers, and numbers of their state");
        for tile in &mut self.tiles {
            let (layer, first_unit) = (tile.layer, tile.first_unit);
            if let Some(norm) = &mut tile.norm {
                fill(&mut norm.scale_state[slot], &state[layer], first_unit);
            }
        }
    }

    /// γ and the running statistics from these rows of the tiles, each named by its index too.
    pub(super) fn norm_of<'a>(
        &'a self,
        rows: impl Fn(usize, &'a TileNorm<F>) -> [&'a Aligned<F>; 3] + Copy,
    ) -> BatchNorm<F> {
        let layers = self.hidden().map(|shape| {
            let row = |number: usize| self.unit_row(shape, |index, norm| rows(index, norm)[number]);
            NormalizedLayer { scale: row(0), mean: row(1), variance: row(2) }
        });
        BatchNorm { layers: layers.collect() }
    }

    pub(super) fn assert_batch_norm(&self, norm: &BatchNorm<F>) {
        assert!(self.is_normalized, "a workspace without batch normalisation");
        let lengths = |layer: &NormalizedLayer<F>| [layer.scale.len(), layer.mean.len(), layer.variance.len()];
        let found: Vec<[usize; 3]> = norm.layers.iter().map(lengths).collect();
        let expected: Vec<[usize; 3]> = self.n_units_hidden().into_iter().map(|n_units| [n_units; 3]).collect();
        assert_eq!(found, expected, "numbers of normalised layers, and units of hidden layers");
    }

    fn hidden(&self) -> impl Iterator<Item = &LayerShape> {
        self.layers[..self.layers.len() - 1].iter()
    }

    fn n_units_hidden(&self) -> Vec<usize> {
        self.hidden().map(|shape| shape.n_outputs).collect()
    }

    /// A number for each unit of a layer, from a row of each of its tiles.
    fn unit_row<'a>(&'a self, shape: &LayerShape, row: impl Fn(usize, &'a TileNorm<F>) -> &'a Aligned<F>) -> Array1<F> {
        let mut units = Array1::zeros(shape.n_outputs);
        for index in shape.tiles() {
            let tile = &self.tiles[index];
            let Some(norm) = &tile.norm else { continue };
            let values = units.iter_mut().skip(tile.first_unit);
            values.zip(&**row(index, norm)).for_each(|(unit, &value)| *unit = value);
        }
        units
    }
}

/// Copies the numbers of the units from `first_unit` on into a row of their tile.
pub(super) fn fill<F: Real>(row: &mut [F], units: &Array1<F>, first_unit: usize) {
    row.iter_mut().zip(units.iter().skip(first_unit)).for_each(|(value, &unit)| *value = unit);
}

/// A hidden layer whose products are normalised, in the step under way.
pub(super) struct NormalizedStage<'a, F> {
    pub(super) kernel: Kernel,
    pub(super) workers: &'a Workers,
    pub(super) shape: &'a LayerShape,
    /// Those of the layer.
    pub(super) tiles: &'a mut [Tile<F>],
    /// Those of the layer.
    pub(super) patches: &'a mut [Patch<F>],
    pub(super) n_blocks: usize,
    /// As far as the batch reaches.
    pub(super) n_blocks_used: usize,
    pub(super) n_samples: usize,
}

impl<F: Real> NormalizedStage<'_, F> {
    /// From products to outputs, by the statistics of the batch or by the running ones. `mask` is what is left out of the outputs;
    /// a block has `block_rows` rows.
    pub(super) fn forward(self, of_batch: bool, mask: Option<Mask<F>>, block_rows: usize) {
        let NormalizedStage { kernel, workers, shape, tiles, patches, n_blocks, n_blocks_used, n_samples } = self;
        let n_numbers = n_samples * shape.n_outputs;
        if of_batch {
            assert!(n_samples > 1, "a single sample has no variance");
            let patches = Patches { patches, n_blocks };
            each(workers, n_numbers * COST_OF_SUMS, tiles, |tile| {
                let patches = &patches.in_tile(tile.number(shape))[..n_blocks_used];
                let Some(norm) = &mut tile.norm else { return };
                F::dispatch(kernel, TakeStatistics { norm, patches, n_samples });
            });
        } else {
            tiles.iter_mut().filter_map(|tile| tile.norm.as_mut()).for_each(TileNorm::take_running_statistics);
        }
        let (tiles, activation) = (&*tiles, shape.activation);
        each(workers, n_numbers * COST_OF_OUTPUT, patches, |patch| {
            let tile = &tiles[patch.tile];
            if let (1.., Some(norm)) = (patch.n_rows, &tile.norm) {
                let first_row = patch.block * block_rows;
                F::dispatch(kernel, Normalize { patch, norm, bias: &tile.bias, activation, mask, first_row });
            }
        });
    }

    /// From the deltas behind the normalisation to those of the products.
    pub(super) fn backward(self) {
        let NormalizedStage { kernel, workers, shape, tiles, patches, n_blocks, n_blocks_used, n_samples } = self;
        let work = n_samples * shape.n_outputs * COST_OF_SUMS;
        let of_tiles = Patches { patches, n_blocks };
        each(workers, work, tiles, |tile| {
            let patches = &of_tiles.in_tile(tile.number(shape))[..n_blocks_used];
            let Some(norm) = &mut tile.norm else { return };
            F::dispatch(kernel, SumDeltas { norm, patches });
        });
        let tiles = &*tiles;
        each(workers, work, patches, |patch| {
            if let (1.., Some(norm)) = (patch.n_rows, &tiles[patch.tile].norm) {
                F::dispatch(kernel, PassBack { patch, norm, n_samples });
            }
        });
    }
}
