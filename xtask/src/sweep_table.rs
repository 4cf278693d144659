//! The table of a sweep: a line for each configuration, the best first, in at most 80 columns.

use std::collections::BTreeMap;

use mlp_results::text::counted;
use mlp_results::{Compared, Metric, Overview, RankBy, Ranking, Repetitions, RunRecord, TrialResult};
use mlp_train::Decoding;

use crate::options::are_comparable;
use crate::output::Output;
use crate::table::{Column, Table};

/// The keys that vary, without the seed, with their values.
pub(crate) type Settings = Vec<(String, String)>;

/// The configurations of which some runs trained and others did not, with a gap between them: no deviation describes both.
pub(crate) struct TwoGroups {
    /// For each of their trials how many of its configuration trained, and of how many.
    n_trained: BTreeMap<String, (usize, usize)>,
}

impl TwoGroups {
    /// As the page finds them.
    pub(crate) fn find<'a>(records: impl Iterator<Item = &'a RunRecord>, by: RankBy) -> TwoGroups {
        let trials: Vec<TrialResult> = records.cloned().map(TrialResult::from).collect();
        let overview = Overview::ranked(&trials, by);
        let torn = overview.cells.iter().filter(|cell| cell.is_bimodal);
        let counts = torn.flat_map(|cell| {
            let counts = (cell.n_trained, cell.scores.len());
            cell.trials.iter().map(move |trial| (trial.record.trial.clone(), counts))
        });
        TwoGroups { n_trained: counts.collect() }
    }

    /// How many runs of the configuration trained, and of how many, if they are in two groups.
    pub(crate) fn n_trained(&self, row: &Repetitions<'_, Settings>) -> Option<(usize, usize)> {
        row.records.iter().find_map(|record| self.n_trained.get(&record.trial).copied())
    }
}

/// That no trial is clearly better than one and the same answer to all, if so.
pub(crate) fn unbeaten(overview: &Overview<'_>) -> Option<String> {
    let (name, constant) = overview.unbeaten_constant()?;
    let reached = [overview.score(overview.best?)?, constant].map(|value| overview.metric.format(value));
    Some(format!(
        "no trial is clearly better than one and the same answer to all: {} on the {} set, the constant answer \"{name}\" {}",
        reached[0],
        overview.set_name(),
        reached[1]
    ))
}

/// [`unbeaten`] among several trials.
pub(crate) fn unbeaten_among<'a>(records: impl Iterator<Item = &'a RunRecord>, by: RankBy) -> Option<String> {
    let trials: Vec<TrialResult> = records.cloned().map(TrialResult::from).collect();
    unbeaten(&Overview::ranked(&trials, by)).filter(|_| trials.len() > 1)
}

/// Prints the table, ranked by `ranking`: a line for each combination of all keys but the seed, a column for each key. At the end
/// of the sweep each has `n_seeds`. Those of which all trials are among the `stopped` stand last, without a result.
pub(crate) fn sweep_table(
    rows: Vec<(Settings, &RunRecord)>,
    stopped: &[(Settings, usize)],
    ranking: Ranking,
    n_seeds: usize,
    groups: &TwoGroups,
    output: &mut Output,
) {
    let mut configurations = Repetitions::ranked(rows, ranking);
    let mut by_epoch: Vec<&(Settings, usize)> = stopped.iter().collect();
    by_epoch.sort_by_key(|(_, epoch)| std::cmp::Reverse(*epoch));
    for (settings, _) in by_epoch {
        if configurations.iter().all(|row| row.settings != *settings) {
            configurations.push(Repetitions { settings: settings.clone(), records: Vec::new() });
        }
    }
    // What lost seeds and has no result stands behind what was stopped, which lost none.
    configurations.sort_by_key(|row| row.scores(ranking.metric).is_empty() && row.n_diverged() + row.n_failed() > 0);
    if configurations.is_empty() {
        return;
    }
    let lines: Vec<&[(String, String)]> = configurations.iter().map(|row| row.settings.as_slice()).collect();
    let n_needed = if ranking.set == Compared::Test { 1 } else { 2 };
    let table = Table::new(&lines, score_columns(&configurations, ranking, n_seeds, groups), n_needed);
    table.print(usize::MAX, |place| trouble(&configurations[place], stopped, groups), output);
    let is_torn = |row: &&Repetitions<'_, Settings>| groups.n_trained(row).is_some();
    if configurations.iter().all(|row| row.scores(ranking.metric).is_empty()) {
        output.line("\nno trial has a result: there is nothing to compare");
        return;
    }
    let most_seeds = configurations.iter().filter(|row| !is_torn(row)).map(|row| row.records.len()).max().unwrap_or(0);
    if most_seeds > 1 {
        output.line(format_args!(
            "\n±: standard deviation of single runs over {}, not of their mean; which\nlines differ, seed by seed, is on the page",
            counted(most_seeds, "seed")
        ));
    }
    if configurations.iter().any(|row| is_torn(&row)) {
        output.line("\nwhere only some of the seeds trained, the mean lies where no run is, and says\nmostly how many did; no ± describes both groups");
    }
    let fewest = configurations.iter().filter(|row| has_fewer(row, ranking.metric, n_seeds));
    if let Some(fewest) = fewest.map(|row| row.scores(ranking.metric).len()).min() {
        output.line(format_args!("({fewest}), for one: over so many of {n_seeds} seeds alone, which have a result"));
    }
    let records = configurations.iter().flat_map(|row| row.records.iter().copied());
    if configurations.len() > 1 && !are_comparable(records, ranking) {
        output.line("what cannot be compared is in no order: only lines of one kind are, the best of\nthem first");
    } else if configurations.len() > 1 {
        output.line(match ranking.set {
            Compared::Test if has_validation(&configurations) => {
                "best first by the test set, which flatters the first: luck with these images\nhelped to choose it; \
                 without --by the validation set chooses"
            }
            Compared::Test => {
                "best first by the test set, which flatters the first: luck with these images\nhelped to choose it; \
                 with the key validation, training samples choose instead"
            }
            Compared::Validation => "best first by the validation set; the test set had no say in it",
            Compared::Train => "best first by the training set",
        });
    }
}

