//! The claims of the paper, each as comparisons that could turn out either way.
//!
//! Thresholds and main comparisons are fixed here, before anything is run. What has to be chosen on the way, such as a
//! learning rate for each arm, is chosen on validation images.

use serde_json::{Value, json};

use super::evidence::{Row, Selection};

/// The paper's network.
pub(crate) const SEVEN: [usize; 7] = [512, 256, 128, 64, 32, 16, 8];
/// Its first three layers.
pub(crate) const THREE: [usize; 3] = [512, 256, 128];
/// The smallest difference in accuracy that counts: 0.2 percentage points.
pub(crate) const SMALLEST: f64 = 0.002;
/// The smallest difference in the mean absolute error of a bit that counts.
const SMALLEST_ERROR: f64 = 0.01;
/// The smallest slope of lg γ* against lg N that counts: γ* falls to two thirds for ten times as many images.
pub(crate) const SMALLEST_SLOPE: f64 = 0.2;
/// From this accuracy on a net counts as trained; the best constant answer reaches about 0.11.
pub(crate) const TRAINED: f64 = 0.5;
/// From this accuracy on clean images a net counts as working where robustness is compared.
pub(crate) const WORKING: f64 = 0.9;

/// A claim of the paper.
pub(crate) struct Claim {
    pub(crate) number: u8,
    pub(crate) title: &'static str,
    /// What the paper says, in short.
    pub(crate) says: &'static str,
}

/// The eight claims.
pub(crate) const CLAIMS: [Claim; 8] = [
    Claim {
        number: 1,
        title: "More hidden layers train better (seven against three)",
        says: "With three hidden layers the error hardly changed during training; with seven it fell.",
    },
    Claim {
        number: 2,
        title: "A learning rate of 1 beats smaller ones",
        says: "A learning rate of 1 gave a lower error than smaller ones.",
    },
    Claim {
        number: 3,
        title: "The root-mean-square error beats the absolute error",
        says: "Training with the root-mean-square error gave better results than with the absolute error.",
    },
    Claim {
        number: 4,
        title: "The larger the training set, the smaller the best γ",
        says: "The factor γ of the L2 penalty should be the smaller, the more training images there are.",
    },
    Claim {
        number: 5,
        title: "Deeper nets are more robust to blur (seven against three)",
        says: "The more hidden layers a net has, the less it suffers from Gaussian blur of its input.",
    },
    Claim {
        number: 6,
        title: "40,000 training images beat 17,000",
        says: "Training on 40,000 images for 30 epochs (Fig. 1.3) gave a lower error than on 17,000 for 20 (Fig. 1.2).",
    },
    Claim {
        number: 7,
        title: "ASCII codes are a good target",
        says: "The net answers with the six bits of the digit's ASCII code.",
    },
    Claim { number: 8, title: "Leaving out biases does no harm", says: "The net has weights only and no biases." },
];

/// In which setup something was compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Arm {
    /// The paper's: weights from [0, 1), no biases, double precision, one image at a time.
    Replica,
    /// With weights, batches and a loss that let a net learn.
    Repaired,
}

/// What is compared, in such a way that more is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Measure {
    /// The share of test digits with every bit right.
    Digits,
    /// The share of test digits whose code is the nearest to the outputs.
    Nearest,
    /// The share of blurred test digits with every bit right, the mean over all strengths.
    Blurred,
    /// What is left of the accuracy above that of the best constant answer on blurred images, the mean over all strengths.
    Retention,
    /// The mean absolute error of a bit, with its sign turned.
    Error,
    /// lg γ* for each decade of training images, with its sign turned.
    Slope,
}

/// One of two that are compared.
#[derive(Clone, Debug)]
pub(crate) enum Side<'a> {
    /// Nets that differ in their seed alone.
    Nets(String, Selection<'a>),
    /// The same answer to every image.
    Constant(char),
}

/// "The left side is better than the right one by more than the threshold."
#[derive(Clone, Debug)]
pub(crate) struct Contrast<'a> {
    pub(crate) claim: u8,
    pub(crate) arm: Arm,
    /// Whether the verdict on the claim is this one's.
    pub(crate) is_main: bool,
    pub(crate) text: String,
    pub(crate) left: Side<'a>,
    pub(crate) right: Side<'a>,
    pub(crate) measure: Measure,
    pub(crate) threshold: f64,
}

