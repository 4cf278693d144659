//! Options that several commands share.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use clap::Args;
use mlp_core::{Kernel, Workers};
use mlp_results::text::{counted, shorten};
use mlp_results::{
    Compared, Metric, RankBy, Ranking, RunFolder, RunRecord, Status, TestSet, keys_of_kind, n_validation_splits,
    test_sets, unlike_keys,
};
use mlp_sweep::{CheckpointInterval, Dataset, RunOptions, Trial};

use crate::failure::{Code, Failure};
use crate::output::notice;

/// Said where a ranking by loss means nothing.
const UNLIKE_LOSSES: &str = "warning: the trials minimise losses of different kinds, whose values say nothing about each other; \
                             --by accuracy compares them";

/// Said where a ranking by errors of the outputs means nothing.
const UNLIKE_CODES: &str = "warning: the trials write classes in different codes, and errors of their outputs say nothing about \
                            each other; --by accuracy compares them";

/// Whether values of the metric are numbers of different kinds in these trials, as [`unlike_keys`] says it of records.
fn are_unlike(trials: &[Trial], metric: Metric) -> bool {
    let kind =
        |trial: &Trial| -> Vec<_> { keys_of_kind(metric).iter().map(|key| trial.settings.train.get(key)).collect() };
    trials.windows(2).any(|pair| kind(&pair[0]) != kind(&pair[1]))
}

/// Whether what trials are ranked by can be compared in all of these, by what is known before they run.
pub(crate) fn will_be_comparable(trials: &[Trial], by: RankBy) -> bool {
    let is_one_set = trials.windows(2).all(|pair| pair[0].settings.test_size == pair[1].settings.test_size);
    is_one_set && !by.metric.is_some_and(|metric| are_unlike(trials, metric))
}

fn warn_of_unlike(metric: Metric) {
    notice(if metric == Metric::Loss { UNLIKE_LOSSES } else { UNLIKE_CODES });
}

/// Whether what these trials are ranked by means the same in all of them, measured on the same samples.
pub(crate) fn are_comparable<'a>(records: impl Iterator<Item = &'a RunRecord> + Clone, ranking: Ranking) -> bool {
    test_sets(records.clone()).len() < 2 && unlike_keys(records, ranking.metric).is_empty()
}

/// Says that trials were tested on different samples, across which nothing is compared.
pub(crate) fn warn_of_test_sets<'a>(records: impl Iterator<Item = &'a RunRecord>) {
    let sets = test_sets(records);
    if sets.len() > 1 {
        notice(format_args!(
            "warning: the trials were tested on {} different sets of samples ({}), so that their test numbers cannot be \
             compared",
            sets.len(),
            sets.iter().map(test_set_name).collect::<Vec<_>>().join("; ")
        ));
    }
}

/// Says, where validation ranks, that trials were validated by samples that were split off in different ways.
pub(crate) fn warn_of_validation_splits<'a>(records: impl Iterator<Item = &'a RunRecord> + Clone, by: RankBy) {
    let (n_splits, ranking) = (n_validation_splits(records.clone()), Ranking::of(records.clone(), by));
    if ranking.set != Compared::Validation {
        return;
    }
    let test = Ranking { set: Compared::Test, ..ranking };
    let (n_scored, n_unranked) = records
        .filter(|record| test.score(record).is_some())
        .fold((0, 0), |counts, record| (counts.0 + 1, counts.1 + usize::from(ranking.score(record).is_none())));
    if n_unranked > 0 {
        notice(format_args!(
            "warning: {n_unranked} of {} have no validation samples, by which the others are ranked: they stand behind, \
             whatever they reached; --by test.accuracy ranks all by the test set",
            counted(n_scored, "trial")
        ));
    }
    if n_splits > 1 {
        notice(format_args!(
            "warning: the trials are validated by samples that were split off in {n_splits} different ways, so that they \
             learn from other samples and are judged by others"
        ));
    }
}

/// `mnist, 10,000 images`, with the start of the hash of the data.
fn test_set_name(set: &TestSet) -> String {
    let hash: String = set.sha256.chars().take(8).collect();
    format!("{} {hash}, {}", shorten(&set.name, 40), counted(set.n_samples, "image"))
}

/// Says, of several trials, that some may have learned from their validation samples before: those rank them too high.
pub(crate) fn warn_of_seen_validation<'a>(records: impl Iterator<Item = &'a RunRecord>) {
    let (mut n_records, mut n_seen) = (0, 0);
    for record in records {
        n_records += 1;
        n_seen += usize::from(record.data.validation_was_seen);
    }
    if n_seen > 0 {
        notice(format_args!(
            "warning: validation flatters {n_seen} of {}: they went on from a net that may have learned from what are their \
             validation samples; --by test.accuracy ranks without those",
            counted(n_records, "trial")
        ));
    }
}

