//! Successive halving: configurations are compared after few epochs, and only the best go on.
//!
//! A configuration is compared with all its seeds, by the mean of what they have reached, and all of them go on or stop: so
//! no seed is chosen, and whoever comes to the end has an interval. It is synchronous: nobody goes on before all have been
//! measured, so who goes on depends on what the trials compute and on nothing else, and a sweep that crashed decides again
//! as it did before. A trial that is stopped leaves no record and no model, so that it can never be taken for a whole one;
//! what it had reached stays in `rungs/`, and `halving.json` says who was compared, in which order, and who was stopped.
//!
//! A seed that has diverged or failed before the comparison has reached nothing. Its configuration stands behind all that
//! lost fewer seeds, among its like by the mean of the others; if it goes on, the others do. One that lost all its seeds
//! never goes on.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use mlp_results::{
    HalvingRound, Metric, RankedConfiguration, RankedTrial, RunRecord, Status, StoppedTrial, gathered, keys_of_kind,
};
use mlp_train::EpochRecord;

use crate::checkpoints::CheckpointInterval;
use crate::error::Result;
use crate::event::{Event, Warning};
use crate::runner::{Runner, Stopped, SweepOutcome};
use crate::spec::Halving;
use crate::store::Store;
use crate::trial::Trial;

/// Trials that differ in their seed only.
struct Configuration {
    label: String,
    /// By seed, so that the sum of what they reach does not depend on the order of a list.
    trials: Vec<Trial>,
}

/// Runs `trials` of `n_epochs` each, and stops the worse of their configurations on the way.
pub(crate) fn run(
    halving: Halving,
    runner: &Runner<'_>,
    trials: &[Trial],
    n_epochs: usize,
    mut records: BTreeMap<String, RunRecord>,
) -> Result<SweepOutcome> {
    let store = runner.store;
    let mut left = configurations(trials);
    if left.len() == 1 {
        let problem = "halving compares configurations, and there is one: nothing varies but the seed";
        let warning = Warning::new(problem).with_remedy("every seed runs to its end");
        runner.observer.notify(Event::Warning(&warning));
    }
    warn_of_unlike(halving, trials, runner);
    let mut rounds: Vec<HalvingRound> = Vec::new();
    // Trials that failed in this call are not tried again by it.
    let mut failed: BTreeSet<String> = BTreeSet::new();
    for epoch in halving.rungs(n_epochs) {
        if left.len() <= 1 {
            break;
        }
        let is_open = |trial: &&Trial| {
            !is_over(&records, trial) && !failed.contains(&trial.id) && store.reached(&trial.id, epoch).is_none()
        };
        let open: Vec<Trial> = trials_of(&left).filter(is_open).cloned().collect();
        if !open.is_empty() {
            let ran = runner.run(&open, records.clone(), Some(epoch))?;
            failed.extend(ran.records.values().filter(|record| !record.is_over()).map(|record| record.trial.clone()));
            records.extend(ran.records);
            if ran.stopped.is_some() {
                records.retain(|_, record| record.is_over());
                return Ok(outcome(&rounds, records, ran.stopped));
            }
        }
        let round = compare(halving, epoch, &mut left, &|trial| reached(store, &records, trial, epoch));
        for stopped in &round.stopped {
            let interval = CheckpointInterval::default();
            store.checkpoints(&stopped.trial, serde_json::Map::new(), interval).remove();
        }
        rounds.push(round);
        store.folder().write_halving_rounds(&rounds)?;
    }
    if rounds.is_empty() && store.folder().halving().exists() {
        store.folder().write_halving_rounds(&rounds)?;
    }
    let going_on: Vec<Trial> = trials_of(&left).filter(|trial| !failed.contains(&trial.id)).cloned().collect();
    let ran = runner.run(&going_on, records.clone(), None)?;
    records.extend(ran.records);
    Ok(outcome(&rounds, records, ran.stopped))
}

