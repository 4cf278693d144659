//! Everything that the document tells, with the figures it rests on: from the records to the judged comparisons.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use mlp_core::{Kernel, Workers};
use mlp_report::levels;
use mlp_train::{Diagnosis, TargetEncoding};
use mnist_io::{Disturbance, LabeledImages};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answers::{Answers, CLEAN, answers};
use super::claims::{Arm, CLAIMS, Contrast, Measure, SEVEN, SMALLEST_SLOPE, Side, TRAINED, WORKING, contrasts, name};
use super::evidence::{Row, Selection};
use super::slopes::{Slope, slope};
use super::statistics::{Effect, Judged, Paired, Verdict, judge, mean};
use crate::data::{self, Dataset};
use crate::failure::{Code, Failure};
use crate::progress::Progress;

/// The standard deviations of the blur, in pixels.
pub(crate) const BLURS: [f64; 7] = [0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0];
/// The side of the fixed kernel with which the blur is computed once more.
pub(crate) const FIXED_KERNEL: usize = 5;

/// How many comparisons the published run judged: those that decide a claim, and the others. Fewer are judged no more easily.
pub(crate) const N_MAIN: usize = 8;
pub(crate) const N_OTHERS: usize = 38;

/// What was found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Findings {
    /// Whether the runs were shortened.
    pub(crate) is_quick: bool,
    /// How many trials were not finished when this was judged.
    pub(crate) n_missing: usize,
    /// The name of the data.
    pub(crate) data: String,
    pub(crate) data_sha256: String,
    /// The instruction set.
    pub(crate) kernel: String,
    pub(crate) n_test: usize,
    /// What nets reach that give the same answer to every image: on all test images, and on those that nets were measured on
    /// where these are fewer.
    pub(crate) constant: Vec<ConstantAnswer>,
    pub(crate) constant_of_fewer: BTreeMap<usize, Vec<ConstantAnswer>>,
    /// The share of the commonest digit, by the number of test images: what the best answer to every image gets right.
    pub(crate) commonest: BTreeMap<usize, f64>,
    pub(crate) statements: Vec<Statement>,
    /// How the best γ changes: with equal epochs, with equal updates.
    pub(crate) slopes: Vec<(String, Slope)>,
    pub(crate) robustness: Vec<Robustness>,
    /// What the layers of some nets did, with a name for each net.
    pub(crate) diagnoses: Vec<(String, Diagnosis)>,
    pub(crate) rows: Vec<Row>,
}

/// The same answer to every image: errors of a bit, and the shares that are right.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ConstantAnswer {
    pub(crate) name: String,
    pub(crate) mae: f64,
    pub(crate) rmse: f64,
    pub(crate) bits: f64,
    pub(crate) digits: f64,
}

/// A comparison with its effect.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Statement {
    pub(crate) claim: u8,
    pub(crate) arm: Arm,
    /// Whether the verdict on the claim is this one's.
    pub(crate) is_main: bool,
    pub(crate) text: String,
    pub(crate) left: Told,
    pub(crate) right: Told,
    pub(crate) measure: Measure,
    pub(crate) threshold: f64,
    /// Whether every net on either side gives one answer to all images.
    pub(crate) says_nothing: bool,
    pub(crate) effect: Effect,
}

/// One side of a comparison.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) label: String,
    /// What was measured, as a mean over the seeds.
    pub(crate) mean: f64,
    pub(crate) n_seeds: usize,
    /// How many of the seeds learned more than a constant answer.
    pub(crate) n_trained: usize,
    /// The records.
    pub(crate) trials: Vec<String>,
}

/// Accuracies of one net on blurred images.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Robustness {
    pub(crate) hidden: String,
    pub(crate) trial: String,
    pub(crate) seed: u64,
    /// Whether the kernel has a fixed side instead of one that grows with the blur.
    pub(crate) is_fixed: bool,
    /// Standard deviation, 0 for the clean images, and share of digits with every bit right.
    pub(crate) points: Vec<(f64, f64)>,
}

