//! What a sweep will cost, from measuring a few of its trials for a moment.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use mlp_core::Workers;
use mlp_train::{Precision, Progress, Setup, Trainable, train};

use crate::campaign::Shares;
use crate::commands::sweep::n_finished;
use crate::configuration::RunSettings;
use crate::failure::{Code, Failure};
use crate::options;
use crate::output::{Output, counted, duration};
use crate::places;
use crate::plan::Plan;
use crate::store::peek;
use crate::summary::columns;
use crate::trial::{Laboratory, Trial, samples, work};

/// How many kinds of trials are measured; the others are judged by them.
const MAX_MEASURED: usize = 6;
/// How long each is trained.
const MEASURING_TIME: Duration = Duration::from_millis(300);
/// How many cells are listed.
const MAX_LISTED: usize = 40;

/// What a trial was seen to cost.
#[derive(Clone, Copy, Debug)]
struct Cost {
    /// Work of one sample, as [`work`] counts it.
    work: f64,
    /// Seconds of training for each sample of an epoch.
    per_sample: f64,
    /// Seconds of measuring after each epoch.
    per_measuring: f64,
}

/// Tells what is done, how long the rest of `trials` will take, and how much memory; nothing is run, and nothing written.
/// `shares` tells for a number of open trials how they will share the threads.
pub(crate) fn tell(
    plan: &Plan,
    trials: &[Trial],
    shares: &dyn Fn(usize) -> Shares,
    output: &mut Output,
) -> Result<(), Failure> {
    let records = peek(&plan.folder);
    let n_done = n_finished(trials, &records);
    let is_open = |trial: &&Trial| n_finished(std::slice::from_ref(*trial), &records) == 0;
    let open: Vec<&Trial> = trials.iter().filter(is_open).collect();
    let shares = shares(open.len());
    let workers = options::team(shares.n_threads / shares.n_jobs)?;
    let costs = measure(&plan.laboratory, &open, &workers)?;
    let seconds: Vec<f64> = trials.iter().map(|trial| seconds_of(&plan.laboratory, &trial.settings, &costs)).collect();
    let by_trial: BTreeMap<&str, f64> =
        trials.iter().zip(&seconds).map(|(trial, seconds)| (trial.id.as_str(), *seconds)).collect();

    list_cells(trials, &is_open, &by_trial, output);
    output.line(format_args!("trials   {}: {n_done} finished, {} to run", trials.len(), open.len()));
    if !open.is_empty() {
        let of_open = |trial: &&Trial| by_trial.get(trial.id.as_str()).copied().unwrap_or(0.0);
        let total: f64 = open.iter().map(of_open).sum();
        let longest = open.iter().map(of_open).fold(0.0, f64::max);
        output.line(format_args!(
            "time     about {}, {} at a time with {} each; the longest about {}; measured {} for a moment",
            duration((total / shares.n_jobs as f64).max(longest)),
            counted(shares.n_jobs, "trial"),
            counted(workers.n_threads(), "thread"),
            duration(longest),
            counted(costs.len(), "kind"),
        ));
        output.line(format_args!("memory   {}", memory(&plan.laboratory, &open, shares.n_jobs)));
    }
    output.line(format_args!("into     {}", places::shown(&plan.folder)));
    Ok(())
}

/// The keys of a combination with their values.
type Cell = Vec<(String, String)>;

/// A line for each combination of all keys but the seed: how many trials are done, and what one of them takes.
fn list_cells(trials: &[Trial], is_open: &dyn Fn(&&Trial) -> bool, seconds: &BTreeMap<&str, f64>, output: &mut Output) {
    let mut cells: Vec<(Cell, usize, usize, f64)> = Vec::new();
    let mut places = BTreeMap::new();
    for trial in trials {
        let cell = trial.cell();
        let place = *places.entry(cell.clone()).or_insert_with(|| {
            cells.push((cell, 0, 0, seconds.get(trial.id.as_str()).copied().unwrap_or(0.0)));
            cells.len() - 1
        });
        cells[place].1 += usize::from(!is_open(&trial));
        cells[place].2 += 1;
    }
    let Some((first, ..)) = cells.first() else { return };
    let keys: Vec<&str> = first.iter().map(|(key, _)| key.as_str()).collect();
    let width = |column: usize| {
        let values = cells.iter().map(|(cell, ..)| cell[column].1.chars().count());
        values.chain([keys[column].chars().count()]).max().unwrap_or(0).min(40)
    };
    let widths: Vec<usize> = (0..keys.len()).map(width).collect();
    output.line(format_args!("{}{:>10}  {:>12}", columns(keys.iter().copied(), &widths), "finished", "each about"));
    for (cell, n_done, n_trials, seconds) in cells.iter().take(MAX_LISTED) {
        let values = columns(cell.iter().map(|(_, value)| value.as_str()), &widths);
        output.line(format_args!("{values}{:>10}  {:>12}", format!("{n_done} of {n_trials}"), duration(*seconds)));
    }
    if cells.len() > MAX_LISTED {
        output.line(format_args!("… and {} more; --list shows every trial", counted(cells.len() - MAX_LISTED, "line")));
    }
    output.line("");
}

