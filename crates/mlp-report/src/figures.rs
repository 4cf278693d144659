//! Which figures a report has: the choice is made here, the drawing elsewhere.

use mlp_train::{AnyMlp, RunRecord};

use crate::metric::Metric;
use crate::overview::{Cell, Overview};
use crate::{ReportInput, Trial, against_key, comparison, confusion, curves, heat_map, robustness, text, weights};

/// How many configurations are shown one by one, the best trial of each.
pub const N_DETAILED: usize = 8;
/// How many varied keys get a figure of their own.
const N_KEYS: usize = 8;

/// An SVG document with its file name and what is said under it.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// The file's name in `plots/`, without `.svg`.
    pub name: String,
    /// The document.
    pub svg: String,
    /// What to look for, as plain text.
    pub caption: String,
}

/// The figures of one trial.
#[derive(Clone, Debug)]
pub struct TrialFigures<'a> {
    /// The trial.
    pub trial: &'a Trial,
    /// Its configuration, as far as it varies.
    pub label: String,
    /// Its curves, confusion matrix and weights.
    pub figures: Vec<Figure>,
}

/// All figures of a report.
#[derive(Clone, Debug, Default)]
pub struct Figures<'a> {
    /// Configurations beside each other.
    pub comparison: Vec<Figure>,
    /// Trials one by one: [`Overview::best`], then the best of each other configuration.
    pub trials: Vec<TrialFigures<'a>>,
    /// Accuracy on disturbed pictures.
    pub robustness: Vec<Figure>,
    /// Models that could not be used, and why.
    pub warnings: Vec<String>,
}

/// Draws all figures of `input`.
pub fn draw_all<'a>(input: &ReportInput, overview: &Overview<'a>) -> Figures<'a> {
    let mut figures = Figures { comparison: comparison(overview), ..Figures::default() };
    for (place, (rank, cell)) in in_order_of_showing(overview).take(N_DETAILED).enumerate() {
        let Some(trial) = overview.best_of(cell) else { continue };
        let label = cell.label.clone();
        let rank = (place > 0).then_some(rank);
        let drawn = trial_figures(trial, rank, &mut figures.warnings);
        figures.trials.push(TrialFigures { trial, label, figures: drawn });
    }
    for disturbance in robustness::disturbances(&input.robustness) {
        figures.robustness.push(Figure {
            name: format!("robustness-{}", file_name(disturbance)),
            svg: robustness::robustness(overview, &input.robustness, disturbance),
            caption: "The left end is the accuracy on clean pictures; the band reaches from the lowest to the highest seed. A line that starts low and stays flat is not \
                      robust but blind: compare with the dashed level of the best constant answer."
                .to_owned(),
        });
    }
    figures
}

/// The configurations with their ranks by mean: first that of the best trial, whatever its rank, then the others.
fn in_order_of_showing<'o, 'a>(overview: &'o Overview<'a>) -> impl Iterator<Item = (usize, &'o Cell<'a>)> {
    let first = overview.cells.iter().position(|cell| cell.holds(overview.best)).unwrap_or(0);
    let ranked = || overview.cells.iter().enumerate();
    ranked().skip(first).take(1).chain(ranked().filter(move |(rank, _)| *rank != first))
}

