//! The training behind a classifier and a regressor: columns are scaled, a network is trained, and the scales are folded into
//! its weights.

use std::ops::ControlFlow;

use mlp_core::{Activation, Kernel, Layer, Mlp, Real, Workers, Workspace};
use ndarray::{Array1, Array2, ArrayView2, aview2};

use super::scaler::StandardScaler;
use crate::config::{Precision, TrainConfig};
use crate::data::{Inputs, Rows, Samples, Targets, check_finite};
use crate::encoding::Codebook;
use crate::error::{Error, ErrorKind, Result};
use crate::evaluate::CHUNK;
use crate::history::{Divergence, History, Outcome};
use crate::model::{AnyMlp, SavedModel};
use crate::train::{Setup, train};
use crate::trainable::Trainable;

/// A network that takes the table's own numbers, in double precision.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fitted {
    pub(super) mlp: Mlp<f64>,
    /// Describes `mlp`; all else is as it was trained.
    pub(super) config: TrainConfig,
    /// What was measured, on scaled columns; `None` for a network that was loaded.
    pub(super) history: Option<History>,
}

/// What a network should answer to the rows.
#[derive(Clone, Copy)]
pub(super) enum Wanted<'a> {
    Classes { labels: &'a [usize], codebook: &'a Codebook },
    Numbers(ArrayView2<'a, f64>),
}

/// Trains as `config` says.
pub(super) fn fit(config: &TrainConfig, inputs: ArrayView2<'_, f64>, wanted: Wanted<'_>) -> Result<Fitted> {
    let input_scaler = StandardScaler::fit(inputs)?;
    let scaled = input_scaler.transform(inputs)?;
    let target_scaler = match wanted {
        // Other outputs are bounded, and targets for them lie where they do.
        Wanted::Numbers(targets) if config.output_activation == Activation::Identity => {
            Some(StandardScaler::fit(targets)?)
        }
        _ => None,
    };
    let scaled_targets = match (wanted, &target_scaler) {
        (Wanted::Numbers(targets), Some(scaler)) => Some(scaler.transform(targets)?),
        (Wanted::Numbers(targets), None) => Some(targets.to_owned()),
        (Wanted::Classes { .. }, _) => None,
    };
    let classes = match wanted {
        Wanted::Classes { labels, codebook } => Some((labels, codebook)),
        Wanted::Numbers(_) => None,
    };
    let n_rows = inputs.nrows().saturating_sub(config.validation).max(1);
    let config = config.clone().batch_size(config.batch_size.min(n_rows));
    let targets = scaled_targets.as_ref();
    let (mut mlp, history) = match config.precision {
        Precision::F32 | Precision::Bf16 => run::<f32>(&config, &scaled, classes, targets)?,
        Precision::F64 => run::<f64>(&config, &scaled, classes, targets)?,
    };
    fold_inputs(&mut mlp, &input_scaler);
    if let Some(scaler) = &target_scaler {
        fold_targets(&mut mlp, scaler);
    }
    Ok(Fitted { mlp, config: config.bias(true).batch_norm(false).precision(Precision::F64), history: Some(history) })
}

fn run<F: Trainable>(
    config: &TrainConfig,
    inputs: &Array2<f64>,
    classes: Option<(&[usize], &Codebook)>,
    targets: Option<&Array2<f64>>,
) -> Result<(Mlp<f64>, History)> {
    let inputs = inputs.mapv(F::narrow);
    let numbers = targets.map(|targets| targets.mapv(F::narrow));
    let targets = match (classes, &numbers) {
        (Some((labels, codebook)), _) => Targets::labels(labels, codebook),
        (None, Some(numbers)) => Targets::Values(numbers.view()),
        (None, None) => unreachable!("rows have classes or numbers as targets"),
    };
    let samples = Samples { inputs: Inputs::Values(inputs.view()), targets, weights: None };
    let workers = Workers::new(1);
    let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
    let run = train(config, &samples, None, setup, &mut |_| ControlFlow::Continue(()))?;
    if let Outcome::Diverged(Divergence { epoch, batch, layer }) = run.outcome {
        let found = format!("that they overflow in epoch {epoch}, batch {batch}, layer {layer}");
        let error = Error::new(ErrorKind::NotFinite, "numbers that stay finite in training", found);
        return Err(error.with_advice("take a lower learning_rate"));
    }
    Ok((widened(&run.mlp), run.history))
}

