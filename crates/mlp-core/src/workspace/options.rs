//! Steps that do more than to descend.

use crate::dropout::Masks;
use crate::kernel::workers::Workers;
use crate::loss::Objective;
use crate::real::Real;
use crate::sink::GradientSink;
use crate::workspace::batch::Batch;
use crate::workspace::update::HandedTo;
use crate::workspace::{NonFinite, Workspace};

/// What a step does besides going forward, back and down. The default is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepOptions<'a> {
    /// Leaves out inputs and hidden outputs.
    pub masks: Option<Masks<'a>>,
    /// The largest Euclidean norm of the gradient g of all weights and biases, and of γ with batch normalisation, above 0:
    /// where it is longer, the sink is
    /// handed g · clip_norm / ‖g‖ (Pascanu, Mikolov & Bengio 2013).
    pub clip_norm: Option<f64>,
    /// The largest Euclidean norm of the weights of each unit, above 0: where they are longer after the update, they are
    /// shortened to it ([`Mlp::limit_norms`](crate::Mlp::limit_norms)), up to rounding. Biases are left alone.
    pub max_norm: Option<f64>,
}

impl<F: Real> Workspace<F> {
    /// [`Workspace::step`] with more to do. With any of the options it needs a workspace for batches of at least 2; the batch
    /// may be smaller.
    ///
    /// ```
    /// use mlp_core::{
    ///     Activation, ArrayBatch, Dropout, Initializer, KeepGradient, Kernel, Loss, Mlp, Objective, Reduction, StepOptions,
    ///     Workers, Workspace, backpropagate_masked,
    /// };
    /// use mlp_core::ndarray::array;
    ///
    /// let mlp = Mlp::<f64>::seeded(&[2, 8, 1], &[Activation::Sigmoid; 2], true, Initializer::LECUN_NORMAL, 0);
    /// let (inputs, targets) = (array![[0.2, 1.0], [1.0, 0.5]], array![[1.0], [0.0]]);
    /// let objective = Objective { loss: Loss::Squared, reduction: Reduction::Mean };
    /// let workers = Workers::new(1);
    /// let mut workspace = Workspace::new(&mlp, 2, 1, Kernel::detect(), &workers);
    /// let batch = ArrayBatch::new(inputs.view(), targets.view());
    ///
    /// let dropout = Dropout::new(0.2, &[0.5]);
    /// let options = StepOptions { masks: Some(dropout.masks(1)), ..StepOptions::default() };
    /// workspace.step_with_options(&batch, objective, &KeepGradient, options, &workers)?;
    ///
    /// let (_, expected) = backpropagate_masked(&mlp, inputs.view(), targets.view(), objective, dropout.masks(1));
    /// let found = workspace.slot(0);
    /// assert!((&found.layers[0].weights - &expected.layers[0].weights).iter().all(|error| error.abs() < 1e-15));
    /// # Ok::<(), mlp_core::NonFinite>(())
    /// ```
    ///
    /// # Errors
    /// As [`Workspace::step`], and where a norm is infinite or not a number.
    ///
    /// # Panics
    /// As [`Workspace::step`], with any option in a workspace for single samples, and where there are not as many rates of
    /// dropout as hidden layers.
    pub fn step_with_options<S: GradientSink<F>>(
        &mut self,
        batch: &impl Batch<F>,
        objective: Objective,
        sink: &S,
        options: StepOptions<'_>,
        workers: &Workers,
    ) -> Result<f64, NonFinite> {
        let StepOptions { masks, clip_norm, max_norm } = options;
        if options == StepOptions::default() {
            return self.step(batch, objective, sink, workers);
        }
        assert!(self.max_batch > 1, "options of a step are for workspaces for batches of 2 or more");
        masks.iter().for_each(|masks| masks.assert_fits(self.layers.len()));
        self.assert_objective(objective);
        self.assert_slots::<S>();
        self.forward_pass(batch, Some(&objective), masks, workers);
        self.backpropagate(masks, workers);
        if let Some(norm) = clip_norm {
            self.clip(norm, workers)?;
        }
        self.update(&HandedTo { sink, max_norm: max_norm.map(F::narrow) }, workers);
        self.loss_of_step()
    }
}
