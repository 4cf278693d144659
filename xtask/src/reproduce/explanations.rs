//! What was run for each claim, and why it came out as it did. Numbers are looked up in the findings.

use serde_json::{Value, json};

use super::claims::{Arm, SEVEN, THREE, number, shown};
use super::document::{effect, share};
use super::evidence::{Row, Selection};
use super::findings::{Findings, Statement};
use super::statistics::{Verdict, mean};
use crate::output::{counted, grouped};

/// What the paper leaves open.
pub(crate) const CHOICES: &str = "
## What the paper leaves open

| question | choice | the other choice |
|---|---|---|
| How many images, layers and epochs has Fig. 1.1? | as Fig. 1.2: 17,000 and 5,000 images, seven hidden layers, 20 epochs | none to run: the paper names no other |
| Is the error of one image the sum over its six bits, or their mean? | the mean; claims 2 and 3 as well | both are run, for Fig. 1.1, Fig. 1.2 and claims 2 and 3; it scales the learning rate by 6 (for the root-mean-square error by √6) |
| How are pixels scaled? | 0 to 1 | not run: raw values of 0 to 255 only make the net inputs larger, and the first layer is saturated already |
| Which gradient belongs to the printed updates? | that of the loss named for each figure | run for claim 1: the printed one, which is that of half the squared error, summed over the bits |
| How large is the blur's kernel? | as wide as the blur needs (OpenCV's rule) | both are run: a fixed kernel of 5 × 5 |
| Which learning rate have the figures? | 1, which the paper calls best | smaller and larger ones under claim 2 |
| Are images shuffled? | in every epoch | not run |
| What is \"accuracy\"? | all six bits right | errors and single bits are in the findings |
";

/// The sweeps in the paper's setup.
const REPLICAS: [&str; 9] = [
    "figures-17000",
    "figures-40000",
    "replica-depth",
    "replica-printed",
    "replica-rates",
    "replica-l2",
    "replica-codes",
    "replica-bias",
    "doctor-replica",
];

/// What the summary says beneath its table.
pub(crate) fn summary(findings: &Findings) -> String {
    let replicas: Vec<&Row> = findings.rows.iter().filter(|row| REPLICAS.contains(&row.sweep.as_str())).collect();
    if replicas.is_empty() {
        return String::new();
    }
    let n_working = replicas.iter().filter(|row| row.accuracy() > findings.best_constant(row.n_test)).count();
    format!(
        "\nIn the paper's setup {n_working} of {} nets got more digits right than the answer '1' to every image. \
         Weights that are all positive saturate the first layer: nearly every unit says 1 whatever it sees, and what happens \
         after it is about constants. A curve that falls there shows a net that drifts from one constant answer to a better one.\n",
        replicas.len()
    )
}

