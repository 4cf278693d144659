//! A row for each trial and epoch: the curves as numbers.

use std::io::Write;

use mlp_results::{Overview, TrialResult};
use mlp_train::{EpochRecord, TrainConfig};

use super::{metric_cells, names_of_metrics, number_cell, table, text_cell, value_cell};

/// Writes a row for each epoch of each trial to `to`, sorted by identity and epoch: identity, status, the keys that vary,
/// seed, epoch, the learning rate of its last step, the metrics after it (`train.…`, `validation.…`, `test.…`), and the seconds
/// of training and of measuring it. Epoch 0 is before training.
///
/// Empty cells and texts are as in [`results_csv`](super::results_csv).
///
/// ```no_run
/// let results = mlp_results::RunFolder::new("runs/layers-mnist").read()?;
/// let overview = mlp_results::Overview::new(&results.trials);
/// mlp_report::csv::write_epochs(&overview, std::fs::File::create("epochs.csv")?)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// If `to` refuses.
pub fn write_epochs(overview: &Overview<'_>, to: impl Write) -> std::io::Result<()> {
    let mut trials: Vec<&TrialResult> = overview.cells.iter().flat_map(|cell| cell.trials.iter().copied()).collect();
    trials.sort_by(|one, other| one.record.trial.cmp(&other.record.trial));
    let keys: Vec<&str> = overview.varied.iter().map(|key| key.key.as_str()).collect();
    let mut table = table(to);
    let first =
        ["trial", "status"].into_iter().chain(keys.iter().copied()).chain(["seed", "epoch", "last_learning_rate"]);
    let last = ["seconds_train", "seconds_evaluate"].map(str::to_owned);
    table.write_record(first.map(text_cell).chain(names_of_metrics()).chain(last))?;
    for trial in trials {
        let config = |key: &str| value_cell(trial.record.setting(key));
        let mut of_trial = vec![text_cell(&trial.record.trial), text_cell(&trial.ending())];
        of_trial.extend(keys.iter().copied().chain(["seed"]).map(config));
        let train_config = TrainConfig::split_map(&trial.record.config).map(|(config, _)| config).ok();
        for (place, epoch) in trial.record.epochs.iter().enumerate() {
            let rate = train_config.as_ref().and_then(|config| last_learning_rate(trial, config, epoch.epoch));
            let placed = [epoch.epoch.to_string(), number_cell(rate)];
            table.write_record(of_trial.iter().cloned().chain(placed).chain(cells(trial, place, epoch)))?;
        }
    }
    table.flush()
}

/// The learning rate at the end of an epoch; none before training.
fn last_learning_rate(trial: &TrialResult, config: &TrainConfig, epoch: usize) -> Option<f64> {
    let n_samples = trial.record.data.train.checked_sub(config.validation)?;
    (epoch > 0).then(|| config.last_learning_rate(epoch, n_samples, &trial.record.epochs))
}

/// What was measured after one epoch, the one at `place` among those that were measured.
fn cells(trial: &TrialResult, place: usize, epoch: &EpochRecord) -> impl Iterator<Item = String> {
    let runtime = &trial.record.runtime;
    // Nothing is trained before the first one is measured.
    let seconds_train = place.checked_sub(1).and_then(|place| runtime.seconds_train.get(place));
    let seconds = [seconds_train, runtime.seconds_evaluate.get(place)];
    let seconds = seconds.map(|seconds| number_cell(seconds.copied().filter(|seconds| seconds.is_finite())));
    let sets = [Some(&epoch.train), epoch.validation.as_ref(), epoch.test.as_ref()];
    let decoding = trial.record.answers_by();
    let metrics = sets.into_iter().flat_map(move |set| metric_cells(set, decoding));
    metrics.chain(seconds)
}
