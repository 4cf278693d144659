//! What was run for each claim, and why it came out as it did. Numbers are looked up in the findings.

use serde_json::{Value, json};

use super::claims::{Arm, SEVEN, THREE, number};
use super::document::share;
use super::evidence::{Row, Selection};
use super::findings::{Findings, Statement};
use super::statistics::Verdict;
use crate::output::{counted, grouped};

/// What the paper leaves open.
pub(crate) const CHOICES: &str = "
## What the paper leaves open

| question | choice | the other choice |
|---|---|---|
| How many images, layers and epochs has Fig. 1.1? | as Fig. 1.2: 17,000 and 5,000 images, seven hidden layers, 20 epochs | none to run: the paper names no other |
| Is the error of one image the sum over its six bits, or their mean? | the mean; claims 2 and 3 as well | both are run, for Fig. 1.1, Fig. 1.2 and the curves of claim 2; it scales the learning rate by 6 (for the root-mean-square error by √6) |
| How are pixels scaled? | 0 to 1 | not run: raw values of 0 to 255 only make the net inputs larger, and the first layer is saturated already |
| Which gradient belongs to the printed updates? | that of the loss named for each figure | the printed one is that of half the squared error, a loss that differs from the squared error by a factor 2 in the learning rate |
| How large is the blur's kernel? | as wide as the blur needs (OpenCV's rule) | both are run: a fixed kernel of 5 × 5 |
| Which learning rate have the figures? | 1, which the paper calls best | smaller and larger ones under claim 2 |
| Are images shuffled? | in every epoch | not run |
| What is \"accuracy\"? | all six bits right | errors and single bits are in the findings |
";

/// What the summary says beneath its table.
pub(crate) fn summary(findings: &Findings) -> String {
    let n_working = Selection::of(&findings.rows, "replica-depth")
        .rows
        .iter()
        .chain(&Selection::of(&findings.rows, "figures-17000").rows)
        .chain(&Selection::of(&findings.rows, "figures-40000").rows)
        .filter(|row| row.accuracy() > findings.majority() + 0.01)
        .count();
    let n_replicas = findings
        .rows
        .iter()
        .filter(|row| ["replica-depth", "figures-17000", "figures-40000"].contains(&row.sweep.as_str()))
        .count();
    if n_replicas == 0 {
        return String::new();
    }
    format!(
        "\nIn the paper's setup {n_working} of {n_replicas} nets got more digits right than the answer '1' to every image. \
         Weights that are all positive saturate the first layer: every unit says 1 whatever it sees, and what happens after it \
         is about constants. A curve that falls there shows a net that drifts from one constant answer to a better one.\n"
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
        values.iter().map(Value::to_string).collect::<Vec<_>>().join(", ")
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
             layers with one of 8 units added, the seven with 128 units in the last. Paper's setup: {} images, {} epochs, \
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
             256 units, cross-entropy, η = 1, {}. γ* is the γ above 0 with the least validation loss. Paper's setup, small: \
             seven layers, γ from {}.",
            list("l2-epochs", "l2"),
            findings.slopes.first().map_or(0, |(_, slope)| slope.best.len()),
            first("l2-epochs", "epochs"),
            seeds("l2-epochs"),
            list("replica-l2", "l2")
        ),
        5 => "The nets of claim 1, each depth at the learning rate that is best on validation images, on blurred test images, without \
              any further training. Only nets that get over 90 % of the clean digits right count: a net with one answer for \
              everything is perfectly robust. In the paper's setup there is no such net."
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
            "Three and seven hidden layers. Repaired: {}, learning rates {}. Paper's setup, small: {} images, {} epochs.",
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
    let repaired = Selection::of(&findings.rows, "depth");
    let by_depth: Vec<String> = (1..=SEVEN.len())
        .filter_map(|depth| {
            let (_, rows) = repaired.with("hidden", &json!(&SEVEN[..depth])).best("learning_rate")?;
            Some(format!("{depth}: {:.2} %", 100.0 * rows.mean(Row::accuracy)))
        })
        .collect();
    format!(
        "*Why.* A weight in [0, 1) is ½ on average, and an MNIST image has about 100 white pixels' worth of ink, so the net input \
         of a first-layer unit is about 50. There a sigmoid is 1 and its derivative 0 in double precision: the first layer says 1 \
         to every image, and so do all after it that are wide. The net input of an output is half the last width: 64 for the \
         three-layer net, so no gradient passes, and its error stays where it began ({:.4}, the level of all ones). With a last \
         width of 8 it is about 4, the derivative is 0.018, and the last weights can move. So it is the last width and not the \
         depth that decides: three layers with 8 units added end at {:.4}, seven layers at {:.4}, and seven that end in 128 units \
         at {:.4}. What falls is the error of a constant answer.\n\n\
         With weights that can learn, depth is a question of how the gradient gets through. A sigmoid's derivative is at most ¼, so \
         Glorot's weights, made for a derivative of 1, let the gradient of seven layers shrink to nothing within these epochs: {} \
         learned. Four times as large, they keep it, and then depth helps at first and no longer at the end (hidden layers and \
         test digits right: {}).",
        error(&of(&THREE)),
        error(&of(&narrowed)),
        error(&of(&SEVEN)),
        error(&of(&widened)),
        share(n_glorot.0, n_glorot.1),
        by_depth.join(", ")
    )
}

