//! Reading a folder of results.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use mlp_train::{Decoding, Diagnosis};

use crate::ending::TrialResult;
use crate::error::{Error, ErrorKind, Result};
use crate::halving::HalvingRound;
use crate::layout::{RunFolder, trial_of_record};
use crate::record::{RunRecord, Status};
use crate::robustness::{RobustnessCurve, read_curves};
use crate::score::{Ranking, rankings};
use crate::text;

/// Above this many trials, mistakes and confusion matrices are kept only of trials that were the best so far by what
/// trials may be compared by, so that 100,000 records fit into memory. The best of all is always among them.
pub const N_TRIALS_IN_FULL: usize = 5_000;

/// How many bytes of `spec.toml` are searched for its name.
const MAX_SPECIFICATION: u64 = 1 << 16;

/// All that can be read from a folder of results.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Results {
    /// What it is called: the `name` in `spec.toml`, or else, where the trials' settings name none, the folder's own.
    pub name: Option<String>,
    /// The trials, by their identity: those with a record, and those that successive halving stopped, as far as they came.
    pub trials: Vec<TrialResult>,
    /// Measurements on disturbed images, of any of the trials.
    pub robustness: Vec<RobustnessCurve>,
    /// What went on inside networks while they trained, of any of the trials.
    pub diagnoses: Vec<Diagnosis>,
    /// The rounds of a sweep with successive halving, and which trials they stopped.
    pub halving: Vec<HalvingRound>,
    /// Files that were skipped, and why.
    pub warnings: Vec<String>,
}

impl RunFolder {
    /// Reads all records, finds the models beside them, and reads what else was measured.
    ///
    /// A file that cannot be read is skipped, and a warning names it; so is a copy: a record counts under the name of its
    /// trial, `trials/<trial>.json`, and nowhere else, as it does in [`RunFolder::records`]. A folder without a `trials`
    /// folder is one without trials. Of a record whose identity is not that of its settings and data a warning says that it was
    /// changed by hand. Nothing is locked: a sweep may be running in the folder.
    ///
    /// # Errors
    ///
    /// If the folder, or a folder in it, cannot be listed.
    pub fn read(&self) -> Result<Results> {
        fs::read_dir(self.path()).map_err(|error| no_folder(self.path(), error))?;
        let mut results = Results::default();
        if self.read_trials(&mut results)? {
            let n_trials = text::thousands(results.trials.len() as u64);
            let warning = format!("With {n_trials} trials, only the best ones' mistakes and confusions were read.");
            results.warnings.push(warning);
        }
        self.read_all_robustness(&mut results)?;
        self.read_all_diagnoses(&mut results)?;
        let recorded: BTreeSet<&str> = results.trials.iter().map(|trial| trial.record.trial.as_str()).collect();
        match self.halving_rounds(|trial| recorded.contains(trial)) {
            Ok(rounds) => {
                results.trials.extend(self.stopped_trials(&rounds));
                results.trials.sort_by(|one, other| one.record.trial.cmp(&other.record.trial));
                results.halving = rounds;
            }
            Err(error) => results.warnings.push(format!("Skipped what halving stopped. {error}")),
        }
        results.name = name_in_specification(self).or_else(|| name_of_folder(self.path(), &results.trials));
        Ok(results)
    }

    /// The records that are there, by trial; what is not a record, or is one under another trial's name, is passed over.
    pub fn records(&self) -> BTreeMap<String, RunRecord> {
        let entries = fs::read_dir(self.trials()).into_iter().flatten().flatten();
        let records = entries.filter_map(|entry| {
            let path = entry.path();
            // First, as it needs no reading.
            trial_of_record(&path)?;
            let record = RunRecord::read(&path).ok().filter(|record| is_named_after(&path, &record.trial))?;
            Some((record.trial.clone(), record))
        });
        records.collect()
    }

    /// The same, and a warning for each file beside them that was skipped, and for each record that was changed by hand.
    ///
    /// # Errors
    ///
    /// If the folder of records cannot be listed.
    pub fn records_with_warnings(&self) -> Result<(BTreeMap<String, RunRecord>, Vec<String>)> {
        let mut results = Results::default();
        self.read_trials(&mut results)?;
        let known = results.trials.into_iter().filter(|trial| trial.ending.is_none());
        let records = known.map(|trial| (trial.record.trial.clone(), trial.record)).collect();
        Ok((records, results.warnings))
    }

