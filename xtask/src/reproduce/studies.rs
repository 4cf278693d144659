//! The sweeps that the claims are judged by: each a configuration file as a person could write it, kept in
//! `presets/reproduce/`.

use crate::configuration::Document;
use crate::failure::Failure;

/// A sweep, or several that differ in a few keys which no grid could vary together.
pub(crate) struct Study {
    pub(crate) name: &'static str,
    /// TOML; its first line is a comment that says what the study shows.
    pub(crate) text: &'static str,
    /// Its sweeps, and what distinguishes each.
    pub(crate) parts: Parts,
    /// What a quick run changes.
    pub(crate) quick: &'static [&'static str],
    /// The numbers of the claims that need it.
    pub(crate) claims: &'static [u8],
    /// Whether a figure shows its learning curves.
    pub(crate) has_curves: bool,
    /// Whether its trials are examined while they train.
    pub(crate) is_diagnosed: bool,
}

/// The sweeps of a study.
pub(crate) enum Parts {
    /// One.
    Whole,
    /// Several, each with keys of its own.
    Each(&'static [Part]),
    /// Several, each with its own keys and those of all before it.
    Steps(&'static [Step]),
}

/// One of several sweeps.
pub(crate) struct Part {
    /// The ending of its name.
    ending: &'static str,
    /// Keys with their values.
    keys: &'static [&'static str],
    /// The same of a quick run.
    quick: &'static [&'static str],
}

/// A change in words, and in keys with their values.
pub(crate) struct Step {
    pub(crate) change: &'static str,
    keys: &'static [&'static str],
}

/// A quick run looks at fewer test images after each epoch; its verdicts rest on all of them.
const QUICK_TEST: &str = "test_size=2000";

/// A quick run of the studies that look for a learning rate.
const QUICK_OF_TWO_RATES: &[&str] =
    &["train_size=6000", "validation=2000", "epochs=4", "sweep.learning_rate=[0.8,1.6]", "sweep.seed=[0,1,2]"];