/// What was run for a claim.
pub(crate) fn run(claim: u8, findings: &Findings) -> String {
    let seeds = |sweep: &str| counted(Selection::of(&findings.rows, sweep).by_seed().len(), "seed");
    let first =
        |sweep: &str, key: &str| Selection::of(&findings.rows, sweep).rows.first().map_or(0.0, |row| number(row, key));
    let n_train = |sweep: &str| Selection::of(&findings.rows, sweep).rows.first().map_or(0, |row| row.n_train);
    let list = |sweep: &str, key: &str| {
        let values = Selection::of(&findings.rows, sweep).values(key);
        values.iter().map(shown).collect::<Vec<_>>().join(", ")
    };
    let repaired = |sweep: &str| {
        format!(
            "{} images, {} epochs, gradient descent in batches of 32 with a rate that falls along a cosine, cross-entropy summed over \
             the bits, Glorot's uniform weights times 4, single precision, {}",
            n_train(sweep),
            first(sweep, "epochs"),
            seeds(sweep)
        )
    };
    match claim {
        1 => format!(
            "The paper's figures; then one to seven of its hidden layers, and two nets whose last widths are exchanged: the three \
             layers with one of 8 units added, the seven with 128 units in the last; and the update that the paper prints. Paper's setup: {} images, {} epochs, \
             absolute error, η = 1, {}. Repaired: {}, learning rates {}; and the same with plain Glorot weights ({}). \
             Last, where the weights begin: {} pairs of offset and half-width.",
            n_train("replica-depth"),
            first("replica-depth", "epochs"),
            seeds("replica-depth"),
            repaired("depth"),
            list("depth", "learning_rate"),
            seeds("depth-glorot"),
            Selection::of(&findings.rows, "phases").values("initializer").len()
        ),
        2 => format!(
            "Learning rates {} for each loss, as the mean over the bits ({}) and as their sum ({}). Three hidden layers, \
             {} images, {} epochs, batches of 32. Paper's setup, small: seven hidden layers, {} images, {} epochs, rates {}.",
            list("rates", "learning_rate"),
            seeds("rates"),
            seeds("rates-summed"),
            n_train("rates"),
            first("rates", "epochs"),
            n_train("replica-rates"),
            first("replica-rates", "epochs"),
            list("replica-rates", "learning_rate")
        ),
        3 => "The trials of claim 2 (repaired, each loss at the learning rate that is best on validation images) and of Fig. 1.1 and \
              1.2 (paper's setup). Losses are compared by the digits that are right: each flatters itself in its own units."
            .to_owned(),
        4 => format!(
            "γ from {} for {} sizes of the training set, once with equal epochs ({}), once with equal updates. One hidden layer of \
             256 units, cross-entropy, η = 1, {}. γ* is the γ above 0 with the least validation loss, between the values tried by a parabola. Paper's setup, small: \
             seven layers, γ from {}.",
            list("l2-epochs", "l2"),
            findings.slopes.first().map_or(0, |(_, slope)| slope.best.len()),
            first("l2-epochs", "epochs"),
            seeds("l2-epochs"),
            list("replica-l2", "l2")
        ),
        5 => "The nets of claim 1, each depth at the learning rate that is best on validation images, on blurred test images, without \
              any further training. Only nets that get over 90 % of the clean digits right count: a net with one answer for \
              everything is perfectly robust. No net in the paper's setup does, so none can be compared."
            .to_owned(),
        6 => format!(
            "Fig. 1.2 and 1.3 on the same test images. Repaired: seven hidden layers, η = {}, the two sizes and the two numbers of \
             epochs crossed, {}.",
            list("sizes", "learning_rate"),
            seeds("sizes")
        ),
        7 => format!(
            "Three hidden layers; codes of six bits (ASCII), four bits, random words of 16 and 32 bits, one-hot with sigmoids and with \
             softmax. Repaired: {}, learning rates {}. Paper's setup, small: seven layers, {} images, {} epochs.",
            repaired("codes"),
            list("codes", "learning_rate"),
            n_train("replica-codes"),
            first("replica-codes", "epochs")
        ),
        _ => format!(
            "Three and seven hidden layers; as was fixed beforehand, seven decide in the paper's setup and three when repaired. \
             Repaired: {}, learning rates {}. Paper's setup, small: {} images, {} epochs.",
            repaired("bias"),
            list("bias", "learning_rate"),
            n_train("replica-bias"),
            first("replica-bias", "epochs")
        ),
    }
}

/// Why it came out as it did, as far as the theory goes, for a reader who knows what back-propagation is.
pub(crate) fn why(claim: u8, findings: &Findings) -> String {
    match claim {
        1 => why_depth(findings),
        2 => why_rates(findings),
        3 => why_losses(findings),
        4 => why_decay(findings),
        5 => why_robustness(findings),
        6 => why_sizes(findings),
        7 => why_codes(findings),
        _ => why_biases(findings),
    }
}