/// All comparisons of claim `number` for which there are trials, except for the slopes of claim 4.
pub(crate) fn contrasts(number: u8, rows: &[Row]) -> Vec<Contrast<'_>> {
    let contrasts = match number {
        1 => depth(rows),
        2 => rates(rows),
        3 => losses(rows),
        4 => decay(rows),
        5 => robustness(rows),
        6 => sizes(rows),
        7 => codes(rows),
        _ => biases(rows),
    };
    let has_trials = |side: &Side<'_>| match side {
        Side::Nets(_, nets) => !nets.is_empty(),
        Side::Constant(_) => true,
    };
    contrasts.into_iter().filter(|contrast| has_trials(&contrast.left) && has_trials(&contrast.right)).collect()
}

fn depth(rows: &[Row]) -> Vec<Contrast<'_>> {
    let replica = Selection::of(rows, "replica-depth");
    let repaired = Selection::of(rows, "depth");
    let printed = Selection::of(rows, "replica-printed");
    let of_replica = |hidden: &[usize]| nets(name(hidden), replica.with("hidden", &json!(hidden)));
    let of_printed = |hidden: &[usize]| nets(name(hidden), printed.with("hidden", &json!(hidden)));
    let of_repaired = |hidden: &[usize]| best(&name(hidden), &repaired.with("hidden", &json!(hidden)));
    let glorot = Selection::of(rows, "depth-glorot");
    let of_glorot = |hidden: &[usize]| best(&name(hidden), &glorot.with("hidden", &json!(hidden)));
    let of = |arm, is_main, text: &str, left, right| contrast((1, arm, is_main), text, left, right);
    let widened: Vec<usize> = SEVEN[..6].iter().copied().chain([128]).collect();
    let narrowed: Vec<usize> = THREE.iter().copied().chain([8]).collect();
    vec![
        by_error(of(
            Arm::Replica,
            false,
            "seven hidden layers end with a lower error than three",
            of_replica(&SEVEN),
            of_replica(&THREE),
        )),
        of(
            Arm::Replica,
            true,
            "seven hidden layers get more digits right than the answer '1' to every image",
            of_replica(&SEVEN),
            Side::Constant('1'),
        ),
        by_error(of(
            Arm::Replica,
            false,
            "by the update that the paper prints, seven hidden layers end with a lower error than three",
            of_printed(&SEVEN),
            of_printed(&THREE),
        )),
        by_error(of(
            Arm::Replica,
            false,
            "a last hidden layer of 8 added to three layers lowers the error",
            of_replica(&narrowed),
            of_replica(&THREE),
        )),
        by_error(of(
            Arm::Replica,
            false,
            "of two nets with seven layers the one that ends in 8 units has a lower error than the one that ends in 128",
            of_replica(&SEVEN),
            of_replica(&widened),
        )),
        of(
            Arm::Repaired,
            true,
            "seven hidden layers get more digits right than three",
            of_repaired(&SEVEN),
            of_repaired(&THREE),
        ),
        of(
            Arm::Repaired,
            false,
            "three hidden layers get more digits right than one",
            of_repaired(&THREE),
            of_repaired(&THREE[..1]),
        ),
        of(
            Arm::Repaired,
            false,
            "seven layers that end in 128 units get more digits right than seven that end in 8",
            of_repaired(&widened),
            of_repaired(&SEVEN),
        ),
        of(
            Arm::Repaired,
            false,
            "with plain Glorot weights seven hidden layers get more digits right than three",
            of_glorot(&SEVEN),
            of_glorot(&THREE),
        ),
    ]
}