/// All studies, those in the paper's setup first.
pub(crate) const STUDIES: &[Study] = &[
    Study {
        name: "figures-17000",
        text: include_str!("../../presets/reproduce/figures-17000.toml"),
        parts: Parts::Whole,
        quick: &["train_size=2000", "epochs=4", "sweep.seed=[0,1,2]"],
        claims: &[1, 3, 6],
        has_curves: true,
        is_diagnosed: false,
    },
    Study {
        name: "figures-40000",
        text: include_str!("../../presets/reproduce/figures-40000.toml"),
        parts: Parts::Whole,
        quick: &["train_size=4000", "epochs=6", "sweep.seed=[0,1,2]"],
        claims: &[1, 6],
        has_curves: true,
        is_diagnosed: false,
    },
    Study {
        name: "replica-depth",
        text: include_str!("../../presets/reproduce/replica-depth.toml"),
        parts: Parts::Whole,
        quick: &["train_size=1700", "epochs=4", "sweep.seed=[0,1,2]"],
        claims: &[1],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "replica-printed",
        text: include_str!("../../presets/reproduce/replica-printed.toml"),
        parts: Parts::Whole,
        quick: &["train_size=1700", "epochs=4", "sweep.seed=[0,1,2]"],
        claims: &[1],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "replica-rates",
        text: include_str!("../../presets/reproduce/replica-rates.toml"),
        parts: Parts::Whole,
        quick: &["train_size=1000", "epochs=3", "sweep.seed=[0,1,2]"],
        claims: &[2],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "replica-l2",
        text: include_str!("../../presets/reproduce/replica-l2.toml"),
        parts: Parts::Whole,
        quick: &["epochs=2", "sweep.train_size=[1000,2000]", "sweep.seed=[0,1,2]"],
        claims: &[4],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "replica-codes",
        text: include_str!("../../presets/reproduce/replica-codes.toml"),
        parts: Parts::Whole,
        quick: &["train_size=1000", "epochs=3", "sweep.seed=[0,1,2]"],
        claims: &[7],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "replica-bias",
        text: include_str!("../../presets/reproduce/replica-bias.toml"),
        parts: Parts::Whole,
        quick: &["train_size=1000", "epochs=3", "sweep.seed=[0,1,2]"],
        claims: &[8],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "doctor-replica",
        text: include_str!("../../presets/reproduce/doctor-replica.toml"),
        parts: Parts::Whole,
        quick: &["train_size=1000", "epochs=3"],
        claims: &[1],
        has_curves: false,
        is_diagnosed: true,
    },
    Study {
        name: "doctor",
        text: include_str!("../../presets/reproduce/doctor.toml"),
        parts: Parts::Whole,
        quick: &["train_size=6000", "validation=2000", "epochs=4"],
        claims: &[1],
        has_curves: false,
        is_diagnosed: true,
    },
    Study {
        name: "depth",
        text: include_str!("../../presets/reproduce/depth.toml"),
        parts: Parts::Whole,
        quick: &[
            "train_size=8000",
            "validation=2000",
            "epochs=6",
            "sweep.learning_rate=[0.8,1.6]",
            "sweep.seed=[0,1,2]",
        ],
        claims: &[1, 5],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "depth-glorot",
        text: include_str!("../../presets/reproduce/depth-glorot.toml"),
        parts: Parts::Whole,
        quick: &["train_size=8000", "validation=2000", "epochs=6", "sweep.seed=[0]"],
        claims: &[1],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "rates-summed",
        text: include_str!("../../presets/reproduce/rates-summed.toml"),
        parts: Parts::Whole,
        quick: &["train_size=6000", "validation=2000", "epochs=4", "sweep.seed=[0]"],
        claims: &[2],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "rates",
        text: include_str!("../../presets/reproduce/rates.toml"),
        parts: Parts::Whole,
        quick: &["train_size=6000", "validation=2000", "epochs=4", "sweep.seed=[0,1,2]"],
        claims: &[2, 3],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "l2-epochs",
        text: include_str!("../../presets/reproduce/l2-epochs.toml"),
        parts: Parts::Whole,
        quick: &["validation=2000", "epochs=10", "sweep.train_size=[3000,4000,6000,10000]", "sweep.seed=[0,1,2]"],
        claims: &[4],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "l2-updates",
        text: include_str!("../../presets/reproduce/l2-updates.toml"),
        parts: Parts::Each(&[
            Part { ending: "1000", keys: &["train_size=6000", "epochs=200"], quick: &["train_size=3000", "epochs=40"] },
            Part { ending: "5000", keys: &["train_size=10000", "epochs=40"], quick: &["train_size=4000", "epochs=20"] },
            Part {
                ending: "10000",
                keys: &["train_size=15000", "epochs=20"],
                quick: &["train_size=6000", "epochs=10"],
            },
            Part { ending: "50000", keys: &["train_size=55000", "epochs=4"], quick: &["train_size=10000", "epochs=5"] },
        ]),
        quick: &["validation=2000", "sweep.seed=[0,1,2]"],
        claims: &[4],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "sizes",
        text: include_str!("../../presets/reproduce/sizes.toml"),
        parts: Parts::Whole,
        quick: &["validation=2000", "sweep.train_size=[4000,6000]", "sweep.epochs=[4,6]", "sweep.seed=[0,1,2]"],
        claims: &[6],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "codes",
        text: include_str!("../../presets/reproduce/codes.toml"),
        parts: Parts::Whole,
        quick: QUICK_OF_TWO_RATES,
        claims: &[7],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "codes-softmax",
        text: include_str!("../../presets/reproduce/codes-softmax.toml"),
        parts: Parts::Whole,
        quick: QUICK_OF_TWO_RATES,
        claims: &[7],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "bias",
        text: include_str!("../../presets/reproduce/bias.toml"),
        parts: Parts::Whole,
        quick: QUICK_OF_TWO_RATES,
        claims: &[8],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "phases",
        text: include_str!("../../presets/reproduce/phases.toml"),
        parts: Parts::Whole,
        quick: &["train_size=3000", "epochs=5", "sweep.seed=[0]"],
        claims: &[1],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "ladder",
        text: include_str!("../../presets/reproduce/ladder.toml"),
        parts: Parts::Steps(LADDER),
        quick: &["train_size=6000", "validation=2000", "epochs=4", "sweep.seed=[0,1,2]"],
        claims: &[1],
        has_curves: false,
        is_diagnosed: false,
    },
];

