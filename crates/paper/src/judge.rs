//! From the trials to the findings: looks up the answers of the networks that are compared, and compares them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mlp_core::{Kernel, Workers};
use mlp_sweep::SampleSet;
use mnist_io::LabeledImages;

use crate::answers::{Answers, CLEAN, Model, answers};
use crate::blur::blurred_sets;
use crate::claim::Claim;
use crate::comparison::{Comparison, ComparisonSetup, Measure};
use crate::error::{Error, Result};
use crate::evidence::{Evidence, common_seeds};
use crate::findings::{Findings, constant_answers, share_of_commonest};
use crate::row::Row;

/// What was run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trials {
    /// Those that came to an end, in the order of their sweeps.
    pub rows: Vec<Row>,
    /// How many did not.
    pub n_missing: usize,
    /// Whether they were shortened.
    pub is_quick: bool,
}

/// The images that all networks are judged by.
pub struct TestImages<'a> {
    /// The name of the data that they belong to.
    pub name: &'a str,
    /// The hash of the decoded data, in hexadecimal.
    pub sha256: &'a str,
    /// All of them.
    pub all: &'a LabeledImages,
    /// So many of them: the very ones that networks with this `test_size` were measured on.
    pub subset: &'a (dyn Fn(usize) -> Arc<SampleSet> + Sync),
}

/// Where trained networks are found, and what to look at them with.
pub struct Models<'a> {
    /// The folder with one folder of results for each sweep.
    pub folder: &'a Path,
    /// The instruction set that they were trained with.
    pub kernel: Kernel,
    /// How many networks are looked at at a time.
    pub n_threads: usize,
    /// Set when it is time to end.
    pub stop: &'a AtomicBool,
    /// Told what has been done.
    pub observe: &'a (dyn Fn(JudgeEvent) + Sync),
}

/// What happens while networks are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JudgeEvent {
    /// So many networks are about to be looked at.
    Begun {
        /// How many.
        n_models: usize,
    },
    /// The answers of one more network are known, or why they cannot be.
    Answered,
}

impl fmt::Debug for TestImages<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TestImages")
            .field("name", &self.name)
            .field("sha256", &self.sha256)
            .field("n_images", &self.all.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Models<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Models")
            .field("folder", &self.folder)
            .field("kernel", &self.kernel)
            .field("n_threads", &self.n_threads)
            .finish_non_exhaustive()
    }
}

/// A comparison with the number of its claim.
type Numbered<'a> = (u8, Comparison<'a>);

/// Compares what `claims` ask for.
///
/// # Errors
///
/// If the model of a network that is compared cannot be read, or its answers cannot be kept; or if it was asked to stop.
pub fn find(claims: &[&dyn Claim], trials: Trials, test: &TestImages<'_>, models: &Models<'_>) -> Result<Findings> {
    let rows = trials.rows.as_slice();
    let comparisons = comparisons(claims, rows);
    let known = look_up(&wanted(claims, &comparisons, rows), test, models)?;
    let evidence = Evidence { rows, answers: &known, test: test.all, folder: models.folder };
    let mut findings = without_statements(&trials, test, models.kernel);
    for (number, comparison) in &comparisons {
        findings.statements.push(evidence.statement(*number, comparison));
    }
    for claim in claims {
        claim.add_findings(&evidence, &mut findings);
    }
    findings.statements.sort_by_key(|statement| {
        (statement.claim, statement.setup == ComparisonSetup::Repaired, !statement.is_deciding)
    });
    drop(comparisons);
    findings.rows = trials.rows;
    Ok(findings)
}

/// The comparisons for which there are trials with seeds in common.
fn comparisons<'a>(claims: &[&dyn Claim], rows: &'a [Row]) -> Vec<Numbered<'a>> {
    let numbered = |claim: &&dyn Claim| {
        let number = claim.number();
        claim.comparisons(rows).into_iter().map(move |comparison| (number, comparison))
    };
    let can_be_made = |(_, comparison): &Numbered<'_>| {
        comparison.has_trials() && !common_seeds(&comparison.left, &comparison.right).is_empty()
    };
    claims.iter().flat_map(numbered).filter(can_be_made).collect()
}

