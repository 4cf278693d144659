//! What a sweep will cost, from measuring a few of its trials for a moment.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use mlp_core::Workers;
use mlp_results::interval::mean;
use mlp_results::{RunRecord, Status};
use mlp_train::{Precision, Progress, Setup, Trainable, train};
use serde_json::Value;

use crate::error::Result;
use crate::experiment::Experiment;
use crate::parallelism::{Parallelism, team};
use crate::spec::RunSettings;
use crate::standing::seconds_of_record;
use crate::sweep::Sweep;
use crate::trial::Trial;

/// How many kinds of trials are measured; the others are judged by them.
const MAX_MEASURED: usize = 6;
/// How long each is trained.
const MEASURING_TIME: Duration = Duration::from_millis(300);

/// What is done of a sweep, and what the rest will cost.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Estimate {
    /// Each configuration: a combination of all keys but the seed.
    pub configurations: Vec<ConfigurationEstimate>,
    /// Trials asked for.
    pub n_trials: usize,
    /// Those that have a result.
    pub n_over: usize,
    /// Those without one that successive halving has stopped.
    pub n_stopped: usize,
    /// Whether halving may stop some of the others: they then take less than this says.
    pub is_at_most: bool,
    /// Seconds that the others will take, sharing the threads.
    pub seconds: f64,
    /// Seconds of the longest of them.
    pub longest: f64,
    /// How they will share the threads.
    pub parallelism: Parallelism,
    /// Threads that each had when it was measured.
    pub n_threads_each: usize,
    /// How many kinds of trials were measured.
    pub n_measured: usize,
    /// The memory that they need.
    pub memory: MemoryEstimate,
}

/// What is done of a configuration, and what one of its trials will cost.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ConfigurationEstimate {
    /// The keys that vary with their values, without the seed.
    pub varied: Vec<(String, String)>,
    /// Trials with a result.
    pub n_over: usize,
    /// Trials that halving has stopped.
    pub n_stopped: usize,
    /// Trials in all.
    pub n_trials: usize,
    /// Seconds of one trial: to its end where some are to run, else what those that finished took; nothing where none did.
    pub seconds: Option<f64>,
}

/// Bytes of memory besides the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryEstimate {
    /// What the largest trials need that may run at the same time.
    pub at_once: u64,
    /// What is there, if the system says.
    pub available: Option<u64>,
    /// Trials that cannot fit and will be recorded as failed.
    pub n_too_large: usize,
}

/// What a trial was seen to cost.
#[derive(Clone, Debug)]
struct Cost {
    /// Work of one sample, as [`Experiment::work`] counts it.
    work: f64,
    batch_size: f64,
    /// What else its cost depends on.
    kind: Vec<Option<Value>>,
    /// Seconds of training for each sample of an epoch.
    per_sample: f64,
    /// Seconds of measuring after each epoch.
    per_measuring: f64,
}

