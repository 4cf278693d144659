//! What a screen shows of a network in training.

use mlp_core::{Loss, Mlp, Objective, Real, Reduction};
use mlp_results::levels::{self, ConstantBaseline};
use mlp_train::{Codebook, Decoding, DiagnosedLayer, EpochRecord, LayerDiagnosis};
use mnist_io::LabeledImages;
use ndarray::{Array2, Axis};
use serde::Serialize;

use super::settings::Settings;
use crate::pixels::Pixels;

/// How many units of the first layer are shown as pictures.
const N_WEIGHT_IMAGES: usize = 24;
/// How many test images are shown.
const N_DIGITS: usize = 10;
/// Points of a curve and columns of a map; when there are more, every second one goes.
const N_POINTS_MAX: usize = 400;

/// A session as it is now.
#[derive(Clone, Debug, Serialize)]
pub struct Snapshot {
    /// The session.
    pub session: String,
    /// Whether it runs, and if not why.
    pub mode: Mode,
    /// What went wrong, or what is to be known.
    pub message: Option<String>,
    /// What was asked for.
    pub settings: Settings,
    /// The identity that the run has as a trial.
    pub trial: String,
    /// What of the configuration is not the default: `hidden=[512, 256]`.
    pub differs: Vec<String>,
    /// The number of inputs and the units of each layer.
    pub sizes: Vec<usize>,
    /// The weights and biases.
    pub n_parameters: usize,
    /// The numbers of training and test samples.
    pub n_samples: [usize; 2],
    /// The rate, as it was set last.
    pub learning_rate: f64,
    /// When the rate was changed by hand, and to what.
    pub rate_changes: Vec<(f64, f64)>,
    /// The epoch under way, or the last one.
    pub epoch: usize,
    /// The epochs that there are to be.
    pub n_epochs: usize,
    /// Samples trained in this epoch, and how many it has.
    pub samples: [usize; 2],
    /// What was measured.
    pub epochs: Vec<EpochRecord>,
    /// The loss within the epochs: epochs as a fraction, and the mean loss since the epoch began.
    pub losses: Vec<(f64, f64)>,
    /// What constant answers reach.
    pub constant: Vec<Constant>,
    /// What the doctor sees.
    pub doctor: Doctor,
    /// The weights of the first units of the first layer, where inputs are images.
    pub weights: Vec<Pixels>,
    /// Test images, and what the network says of them.
    pub digits: Vec<Digit>,
    /// Where the run was kept.
    pub kept: Option<Kept>,
    /// Why it cannot be kept now.
    pub not_kept: Option<String>,
}

/// Whether a session runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The data are read.
    Preparing,
    /// It trains.
    Running,
    /// It waits.
    Paused,
    /// It has come to its end.
    Finished,
    /// Its numbers have overflowed.
    Diverged,
    /// It was ended.
    Stopped,
    /// It could not be run.
    Failed,
}

/// What a constant answer reaches.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Constant {
    /// Such as `commonest class`.
    pub name: &'static str,
    /// The share of test images that it gets right.
    pub accuracy: f64,
    /// Its root-mean-square error.
    pub rmse: f64,
    /// Its mean absolute error.
    pub mae: f64,
    /// What the loss that is minimised is for it, where that follows from these.
    pub loss: Option<f64>,
}

/// What the doctor sees: every layer at moments of the training.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Doctor {
    /// The shape of each layer.
    pub layers: Vec<DiagnosedLayer>,
    /// The moments: epochs as a fraction, and each layer's numbers.
    pub moments: Vec<(f64, Vec<LayerDiagnosis>)>,
    /// In plain words.
    pub sentence: String,
    /// The layer at which learning died, counted from 0, if one is at fault.
    pub layer_at_fault: Option<usize>,
    /// How much the targets vary, beside which the variety of the last layer is read.
    pub target_spread: f64,
}

/// A test image and its answer.
#[derive(Clone, Debug, Serialize)]
pub struct Digit {
    /// The image.
    pub image: Pixels,
    /// What it is.
    pub label: String,
    /// What the network says; none where its bits are those of no class.
    pub answer: Option<String>,
    /// The outputs.
    pub outputs: Vec<f64>,
}

