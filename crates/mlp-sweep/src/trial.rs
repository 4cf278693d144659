//! A trial of a sweep, ready to run.

use crate::spec::RunSettings;

/// One run of a sweep: one configuration with one seed. Trials that differ in the seed alone are a cell of `mlp-results`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Trial {
    /// Its identity: the name of its record and its model.
    pub id: String,
    /// Its choices.
    pub settings: RunSettings,
    /// The keys that vary in the sweep with the values here, in the order of the axes.
    pub varied: Vec<(String, String)>,
}

impl Trial {
    /// What distinguishes it from its siblings: `l2 = 0.1, seed = 1`; empty where nothing varies.
    pub fn label(&self) -> String {
        let varied = self.varied.iter().map(|(key, value)| format!("{key} = {value}"));
        varied.collect::<Vec<_>>().join(", ")
    }

    /// The values without their keys, where space is short: those of the fastest axis first, because there the
    /// difference to the neighbours lies.
    pub fn values(&self) -> String {
        let values = self.varied.iter().rev().map(|(_, value)| value.as_str());
        values.collect::<Vec<_>>().join(" · ")
    }

    /// The keys and values without the seed: trials that share them are repetitions of one another.
    pub fn configuration(&self) -> Vec<(String, String)> {
        self.varied.iter().filter(|(key, _)| key != "seed").cloned().collect()
    }
}
