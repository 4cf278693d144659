//! What a study is: a sweep, or several that differ in a few keys, with a shorter form for a quick run.
//!
//! Nothing here reads a configuration: a sweep is a text and the settings to lay over it, for whoever runs sweeps.

use crate::comparison::ComparisonSetup;

/// A sweep, or several that differ in a few keys which no grid could vary together.
#[derive(Clone, Copy, Debug)]
pub struct Study {
    /// Its name, which is that of its sweep or the beginning of theirs.
    pub name: &'static str,
    /// Whose weights, batches and loss it has.
    pub setup: ComparisonSetup,
    /// TOML; its first line is a comment that says what the study shows.
    pub text: &'static str,
    /// Its sweeps, and what distinguishes each.
    pub(crate) parts: Parts,
    /// What a quick run changes.
    pub(crate) quick: &'static [&'static str],
    /// Whether a figure shows its learning curves.
    pub has_curves: bool,
    /// Whether its trials are examined, layer by layer, while they train.
    pub is_diagnosed: bool,
}

/// One sweep of a study.
#[derive(Clone, Debug)]
pub struct StudySweep {
    /// Its name, and that of its folder of results.
    pub name: String,
    /// The study that it belongs to.
    pub study: &'static Study,
    /// `KEY=VALUE`, to be laid over [`Study::text`] in this order.
    pub settings: Vec<&'static str>,
}

/// The sweeps of a study.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Parts {
    /// One.
    Whole,
    /// Several, each with keys of its own.
    Each(&'static [Part]),
    /// Several, each with its own keys and those of all before it.
    Steps(&'static [Step]),
}

/// One of several sweeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    /// The ending of its name.
    pub(crate) ending: &'static str,
    /// Keys with their values.
    pub(crate) keys: &'static [&'static str],
    /// The same of a quick run.
    pub(crate) quick: &'static [&'static str],
}

/// A change in words, and in keys with their values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) change: &'static str,
    pub(crate) keys: &'static [&'static str],
}

/// A quick run looks at fewer test images after each epoch; its verdicts rest on all of them.
const QUICK_TEST: &str = "test_size=2000";

impl Study {
    /// A study of one sweep that is neither drawn epoch by epoch nor examined.
    pub(crate) const fn new(
        name: &'static str,
        setup: ComparisonSetup,
        text: &'static str,
        quick: &'static [&'static str],
    ) -> Self {
        Study { name, setup, text, parts: Parts::Whole, quick, has_curves: false, is_diagnosed: false }
    }

    /// What the study shows.
    pub fn title(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default().trim_start_matches(['#', ' '])
    }

    /// Its sweeps, in the full or in the quick form.
    pub fn sweeps(&'static self, is_quick: bool) -> Vec<StudySweep> {
        let named: Vec<(String, Vec<&'static str>)> = match self.parts {
            Parts::Whole => vec![(self.name.to_owned(), Vec::new())],
            Parts::Each(parts) => {
                let keys = |part: &Part| if is_quick { part.quick.to_vec() } else { part.keys.to_vec() };
                parts.iter().map(|part| (format!("{}-{}", self.name, part.ending), keys(part))).collect()
            }
            Parts::Steps(steps) => {
                let up_to = |n_steps: usize| steps[..n_steps].iter().flat_map(|step| step.keys).copied().collect();
                (1..=steps.len()).map(|n_steps| (format!("{}-{n_steps}", self.name), up_to(n_steps))).collect()
            }
        };
        let shortened: &[&str] = if is_quick { self.quick } else { &[] };
        let shortened: Vec<&str> = shortened.iter().copied().chain(is_quick.then_some(QUICK_TEST)).collect();
        let sweep = |(name, keys): (String, Vec<&'static str>)| StudySweep {
            name,
            study: self,
            settings: [shortened.clone(), keys].concat(),
        };
        named.into_iter().map(sweep).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::studies::{L2_UPDATES, LADDER, LADDER_STEPS};

    #[test]
    fn parts_have_keys_of_their_own_which_a_quick_run_replaces() {
        let last = |is_quick| L2_UPDATES.sweeps(is_quick).pop().expect("a part");
        assert_eq!((last(false).name.as_str(), last(true).name.as_str()), ("l2-updates-50000", "l2-updates-50000"));
        assert_eq!(last(false).settings, ["train_size=55000", "epochs=4"]);
        assert_eq!(
            last(true).settings,
            ["validation=2000", "sweep.seed=[0,1,2]", "test_size=2000", "train_size=10000", "epochs=5"]
        );
    }

    #[test]
    fn each_step_has_the_keys_of_all_before_it() {
        let sweeps = LADDER.sweeps(false);
        assert_eq!(sweeps.len(), LADDER_STEPS.len());
        assert!(sweeps[0].settings.is_empty());
        assert!(sweeps.windows(2).all(|pair| pair[1].settings.starts_with(&pair[0].settings)));
        assert_eq!(sweeps[2].settings, ["initializer={name=\"glorot-uniform\",gain=4}", "loss=rmse"]);
        assert_eq!(sweeps[9].name, "ladder-10");
    }
}
