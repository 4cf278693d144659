//! The rungs: what is trained, how few digits it may get wrong, and what is known of others.

use std::fmt;

use crate::sweeps::ClimbSweep;

/// What the outputs of a network stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outputs {
    /// One output a digit, behind softmax.
    OneHot,
    /// The six bits of the digit's ASCII code, read by the nearest code.
    Ascii,
}

/// A goal, and the networks that are to reach it.
#[derive(Clone, Copy, Debug)]
pub struct Rung {
    /// What distinguishes it.
    pub title: &'static str,
    /// What the outputs stand for.
    pub outputs: Outputs,
    /// The networks, one for each seed.
    pub sweep: ClimbSweep,
    /// Whether they answer together, by the mean of their outputs, rather than each alone.
    pub is_committee: bool,
    /// The test error to reach, in percent.
    pub goal: f64,
    /// What others reached, with the source.
    pub known: &'static str,
}

/// No augmentation, one-hot.
pub const PLAIN: ClimbSweep = ClimbSweep::new("climb-plain", include_str!("../presets/climb-plain.toml"));
/// No augmentation, six bits.
pub const PLAIN_ASCII: ClimbSweep =
    ClimbSweep::new("climb-plain-ascii", include_str!("../presets/climb-plain-ascii.toml"));
/// Deformed images, one-hot.
pub const DEFORMED: ClimbSweep = ClimbSweep::new("climb-deformed", include_str!("../presets/climb-deformed.toml"));
/// Deformed images, six bits.
pub const DEFORMED_ASCII: ClimbSweep =
    ClimbSweep::new("climb-deformed-ascii", include_str!("../presets/climb-deformed-ascii.toml"));
/// Deformed images and a network of any size, one-hot.
pub const LARGE: ClimbSweep = ClimbSweep::new("climb-large", include_str!("../presets/climb-large.toml"));
/// Deformed images and a network of any size, six bits.
pub const LARGE_ASCII: ClimbSweep =
    ClimbSweep::new("climb-large-ascii", include_str!("../presets/climb-large-ascii.toml"));
/// The paper's seven layers of sigmoids, six bits.
pub const SEVEN_LAYERS: ClimbSweep =
    ClimbSweep::new("climb-seven-layers", include_str!("../presets/climb-seven-layers.toml"));

/// The rungs, the lowest first, each with one-hot outputs before that with six bits.
pub const RUNGS: &[Rung] = &[
    Rung {
        title: "training images as they are, one net",
        outputs: Outputs::OneHot,
        sweep: PLAIN,
        is_committee: false,
        goal: 1.00,
        known: "1.06 dropout and max-norm (Srivastava 2014), 0.94 maxout (Goodfellow 2013), 0.57 ladder network (Rasmus 2015)",
    },
    Rung {
        title: "training images as they are, one net",
        outputs: Outputs::Ascii,
        sweep: PLAIN_ASCII,
        is_committee: false,
        goal: 1.10,
        known: "",
    },
    Rung {
        title: "deformed images, one net of at most 3 million weights",
        outputs: Outputs::OneHot,
        sweep: DEFORMED,
        is_committee: false,
        goal: 0.60,
        known: "0.70 with 800 units (Simard 2003)",
    },
    Rung {
        title: "deformed images, one net of at most 3 million weights",
        outputs: Outputs::Ascii,
        sweep: DEFORMED_ASCII,
        is_committee: false,
        goal: 0.70,
        known: "",
    },
    Rung {
        title: "deformed images, one net of any size",
        outputs: Outputs::OneHot,
        sweep: LARGE,
        is_committee: false,
        goal: 0.42,
        known: "0.35 with 12 million weights (Cireşan 2010)",
    },
    Rung {
        title: "deformed images, one net of any size",
        outputs: Outputs::Ascii,
        sweep: LARGE_ASCII,
        is_committee: false,
        goal: 0.52,
        known: "",
    },
    Rung {
        title: "deformed images, at most 3 million weights, all seeds together",
        outputs: Outputs::OneHot,
        sweep: DEFORMED,
        is_committee: true,
        goal: 0.35,
        known: "0.31 seven nets, each for digits of another width (Cireşan 2011)",
    },
    Rung {
        title: "deformed images, at most 3 million weights, all seeds together",
        outputs: Outputs::Ascii,
        sweep: DEFORMED_ASCII,
        is_committee: true,
        goal: 0.45,
        known: "",
    },
    Rung {
        title: "the paper's seven layers of sigmoids, deformed images",
        outputs: Outputs::Ascii,
        sweep: SEVEN_LAYERS,
        is_committee: false,
        goal: 1.20,
        known: "2.0 here without deformed images",
    },
];

impl fmt::Display for Outputs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Outputs::OneHot => "one-hot",
            Outputs::Ascii => "ASCII",
        })
    }
}
