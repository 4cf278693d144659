//! What a sweep is to run: a configuration, lists of values, ranges to draw from.
//!
//! A file holds the keys of a run and, for a sweep, lists of values under `[sweep]`. What a key means and which values it
//! takes is the business of [`TrainConfig`]; here are the file, its positions, and the keys that say on what is trained and
//! under which name.

mod check;
mod document;
mod number;
mod search;
mod settings;
mod source;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;

use mlp_train::{TargetEncoding, TrainConfig};
use serde_json::Value;

pub use self::document::Document;
pub use self::search::{Halving, RandomSearch, SweepAxis, ValueRange, Values};
use self::settings::PROGRAM_KEYS;
pub use self::settings::{RunSettings, describe_keys, is_safe_name, shown, toml_text};
use crate::error::{Error, Result};

/// More trials than this are a slip of the keyboard.
pub const MAX_TRIALS: usize = 100_000;

/// The key of a folder's specification that names the network to start from, by the hash of its weights.
pub(crate) const INITIAL_KEY: &str = "init";

/// A checked configuration: one run, and the axes along which a sweep varies it.
#[derive(Clone, Debug)]
pub struct SweepSpec {
    /// What all trials share.
    pub(crate) base: RunSettings,
    /// What varies, the slowest first.
    pub(crate) axes: Vec<SweepAxis>,
    /// Draws instead of a grid.
    pub(crate) random: Option<RandomSearch>,
    /// Whether bad trials are stopped early.
    pub(crate) halving: Option<Halving>,
    /// The network to start from, by the hash of its weights, where a folder's `spec.toml` names one.
    pub(crate) initial: Option<Value>,
    /// What all of this was checked from: every place, for errors.
    document: Document,
}

impl SweepSpec {
    /// Reads a specification from the text of a TOML file.
    ///
    /// # Errors
    ///
    /// At the first key or value at fault, with its line and column.
    pub fn from_toml(text: &str) -> Result<Self> {
        Document::parse(text, "specification")?.check()
    }

