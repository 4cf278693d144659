//! One epoch.

use mlp_train::{Inputs, Rows, Samples, Targets, Update, dropout_key};
use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut2, s};
use pyo3::PyResult;

use super::Training;
use super::settings::Rates;
use crate::features::View;
use crate::number::Number;
use crate::python_error::not_finite;
use crate::signals::Signals;

/// What an epoch goes through.
pub(super) struct Epoch<'a, F> {
    pub(super) view: View<'a, F>,
    pub(super) targets: ArrayView2<'a, F>,
    pub(super) order: &'a [usize],
    pub(super) weights: Option<ArrayView1<'a, f64>>,
    pub(super) rates: Rates,
    pub(super) batch_size: usize,
}

/// How far training has come.
#[derive(Clone, Copy, Default)]
pub(super) struct Progress {
    /// The samples of this epoch that have had their step.
    pub(super) samples: usize,
    /// The loss of each of its batches times their number of samples, in sum.
    pub(super) loss: f64,
    /// Steps since the beginning.
    pub(super) steps: u64,
    /// Of the last step; 0 before the first.
    pub(super) learning_rate: f64,
}

impl<F: Number> Training<F> {
    /// What is left of an epoch, batch by batch. Returns the sum of its losses.
    pub(super) fn take_epoch(&mut self, epoch: &Epoch<'_, F>) -> PyResult<f64> {
        self.take_rate(epoch.rates.learning_rate);
        let mut signals = Signals::new();
        while self.progress.samples < epoch.order.len() {
            let end = epoch.order.len().min(self.progress.samples + epoch.batch_size);
            self.take_batch(epoch, &epoch.order[self.progress.samples..end])?;
            self.team.has_done(end - self.progress.samples);
            self.progress.samples = end;
            signals.check()?;
        }
        // What came in the last moment is told here, where Python knows how far things are.
        signals.check_now()?;
        if let Some((mean, rate)) = self.mean.as_mut().zip(epoch.rates.mean_rate) {
            mean.add(&self.workspace, rate, self.team.workers());
        }
        let loss = self.progress.loss;
        self.progress = super::Progress { samples: 0, loss: 0.0, ..self.progress };
        Ok(loss)
    }

    /// scikit-learn's velocities u have their learning rates in them: u ← μ·u + η·g, w ← w − u. Here they have not: with u = η·v
    /// it is v ← μ·v + g, w ← w − η·v, as long as η stays. Where it changes, v becomes u over the new η.
    fn take_rate(&mut self, learning_rate: f64) {
        let before = std::mem::replace(&mut self.progress.learning_rate, learning_rate);
        if before == learning_rate || before == 0.0 || !self.rule.keeps_velocities() {
            return;
        }
        let factor = F::narrow(before / learning_rate);
        let mut velocities = self.workspace.slot(0);
        for layer in &mut velocities.layers {
            layer.weights.mapv_inplace(|v| v * factor);
            layer.bias.iter_mut().for_each(|bias| bias.mapv_inplace(|v| v * factor));
        }
        self.workspace.set_slot(0, &velocities);
    }

    fn take_batch(&mut self, epoch: &Epoch<'_, F>, rows: &[usize]) -> PyResult<()> {
        let Epoch { view, targets, weights, rates, .. } = *epoch;
        let n_samples = rows.len() as f64;
        // What the losses of the batch are a mean over.
        let weights: Option<Vec<f64>> = weights.map(|weights| rows.iter().map(|&row| weights[row]).collect());
        let total = weights.as_ref().map_or(n_samples, |weights| weights.iter().sum());
        if total <= 0.0 {
            // Samples that count nothing have nothing to teach.
            return Ok(());
        }
        let shares: Vec<f64> = weights.iter().flatten().map(|weight| weight * (n_samples / total)).collect();
        let penalty = if rates.alpha == 0.0 {
            0.0
        } else {
            0.5 * rates.alpha * self.workspace.squared_weights(self.team.workers()) / total
        };
        let step = self.progress.steps + 1;
        let (learning_rate, l2) = (rates.learning_rate, rates.alpha / total);
        let (rule, workers) = (&self.rule, self.team.workers());
        let masks = rule.dropout.as_ref().map(|dropout| dropout.masks(dropout_key(rule.seed, step)));
        let (clip_norm, max_norm) = (rule.clip_norm, rule.max_norm);
        let update = Update { learning_rate, step, l2, l1: 0.0, clip_norm, max_norm, masks };
        let workspace = &mut self.workspace;
        let take = |batch: Rows<'_, '_, F>| {
            let batch = if shares.is_empty() { batch } else { batch.with_weights(&shares) };
            F::step(rule.at(update), workspace, &batch, rule.objective, update, workers).map_err(not_finite)
        };
        let sum = match &mut self.deformed {
            None => with_rows(view, targets, rows, &mut self.dense, take),
            Some(deformed) => {
                let white = if matches!(view, View::Bytes(_)) { 255.0 } else { 1.0 };
                let deform = |batch: ArrayViewMut2<'_, F>| deformed.deform(batch, rows, rates.epoch, white, workers);
                with_gathered(view, targets, rows, &mut self.dense, deform, take)
            }
        }?;
        if let Some((mean, rate)) = self.mean.as_mut().zip(rule.mean_rate(step)) {
            mean.add(&self.workspace, rate, workers);
        }
        self.progress.steps = step;
        self.progress.loss += sum * self.rule.loss_factor + penalty * n_samples;
        Ok(())
    }
}

/// The batch of these rows: as they are where their numbers have the network's type, otherwise by way of `dense`.
pub(crate) fn with_rows<F: Number, T>(
    view: View<'_, F>,
    targets: ArrayView2<'_, F>,
    rows: &[usize],
    dense: &mut Array2<F>,
    work: impl FnOnce(Rows<'_, '_, F>) -> T,
) -> T {
    if let View::Own(values) = view {
        let samples = Samples { inputs: Inputs::Values(values), targets: Targets::Values(targets), weights: None };
        return work(Rows::new(&samples, rows));
    }
    with_gathered(view, targets, rows, dense, |_| (), work)
}

/// The batch of these rows by way of `dense`, where `change` has a look at the inputs first.
fn with_gathered<F: Number, T>(
    view: View<'_, F>,
    targets: ArrayView2<'_, F>,
    rows: &[usize],
    dense: &mut Array2<F>,
    change: impl FnOnce(ArrayViewMut2<'_, F>),
    work: impl FnOnce(Rows<'_, '_, F>) -> T,
) -> T {
    let (n_rows, n_inputs) = (rows.len(), view.shape().1);
    if dense.nrows() < n_rows || dense.ncols() != n_inputs {
        *dense = Array2::zeros((n_rows, n_inputs));
    }
    view.gather(rows.iter().copied(), dense.slice_mut(s![..n_rows, ..]));
    change(dense.slice_mut(s![..n_rows, ..]));
    let targets = Array2::from_shape_fn((n_rows, targets.ncols()), |(row, column)| targets[[rows[row], column]]);
    let samples = Samples {
        inputs: Inputs::Values(dense.slice(s![..n_rows, ..])),
        targets: Targets::Values(targets.view()),
        weights: None,
    };
    let rows: Vec<usize> = (0..n_rows).collect();
    work(Rows::new(&samples, &rows))
}
