//! Training, epoch by epoch: Python says in which order the samples come, with which learning rate, and when it is enough.

pub(crate) use epoch::with_rows;

mod deformed;
mod epoch;
mod settings;

use mlp_train::mlp_core::{Average, Gradients, Kernel, Mlp, Workspace};
use ndarray::{Array2, ArrayView1, ArrayView2};
use numpy::{IntoPyArray, PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::features::Features;
use crate::network;
use crate::number::Number;
use crate::python_error::detached;
use crate::team::Team;
use deformed::Deformed;
use epoch::{Epoch, Progress};
use settings::{Rates, Rule, Settings};

/// A network in training, with what its update rule remembers.
#[pyclass(module = "mlp_lab._native")]
pub(crate) struct Trainer(Inner);

enum Inner {
    Single(Training<f32>),
    Double(Training<f64>),
}

/// The same in one type of number.
struct Training<F: Number> {
    mlp: Mlp<F>,
    workspace: Workspace<F>,
    rule: Rule,
    max_batch: usize,
    team: Team,
    /// The inputs of a batch, where they have to be converted.
    dense: Array2<F>,
    deformed: Option<Deformed>,
    /// Whether the products of the workspace are of rounded numbers, so that another one answers.
    is_rounded: bool,
    /// A mean of the weights over training, if there is to be one.
    mean: Option<Average<F>>,
    progress: Progress,
}

#[pymethods]
impl Trainer {
    /// A network with these weights. `settings` is a dictionary with the names of [`Settings`].
    #[new]
    fn new(coefs: &Bound<'_, PyAny>, intercepts: &Bound<'_, PyAny>, settings: Settings) -> PyResult<Self> {
        let first = coefs.get_item(0)?;
        Ok(Self(if first.cast::<PyArray2<f32>>().is_ok() {
            Inner::Single(Training::new(coefs, intercepts, &settings)?)
        } else {
            Inner::Double(Training::new(coefs, intercepts, &settings)?)
        }))
    }

    /// An epoch over the rows of `x` in this order, or what is left of it; the sum over its batches of their loss times their
    /// number of samples. Where a signal's handler raises, `samples_done` and `loss_sum` say how far it came, and the next call
    /// goes on from there.
    fn epoch(
        &mut self,
        py: Python<'_>,
        x: &Bound<'_, PyAny>,
        targets: &Bound<'_, PyAny>,
        order: PyReadonlyArray1<'_, i64>,
        rates: Rates,
        sample_weight: Option<PyReadonlyArray1<'_, f64>>,
    ) -> PyResult<f64> {
        let weights = sample_weight.as_ref().map(|weights| weights.as_array());
        match &mut self.0 {
            Inner::Single(training) => training.epoch(py, x, targets, order.as_array(), rates, weights),
            Inner::Double(training) => training.epoch(py, x, targets, order.as_array(), rates, weights),
        }
    }

    /// What the network of this moment answers to these rows of `x`, or to all; with `of_mean` that of the mean.
    #[pyo3(signature = (x, rows, of_mean=false))]
    fn outputs<'py>(
        &mut self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        rows: Option<PyReadonlyArray1<'_, i64>>,
        of_mean: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let rows = rows.as_ref().map(|rows| rows.as_array());
        match &mut self.0 {
            Inner::Single(training) => training.outputs(py, x, rows, of_mean),
            Inner::Double(training) => training.outputs(py, x, rows, of_mean),
        }
    }

    /// The weights and biases: `(coefs, intercepts)`.
    fn parameters<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match &mut self.0 {
            Inner::Single(training) => training.parameters(py),
            Inner::Double(training) => training.parameters(py),
        }
    }

    /// The mean of the weights and biases over training, in the same form.
    fn mean<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match &mut self.0 {
            Inner::Single(training) => training.mean(py),
            Inner::Double(training) => training.mean(py),
        }
    }

    /// Goes on with this mean.
    fn set_mean(&mut self, coefs: &Bound<'_, PyAny>, intercepts: &Bound<'_, PyAny>) -> PyResult<()> {
        match &mut self.0 {
            Inner::Single(training) => training.set_mean(coefs, intercepts),
            Inner::Double(training) => training.set_mean(coefs, intercepts),
        }
    }

    /// What the update rule remembers, a list of pairs like those of `parameters`: velocities, or Adam's two means.
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match &self.0 {
            Inner::Single(training) => training.state(py),
            Inner::Double(training) => training.state(py),
        }
    }

    /// Takes over what `state` has given; velocities are those of steps with `learning_rate`.
    fn set_state(&mut self, state: Vec<(Bound<'_, PyAny>, Bound<'_, PyAny>)>, learning_rate: f64) -> PyResult<()> {
        match &mut self.0 {
            Inner::Single(training) => training.set_state(&state, learning_rate),
            Inner::Double(training) => training.set_state(&state, learning_rate),
        }
    }

    /// The number of samples that this epoch has had.
    #[getter]
    fn samples_done(&self) -> usize {
        self.progress().samples
    }

    /// The sum of its losses so far, as `epoch` will return it.
    #[getter]
    fn loss_sum(&self) -> f64 {
        self.progress().loss
    }

    /// The number of steps since the beginning.
    #[getter]
    fn n_steps(&self) -> u64 {
        self.progress().steps
    }

    /// The learning rate of the last epoch.
    #[getter]
    fn learning_rate(&self) -> f64 {
        self.progress().learning_rate
    }

    /// Goes on in the middle of an epoch.
    fn set_progress(&mut self, samples_done: usize, loss_sum: f64, n_steps: u64) {
        let progress = match &mut self.0 {
            Inner::Single(training) => &mut training.progress,
            Inner::Double(training) => &mut training.progress,
        };
        *progress = Progress { samples: samples_done, loss: loss_sum, steps: n_steps, ..*progress };
    }
}