fn rates(rows: &[Row]) -> Vec<Contrast<'_>> {
    let mut contrasts = Vec::new();
    let all = ["rmse", "absolute", "squared", "cross-entropy"].as_slice();
    for (sweep, arm, losses, reduction) in [
        ("replica-rates", Arm::Replica, &all[..2], "mean"),
        ("rates", Arm::Repaired, all, "mean"),
        ("rates-summed", Arm::Repaired, all, "sum"),
    ] {
        for loss in losses {
            let of_loss = Selection::of(rows, sweep).with("loss", &json!(loss)).with("reduction", &json!(reduction));
            let told = if reduction == "sum" { format!("{loss} loss, summed") } else { format!("{loss} loss") };
            let below = of_loss.filter(|row| number(row, "learning_rate") < 1.0);
            let smaller = match arm {
                Arm::Repaired => best_part("the best smaller rate", &below),
                // Nothing is chosen where nothing learns: a tenth.
                Arm::Replica => nets("a rate of 0.1".to_owned(), below.with("learning_rate", &json!(0.1))),
            };
            let contrast = contrast(
                (2, arm, *loss == "rmse" && reduction == "mean"),
                &format!("{told}: a learning rate of 1 gets more digits right than a smaller one"),
                nets("a rate of 1".to_owned(), of_loss.with("learning_rate", &json!(1.0))),
                smaller,
            );
            contrasts.push(contrast);
            if arm == Arm::Repaired {
                contrasts.push(no_worse(self::contrast(
                    (2, arm, false),
                    &format!("{told}: a learning rate of 1 gets no fewer digits right than larger ones"),
                    nets("a rate of 1".to_owned(), of_loss.with("learning_rate", &json!(1.0))),
                    best_part("the best larger rate", &of_loss.filter(|row| number(row, "learning_rate") > 1.0)),
                )));
            }
        }
    }
    contrasts
}

fn losses(rows: &[Row]) -> Vec<Contrast<'_>> {
    let repaired = Selection::of(rows, "rates").with("reduction", &json!("mean"));
    let of_repaired = |loss: &str| best(loss, &repaired.with("loss", &json!(loss)));
    let summed = Selection::of(rows, "rates-summed");
    let of_summed = |loss: &str| best(loss, &summed.with("loss", &json!(loss)));
    let replica = Selection::of(rows, "figures-17000").with("reduction", &json!("mean"));
    let of_replica = |loss: &str| nets(loss.to_owned(), replica.with("loss", &json!(loss)));
    let of_both = |is_main| {
        contrast(
            (3, Arm::Replica, is_main),
            "root-mean-square loss gets more digits right than absolute loss",
            of_replica("rmse"),
            of_replica("absolute"),
        )
    };
    let mut contrasts = vec![
        of_both(true),
        by_error(Contrast {
            text: "root-mean-square loss ends with a lower mean absolute error than absolute loss".to_owned(),
            ..of_both(false)
        }),
        contrast(
            (3, Arm::Repaired, false),
            "both summed: root-mean-square loss gets more digits right than absolute loss, each at its best rate",
            of_summed("rmse"),
            of_summed("absolute"),
        ),
    ];
    for (other, is_main) in [("absolute", true), ("squared", false), ("cross-entropy", false)] {
        contrasts.push(contrast(
            (3, Arm::Repaired, is_main),
            &format!("root-mean-square loss gets more digits right than {other} loss, each at its best rate"),
            of_repaired("rmse"),
            of_repaired(other),
        ));
    }
    contrasts
}

/// That a penalty does any good, at the smallest size of the training set.
fn decay(rows: &[Row]) -> Vec<Contrast<'_>> {
    let all = Selection::of(rows, "l2-epochs");
    let smallest = all.rows.iter().map(|row| row.n_train).min().unwrap_or(0);
    let few = all.filter(|row| row.n_train == smallest);
    let replica = Selection::of(rows, "replica-l2");
    vec![
        contrast(
            (4, Arm::Repaired, false),
            &format!(
                "with {smallest} training images the γ above 0 with the least loss gets more digits right than γ = 0"
            ),
            by_loss("γ", "l2", &few.filter(|row| number(row, "l2") > 0.0)),
            nets("γ = 0".to_owned(), few.with("l2", &json!(0.0))),
        ),
        contrast(
            (4, Arm::Replica, true),
            "the net gets more digits right than the answer '1' to every image, so that a best γ could exist",
            by_loss("γ", "l2", &replica.filter(|row| row.n_train == largest(&replica))),
            Side::Constant('1'),
        ),
    ]
}

