//! What the examined trials came to: the verdict first, then those in which learning died, each with its maps, then the others.

use std::collections::BTreeMap;

use askama::Template;
use mlp_results::text::{self, counted};
use mlp_results::{Overview, TrialResult};
use mlp_train::{Cause, Diagnosis};

use super::figure_list::FigureList;
use super::trial_name::TrialName;
use crate::figures::{Diagnosed, Figures};
use crate::input::ReportInput;
use crate::markup::render;
use crate::verdict::Verdict;

/// How long a sentence may be.
const N_CHARACTERS: usize = 1000;

/// So many of the trials that did not learn are open; the others are folded.
const N_DEAD_OPEN: usize = 8;
/// More trials that learned are folded.
const N_OPEN: usize = 4;
/// How many causes are counted.
const N_CAUSES: usize = 8;

/// The diagnosis of the trial whose section this is.
#[derive(Template)]
#[template(path = "diagnosis.html")]
pub(super) struct DiagnosisPart<'a> {
    sentence: String,
    measured_with: String,
    figures: FigureList<'a>,
}

/// The examined trials.
#[derive(Template)]
#[template(path = "diagnoses.html")]
struct Diagnoses<'a> {
    verdict: String,
    /// How many of all trials were examined, where not all were.
    examined: Option<String>,
    /// Which layers are at fault and why, each with the number of trials.
    causes: Vec<String>,
    /// First those that did not learn.
    lists: [Lines<'a>; 2],
    /// `3 more trials`, where there are more.
    n_left: Option<String>,
}

/// Trials, the first ones open, the others folded.
struct Lines<'a> {
    open: Vec<Line<'a>>,
    folded: Vec<Line<'a>>,
    /// What the folded ones are called: `12 trials more that did not learn`.
    name: String,
}

struct Line<'a> {
    trial: TrialName,
    /// `diverged in epoch 3`, where that is so.
    remark: Option<String>,
    sentence: String,
    measured_with: String,
    maps: Maps<'a>,
}

/// Where the maps of a trial are.
enum Maps<'a> {
    /// Below its line.
    Here(FigureList<'a>),
    /// In the section of trials one by one.
    InSection,
    /// Not drawn.
    None,
}

impl<'a> DiagnosisPart<'a> {
    pub(super) fn new(diagnosed: &'a Diagnosed) -> Self {
        DiagnosisPart {
            sentence: sentence(diagnosed),
            measured_with: measured_with(diagnosed),
            figures: FigureList { figures: &diagnosed.figures },
        }
    }
}