/// Trains some of the trials for a moment: one of each kind of network, the kinds spread over the sizes.
fn measure(laboratory: &Laboratory, open: &[&Trial], workers: &Workers) -> Result<Vec<Cost>, Failure> {
    let mut kinds: BTreeMap<(u64, String), &Trial> = BTreeMap::new();
    for trial in open {
        let keys = ["hidden", "batch_size", "optimizer", "precision", "encoding", "train_size", "evaluate_train"];
        let kind: Vec<String> = keys.iter().map(|key| format!("{:?}", trial.settings.get(key))).collect();
        kinds.entry((work_of_a_sample(laboratory, &trial.settings) as u64, kind.join(" "))).or_insert(trial);
    }
    let kinds: Vec<&Trial> = kinds.into_values().collect();
    let n_measured = kinds.len().min(MAX_MEASURED);
    let mut costs = Vec::new();
    for number in 0..n_measured {
        let index = if n_measured == 1 { 0 } else { number * (kinds.len() - 1) / (n_measured - 1) };
        let trial = kinds[index];
        costs.extend(match trial.settings.train.precision {
            Precision::F32 => measure_as::<f32>(laboratory, &trial.settings, workers)?,
            Precision::F64 => measure_as::<f64>(laboratory, &trial.settings, workers)?,
        });
    }
    Ok(costs)
}

fn measure_as<F: Trainable>(
    laboratory: &Laboratory,
    settings: &RunSettings,
    workers: &Workers,
) -> Result<Option<Cost>, Failure> {
    if laboratory.memory_available().is_some_and(|available| laboratory.memory_needed(settings) > available) {
        return Ok(None);
    }
    let (train_images, test_images) = laboratory.images(settings);
    let codebook = settings.train.encoding.codebook(&train_images.classes);
    let (train_samples, test_samples) = (samples::<F>(&train_images, &codebook), samples::<F>(&test_images, &codebook));
    let setup = Setup { workers, kernel: laboratory.kernel, initial: None };
    let (mut began, mut last, mut n_samples) = (Instant::now(), Instant::now(), 0);
    let run = train::<F>(&settings.train, &train_samples, Some(&test_samples), setup, &mut |progress| {
        match progress {
            Progress::Epoch(record) if record.epoch == 0 => began = Instant::now(),
            Progress::Epoch(_) => return ControlFlow::Break(()),
            Progress::Batch { samples_done, .. } => {
                n_samples = samples_done;
                last = Instant::now();
            }
        }
        if began.elapsed() >= MEASURING_TIME { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let run = run.map_err(|error| Failure::new(Code::Configuration, error.to_string()))?;
    Ok(Some(Cost {
        work: work_of_a_sample(laboratory, settings),
        per_sample: if n_samples == 0 { 0.0 } else { (last - began).as_secs_f64() / n_samples as f64 },
        per_measuring: run.history.seconds_evaluate.first().copied().unwrap_or(0.0),
    }))
}

/// The work of one sample in one epoch.
fn work_of_a_sample(laboratory: &Laboratory, settings: &RunSettings) -> f64 {
    let n_samples = settings.train_size.unwrap_or(laboratory.data.train.len()).max(1);
    work(settings, &laboratory.data) as f64 / (n_samples as f64 * settings.train.epochs.max(1) as f64)
}

/// The seconds of a trial, by the measured one of the nearest size.
fn seconds_of(laboratory: &Laboratory, settings: &RunSettings, costs: &[Cost]) -> f64 {
    let own = work_of_a_sample(laboratory, settings);
    let distance = |cost: &Cost| (cost.work / own).ln().abs();
    let Some(nearest) = costs.iter().min_by(|one, other| distance(one).total_cmp(&distance(other))) else { return 0.0 };
    let scale = own / nearest.work;
    let n_train = settings.train_size.unwrap_or(laboratory.data.train.len()).saturating_sub(settings.train.validation);
    let n_epochs = settings.train.epochs as f64;
    // One more measuring before the first epoch, and one for the mistakes at the end.
    scale * (n_epochs * n_train as f64 * nearest.per_sample + (n_epochs + 2.0) * nearest.per_measuring)
}

fn memory(laboratory: &Laboratory, open: &[&Trial], n_jobs: usize) -> String {
    let mut needs: Vec<u64> = open.iter().map(|trial| laboratory.memory_needed(&trial.settings)).collect();
    needs.sort_unstable_by(|one, other| other.cmp(one));
    let at_once = needs.iter().take(n_jobs).fold(0_u64, |sum, need| sum.saturating_add(*need));
    let megabytes = |n_bytes: u64| crate::output::grouped((n_bytes >> 20).max(1) as usize);
    let mut text = format!("at most about {} MB besides the data", megabytes(at_once));
    if let Some(available) = laboratory.memory_available() {
        text += &format!(", of {} MB that are available", megabytes(available));
        match needs.iter().filter(|need| **need > available).count() {
            0 if at_once > available => text += "; trials will wait for one another",
            0 => {}
            n_too_large => {
                text += &format!("; {} cannot fit and will be recorded as failed", counted(n_too_large, "trial"))
            }
        }
    }
    text
}
