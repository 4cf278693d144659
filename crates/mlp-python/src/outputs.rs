//! Answers.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::thread;

use mlp_train::mlp_core::{Kernel, Mlp, Workers, Workspace};
use ndarray::{Array2, ArrayView1, ArrayView2, Axis, Zip, s};
use numpy::{IntoPyArray, PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::features::{Features, View};
use crate::network::{activation, network};
use crate::number::Number;
use crate::python_error::detached;
use crate::signals::Signals;
use crate::team::{Team, share};
use crate::trainer::with_rows;

/// Samples that are answered together.
const CHUNK: usize = 256;

/// Multiply-adds that take a few milliseconds.
const WORTH_A_THREAD: usize = 20_000_000;

/// So few that packing the weights would take longer than reading them.
const FEW: usize = 4;

/// What a network with these weights answers to `x`: an array of shape `(n_samples, n_outputs)` in the network's type. A dense
/// `x` whose numbers are not all finite is refused where `check` is true.
#[pyfunction]
#[pyo3(signature = (x, coefs, intercepts, activation, out_activation, n_threads, check=false))]
pub(crate) fn outputs<'py>(
    x: &Bound<'py, PyAny>,
    coefs: &Bound<'py, PyAny>,
    intercepts: &Bound<'py, PyAny>,
    activation: &str,
    out_activation: &str,
    n_threads: usize,
    check: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let given = Given { coefs, intercepts, activations: [activation, out_activation], n_threads, check };
    if coefs.get_item(0)?.cast::<PyArray2<f32>>().is_ok() { given.outputs::<f32>(x) } else { given.outputs::<f64>(x) }
}

struct Given<'a, 'py> {
    coefs: &'a Bound<'py, PyAny>,
    intercepts: &'a Bound<'py, PyAny>,
    /// Of the hidden layers, and of the outputs.
    activations: [&'a str; 2],
    n_threads: usize,
    check: bool,
}

impl<'py> Given<'_, 'py> {
    fn outputs<F: Number>(&self, x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = x.py();
        let features = Features::<F>::new(x)?;
        let view = features.view()?;
        let n_samples = view.shape().0;
        if n_samples <= FEW
            && let View::Own(values) = view
        {
            if self.check {
                check_finite(&view, 0..n_samples)?;
            }
            return Ok(self.few(values)?.into_pyarray(py).into_any());
        }
        let mlp = network::<F>(self.coefs, self.intercepts, self.activations[0], self.activations[1])?;
        view.check_columns(mlp.layers[0].weights.nrows())?;
        let (n_threads, check) = (self.n_threads, self.check);
        let outputs = detached(py, || of_network(&mlp, view, n_threads, check))??;
        Ok(outputs.into_pyarray(py).into_any())
    }

    /// Row by row, straight from Python's arrays.
    fn few<F: Number>(&self, values: ArrayView2<'_, F>) -> PyResult<Array2<F>> {
        let coefs: Vec<PyReadonlyArray2<'_, F>> = self.coefs.extract()?;
        let intercepts: Vec<PyReadonlyArray1<'_, F>> = self.intercepts.extract()?;
        let [hidden, output] = [activation(self.activations[0])?, activation(self.activations[1])?];
        let last = coefs.len().saturating_sub(1);
        let n_outputs = intercepts.last().map_or(0, |bias| bias.as_array().len());
        let mut outputs = Array2::zeros((values.nrows(), n_outputs));
        for (row, mut into) in values.rows().into_iter().zip(outputs.rows_mut()) {
            let mut received = row.to_vec();
            for (index, (weights, bias)) in coefs.iter().zip(&intercepts).enumerate() {
                received = net_inputs(&received, weights.as_array(), bias.as_array())?;
                if index == last { output } else { hidden }.apply(&mut received);
            }
            into.iter_mut().zip(received).for_each(|(into, value)| *into = value);
        }
        Ok(outputs)
    }
}

/// x · W + b, for one row.
fn net_inputs<F: Number>(x: &[F], weights: ArrayView2<'_, F>, bias: ArrayView1<'_, F>) -> PyResult<Vec<F>> {
    if weights.dim() != (x.len(), bias.len()) {
        let (expected, found) = ((x.len(), bias.len()), weights.dim());
        return Err(PyValueError::new_err(format!("expected coefs of shape {expected:?}, found {found:?}")));
    }
    let mut sums = bias.to_vec();
    for (&x, weights) in x.iter().zip(weights.rows()) {
        if x == F::zero() {
            continue;
        }
        match weights.to_slice() {
            Some(weights) => sums.iter_mut().zip(weights).for_each(|(sum, &weight)| *sum += x * weight),
            None => sums.iter_mut().zip(weights).for_each(|(sum, &weight)| *sum += x * weight),
        }
    }
    Ok(sums)
}