fn why_depth(findings: &Findings) -> String {
    let replica = Selection::of(&findings.rows, "replica-depth");
    let of = |hidden: &[usize]| replica.with("hidden", &json!(hidden));
    let error = |rows: &Selection<'_>| rows.mean(Row::error);
    let narrowed: Vec<usize> = THREE.iter().copied().chain([8]).collect();
    let widened: Vec<usize> = SEVEN[..6].iter().copied().chain([128]).collect();
    let glorot = Selection::of(&findings.rows, "depth-glorot").with("hidden", &json!(SEVEN));
    let n_glorot = glorot.best("learning_rate").map_or((0, 0), |(_, rows)| {
        (rows.rows.iter().filter(|row| row.accuracy() > super::claims::TRAINED).count(), rows.rows.len())
    });
    let first_layer = findings.diagnoses.iter().find(|(name, _)| name.contains("the paper's setup"));
    let saturated = first_layer
        .and_then(|(_, diagnosis)| diagnosis.epochs.first()?.layers.first().map(|layer| layer.zero_derivative))
        .map_or(String::new(), |share| format!(" (for {:.0} % of units and images)", 100.0 * share));
    let repaired = Selection::of(&findings.rows, "depth");
    let by_depth: Vec<String> = (1..=SEVEN.len())
        .filter_map(|depth| {
            let (_, rows) = repaired.with("hidden", &json!(&SEVEN[..depth])).best("learning_rate")?;
            Some(format!("{depth}: {:.2} %", 100.0 * rows.mean(Row::accuracy)))
        })
        .collect();
    format!(
        "*Why.* A weight in [0, 1) is ½ on average, and an MNIST image has about 100 white pixels' worth of ink, so the net input \
         of a first-layer unit is about 50. There a sigmoid is 1 to within rounding, and its derivative mostly exactly 0 in double \
         precision{}; the second layer, with net inputs near half of 512, is 1 for every image. The net input of an output is half \
         the last width: 64 for the three-layer net, so no gradient passes, and its error stays where it began ({:.4}; all ones: \
         {:.4}). With a last width of 8 it is about 4, the derivative is 0.018, and the last weights can move. Exchange the widths \
         and the outcome goes with them, not with the depth: three layers with 8 units added end at {:.4}, seven layers at {:.4}, \
         and seven that end in 128 units at {:.4}. What falls is the error of a constant answer.\n\n\
         With weights that can learn, depth is a question of what gets through. A sigmoid's derivative is at most ¼, so Glorot's \
         weights, made for a derivative of 1, shrink both what differs between images on the way forward and the gradient on the \
         way back: within these epochs {} of a net of seven layers learned. Four times as large, they keep both. Hidden layers and \
         test digits right: {}.",
        saturated,
        error(&of(&THREE)),
        findings.constant.iter().find(|answer| answer.name == "all ones").map_or(f64::NAN, |answer| answer.mae),
        error(&of(&narrowed)),
        error(&of(&SEVEN)),
        error(&of(&widened)),
        share(n_glorot.0, n_glorot.1),
        by_depth.join(", ")
    )
}

fn why_rates(findings: &Findings) -> String {
    let replica = Selection::of(&findings.rows, "replica-rates");
    let best = |sweep: &str| {
        let all = Selection::of(&findings.rows, sweep);
        let of_loss = |loss: &Value| {
            let (rate, _) = all.with("loss", loss).best("learning_rate")?;
            Some(format!("{} for {}", shown(&rate), loss.as_str()?))
        };
        all.values("loss").iter().filter_map(of_loss).collect::<Vec<_>>().join(", ")
    };
    format!(
        "*Why.* A learning rate means nothing without the loss, its reduction and the batch. The mean over six bits has a sixth of the \
         gradient of the sum: with the mean, six times the rate takes the very same steps (√6 times for the root-mean-square error, \
         which divides the gradient by its own value). And a batch of 32 averages what 32 single images would have added up. Best \
         of those tried on validation images, for the mean: {}; for the sum: {}. In the paper's setup {} of {} nets got beyond the \
         best constant answer, whatever the rate.",
        best("rates"),
        best("rates-summed"),
        replica.filter(|row| row.accuracy() > findings.best_constant(row.n_test)).rows.len(),
        replica.rows.len()
    )
}

fn why_losses(_: &Findings) -> String {
    "*Why.* The absolute error pulls with the same force whether a bit is nearly right or quite wrong, and its best constant answer is \
     the median: where one value of a bit is commoner, it is content to answer it always. Both errors squared pull towards the \
     mean, and the root only changes the length of the step: the direction for one image is the squared error's, divided by \
     the error's size. Cross-entropy has no factor a(1 − a) in its gradient, so a bit that is wrong and sure of itself is still \
     corrected."
        .to_owned()
}

