//! The sweeps of the climb, each a configuration file as a person could write it, with settings laid over it.

use mlp_sweep::{Document, Result, SweepSpec};

use crate::rungs::RUNGS;
use crate::tricks::TRICKS;

/// A sweep: a text, and settings to lay over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClimbSweep {
    /// Its name, and that of its folder of results.
    pub name: &'static str,
    /// TOML; its first line is a comment that says what is trained.
    pub text: &'static str,
    /// `KEY=VALUE`, to be laid over the text in this order.
    pub settings: &'static [&'static [&'static str]],
}

/// What a quick run changes: small networks that see few images five times, which says nothing about any goal.
const QUICK: [&str; 4] = ["train_size=1000", "test_size=500", "hidden=[24]", "epochs=5"];
/// The same for sweeps that hold images back.
const QUICK_SPLIT: &str = "validation=200";

impl ClimbSweep {
    /// A sweep without settings of its own.
    pub(crate) const fn new(name: &'static str, text: &'static str) -> Self {
        ClimbSweep { name, text, settings: &[] }
    }

    /// Its configuration, checked; of a quick run if so asked.
    ///
    /// # Errors
    ///
    /// If a setting does not fit.
    pub fn specification(&self, is_quick: bool) -> Result<SweepSpec> {
        let mut document = Document::parse(self.text, &format!("presets/{}.toml", self.name))?;
        let has_split = self.text.lines().any(|line| line.starts_with("validation ="));
        let quick: &[&str] = if is_quick { &QUICK } else { &[] };
        let split = (is_quick && has_split).then_some(QUICK_SPLIT);
        // What a sweep changes comes last, but for its size.
        for setting in self.settings.iter().copied().flatten().copied().chain(quick.iter().copied()).chain(split) {
            document.override_with(setting)?;
        }
        document.check()
    }
}

/// All sweeps: what was tried first, then the rungs, each once.
pub fn sweeps() -> Vec<ClimbSweep> {
    let mut all: Vec<ClimbSweep> = TRICKS.iter().map(|trick| trick.sweep).collect();
    for rung in RUNGS {
        if !all.contains(&rung.sweep) {
            all.push(rung.sweep);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sweep_is_a_valid_one_of_several_seeds_with_a_title() {
        for sweep in sweeps() {
            for is_quick in [false, true] {
                let specification =
                    sweep.specification(is_quick).unwrap_or_else(|error| panic!("{}: {error}", sweep.name));
                assert!(specification.n_trials() > 1, "{}", sweep.name);
            }
            assert!(sweep.text.starts_with("# "), "{}", sweep.name);
        }
    }

    #[test]
    fn only_what_is_tried_holds_images_back() {
        for rung in RUNGS {
            let settings = rung.sweep.specification(false).expect("a rung").trials_settings().expect("trials");
            assert!(settings.iter().all(|trial| trial.train.validation == 0), "{}", rung.sweep.name);
        }
        for trick in TRICKS {
            let settings = trick.sweep.specification(false).expect("a trick").trials_settings().expect("trials");
            assert!(settings.iter().all(|trial| trial.train.validation == 10_000), "{}", trick.sweep.name);
        }
    }

    #[test]
    fn names_are_those_of_one_sweep_each() {
        let mut names: Vec<&str> = sweeps().iter().map(|sweep| sweep.name).collect();
        let n_sweeps = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), n_sweeps);
    }
}