/// The study `ladder`, step by step.
pub(crate) const LADDER: &[Step] = &[
    Step { change: "the paper's net, in batches of 32 and single precision", keys: &[] },
    Step {
        change: "Glorot's weights times 4 instead of [0, 1)",
        keys: &["initializer={name=\"glorot-uniform\",gain=4}"],
    },
    Step { change: "root-mean-square error instead of absolute", keys: &["loss=rmse"] },
    Step { change: "biases", keys: &["bias=true"] },
    Step { change: "a rate that falls along a cosine", keys: &["schedule={name=\"cosine\",warmup=1}"] },
    Step { change: "cross-entropy, summed over the bits", keys: &["loss=cross-entropy", "reduction=sum"] },
    Step { change: "three hidden layers instead of seven", keys: &["hidden=[512,256,128]"] },
    Step {
        change: "relus with He's weights, at a rate of 0.1",
        keys: &["activation=relu", "initializer=he-normal", "learning_rate=0.1"],
    },
    Step {
        change: "one-hot codes with softmax instead of ASCII",
        keys: &["encoding=one-hot", "output_activation=softmax", "loss=softmax-cross-entropy"],
    },
    Step { change: "Adam at a rate of 0.001", keys: &["optimizer=adam", "learning_rate=0.001"] },
];

impl Study {
    /// What the study shows.
    pub(crate) fn title(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default().trim_start_matches(['#', ' '])
    }

    /// The name and the configuration of each of its sweeps.
    pub(crate) fn sweeps(&self, is_quick: bool) -> Result<Vec<(String, Document)>, Failure> {
        let own: Vec<(String, Vec<&str>)> = match self.parts {
            Parts::Whole => vec![(self.name.to_owned(), Vec::new())],
            Parts::Each(parts) => {
                let keys = |part: &Part| if is_quick { part.quick.to_vec() } else { part.keys.to_vec() };
                parts.iter().map(|part| (format!("{}-{}", self.name, part.ending), keys(part))).collect()
            }
            Parts::Steps(steps) => {
                let up_to = |place: usize| steps[..place].iter().flat_map(|step| step.keys).copied().collect();
                (1..=steps.len()).map(|place| (format!("{}-{place}", self.name), up_to(place))).collect()
            }
        };
        let quick: &[&str] = if is_quick { self.quick } else { &[] };
        let quick = quick.iter().chain(is_quick.then_some(&QUICK_TEST));
        let sweep = |(name, keys): (String, Vec<&str>)| {
            let mut document = Document::parse(self.text, &format!("presets/reproduce/{}.toml", self.name))?;
            for setting in quick.clone().chain(&keys) {
                document.override_with(setting)?;
            }
            Ok((name, document))
        };
        own.into_iter().map(sweep).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reproduce::claims::CLAIMS;

    #[test]
    fn every_study_is_a_valid_sweep_of_several_trials_in_both_forms() {
        for study in STUDIES {
            assert!(study.text.starts_with("# ") && study.title().len() > 10, "{}", study.name);
            for is_quick in [false, true] {
                for (name, document) in study.sweeps(is_quick).expect("settings that fit") {
                    let specification = document.check().expect("a valid sweep");
                    assert!(specification.n_cells() > 1, "{name}");
                    let largest = specification.cells().expect("cells").iter().map(|cell| cell.train_size).max();
                    // The built-in digits are 10,000.
                    assert!(!is_quick || largest <= Some(Some(10_000)), "{name}: {largest:?}");
                }
            }
        }
    }

    #[test]
    fn every_claim_has_a_study_in_the_paper_s_setup_and_a_repaired_one() {
        for claim in &CLAIMS {
            let of_claim = || STUDIES.iter().filter(|study| study.claims.contains(&claim.number));
            let is_replica = |study: &&Study| study.text.contains("uniform-0-1");
            assert!(of_claim().any(|study| !is_replica(&study)), "{}", claim.title);
            // Robustness is compared among nets that work, which those of the paper's setup do not.
            assert!(of_claim().any(|study| is_replica(&study)) || claim.number == 5, "{}", claim.title);
        }
    }
}
