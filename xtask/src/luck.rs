//! The best trial of a sweep, in words: it need not be of the best configuration, and its seed may have been lucky.

use mlp_results::{RankBy, Ranking, Repetitions, RunRecord};
use mlp_sweep::Trial;

use crate::output::Output;
use crate::sweep_table::{Settings, TwoGroups};
use crate::table::wrapped;

/// The best trial, whose model is named below: it need not be of the configuration with the best mean.
pub(crate) fn tell_best(trials: &[Trial], best: Option<&RunRecord>, by: RankBy, output: &mut Output) {
    let Some(best) = best.filter(|_| trials.len() > 1) else { return };
    let ranking = Ranking::of(std::iter::once(best), by);
    let Some(score) = ranking.score(best) else { return };
    let label = trials.iter().find(|trial| trial.id == best.trial).map(Trial::label).unwrap_or_default();
    output.line("");
    output.line(wrapped("best", &format!("{ranking} {}: {label}", ranking.metric.format(score)), 9));
}

/// Says where the best trial is of a configuration that others surpass, in the mean over their seeds or because they lost fewer of
/// them; and where it is not, what the seeds of its own reach in the mean.
pub(crate) fn tell_of_luck(
    rows: Vec<(Settings, &RunRecord)>,
    best: Option<&RunRecord>,
    (ranking, groups): (Ranking, &TwoGroups),
    n_seeds: usize,
    output: &mut Output,
) {
    let Some(best) = best else { return };
    let configurations = Repetitions::ranked(rows, ranking);
    let has_it = |row: &Repetitions<'_, Settings>| row.records.iter().any(|record| record.trial == best.trial);
    let score = |record: &RunRecord| ranking.score(record);
    let is_equalled = configurations.first().is_some_and(|first| {
        first.records.iter().any(|record| score(record).is_some() && score(record) == score(best))
    });
    if let Some(place @ 1..) = configurations.iter().position(has_it)
        && !is_equalled
    {
        let (first, own) = (&configurations[0], &configurations[place]);
        let why = why_surpassed(own.losses(), groups.n_trained(own));
        // What lost seeds itself, or lacks some yet, or trains by luck, is no safe choice.
        let is_safe = first.n_lost() == 0 && first.records.len() >= n_seeds && groups.n_trained(first).is_none();
        let choice = if is_safe { ". The first line is the safer choice" } else { "" };
        let text = format!("its configuration is in line {} of the table: {why}{choice}", place + 1);
        output.line(wrapped("", &text, 9));
    }
    if let Some(own) = configurations.first().filter(|first| has_it(first))
        && let Some(mean) = own.ranking_mean(ranking)
        && own.ranking_deviation(ranking).is_some_and(|deviation| deviation > 0.0)
    {
        let n_seeds = own.records.iter().filter(|record| score(record).is_some()).count();
        let text = match groups.n_trained(own) {
            Some((n_trained, n_scores)) => format!(
                "only {n_trained} of {n_scores} seeds trained: another seed may do so, too, or not at all; their mean, {}, \
                 lies where no seed is",
                ranking.metric.format(mean)
            ),
            None if configurations.len() == 1 => format!(
                "the luckiest of {n_seeds} seeds: their mean, {}, is what another seed may be expected to reach",
                ranking.metric.format(mean)
            ),
            // That it is the best of several configurations flatters the mean, too.
            None => format!(
                "the luckiest of {n_seeds} seeds of its configuration: their mean is {}",
                ranking.metric.format(mean)
            ),
        };
        output.line(wrapped("", &text, 9));
    }
}

/// Why others surpass the configuration of the best trial: what it lost, or of two groups how many trained, and of how many.
pub(crate) fn why_surpassed(losses: Option<String>, n_trained: Option<(usize, usize)>) -> String {
    match (losses, n_trained) {
        (Some(losses), _) => format!("of its seeds {losses}"),
        (None, Some((n_trained, n_scores))) => format!("only {n_trained} of its {n_scores} seeds trained"),
        (None, None) => "this seed was lucky".to_owned(),
    }
}
