//! Which figures a report has: the choice is made here, the drawing elsewhere.

use mlp_results::Cell;
use mlp_results::Metric;
use mlp_results::Overview;
use mlp_results::RunRecord;
use mlp_results::TrialResult;
use mlp_results::text;

use std::collections::BTreeMap;

use mlp_train::{AnyMlp, Diagnosis};

use crate::diagnosis::diagnosis_maps;
use crate::effects::{Design, Effects, KeyEffect, effects};
use crate::factor::Grouping;
use crate::{
    ReportInput, against_key, best_cells, comparison, confusion, cost, curves, heat_map, interplay, parallel,
    robustness, weights,
};

/// How many configurations are shown one by one, the best trial of each.
pub const N_DETAILED: usize = 8;
/// How many diagnoses of trials that are not shown one by one have their maps drawn.
pub const N_DIAGNOSED: usize = 8;
/// How many of them are told in a sentence.
const N_SENTENCES: usize = 100;
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
    pub trial: &'a TrialResult,
    /// Its configuration, as far as it varies.
    pub label: String,
    /// Its curves, confusion matrix and weights.
    pub figures: Vec<Figure>,
    /// What went on inside, if it was examined.
    pub diagnosis: Option<Diagnosed>,
}

/// A trial that was examined while it trained.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosed {
    /// Its identity.
    pub trial: String,
    /// How many samples it was examined with.
    pub n_samples: usize,
    /// Where learning died and why, or that it did not.
    pub sentence: String,
    /// Its maps, layers by epochs.
    pub figures: Vec<Figure>,
}

/// All figures of a report.
#[derive(Clone, Debug, Default)]
pub struct Figures<'a> {
    /// Configurations beside each other.
    pub comparison: Vec<Figure>,
    /// What each setting does.
    pub settings: Vec<Figure>,
    /// Configurations by epoch.
    pub epochs: Vec<Figure>,
    /// Score against seconds.
    pub cost: Vec<Figure>,
    /// The numbers behind [`Figures::settings`].
    pub effects: Effects,
    /// Trials one by one: [`Overview::best`], then the best of each other configuration.
    pub trials: Vec<TrialFigures<'a>>,
    /// Accuracy on disturbed pictures.
    pub robustness: Vec<Figure>,
    /// Examined trials that are not among [`Figures::trials`].
    pub diagnoses: Vec<Diagnosed>,
    /// How many more of these there are.
    pub n_diagnoses_left: usize,
    /// Models that could not be used, and why.
    pub warnings: Vec<String>,
}