fn robustness(rows: &[Row]) -> Vec<Contrast<'_>> {
    let repaired = Selection::of(rows, "depth");
    let of = |hidden: &[usize]| match best(&name(hidden), &repaired.with("hidden", &json!(hidden))) {
        Side::Nets(name, nets) => Side::Nets(name, nets.filter(|row| row.accuracy() > WORKING)),
        constant => constant,
    };
    let retention = |text: &str, left: &[usize], right: &[usize]| Contrast {
        measure: Measure::Retention,
        ..contrast((5, Arm::Repaired, false), text, of(left), of(right))
    };
    vec![
        retention("of its digits above chance, seven hidden layers keep a larger share than three", &SEVEN, &THREE),
        retention("of its digits above chance, three hidden layers keep a larger share than one", &THREE, &THREE[..1]),
        blurred(contrast(
            (5, Arm::Repaired, true),
            "seven hidden layers get more blurred digits right than three, mean over all strengths",
            of(&SEVEN),
            of(&THREE),
        )),
        blurred(contrast(
            (5, Arm::Repaired, false),
            "three hidden layers get more blurred digits right than one, mean over all strengths",
            of(&THREE),
            of(&THREE[..1]),
        )),
    ]
}

fn sizes(rows: &[Row]) -> Vec<Contrast<'_>> {
    let repaired = Selection::of(rows, "sizes");
    let of_repaired = |n_train: usize, epochs: u64| {
        let rows = repaired.filter(|row| row.n_train == n_train).with("epochs", &json!(epochs));
        nets(format!("{n_train} images, {epochs} epochs"), rows)
    };
    let repaired_sizes = {
        let mut sizes: Vec<usize> = repaired.rows.iter().map(|row| row.n_train).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    };
    let epochs: Vec<u64> = repaired.values("epochs").iter().filter_map(Value::as_u64).collect();
    let absolute =
        Selection::of(rows, "figures-17000").with("reduction", &json!("mean")).with("loss", &json!("absolute"));
    let mut contrasts = vec![contrast(
        (6, Arm::Replica, true),
        "Fig. 1.3's net gets more digits right than Fig. 1.2's",
        nets("Fig. 1.3".to_owned(), Selection::of(rows, "figures-40000")),
        nets("Fig. 1.2".to_owned(), absolute),
    )];
    let (&[few, .., many], &[short, .., long]) = (repaired_sizes.as_slice(), epochs.as_slice()) else {
        return contrasts;
    };
    let mut of = |is_main, text: &str, left, right| {
        contrasts.push(contrast((6, Arm::Repaired, is_main), text, left, right));
    };
    of(
        true,
        "more images and more epochs get more digits right than fewer",
        of_repaired(many, long),
        of_repaired(few, short),
    );
    of(false, "more images, equal epochs", of_repaired(many, short), of_repaired(few, short));
    of(false, "more epochs, equal images", of_repaired(few, long), of_repaired(few, short));
    contrasts
}

fn codes(rows: &[Row]) -> Vec<Contrast<'_>> {
    let all = Selection::of(rows, "codes");
    let of = |label: &str, code: Value| best(label, &all.with("encoding", &code));
    let softmax = || best("one-hot, softmax", &Selection::of(rows, "codes-softmax"));
    let ascii = || of("ASCII", json!("ascii"));
    let against = |is_main, label: &str, other| {
        let text = format!("ASCII codes get no fewer digits right than {label}, both read by the nearest code");
        no_worse(by_nearest(contrast((7, Arm::Repaired, is_main), &text, ascii(), other)))
    };
    let random = |bits: u32| of(&format!("random, {bits} bits"), json!({ "name": "random", "bits": bits }));
    let replica = Selection::of(rows, "replica-codes");
    let of_replica = |label: &str, code: &str| nets(label.to_owned(), replica.with("encoding", &json!(code)));
    vec![
        no_worse(by_nearest(contrast(
            (7, Arm::Replica, true),
            "ASCII codes get no fewer digits right than one-hot codes, both read by the nearest code",
            of_replica("ASCII", "ascii"),
            of_replica("one-hot", "one-hot"),
        ))),
        against(true, "one-hot codes with softmax", softmax()),
        against(false, "one-hot codes with sigmoids", of("one-hot, sigmoids", json!("one-hot"))),
        against(false, "four-bit codes", of("four bits", json!("binary"))),
        against(false, "random codes of 16 bits", random(16)),
        against(false, "random codes of 32 bits", random(32)),
    ]
}

