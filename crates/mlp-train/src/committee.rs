//! Several networks that answer together: the mean of their outputs is decoded as one network's outputs are.
//!
//! With the outputs aₘ of M networks the committee answers ā = (1/M) Σ aₘ. Behind softmax these are probabilities, and so is
//! their mean; behind sigmoids each output is the probability of a bit. Where the errors of the members have the same size and
//! are independent, the squared error of the mean is 1/M of theirs; it is never larger than their mean (Perrone & Cooper 1993,
//! "When Networks Disagree").

use mlp_core::{Batch, Kernel, Loss, Mlp, Workers, Workspace};
use ndarray::{Array2, Axis};

use crate::data::{Inputs, Rows, Samples, Targets};
use crate::error::{Error, ErrorKind, Result};
use crate::evaluate::{CHUNK, Evaluation, LabelledAnswers};
use crate::metrics::MetricSums;
use crate::model::{AnyMlp, SavedModel};
use crate::trainable::Trainable;

/// Models whose outputs are averaged.
///
/// ```
/// use mlp_train::mlp_core::{Kernel, Mlp, Workers};
/// use mlp_train::ndarray::array;
/// use mlp_train::{Committee, Inputs, Samples, SavedModel, TargetEncoding, Targets, TrainConfig};
///
/// let config = TrainConfig::new().hidden([3]).encoding(TargetEncoding::OneHot);
/// let model = |seed| {
///     let mlp = Mlp::<f32>::seeded(&[2, 3, 2], &config.activations(), true, config.initializer, seed);
///     SavedModel::new(mlp, config.clone(), ['l', 'r'])
/// };
/// let models = [model(0), model(1), model(2)];
/// let committee = Committee::new(&models)?;
///
/// let (inputs, labels) = (array![[1.0, 0.0], [0.0, 1.0]], vec![0_u8, 1]);
/// let codebook = config.codebook(&['l', 'r']);
/// let samples = Samples { inputs: Inputs::Values(inputs.view()), targets: Targets::labels(&labels, &codebook), weights: None };
/// let evaluation = committee.evaluate(&samples, &Workers::new(1), Kernel::detect());
/// assert!(evaluation.metrics.accuracy.is_some());
/// # Ok::<(), mlp_train::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Committee<'a> {
    members: Vec<&'a SavedModel>,
}

impl<'a> Committee<'a> {
    /// The committee of these models.
    ///
    /// # Errors
    ///
    /// If there is none, or two cannot answer together ([`Committee::check`]).
    pub fn new(members: impl IntoIterator<Item = &'a SavedModel>) -> Result<Self> {
        let members: Vec<&SavedModel> = members.into_iter().collect();
        let Some((first, others)) = members.split_first() else {
            return Err(Error::new(ErrorKind::Model, "at least one model in a committee", "none"));
        };
        others.iter().try_for_each(|other| Self::check(first, other))?;
        Ok(Self { members })
    }

    pub(crate) fn members(&self) -> &[&'a SavedModel] {
        &self.members
    }

    /// Checks that the answers of `other` can be averaged with those of `first`: they have the same inputs, classes, codes,
    /// output activation, and way of reading an answer.
    ///
    /// # Errors
    ///
    /// Says in what they differ.
    pub fn check(first: &SavedModel, other: &SavedModel) -> Result<()> {
        let described = |model: &SavedModel| {
            let config = &model.config;
            [
                format!("{} inputs", model.network.n_inputs()),
                format!("{} outputs", model.network.n_outputs()),
                format!("the classes {}", model.classes.join(" ")),
                format!("the encoding {}", config.encoding),
                format!("{} outputs", config.output_activation),
                format!("the decoding {}", config.answers_by()),
            ]
        };
        match described(first).into_iter().zip(described(other)).find(|(expected, found)| expected != found) {
            None => Ok(()),
            Some((expected, found)) => {
                let expected = format!("{expected}, as the first model of the committee has");
                Err(Error::new(ErrorKind::Model, expected, found)
                    .with_advice("only nets that answer alike are averaged"))
            }
        }
    }