/// What is compared is only worth drawing if there is more than one configuration or seed.
fn comparison(overview: &Overview<'_>) -> Vec<Figure> {
    let n_trials: usize = overview.cells.iter().map(|cell| cell.trials.len()).sum();
    let mut figures = Vec::new();
    if n_trials < 2 {
        return figures;
    }
    match overview.varied.len() {
        0 => {}
        2 => figures.push(Figure {
            name: "heat-map".to_owned(),
            svg: heat_map::heat_map(overview, 0, 1),
            caption: "The stronger the blue, the better; the best cell is bold. A dash means that no trial of this cell finished.".to_owned(),
        }),
        _ => {}
    }
    for (index, key) in overview.varied.iter().take(N_KEYS).enumerate() {
        let others = if overview.varied.len() > 1 {
            " Every value is averaged over all settings of the other keys."
        } else {
            ""
        };
        figures.push(Figure {
            name: format!("against-{}", file_name(&key.key)),
            svg: against_key::against_key(overview, index),
            caption: format!("Small grey dots are single trials, large blue ones their mean; where the values are \
                              numbers, the band reaches from the lowest to the highest.{others} The axis need not start at 0."),
        });
    }
    let band =
        "Each line is a configuration, the mean over its seeds; the band reaches from the lowest to the highest seed.";
    for metric in compared_metrics(overview) {
        if metric == Metric::DigitAccuracy {
            figures.push(Figure {
                name: "comparison-wrong-answers".to_owned(),
                svg: comparison::wrong_by_epoch(overview),
                caption: format!("{band} The axis is logarithmic, so that good nets can be told apart."),
            });
        }
        figures.push(Figure {
            name: format!("comparison-{}", file_name(metric.name())),
            svg: comparison::by_epoch(overview, metric),
            caption: band.to_owned(),
        });
    }
    figures
}

fn compared_metrics(overview: &Overview<'_>) -> Vec<Metric> {
    let has_value = |metric: Metric| {
        overview.cells.iter().flat_map(|cell| &cell.trials).any(|trial| {
            trial.record.epochs.iter().filter_map(|epoch| overview.metrics_of(epoch)).any(|m| metric.value(m).is_some())
        })
    };
    let mut metrics: Vec<Metric> =
        [Metric::DigitAccuracy, Metric::Mae, Metric::Rmse].into_iter().filter(|&metric| has_value(metric)).collect();
    if !metrics.contains(&overview.metric) && has_value(overview.metric) {
        metrics.insert(0, overview.metric);
    }
    metrics
}

/// The figures of the trial shown in full, or in brief those of the best trial of the configuration of a `rank`.
fn trial_figures(trial: &Trial, rank: Option<usize>, warnings: &mut Vec<String>) -> Vec<Figure> {
    let record = &trial.record;
    let place = rank.map_or_else(|| "best".to_owned(), |rank| format!("rank-{}", rank + 1));
    let mut figures = Vec::new();
    for metric in curves::metrics(record) {
        if rank.is_some() && !matches!(metric, Metric::DigitAccuracy | Metric::Mae | Metric::Rmse) {
            continue;
        }
        figures.push(Figure {
            name: format!("{place}-{}", file_name(metric.name())),
            svg: curves::curve(record, metric),
            caption: curve_caption(record, metric),
        });
    }
    if let Some(svg) = confusion::confusion_matrix(record) {
        figures.push(Figure {
            name: format!("{place}-confusion"),
            svg,
            caption: "The diagonal holds what was answered right. The last column counts answers whose bits are the \
                      code of no class."
                .to_owned(),
        });
    }
    if rank.is_none() {
        match first_layer(trial) {
            Ok(Some(svg)) => figures.push(Figure {
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

fn curve_caption(record: &RunRecord, metric: Metric) -> String {
    let mut caption = metric.meaning().to_owned();
    if matches!(metric, Metric::DigitAccuracy | Metric::BitAccuracy | Metric::Mae | Metric::Rmse)
        && record.confusion.is_some()
    {
        caption.push_str(" Dashed: what a net reaches that gives one answer to every picture.");
    }
    caption
}

/// The picture of the first layer's weights, from the model beside the record.
fn first_layer(trial: &Trial) -> Result<Option<String>, String> {
    let Some(path) = &trial.model else { return Ok(None) };
    let record = &trial.record;
    let (height, width) = (record.data.height, record.data.width);
    let model = mlp_train::load_model(path).map_err(|error| format!("The weights are not shown. {error}"))?;
    let (hash, svg) = match &model.mlp {
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

/// A name for a file, whatever the text: lower-case letters, digits and hyphens, at most 40 of them.
fn file_name(text: &str) -> String {
    let mapped: String =
        text.chars().take(40).map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    if mapped.is_empty() { "unnamed".to_owned() } else { mapped }
}