/// How to run trials: of `train` and `sweep`.
#[derive(Args, Debug)]
pub(crate) struct RunArguments {
    /// Set a key to a TOML value or a bare word, whatever the file says; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<String>,
    /// Folder for the results, instead of runs/NAME-DATA
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
    /// Examine each layer after every epoch, and say at which one learning died and why; changes no weight
    #[arg(long)]
    pub(crate) diagnose: bool,
    #[command(flatten)]
    pub(crate) data: DataOption,
    #[command(flatten)]
    pub(crate) machine: MachineOptions,
    #[command(flatten)]
    pub(crate) checkpoints: CheckpointOptions,
    #[command(flatten)]
    pub(crate) style: StyleOptions,
}

/// How often to write down trials under way.
#[derive(Args, Clone, Debug)]
pub(crate) struct CheckpointOptions {
    /// Write a trial under way to disk every so often, such as 90s or 10m; 0 for never [default: 5m]
    #[arg(long, value_name = "TIME", value_parser = time)]
    checkpoint_every: Option<Duration>,
    /// Write a trial under way to disk every N epochs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    checkpoint_epochs: Option<u32>,
}

/// What to compute on.
#[derive(Args, Clone, Debug)]
pub(crate) struct DataOption {
    /// A downloaded data set, a folder of IDX files, or "synthetic"; without it MNIST if it is here, else synthetic
    /// digits
    #[arg(long, value_name = "NAME|FOLDER")]
    pub(crate) data: Option<String>,
}

/// What to compute with.
#[derive(Args, Clone, Debug)]
pub(crate) struct MachineOptions {
    /// Threads in all [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// Instruction set: avx512, avx2 or portable; they differ in rounding [default: the best one here]. For `train` and `sweep`
    /// also reference: the back-propagation to read and to change, which is slow
    #[arg(long, visible_alias = "engine", value_name = "NAME", value_parser = kernel)]
    pub(crate) kernel: Option<Kernel>,
}

/// How to tell about it.
#[derive(Args, Clone, Debug)]
pub(crate) struct StyleOptions {
    /// No progress and no tables: only what must be said
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Print JSON for machines, and nothing else, on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

/// What trials are ranked by.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct RankingOption {
    /// Rank trials by this metric: accuracy, loss, mae, rmse, bit_accuracy, nearest_accuracy or exact_accuracy, or one of
    /// them on a set, such as validation.loss or test.accuracy [default: accuracy, on the validation set where there is one]
    #[arg(long, value_name = "METRIC", value_parser = str::parse::<RankBy>)]
    by: Option<RankBy>,
}

impl RankingOption {
    /// What is asked for.
    pub(crate) fn by(self) -> RankBy {
        self.by.unwrap_or_default()
    }

    /// Says that losses of different kinds, or errors of different outputs, cannot be compared, where trials are to be ranked
    /// by them.
    pub(crate) fn warn_of_unlike_trials(self, trials: &[Trial]) {
        if let Some(metric) = self.by().metric.filter(|metric| are_unlike(trials, *metric)) {
            warn_of_unlike(metric);
        }
    }

    /// The same for records.
    pub(crate) fn warn_of_unlike_records<'a>(self, records: impl Iterator<Item = &'a RunRecord>) {
        if let Some(metric) = self.by().metric
            && !unlike_keys(records, metric).is_empty()
        {
            warn_of_unlike(metric);
        }
    }

    /// Code 2, before anything is trained, if trials are to be ranked by validation samples and none splits any off.
    pub(crate) fn check_trials(self, trials: &[Trial], data: &Dataset) -> Result<(), Failure> {
        let has_validation = trials.iter().any(|trial| trial.settings.train.validation > 0);
        if self.by().set != Some(Compared::Validation) || has_validation {
            return Ok(());
        }
        // A sixth of what the smallest trial has to learn from.
        let train_sizes = trials.iter().filter_map(|trial| trial.settings.train_size);
        let validation = (train_sizes.chain([data.train().len()]).min().unwrap_or_default() / 6).max(1);
        Err(Failure::configuration(format!(
            "--by: no trial has validation samples to be ranked by; --set validation={validation}, for one, splits so many off the \
             training set"
        )))
    }

    /// As [`RankingOption::check`], for the records in a folder.
    pub(crate) fn check_folder(self, folder: &Path) -> Result<(), Failure> {
        if self.by.is_none() {
            return Ok(());
        }
        let records = RunFolder::new(folder).records();
        self.warn_of_unlike_records(records.values());
        self.check(records.values())
    }

    /// Code 2 if no trial that finished was measured so.
    pub(crate) fn check<'a>(self, records: impl Iterator<Item = &'a RunRecord> + Clone) -> Result<(), Failure> {
        let ranking = Ranking::of(records.clone(), self.by());
        let is_measured = records.clone().any(|record| ranking.score(record).is_some());
        let has_finished = records.clone().any(|record| record.status == Status::Finished);
        if self.by.is_none() || is_measured || !has_finished {
            return Ok(());
        }
        let usual = Ranking::of(records, RankBy::default());
        Err(Failure::configuration(format!(
            "--by: no trial that finished was measured by {ranking}; without --by they are ranked by {usual}"
        )))
    }
}