impl Sweep {
    /// What is done of `trials`, which are this sweep's, and what the rest will cost on `n_threads`, with at most `n_jobs`
    /// at a time. A few trials are trained for a moment; nothing is kept.
    ///
    /// # Errors
    ///
    /// If the system refuses threads, or samples cannot be trained on.
    pub fn estimate(&self, trials: &[Trial], n_threads: usize, n_jobs: Option<usize>) -> Result<Estimate> {
        let experiment = self.experiment();
        let records = self.folder().records();
        let is_halving = self.specification().halving().is_some();
        let rounds = if is_halving { self.folder().halving_rounds(|_| false).unwrap_or_default() } else { Vec::new() };
        let stopped: BTreeSet<&str> =
            rounds.iter().flat_map(|round| &round.stopped).map(|stopped| stopped.trial.as_str()).collect();
        let standing = |trial: &Trial| match records.get(&trial.id) {
            Some(record) if record.is_over() => Standing::Over(record),
            _ if stopped.contains(trial.id.as_str()) => Standing::Stopped,
            _ => Standing::Open,
        };
        let count =
            |is_such: fn(&Standing<'_>) -> bool| trials.iter().filter(|trial| is_such(&standing(trial))).count();
        let open: Vec<&Trial> = trials.iter().filter(|trial| matches!(standing(trial), Standing::Open)).collect();
        let parallelism = Parallelism::new(n_threads, n_jobs, open.len());
        let workers = team(parallelism.n_threads / parallelism.n_jobs)?;
        let costs = measure(experiment, &open, &workers)?;
        // What fits into no memory is recorded as failed at once.
        let available = experiment.memory_available().unwrap_or(u64::MAX);
        let seconds = |trial: &Trial| {
            let fits = experiment.memory_needed(&trial.settings) <= available;
            if fits { seconds_of(experiment, &trial.settings, &costs) } else { 0.0 }
        };
        let total: f64 = open.iter().map(|trial| seconds(trial)).sum();
        let longest = open.iter().map(|trial| seconds(trial)).fold(0.0, f64::max);
        Ok(Estimate {
            configurations: configurations(trials, &standing, &seconds),
            n_trials: trials.len(),
            n_over: count(|standing| matches!(standing, Standing::Over(_))),
            n_stopped: count(|standing| matches!(standing, Standing::Stopped)),
            is_at_most: is_halving && open.len() > 1,
            seconds: (total / parallelism.n_jobs as f64).max(longest),
            longest,
            parallelism,
            n_threads_each: workers.n_threads(),
            n_measured: costs.len(),
            memory: memory(experiment, &open, parallelism.n_jobs),
        })
    }
}

/// How a trial stands.
enum Standing<'a> {
    Over(&'a RunRecord),
    Stopped,
    Open,
}

fn configurations<'a>(
    trials: &[Trial],
    standing: &dyn Fn(&Trial) -> Standing<'a>,
    seconds: &dyn Fn(&Trial) -> f64,
) -> Vec<ConfigurationEstimate> {
    let mut configurations: Vec<ConfigurationEstimate> = Vec::new();
    let (mut places, mut taken) = (BTreeMap::new(), Vec::new());
    for trial in trials {
        let varied = trial.configuration();
        let place = *places.entry(varied.clone()).or_insert_with(|| {
            configurations.push(ConfigurationEstimate { varied, n_over: 0, n_stopped: 0, n_trials: 0, seconds: None });
            taken.push(Vec::new());
            configurations.len() - 1
        });
        let configuration = &mut configurations[place];
        configuration.n_trials += 1;
        match standing(trial) {
            Standing::Over(record) => {
                configuration.n_over += 1;
                taken[place].extend((record.status == Status::Finished).then(|| seconds_of_record(record)));
            }
            Standing::Stopped => configuration.n_stopped += 1,
            Standing::Open => configuration.seconds = configuration.seconds.or_else(|| Some(seconds(trial))),
        }
    }
    for (configuration, taken) in configurations.iter_mut().zip(taken) {
        configuration.seconds = configuration.seconds.or_else(|| mean(&taken));
    }
    configurations
}

fn memory(experiment: &Experiment, open: &[&Trial], n_jobs: usize) -> MemoryEstimate {
    let mut needs: Vec<u64> = open.iter().map(|trial| experiment.memory_needed(&trial.settings)).collect();
    needs.sort_unstable_by(|one, other| other.cmp(one));
    let at_once = needs.iter().take(n_jobs).fold(0_u64, |sum, need| sum.saturating_add(*need));
    let available = experiment.memory_available();
    let n_too_large = available.map_or(0, |available| needs.iter().filter(|need| **need > available).count());
    MemoryEstimate { at_once, available, n_too_large }
}

/// Keys on which the cost of a sample depends, besides the number of weights and the size of a batch.
const KEYS_OF_COST: [&str; 9] = [
    "optimizer",
    "precision",
    "augment",
    "dropout",
    "batch_norm",
    "average",
    "encoding",
    "train_size",
    "evaluate_train",
];

fn kind(settings: &RunSettings) -> Vec<Option<Value>> {
    KEYS_OF_COST.iter().map(|key| settings.get(key)).collect()
}

