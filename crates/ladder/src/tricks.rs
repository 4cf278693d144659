//! What was tried, one change at a time, on images that are split off the training set.

use crate::sweeps::ClimbSweep;

/// A change of a network that is trained on images as they are, or on deformed ones.
#[derive(Clone, Copy, Debug)]
pub struct Trick {
    /// What is changed, in words.
    pub change: &'static str,
    /// The networks, one for each seed.
    pub sweep: ClimbSweep,
    /// The trick that it is a change of, by the name of its sweep; nothing for the first.
    pub against: Option<&'static str>,
}

const TEXT: &str = include_str!("../presets/tricks.toml");
const BASE: &str = "trick-base";
const DEFORMED: &str = "trick-deformed";
const SEVEN: &str = "trick-seven";

/// Six bits instead of one output a digit.
const ASCII: &[&str] =
    &["encoding=ascii", "decoding=nearest", "output_activation=sigmoid", "loss=cross-entropy", "reduction=sum"];
/// The hidden layers of the paper, with weights that can learn.
const SEVEN_LAYERS: &[&str] = &[
    "hidden=[512,256,128,64,32,16,8]",
    "activation=sigmoid",
    "initializer={ name = \"glorot-uniform\", gain = 2 }",
    "learning_rate=0.002",
    "batch_size=64",
];

const fn trick(
    change: &'static str,
    name: &'static str,
    settings: &'static [&'static [&'static str]],
    against: Option<&'static str>,
) -> Trick {
    Trick { change, sweep: ClimbSweep { name, text: TEXT, settings }, against }
}

/// All of them, in the order in which they are told.
pub const TRICKS: &[Trick] = &[
    trick("nothing: three layers of 1,024 ReLUs, Adam, a rate that falls along a cosine", BASE, &[], None),
    trick("products in `f32` instead of `bf16`", "trick-f32", &[&["precision=f32"]], Some(BASE)),
    trick("a constant rate", "trick-constant", &[&["schedule=constant"]], Some(BASE)),
    trick(
        "a constant rate, and the mean of the last five epochs' weights",
        "trick-mean",
        &[&["schedule=constant", "average={ name = \"mean\", epochs = 5 }"]],
        Some(BASE),
    ),
    trick("labels smoothed by 0.1", "trick-smoothing", &[&["label_smoothing=0.1"]], Some(BASE)),
    trick("AdamW with a decay of 0.3", "trick-decay", &[&["optimizer={ name = \"adamw\", decay = 0.3 }"]], Some(BASE)),
    trick("batch normalisation", "trick-batch-norm", &[&["batch_norm=true"]], Some(BASE)),
    trick(
        "dropout: 0.4 of the units, 0.2 of the pixels",
        "trick-dropout",
        &[&["dropout=0.4", "input_dropout=0.2"]],
        Some(BASE),
    ),
    trick(
        "the same dropout, and labels smoothed by 0.1",
        "trick-dropout-smoothing",
        &[&["dropout=0.4", "input_dropout=0.2", "label_smoothing=0.1"]],
        Some(BASE),
    ),
    trick(
        "the same dropout, and no unit's weights longer than 2",
        "trick-dropout-max-norm",
        &[&["dropout=0.4", "input_dropout=0.2", "max_norm=2.0"]],
        Some(BASE),
    ),
    trick("images deformed: `gentle`", "trick-gentle", &[&["augment=gentle"]], Some(BASE)),
    trick("images deformed: `ciresan`", DEFORMED, &[&["augment=ciresan"]], Some(BASE)),
    trick(
        "`ciresan`, and dropout of 0.2 of the units",
        "trick-deformed-dropout",
        &[&["augment=ciresan", "dropout=0.2"]],
        Some(DEFORMED),
    ),
    trick(
        "`ciresan`, and labels smoothed by 0.1",
        "trick-deformed-smoothing",
        &[&["augment=ciresan", "label_smoothing=0.1"]],
        Some(DEFORMED),
    ),
    trick("six bits instead of one-hot, images as they are", "trick-ascii", &[ASCII], Some(BASE)),
    trick(
        "six bits instead of one-hot, `ciresan`",
        "trick-deformed-ascii",
        &[&["augment=ciresan"], ASCII],
        Some(DEFORMED),
    ),
    trick("the paper's seven layers of sigmoids, six bits, images as they are", SEVEN, &[SEVEN_LAYERS, ASCII], None),
    trick("the same, `gentle`", "trick-seven-gentle", &[SEVEN_LAYERS, ASCII, &["augment=gentle"]], Some(SEVEN)),
    trick("the same, `ciresan`", "trick-seven-ciresan", &[SEVEN_LAYERS, ASCII, &["augment=ciresan"]], Some(SEVEN)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trick_is_a_change_of_one_before_it() {
        for (index, trick) in TRICKS.iter().enumerate() {
            let is_before = |name| TRICKS[..index].iter().any(|other| other.sweep.name == name);
            assert!(trick.against.is_none_or(is_before), "{}", trick.change);
        }
    }
}