/// Draws all figures of `input`.
pub fn draw_all<'a>(input: &ReportInput, overview: &Overview<'a>) -> Figures<'a> {
    let effects = effects(overview);
    let mut figures = Figures {
        comparison: comparison(overview, &effects),
        settings: settings(overview, &effects),
        epochs: epochs(overview),
        cost: costs(overview),
        effects,
        ..Figures::default()
    };
    let mut diagnoses: BTreeMap<&str, &Diagnosis> =
        input.diagnoses.iter().map(|diagnosis| (diagnosis.trial.as_str(), diagnosis)).collect();
    for (place, (rank, cell)) in in_order_of_showing(overview).take(N_DETAILED).enumerate() {
        let Some(trial) = overview.best_of(cell) else { continue };
        let label = cell.label.clone();
        let rank = (place > 0).then_some(rank);
        let drawn = trial_figures(trial, rank, &mut figures.warnings);
        let diagnosis = diagnoses.remove(trial.record.trial.as_str());
        let diagnosis = diagnosis.map(|diagnosis| diagnosed(diagnosis, Some(&place_name(rank))));
        figures.trials.push(TrialFigures { trial, label, figures: drawn, diagnosis });
    }
    figures.n_diagnoses_left = diagnoses.len().saturating_sub(N_SENTENCES);
    for (index, diagnosis) in diagnoses.into_values().take(N_SENTENCES).enumerate() {
        let place = (index < N_DIAGNOSED).then(|| format!("other-{}", index + 1));
        figures.diagnoses.push(diagnosed(diagnosis, place.as_deref()));
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

/// The best configurations, and where more than one setting varies, all of them at a glance. What is compared is only
/// worth drawing if there is more than one configuration or seed.
fn comparison(overview: &Overview<'_>, effects: &Effects) -> Vec<Figure> {
    let mut figures = Vec::new();
    if overview.cells.iter().any(|cell| !cell.scores.is_empty()) && !overview.varied.is_empty() {
        figures.push(Figure {
            name: "best-cells".to_owned(),
            svg: best_cells::best_cells(overview),
            caption: best_caption(overview),
        });
    }
    let analysed = |key: usize| effects.keys.iter().any(|effect| effect.factor.key == key);
    if overview.varied.len() == 2 && analysed(0) && analysed(1) {
        figures.push(Figure {
            name: "heat-map".to_owned(),
            svg: heat_map::heat_map(overview, 0, 1),
            caption: "The stronger the blue, the better; the best cell is bold. The shades are spread over the better cells, \
                      so that one that failed does not flatten the rest; what is worse than their lower end has the palest \
                      one and grey figures. Without a score: × diverged, ! failed, ○ stopped early, – not run; × after a \
                      figure: some of its runs diverged. Ranges across are named by their medians."
                .to_owned(),
        });
    }
    if effects.keys.len() > 2 {
        figures.push(Figure {
            name: "parallel".to_owned(),
            svg: parallel::parallel(overview, effects),
            caption: "From top to bottom: each axis is a setting, the one with the largest effect first, and the last one \
                      the score. Follow the blue lines: where they go through one place, that value matters; where they \
                      spread, it hardly does. Lines through one value stand beside each other only to be seen."
                .to_owned(),
        });
    }
    figures
}

fn best_caption(overview: &Overview<'_>) -> String {
    let mut caption = String::new();
    if overview.cells.iter().any(|cell| cell.interval().is_some()) {
        caption.push_str(
            "Bars are 95 % t-intervals of each mean from its own seeds, with one degree of freedom less than seeds: of two \
             or three seeds they are wide, because that is how little these say; ends without a cap go on.",
        );
    } else {
        caption.push_str(
            "With one run for each configuration nothing can be said about how much of a difference is luck.",
        );
    }
    if overview.cells.iter().any(|cell| cell.is_two_heaps) {
        caption.push_str(
            " Vermilion: only so many of the runs trained; a mean of both kinds would describe neither, and an interval \
             least of all.",
        );
    }
    caption
}

/// What each setting does, and the strongest ones together.
fn settings(overview: &Overview<'_>, effects: &Effects) -> Vec<Figure> {
    let mut figures = Vec::new();
    for (index, effect) in effects.keys.iter().take(N_KEYS).enumerate() {
        let key = &overview.varied[effect.factor.key];
        figures.push(Figure {
            name: format!("against-{}", file_name(&key.key)),
            svg: against_key::against_key(overview, effects, index),
            caption: effect_caption(overview, effects, effect),
        });
    }
    for pair in interplay::pairs(effects) {
        let key = |index: usize| &overview.varied[effects.keys[index].factor.key];
        let averaged = interplay::averaged(overview, effects, pair);
        let averaged = if averaged.is_empty() {
            "No other setting varies, so every point is one configuration.".to_owned()
        } else {
            let gaps = if effects.design == Design::Complete {
                ""
            } else {
                " (of those configurations that were run, which are not the same ones for every point)"
            };
            format!("Every point is a mean over the values of {}{gaps}.", joined(&averaged))
        };
        let few = if effects.design == Design::Drawn {
            " There are few configurations behind each point, so small crossings mean nothing."
        } else {
            ""
        };
        figures.push(Figure {
            name: format!("interplay-{}-{}", file_name(&key(pair.0).key), file_name(&key(pair.1).key)),
            svg: interplay::interplay(overview, effects, pair),
            caption: format!(
                "A line for each value of {}. Lines side by side: the effects add up. Lines that cross or fan out: the best \
                 value of one depends on the other. {averaged}{few}",
                text::shorten(&key(pair.1).key, 40)
            ),
        });
    }
    figures
}

fn effect_caption(overview: &Overview<'_>, effects: &Effects, effect: &KeyEffect) -> String {
    let others: Vec<&str> = overview
        .varied
        .iter()
        .enumerate()
        .filter(|(index, _)| *index != effect.factor.key)
        .map(|(_, key)| key.key.as_str())
        .collect();
    let others = if others.is_empty() { "the seeds".to_owned() } else { joined(&others) };
    let blue = match effects.design {
        Design::Complete => format!("Blue: the mean over {others}, every configuration counting once."),
        Design::Incomplete if effect.is_separable => {
            format!("Blue: the mean adjusted for {others}, as if all combinations had been run.")
        }
        Design::Incomplete => {
            "Blue: where the configurations allow it, the mean adjusted for the other settings, elsewhere the plain mean, \
             which mixes this setting's effect with theirs."
                .to_owned()
        }
        Design::Drawn => format!("Blue: the mean over the configurations that were drawn, whatever their {others}."),
    };
    let ranges = match effect.factor.grouping {
        Grouping::Ranges => " Each blue point stands for a range that holds about equally many configurations.",
        Grouping::Lengths => " Values are taken together by their length.",
        Grouping::Names => " Values are taken together by their name.",
        Grouping::Values | Grouping::LeftOut => "",
    };
    let bars = if effect.levels.iter().all(|level| level.half_width.is_none()) {
        ""
    } else if effects.design == Design::Drawn {
        " Bars: 95 % t-interval over the configurations."
    } else {
        " Bars: 95 % t-interval over the seeds."
    };
    let without = if effect.levels.iter().any(|level| level.n_without > 0) {
        " Vermilion, at the bad edge: configurations without a score."
    } else {
        ""
    };
    format!("Grey: single trials. {blue}{ranges}{bars}{without} The axis need not start at 0.")
}

/// At most five names, cleaned for a caption.
fn joined(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(5).map(|name| text::shorten(name, 40)).collect();
    let rest = if names.len() > 5 { " and more" } else { "" };
    format!("{}{rest}", shown.join(", "))
}

/// The curves of all configurations.
fn epochs(overview: &Overview<'_>) -> Vec<Figure> {
    let n_trials: usize = overview.cells.iter().map(|cell| cell.trials.len()).sum();
    let mut figures = Vec::new();
    if n_trials < 2 {
        return figures;
    }
    let band = if overview.cells.iter().any(|cell| cell.scores.len() > 1) {
        "Each line is a configuration, the mean over its seeds; the band reaches from the lowest to the highest seed."
    } else {
        "Each line is a configuration."
    };
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

fn costs(overview: &Overview<'_>) -> Vec<Figure> {
    let svg = cost::cost(overview);
    let caption = "Each grey dot is a configuration, the mean over its trials. Blue: those that no other beats in both; up to \
                   there more seconds buy a better score. Seconds are measured by the clock, with whatever else the machine \
                   was doing, other trials at the same time among it: compare them only within one sweep.";
    svg.map(|svg| Figure { name: "cost".to_owned(), svg, caption: caption.to_owned() }).into_iter().collect()
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
fn trial_figures(trial: &TrialResult, rank: Option<usize>, warnings: &mut Vec<String>) -> Vec<Figure> {
    let record = &trial.record;
    let place = place_name(rank);
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

/// What the names of a trial's figures begin with.
fn place_name(rank: Option<usize>) -> String {
    rank.map_or_else(|| "best".to_owned(), |rank| format!("rank-{}", rank + 1))
}

/// What is shown of a diagnosis; without a place, no maps.
fn diagnosed(diagnosis: &Diagnosis, place: Option<&str>) -> Diagnosed {
    Diagnosed {
        trial: diagnosis.trial.clone(),
        n_samples: diagnosis.n_samples,
        sentence: diagnosis.sentence(),
        figures: place.map_or(Vec::new(), |place| diagnosis_maps(diagnosis, place)),
    }
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

/// A name for a file, whatever the text: lower-case letters, digits and hyphens, at most 40 of them.
fn file_name(text: &str) -> String {
    let mapped: String =
        text.chars().take(40).map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    if mapped.is_empty() { "unnamed".to_owned() } else { mapped }
}
