//! Trials under way, and those that were when their process ended: what is known of them before they have a record.

use std::collections::BTreeMap;
use std::path::Path;

use mlp_results::{RunFolder, text};
use mlp_sweep::{Running, SweepSpec};
use mlp_train::EpochRecord;

use super::summary::{InterruptedTrial, RunningTrial};
use crate::folders::Folders;

/// How many of either are listed.
const N_LISTED_MAX: usize = 64;

/// Epoch and batches of trials with a checkpoint, by trial.
pub(super) type Checkpoints = BTreeMap<String, (usize, usize)>;

/// The trials that somebody is at.
pub(super) fn under_way(
    running: &[Running],
    checkpoints: &Checkpoints,
    specification: Option<&SweepSpec>,
) -> Vec<RunningTrial> {
    let trial = |running: &Running| {
        let checkpoint = checkpoints.get(&running.trial).map(|(epoch, _)| epoch.saturating_sub(1));
        RunningTrial {
            trial: running.trial.clone(),
            label: text::clean(&running.label, 120),
            holder: text::clean(&running.holder, 80),
            seconds: running.seconds.map(f64::round),
            epoch: running.epochs.last().map(|epoch| epoch.epoch).max(checkpoint),
            n_epochs: n_epochs(specification),
            curve: running.epochs.iter().map(measured).collect(),
            measures: measures(&running.epochs),
        }
    };
    running.iter().take(N_LISTED_MAX).map(trial).collect()
}

/// The trials with a checkpoint that nobody is at and that have not come to an end.
pub(super) fn interrupted(
    folder: &RunFolder,
    folders: &Folders,
    checkpoints: &Checkpoints,
    specification: Option<&SweepSpec>,
    is_over: impl Fn(&str) -> bool,
) -> Vec<InterruptedTrial> {
    let waiting = checkpoints.iter().filter(|(trial, _)| !is_over(trial));
    let trial = |(trial, (epoch, _)): (&String, &(usize, usize))| {
        let is_ours = folders.admit(&folder.running().join(trial)).is_some();
        let left = is_ours.then(|| mlp_sweep::left_behind(folder, trial)).flatten();
        let (label, epochs) = left.map_or_else(Default::default, |left| (left.label, left.epochs));
        InterruptedTrial {
            trial: trial.clone(),
            label: text::clean(&label, 120),
            epoch: *epoch,
            n_epochs: n_epochs(specification),
            curve: epochs.iter().map(measured).collect(),
            measures: measures(&epochs),
        }
    };
    waiting.take(N_LISTED_MAX).map(trial).collect()
}

/// The command that goes on with what is left in the folder, from the specification that lies there; nothing where training began
/// with a network that only the first command knows.
pub(super) fn command(folder: &RunFolder, specification: &SweepSpec) -> Option<String> {
    if specification.needs_initial() {
        return None;
    }
    let name = if specification.n_trials() > 1 { "sweep" } else { "train" };
    let (file, out) = (quoted(&folder.specification())?, quoted(folder.path())?);
    Some(format!("cargo xtask {name} {file} --out {out}"))
}

/// As a shell takes it for one argument.
fn quoted(path: &Path) -> Option<String> {
    let text = path.to_str().filter(|text| !text.contains(char::is_control))?;
    let is_plain = text.chars().all(|one| one.is_alphanumeric() || "/._-+=,@%".contains(one));
    Some(if is_plain { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) })
}

/// The epochs that every trial is to have.
fn n_epochs(specification: Option<&SweepSpec>) -> Option<usize> {
    let specification = specification?;
    let varies = specification.axes().iter().any(|axis| axis.key == "epochs");
    (!varies).then(|| specification.base().train.epochs)
}

fn measured(epoch: &EpochRecord) -> (usize, f64) {
    let metrics = epoch.test.as_ref().unwrap_or(&epoch.train);
    (epoch.epoch, metrics.accuracy.unwrap_or(metrics.loss))
}

fn measures(epochs: &[EpochRecord]) -> &'static str {
    epochs.last().map_or("", |epoch| match &epoch.test {
        Some(test) if test.accuracy.is_some() => "test accuracy",
        Some(_) => "test loss",
        None if epoch.train.accuracy.is_some() => "training accuracy",
        None => "training loss",
    })
}