impl Trainer {
    fn progress(&self) -> Progress {
        match &self.0 {
            Inner::Single(training) => training.progress,
            Inner::Double(training) => training.progress,
        }
    }
}

impl<F: Number> Training<F> {
    fn new(coefs: &Bound<'_, PyAny>, intercepts: &Bound<'_, PyAny>, settings: &Settings) -> PyResult<Self> {
        let mlp: Mlp<F> = network::network(coefs, intercepts, &settings.activation, &settings.out_activation)?;
        let rule = settings.rule()?;
        let output = mlp.layers[mlp.layers.len() - 1].activation;
        if !rule.objective.loss.fits(output) {
            let message = format!("the loss {} does not go with {output} outputs", rule.objective.loss);
            return Err(PyValueError::new_err(message));
        }
        let is_rounded = settings.bf16;
        if is_rounded && size_of::<F>() != size_of::<f32>() {
            let message = "precision='bf16' is for networks of float32; this one is of float64";
            return Err(PyValueError::new_err(message));
        }
        let max_batch = settings.max_batch.max(if rule.has_options() || is_rounded { 2 } else { 1 });
        let team = Team::new(settings.n_threads, max_batch * mlp.n_parameters());
        let new = if is_rounded { Workspace::with_bf16_products } else { Workspace::new };
        let workspace = new(&mlp, max_batch, rule.n_slots(), Kernel::detect(), team.largest());
        let (dense, deformed) = (Array2::zeros((0, 0)), settings.deformed()?);
        let mean = settings.keeps_mean.then(|| Average::new(&workspace));
        Ok(Self {
            mlp,
            workspace,
            rule,
            max_batch,
            team,
            dense,
            deformed,
            is_rounded,
            mean,
            progress: Progress::default(),
        })
    }

    fn epoch(
        &mut self,
        py: Python<'_>,
        x: &Bound<'_, PyAny>,
        targets: &Bound<'_, PyAny>,
        order: ArrayView1<'_, i64>,
        rates: Rates,
        weights: Option<ArrayView1<'_, f64>>,
    ) -> PyResult<f64> {
        let (features, targets) = (Features::new(x)?, targets.extract::<PyReadonlyArray2<'_, F>>()?);
        let (view, targets) = (features.view()?, targets.as_array());
        self.check_targets(view.shape().0, targets, weights)?;
        view.check_columns(self.mlp.layers[0].weights.nrows())?;
        let order = indices(order, targets.nrows())?;
        let batch_size = rates.batch_size.clamp(1, self.max_batch);
        let epoch = Epoch { view, targets, order: &order, weights, rates, batch_size };
        detached(py, || self.take_epoch(&epoch))?
    }

    fn check_targets(
        &self,
        n_samples: usize,
        targets: ArrayView2<'_, F>,
        weights: Option<ArrayView1<'_, f64>>,
    ) -> PyResult<()> {
        let expected = (n_samples, self.mlp.n_outputs());
        if targets.dim() != expected {
            let message = format!("expected targets of shape {expected:?}, found {:?}", targets.dim());
            return Err(PyValueError::new_err(message));
        }
        match weights.map(|weights| weights.len()) {
            Some(found) if found != n_samples => {
                Err(PyValueError::new_err(format!("expected {n_samples} weights of samples, found {found}")))
            }
            _ => Ok(()),
        }
    }

    fn outputs<'py>(
        &mut self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        rows: Option<ArrayView1<'_, i64>>,
        of_mean: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let features = Features::new(x)?;
        let view = features.view()?;
        view.check_columns(self.mlp.layers[0].weights.nrows())?;
        let n_samples = view.shape().0;
        let rows = rows.map_or_else(|| Ok((0..n_samples).collect()), |rows| indices(rows, n_samples))?;
        let mut other = self.other_workspace(of_mean)?;
        let Self { workspace, max_batch, team, dense, .. } = self;
        let workspace = other.as_mut().unwrap_or(workspace);
        let outputs = detached(py, || crate::outputs::answer(workspace, *max_batch, view, &rows, dense, team))??;
        Ok(outputs.into_pyarray(py).into_any())
    }