/// Whether trials were measured on validation samples, too.
fn has_validation(configurations: &[Repetitions<'_, Settings>]) -> bool {
    let mut records = configurations.iter().flat_map(|row| &row.records);
    records.any(|record| record.epochs.iter().any(|epoch| epoch.validation.is_some()))
}

/// The columns of numbers: what ranks, what the test set measured, and where the metric is the accuracy, what else tells.
fn score_columns(
    configurations: &[Repetitions<'_, Settings>],
    ranking: Ranking,
    n_seeds: usize,
    groups: &TwoGroups,
) -> Vec<Column> {
    let metric = ranking.metric;
    let told =
        |row: &Repetitions<'_, Settings>, deviation: Option<f64>| deviation.filter(|_| groups.n_trained(row).is_none());
    let word = if metric == Metric::Accuracy { "right" } else { metric.name() };
    let head = |set: &str, has_seeds: bool| format!("{set} {word}{}", if has_seeds { " ±" } else { "" });
    let mut columns = Vec::new();
    if ranking.set != Compared::Test {
        let set = if ranking.set == Compared::Validation { "valid." } else { "train" };
        let numbers =
            |row: &Repetitions<'_, Settings>| (row.ranking_mean(ranking), told(row, row.ranking_deviation(ranking)));
        let numbers: Vec<_> = configurations.iter().map(numbers).collect();
        let head = head(set, numbers.iter().any(|(_, deviation)| deviation.is_some()));
        columns.push(Column::new(head, numbers.into_iter().map(|(mean, deviation)| spread(metric, mean, deviation))));
    }
    let is_single = |row: &Repetitions<'_, Settings>| row.scores(metric).len() < 2 || groups.n_trained(row).is_some();
    let head = head("test", !configurations.iter().all(is_single));
    let test = |row: &Repetitions<'_, Settings>| spread(metric, row.mean(metric), told(row, row.deviation(metric)));
    let cells = configurations.iter().map(|row| match has_fewer(row, metric, n_seeds) {
        true => format!("{} ({})", test(row), row.scores(metric).len()),
        false => test(row),
    });
    columns.push(Column::new(head, cells));
    let mut others = vec![("test bits", Metric::BitAccuracy), ("invalid", Metric::InvalidRate)];
    // Where the largest output is the answer, bits say little, and no answer is invalid.
    if configurations.iter().flat_map(|row| &row.records).all(|record| record.answers_by() == Decoding::Nearest) {
        others = vec![("test loss", Metric::Loss)];
    }
    if metric == Metric::Accuracy {
        columns.extend(others.into_iter().map(|(head, metric)| {
            Column::new(
                head,
                configurations.iter().map(|row| value(metric, row.mean(metric).filter(|_| has_meaning(row, metric)))),
            )
        }));
    }
    columns
}

/// Where the nearest code is the answer, none is invalid.
fn has_meaning(row: &Repetitions<'_, Settings>, metric: Metric) -> bool {
    metric != Metric::InvalidRate || row.records.iter().any(|record| record.answers_by() == Decoding::Exact)
}

fn value(metric: Metric, value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| metric.format(value))
}

/// Whether a configuration has a result of fewer seeds than it is to have.
fn has_fewer(row: &Repetitions<'_, Settings>, metric: Metric, n_seeds: usize) -> bool {
    let n_scores = row.scores(metric).len();
    n_scores > 0 && n_scores < n_seeds
}

fn spread(metric: Metric, mean: Option<f64>, deviation: Option<f64>) -> String {
    match (mean, deviation) {
        (Some(mean), Some(deviation)) if metric.is_fraction() => {
            format!("{:.2} ± {:.2} %", 100.0 * mean, 100.0 * deviation)
        }
        (Some(mean), Some(deviation)) => {
            format!("{} ± {}", metric.format(mean), metric.format_deviation(deviation, mean))
        }
        (mean, _) => value(metric, mean),
    }
}

fn trouble(row: &Repetitions<'_, Settings>, stopped: &[(Settings, usize)], groups: &TwoGroups) -> String {
    let named = [(row.n_diverged(), "diverged"), (row.n_failed(), "failed")];
    let mut text: String =
        named.into_iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("  {count} {name}")).collect();
    if let Some((n_trained, n_scores)) = groups.n_trained(row) {
        text.push_str(&format!("  {n_trained} of {n_scores} trained"));
    }
    let n_stopped = stopped.iter().filter(|(settings, _)| *settings == row.settings).count();
    if n_stopped > 0 {
        text.push_str(&format!("  {n_stopped} stopped"));
    }
    text
}
