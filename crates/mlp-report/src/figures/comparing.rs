//! Figures of many configurations beside each other: the best, all of them, by epoch, and what they cost.

use mlp_results::{Metric, Overview};

use crate::effects::Effects;
use crate::figure::{ReportFigure, file_name};
use crate::{best_cells, comparison, cost, heat_map, parallel};

/// The best configurations, and where more than one setting varies, all of them at a glance. What is compared is only
/// worth drawing if there is more than one configuration or seed.
pub(super) fn comparison(overview: &Overview<'_>, effects: &Effects) -> Vec<ReportFigure> {
    let mut figures = Vec::new();
    if overview.cells.iter().any(|cell| !cell.scores.is_empty()) && !overview.varied.is_empty() {
        figures.push(ReportFigure {
            name: "best-cells".to_owned(),
            svg: best_cells::best_cells(overview),
            caption: best_caption(overview),
        });
    }
    let analysed = |key: usize| effects.keys.iter().any(|effect| effect.factor.key == key);
    if overview.varied.len() == 2 && analysed(0) && analysed(1) {
        figures.push(ReportFigure {
            name: "heat-map".to_owned(),
            svg: heat_map::heat_map(overview, 0, 1),
            caption: "The stronger the blue, the better; the best of the cells that lost fewest trials is bold. The \
                      shades are spread over the better cells, \
                      so that one that failed does not flatten the rest; what is worse than their lower end has the palest \
                      one and grey figures. Without a score: × diverged, ! failed, ○ stopped early, – not run; × after a \
                      figure: some of its runs diverged. Ranges across are named by their medians."
                .to_owned(),
        });
    }
    if effects.keys.len() > 2 {
        figures.push(ReportFigure {
            name: "parallel".to_owned(),
            svg: parallel::parallel(overview, effects),
            caption: format!(
                "From top to bottom: each axis is a setting, the one with the largest known effect first{}, and the last one the \
                 score. Follow the blue lines: where they go through one place, that value matters; where they spread, it \
                 hardly does. Lines through one value stand beside each other only to be seen.",
                if effects.keys.iter().all(|effect| effect.may_matter()) {
                    ""
                } else {
                    " and those that cannot be told from chance last"
                }
            ),
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
    if overview.cells.iter().any(|cell| cell.is_bimodal) {
        caption.push_str(
            " Vermilion: only some of the runs trained, and the others are far from them; the mean lies between both, and an \
             interval would describe neither.",
        );
    }
    caption
}

/// The curves of all configurations.
pub(super) fn epochs(overview: &Overview<'_>) -> Vec<ReportFigure> {
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
        if metric == Metric::Accuracy {
            figures.push(ReportFigure {
                name: "comparison-wrong-answers".to_owned(),
                svg: comparison::wrong_by_epoch(overview),
                caption: format!("{band} The axis is logarithmic, so that good nets can be told apart."),
            });
        }
        figures.push(ReportFigure {
            name: format!("comparison-{}", file_name(metric.name())),
            svg: comparison::by_epoch(overview, metric),
            caption: band.to_owned(),
        });
    }
    figures
}

pub(super) fn costs(overview: &Overview<'_>) -> Vec<ReportFigure> {
    let svg = cost::cost(overview);
    let caption = "Each grey dot is a configuration, the mean over its trials. Blue: those that no other beats in both; up to \
                   there more seconds buy a better score. Seconds are measured by the clock, with whatever else the machine \
                   was doing, other trials at the same time among it: compare them only within one sweep.";
    svg.map(|svg| ReportFigure { name: "cost".to_owned(), svg, caption: caption.to_owned() }).into_iter().collect()
}

fn compared_metrics(overview: &Overview<'_>) -> Vec<Metric> {
    let has_value = |metric: Metric| {
        overview.cells.iter().flat_map(|cell| &cell.trials).any(|trial| {
            trial.record.epochs.iter().filter_map(|epoch| overview.metrics_of(epoch)).any(|m| metric.value(m).is_some())
        })
    };
    let mut metrics: Vec<Metric> =
        [Metric::Accuracy, Metric::Mae, Metric::Rmse].into_iter().filter(|&metric| has_value(metric)).collect();
    if !metrics.contains(&overview.metric) && has_value(overview.metric) {
        metrics.insert(0, overview.metric);
    }
    metrics
}