    /// Measures the mean answers on `samples`; the loss is that of the first model's configuration. The result does not depend
    /// on the number of workers.
    ///
    /// # Panics
    ///
    /// If the samples do not fit the networks, or not each other.
    pub fn evaluate(&self, samples: &Samples<'_, f64>, workers: &Workers, kernel: Kernel) -> Evaluation {
        let objective = self.members[0].config.objective();
        let mut outputs = Array2::<f64>::zeros((samples.n_samples(), samples.n_outputs()));
        let mut net_inputs = Vec::new();
        for member in &self.members {
            let found = match &member.network {
                AnyMlp::F32(mlp) => match samples.inputs {
                    Inputs::Pixels(pixels) => answers(mlp, Inputs::Pixels(pixels), workers, kernel),
                    Inputs::Images(images) => answers(mlp, Inputs::Images(images), workers, kernel),
                    Inputs::Values(values) => {
                        let narrowed = values.mapv(|value| value as f32);
                        answers(mlp, Inputs::Values(narrowed.view()), workers, kernel)
                    }
                },
                AnyMlp::F64(mlp) => answers(mlp, samples.inputs, workers, kernel),
            };
            outputs += &found.outputs;
            net_inputs.push(found.net_inputs);
        }
        outputs /= self.members.len() as f64;

        let rows: Vec<usize> = (0..samples.n_samples()).collect();
        let batch = Rows::new(samples, &rows);
        let (mut sums, mut target) = (MetricSums::default(), vec![0.0; samples.n_outputs()]);
        let mut labelled = LabelledAnswers::new(&samples.targets, rows.len());
        for (index, outputs) in outputs.rows().into_iter().enumerate() {
            let outputs = outputs.to_slice().expect("rows are contiguous");
            batch.target(index, &mut target);
            let members: Vec<&[f64]> =
                net_inputs.iter().map(|all| all.row(index).to_slice().expect("rows are contiguous")).collect();
            sums.add_errors(objective, &joint_net_inputs(objective.loss, &members), outputs, &target);
            if let Targets::Labels { labels, codebook } = samples.targets {
                let answer = sums.add_answer(outputs, codebook, labels.class(index));
                labelled.add(codebook, index, labels.class(index), answer, outputs);
            }
        }
        labelled.with_metrics(sums.metrics())
    }
}

/// What a network answers to all samples, a row for each.
struct Answers {
    outputs: Array2<f64>,
    net_inputs: Array2<f64>,
}

fn answers<F: Trainable>(mlp: &Mlp<F>, inputs: Inputs<'_, F>, workers: &Workers, kernel: Kernel) -> Answers {
    // Nobody asks for targets on the way forward.
    let targets = Targets::Values(ndarray::aview2::<F, 0>(&[]));
    let samples = Samples { inputs, targets, weights: None };
    let rows: Vec<usize> = (0..samples.n_samples()).collect();
    let mut workspace = Workspace::new(mlp, CHUNK, 0, kernel, workers);
    let empty = || Array2::zeros((rows.len(), mlp.n_outputs()));
    let mut answers = Answers { outputs: empty(), net_inputs: empty() };
    for chunk in rows.chunks(CHUNK) {
        F::forward(&mut workspace, &Rows::new(&samples, chunk), workers);
        for (row, &index) in chunk.iter().enumerate() {
            for (into, from) in
                [(&mut answers.outputs, workspace.outputs(row)), (&mut answers.net_inputs, workspace.net_inputs(row))]
            {
                into.index_axis_mut(Axis(0), index).iter_mut().zip(from).for_each(|(into, from)| *into = from.widen());
            }
        }
    }
    answers
}

/// The net inputs whose activations are the mean of the members' outputs, as the cross-entropies are computed of net inputs:
/// an output that is 1 but for rounding has lost its loss. Other losses do not look at them.
fn joint_net_inputs(loss: Loss, members: &[&[f64]]) -> Vec<f64> {
    let n_outputs = members[0].len();
    match loss {
        // ln(ā / (1 − ā)), with ln σ(z) = −softplus(−z) and 1 − σ(z) = σ(−z).
        Loss::CrossEntropy => (0..n_outputs)
            .map(|k| {
                let mean = |sign: f64| log_mean_exp(members.iter().map(move |z| -softplus(-sign * z[k])));
                mean(1.0) - mean(-1.0)
            })
            .collect(),
        // ln ā: its exponentials sum to 1, so the softmax of these is ā.
        Loss::SoftmaxCrossEntropy => {
            let log_sums: Vec<f64> =
                members.iter().map(|z| log_mean_exp(z.iter().copied()) + libm::log(n_outputs as f64)).collect();
            (0..n_outputs)
                .map(|k| log_mean_exp(members.iter().zip(&log_sums).map(move |(z, log_sum)| z[k] - log_sum)))
                .collect()
        }
        // Identity outputs are the net inputs.
        Loss::Poisson => {
            let n_members = members.len() as f64;
            (0..n_outputs).map(|k| members.iter().map(|z| z[k]).sum::<f64>() / n_members).collect()
        }
        Loss::Absolute | Loss::Squared | Loss::HalfSquared | Loss::Rmse => members[0].to_vec(),
    }
}

/// ln((1/n) Σ exp(x)).
fn log_mean_exp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = values.clone().fold(f64::NEG_INFINITY, f64::max);
    let (n, sum) = values.fold((0.0, 0.0), |(n, sum), value| (n + 1.0, sum + libm::exp(value - largest)));
    largest + libm::log(sum / n)
}

/// ln(1 + eˣ).
fn softplus(x: f64) -> f64 {
    x.max(0.0) + libm::log1p(libm::exp(-x.abs()))
}
