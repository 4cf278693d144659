//! What `[sweep]` may hold besides lists: values drawn from ranges, and successive halving.

use mlp_train::ValidationMetric;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::settings::{shown, toml_text};
use crate::random::below;

/// The keys of `[sweep]` that are no keys of a run.
pub(super) const SEARCH_KEYS: [&str; 4] = ["mode", "trials", "draw_seed", "halving"];

/// Values to try for one key.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepAxis {
    /// The key.
    pub key: String,
    /// Its values.
    pub values: Values,
}

/// Where the values of a key come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// These, each once in a grid, and one of them in each draw.
    List(Vec<Value>),
    /// Drawn from a range.
    Range(ValueRange),
}

/// Numbers from `from` to `to`, both included.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueRange {
    /// The least.
    pub from: Value,
    /// The greatest.
    pub to: Value,
    /// Whether the logarithm is drawn evenly, and not the number.
    pub is_log: bool,
}

/// Trials drawn at random instead of a grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomSearch {
    /// How many combinations are drawn; each is run with every seed of the list `seed`.
    pub n_combinations: usize,
    /// Where the draws begin.
    pub seed: u64,
}

/// Synchronous successive halving (Jamieson & Talwalkar 2016): after `first` epochs, and again whenever the number of
/// epochs has grown by `factor`, all trials are compared, and the best one of every `factor` goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Halving {
    /// What they are compared by. The test samples have no say in it.
    pub metric: ValidationMetric,
    /// Epochs before the first comparison, at least 1.
    pub first: usize,
    /// At least 2.
    pub factor: usize,
}

impl SweepAxis {
    /// As it is written in a file.
    pub fn to_value(&self) -> Value {
        match &self.values {
            Values::List(values) => Value::Array(values.clone()),
            Values::Range(range) => {
                json!({ "from": range.from, "to": range.to, "scale": if range.is_log { "log" } else { "linear" } })
            }
        }
    }

    /// For people.
    pub fn shown(&self) -> String {
        match &self.values {
            Values::List(values) => values.iter().map(shown).collect::<Vec<_>>().join(", "),
            Values::Range(range) => {
                let scale = if range.is_log { ", by its logarithm" } else { "" };
                format!("{} to {}{scale}", toml_text(&range.from), toml_text(&range.to))
            }
        }
    }

    /// Whether trials can differ in it: a list of one value says the same of all.
    pub fn varies(&self) -> bool {
        match &self.values {
            Values::List(values) => values.len() > 1,
            Values::Range(_) => true,
        }
    }

    /// How many values a grid has of it.
    pub(super) fn n_values(&self) -> usize {
        match &self.values {
            Values::List(values) => values.len(),
            Values::Range(_) => 1,
        }
    }

    /// The value of draw `number`, from a stream of its own: further draws, and draws for further keys, change none of
    /// those that were drawn before.
    pub(super) fn draw(&self, seed: u64, number: u64) -> Value {
        let mut stream = [0; 8];
        stream.copy_from_slice(&Sha256::digest(&self.key)[..8]);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::from_le_bytes(stream));
        rng.set_word_pos(2 * u128::from(number));
        let random = rng.next_u64();
        match &self.values {
            Values::List(values) => values[below(values.len() as u64, random) as usize].clone(),
            Values::Range(range) => range.at(random),
        }
    }
}

impl ValueRange {
    /// Whether its numbers are whole.
    fn is_whole(&self) -> bool {
        self.from.is_u64() && self.to.is_u64()
    }

    /// The number that 64 random bits stand for. Floating-point numbers are rounded to four digits, so that what a table
    /// shows is what was computed.
    fn at(&self, random: u64) -> Value {
        let ends = |value: &Value| value.as_f64().unwrap_or(0.0);
        let (from, to) = (ends(&self.from), ends(&self.to));
        if let (Some(from), Some(to), false) = (self.from.as_u64(), self.to.as_u64(), self.is_log) {
            return json!(from + below((to - from).saturating_add(1), random));
        }
        // 53 bits, which is what a double holds.
        let part = (random >> 11) as f64 / (1_u64 << 53) as f64;
        let number = if self.is_log {
            libm::exp(libm::log(from) + part * (libm::log(to) - libm::log(from)))
        } else {
            from + part * (to - from)
        };
        if self.is_whole() {
            return json!(number.clamp(from, to).round() as u64);
        }
        let rounded = format!("{number:.3e}").parse().unwrap_or(number);
        json!(f64::clamp(rounded, from, to))
    }
}

impl RandomSearch {
    /// As in a file, without brackets: `trials = 20`.
    pub(super) fn to_toml(self) -> String {
        format!("mode = \"random\"\ntrials = {}\ndraw_seed = {}\n", self.n_combinations, self.seed)
    }
}

impl Halving {
    /// The epochs after which trials of `n_epochs` are compared.
    pub fn rungs(self, n_epochs: usize) -> Vec<usize> {
        let next = |epoch: &usize| epoch.checked_mul(self.factor);
        std::iter::successors(Some(self.first), next).take_while(|epoch| *epoch < n_epochs).collect()
    }

    /// As it is written in a file.
    pub fn to_value(self) -> Value {
        json!({ "metric": self.metric.name(), "first": self.first, "factor": self.factor })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: Value, to: Value, is_log: bool) -> SweepAxis {
        SweepAxis { key: "learning_rate".to_owned(), values: Values::Range(ValueRange { from, to, is_log }) }
    }

    #[test]
    fn the_draws_of_a_seed_are_fixed_for_ever() {
        let draws = |axis: &SweepAxis| -> Vec<Value> { (0..4).map(|number| axis.draw(7, number)).collect() };
        let all = [
            draws(&range(json!(1e-4), json!(1.0), true)),
            draws(&range(json!(0.5), json!(1.5), false)),
            draws(&range(json!(8), json!(256), true)),
            draws(&range(json!(1), json!(3), false)),
        ];
        insta::assert_snapshot!(json!(all), @"[[0.006497,0.841,0.02069,0.01168],[0.9532,1.481,1.079,1.017],[38,240,59,48],[2,3,2,2]]");
    }

    #[test]
    fn draws_fill_their_range_evenly_or_by_its_logarithm_and_never_leave_it() {
        let (mut n_linear, mut n_log, mut whole) = (0, 0, [0; 3]);
        for number in 0..10_000 {
            let draw = |axis: SweepAxis| axis.draw(1, number).as_f64().expect("a number");
            let linear = draw(range(json!(2.0), json!(4.0), false));
            let log = draw(range(json!(1e-4), json!(1.0), true));
            assert!((2.0..=4.0).contains(&linear) && (1e-4..=1.0).contains(&log));
            n_linear += usize::from(linear < 3.0);
            n_log += usize::from(log < 1e-2);
            whole[draw(range(json!(5), json!(7), false)) as usize - 5] += 1;
        }
        // The standard deviation of each count is about 50.
        assert!(n_linear.abs_diff(5_000) < 250 && n_log.abs_diff(5_000) < 250, "{n_linear}, {n_log}");
        assert!(whole.iter().all(|count: &usize| count.abs_diff(3_333) < 250), "{whole:?}");
    }

    #[test]
    fn rungs_grow_by_their_factor_and_end_before_the_last_epoch() {
        let halving = |first, factor| Halving { metric: ValidationMetric::Loss, first, factor };
        assert_eq!(halving(1, 3).rungs(27), [1, 3, 9]);
        assert_eq!(halving(2, 2).rungs(17), [2, 4, 8, 16]);
        assert_eq!(halving(5, 3).rungs(5), [0_usize; 0]);
    }
}