/// A trial that came to an end of its own before it was stopped has its record all the same, and counts among these.
fn outcome(rounds: &[HalvingRound], records: BTreeMap<String, RunRecord>, stopped: Option<Stopped>) -> SweepOutcome {
    let all = rounds.iter().flat_map(|round| &round.stopped);
    let stopped_trials = all.filter(|stopped| !records.contains_key(&stopped.trial)).cloned().collect();
    SweepOutcome { records, stopped_trials, stopped }
}

/// Says that what is compared are numbers of different kinds, and what to write instead.
fn warn_of_unlike(halving: Halving, trials: &[Trial], runner: &Runner<'_>) {
    let name = halving.metric.name().strip_prefix("validation.").unwrap_or_default();
    let Ok(metric) = name.parse::<Metric>() else { return };
    let kind =
        |trial: &Trial| -> Vec<_> { keys_of_kind(metric).iter().map(|key| trial.settings.train.get(key)).collect() };
    if trials.windows(2).all(|pair| kind(&pair[0]) == kind(&pair[1])) {
        return;
    }
    let what = if metric == Metric::Loss { "losses" } else { "errors of outputs" };
    let problem = format!("halving compares {what} of different kinds, whose values say nothing about each other");
    let remedy = "halving = { metric = \"validation.accuracy\" } compares the trials";
    runner.observer.notify(Event::Warning(&Warning::new(problem).with_remedy(remedy)));
}

/// The trials with the same settings but for the seed, gathered.
fn configurations(trials: &[Trial]) -> Vec<Configuration> {
    let rows = trials.iter().map(|trial| (trial.configuration(), trial.clone()));
    let configuration = |(settings, mut trials): (Vec<(String, String)>, Vec<Trial>)| {
        trials.sort_by(|one, other| {
            let seed = |trial: &Trial| trial.settings.train.seed;
            seed(one).cmp(&seed(other)).then_with(|| one.id.cmp(&other.id))
        });
        let label: Vec<String> = settings.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        Configuration { label: label.join(", "), trials }
    };
    gathered(rows).into_iter().map(configuration).collect()
}

fn trials_of(configurations: &[Configuration]) -> impl Iterator<Item = &Trial> {
    configurations.iter().flat_map(|configuration| &configuration.trials)
}

/// Takes out of `left` all but the best one of every `factor`, at least one.
fn compare(
    halving: Halving,
    epoch: usize,
    left: &mut Vec<Configuration>,
    reached: &dyn Fn(&Trial) -> Option<EpochRecord>,
) -> HalvingRound {
    let value = |trial: &Trial| halving.metric.of(reached(trial)?.validation.as_ref()?);
    let rank = |configuration: Configuration| {
        let trials = configuration.trials.iter();
        let trials = trials.map(|trial| RankedTrial { trial: trial.id.clone(), value: value(trial) });
        (RankedConfiguration::new(configuration.label.clone(), trials.collect()), configuration)
    };
    let mut ranked: Vec<(RankedConfiguration, Configuration)> = left.drain(..).map(rank).collect();
    ranked.sort_by(|(one, _), (other, _)| better_first(halving, one, other));
    let n_trials = ranked.iter().map(|(_, configuration)| configuration.trials.len()).sum();
    let n_kept = (ranked.len() / halving.factor).max(1);
    let (mut configurations, mut stopped) = (Vec::new(), Vec::new());
    for (place, (mut rank, configuration)) in ranked.into_iter().enumerate() {
        rank.is_kept = place < n_kept && rank.mean.is_some();
        if rank.is_kept {
            left.push(configuration);
        } else {
            let trials = configuration.trials.into_iter().zip(&rank.trials);
            stopped.extend(trials.map(|(trial, RankedTrial { value, .. })| StoppedTrial {
                label: trial.label(),
                trial: trial.id,
                epoch,
                value: *value,
                rank: place + 1,
            }));
        }
        configurations.push(rank);
    }
    let n_kept = trials_of(left).count();
    HalvingRound { epoch, metric: halving.metric.name().to_owned(), n_trials, n_kept, configurations, stopped }
}