fn why_decay(findings: &Findings) -> String {
    let slopes: Vec<String> = findings
        .slopes
        .iter()
        .map(|(name, slope)| {
            let (low, high) = slope.slope.interval(0.95);
            format!("{name}: {:.2} (95 %: {low:.2} to {high:.2})", slope.slope.estimate)
        })
        .collect();
    let grid = Selection::of(&findings.rows, "l2-epochs");
    let tried: Vec<f64> = grid.values("l2").iter().filter_map(Value::as_f64).filter(|decay| *decay > 0.0).collect();
    let (lowest, highest) =
        tried.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), &decay| (low.min(decay), high.max(decay)));
    let at_the_end: Vec<String> = findings
        .slopes
        .iter()
        .flat_map(|(name, slope)| slope.best.iter().map(move |(n_train, best, ..)| (name, n_train, *best)))
        .filter(|(_, _, best)| *best <= lowest * 1.01 || *best >= highest / 1.01)
        .map(|(name, n_train, _)| format!("{name}, {} images", grouped(*n_train)))
        .collect();
    let bound = if at_the_end.is_empty() {
        String::new()
    } else {
        format!(
            " Where γ* is the first or the last of the values that were tried ({}), it lies there or beyond, and the slope does without it.",
            at_the_end.join("; ")
        )
    };
    let (best, with, without) = cost_of_decay(findings);
    format!(
        "*Why.* Two reasons could make γ* fall as N grows. More images leave less to over-fit; and with equal epochs they also bring \
         more updates, each of which takes ηγ times the weight off. If it were the updates alone, γ* would not fall with equal \
         updates, where a large set is seen a few times and a small one many. Slopes of lg γ* against lg N: {}.{bound} How much it \
         matters is another question: with the smallest set the best γ of those tried, {best}, gets {with:.2} % of the test digits right, no penalty {without:.2} %.",
        slopes.join("; ")
    )
    .replace(": -", ": −")
    .replace("to -", "to −")
}

/// The γ above 0 of least validation loss, the share of test digits in per cent with it, and that without a penalty: smallest
/// set, equal epochs.
fn cost_of_decay(findings: &Findings) -> (String, f64, f64) {
    let all = Selection::of(&findings.rows, "l2-epochs");
    let smallest = all.rows.iter().map(|row| row.n_train).min().unwrap_or(0);
    let few = all.filter(|row| row.n_train == smallest);
    let percent = |rows: &Selection<'_>| 100.0 * rows.mean(Row::accuracy);
    let best = few.filter(|row| super::claims::number(row, "l2") > 0.0).best_by_loss("l2");
    let without = percent(&few.with("l2", &json!(0.0)));
    best.map_or((String::new(), f64::NAN, without), |(value, rows)| (shown(&value), percent(&rows), without))
}

fn why_robustness(findings: &Findings) -> String {
    let told = match verdict_of(findings, 5, Arm::Repaired) {
        Some(Verdict::Confirmed) => "Seven layers keep more digits under blur than three.",
        Some(Verdict::Refuted) => "Seven layers do not keep more digits under blur than three.",
        _ => "Whether seven layers keep more digits under blur than three is not settled by these nets.",
    };
    let by_depth: Vec<String> = (1..=SEVEN.len())
        .filter_map(|depth| {
            let hidden = super::claims::name(&SEVEN[..depth]);
            let curves = findings.robustness.iter().filter(|curve| curve.hidden == hidden && !curve.is_fixed);
            let means: Vec<f64> = curves
                .map(|curve| mean(&curve.points[1..].iter().map(|(_, share)| 100.0 * share).collect::<Vec<_>>()))
                .collect();
            (!means.is_empty()).then(|| format!("{depth}: {:.1} %", mean(&means)))
        })
        .collect();
    format!(
        "*Why.* {told} Hidden layers, and digits right under blur as a mean over all strengths: {}. Why a first few layers should \
         help is not tested here: blur takes away the fine strokes that nets tell digits by and spreads the ink, and no net has \
         seen a blurred image. A fixed kernel of 5 × 5 pixels cannot blur more than the mean over its area does, a standard \
         deviation of 1.4 pixels, whatever σ is asked for.",
        by_depth.join(", ")
    )
}

