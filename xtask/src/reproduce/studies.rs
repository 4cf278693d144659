//! The sweeps that the claims are judged by: each a configuration file as a person could write it, kept in
//! `presets/reproduce/`.

use crate::configuration::Document;
use crate::failure::Failure;

/// A sweep, or several that differ in a few keys which no grid could vary together.
pub(crate) struct Study {
    pub(crate) name: &'static str,
    /// TOML; its first line is a comment that says what the study shows.
    pub(crate) text: &'static str,
    /// What distinguishes each of its sweeps: the ending of its name, and keys with their values.
    pub(crate) parts: &'static [(&'static str, &'static [&'static str])],
    /// What a quick run changes.
    pub(crate) quick: &'static [&'static str],
    /// The numbers of the claims that need it.
    pub(crate) claims: &'static [u8],
    /// Whether a figure shows its learning curves.
    pub(crate) has_curves: bool,
    /// Whether its trials are examined while they train.
    pub(crate) is_diagnosed: bool,
}

/// A study of one sweep.
const WHOLE: &[(&str, &[&str])] = &[("", &[])];

macro_rules! text {
    ($name:literal) => {
        include_str!(concat!("../../presets/reproduce/", $name, ".toml"))
    };
}

/// All studies, the quickest of each claim first.
pub(crate) const STUDIES: &[Study] = &[
    Study {
        name: "figures-17000",
        text: text!("figures-17000"),
        parts: WHOLE,
        quick: &["train_size=2000", "test_size=2000", "epochs=4", "sweep.seed=[0,1,2]"],
        claims: &[1, 3, 6],
        has_curves: true,
        is_diagnosed: false,
    },
    Study {
        name: "figures-40000",
        text: text!("figures-40000"),
        parts: WHOLE,
        quick: &["train_size=4000", "test_size=2000", "epochs=6", "sweep.seed=[0,1,2]"],
        claims: &[1, 6],
        has_curves: true,
        is_diagnosed: false,
    },
    Study {
        name: "replica-depth",
        text: text!("replica-depth"),
        parts: WHOLE,
        quick: &["train_size=1700", "epochs=4", "sweep.seed=[0,1,2]"],
        claims: &[1],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "replica-rates",
        text: text!("replica-rates"),
        parts: WHOLE,
        quick: &["train_size=1000", "epochs=3", "sweep.seed=[0,1,2]"],
        claims: &[2],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "replica-l2",
        text: text!("replica-l2"),
        parts: WHOLE,
        quick: &["epochs=2", "sweep.train_size=[1000,2000]", "sweep.seed=[0,1,2]"],
        claims: &[4],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "replica-codes",
        text: text!("replica-codes"),
        parts: WHOLE,
        quick: &["train_size=1000", "epochs=3", "sweep.seed=[0,1,2]"],
        claims: &[7],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "replica-bias",
        text: text!("replica-bias"),
        parts: WHOLE,
        quick: &["train_size=1000", "epochs=3", "sweep.seed=[0,1,2]"],
        claims: &[8],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "doctor-replica",
        text: text!("doctor-replica"),
        parts: WHOLE,
        quick: &["train_size=1000", "epochs=3"],
        claims: &[1],
        has_curves: false,
        is_diagnosed: true,
    },
    Study {
        name: "doctor",
        text: text!("doctor"),
        parts: WHOLE,
        quick: &["train_size=6000", "validation=2000", "epochs=4"],
        claims: &[1],
        has_curves: false,
        is_diagnosed: true,
    },
    Study {
        name: "depth",
        text: text!("depth"),
        parts: WHOLE,
        quick: &["train_size=8000", "validation=2000", "epochs=6", "sweep.seed=[0,1,2]"],
        claims: &[1, 5],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "depth-glorot",
        text: text!("depth-glorot"),
        parts: WHOLE,
        quick: &["train_size=8000", "validation=2000", "epochs=6", "sweep.seed=[0,1,2]"],
        claims: &[1],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "rates-summed",
        text: text!("rates-summed"),
        parts: WHOLE,
        quick: &["train_size=6000", "validation=2000", "epochs=4", "sweep.seed=[0]"],
        claims: &[2],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "rates",
        text: text!("rates"),
        parts: WHOLE,
        quick: &["train_size=6000", "validation=2000", "epochs=4", "sweep.seed=[0,1,2]"],
        claims: &[2, 3],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "l2-epochs",
        text: text!("l2-epochs"),
        parts: WHOLE,
        quick: &["epochs=10", "sweep.train_size=[6000,10000,15000]", "sweep.seed=[0,1,2]"],
        claims: &[4],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "l2-updates",
        text: text!("l2-updates"),
        parts: &[
            ("1000", &["train_size=6000", "epochs=200"]),
            ("5000", &["train_size=10000", "epochs=40"]),
            ("10000", &["train_size=15000", "epochs=20"]),
            ("50000", &["train_size=55000", "epochs=4"]),
        ],
        quick: &["sweep.seed=[0,1,2]"],
        claims: &[4],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "sizes",
        text: text!("sizes"),
        parts: WHOLE,
        quick: &["validation=2000", "sweep.train_size=[4000,6000]", "sweep.epochs=[4,6]", "sweep.seed=[0,1,2]"],
        claims: &[6],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "codes",
        text: text!("codes"),
        parts: WHOLE,
        quick: &["train_size=6000", "validation=2000", "epochs=4", "sweep.seed=[0,1,2]"],
        claims: &[7],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "codes-softmax",
        text: text!("codes-softmax"),
        parts: WHOLE,
        quick: &["train_size=6000", "validation=2000", "epochs=4", "sweep.seed=[0,1,2]"],
        claims: &[7],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "bias",
        text: text!("bias"),
        parts: WHOLE,
        quick: &["train_size=6000", "validation=2000", "epochs=4", "sweep.seed=[0,1,2]"],
        claims: &[8],
        has_curves: false,
        is_diagnosed: false,
    },
    Study {
        name: "phases",
        text: text!("phases"),
        parts: WHOLE,
        quick: &["train_size=3000", "epochs=5", "sweep.seed=[0]"],
        claims: &[1],
        has_curves: false,
        is_diagnosed: false,
    },
];

impl Study {
    /// What the study shows.
    pub(crate) fn title(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default().trim_start_matches(['#', ' '])
    }

    /// The name and the configuration of each of its sweeps.
    pub(crate) fn sweeps(&self, is_quick: bool) -> Result<Vec<(String, Document)>, Failure> {
        let sweep = |(ending, keys): &(&str, &[&str])| {
            let mut document = Document::parse(self.text, &format!("presets/reproduce/{}.toml", self.name))?;
            let quick: &[&str] = if is_quick { self.quick } else { &[] };
            for setting in keys.iter().chain(quick) {
                document.override_with(setting)?;
            }
            let name = if ending.is_empty() { self.name.to_owned() } else { format!("{}-{ending}", self.name) };
            Ok((name, document))
        };
        self.parts.iter().map(sweep).collect()
    }
}
