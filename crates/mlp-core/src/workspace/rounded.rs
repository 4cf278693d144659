//! Workspaces whose products take their factors rounded to bf16.

use crate::aligned::Aligned;
use crate::kernel::level::Kernel;
use crate::kernel::pairs::PairKernel;
use crate::kernel::panel::PANEL_WIDTH_MAX;
use crate::kernel::workers::Workers;
use crate::mlp::Mlp;
use crate::real::Real;
use crate::workspace::Workspace;
use crate::workspace::inputs::Keep;
use crate::workspace::layout::Rows;
use crate::workspace::update::STRIP;

impl<F: Real> Workspace<F> {
    /// [`Workspace::new`] with matrix products of numbers in bf16, which processors with instructions for them compute twice
    /// as fast: weights, inputs, outputs of hidden layers and deltas are rounded to it, to nearest and ties to even, before they
    /// are multiplied, and their products are summed in `f32`. Weights and the sink's state stay in `f32`, as do biases,
    /// activation functions and their derivatives.
    ///
    /// Numbers below 2⁻⁵⁶ ≈ 1.4e-17 are rounded to 0 there, and 2⁶³ ≈ 9.2e18 or more is not a number: then no product and no
    /// sum is subnormal, and what instructions do with those makes no difference. Products have the same bits on every level.
    ///
    /// ```
    /// use mlp_core::{
    ///     Activation, ArrayBatch, Initializer, KeepGradient, Kernel, Loss, Mlp, Objective, Reduction, Workers, Workspace,
    ///     backpropagate,
    /// };
    /// use ndarray::array;
    ///
    /// let mlp = Mlp::<f32>::seeded(&[2, 3, 1], &[Activation::Sigmoid; 2], true, Initializer::LECUN_NORMAL, 0);
    /// let (inputs, targets) = (array![[0.0, 1.0], [1.0, 0.5]], array![[1.0], [0.0]]);
    /// let objective = Objective { loss: Loss::Squared, reduction: Reduction::Mean };
    /// let workers = Workers::new(1);
    /// let mut workspace = Workspace::with_bf16_products(&mlp, 2, 1, Kernel::detect(), &workers);
    /// let batch = ArrayBatch::new(inputs.view(), targets.view());
    /// workspace.step(&batch, objective, &KeepGradient, &workers)?;
    ///
    /// let (_, expected) = backpropagate(&mlp, inputs.view(), targets.view(), objective);
    /// let found = workspace.slot(0);
    /// assert!((&found.layers[0].weights - &expected.layers[0].weights).iter().all(|error| error.abs() < 1e-3));
    /// # Ok::<(), mlp_core::NonFinite>(())
    /// ```
    ///
    /// # Panics
    /// As [`Workspace::new`], and where `F` is not `f32` or `max_batch` is below 2.
    pub fn with_bf16_products(
        mlp: &Mlp<F>,
        max_batch: usize,
        n_slots: usize,
        kernel: Kernel,
        workers: &Workers,
    ) -> Workspace<F> {
        assert!(size_of::<F>() == size_of::<f32>(), "products in bf16 are for networks in f32");
        assert!(max_batch > 1, "products in bf16 are for workspaces for batches of 2 or more");
        let n_threads = workers.n_threads();
        let rows = Rows::suiting(mlp, max_batch, n_threads);
        let mut workspace = Workspace::without_weights(mlp, max_batch, rows, Keep::LastRow, n_slots, kernel, n_threads);
        workspace.round_to_bf16();
        workspace.load(mlp);
        workspace
    }

    fn round_to_bf16(&mut self) {
        let kernel = PairKernel::new(self.kernel);
        let last = self.layers.len() - 1;
        self.inputs = std::mem::take(&mut self.inputs).into_iter().map(|part| part.in_pairs(kernel)).collect();
        for (layer, patches) in self.patches.iter_mut().enumerate() {
            *patches = std::mem::take(patches)
                .into_iter()
                .map(|patch| patch.in_pairs(kernel, layer == 0, layer == last))
                .collect();
        }
        // The columns of all panels of each layer.
        let n_columns: Vec<_> = self
            .layers
            .iter()
            .map(|shape| self.tiles[shape.tiles()].last().map_or(0, |tile| tile.first_unit + tile.width))
            .collect();
        let inputs = &self.inputs;
        let tiles = std::mem::take(&mut self.tiles).into_iter().map(|mut tile| {
            tile.transposed = Aligned::zeros(0);
            let width = tile.width;
            // In the first layer what its lists want; behind it, what belongs to a whole tile of the layer before.
            let (n_transposed, n_together) = match tile.layer.checked_sub(1) {
                None => (0, inputs[0].sparse.columns_together(STRIP / width)),
                Some(before) => (n_columns[before], PANEL_WIDTH_MAX),
            };
            tile.in_pairs(kernel, n_transposed, n_together * width)
        });
        self.tiles = tiles.collect();
    }
}