    /// One record with the model beside it, as [`RunFolder::read`] takes it; and a warning where it was skipped, or was changed by
    /// hand.
    pub fn read_trial(&self, path: &Path) -> (Option<TrialResult>, Option<String>) {
        match read_record(path) {
            Ok((record, _)) if !is_named_after(path, &record.trial) => {
                let is_there = self.record(&record.trial).exists();
                (None, Some(misnamed(path, &record.trial, is_there)))
            }
            Ok((record, ending)) => {
                let warning = (!record.has_own_identity()).then(|| changed(path));
                (Some(TrialResult { record, model: self.model_beside(path), ending }), warning)
            }
            Err(error) => (None, Some(format!("Skipped a record. {error}"))),
        }
    }

    /// Whether there were so many that most were read without details.
    fn read_trials(&self, results: &mut Results) -> Result<bool> {
        let paths = json_files(&self.trials())?;
        let is_large = paths.len() > N_TRIALS_IN_FULL;
        let mut best = BestSoFar::default();
        for path in &paths {
            let (trial, warning) = self.read_trial(path);
            results.warnings.extend(warning);
            results.trials.extend(trial.map(|mut trial| {
                if is_large && !best.is_beaten_by(&trial.record) {
                    drop_details(&mut trial.record);
                }
                trial
            }));
        }
        Ok(is_large)
    }

    fn read_all_robustness(&self, results: &mut Results) -> Result<()> {
        let mut found = Vec::new();
        for path in json_files(&self.robustness())? {
            match read_curves(&path) {
                Ok(curves) => found.extend(curves.into_iter().map(|curve| (path.clone(), curve))),
                Err(problem) => {
                    results.warnings.push(format!("Skipped robustness curves. {}: {problem}", path.display()));
                }
            }
        }
        let key = |curve: &RobustnessCurve| (curve.trial.clone(), curve.disturbance.clone());
        let found = without_copies(found, |curve| &curve.trial, key, &mut results.warnings);
        let decodings: BTreeMap<&str, Decoding> =
            results.trials.iter().map(|trial| (trial.record.trial.as_str(), trial.record.answers_by())).collect();
        let complete = |curve: RobustnessCurve| match decodings.get(curve.trial.as_str()) {
            Some(&decoding) => curve.with_accuracy_by(decoding),
            None => curve,
        };
        results.robustness.extend(found.into_iter().map(complete));
        Ok(())
    }

    fn read_all_diagnoses(&self, results: &mut Results) -> Result<()> {
        let mut found = Vec::new();
        for path in json_files(&self.diagnoses())? {
            match Diagnosis::read(&path) {
                Ok(diagnosis) => found.push((path, diagnosis)),
                Err(error) => results
                    .warnings
                    .push(format!("Skipped a diagnosis. {error}. Delete the file, or train again with --diagnose")),
            }
        }
        let key = |diagnosis: &Diagnosis| diagnosis.trial.clone();
        let found = without_copies(found, |diagnosis| &diagnosis.trial, key, &mut results.warnings);
        results.diagnoses.extend(found);
        Ok(())
    }

    fn model_beside(&self, record: &Path) -> Option<PathBuf> {
        let path = self.model(record.file_stem()?.to_str()?);
        path.is_file().then_some(path)
    }
}

/// A record, and its word for how the trial ended where this version does not know that word.
fn read_record(path: &Path) -> Result<(RunRecord, Option<String>)> {
    RunRecord::read(path).map(|record| (record, None)).or_else(|error| {
        let is_malformed = error.kind() == ErrorKind::Damaged && error.line_and_column().is_some();
        if is_malformed { read_with_unknown_ending(path).ok_or(error) } else { Err(error) }
    })
}

/// A record that names an ending which this version does not know: it is read as that of a failed trial, so that it
/// never counts as a result, and the word is kept beside it.
fn read_with_unknown_ending(path: &Path) -> Option<(RunRecord, Option<String>)> {
    let mut value: serde_json::Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    let status = value.get_mut("status")?;
    let word = text::clean(status.as_str()?, 40);
    if serde_json::from_value::<Status>(status.take()).is_ok() {
        return None;
    }
    *status = serde_json::to_value(Status::Failed).ok()?;
    let record: RunRecord = serde_json::from_value(value).ok()?;
    record.check(path).ok()?;
    Some((record.with_accuracy(), Some(word)))
}