/// What is needed to look at a trial again.
pub(crate) struct Archive<'a> {
    /// The folder with one folder of results for each sweep.
    pub(crate) folder: &'a Path,
    pub(crate) data: &'a Dataset,
    pub(crate) kernel: Kernel,
    pub(crate) n_threads: usize,
    pub(crate) progress: &'a Progress,
    /// Set when it is time to end.
    pub(crate) stop: &'a AtomicBool,
}

/// Compares what the claims `numbers` ask for.
pub(crate) fn find(
    numbers: &[u8],
    rows: Vec<Row>,
    n_missing: usize,
    is_quick: bool,
    archive: &Archive<'_>,
) -> Result<Findings, Failure> {
    let mut contrasts: Vec<Contrast<'_>> = numbers.iter().flat_map(|&number| contrasts(number, &rows)).collect();
    contrasts.retain(|contrast| !common_seeds(&contrast.left, &contrast.right).is_empty());
    let n_test = archive.data.test.len();
    let sizes: BTreeSet<usize> = rows.iter().map(|row| row.n_test).filter(|size| *size < n_test).collect();
    let blurred = blurred_sets(&archive.data.test)?;
    let known = look_up(&contrasts, &rows, numbers, &blurred, archive)?;
    let mut statements: Vec<Statement> =
        contrasts.iter().map(|contrast| state(contrast, &known, &archive.data.test)).collect();
    let mut slopes = Vec::new();
    if numbers.contains(&4) {
        slopes = of_decay(&rows);
        statements
            .extend(slopes.iter().enumerate().map(|(place, (name, slope))| slope_statement(place == 0, name, slope)));
    }
    statements.sort_by_key(|statement| (statement.claim, statement.arm == Arm::Repaired, !statement.is_main));
    let diagnoses = if numbers.contains(&1) { diagnoses(&rows, archive.folder) } else { Vec::new() };
    let robustness = if numbers.contains(&5) { robustness(&rows, &known, &archive.data.test) } else { Vec::new() };
    Ok(Findings {
        is_quick,
        n_missing,
        data: archive.data.name.clone(),
        data_sha256: archive.data.sha256.clone(),
        kernel: archive.kernel.name().to_owned(),
        n_test: archive.data.test.len(),
        constant: constant_answers(&archive.data.test.labels, &archive.data.test.classes),
        // The very images that those nets were measured on.
        constant_of_fewer: sizes
            .iter()
            .map(|&size| (size, archive.data.test_of(Some(size))))
            .map(|(size, test)| (size, constant_answers(&test.labels, &test.classes)))
            .collect(),
        commonest: sizes
            .iter()
            .chain([&n_test])
            .map(|&size| (size, share_of_commonest(&archive.data.test_of(Some(size)).labels)))
            .collect(),
        statements,
        slopes,
        robustness,
        diagnoses,
        rows,
    })
}

impl Findings {
    /// The share of digits that the best constant answer gets right.
    pub(crate) fn majority(&self) -> f64 {
        self.best_constant(self.n_test)
    }

    /// The same, of so many test images.
    pub(crate) fn best_constant(&self, n_test: usize) -> f64 {
        self.commonest[&n_test]
    }

    /// The comparisons of a family, without those that say nothing: those that decide a claim, or all others.
    pub(crate) fn family(&self, is_main: bool) -> Vec<&Statement> {
        let is_member = |statement: &&Statement| statement.is_main == is_main && !statement.says_nothing;
        self.statements.iter().filter(is_member).collect()
    }

    /// Every comparison with its verdict, each judged within its family.
    pub(crate) fn judged(&self) -> Vec<(&Statement, Judged)> {
        let of_family = |is_main: bool, n_family: usize| {
            let family = self.family(is_main).into_iter().map(|statement| (statement.effect, statement.threshold));
            judge(&family.collect::<Vec<_>>(), n_family).into_iter()
        };
        let (mut main, mut others) = (of_family(true, N_MAIN), of_family(false, N_OTHERS));
        let next = |statement: &Statement| match statement.says_nothing {
            true => {
                let estimate = statement.effect.estimate;
                Some(Judged { low: estimate, high: estimate, level: 0.0, verdict: Verdict::Nothing })
            }
            false if statement.is_main => main.next(),
            false => others.next(),
        };
        self.statements
            .iter()
            .zip(self.statements.iter().map(next))
            .filter_map(|(one, judged)| Some((one, judged?)))
            .collect()
    }
}