fn why_sizes(findings: &Findings) -> String {
    let is_same = |statement: &&Statement| statement.says_nothing && statement.left.mean == statement.right.mean;
    let replica = main_statement(findings, 6, Arm::Replica).filter(is_same).map_or(String::new(), |statement| {
        format!(
            " The paper's two figures differ in nothing that was learned: on the same test images their nets get {:.2} % and {:.2} % of the \
             digits right. The errors in Fig. 1.2 and 1.3 (under claim 1) differ only because Fig. 1.2 has other test images.",
            statement.left.mean * 100.0,
            statement.right.mean * 100.0
        )
    });
    let parts: Vec<String> = findings
        .judged()
        .iter()
        .filter(|(statement, _)| statement.claim == 6 && statement.arm == Arm::Repaired && !statement.is_main)
        .map(|(statement, judged)| format!("{}: {}", statement.text, effect(statement, judged)))
        .collect();
    format!(
        "*Why.* More images show more ways to write a digit, and more epochs are more updates; the paper changes both at once. The \
         crossed design tells them apart ({}).{replica}",
        parts.join("; ")
    )
}

fn why_codes(findings: &Findings) -> String {
    let codes = Selection::of(&findings.rows, "codes");
    let named = |encoding: &Value| match encoding.as_str() {
        Some("ascii") => "ASCII".to_owned(),
        Some("binary") => "four bits".to_owned(),
        Some(name) => name.to_owned(),
        None => format!("random words of {} bits", encoding["bits"]),
    };
    let all: Vec<(String, Selection<'_>)> = codes
        .values("encoding")
        .iter()
        .filter_map(|encoding| {
            let (_, rows) = codes.with("encoding", encoding).best("learning_rate")?;
            Some((named(encoding), rows))
        })
        .collect();
    let percent = |rows: &Selection<'_>, of: fn(&Row) -> f64| 100.0 * rows.mean(of);
    let mut levels: Vec<String> =
        all.iter().map(|(name, rows)| format!("{name} {:.2} %", percent(rows, Row::nearest_accuracy))).collect();
    if let Some((_, rows)) = Selection::of(&findings.rows, "codes-softmax").best("learning_rate") {
        levels.push(format!("one-hot with softmax {:.2} %", percent(&rows, Row::nearest_accuracy)));
    }
    let gain = |rows: &Selection<'_>| percent(rows, Row::nearest_accuracy) - percent(rows, Row::accuracy);
    let gains: Vec<String> = all.iter().map(|(name, rows)| format!("{name} {:+.2}", gain(rows))).collect();
    format!(
        "*Why.* Two digits whose codes differ in one bit, as in ASCII and in four bits, are told apart by one output alone; where the \
         words lie further apart, several outputs can outvote one that errs. Digits right by the nearest code: {}. Where a code \
         leaves words unused, reading by the nearest one turns an answer that is no digit into the likeliest digit; against reading \
         bit by bit it gains, in percentage points: {}.",
        levels.join(", "),
        gains.join(", ").replace(" -", " −")
    )
}

fn why_biases(findings: &Findings) -> String {
    let told = match verdict_of(findings, 8, Arm::Repaired) {
        Some(Verdict::Confirmed) => "These nets do without.",
        Some(Verdict::Refuted) => "These nets miss them.",
        _ => "Whether these nets miss them is not settled; if so, it is by little.",
    };
    format!(
        "*Why.* {told} Without a bias a unit's net input is 0 for a black image, and its decision passes through the origin. MNIST's \
         border is black in every image, so no pixel can serve as a constant input to the first layer; behind it, sigmoids that are \
         never 0 can: any unit that is about the same for all images is a bias for the next layer. So one would \
         expect them to be missed in the first layer, if anywhere."
    )
}

fn main_statement(findings: &Findings, claim: u8, arm: Arm) -> Option<&Statement> {
    findings.statements.iter().find(|statement| statement.claim == claim && statement.arm == arm && statement.is_main)
}

fn verdict_of(findings: &Findings, claim: u8, arm: Arm) -> Option<Verdict> {
    let judged = findings.judged();
    judged
        .iter()
        .find(|(statement, _)| statement.claim == claim && statement.arm == arm && statement.is_main)
        .map(|(_, judged)| judged.verdict)
}