/// Where a run was kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Kept {
    /// The folder.
    pub folder: String,
    /// What the folder is called where folders are watched; none where it is not among them.
    pub run: Option<String>,
    /// Its trial.
    pub trial: String,
    /// The hash of its weights; none of a run that diverged, which has no model.
    pub weights_sha256: Option<String>,
    /// The epochs that it has, or was to have.
    pub epochs: usize,
}

/// Every second one of the earlier ones goes when there are too many; the latest stays.
pub(super) fn thin<T>(points: &mut Vec<T>) {
    if points.len() <= N_POINTS_MAX {
        return;
    }
    let last = points.len() - 1;
    let mut index = 0;
    points.retain(|_| {
        let is_kept = index % 2 == 0 || index == last;
        index += 1;
        is_kept
    });
}

pub(super) fn constants(test: &LabeledImages, codebook: &Codebook, objective: Objective) -> Vec<Constant> {
    // Errors are means over the outputs, and losses may be sums over them; of a root the sum is under it.
    let n_outputs = codebook.codes.ncols() as f64;
    let factor = |of_sum: f64| match objective.reduction {
        Reduction::Sum => of_sum,
        Reduction::Mean => 1.0,
    };
    let codes: Vec<Vec<bool>> =
        codebook.codes.outer_iter().map(|code| code.iter().map(|&bit| bit != 0).collect()).collect();
    let counts: Vec<u64> = test.class_counts().into_iter().map(|count| count as u64).collect();
    let constant = |level: ConstantBaseline| Constant {
        name: level.name,
        accuracy: level.accuracy,
        rmse: level.rmse,
        mae: level.mae,
        loss: match objective.loss {
            Loss::Absolute => Some(level.mae * factor(n_outputs)),
            Loss::Rmse => Some(level.rmse * factor(n_outputs.sqrt())),
            _ => None,
        },
    };
    levels::levels(&codes, &counts, codebook.decoding).into_iter().map(constant).collect()
}

/// The weights of the first units as images.
pub(super) fn weights<F: Real>(mlp: &Mlp<F>, (height, width): (usize, usize)) -> Vec<Pixels> {
    let Some(first) = mlp.layers.first().filter(|first| first.weights.nrows() == height * width) else {
        return Vec::new();
    };
    let units = first.weights.columns().into_iter().take(N_WEIGHT_IMAGES);
    units.map(|unit| Pixels::signed(unit.iter().map(|weight| weight.widen()), width)).collect()
}

/// A test image of each of the first classes.
pub(super) struct TestDigits<F> {
    images: LabeledImages,
    inputs: Array2<F>,
}

impl<F: Real> TestDigits<F> {
    pub(super) fn of(test: &LabeledImages) -> Self {
        let first = |class: usize| test.labels.iter().position(|&label| usize::from(label) == class);
        let chosen: Vec<usize> = (0..test.classes.len()).filter_map(first).take(N_DIGITS).collect();
        let images = test.select(&chosen);
        let inputs = images.pixels().mapv(|grey| F::narrow(f64::from(grey) / 255.0));
        TestDigits { images, inputs }
    }

    pub(super) fn answers(&self, mlp: &Mlp<F>, codebook: &Codebook) -> Vec<Digit> {
        let outputs = mlp.forward(self.inputs.view());
        let answer = |(index, outputs): (usize, ndarray::ArrayView1<'_, F>)| {
            let outputs: Vec<f64> = outputs.iter().map(|output| output.widen()).collect();
            let class = match codebook.decoding {
                Decoding::Exact => codebook.decode_threshold(&outputs),
                Decoding::Nearest => Some(codebook.decode_nearest(&outputs)),
            };
            Digit {
                image: Pixels::grey(self.images.images.index_axis(Axis(0), index)),
                label: codebook.classes[usize::from(self.images.labels[index])].clone(),
                answer: class.map(|class| codebook.classes[class].clone()),
                outputs: outputs.into_iter().map(|output| (output * 1e4).round() / 1e4).collect(),
            }
        };
        outputs.outer_iter().enumerate().map(answer).collect()
    }
}