impl RunArguments {
    /// What the engine makes of them; `stop` ends it.
    pub(crate) fn run_options<'a>(&self, stop: &'a AtomicBool) -> RunOptions<'a> {
        let mut options = run_options(&self.machine, &self.checkpoints, stop);
        options.diagnose = self.diagnose;
        options
    }
}

/// How trials are run on this machine, until `stop` is raised.
pub(crate) fn run_options<'a>(
    machine: &MachineOptions,
    checkpoints: &CheckpointOptions,
    stop: &'a AtomicBool,
) -> RunOptions<'a> {
    let mut options = RunOptions::default();
    options.n_threads = machine.n_threads();
    options.checkpoints = checkpoints.interval();
    options.stop = Some(stop);
    options
}

impl MachineOptions {
    /// The number of threads to use.
    pub(crate) fn n_threads(&self) -> usize {
        let cores = || thread::available_parallelism().map_or(1, |cores| cores.get());
        self.threads.map_or_else(cores, usize::from)
    }

    /// As [`MachineOptions::kernel`], for what has no readable version.
    pub(crate) fn fast_kernel(&self) -> Result<Kernel, Failure> {
        match self.kernel()? {
            Kernel::Reference => Err(Failure::configuration(format!(
                "--kernel reference: expected {} here; the readable back-propagation is for `train` and `sweep`",
                supported().join(", ")
            ))),
            kernel => Ok(kernel),
        }
    }

    /// The kernel to use; code 2 if this machine cannot run it.
    pub(crate) fn kernel(&self) -> Result<Kernel, Failure> {
        match self.kernel {
            None => Ok(Kernel::detect()),
            Some(kernel) if kernel.is_supported() => Ok(kernel),
            Some(kernel) => Err(Failure::configuration(format!(
                "--kernel {}: this machine does not have these instructions; it can run {}",
                kernel.name(),
                supported().join(", ")
            ))),
        }
    }
}

impl CheckpointOptions {
    /// As the store wants it. A trial that is interrupted is written down in any case.
    pub(crate) fn interval(&self) -> CheckpointInterval {
        let every = self.checkpoint_every.unwrap_or(Duration::from_secs(300));
        CheckpointInterval {
            epochs: self.checkpoint_epochs.map(|epochs| epochs as usize),
            time: Some(every).filter(|every| !every.is_zero()),
        }
    }
}

/// A time as people write it: `90s`, `30m`, `1h30m`, `2d`; a bare number is seconds.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a time such as 90s, 30m, 1h30m or 2d".to_owned();
    let (mut seconds, mut number) = (0.0, String::new());
    for character in text.chars() {
        if character.is_ascii_digit() || character == '.' {
            number.push(character);
            continue;
        }
        let unit = match character {
            's' => 1.0,
            'm' => 60.0,
            'h' => 3600.0,
            'd' => 86400.0,
            _ => return Err(wrong()),
        };
        seconds += unit * std::mem::take(&mut number).parse::<f64>().map_err(|_| wrong())?;
    }
    if !number.is_empty() {
        seconds += number.parse::<f64>().map_err(|_| wrong())?;
    }
    if text.is_empty() {
        return Err(wrong());
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}

impl StyleOptions {
    /// Whether tables and explanations are wanted.
    pub(crate) fn is_talkative(&self) -> bool {
        !self.quiet && !self.json
    }
}

fn kernel(name: &str) -> Result<Kernel, String> {
    Kernel::from_name(name).ok_or_else(|| {
        let known = Kernel::ALL.map(Kernel::name).join(", ");
        format!("expected one of {known}, reference")
    })
}

fn supported() -> Vec<&'static str> {
    let kernels = Kernel::ALL.into_iter().filter(|kernel| kernel.is_supported());
    kernels.map(Kernel::name).collect()
}

/// A team of so many threads.
pub(crate) fn team(n_threads: usize) -> Result<Workers, Failure> {
    Workers::try_new(n_threads).map_err(|error| {
        let message =
            format!("the system refuses a team of {n_threads} threads: {error}; try --threads with a smaller number");
        Failure::new(Code::InputOutput, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let seconds = |text: &str| time(text).map(|time| time.as_secs_f64());
        for (text, expected) in
            [("90s", 90.0), ("30m", 1800.0), ("1h30m", 5400.0), ("2d", 172_800.0), ("1.5", 1.5), ("0", 0.0)]
        {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
        for text in ["", "m", "3x", "-1s", "1h m", "1.2.3s", "1e9d", "∞"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
