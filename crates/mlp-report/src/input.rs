//! What a report is made from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use mlp_results::{FOLDER_KEY, HalvingRound, RankBy, Results, RobustnessCurve, RunFolder, TrialResult, text};
use mlp_train::Diagnosis;
use ndarray::Array2;

use crate::csv::Seconds;
use crate::error::Result;

/// What a report is made from: results, and what stands beside them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReportInput {
    /// What the report is called: the name of the sweep. Without one, the names in the trials' settings serve.
    pub name: Option<String>,
    /// The trials, in any order.
    pub trials: Vec<TrialResult>,
    /// Measurements on disturbed images, of any of the trials.
    pub robustness: Vec<RobustnessCurve>,
    /// What went on inside networks while they trained, of any of the trials.
    pub diagnoses: Vec<Diagnosis>,
    /// The rounds of a sweep with successive halving, and which trials they stopped.
    pub halving: Vec<HalvingRound>,
    /// Test images by trial and by index in the test set, `height × width` grey values with 0 for the background; those
    /// of recorded mistakes are shown.
    pub images: BTreeMap<(String, usize), Array2<u8>>,
    /// What the reader of the report has to know about its making: files that were skipped, and why.
    pub warnings: Vec<String>,
    /// What trials are ranked by; by default what was measured decides.
    pub by: RankBy,
    /// How many seeds of each configuration there are to be, where that is known; 0 otherwise.
    pub n_seeds: usize,
    /// Whether `results.csv` holds the seconds that each trial took, in its last columns; by default it does.
    pub seconds: Seconds,
}

impl From<Results> for ReportInput {
    fn from(results: Results) -> Self {
        ReportInput {
            name: results.name,
            trials: results.trials,
            robustness: results.robustness,
            diagnoses: results.diagnoses,
            halving: results.halving,
            warnings: results.warnings,
            ..ReportInput::default()
        }
    }
}

/// Reads a folder of results: [`RunFolder::read`].
///
/// # Errors
///
/// If `dir` is not a folder or a folder in it cannot be listed.
pub fn read_folder(dir: &Path) -> Result<ReportInput> {
    Ok(RunFolder::new(dir).read()?.into())
}

/// Reads several folders of results as one, to compare their trials on one page: each trial gets the name of its folder as a
/// further setting, [`FOLDER_KEY`]. Folders of the same name are told apart by those they lie in; one that is named twice is
/// read once. A trial that lies in several of them, computed with instructions of the same level, is one trial and counts once: a
/// warning says so.
///
/// # Errors
///
/// As [`read_folder`], of any of them.
pub fn read_folders(dirs: &[PathBuf]) -> Result<ReportInput> {
    let mut distinct: Vec<PathBuf> = Vec::new();
    for dir in dirs {
        let whole = dir.canonicalize().unwrap_or_else(|_| dir.clone());
        if !distinct.contains(&whole) {
            distinct.push(whole);
        }
    }
    let names = folder_names(&distinct);
    let mut all = ReportInput { name: Some(names.join(", ")), ..ReportInput::default() };
    for (dir, name) in distinct.iter().zip(&names) {
        let mut input = read_folder(dir)?;
        for trial in &mut input.trials {
            trial.record.config.insert(FOLDER_KEY.to_owned(), name.clone().into());
        }
        for stopped in input.halving.iter_mut().flat_map(|round| &mut round.stopped) {
            stopped.label = format!("{name} · {}", stopped.label);
        }
        all.trials.extend(input.trials);
        all.robustness.extend(input.robustness);
        all.diagnoses.extend(input.diagnoses);
        all.halving.extend(input.halving);
        all.warnings.extend(input.warnings);
    }
    let n_copies = count_once(&mut all);
    if n_copies > 0 {
        let trials = text::counted(n_copies, "trial");
        all.warnings.push(format!(
            "Trials lie in several of the folders: {trials} count once, with the first of their folders that has a result"
        ));
    }
    Ok(all)
}

/// Keeps one of the trials of each identity and kernel (others round differently, which may be what is compared): the first that
/// finished or diverged, or else the first. Returns how many trials had copies.
fn count_once(input: &mut ReportInput) -> usize {
    let is_over = |trial: &TrialResult| trial.ending.is_none() && trial.record.is_over();
    let mut kept: Vec<TrialResult> = Vec::new();
    let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut copied: BTreeSet<usize> = BTreeSet::new();
    for trial in std::mem::take(&mut input.trials) {
        let place = *places.entry((trial.record.trial.clone(), trial.record.kernel.clone())).or_insert(kept.len());
        if place == kept.len() {
            kept.push(trial);
            continue;
        }
        copied.insert(place);
        if is_over(&trial) && !is_over(&kept[place]) {
            kept[place] = trial;
        }
    }
    input.trials = kept;
    let (mut curves, mut diagnosed) = (BTreeSet::new(), BTreeSet::new());
    input.robustness.retain(|curve| curves.insert((curve.trial.clone(), curve.disturbance.clone())));
    input.diagnoses.retain(|diagnosis| diagnosed.insert(diagnosis.trial.clone()));
    copied.len()
}

/// The last parts of the paths: as many of each as it takes to tell them apart.
fn folder_names(dirs: &[PathBuf]) -> Vec<String> {
    let name = |dir: &PathBuf, n_parts: usize| {
        let parts: Vec<String> = dir.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
        let from = parts.len().saturating_sub(n_parts);
        text::clean(&parts[from..].join("/"), text::MAX_CHARACTERS)
    };
    let longest = dirs.iter().map(|dir| dir.components().count()).max().unwrap_or(1);
    let n_parts = |dir: &PathBuf| {
        let is_alone =
            |n_parts: &usize| dirs.iter().filter(|other| name(other, *n_parts) == name(dir, *n_parts)).count() < 2;
        (1..longest).find(is_alone).unwrap_or(longest)
    };
    dirs.iter().map(|dir| name(dir, n_parts(dir))).collect()
}