fn constant_answers(labels: &[u8], classes: &[char]) -> Vec<ConstantAnswer> {
    let codes = TargetEncoding::Ascii.codebook(classes).codes;
    let codes: Vec<Vec<bool>> =
        codes.rows().into_iter().map(|code| code.iter().map(|&bit| bit == 1).collect()).collect();
    let mut counts = vec![0; classes.len()];
    labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
    let own = |answer: levels::ConstantAnswer| ConstantAnswer {
        name: answer.name.to_owned(),
        mae: answer.mae,
        rmse: answer.rmse,
        bits: answer.bit_accuracy,
        digits: answer.digit_accuracy,
    };
    levels::levels(&codes, &counts).into_iter().map(own).collect()
}

/// The share of the label that there is most often.
fn share_of_commonest(labels: &[u8]) -> f64 {
    let count = |label: &u8| labels.iter().filter(|other| *other == label).count();
    let classes: BTreeSet<u8> = labels.iter().copied().collect();
    classes.iter().map(count).max().unwrap_or(0) as f64 / labels.len().max(1) as f64
}

/// The test images under every blur, by a name for each.
fn blurred_sets(test: &LabeledImages) -> Result<Vec<(String, LabeledImages)>, Failure> {
    let mut sets = Vec::new();
    for kernel_size in [None, Some(FIXED_KERNEL)] {
        for sigma in BLURS {
            let blur = Disturbance::GaussianBlur { sigma, kernel_size };
            let images = blur.apply(test.images.view(), 0).map_err(|error| data::failure(&error))?;
            let set = LabeledImages { images, labels: test.labels.clone(), classes: test.classes.clone() };
            sets.push((blur_name(sigma, kernel_size.is_some()), set));
        }
    }
    Ok(sets)
}

fn blur_name(sigma: f64, is_fixed: bool) -> String {
    if is_fixed { format!("blur {sigma}, kernel {FIXED_KERNEL}") } else { format!("blur {sigma}") }
}

