//! What successive halving stopped: trials without a record, which therefore stand in no table and no mean; and the file
//! `halving.json` that says so.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::layout::RunFolder;

/// One comparison of trials that had trained for a number of epochs; the worse ones were stopped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HalvingRound {
    /// The epoch after which they were compared.
    pub epoch: usize,
    /// What they were compared by.
    pub metric: String,
    /// Trials compared.
    pub n_trials: usize,
    /// Those that went on.
    pub n_kept: usize,
    /// Those that were stopped.
    pub stopped: Vec<StoppedTrial>,
}

/// A trial that was stopped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoppedTrial {
    /// Its identity.
    pub trial: String,
    /// Its settings in words.
    pub label: String,
    /// The epoch after which it was stopped.
    pub epoch: usize,
    /// What it was compared by; absent where it had failed or diverged.
    pub value: Option<f64>,
    /// Its rank among those compared, counted from 1.
    pub rank: usize,
}

impl RunFolder {
    /// The rounds in `halving.json`, without the trials that had come to an end of their own, such as a divergence, and so
    /// have a record; none where there is no such file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is damaged.
    pub fn halving_rounds(&self, has_record: impl Fn(&str) -> bool) -> Result<Vec<HalvingRound>> {
        let path = self.halving();
        if !path.is_file() {
            return Ok(Vec::new());
        }
        let bytes = durable_file::read(&path).map_err(|error| Error::io("read", &path, error))?;
        let mut rounds: Vec<HalvingRound> =
            serde_json::from_slice(&bytes).map_err(|error| Error::damaged(&path, &error.to_string()))?;
        for round in &mut rounds {
            round.stopped.retain(|stopped| !has_record(&stopped.trial));
        }
        Ok(rounds)
    }

    /// Replaces `halving.json`.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write_halving_rounds(&self, rounds: &[HalvingRound]) -> Result<()> {
        let text = serde_json::to_string_pretty(rounds).expect("texts and numbers have a JSON form") + "\n";
        let path = self.halving();
        durable_file::write(&path, text.as_bytes()).map_err(|error| Error::io("write", &path, error))
    }
}
