//! A part of a sweep, for a scheduler that starts several processes on one folder.

use std::cmp::Reverse;
use std::fmt;

use crate::plan::Plan;
use crate::trial::{Trial, work};

/// Part `number` of `n_shards`, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    number: usize,
    n_shards: usize,
}

impl Shard {
    /// Reads `3/16`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "expected K/N with 1 ≤ K ≤ N, such as 3/16".to_owned();
        let (number, n_shards) = text.split_once('/').ok_or_else(wrong)?;
        let shard =
            Shard { number: number.parse().map_err(|_| wrong())?, n_shards: n_shards.parse().map_err(|_| wrong())? };
        if (1..=shard.n_shards).contains(&shard.number) { Ok(shard) } else { Err(wrong()) }
    }

    /// The trials of this part. They are dealt out like cards, the longest first, so that all parts have about the same
    /// work; every trial is in exactly one of the parts with this `n_shards`.
    pub(crate) fn part(self, plan: &Plan) -> Vec<Trial> {
        let mut trials: Vec<&Trial> = plan.trials.iter().collect();
        trials.sort_by_key(|trial| Reverse(work(&trial.settings, &plan.laboratory.data)));
        trials.into_iter().skip(self.number - 1).step_by(self.n_shards).cloned().collect()
    }
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
        assert_eq!(Shard::parse("3/16"), Ok(Shard { number: 3, n_shards: 16 }));
        for text in ["", "3", "0/4", "5/4", "1/0", "-1/4", "1/4/2", "a/b", "1/99999999999999999999"] {
            assert!(Shard::parse(text).is_err(), "{text}");
        }
    }
}
