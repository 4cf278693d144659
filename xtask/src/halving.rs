//! Successive halving: trials are compared after few epochs, and only the best go on.
//!
//! It is synchronous: nobody goes on before all have been measured, so which trials go on depends on what they compute
//! and on nothing else, and a sweep that crashed decides again as it did before. A trial that is stopped leaves no record
//! and no model, so that it can never be taken for a whole one; what it had reached stays in `rungs/`, and `halving.json`
//! says who was compared, in which order, and who was stopped.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::Path;

use mlp_results::{HalvingRound, RunFolder, RunRecord, Status, StoppedTrial};
use mlp_train::EpochRecord;

use crate::campaign::{self, Campaign, Manner};
use crate::checkpoints::Pace;
use crate::configuration::Halving;
use crate::failure::{Code, Failure};
use crate::plan::Plan;
use crate::store::ResultsStore;
use crate::trial::Trial;

/// Runs the trials of `plan`, and stops the worse of them on the way. Returns what came of the others, and who was
/// stopped.
pub(crate) fn run(
    halving: Halving,
    plan: &Plan,
    store: &ResultsStore,
    mut records: BTreeMap<String, RunRecord>,
    manner: &Manner<'_>,
) -> Result<(Campaign, Vec<StoppedTrial>), Failure> {
    let mut left: Vec<Trial> = plan.trials.clone();
    let mut comparisons: Vec<HalvingRound> = Vec::new();
    let cuts = |comparisons: &[HalvingRound]| {
        comparisons.iter().flat_map(|each| each.stopped.clone()).collect::<Vec<StoppedTrial>>()
    };
    for epoch in halving.rungs(plan.specification.base.train.epochs) {
        let is_open = |trial: &&Trial| !is_over(&records, trial) && store.rung(&trial.id, epoch).is_none();
        let open: Vec<Trial> = left.iter().filter(is_open).cloned().collect();
        if !open.is_empty() {
            let campaign = campaign::run(&plan.laboratory, &open, store, records.clone(), Some(epoch), manner)?;
            records.extend(campaign.records);
            if campaign.stopped.is_some() {
                return Ok((Campaign { records: over(records), stopped: campaign.stopped }, cuts(&comparisons)));
            }
        }
        let comparison = compare(halving, epoch, &mut left, &|trial| reached(store, &records, trial, epoch));
        for cut in &comparison.stopped {
            store.checkpoints(&cut.trial, serde_json::Map::new(), Pace::default()).remove();
        }
        comparisons.push(comparison);
        RunFolder::new(&plan.folder)
            .write_halving_rounds(&comparisons)
            .map_err(|error| Failure::new(Code::InputOutput, error.to_string()))?;
    }
    let campaign = campaign::run(&plan.laboratory, &left, store, records.clone(), None, manner)?;
    records.extend(campaign.records);
    // A trial that came to an end of its own before it was stopped has its record all the same.
    let cuts = cuts(&comparisons).into_iter().filter(|cut| !records.contains_key(&cut.trial)).collect();
    Ok((Campaign { records, stopped: campaign.stopped }, cuts))
}

/// How many trials a sweep has stopped so far, as its folder says; one that had come to an end of its own, such as a
/// divergence, has its record among `records`.
pub(crate) fn n_stopped(folder: &Path, records: &BTreeMap<String, RunRecord>) -> usize {
    let comparisons = RunFolder::new(folder).halving_rounds(|trial| records.contains_key(trial)).unwrap_or_default();
    comparisons.iter().map(|comparison| comparison.stopped.len()).sum()
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
        match place < n_kept && value.is_some() {
            true => left.push(trial),
            false => {
                stopped.push(StoppedTrial { label: trial.label(), trial: trial.id, epoch, value, rank: place + 1 })
            }
        }
    }
    HalvingRound { epoch, metric: halving.metric.name().to_owned(), n_trials, n_kept: left.len(), stopped }
}

/// What a trial had reached at `epoch`, or at its own end before it; `None` if that was no good end.
fn reached(
    store: &ResultsStore,
    records: &BTreeMap<String, RunRecord>,
    trial: &Trial,
    epoch: usize,
) -> Option<EpochRecord> {
    match records.get(&trial.id) {
        Some(record) if record.status == Status::Finished => record.epochs.get(epoch).or(record.epochs.last()).cloned(),
        Some(_) => None,
        None => store.rung(&trial.id, epoch),
    }
}

/// Whether a trial has come to an end of its own, in this sweep or before.
fn is_over(records: &BTreeMap<String, RunRecord>, trial: &Trial) -> bool {
    records.get(&trial.id).is_some_and(|record| record.status != Status::Failed)
}

fn over(mut records: BTreeMap<String, RunRecord>) -> BTreeMap<String, RunRecord> {
    records.retain(|_, record| record.status != Status::Failed);
    records
}