/// Those that lost all their seeds last, then those that lost fewer first, then by the mean; of equals by their identities,
/// which favour nobody.
fn better_first(halving: Halving, one: &RankedConfiguration, other: &RankedConfiguration) -> Ordering {
    let losses = |ranked: &RankedConfiguration| (ranked.mean.is_none(), ranked.n_lost());
    let by_mean = match (one.mean, other.mean) {
        (Some(one), Some(other)) if halving.metric.higher_is_better() => other.total_cmp(&one),
        (Some(one), Some(other)) => one.total_cmp(&other),
        _ => Ordering::Equal,
    };
    let first = |ranked: &RankedConfiguration| ranked.trials.iter().map(|trial| trial.trial.clone()).min();
    losses(one).cmp(&losses(other)).then(by_mean).then_with(|| first(one).cmp(&first(other)))
}

/// What a trial had reached at `epoch`, or at its own end before it; `None` if that was no good end. What became of it later
/// makes no difference, so that a sweep that is run again decides as it did before.
fn reached(store: &Store, records: &BTreeMap<String, RunRecord>, trial: &Trial, epoch: usize) -> Option<EpochRecord> {
    let Some(record) = records.get(&trial.id) else { return store.reached(&trial.id, epoch) };
    match record.epochs.get(epoch) {
        Some(reached) => Some(reached.clone()),
        None if record.status == Status::Finished => record.epochs.last().cloned(),
        // One that failed has no epochs in its record.
        None => store.reached(&trial.id, epoch),
    }
}

/// Whether a trial has come to an end of its own, in this sweep or before.
fn is_over(records: &BTreeMap<String, RunRecord>, trial: &Trial) -> bool {
    records.get(&trial.id).is_some_and(RunRecord::is_over)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use mnist_io::synthetic_digits;

    use crate::dataset::Dataset;
    use crate::event::Event;
    use crate::executor::lock;
    use crate::runner::RunOptions;
    use crate::spec::SweepSpec;
    use crate::sweep::Sweep;

    const HALVING: &str = "hidden = [4]\nepochs = 6\nvalidation = 50\n[sweep]\nhalving = { factor = 2 }\n\
                           learning_rate = [0.001, 0.01]\nseed = [0, 1]\n";

    #[test]
    fn a_seed_that_fails_is_begun_once_in_a_call_and_its_configuration_falls_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let data = Dataset::images("digits", synthetic_digits(200, 1), synthetic_digits(50, 2)).expect("a data set");
        let sweep = Sweep::new(SweepSpec::from_toml(HALVING).expect("a sweep"), data, folder.path()).expect("a sweep");
        let (n_measured, is_due, begun) = (AtomicUsize::new(0), AtomicBool::new(false), Mutex::new(Vec::new()));
        let observer = |event: Event<'_>| match event {
            Event::Measured { epoch, .. } if epoch.epoch == 0 => {
                // Both attempts of the first trial.
                is_due.store(n_measured.fetch_add(1, Ordering::SeqCst) < 2, Ordering::SeqCst);
            }
            Event::TrialStarted { trial, .. } => lock(&begun).push(trial.label()),
            _ => {}
        };
        let stopped = || {
            assert!(!is_due.swap(false, Ordering::SeqCst), "out of cheese");
            None
        };
        let options = RunOptions { n_threads: 1, ..RunOptions::default() };
        let open = sweep.open("sweep", None, &observer).expect("a folder");
        let outcome = open.run_unless(&stopped, &options, &observer).expect("an outcome");
        let begun = begun.into_inner().expect("nobody panics with the lock");
        let first = begun.iter().filter(|label| **label == begun[0]).count();
        // Four in the first round; the two of the other configuration go on.
        assert_eq!((begun.len(), first), (6, 1), "{begun:?}");
        let rounds = sweep.folder().halving_rounds(|_| false).expect("a ranking");
        assert_eq!((rounds[0].configurations[0].n_lost(), rounds[0].configurations[1].n_lost()), (0, 1));
        // The failure has its record; the other seed of its configuration was stopped.
        assert_eq!((outcome.records.len(), outcome.stopped_trials.len()), (3, 1));
    }
}
