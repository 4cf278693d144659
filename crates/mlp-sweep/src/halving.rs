//! Successive halving: trials are compared after few epochs, and only the best go on.
//!
//! It is synchronous: nobody goes on before all have been measured, so which trials go on depends on what they compute
//! and on nothing else, and a sweep that crashed decides again as it did before. A trial that is stopped leaves no record
//! and no model, so that it can never be taken for a whole one; what it had reached stays in `rungs/`, and `halving.json`
//! says who was compared, in which order, and who was stopped.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use mlp_results::{HalvingRound, RunRecord, Status, StoppedTrial};
use mlp_train::EpochRecord;

use crate::checkpoints::CheckpointInterval;
use crate::error::Result;
use crate::runner::{Runner, SweepOutcome};
use crate::spec::Halving;
use crate::store::Store;
use crate::trial::Trial;

/// Runs `trials` of `n_epochs` each, and stops the worse of them on the way.
pub(crate) fn run(
    halving: Halving,
    runner: &Runner<'_>,
    trials: &[Trial],
    n_epochs: usize,
    mut records: BTreeMap<String, RunRecord>,
) -> Result<SweepOutcome> {
    let store = runner.store;
    let mut left: Vec<Trial> = trials.to_vec();
    let mut rounds: Vec<HalvingRound> = Vec::new();
    for epoch in halving.rungs(n_epochs) {
        let is_open = |trial: &&Trial| !is_over(&records, trial) && store.rung(&trial.id, epoch).is_none();
        let open: Vec<Trial> = left.iter().filter(is_open).cloned().collect();
        if !open.is_empty() {
            let ran = runner.run(&open, records.clone(), Some(epoch))?;
            records.extend(ran.records);
            if ran.stopped.is_some() {
                records.retain(|_, record| record.is_over());
                return Ok(SweepOutcome { records, stopped_trials: all_stopped(&rounds), stopped: ran.stopped });
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
    let ran = runner.run(&left, records.clone(), None)?;
    records.extend(ran.records);
    // A trial that came to an end of its own before it was stopped has its record all the same.
    let mut stopped_trials = all_stopped(&rounds);
    stopped_trials.retain(|stopped| !records.contains_key(&stopped.trial));
    Ok(SweepOutcome { records, stopped_trials, stopped: ran.stopped })
}

fn all_stopped(rounds: &[HalvingRound]) -> Vec<StoppedTrial> {
    rounds.iter().flat_map(|round| round.stopped.clone()).collect()
}

/// Takes out of `left` all but the best one of every `factor`, at least one.
fn compare(
    halving: Halving,
    epoch: usize,
    left: &mut Vec<Trial>,
    reached: &dyn Fn(&Trial) -> Option<EpochRecord>,
) -> HalvingRound {
    let value = |trial: &Trial| halving.metric.of(reached(trial)?.validation.as_ref()?);
    let mut ranked: Vec<(Option<f64>, Trial)> = left.drain(..).map(|trial| (value(&trial), trial)).collect();
    ranked.sort_by(|(one, trial), (other, sibling)| {
        let by_value = match (one, other) {
            (Some(one), Some(other)) if halving.metric.higher_is_better() => other.total_cmp(one),
            (Some(one), Some(other)) => one.total_cmp(other),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        by_value.then_with(|| trial.id.cmp(&sibling.id))
    });
    let n_trials = ranked.len();
    let n_kept = (n_trials / halving.factor).max(1);
    let mut stopped = Vec::new();
    for (place, (value, trial)) in ranked.into_iter().enumerate() {
        if place < n_kept && value.is_some() {
            left.push(trial);
        } else {
            stopped.push(StoppedTrial { label: trial.label(), trial: trial.id, epoch, value, rank: place + 1 });
        }
    }
    HalvingRound { epoch, metric: halving.metric.name().to_owned(), n_trials, n_kept: left.len(), stopped }
}

/// What a trial had reached at `epoch`, or at its own end before it; `None` if that was no good end.
fn reached(store: &Store, records: &BTreeMap<String, RunRecord>, trial: &Trial, epoch: usize) -> Option<EpochRecord> {
    match records.get(&trial.id) {
        Some(record) if record.status == Status::Finished => record.epochs.get(epoch).or(record.epochs.last()).cloned(),
        Some(_) => None,
        None => store.rung(&trial.id, epoch),
    }
}

/// Whether a trial has come to an end of its own, in this sweep or before.
fn is_over(records: &BTreeMap<String, RunRecord>, trial: &Trial) -> bool {
    records.get(&trial.id).is_some_and(RunRecord::is_over)
}