fn biases(rows: &[Row]) -> Vec<Contrast<'_>> {
    let mut contrasts = Vec::new();
    for (sweep, arm) in [("replica-bias", Arm::Replica), ("bias", Arm::Repaired)] {
        for hidden in [&THREE[..], &SEVEN] {
            let of_size = Selection::of(rows, sweep).with("hidden", &json!(hidden));
            let side = |label: &str, bias: bool| match arm {
                Arm::Repaired => best(label, &of_size.with("bias", &json!(bias))),
                Arm::Replica => nets(label.to_owned(), of_size.with("bias", &json!(bias))),
            };
            let text = format!("{} hidden layers get no fewer digits right without biases", words(hidden.len()));
            let plain = contrast(
                (8, arm, (hidden.len() == 3) == (arm == Arm::Repaired)),
                &text,
                side("without biases", false),
                side("with biases", true),
            );
            contrasts.push(no_worse(plain));
        }
    }
    contrasts
}

/// "More digits right, by an amount that counts."
fn contrast<'a>((claim, arm, is_main): (u8, Arm, bool), text: &str, left: Side<'a>, right: Side<'a>) -> Contrast<'a> {
    Contrast { claim, arm, is_main, text: text.to_owned(), left, right, measure: Measure::Digits, threshold: SMALLEST }
}

/// The same by the error of the bits, which is what the paper's figures show.
fn by_error(contrast: Contrast<'_>) -> Contrast<'_> {
    Contrast { measure: Measure::Error, threshold: SMALLEST_ERROR, ..contrast }
}

/// The same with answers read by the nearest code.
fn by_nearest(contrast: Contrast<'_>) -> Contrast<'_> {
    Contrast { measure: Measure::Nearest, ..contrast }
}

/// The same on blurred images.
fn blurred(contrast: Contrast<'_>) -> Contrast<'_> {
    Contrast { measure: Measure::Blurred, ..contrast }
}

/// "Not worse by an amount that counts."
fn no_worse(contrast: Contrast<'_>) -> Contrast<'_> {
    Contrast { threshold: -SMALLEST, ..contrast }
}

fn nets(label: String, rows: Selection<'_>) -> Side<'_> {
    Side::Nets(label, rows)
}

/// The nets with the learning rate that is best on validation images; said where that is an end of the range.
fn best<'a>(label: &str, rows: &Selection<'a>) -> Side<'a> {
    let tried = rows.values("learning_rate");
    let Some((value, best)) = rows.best("learning_rate") else { return nets(label.to_owned(), Selection::default()) };
    let end = match () {
        () if tried.len() < 2 => "",
        () if Some(&value) == tried.last() => " (the largest tried)",
        () if Some(&value) == tried.first() => " (the smallest tried)",
        () => "",
    };
    nets(format!("{label}, η = {}{end}", shown(&value)), best)
}

/// The nets with the best learning rate of a part of the range.
fn best_part<'a>(label: &str, rows: &Selection<'a>) -> Side<'a> {
    match rows.best("learning_rate") {
        Some((value, rows)) => nets(format!("{label}, η = {}", shown(&value)), rows),
        None => nets(label.to_owned(), Selection::default()),
    }
}

/// The nets with the value of `key` that has the least loss on validation images.
fn by_loss<'a>(label: &str, key: &str, rows: &Selection<'a>) -> Side<'a> {
    match rows.best_by_loss(key) {
        Some((value, rows)) => nets(format!("{label} = {}", shown(&value)), rows),
        None => nets(label.to_owned(), Selection::default()),
    }
}

/// A number as people write it: `3`, `0.1`, `1e-5`.
pub(crate) fn shown(value: &Value) -> String {
    match value.as_f64() {
        Some(number) if number != 0.0 && number.abs() < 1e-3 => format!("{number:e}"),
        Some(number) => number.to_string(),
        None => value.to_string(),
    }
}

/// A number of the configuration; not a number where there is none.
pub(crate) fn number(row: &Row, key: &str) -> f64 {
    row.config.get(key).and_then(Value::as_f64).unwrap_or(f64::NAN)
}

fn largest(rows: &Selection<'_>) -> usize {
    rows.rows.iter().map(|row| row.n_train).max().unwrap_or(0)
}

/// `512-256-128`.
pub(crate) fn name(hidden: &[usize]) -> String {
    hidden.iter().map(usize::to_string).collect::<Vec<_>>().join("-")
}

fn words(count: usize) -> String {
    match count {
        3 => "three".to_owned(),
        7 => "seven".to_owned(),
        _ => count.to_string(),
    }
}