fn why_rates(findings: &Findings) -> String {
    let all = Selection::of(&findings.rows, "rates");
    let replica = Selection::of(&findings.rows, "replica-rates");
    let best: Vec<String> = all
        .values("loss")
        .iter()
        .filter_map(|loss| {
            let (rate, _) = all.with("loss", loss).best("learning_rate")?;
            Some(format!("{} for {}", rate, loss.as_str()?))
        })
        .collect();
    format!(
        "*Why.* A learning rate means nothing without the loss and its reduction. The mean over six bits has a sixth of the gradient \
         of the sum, so its best rate is six times as large; the root-mean-square error divides the gradient by its own value, \
         so its steps do not shrink as the error does. Best on validation images, for the mean: {}. In the paper's setup {} of {} \
         nets got beyond the best constant answer, whatever the rate.",
        best.join(", "),
        replica.filter(|row| row.accuracy() > findings.majority() + 0.01).rows.len(),
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
            " Where γ* is the first or the last of the values that were tried ({}), it is only a bound, and so is the slope.",
            at_the_end.join("; ")
        )
    };
    format!(
        "*Why.* L2 takes ηγ times the weight off at every update. With equal epochs a set ten times as large makes ten times as many \
         updates, so the same γ takes ten times as much: γ* would fall as 1/N even if more data did not change the need for a \
         penalty at all. Equal updates tell the two apart. Slopes of lg γ* against lg N: {}.{bound} A best γ \
         matters only as far as it is better than none, which the row about γ = 0 says.",
        slopes.join("; ")
    )
    .replace(": -", ": −")
    .replace(" -", " −")
}

fn why_robustness(findings: &Findings) -> String {
    let verdict = verdict_of(findings, 5, Arm::Repaired);
    let told = match verdict {
        Some(Verdict::Confirmed) => "More layers did go with more digits right under blur here.",
        Some(Verdict::Refuted) => "More layers did not go with more digits right under blur.",
        _ => "Whether more layers help under blur is not settled by these nets.",
    };
    format!(
        "*Why.* {told} Blur takes away the fine strokes that nets tell digits by, and spreads the ink: nothing in depth as such guards \
         against it, since no net has seen a blurred image. Compare a curve with its own beginning: what a net gets right under \
         blur also depends on what it gets right without. A fixed kernel of 5 × 5 pixels cannot blur more than the mean over its \
         area does, a standard deviation of 1.4 pixels, whatever σ is asked for."
    )
}

fn why_sizes(findings: &Findings) -> String {
    let main = main_statement(findings, 6, Arm::Replica);
    let replica = main.map_or(String::new(), |statement| {
        format!(
            " The paper's two figures differ in nothing that was learned: their nets get {:.2} % and {:.2} % of the digits right.",
            statement.left.mean * 100.0,
            statement.right.mean * 100.0
        )
    });
    format!(
        "*Why.* More images show more ways to write a digit, and more epochs are more updates; the paper changes both at once. The \
         crossed design tells them apart.{replica}"
    )
}

fn why_codes(findings: &Findings) -> String {
    let codes = Selection::of(&findings.rows, "codes");
    let gains: Vec<String> = codes
        .values("encoding")
        .iter()
        .filter_map(|encoding| {
            let (_, rows) = codes.with("encoding", encoding).best("learning_rate")?;
            let name = encoding.as_str().map_or_else(
                || format!("random, {} bits", encoding["bits"]),
                |name| if name == "binary" { "four bits".to_owned() } else { name.to_owned() },
            );
            Some(format!("{name} {:+.2}", 100.0 * (rows.mean(Row::nearest_accuracy) - rows.mean(Row::accuracy))))
        })
        .collect();
    format!(
        "*Why.* Two digits whose codes differ in one bit are told apart by one output alone, and each output has to learn a set of \
         digits that have nothing in common but a bit. A one-hot output asks a simpler question, \"is this a 3?\", and softmax lets \
         the answers compete. Codes of many bits that lie far apart can correct some wrong ones. Where a code leaves words unused, \
         reading by the nearest code turns an answer that is no digit into the likeliest one; against reading bit by bit it gains, \
         in percentage points: {}.",
        gains.join(", ")
    )
    .replace(" -", " −")
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
         never 0 can: any unit that is about the same for all images is a bias for the next layer. So if biases are missed, it is \
         in the first layer."
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
