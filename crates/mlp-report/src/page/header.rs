//! The head of the page: the title, what the trials are about in one sentence, what is wrong with the report, and the most
//! important numbers.

use askama::Template;
use mlp_results::text::{self, counted};
use mlp_results::{Compared, Overview, TestSet, TrialResult, endings};

use super::comparison::n_unranked;
use super::halving;
use super::listing::Listing;
use super::names;
use super::tiles::{Tile, plural, tiles};
use crate::figures::Figures;
use crate::input::ReportInput;
use crate::markup::{render, shown};

/// How many of the varied keys the first sentence names.
const N_KEYS: usize = 6;
/// How many sets of test samples are named.
const N_TEST_SETS: usize = 6;
/// Warnings hold paths and reasons: they get more room than a name.
const N_CHARACTERS: usize = 600;

#[derive(Template)]
#[template(path = "header.html")]
struct Header {
    title: String,
    lead: Option<Lead>,
    /// `These` or `Some of these`, if any trial is on synthetic data.
    synthetic: Option<&'static str>,
    /// `These` or `Some of these`, if any trial may have learned from its validation samples before.
    seen_validation: Option<&'static str>,
    /// How many trials with a score have none of the validation samples that rank, and of how many: `24 of 55 trials`.
    unranked: Option<String>,
    /// What the best trial and the best constant answer reach, where the two cannot be told apart.
    unbeaten: Option<String>,
    /// The sets of test samples, if there are several.
    test_sets: Vec<String>,
    /// What is not compared, and the keys in which it differs.
    unlike: Option<Unlike>,
    n_warnings: String,
    warnings: Listing<String>,
    tiles: Vec<Tile>,
}

/// Numbers of different kinds.
struct Unlike {
    /// `losses`.
    what: &'static str,
    keys: Vec<&'static str>,
}

/// One sentence: how many trials, how they ended, what varied.
struct Lead {
    n_trials: String,
    endings: String,
    /// Where anything but the seed varied.
    n_configurations: Option<String>,
    varied: Vec<String>,
    has_more_varied: bool,
    has_seeds: bool,
    /// What successive halving compared and kept.
    halving: Option<String>,
    /// How many trials it stopped that are not among the trials.
    n_stopped: Option<String>,
}

/// The head of the page.
pub(super) fn header(input: &ReportInput, overview: &Overview<'_>, figures: &Figures<'_>) -> String {
    let trials = &input.trials;
    let warnings: Vec<&String> = input.warnings.iter().chain(&figures.warnings).collect();
    render(&Header {
        title: names::title(input),
        lead: (!trials.is_empty()).then(|| lead(input, overview)),
        synthetic: which(trials, |trial| trial.record.data.synthetic),
        seen_validation: which(trials, |trial| trial.record.data.validation_was_seen),
        unranked: unranked(overview),
        unbeaten: unbeaten(overview),
        test_sets: test_sets(overview),
        unlike: (!overview.unlike.is_empty())
            .then(|| Unlike { what: plural(overview.metric), keys: overview.unlike.clone() }),
        n_warnings: counted(warnings.len(), "warning"),
        warnings: Listing::new(warnings.iter().map(|warning| text::clean(warning, N_CHARACTERS))),
        tiles: if trials.is_empty() { Vec::new() } else { tiles(trials, overview) },
    })
}

fn lead(input: &ReportInput, overview: &Overview<'_>) -> Lead {
    let trials = &input.trials;
    let count = |word: &str| trials.iter().filter(|trial| trial.ending() == word).count();
    let endings: Vec<String> = endings(trials.iter())
        .iter()
        .map(|word| format!("{} {}", text::thousands(count(word) as u64), shown(word)))
        .collect();
    let n_stopped = halving::n_unknown(&input.halving, trials);
    let n_keys = overview.varied.len();
    Lead {
        n_trials: counted(trials.len(), "trial"),
        endings: endings.join(", "),
        n_configurations: (n_keys > 0).then(|| counted(overview.cells.len(), "configuration")),
        varied: overview.varied.iter().take(N_KEYS).map(|key| shown(&key.key)).collect(),
        has_more_varied: n_keys > N_KEYS,
        has_seeds: trials.len() > 1,
        halving: halving::summary(&input.halving).filter(|_| halving::is_present(&input.halving)),
        n_stopped: (n_stopped > 0).then(|| counted(n_stopped, "more trial")),
    }
}

/// `The best trial reaches 12.12 % on the test set, the constant answer “commonest class” 11.67 %.`
fn unbeaten(overview: &Overview<'_>) -> Option<String> {
    let n_scores: usize = overview.cells.iter().map(|cell| cell.scores.len()).sum();
    let (name, constant) = overview.unbeaten_constant().filter(|_| n_scores > 1)?;
    let [best, constant] = [overview.score(overview.best?)?, constant].map(|value| overview.metric.format(value));
    Some(format!(
        "The best trial reaches {best} on the {} set, the constant answer “{name}” {constant}.",
        overview.set_name()
    ))
}

/// `24 of 55 trials`, which have none of the validation samples that rank the others.
fn unranked(overview: &Overview<'_>) -> Option<String> {
    let (n_unranked, n_trials) = n_unranked(overview);
    let is_told = overview.ranked_on == Compared::Validation && n_unranked > 0;
    is_told.then(|| format!("{} of {}", text::thousands(n_unranked as u64), counted(n_trials, "trial")))
}

/// How to speak of the trials that something is so of; nothing where it is so of none.
fn which(trials: &[TrialResult], is_so: fn(&TrialResult) -> bool) -> Option<&'static str> {
    let all = if trials.iter().all(is_so) { "These" } else { "Some of these" };
    trials.iter().any(is_so).then_some(all)
}

/// The sets of samples that trials were tested on, where there are several: `mnist, 10,000 samples`, and the start of the hash
/// where that says no difference.
fn test_sets(overview: &Overview<'_>) -> Vec<String> {
    let sets = &overview.test_sets;
    let named = |set: &TestSet| format!("{}, {}", shown(&set.name), counted(set.n_samples, "sample"));
    let name = |set: &TestSet| {
        let is_alone = sets.iter().filter(|other| named(other) == named(set)).count() == 1;
        if is_alone { named(set) } else { format!("{}, data {}", named(set), shown(&text::trial(&set.sha256))) }
    };
    let n_more = sets.len().saturating_sub(N_TEST_SETS);
    let rest = (n_more > 0).then(|| format!("{} more", text::thousands(n_more as u64)));
    let several = sets.len() > 1;
    sets.iter().take(N_TEST_SETS).map(name).chain(rest).filter(|_| several).collect()
}
