//! From a folder on disk to the input of a report.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use mlp_train::{Diagnosis, RunRecord, Status};
use ndarray::Array2;

use crate::csv::Seconds;
use crate::error::ReportError;
use crate::halving::{Comparison, read_halving};
use crate::metric::Metric;
use crate::overview::{self, Compared};
use crate::robustness::RobustnessCurve;
use crate::{Trial, text, write};

/// Above this many trials, mistakes and confusion matrices are kept only of trials that were the best so far by what
/// trials may be compared by, so that 100,000 records fit into memory. The best of all is always among them.
pub const N_TRIALS_IN_FULL: usize = 5_000;

/// How many bytes of `spec.toml` are searched for its name.
const MAX_SPECIFICATION: u64 = 1 << 16;

/// What a report is made from.
#[derive(Clone, Debug, Default)]
pub struct ReportInput {
    /// What the report is called: the name of the sweep. Without one, the names in the trials' settings serve.
    pub name: Option<String>,
    /// The trials, in any order.
    pub trials: Vec<Trial>,
    /// Measurements on disturbed pictures, of any of the trials.
    pub robustness: Vec<RobustnessCurve>,
    /// What went on inside nets while they trained, of any of the trials.
    pub diagnoses: Vec<Diagnosis>,
    /// The comparisons of a sweep with successive halving, and which trials they stopped.
    pub halving: Vec<Comparison>,
    /// Test pictures by trial and by index in the test set, `height × width` grey values with 0 for the background; those
    /// of recorded mistakes are shown.
    pub pictures: BTreeMap<(String, usize), Array2<u8>>,
    /// What the reader of the report has to know about its making: files that were skipped, and why.
    pub warnings: Vec<String>,
    /// Whether `results.csv` holds the seconds that each trial took; by default it does not.
    pub seconds: Seconds,
}

/// Reads `dir/trials/*.json`, and finds `dir/models/<trial>.safetensors`, `dir/robustness/<trial>.json` and
/// `dir/diagnosis/<trial>.json` beside them, and `dir/halving.json`.
///
/// A record, robustness file or diagnosis that can't be read is skipped, and a warning names it. A folder without a `trials`
/// folder is one without trials. The report's name is the `name` in `dir/spec.toml`, or else that in the trials' settings,
/// or else the folder's own.
///
/// # Errors
///
/// If `dir` is no folder or a folder in it cannot be listed.
pub fn read_folder(dir: &Path) -> Result<ReportInput, ReportError> {
    fs::read_dir(dir).map_err(|source| ReportError::Folder { path: dir.to_owned(), source })?;
    let mut input = ReportInput::default();
    let paths = json_files(&dir.join("trials"))?;
    let mut best = BestSoFar::default();
    for path in &paths {
        match read_record(path) {
            Ok((mut record, ending)) => {
                if paths.len() > N_TRIALS_IN_FULL && !best.is_beaten_by(&record) {
                    drop_details(&mut record);
                }
                check_name(path, &record, &mut input.warnings);
                let model = model_beside(dir, path);
                input.trials.push(Trial { record, model, ending });
            }
            Err(error) => input.warnings.push(format!("Skipped a record. {error}")),
        }
    }
    if paths.len() > N_TRIALS_IN_FULL {
        let n_trials = text::thousands(paths.len() as u64);
        input.warnings.push(format!("With {n_trials} trials, only the best ones' mistakes and confusions were read."));
    }
    for path in json_files(&dir.join("robustness"))? {
        match read_robustness(&path) {
            Ok(curves) => input.robustness.extend(curves),
            Err(error) => input.warnings.push(format!("Skipped robustness curves. {}: {error}", path.display())),
        }
    }
    for path in json_files(&dir.join("diagnosis"))? {
        match Diagnosis::read(&path) {
            Ok(diagnosis) => input.diagnoses.push(diagnosis),
            Err(error) => input.warnings.push(format!(
                "Skipped a diagnosis. {}: {error}. Delete the file, or train again with --diagnose",
                path.display()
            )),
        }
    }
    let recorded: BTreeSet<&str> = input.trials.iter().map(|trial| trial.record.trial.as_str()).collect();
    match read_halving(dir, |trial| recorded.contains(trial)) {
        Ok(comparisons) => input.halving = comparisons,
        Err(error) => input.warnings.push(format!("Skipped what halving stopped. {error}")),
    }
    input.name = name_in_specification(dir).or_else(|| name_of_folder(dir, &input.trials));
    Ok(input)
}