    /// Reads a specification from a file.
    ///
    /// # Errors
    ///
    /// As [`SweepSpec::from_toml`], and if the file cannot be read.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        Document::read(path.as_ref())?.check()
    }

    /// A single run; [`SweepSpec::vary`] makes it many.
    ///
    /// # Errors
    ///
    /// If a value of the configuration is out of its range.
    pub fn new(config: &TrainConfig) -> Result<Self> {
        let mut document = Document::default();
        for (key, value) in config.to_map() {
            document.set(&key, value);
        }
        document.check()
    }

    /// The same with each of `values` for `key`: the product with what varies already. A key that varied before varies
    /// over these values instead.
    ///
    /// ```
    /// use mlp_sweep::SweepSpec;
    /// use mlp_train::{TargetEncoding, TrainConfig};
    ///
    /// let spec = SweepSpec::new(&TrainConfig::default())?.vary("learning_rate", [0.001, 0.01])?.vary("seed", 0..3)?;
    /// assert_eq!(spec.n_trials(), 6);
    /// # Ok::<(), mlp_sweep::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// For a key that is unknown, and a value that it cannot have or that is named twice.
    pub fn vary<V: Into<Value>>(&self, key: &str, values: impl IntoIterator<Item = V>) -> Result<Self> {
        let mut document = self.document.clone();
        document.vary(key, values.into_iter().map(Into::into).collect());
        document.check()
    }

    /// The same with `key` at `value` in every trial.
    ///
    /// # Errors
    ///
    /// As [`SweepSpec::vary`].
    pub fn with(&self, key: &str, value: impl Into<Value>) -> Result<Self> {
        let mut document = self.document.clone();
        document.set(key, value.into());
        document.check()
    }

    /// What all trials share; of keys that vary, the value is not used.
    pub fn base(&self) -> &RunSettings {
        &self.base
    }

    /// What varies, the slowest first.
    pub fn axes(&self) -> &[SweepAxis] {
        &self.axes
    }

    /// How combinations are drawn, where they are not a grid.
    pub fn random(&self) -> Option<RandomSearch> {
        self.random
    }

    /// How bad trials are stopped early, if they are.
    pub fn halving(&self) -> Option<Halving> {
        self.halving
    }

    /// How many seeds each configuration is run with.
    pub fn n_seeds(&self) -> usize {
        n_seeds(&self.axes)
    }

    /// Whether training begins with a network that must be given besides ([`SweepBuilder::initial`](crate::SweepBuilder::initial)).
    pub fn needs_initial(&self) -> bool {
        self.initial.is_some()
    }

    /// The error of a key or value, at the place where the key was set.
    pub(crate) fn error(&self, error: &mlp_train::Error) -> Error {
        let key = error.key().unwrap_or_default().split(['.', '[']).next().unwrap_or_default();
        match self.document.all().rfind(|setting| setting.key == key) {
            Some(setting) => setting.error(error, ""),
            None => Error::specification(format!("{error} ({key} has its default here; set it)")),
        }
    }

    /// Writes classes that are words one output a class, where nobody chose how: they have no ASCII codes, and nobody is to be
    /// told that a default is wrong.
    pub(crate) fn fit_default_encoding(&mut self, classes: &[String]) {
        let is_chosen = self.document.all().any(|setting| setting.key == "encoding");
        if !is_chosen && self.base.train.encoding.check_classes(classes).is_err() {
            self.base.train.encoding = TargetEncoding::OneHot;
        }
    }

    /// Makes the batches as small as the smallest training set, where nobody chose their size: nobody is to be told that a
    /// default is wrong.
    pub(crate) fn fit_default_batch(&mut self, n_samples: usize) -> Result<()> {
        if self.document.all().any(|setting| setting.key == "batch_size") {
            return Ok(());
        }
        let n_trained = |settings: &RunSettings| {
            let n_train = settings.train_size.map_or(n_samples, |size| size.min(n_samples));
            n_train.saturating_sub(settings.train.validation)
        };
        let smallest = self.trials_settings()?.iter().map(n_trained).min().unwrap_or(n_samples);
        self.base.train.batch_size = self.base.train.batch_size.min(smallest.max(1));
        Ok(())
    }

    /// The number of trials.
    pub fn n_trials(&self) -> usize {
        match self.random {
            Some(random) => random.n_combinations * n_seeds(&self.axes),
            None => self.axes.iter().map(SweepAxis::n_values).product(),
        }
    }

    /// The settings of every trial of the grid, the last axis varying fastest; of one trial if there are no axes.
    ///
    /// # Errors
    ///
    /// If two values that are fine by themselves do not go together in a trial, or the axes do not have as many different
    /// combinations as are to be drawn.
    pub fn trials_settings(&self) -> Result<Vec<RunSettings>> {
        let Some(random) = self.random else {
            return self.axes.iter().try_fold(vec![self.base.clone()], |trials, axis| self.crossed(&trials, axis));
        };
        let mut trials = self.draws(random)?;
        for axis in self.axes.iter().filter(|axis| is_crossed(axis)) {
            trials = self.crossed(&trials, axis)?;
        }
        Ok(trials)
    }

    /// Each of `trials` with each value of the list of `axis`.
    fn crossed(&self, trials: &[RunSettings], axis: &SweepAxis) -> Result<Vec<RunSettings>> {
        let Values::List(values) = &axis.values else { return Ok(trials.to_vec()) };
        let mut wider = Vec::with_capacity(trials.len() * values.len());
        for trial in trials {
            for value in values {
                let mut next = trial.clone();
                next.set(&axis.key, value).map_err(|error| self.error(&error))?;
                wider.push(next);
            }
        }
        Ok(wider)
    }

    /// Different combinations drawn from all axes but the seeds. More of them begin with the same ones.
    fn draws(&self, random: RandomSearch) -> Result<Vec<RunSettings>> {
        let axes: Vec<&SweepAxis> = self.axes.iter().filter(|axis| !is_crossed(axis)).collect();
        let mut seen = HashSet::new();
        let mut combinations = Vec::with_capacity(random.n_combinations);
        for number in 0..100 + 100 * random.n_combinations as u64 {
            let mut combination = self.base.clone();
            for axis in &axes {
                combination.set(&axis.key, &axis.draw(random.seed, number)).map_err(|error| self.error(&error))?;
            }
            let values: Vec<_> = axes.iter().map(|axis| combination.get(&axis.key)).collect();
            if seen.insert(format!("{values:?}")) {
                combinations.push(combination);
            }
            if combinations.len() == random.n_combinations {
                return Ok(combinations);
            }
        }
        Err(Error::specification(format!(
            "[sweep]: expected {} different combinations to draw, found {}; take fewer trials or wider ranges",
            random.n_combinations,
            combinations.len()
        )))
    }

    /// The whole specification as a file that gives it again, with every default written out.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        let names = PROGRAM_KEYS.iter().map(|key| key.name);
        for key in names.chain(TrainConfig::KEYS.iter().map(|key| key.name)) {
            if let Some(value) = self.base.get(key) {
                let _ = writeln!(text, "{key} = {}", toml_text(&value));
            }
        }
        if !self.axes.is_empty() || self.random.is_some() || self.halving.is_some() {
            text.push_str("\n[sweep]\n");
        }
        text.push_str(&self.random.map(RandomSearch::to_toml).unwrap_or_default());
        if let Some(halving) = self.halving {
            let _ = writeln!(text, "halving = {}", toml_text(&halving.to_value()));
        }
        for axis in &self.axes {
            let _ = writeln!(text, "{} = {}", axis.key, toml_text(&axis.to_value()));
        }
        text
    }
}