/// Threads take chunk after chunk, each with a copy of the weights: they need not wait for each other.
fn of_network<F: Number>(mlp: &Mlp<F>, view: View<'_, F>, n_threads: usize, check: bool) -> PyResult<Array2<F>> {
    let n_samples = view.shape().0;
    let max_batch = n_samples.clamp(2, CHUNK);
    let n_outputs = mlp.n_outputs();
    let mut outputs = Array2::zeros((n_samples, n_outputs));
    let chunks = Mutex::new(outputs.axis_chunks_iter_mut(Axis(0), max_batch).enumerate());
    let failure = Mutex::new(None);
    let answer_chunks = |is_caller: bool| {
        let workers = Workers::new(1);
        let mut workspace = Workspace::new(mlp, max_batch, 0, Kernel::detect(), &workers);
        let (mut dense, mut signals) = (Array2::zeros((0, 0)), Signals::new());
        loop {
            let next = chunks.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((index, mut into)) = next else { return };
            let first = index * max_batch;
            let rows: Vec<usize> = (first..first + into.nrows()).collect();
            // While they are on their way into the cache anyway.
            let checked = if check { check_finite(&view, first..first + into.nrows()) } else { Ok(()) };
            forward(&mut workspace, view, &rows, &mut dense, &workers);
            for (row, mut into) in into.rows_mut().into_iter().enumerate() {
                into.iter_mut().zip(workspace.outputs(row)).for_each(|(into, &value)| *into = value);
            }
            let mut failure = failure.lock().unwrap_or_else(PoisonError::into_inner);
            // Python's handlers run in the thread that called.
            if failure.is_none() {
                *failure = checked.and_then(|()| if is_caller { signals.check() } else { Ok(()) }).err();
            }
            if failure.is_some() {
                return;
            }
        }
    };
    let n_chunks = n_samples.div_ceil(max_batch);
    let is_small = n_samples * mlp.n_parameters() < WORTH_A_THREAD;
    let n_helpers = if is_small { 0 } else { share(n_threads).min(n_chunks).saturating_sub(1) };
    thread::scope(|scope| {
        // Where the system refuses a thread, the others do its chunks.
        for _ in 0..n_helpers {
            let _ = thread::Builder::new().spawn_scoped(scope, || answer_chunks(false));
        }
        answer_chunks(true);
    });
    match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(raised) => Err(raised),
        None => Ok(outputs),
    }
}

/// The forward pass asks for no targets.
fn forward<F: Number>(
    workspace: &mut Workspace<F>,
    view: View<'_, F>,
    rows: &[usize],
    dense: &mut Array2<F>,
    workers: &Workers,
) {
    let no_targets = Array2::zeros((view.shape().0, 0));
    with_rows(view, no_targets.view(), rows, dense, |batch| F::forward(workspace, &batch, workers));
}

/// The outputs for these rows, a batch of the workspace after the other.
pub(crate) fn answer<F: Number>(
    workspace: &mut Workspace<F>,
    max_batch: usize,
    view: View<'_, F>,
    rows: &[usize],
    dense: &mut Array2<F>,
    team: &mut Team,
) -> PyResult<Array2<F>> {
    let mut outputs: Vec<F> = Vec::new();
    let mut n_outputs = 0;
    let mut signals = Signals::new();
    for chunk in rows.chunks(max_batch) {
        forward(workspace, view, chunk, dense, team.workers());
        team.has_done(chunk.len());
        for row in 0..chunk.len() {
            let answer = workspace.outputs(row);
            n_outputs = answer.len();
            outputs.reserve(if outputs.is_empty() { rows.len() * n_outputs } else { 0 });
            outputs.extend_from_slice(answer);
        }
        signals.check()?;
    }
    Ok(Array2::from_shape_vec((rows.len(), n_outputs), outputs).expect("a row of outputs for each row of inputs"))
}

/// # Errors
///
/// Where numbers in these rows are not finite. Bytes are, and what is sparse has been looked at.
fn check_finite<F: Number>(view: &View<'_, F>, rows: Range<usize>) -> PyResult<()> {
    let is_finite = match view {
        View::Own(values) => all_finite(values.slice(s![rows, ..])),
        View::Single(values) => all_finite(values.slice(s![rows, ..])),
        View::Double(values) => all_finite(values.slice(s![rows, ..])),
        View::Bytes(_) | View::Sparse(_) => true,
    };
    if is_finite { Ok(()) } else { Err(PyValueError::new_err("expected finite numbers")) }
}

fn all_finite<F: Number>(values: ArrayView2<'_, F>) -> bool {
    Zip::from(values).fold(true, |finite, value| finite & value.is_finite())
}