/// Writes the curves of one trial to `dir/robustness/<trial>.json`, replacing an older file atomically.
///
/// # Errors
///
/// If a value is not finite, or the file cannot be written.
pub fn write_robustness(dir: &Path, trial: &str, curves: &[RobustnessCurve]) -> Result<PathBuf, ReportError> {
    let path = dir.join("robustness").join(format!("{trial}.json"));
    for curve in curves {
        if let Some((strength, _)) = curve.points.iter().find(|(s, metrics)| !s.is_finite() || !metrics.is_finite()) {
            let disturbance = curve.disturbance.clone();
            return Err(ReportError::NonFinite { path, disturbance, strength: *strength });
        }
    }
    let json = serde_json::to_string_pretty(curves).expect("curves of finite numbers have a JSON form") + "\n";
    write::replace(&path, json.as_bytes())?;
    Ok(path)
}

/// A record, and its word for how the trial ended where this version does not know that word.
fn read_record(path: &Path) -> Result<(RunRecord, Option<String>), mlp_train::RecordError> {
    RunRecord::read(path).map(|record| (record, None)).or_else(|error| {
        let is_malformed = matches!(error, mlp_train::RecordError::Malformed { .. });
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
    Some((serde_json::from_value(value).ok()?, Some(word)))
}

/// The `.json` files of a folder by name; none if there is no such folder.
fn json_files(dir: &Path) -> Result<Vec<PathBuf>, ReportError> {
    let failed = |source| ReportError::Folder { path: dir.to_owned(), source };
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

fn read_robustness(path: &Path) -> Result<Vec<RobustnessCurve>, String> {
    let expected = "expected a list of curves with trial, disturbance and points; delete the file and measure again";
    if !fs::metadata(path).map_err(|error| error.to_string())?.is_file() {
        return Err(format!("found no regular file; {expected}"));
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    serde_json::from_slice(&bytes).map_err(|error| format!("{error}; {expected}"))
}

fn model_beside(dir: &Path, record: &Path) -> Option<PathBuf> {
    let path = dir.join("models").join(record.file_stem()?).with_extension("safetensors");
    path.is_file().then_some(path)
}

/// A record under another trial's name is shown, but somebody copied or renamed it.
fn check_name(path: &Path, record: &RunRecord, warnings: &mut Vec<String>) {
    if path.file_stem() != Some(OsStr::new(&record.trial)) {
        let trial = text::clean(&record.trial, 64);
        warnings
            .push(format!("{}: expected the record of the trial in its name, found that of {trial}.", path.display()));
    }
}

/// The best values so far of everything that trials may be compared by: which of them it will be is known only when all
/// records are read.
struct BestSoFar(Vec<(Metric, Compared, Option<f64>)>);

impl Default for BestSoFar {
    fn default() -> BestSoFar {
        BestSoFar(overview::candidates().map(|(metric, compared)| (metric, compared, None)).collect())
    }
}

impl BestSoFar {
    /// Whether a record is better than all before it in some respect, in which it is then the best; a run that did not
    /// finish never is.
    fn is_beaten_by(&mut self, record: &RunRecord) -> bool {
        let mut is_beaten = false;
        for (metric, compared, best) in &mut self.0 {
            let Some(score) = overview::score(record, *metric, *compared) else { continue };
            if best.is_none_or(|best| metric.is_better(score, best)) {
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
    // Nobody looks at the seconds epoch by epoch.
    for seconds in [&mut record.runtime.seconds_train, &mut record.runtime.seconds_evaluate] {
        *seconds = if seconds.is_empty() { Vec::new() } else { vec![seconds.iter().sum()] };
    }
}

/// The `name` at the top of `dir/spec.toml`, if there is one on a line of its own; it is only a title, so whatever
/// cannot be read so simply is passed over.
fn name_in_specification(dir: &Path) -> Option<String> {
    let path = dir.join("spec.toml");
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
fn name_of_folder(dir: &Path, trials: &[Trial]) -> Option<String> {
    let data = &trials.first()?.record.data.name;
    if trials.iter().any(|trial| trial.record.config.get("name").is_some_and(|name| name.is_string())) {
        return None;
    }
    let whole = fs::canonicalize(dir).ok()?.file_name()?.to_string_lossy().into_owned();
    let stem = whole.strip_suffix(data.as_str()).and_then(|stem| stem.strip_suffix('-'));
    Some(stem.filter(|stem| !stem.is_empty()).unwrap_or(&whole).to_owned())
}
