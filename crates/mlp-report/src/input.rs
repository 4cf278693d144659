//! What a report is made from.

use std::collections::BTreeMap;
use std::path::Path;

use mlp_results::{HalvingRound, RankBy, Results, RobustnessCurve, RunFolder, TrialResult};
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
