//! Figures of one trial: its curves, its confusion matrix, its first layer.

use mlp_results::{Metric, RunRecord, TrialResult, text};
use mlp_train::{AnyMlp, Decoding};

use crate::figure::{ReportFigure, file_name};
use crate::{confusion, curves, weights};

/// The figures of a trial, whose names begin with `place`; in brief only those that can be compared among trials.
pub(super) fn trial_figures(
    trial: &TrialResult,
    place: &str,
    is_brief: bool,
    warnings: &mut Vec<String>,
) -> Vec<ReportFigure> {
    let record = &trial.record;
    let mut figures = Vec::new();
    for metric in curves::metrics(record) {
        if is_brief && !matches!(metric, Metric::Accuracy | Metric::Mae | Metric::Rmse) {
            continue;
        }
        figures.push(ReportFigure {
            name: format!("{place}-{}", file_name(metric.name())),
            svg: curves::curve(record, metric),
            caption: curve_caption(record, metric),
        });
    }
    if let Some(svg) = confusion::confusion_matrix(record) {
        figures.push(ReportFigure { name: format!("{place}-confusion"), svg, caption: confusion_caption(record) });
    }
    if !is_brief {
        match first_layer(trial) {
            Ok(Some(svg)) => figures.push(ReportFigure {
                name: format!("{place}-weights"),
                svg,
                caption: "What each unit of the first layer looks for: blue weights speak against, vermilion ones for \
                          it, white ones don't care. Strokes and blobs are features; evenly mixed speckles are weights \
                          that training hardly moved. The scale is set by the bulk of the weights: the few beyond its \
                          ends are drawn in the colours of the ends."
                    .to_owned(),
            }),
            Ok(None) => {}
            Err(warning) => warnings.push(warning),
        }
    }
    figures
}

fn confusion_caption(record: &RunRecord) -> String {
    let right = "The diagonal holds what was answered right.";
    match (record.decoding, record.answers_by()) {
        (Some(Decoding::Nearest), _) => right.to_owned(),
        (None, Decoding::Nearest) => format!(
            "{right} This record is of an older version, which read answers exactly: every output on its side of ½. So the \
             last column counts many that the largest output answers."
        ),
        _ => format!("{right} The last column counts answers that are no class."),
    }
}

fn curve_caption(record: &RunRecord, metric: Metric) -> String {
    let mut caption = metric.meaning().to_owned();
    if !matches!(metric, Metric::InvalidRate | Metric::Loss) && record.confusion.is_some() {
        caption.push_str(" Dashed: what a net reaches that gives one answer to every sample.");
    }
    caption
}

/// The figure of the first layer's weights, from the model beside the record.
fn first_layer(trial: &TrialResult) -> Result<Option<String>, String> {
    let Some(path) = &trial.model else { return Ok(None) };
    let record = &trial.record;
    let (height, width) = (record.data.height, record.data.width);
    let model = mlp_train::load_model(path).map_err(|error| format!("The weights are not shown. {error}"))?;
    let (hash, svg) = match &model.network {
        AnyMlp::F32(mlp) => (mlp_train::weights_sha256(mlp), weights::first_layer(mlp, height, width)),
        AnyMlp::F64(mlp) => (mlp_train::weights_sha256(mlp), weights::first_layer(mlp, height, width)),
    };
    match &record.weights_sha256 {
        Some(expected) if *expected != hash => Err(format!(
            "The weights are not shown. {}: expected weights with SHA-256 {}, found {hash}: it is another trial's model, \
             or was changed. Run the trial again.",
            path.display(),
            text::clean(expected, 64)
        )),
        _ => Ok(svg),
    }
}