/// Trains some of the trials for a moment: one of each kind of network, the kinds spread over the sizes.
fn measure(experiment: &Experiment, open: &[&Trial], workers: &Workers) -> Result<Vec<Cost>> {
    let mut kinds: BTreeMap<(u64, usize, String), &Trial> = BTreeMap::new();
    for trial in open {
        let settings = &trial.settings;
        let kind = format!("{:?} {:?}", settings.get("hidden"), kind(settings));
        let work = work_of_a_sample(experiment, settings) as u64;
        kinds.entry((work, settings.train.batch_size, kind)).or_insert(trial);
    }
    let kinds: Vec<&Trial> = kinds.into_values().collect();
    let n_measured = kinds.len().min(MAX_MEASURED);
    let mut costs = Vec::new();
    for number in 0..n_measured {
        let index = if n_measured == 1 { 0 } else { number * (kinds.len() - 1) / (n_measured - 1) };
        let trial = kinds[index];
        costs.extend(match trial.settings.train.precision {
            Precision::F32 | Precision::Bf16 => measure_as::<f32>(experiment, &trial.settings, workers)?,
            Precision::F64 => measure_as::<f64>(experiment, &trial.settings, workers)?,
        });
    }
    Ok(costs)
}

fn measure_as<F: Trainable>(
    experiment: &Experiment,
    settings: &RunSettings,
    workers: &Workers,
) -> Result<Option<Cost>> {
    if experiment.memory_available().is_some_and(|available| experiment.memory_needed(settings) > available) {
        return Ok(None);
    }
    let (train_set, test_set) = experiment.parts(settings);
    let codebook = train_set.codebook(&settings.train);
    let [train_numbers, test_numbers] = [&train_set, &test_set].map(|set| set.converted::<F>());
    let train_samples = train_set.samples(codebook.as_ref(), train_numbers.as_ref());
    let test_samples = test_set.samples(codebook.as_ref(), test_numbers.as_ref());
    let setup = Setup { workers, kernel: experiment.kernel(), initial: None };
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
    let run = run?;
    Ok(Some(Cost {
        work: work_of_a_sample(experiment, settings),
        batch_size: settings.train.batch_size as f64,
        kind: kind(settings),
        per_sample: if n_samples == 0 { 0.0 } else { (last - began).as_secs_f64() / n_samples as f64 },
        per_measuring: run.history.seconds_evaluate.first().copied().unwrap_or(0.0),
    }))
}

/// The work of one sample in one epoch.
fn work_of_a_sample(experiment: &Experiment, settings: &RunSettings) -> f64 {
    let n_samples = settings.train_size.unwrap_or(experiment.data().train().len()).max(1);
    experiment.work(settings) as f64 / (n_samples as f64 * settings.train.epochs.max(1) as f64)
}

/// The seconds of a trial, by the measured one that is most like it: in its size, in that of its batches (whose ratio counts like that of sizes), and in what else the cost depends on.
fn seconds_of(experiment: &Experiment, settings: &RunSettings, costs: &[Cost]) -> f64 {
    let own = work_of_a_sample(experiment, settings);
    let (batch_size, kind) = (settings.train.batch_size as f64, kind(settings));
    let distance = |cost: &Cost| {
        let n_different = cost.kind.iter().zip(&kind).filter(|(one, other)| one != other).count();
        (cost.work / own).ln().abs() + (cost.batch_size / batch_size).ln().abs() + n_different as f64
    };
    let Some(nearest) = costs.iter().min_by(|one, other| distance(one).total_cmp(&distance(other))) else { return 0.0 };
    let scale = own / nearest.work;
    let n_train =
        settings.train_size.unwrap_or(experiment.data().train().len()).saturating_sub(settings.train.validation);
    let n_epochs = settings.train.epochs as f64;
    // One more measuring before the first epoch, and one for the mistakes at the end.
    scale * (n_epochs * n_train as f64 * nearest.per_sample + (n_epochs + 2.0) * nearest.per_measuring)
}