    fn parameters<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.workspace.store(&mut self.mlp);
        Ok(network::parameters(py, &self.mlp).into_pyobject(py)?.into_any())
    }

    fn mean<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.store_mean()?;
        Ok(network::parameters(py, &self.mlp).into_pyobject(py)?.into_any())
    }

    /// Writes the mean where a network is that others read.
    fn store_mean(&mut self) -> PyResult<()> {
        let mean = self.mean.as_ref().ok_or_else(|| PyValueError::new_err("this training keeps no mean"))?;
        mean.store(&self.workspace, &mut self.mlp);
        Ok(())
    }

    /// What answers, where that is not what is trained: the mean, or the same weights without rounding.
    fn other_workspace(&mut self, of_mean: bool) -> PyResult<Option<Workspace<F>>> {
        match (of_mean, self.is_rounded) {
            (true, _) => self.store_mean()?,
            (false, true) => self.workspace.store(&mut self.mlp),
            (false, false) => return Ok(None),
        }
        Ok(Some(Workspace::new(&self.mlp, self.max_batch, 0, Kernel::detect(), self.team.largest())))
    }

    fn set_mean(&mut self, coefs: &Bound<'_, PyAny>, intercepts: &Bound<'_, PyAny>) -> PyResult<()> {
        let given: Mlp<F> = network::network(coefs, intercepts, "identity", "identity")?;
        let shapes = |mlp: &Mlp<F>| mlp.layers.iter().map(|layer| layer.weights.dim()).collect::<Vec<_>>();
        if shapes(&given) != shapes(&self.mlp) {
            return Err(PyValueError::new_err("the mean belongs to another network"));
        }
        for (layer, given) in self.mlp.layers.iter_mut().zip(given.layers) {
            (layer.weights, layer.bias) = (given.weights, given.bias);
        }
        let mean = self.mean.as_mut().ok_or_else(|| PyValueError::new_err("this training keeps no mean"))?;
        mean.load(&self.workspace, &self.mlp);
        Ok(())
    }

    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let slots: Vec<_> =
            (0..self.rule.n_slots()).map(|slot| network::state(py, self.workspace.slot(slot))).collect();
        Ok(slots.into_pyobject(py)?.into_any())
    }

    fn set_state(&mut self, state: &[(Bound<'_, PyAny>, Bound<'_, PyAny>)], learning_rate: f64) -> PyResult<()> {
        let slots: Vec<Gradients<F>> =
            state.iter().map(|(coefs, intercepts)| network::gradients(coefs, intercepts)).collect::<PyResult<_>>()?;
        let shape = |(weights, bias): (&Array2<F>, usize)| (weights.dim(), bias);
        let own: Vec<_> = self.mlp.layers.iter().map(|layer| shape((&layer.weights, layer.weights.ncols()))).collect();
        let fits = |slot: &Gradients<F>| {
            let biases = |bias: &Option<_>| bias.as_ref().map_or(0, ndarray::Array1::len);
            slot.layers.iter().map(|layer| shape((&layer.weights, biases(&layer.bias)))).eq(own.iter().copied())
        };
        if slots.len() != self.rule.n_slots() || !slots.iter().all(fits) {
            return Err(PyValueError::new_err("what was remembered belongs to another network or update rule"));
        }
        slots.iter().enumerate().for_each(|(slot, state)| self.workspace.set_slot(slot, state));
        self.progress.learning_rate = learning_rate;
        Ok(())
    }
}

/// As positions in a list of this length.
fn indices(order: ArrayView1<'_, i64>, length: usize) -> PyResult<Vec<usize>> {
    let index = |&index: &i64| {
        let position = usize::try_from(index).ok().filter(|&position| position < length);
        position.ok_or_else(|| PyValueError::new_err(format!("there is no row {index} among {length}")))
    };
    order.iter().map(index).collect()
}