/// (x − mean) / deviation · W + b = x · (W / deviation) + (b − mean / deviation · W).
fn fold_inputs(mlp: &mut Mlp<f64>, scaler: &StandardScaler) {
    let first = &mut mlp.layers[0];
    let bias = first.bias.as_mut().expect("widened networks have biases");
    for (mut row, (mean, deviation)) in
        first.weights.rows_mut().into_iter().zip(scaler.mean().iter().zip(scaler.deviation()))
    {
        row /= *deviation;
        bias.scaled_add(-mean, &row);
    }
}

/// (a · W + b) · deviation + mean = a · (W · deviation) + (b · deviation + mean).
fn fold_targets(mlp: &mut Mlp<f64>, scaler: &StandardScaler) {
    let last = mlp.layers.last_mut().expect("a network has layers");
    let bias = last.bias.as_mut().expect("widened networks have biases");
    for (unit, (mean, deviation)) in scaler.mean().iter().zip(scaler.deviation()).enumerate() {
        last.weights.column_mut(unit).mapv_inplace(|weight| weight * deviation);
        bias[unit] = bias[unit] * deviation + mean;
    }
}

/// The same network in double precision, with biases of 0 where it had none.
fn widened<F: Real>(mlp: &Mlp<F>) -> Mlp<f64> {
    let layers = mlp.layers.iter().map(|layer| Layer {
        weights: layer.weights.mapv(|weight| weight.widen()),
        bias: Some(match &layer.bias {
            Some(bias) => bias.mapv(|value| value.widen()),
            None => Array1::zeros(layer.weights.ncols()),
        }),
        activation: layer.activation,
    });
    Mlp { layers: layers.collect() }
}

impl Fitted {
    /// The network of a model file.
    pub(super) fn of(model: &SavedModel) -> Self {
        let mlp = match &model.network {
            AnyMlp::F32(mlp) => widened(mlp),
            AnyMlp::F64(mlp) => widened(mlp),
        };
        let config = model.config.clone().bias(true).batch_norm(false).precision(Precision::F64);
        Self { mlp, config, history: None }
    }

    /// The outputs for each row, shape `(n_rows, n_outputs)`: for a row the same bits, however many others there are.
    pub(super) fn outputs(&self, inputs: ArrayView2<'_, f64>) -> Result<Array2<f64>> {
        let (n_inputs, n_outputs) = (self.mlp.n_inputs(), self.mlp.n_outputs());
        if inputs.ncols() != n_inputs {
            let expected = format!("{n_inputs} columns, as in the table that was fitted");
            return Err(Error::new(ErrorKind::Samples, expected, inputs.ncols().to_string()));
        }
        check_finite(inputs, "input")?;
        let workers = Workers::new(1);
        let mut workspace = Workspace::new(&self.mlp, CHUNK, 0, Kernel::detect(), &workers);
        // Nobody asks for targets on the way forward.
        let samples =
            Samples { inputs: Inputs::Values(inputs), targets: Targets::Values(aview2::<f64, 0>(&[])), weights: None };
        let rows: Vec<usize> = (0..inputs.nrows()).collect();
        let mut outputs = Array2::zeros((rows.len(), n_outputs));
        for chunk in rows.chunks(CHUNK) {
            f64::forward(&mut workspace, &Rows::new(&samples, chunk), &workers);
            for (position, &row) in chunk.iter().enumerate() {
                let found = workspace.outputs(position);
                outputs.row_mut(row).iter_mut().zip(found).for_each(|(output, &found)| *output = found);
            }
        }
        match outputs.indexed_iter().find(|(_, output)| !output.is_finite()) {
            None => Ok(outputs),
            Some(((row, column), output)) => {
                let found = format!("{output} as output {column}: the numbers of this row are too large");
                Err(Error::new(ErrorKind::NotFinite, "finite outputs", found).of_sample(row))
            }
        }
    }
}

/// Refuses tables whose rows and targets differ in number.
pub(super) fn check_numbers(n_rows: usize, n_targets: usize) -> Result<()> {
    if n_rows == n_targets {
        return Ok(());
    }
    let found = format!("{n_rows} rows and {n_targets} targets");
    Err(Error::new(ErrorKind::Samples, "one target for each row of inputs", found))
}