/// Whether every draw is run with each value of the axis: so it is with seeds, which repeat a trial.
fn is_crossed(axis: &SweepAxis) -> bool {
    axis.key == "seed" && matches!(axis.values, Values::List(_))
}

fn n_seeds(axes: &[SweepAxis]) -> usize {
    axes.iter().filter(|axis| is_crossed(axis)).map(SweepAxis::n_values).product()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "name = \"größe-1\" # ✓\nhidden = [8, 4]\noptimizer = { name = \"momentum\", momentum = 0.9 }\n\
                          [sweep]\nseed = [0, 1]\nschedule = [\"constant\", { name = \"cosine\", warmup = 1 }]\n";

    #[test]
    fn a_specification_written_out_gives_the_same_trials() {
        let first = Document::parse(SAMPLE, "sample").and_then(|document| document.check()).expect("a valid sample");
        let text = first.to_toml();
        let second = Document::parse(&text, "again").and_then(|document| document.check()).expect("its own output");
        assert_eq!(first.trials_settings().expect("trials"), second.trials_settings().expect("trials"));
        assert_eq!(first.n_trials(), 4);
        assert_eq!(second.to_toml(), text);
    }

    #[test]
    fn no_truncation_and_no_changed_byte_of_a_configuration_panics() {
        for end in (0..SAMPLE.len()).filter(|end| SAMPLE.is_char_boundary(*end)) {
            let _ = Document::parse(&SAMPLE[..end], "cut").and_then(|document| document.check());
        }
        for index in 0..SAMPLE.len() {
            for byte in [0, b'\n', b'"', b'[', b']', b'{', b'=', b'9', b'.', b'-', b'#', 0x80, 0xc3, 0xff] {
                let mut bytes = SAMPLE.as_bytes().to_vec();
                bytes[index] = byte;
                let text = String::from_utf8_lossy(&bytes);
                let _ = Document::parse(&text, "changed").and_then(|document| document.check());
            }
        }
    }

    #[test]
    fn the_innermost_value_at_fault_is_marked() {
        let error =
            Document::parse("[sweep]\nhidden = [[8], [4, 0]]\n", "my.toml").and_then(|document| document.check());
        let message = error.expect_err("a layer without units").to_string();
        assert!(message.starts_with("my.toml:2:20: hidden[1]:"), "{message}");
    }
}
