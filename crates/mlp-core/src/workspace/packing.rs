//! Weights and state on their way into the tiles and out of them.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut2, Axis, s};

use crate::aligned::Aligned;
use crate::backpropagation::{Gradients, LayerGradient};
use crate::mlp::{Layer, Mlp};
use crate::real::Real;
use crate::workspace::Workspace;
use crate::workspace::backward::TransposeAll;
use crate::workspace::patch::Patches;
use crate::workspace::tile::Tile;

impl<F: Real> Workspace<F> {
    /// Takes over the weights and biases of `mlp`; the state slots stay. The weights have to be finite: where an input is
    /// zero, its weights are not looked at.
    ///
    /// # Panics
    /// Where its shape or an activation is not that of the network that the workspace was made for.
    pub fn load(&mut self, mlp: &Mlp<F>) {
        self.assert_network(mlp);
        // Behind the last unit of a layer an overflow may have left what is not a number.
        for patch in self.patches.iter_mut().flatten() {
            patch.deltas.fill(F::zero());
        }
        for tile in &mut self.tiles {
            tile.clear();
            let layer = &mlp.layers[tile.layer];
            let (columns, width) = (columns(tile, layer.weights.ncols()), tile.width);
            fill_panels(layer, columns, width, &mut tile.weights, &mut tile.bias);
            if tile.layer == 0 {
                tile.pack_weights(0..layer.weights.nrows(), None);
            }
            if let Some(before) = tile.layer.checked_sub(1) {
                let before = Patches { patches: &self.patches[before], n_blocks: self.outputs.len() };
                F::dispatch(self.kernel, TransposeAll { tile, before });
            }
        }
    }

    /// Writes the weights and biases into `mlp`.
    ///
    /// # Panics
    /// Where its shape or an activation is not that of the network that the workspace was made for.
    pub fn store(&self, mlp: &mut Mlp<F>) {
        self.store_parts(mlp, |_, tile| (&tile.weights, &tile.bias));
    }

    /// Writes these parts of the tiles, each named by its index too, into `mlp` as weights and biases.
    pub(super) fn store_parts<'a>(
        &'a self,
        mlp: &mut Mlp<F>,
        parts: impl Fn(usize, &'a Tile<F>) -> (&'a Aligned<F>, &'a Aligned<F>),
    ) {
        self.assert_network(mlp);
        let values = self.unpack(parts);
        for (layer, values) in mlp.layers.iter_mut().zip(values.layers) {
            layer.weights = values.weights;
            layer.bias = values.bias;
        }
    }

    /// The state that sinks keep in slot `slot`, shaped as the network.
    ///
    /// # Panics
    /// Where there is no such slot.
    pub fn slot(&self, slot: usize) -> Gradients<F> {
        assert!(slot < self.n_slots, "slot {slot} of {}", self.n_slots);
        self.unpack(|_, tile| (&tile.weights_state[slot], &tile.bias_state[slot]))
    }

    /// Replaces the state in slot `slot`.
    ///
    /// # Panics
    /// Where there is no such slot, or the shape is not the network's.
    pub fn set_slot(&mut self, slot: usize, state: &Gradients<F>) {
        assert!(slot < self.n_slots, "slot {slot} of {}", self.n_slots);
        let (layers, has_bias): (Vec<_>, Vec<_>) =
            state.layers.iter().map(|layer| (layer.weights.dim(), layer.bias.is_some())).unzip();
        self.assert_shape(&layers, &has_bias);
        for tile in &mut self.tiles {
            let layer = &state.layers[tile.layer];
            let (columns, width) = (columns(tile, layer.weights.ncols()), tile.width);
            fill(&mut tile.weights_state[slot], columns.clone(), width, layer.weights.view());
            if let Some(bias) = &layer.bias {
                fill(&mut tile.bias_state[slot], columns, width, bias.view().insert_axis(Axis(0)));
            }
        }
    }

    pub(super) fn assert_network(&self, mlp: &Mlp<F>) {
        mlp.assert_consistent();
        let (shapes, has_bias): (Vec<_>, Vec<_>) =
            mlp.layers.iter().map(|layer| (layer.weights.dim(), layer.bias.is_some())).unzip();
        self.assert_shape(&shapes, &has_bias);
        for (shape, layer) in self.layers.iter().zip(&mlp.layers) {
            assert_eq!(
                shape.activation, layer.activation,
                "activations of the workspace's network, and of the one given"
            );
        }
    }

    fn assert_shape(&self, layers: &[(usize, usize)], has_bias: &[bool]) {
        let own: Vec<_> = self.layers.iter().map(|shape| (shape.n_inputs, shape.n_outputs)).collect();
        assert_eq!(own, layers, "shapes of the workspace's layers, and of those given");
        let own: Vec<_> = self.layers.iter().map(|shape| shape.has_bias).collect();
        assert_eq!(own, has_bias, "biases of the workspace's layers, and of those given");
    }

    /// Tensors in the network's shape from the tiles.
    fn unpack<'a>(&'a self, parts: impl Fn(usize, &'a Tile<F>) -> (&'a Aligned<F>, &'a Aligned<F>)) -> Gradients<F> {
        let layers = self.layers.iter().map(|shape| {
            let mut weights = Array2::zeros((shape.n_inputs, shape.n_outputs));
            let mut bias = Array1::zeros(shape.n_outputs);
            for index in shape.tiles() {
                let tile = &self.tiles[index];
                let (packed_weights, packed_bias) = parts(index, tile);
                take(packed_weights, tile, weights.view_mut());
                take(packed_bias, tile, bias.view_mut().insert_axis(Axis(0)));
            }
            LayerGradient { weights, bias: shape.has_bias.then_some(bias) }
        });
        Gradients { layers: layers.collect() }
    }
}

/// The columns of a matrix that belong to the units of a tile.
fn columns<F>(tile: &Tile<F>, n_columns: usize) -> Range<usize> {
    tile.first_unit..n_columns.min(tile.first_unit + tile.width)
}

/// Copies the parameters of a tile's units into panels of its shape.
pub(super) fn fill_parameters<F: Real>(tile: &Tile<F>, layer: &Layer<F>, weights: &mut [F], bias: &mut [F]) {
    fill_panels(layer, columns(tile, layer.weights.ncols()), tile.width, weights, bias);
}

fn fill_panels<F: Real>(
    layer: &Layer<F>,
    columns: Range<usize>,
    width: usize,
    weights_panel: &mut [F],
    bias_panel: &mut [F],
) {
    fill(weights_panel, columns.clone(), width, layer.weights.view());
    if let Some(bias) = &layer.bias {
        fill(bias_panel, columns, width, bias.view().insert_axis(Axis(0)));
    }
}

/// Copies a tile's columns of a matrix into a panel.
fn fill<F: Real>(panel: &mut [F], columns: Range<usize>, width: usize, matrix: ArrayView2<'_, F>) {
    for (packed, row) in panel.chunks_exact_mut(width).zip(matrix.rows()) {
        packed.iter_mut().zip(row.slice(s![columns.clone()])).for_each(|(packed, &value)| *packed = value);
    }
}

/// Copies a panel into a tile's columns of a matrix.
fn take<F: Real>(panel: &[F], tile: &Tile<F>, mut matrix: ArrayViewMut2<'_, F>) {
    let columns = columns(tile, matrix.ncols());
    for (packed, mut row) in panel.chunks_exact(tile.width).zip(matrix.rows_mut()) {
        row.slice_mut(s![columns.clone()]).iter_mut().zip(packed).for_each(|(value, &packed)| *value = packed);
    }
}
