//! How the verdicts come about, in words.

use std::collections::BTreeSet;

use mlp_results::text::thousands;

use super::{FINDINGS, FOLDER};
use crate::findings::Findings;
use crate::thresholds::{ERROR_RATE, N_DECIDING, N_OTHERS, SMALLEST, SMALLEST_SLOPE, TRAINED};

pub(super) fn rules(findings: &Findings) -> String {
    let rules = [
        verdicts(),
        thresholds(),
        intervals(findings),
        signs(),
        families(findings),
        second_look(findings),
        choices(),
        trained(findings),
        records(findings),
    ];
    format!("\n## How this was judged\n\n{}", rules.concat())
}

fn verdicts() -> String {
    "- A claim is a statement that one net is better than another by more than a threshold. **Confirmed**: the whole interval lies \
     above the threshold. **Refuted**: the whole interval lies below it. **Undecided**: the threshold lies inside. **Says nothing**: \
     every net that is compared gives one answer to all images, and which one has nothing to do with the claim.\n"
        .to_owned()
}

fn thresholds() -> String {
    let smallest = SMALLEST * 100.0;
    format!(
        "- The threshold was fixed beforehand: +{smallest} percentage points where the claim is that something is better, \
         −{smallest} where it is that something does no harm; 0.01 for the error of a bit, {SMALLEST_SLOPE} for the slope of claim \
         4. So \"refuted\" says that the effect is too small to count, or has the other sign; the table says which.\n"
    )
}

fn intervals(findings: &Findings) -> String {
    let n_test = thousands(findings.n_test as u64);
    format!(
        "- Both nets of a comparison have the same seeds and the same {n_test} test images. The standard error comes from drawing \
         seeds and images together, with replacement (Owen 2007), the interval from Student's distribution with Satterthwaite's \
         degrees of freedom (1946): few where seeds scatter, many where images do. For the error of a bit, for what is kept under \
         blur and for slopes only seeds are drawn. What is the same in all seeds has no interval.\n"
    )
}

fn signs() -> String {
    "- A positive effect always says that *this* is better than *that*: more digits, a lower error, a γ* that falls. Intervals end \
     where no effect could be.\n"
        .to_owned()
}

fn families(findings: &Findings) -> String {
    let n_deciding = findings.family(true).len().max(N_DECIDING);
    let n_others = findings.family(false).len().max(N_OTHERS);
    let widest = |n: usize| 100.0 * (1.0 - ERROR_RATE / n.max(1) as f64);
    let (widest_deciding, widest_other) = (widest(n_deciding), widest(n_others));
    let all_right = 100.0 * (1.0 - ERROR_RATE);
    format!(
        "- The comparisons that decide a claim (in bold below) are one family of {n_deciding}, the others one of {n_others}, without \
         those that say nothing; where fewer are run, they are judged as if all were. Holm's correction (1979) widens their \
         intervals to at most {widest_deciding:.2} % and {widest_other:.2} %, so that with {all_right} % probability no verdict of a \
         family is wrong by chance.\n"
    )
}

fn second_look(findings: &Findings) -> String {
    if findings.is_quick {
        return String::new();
    }
    "- This is the second judgement, which is why that is 97.5 % and not 95 %. A first one, of five seeds for most claims and ten for \
     claims 1, 5 and 8, had been read when seeds, larger learning rates and comparisons that the paper's reader would miss were \
     added, and its intervals, wider than need be (with the degrees of freedom of the seeds alone), were replaced by these. The main \
     comparisons and the thresholds stayed as they were.\n"
        .to_owned()
}

fn choices() -> String {
    "- Learning rates and γ are chosen on validation images, which are split off the training images: rates by the digits that are \
     right, read by the nearest code, γ by the loss. No setting was chosen by test images. Where rates differ between the sides of a \
     comparison, each has its best of those tried; in claims 4 and 6 all nets share one rate. What all repaired nets share (the size \
     of the first weights, the schedule) was chosen by validation images in single runs of a few nets beforehand.\n"
        .to_owned()
}

fn trained(findings: &Findings) -> String {
    let (trained, best_constant) = (TRAINED * 100.0, findings.majority() * 100.0);
    format!(
        "- A net has *trained* if it gets at least {trained:.0} % of the digits right; the best constant answer gets \
         {best_constant:.2} %. Where some seeds train and others do not, the table says how many did.\n"
    )
}

fn records(findings: &Findings) -> String {
    let trials: BTreeSet<&str> = findings.rows.iter().map(|row| row.trial.as_str()).collect();
    let n_trials = thousands(trials.len() as u64);
    let Findings { data, data_sha256, kernel, .. } = findings;
    let sha256 = data_sha256.get(..16).unwrap_or(data_sha256);
    format!(
        "- Everything ran through `cargo xtask sweep`; the records and models of {n_trials} trials, some of which serve in two \
         sweeps, are in the folder of the run, their figures in [{FOLDER}/{FINDINGS}]({FOLDER}/{FINDINGS}), a line each, and the \
         numbers of each plot beside it as CSV. Data: {data} (SHA-256 `{sha256}`). Instructions: {kernel}.\n"
    )
}