/// What is known of the data and of the trials as a whole.
fn without_statements(trials: &Trials, test: &TestImages<'_>, kernel: Kernel) -> Findings {
    let n_test = test.all.len();
    let fewer: BTreeSet<usize> = trials.rows.iter().map(|row| row.n_test).filter(|size| *size < n_test).collect();
    let fewer: Vec<(usize, Arc<SampleSet>)> = fewer.into_iter().map(|size| (size, (test.subset)(size))).collect();
    let mut commonest: BTreeMap<usize, f64> =
        fewer.iter().map(|(size, images)| (*size, share_of_commonest(labels(images)))).collect();
    commonest.insert(n_test, share_of_commonest(&test.all.labels));
    Findings {
        is_quick: trials.is_quick,
        n_missing: trials.n_missing,
        data: test.name.to_owned(),
        data_sha256: test.sha256.to_owned(),
        kernel: kernel.name().to_owned(),
        n_test,
        constant: constant_answers(&test.all.labels, &test.all.classes),
        constant_of_fewer: fewer
            .iter()
            .map(|(size, images)| (*size, constant_answers(labels(images), images.classes())))
            .collect(),
        commonest,
        statements: Vec::new(),
        slopes: Vec::new(),
        robustness: Vec::new(),
        diagnoses: Vec::new(),
        rows: Vec::new(),
    }
}

/// The trials whose saved networks must be looked at, and whether on blurred images too.
fn wanted<'a>(claims: &[&dyn Claim], comparisons: &[Numbered<'a>], rows: &'a [Row]) -> Vec<(&'a Row, bool)> {
    let mut wanted: BTreeMap<&str, (&Row, bool)> = BTreeMap::new();
    let mut want = |row: &'a Row, is_blurred: bool| {
        wanted.entry(row.trial.as_str()).or_insert((row, false)).1 |= is_blurred;
    };
    for (_, comparison) in comparisons {
        let is_blurred = matches!(comparison.measure, Measure::Blurred | Measure::Retention);
        for side in [&comparison.left, &comparison.right] {
            side.rows().iter().for_each(|&row| want(row, is_blurred));
        }
    }
    for claim in claims {
        claim.blurred(rows).into_iter().for_each(|row| want(row, true));
    }
    wanted.into_values().filter(|(row, _)| row.weights_sha256.is_some()).collect()
}

/// The answers of the networks of `wanted`, by trial.
fn look_up(wanted: &[(&Row, bool)], test: &TestImages<'_>, models: &Models<'_>) -> Result<BTreeMap<String, Answers>> {
    let any_is_blurred = wanted.iter().any(|(_, is_blurred)| *is_blurred);
    let blurred = if any_is_blurred { blurred_sets(test.all)? } else { Vec::new() };
    (models.observe)(JudgeEvent::Begun { n_models: wanted.len() });
    let (next, known, failure) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()), Mutex::new(None));
    let work = || {
        let workers = Workers::new(1);
        while let Some((row, is_blurred)) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
            if models.stop.load(Ordering::Relaxed) {
                break;
            }
            let blurs = if *is_blurred { blurred.as_slice() } else { &[] };
            match answers_of(row, test, blurs, models, &workers) {
                Ok(given) => drop(lock(&known).insert(row.trial.clone(), given)),
                Err(error) => drop(lock(&failure).get_or_insert(error)),
            }
            (models.observe)(JudgeEvent::Answered);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..models.n_threads.clamp(1, wanted.len().max(1)) {
            scope.spawn(work);
        }
    });
    if models.stop.load(Ordering::Relaxed) {
        return Err(Error::stopped());
    }
    match failure.into_inner() {
        Ok(Some(failure)) => Err(failure),
        _ => Ok(known.into_inner().unwrap_or_default()),
    }
}

/// The answers of one network to the test images, and to those of `blurs`.
fn answers_of(
    row: &Row,
    test: &TestImages<'_>,
    blurs: &[(String, LabeledImages)],
    models: &Models<'_>,
    workers: &Workers,
) -> Result<Answers> {
    let blurs = blurs.iter().map(|(name, images)| (name.as_str(), images));
    let sets: Vec<(&str, &LabeledImages)> = [(CLEAN, test.all)].into_iter().chain(blurs).collect();
    let model = Model {
        folder: &models.folder.join(&row.sweep),
        trial: &row.trial,
        weights_sha256: row.weights_sha256.as_deref().unwrap_or_default(),
        data_sha256: test.sha256,
    };
    answers(&model, &sets, models.kernel, workers)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The labels of test images.
fn labels(images: &SampleSet) -> &[u8] {
    images.images().map_or(&[], |images| &images.labels)
}
