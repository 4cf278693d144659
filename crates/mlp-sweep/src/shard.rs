//! A part of a sweep, for a scheduler that starts several processes on one folder.

use std::cmp::Reverse;
use std::fmt;

use std::str::FromStr;

use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::trial::Trial;

/// Part `number` of `n_shards`, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shard {
    number: usize,
    n_shards: usize,
}

impl Shard {
    /// Part `number` of `n_shards`.
    ///
    /// # Errors
    ///
    /// Unless 1 ≤ `number` ≤ `n_shards`.
    pub fn new(number: usize, n_shards: usize) -> Result<Self> {
        if (1..=n_shards).contains(&number) {
            Ok(Shard { number, n_shards })
        } else {
            Err(not_a_shard(&format!("{number}/{n_shards}")))
        }
    }

    /// The trials of this part. They are dealt out like cards, the longest first, so that all parts have about the same
    /// work; every trial is in exactly one of the parts with this `n_shards`.
    pub fn part(self, experiment: &Experiment, trials: &[Trial]) -> Vec<Trial> {
        let mut trials: Vec<&Trial> = trials.iter().collect();
        trials.sort_by_key(|trial| Reverse(experiment.work(&trial.settings)));
        trials.into_iter().skip(self.number - 1).step_by(self.n_shards).cloned().collect()
    }
}

/// Reads `3/16`.
impl FromStr for Shard {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (number, n_shards) = text.split_once('/').ok_or_else(|| not_a_shard(text))?;
        let count = |digits: &str| digits.parse::<usize>().map_err(|_| not_a_shard(text));
        Shard::new(count(number)?, count(n_shards)?)
    }
}

fn not_a_shard(found: &str) -> Error {
    Error::specification(format!("expected K/N with 1 ≤ K ≤ N, such as 3/16, found \"{found}\""))
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.number, self.n_shards)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_a_number_and_how_many_there_are() {
        assert_eq!("3/16".parse::<Shard>().expect("a shard"), Shard { number: 3, n_shards: 16 });
        for text in ["", "3", "0/4", "5/4", "1/0", "-1/4", "1/4/2", "a/b", "1/99999999999999999999"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
