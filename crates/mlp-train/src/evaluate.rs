//! Measuring a network on samples it is not being trained on at the moment.

use mlp_core::{Batch, Kernel, Mlp, Objective, Real, Workers, Workspace};
use serde::{Deserialize, Serialize};

use crate::confusion::ConfusionMatrix;
use crate::data::{Rows, Samples, Targets};
use crate::encoding::Codebook;
use crate::metrics::{Answer, EpochMetrics, MetricSums};
use crate::trainable::Trainable;

/// Samples that are sent through the network at a time: enough to keep the workers busy, few enough for the cache.
pub(crate) const CHUNK: usize = 512;

/// The mistakes that an evaluation keeps.
pub const MAX_MISTAKES: usize = 50;

/// What a network achieves on a set of samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The metrics; not finite if the network's weights are not, or if there are no samples.
    pub metrics: EpochMetrics,
    /// Which labels were answered by which classes; `None` for samples without labels.
    pub confusion: Option<ConfusionMatrix>,
    /// What each sample was answered, in order; empty for samples without labels.
    pub answers: Vec<Answer>,
    /// The first [`MAX_MISTAKES`] samples that are not answered with their label, read by the codebook's decoding.
    pub mistakes: Vec<Mistake>,
}

/// A sample that was answered wrongly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mistake {
    /// The index of the sample in its set.
    pub index: usize,
    /// The class it is of: for an image the character it shows.
    pub label: String,
    /// The character that was answered; `None` for an invalid answer.
    pub answer: Option<String>,
    /// The character whose code is nearest to the outputs; it may be the right one.
    pub nearest: String,
    /// The outputs of the network.
    pub outputs: Vec<f64>,
}

/// Measures `mlp` on `samples`. The result does not depend on the number of workers.
///
/// # Panics
///
/// If the samples do not fit the network, or not each other; [`Samples::check`] tells about the latter.
pub fn evaluate<F: Trainable>(
    mlp: &Mlp<F>,
    samples: &Samples<'_, F>,
    objective: Objective,
    workers: &Workers,
    kernel: Kernel,
) -> Evaluation {
    let rows: Vec<usize> = (0..samples.n_samples()).collect();
    Evaluator::new(mlp, objective, workers, kernel).evaluate(samples, &rows)
}

/// Measures again and again in one workspace: after each epoch, on several sets.
///
/// It has a workspace of its own, because batches for measuring are larger than those for training.
pub(crate) struct Evaluator<'w, F> {
    workspace: Workspace<F>,
    workers: &'w Workers,
    objective: Objective,
    target: Vec<F>,
}

impl<'w, F: Trainable> Evaluator<'w, F> {
    pub(crate) fn new(mlp: &Mlp<F>, objective: Objective, workers: &'w Workers, kernel: Kernel) -> Self {
        Self {
            workspace: Workspace::new(mlp, CHUNK, 0, kernel, workers),
            workers,
            objective,
            target: vec![F::zero(); mlp.n_outputs()],
        }
    }

    /// Measures this network from now on.
    pub(crate) fn load(&mut self, mlp: &Mlp<F>) {
        self.workspace.load(mlp);
    }

    /// The metrics of the samples with the indices `rows`.
    pub(crate) fn measure(&mut self, samples: &Samples<'_, F>, rows: &[usize]) -> EpochMetrics {
        self.visit(samples, rows, |_, _, _| {})
    }

    /// The metrics of the samples with the indices `rows`, their confusion matrix and their first mistakes.
    pub(crate) fn evaluate(&mut self, samples: &Samples<'_, F>, rows: &[usize]) -> Evaluation {
        let mut labelled = LabelledAnswers::new(&samples.targets, rows.len());
        let metrics = self.visit(samples, rows, |index, answer, outputs| {
            if let Targets::Labels { labels, codebook } = samples.targets {
                labelled.add(codebook, index, labels.class(index), answer, outputs);
            }
        });
        labelled.with_metrics(metrics)
    }

    /// Sends the rows through the network in chunks, adds up their metrics in order, and shows each decoded answer to
    /// `see`.
    fn visit(
        &mut self,
        samples: &Samples<'_, F>,
        rows: &[usize],
        mut see: impl FnMut(usize, Answer, &[F]),
    ) -> EpochMetrics {
        let mut sums = MetricSums::default();
        for chunk in rows.chunks(CHUNK) {
            let batch = Rows::new(samples, chunk);
            F::forward(&mut self.workspace, &batch, self.workers);
            for (row, &index) in chunk.iter().enumerate() {
                let (net_inputs, outputs) = (self.workspace.net_inputs(row), self.workspace.outputs(row));
                batch.target(row, &mut self.target);
                sums.add_errors(self.objective, net_inputs, outputs, &self.target);
                if let Targets::Labels { labels, codebook } = samples.targets {
                    let answer = sums.add_answer(outputs, codebook, labels.class(index));
                    see(index, answer, outputs);
                }
            }
        }
        sums.metrics()
    }
}

/// What labelled samples were answered, added up one by one.
pub(crate) struct LabelledAnswers {
    confusion: Option<ConfusionMatrix>,
    answers: Vec<Answer>,
    mistakes: Vec<Mistake>,
}

impl LabelledAnswers {
    /// Of none yet; there will be so many, if they have labels.
    pub(crate) fn new<F>(targets: &Targets<'_, F>, n_samples: usize) -> Self {
        let (confusion, capacity) = match targets {
            Targets::Labels { codebook, .. } => (Some(ConfusionMatrix::new(codebook.n_classes())), n_samples),
            Targets::Values(_) => (None, 0),
        };
        Self { confusion, answers: Vec::with_capacity(capacity), mistakes: Vec::new() }
    }

    pub(crate) fn add<F: Real>(
        &mut self,
        codebook: &Codebook,
        index: usize,
        label: usize,
        answer: Answer,
        outputs: &[F],
    ) {
        let answered = answer.class(codebook.decoding);
        if let Some(confusion) = &mut self.confusion {
            confusion.add(label, answered);
        }
        self.answers.push(answer);
        if answered != Some(label) && self.mistakes.len() < MAX_MISTAKES {
            self.mistakes.push(mistake(codebook, index, label, answer, outputs));
        }
    }

    pub(crate) fn with_metrics(self, metrics: EpochMetrics) -> Evaluation {
        let Self { confusion, answers, mistakes } = self;
        Evaluation { metrics, confusion, answers, mistakes }
    }
}

fn mistake<F: Real>(codebook: &Codebook, index: usize, label: usize, answer: Answer, outputs: &[F]) -> Mistake {
    let character = |class: usize| codebook.classes[class].clone();
    Mistake {
        index,
        label: character(label),
        answer: answer.class(codebook.decoding).map(character),
        nearest: character(answer.nearest),
        outputs: outputs.iter().map(|output| output.widen()).collect(),
    }
}