/// The `.json` files of a folder by name; none if there is no such folder.
fn json_files(dir: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error| no_folder(dir, error);
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension() == Some(OsStr::new("json")) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Whether the file at `path` bears the name that a file of JSON about `trial` has.
fn is_named_after(path: &Path, trial: &str) -> bool {
    trial_of_record(path).as_deref() == Some(trial)
}

/// Why a record of `trial` under another name does not count, and what to do with it; `is_there` says whether the record
/// is under its own name, too.
fn misnamed(path: &Path, trial: &str, is_there: bool) -> String {
    let (path, trial) = (path.display(), text::clean(trial, 64));
    if is_there {
        format!(
            "Skipped a copy. {path}: this is the record of trial {trial}, which {trial}.json holds. Delete the copy"
        )
    } else {
        format!(
            "Skipped a record. {path}: expected the record of the trial in its name, found that of {trial}. Call it \
             {trial}.json, or delete it"
        )
    }
}

/// What to do about a record of which nobody knows what it measured.
fn changed(path: &Path) -> String {
    format!(
        "Changed by hand. {}: expected the settings and data of the trial in its name, found others. Delete it, and the sweep \
         runs the trial again",
        path.display()
    )
}

/// What was measured of one thing, once, though several files hold it: that of the file which bears its trial's name, or
/// else of the first one. A warning names each of the others.
fn without_copies<T, K: Ord>(
    mut found: Vec<(PathBuf, T)>,
    trial: fn(&T) -> &String,
    key: fn(&T) -> K,
    warnings: &mut Vec<String>,
) -> Vec<T> {
    found.sort_by_key(|(path, item)| !is_named_after(path, trial(item)));
    let mut sources: BTreeMap<K, PathBuf> = BTreeMap::new();
    let mut kept = Vec::new();
    for (path, item) in found {
        let source = sources.entry(key(&item)).or_insert_with(|| path.clone());
        if *source == path {
            kept.push(item);
            continue;
        }
        let held = source.file_name().unwrap_or_default().display();
        let warning = format!("Skipped a copy. {}: {held} holds the same. Delete one of them", path.display());
        if warnings.last() != Some(&warning) {
            warnings.push(warning);
        }
    }
    kept
}

/// The best values so far of everything that trials may be compared by: which of them it will be is known only when all
/// records are read.
struct BestSoFar(Vec<(Ranking, Option<f64>)>);

impl Default for BestSoFar {
    fn default() -> BestSoFar {
        BestSoFar(rankings().map(|ranking| (ranking, None)).collect())
    }
}

impl BestSoFar {
    /// Whether a record is better than all before it in some respect, in which it is then the best; a run that did not
    /// finish never is.
    fn is_beaten_by(&mut self, record: &RunRecord) -> bool {
        let mut is_beaten = false;
        for (ranking, best) in &mut self.0 {
            let Some(score) = ranking.score(record) else { continue };
            if best.is_none_or(|best| ranking.metric.is_better(score, best)) {
                *best = Some(score);
                is_beaten = true;
            }
        }
        is_beaten
    }
}

/// Drops what takes most memory.
fn drop_details(record: &mut RunRecord) {
    record.mistakes = Vec::new();
    record.confusion = None;
}

/// The `name` at the top of `spec.toml`, if there is one on a line of its own; it is only a title, so whatever
/// cannot be read so simply is passed over.
fn name_in_specification(folder: &RunFolder) -> Option<String> {
    let path = folder.specification();
    if !fs::metadata(&path).ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    fs::File::open(path).ok()?.take(MAX_SPECIFICATION).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let top = text.lines().map(str::trim).take_while(|line| !line.starts_with('['));
    let value = top.filter_map(|line| line.strip_prefix("name")?.trim_start().strip_prefix('=')).next()?.trim_start();
    let name = match value.strip_prefix('\'') {
        Some(literal) => literal.split_once('\'')?.0.to_owned(),
        // The escapes that a name is likely to need are the same in TOML and in JSON.
        None => serde_json::Deserializer::from_str(value).into_iter::<String>().next()?.ok()?,
    };
    Some(name).filter(|name| !name.trim().is_empty())
}

/// The folder's own name, without the data set's at its end; nothing if the trials' settings name them.
fn name_of_folder(dir: &Path, trials: &[TrialResult]) -> Option<String> {
    let data = &trials.first()?.record.data.name;
    if trials.iter().any(|trial| trial.record.config.get("name").is_some_and(|name| name.is_string())) {
        return None;
    }
    let whole = fs::canonicalize(dir).ok()?.file_name()?.to_string_lossy().into_owned();
    let stem = whole.strip_suffix(data.as_str()).and_then(|stem| stem.strip_suffix('-'));
    Some(stem.filter(|stem| !stem.is_empty()).unwrap_or(&whole).to_owned())
}

fn no_folder(path: &Path, error: io::Error) -> Error {
    let text = format!(
        "{}: expected a folder of trials (with trials/*.json in it), but cannot read it: {error}. Give the folder that a \
         sweep wrote",
        path.display()
    );
    Error::of_io(text, path, error)
}