/// The section, where any trial was examined.
pub(super) fn section(input: &ReportInput, overview: &Overview<'_>, figures: &Figures<'_>) -> Option<String> {
    if !is_present(input) {
        return None;
    }
    let trials: BTreeMap<&str, &TrialResult> =
        input.trials.iter().map(|trial| (trial.record.trial.as_str(), trial)).collect();
    let verdict =
        |diagnosis: &Diagnosis| Verdict::new(overview, trials.get(diagnosis.trial.as_str()).copied(), diagnosis);
    let verdicts: BTreeMap<&str, Verdict> =
        input.diagnoses.iter().map(|diagnosis| (diagnosis.trial.as_str(), verdict(diagnosis))).collect();
    let shown = figures.trials.iter().filter_map(|trial| Some((trial.diagnosis.as_ref()?, true)));
    let examined = shown.chain(figures.diagnoses.iter().map(|diagnosed| (diagnosed, false)));
    let mut lines: Vec<(Verdict, Line<'_>)> = examined
        .filter_map(|(diagnosed, is_shown)| {
            let trial = trials.get(diagnosed.trial.as_str()).copied();
            let line = Line::new(input, overview, diagnosed, trial, is_shown);
            Some((*verdicts.get(diagnosed.trial.as_str())?, line))
        })
        .collect();
    lines.sort_by_key(|(verdict, _)| *verdict);
    let n_others = lines.iter().filter(|(verdict, _)| !verdict.is_dead()).count();
    let n_others_open = if n_others > N_OPEN { 0 } else { N_OPEN };
    let n_dead = lines.iter().filter(|(verdict, _)| verdict.is_dead()).count();
    let others = lines.split_off(n_dead);
    let n_left = figures.n_diagnoses_left;
    let n_examined = input.trials.iter().filter(|trial| verdicts.contains_key(trial.record.trial.as_str())).count();
    let n_trials = input.trials.len();
    Some(render(&Diagnoses {
        causes: causes(input, &verdicts),
        verdict: summary(&verdicts.values().copied().collect::<Vec<_>>()),
        examined: (n_examined < n_trials).then(|| format!("{n_examined} of {}", counted(n_trials, "trial"))),
        lists: [Lines::new(lines, N_DEAD_OPEN, " more"), Lines::new(others, n_others_open, "")],
        n_left: (n_left > 0).then(|| counted(n_left, "more trial")),
    }))
}

/// `24 trials: layer 1 of 2 is saturated, as its weights are all positive`, the most frequent first, of the trials in which a
/// layer is at fault; then those that did not learn for no layer's fault.
fn causes(input: &ReportInput, verdicts: &BTreeMap<&str, Verdict>) -> Vec<String> {
    let mut n_blameless = 0;
    let mut counts: BTreeMap<(usize, usize, &str), usize> = BTreeMap::new();
    for diagnosis in &input.diagnoses {
        let Some(finding) = diagnosis.finding() else {
            let verdict = verdicts.get(diagnosis.trial.as_str());
            n_blameless +=
                usize::from(verdict.is_some_and(|verdict| verdict.is_dead() && *verdict != Verdict::Diverged));
            continue;
        };
        *counts.entry((finding.layer + 1, diagnosis.layers.len(), why(finding.cause))).or_default() += 1;
    }
    let mut counts: Vec<((usize, usize, &str), usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let cause = |((layer, n_layers, why), count): ((usize, usize, &str), usize)| {
        format!("{}: layer {layer} of {n_layers} {why}", counted(count, "trial"))
    };
    // One is told in full anyway.
    if input.diagnoses.len() == 1 {
        return Vec::new();
    }
    let blameless = (n_blameless > 0).then(|| {
        format!(
            "{}: no layer is at fault, and the answers hardly depend on the sample, or are hardly better than one and the \
             same to all",
            counted(n_blameless, "trial")
        )
    });
    counts.into_iter().take(N_CAUSES).map(cause).chain(blameless).collect()
}

fn why(cause: Cause) -> &'static str {
    match cause {
        Cause::PositiveWeights => "is saturated, as its weights are all positive",
        Cause::LargeWeights => "is saturated, as the weights that it began with are too large",
        Cause::GrownWeights => "is saturated, as its weights have grown",
        Cause::EqualWeights => "has units that are all alike",
        Cause::SilentUnits => "has units that give 0 to every sample examined",
        Cause::StuckOutputs => "gives the same answer to every sample in some of its units",
        Cause::FadedSignal => "gives nearly one answer to every sample",
        Cause::VanishedGradient => "gets hardly any gradient",
    }
}

/// Whether any trial was examined.
pub(super) fn is_present(input: &ReportInput) -> bool {
    !input.trials.is_empty() && !input.diagnoses.is_empty()
}

/// `2 of 12 examined trials diverged, and 3 did not learn.`
fn summary(verdicts: &[Verdict]) -> String {
    let count = |verdict: Verdict| verdicts.iter().filter(|other| **other == verdict).count();
    let found: Vec<(usize, &str)> = Verdict::TROUBLED.map(|verdict| (count(verdict), verdict.words())).to_vec();
    let found: Vec<(usize, &str)> = found.into_iter().filter(|(count, _)| *count > 0).collect();
    match found.as_slice() {
        [] if verdicts.len() == 1 => "The examined trial learns: no layer is dead.".to_owned(),
        [] => format!("All {} learn: no layer is dead.", counted(verdicts.len(), "examined trial")),
        [(_, what)] if verdicts.len() == 1 => format!("The examined trial {what}."),
        found => {
            let found = found.iter().map(|(count, what)| format!("{} {what}", text::thousands(*count as u64)));
            let found: Vec<String> = found.collect();
            format!("Of {}, {}.", counted(verdicts.len(), "examined trial"), found.join(", "))
        }
    }
}

impl<'a> Lines<'a> {
    /// The first `n_open` lines are open; the others are folded and called, for one, `3 trials more that did not learn`, or
    /// `3 trials more: 1 diverged; 2 did not learn`.
    fn new(mut lines: Vec<(Verdict, Line<'a>)>, n_open: usize, what: &str) -> Lines<'a> {
        let folded = lines.split_off(n_open.min(lines.len()));
        let count = |verdict: Verdict| folded.iter().filter(|(other, _)| *other == verdict).count();
        let verdicts = Verdict::TROUBLED.into_iter().chain([Verdict::Learns]);
        let counts = verdicts.map(|verdict| (count(verdict), verdict.words())).filter(|(count, _)| *count > 0);
        let counts: Vec<(usize, &str)> = counts.collect();
        let all = counted(folded.len(), "trial");
        let name = match counts.as_slice() {
            [(_, words)] => format!("{all}{what} that {words}"),
            counts => {
                let counts: Vec<String> = counts.iter().map(|(count, words)| format!("{count} {words}")).collect();
                format!("{all}{what}: {}", counts.join("; "))
            }
        };
        let lines_of = |lines: Vec<(Verdict, Line<'a>)>| lines.into_iter().map(|(_, line)| line).collect();
        Lines { open: lines_of(lines), name, folded: lines_of(folded) }
    }
}

impl<'a> Line<'a> {
    fn new(
        input: &ReportInput,
        overview: &Overview<'_>,
        diagnosed: &'a Diagnosed,
        trial: Option<&TrialResult>,
        is_shown: bool,
    ) -> Line<'a> {
        let list = FigureList { figures: &diagnosed.figures };
        let diverged = trial.and_then(|trial| trial.record.diverged.as_ref());
        Line {
            trial: TrialName::of_identity(input, overview, &diagnosed.trial),
            remark: diverged.map(|place| format!("diverged in epoch {}", place.epoch)),
            sentence: sentence(diagnosed),
            measured_with: measured_with(diagnosed),
            maps: match (is_shown, diagnosed.figures.is_empty()) {
                (true, _) => Maps::InSection,
                (false, true) => Maps::None,
                (false, false) => Maps::Here(list),
            },
        }
    }
}

fn sentence(diagnosed: &Diagnosed) -> String {
    text::clean(&diagnosed.sentence, N_CHARACTERS)
}

fn measured_with(diagnosed: &Diagnosed) -> String {
    format!(
        "Measured on {}, taken evenly from the whole set, before training and after each epoch. Layers are counted from 1 \
         here, the one next to the inputs first.",
        counted(diagnosed.n_samples, "training sample")
    )
}