/// The answers of all nets that are compared image by image.
fn look_up(
    contrasts: &[Contrast<'_>],
    rows: &[Row],
    numbers: &[u8],
    blurred: &[(String, LabeledImages)],
    archive: &Archive<'_>,
) -> Result<BTreeMap<String, Answers>, Failure> {
    let mut wanted: BTreeMap<&str, (&Row, bool)> = BTreeMap::new();
    let mut want = |row: &'_ Row, is_blurred: bool| {
        let row = rows.iter().find(|other| other.trial == row.trial && other.sweep == row.sweep);
        if let Some(row) = row {
            wanted.entry(row.trial.as_str()).or_insert((row, false)).1 |= is_blurred;
        }
    };
    for contrast in contrasts {
        let is_blurred = matches!(contrast.measure, Measure::Blurred | Measure::Retention);
        for side in [&contrast.left, &contrast.right] {
            if let Side::Nets(_, nets) = side {
                nets.rows.iter().for_each(|row| want(row, is_blurred));
            }
        }
    }
    if numbers.contains(&5) {
        blurred_nets(rows).iter().for_each(|(_, row)| want(row, true));
    }
    let tasks: Vec<(&Row, bool)> = wanted.into_values().filter(|(row, _)| row.weights_sha256.is_some()).collect();
    let bar = archive.progress.steps("answers of saved models", tasks.len() as u64);
    let (next, known, failure) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()), Mutex::new(None));
    std::thread::scope(|scope| {
        for _ in 0..archive.n_threads.clamp(1, tasks.len().max(1)) {
            scope.spawn(|| {
                let workers = Workers::new(1);
                while let Some((row, is_blurred)) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if archive.stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let clean = [(CLEAN, &*archive.data.test)];
                    let blurs = blurred.iter().filter(|_| *is_blurred).map(|(name, images)| (name.as_str(), images));
                    let sets: Vec<(&str, &LabeledImages)> = clean.into_iter().chain(blurs).collect();
                    let folder = archive.folder.join(&row.sweep);
                    let sha256 = row.weights_sha256.as_deref().unwrap_or_default();
                    let given =
                        answers(&folder, &row.trial, sha256, &sets, &archive.data.sha256, archive.kernel, &workers);
                    match given {
                        Ok(given) => drop(lock(&known).insert(row.trial.clone(), given)),
                        Err(error) => drop(lock(&failure).get_or_insert(error)),
                    }
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();
    if archive.stop.load(Ordering::Relaxed) {
        return Err(stopped());
    }
    match failure.into_inner() {
        Ok(Some(failure)) => Err(failure),
        _ => Ok(known.into_inner().unwrap_or_default()),
    }
}

/// The end of a run that was asked to end.
pub(crate) fn stopped() -> Failure {
    let text = "stopped; everything finished is kept, and running the same command again goes on";
    Failure::new(Code::Interrupted, text)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The comparison over the seeds that both sides have.
fn state(contrast: &Contrast<'_>, known: &BTreeMap<String, Answers>, test: &LabeledImages) -> Statement {
    let seeds = common_seeds(&contrast.left, &contrast.right);
    let effect = match (&contrast.left, &contrast.right, contrast.measure) {
        (Side::Nets(_, left), Side::Nets(_, right), Measure::Error) => {
            let (left, right) = (left.by_seed(), right.by_seed());
            let differences = seeds.iter().map(|seed| right[seed].error() - left[seed].error());
            Effect::of_seeds(&differences.collect::<Vec<_>>())
        }
        (left, right, Measure::Retention) => {
            let difference = |seed: &u64| retention(left, *seed, known, test) - retention(right, *seed, known, test);
            Effect::of_seeds(&seeds.iter().map(difference).collect::<Vec<_>>())
        }
        _ => {
            let of_side = |side: &Side<'_>| -> Vec<Vec<f32>> {
                seeds.iter().map(|seed| scores(side, *seed, contrast.measure, known, test)).collect()
            };
            Paired::new(&of_side(&contrast.left), &of_side(&contrast.right)).effect()
        }
    };
    let told = |side: &Side<'_>| tell(side, &seeds, contrast.measure, known, test);
    Statement {
        claim: contrast.claim,
        arm: contrast.arm,
        is_main: contrast.is_main,
        text: contrast.text.clone(),
        left: told(&contrast.left),
        right: told(&contrast.right),
        measure: contrast.measure,
        threshold: contrast.threshold,
        says_nothing: contrast.measure != Measure::Error && is_constant(contrast, known),
        effect,
    }
}

/// Whether every net of a comparison gives one answer to all images.
fn is_constant(contrast: &Contrast<'_>, known: &BTreeMap<String, Answers>) -> bool {
    let nets = [&contrast.left, &contrast.right].into_iter().flat_map(|side| match side {
        Side::Nets(_, nets) => nets.rows.clone(),
        Side::Constant(_) => Vec::new(),
    });
    let gives_one_answer = |row: &Row| {
        let given = known.get(&row.trial).and_then(|answers| answers.sets.get(CLEAN));
        given.is_some_and(|given| {
            let text = if contrast.measure == Measure::Nearest { &given.nearest } else { &given.threshold };
            text.chars().all(|answer| text.starts_with(answer))
        })
    };
    nets.into_iter().all(gives_one_answer)
}

/// What is left of the accuracy above that of the best constant answer, the mean over the strengths of the blur.
fn retention(side: &Side<'_>, seed: u64, known: &BTreeMap<String, Answers>, test: &LabeledImages) -> f64 {
    let chance = constant_answers(&test.labels, &test.classes).iter().map(|answer| answer.digits).fold(0.0, f64::max);
    let share = |measure: Measure| {
        let scores = scores(side, seed, measure, known, test);
        scores.iter().map(|&score| f64::from(score)).sum::<f64>() / scores.len() as f64
    };
    (share(Measure::Blurred) - chance) / (share(Measure::Digits) - chance)
}

fn common_seeds(left: &Side<'_>, right: &Side<'_>) -> Vec<u64> {
    let of_side = |side: &Side<'_>| match side {
        Side::Nets(_, nets) => Some(nets.by_seed().into_keys().collect::<BTreeSet<u64>>()),
        Side::Constant(_) => None,
    };
    match (of_side(left), of_side(right)) {
        (Some(left), Some(right)) => left.intersection(&right).copied().collect(),
        (Some(seeds), None) | (None, Some(seeds)) => seeds.into_iter().collect(),
        (None, None) => Vec::new(),
    }
}

fn tell(
    side: &Side<'_>,
    seeds: &[u64],
    measure: Measure,
    known: &BTreeMap<String, Answers>,
    test: &LabeledImages,
) -> Told {
    match side {
        Side::Constant(character) => {
            let right = test.labels.iter().filter(|&&label| test.classes.get(usize::from(label)) == Some(character));
            let mean = right.count() as f64 / test.len() as f64;
            let label = format!("the answer '{character}'");
            Told { label, mean, n_seeds: seeds.len(), n_trained: 0, trials: Vec::new() }
        }
        Side::Nets(label, nets) => {
            let by_seed = nets.by_seed();
            let rows: Vec<&Row> = seeds.iter().filter_map(|seed| by_seed.get(seed).copied()).collect();
            let value = |row: &Row| match measure {
                Measure::Error => row.error(),
                Measure::Retention => retention(side, row.seed, known, test),
                _ => {
                    let scores = scores(side, row.seed, measure, known, test);
                    scores.iter().map(|&score| f64::from(score)).sum::<f64>() / scores.len() as f64
                }
            };
            Told {
                label: label.clone(),
                mean: mean(&rows.iter().map(|row| value(row)).collect::<Vec<_>>()),
                n_seeds: rows.len(),
                n_trained: rows.iter().filter(|row| row.nearest_accuracy() > TRAINED).count(),
                trials: rows.iter().map(|row| row.trial.clone()).collect(),
            }
        }
    }
}

/// For each test image, how well the side answers it: 0 or 1, for blurred images the mean over the strengths. A net that
/// diverged answers nothing rightly.
fn scores(
    side: &Side<'_>,
    seed: u64,
    measure: Measure,
    known: &BTreeMap<String, Answers>,
    test: &LabeledImages,
) -> Vec<f32> {
    let truth = || test.labels.iter().map(|&label| test.classes.get(usize::from(label)).copied());
    match side {
        Side::Constant(character) => truth().map(|truth| f32::from(u8::from(truth == Some(*character)))).collect(),
        Side::Nets(_, nets) => {
            let given = nets.by_seed().get(&seed).and_then(|row| known.get(&row.trial));
            let sets: Vec<String> = match measure {
                Measure::Blurred => BLURS.iter().map(|&sigma| blur_name(sigma, false)).collect(),
                _ => vec![CLEAN.to_owned()],
            };
            let mut scores = vec![0.0; test.len()];
            for given in sets.iter().filter_map(|set| given?.sets.get(set)) {
                let text = if measure == Measure::Nearest { &given.nearest } else { &given.threshold };
                for ((score, answer), truth) in scores.iter_mut().zip(text.chars()).zip(truth()) {
                    *score += f32::from(u8::from(Some(answer) == truth)) / sets.len() as f32;
                }
            }
            scores
        }
    }
}

/// Slopes of the best γ, with equal epochs first.
fn of_decay(rows: &[Row]) -> Vec<(String, Slope)> {
    let with_prefix =
        |prefix: &str| Selection { rows: rows.iter().filter(|row| row.sweep.starts_with(prefix)).collect() };
    [("equal epochs", "l2-epochs"), ("equal updates", "l2-updates")]
        .into_iter()
        .filter_map(|(name, sweep)| Some((name.to_owned(), slope(&with_prefix(sweep))?)))
        .collect()
}

fn slope_statement(is_main: bool, name: &str, slope: &Slope) -> Statement {
    let told = |place: usize| {
        let (n_train, decay, ..) = slope.best[place];
        Told {
            label: format!("γ* at {n_train} images"),
            mean: decay,
            n_seeds: slope.slope.n_seeds,
            n_trained: slope.slope.n_seeds,
            trials: Vec::new(),
        }
    };
    Statement {
        claim: 4,
        arm: Arm::Repaired,
        is_main,
        text: format!("{name}: lg γ* falls as lg N grows"),
        left: told(slope.best.len() - 1),
        right: told(0),
        measure: Measure::Slope,
        threshold: SMALLEST_SLOPE,
        says_nothing: false,
        effect: Effect { estimate: -slope.slope.estimate, ..slope.slope },
    }
}

/// The nets whose robustness is drawn: of each depth those with the rate that is best on validation images, as far as they
/// work.
fn blurred_nets(rows: &[Row]) -> Vec<(String, &Row)> {
    let all = Selection::of(rows, "depth");
    (1..=SEVEN.len())
        .filter_map(|depth| {
            let hidden = &SEVEN[..depth];
            let (_, rows) = all.with("hidden", &json!(hidden)).best("learning_rate")?;
            let working = rows.filter(|row| row.accuracy() > WORKING);
            Some(working.rows.into_iter().map(|row| (name(hidden), row)).collect::<Vec<_>>())
        })
        .flatten()
        .collect()
}

fn robustness(rows: &[Row], known: &BTreeMap<String, Answers>, test: &LabeledImages) -> Vec<Robustness> {
    let share = |text: &str| {
        let truth = test.labels.iter().map(|&label| test.classes.get(usize::from(label)).copied());
        text.chars().zip(truth).filter(|(answer, truth)| Some(*answer) == *truth).count() as f64 / test.len() as f64
    };
    let mut all = Vec::new();
    for (hidden, row) in blurred_nets(rows) {
        let Some(given) = known.get(&row.trial) else { continue };
        for is_fixed in [false, true] {
            let sets = [(0.0, CLEAN.to_owned())].into_iter();
            let sets = sets.chain(BLURS.iter().map(|&sigma| (sigma, blur_name(sigma, is_fixed))));
            let points = sets.filter_map(|(sigma, set)| Some((sigma, share(&given.sets.get(&set)?.threshold))));
            all.push(Robustness {
                hidden: hidden.clone(),
                trial: row.trial.clone(),
                seed: row.seed,
                is_fixed,
                points: points.collect(),
            });
        }
    }
    all
}

/// What the doctor saw in the nets that were examined; nothing of one whose file is missing.
fn diagnoses(rows: &[Row], folder: &Path) -> Vec<(String, Diagnosis)> {
    let named = |row: &Row| {
        let n_hidden = row.config.get("hidden").and_then(Value::as_array).map_or(0, Vec::len);
        let setup = match (row.sweep.as_str(), row.config.get("initializer").and_then(|value| value.get("gain"))) {
            ("doctor-replica", _) => "the paper's setup".to_owned(),
            (_, Some(gain)) => format!("Glorot's weights times {gain}"),
            _ => "Glorot's weights".to_owned(),
        };
        format!("{n_hidden} hidden layers, {setup}")
    };
    let mut all: Vec<(String, Diagnosis)> = rows
        .iter()
        .filter(|row| row.sweep.starts_with("doctor"))
        .filter_map(|row| {
            let path = folder.join(&row.sweep).join("diagnosis").join(format!("{}.json", row.trial));
            Some((named(row), Diagnosis::read(&path).ok()?))
        })
        .collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all
}

/// The titles of the claims that statements are about.
pub(crate) fn claims_of(findings: &Findings) -> Vec<&'static super::claims::Claim> {
    CLAIMS.iter().filter(|claim| findings.statements.iter().any(|statement| statement.claim == claim.number)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::atomic::AtomicBool;

    use mlp_results::Status;

    use super::*;
    use crate::campaign::{self, Manner, Order, Shares};
    use crate::checkpoints::Pace;
    use crate::configuration::Document;
    use crate::plan::Plan;
    use crate::reproduce::claims::SMALLEST;
    use crate::reproduce::evidence;
    use crate::reproduce::statistics::Verdict;
    use crate::store::Sharing;
    use crate::trial::Laboratory;

    fn data() -> Dataset {
        Dataset {
            name: "digits".to_owned(),
            is_synthetic: true,
            train: mnist_io::synthetic_digits(600, 1).into(),
            test: mnist_io::synthetic_digits(400, 2).into(),
            sha256: "0".repeat(64),
        }
    }

    /// Trains the cells of `text` and returns their rows, with the folder above that of the sweep.
    fn trained(text: &str) -> (Vec<Row>, tempfile::TempDir) {
        let above = tempfile::tempdir().expect("a folder");
        let specification = Document::parse(text, "miniature").and_then(|document| document.check()).expect("a sweep");
        let cells = specification.cells().expect("cells");
        let laboratory = Laboratory::new(data(), Kernel::Portable, None, &cells);
        let trials = laboratory.trials(&specification).expect("trials");
        let plan = Plan { specification, laboratory, trials, folder: above.path().join("miniature") };
        let (store, records) = plan.open_store("test", Sharing::Alone).expect("an empty folder");
        let (stop, progress) = (AtomicBool::new(false), Progress::new(true));
        let manner = Manner {
            shares: Shares { n_jobs: 1, n_threads: 1 },
            order: Order::LongestFirst,
            pace: Pace::default(),
            deadline: None,
            stop: &stop,
            progress: &progress,
            see: &|_, _| {},
            diagnose: &|_| false,
        };
        campaign::run(&plan.laboratory, &plan.trials, &store, records, None, &manner).expect("a campaign");
        drop(store);
        let rows = evidence::read(&plan.folder, "miniature", false);
        assert!(rows.iter().all(|row| row.status == Status::Finished));
        (rows, above)
    }

    #[test]
    fn a_miniature_of_a_claim_is_judged_as_planted() {
        // A net that takes steps learns more than one that takes next to none; a penalty of next to nothing changes nothing.
        let (rows, above) = trained(
            "hidden = [24]\nepochs = 6\noptimizer = \"adam\"\n\
             [sweep]\nlearning_rate = [1e-7, 0.01]\nl2 = [0.0, 1e-12]\nseed = [0, 1, 2, 3, 4]\n",
        );
        let all = Selection::of(&rows, "miniature");
        let side = |rate: f64, l2: f64| {
            let rows = all.with("learning_rate", &json!(rate)).with("l2", &json!(l2));
            Side::Nets(format!("η = {rate}, γ = {l2}"), rows)
        };
        let contrast = |left, right, threshold| Contrast {
            claim: 1,
            arm: Arm::Repaired,
            is_main: true,
            text: "planted".to_owned(),
            left,
            right,
            measure: Measure::Digits,
            threshold,
        };
        let contrasts = [
            contrast(side(0.01, 0.0), side(1e-7, 0.0), SMALLEST),
            contrast(side(1e-7, 0.0), side(0.01, 0.0), SMALLEST),
            contrast(side(0.01, 1e-12), side(0.01, 0.0), -0.05),
            contrast(side(0.01, 1e-12), side(0.01, 0.0), 0.05),
        ];
        let (data, progress) = (data(), Progress::new(true));
        let archive = Archive {
            folder: above.path(),
            data: &data,
            kernel: Kernel::Portable,
            n_threads: 2,
            progress: &progress,
            stop: &AtomicBool::new(false),
        };
        let known = look_up(&contrasts, &rows, &[], &[], &archive).expect("answers of saved models");
        let statements: Vec<Statement> = contrasts.iter().map(|contrast| state(contrast, &known, &data.test)).collect();
        for statement in &statements {
            let difference = statement.left.mean - statement.right.mean;
            assert!((statement.effect.estimate - difference).abs() < 1e-6, "{statement:?}");
        }
        // What the answers say of the test images, the records say too.
        let Side::Nets(_, nets) = &contrasts[0].left else { panic!("nets") };
        assert!((statements[0].left.mean - nets.mean(Row::accuracy)).abs() < 1e-6);
        let family: Vec<(Effect, f64)> =
            statements.iter().map(|statement| (statement.effect, statement.threshold)).collect();
        let verdicts: Vec<Verdict> = judge(&family, 0).iter().map(|judged| judged.verdict).collect();
        assert_eq!(
            verdicts,
            [Verdict::Confirmed, Verdict::Refuted, Verdict::Confirmed, Verdict::Refuted],
            "better by far, worse by far, no harm done, no gain of that size"
        );
        // A second look takes the answers from their files.
        let again: BTreeMap<String, Answers> = look_up(&contrasts, &rows, &[], &[], &archive).expect("the same");
        assert_eq!(again.len(), known.len());
    }
}
