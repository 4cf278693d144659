//! Measurements on disturbed images: `robustness/<trial>.json`.

use std::path::{Path, PathBuf};

use mlp_train::{Decoding, EpochMetrics};
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::layout::RunFolder;

/// What one trained network reaches on ever more disturbed images. Stored as `robustness/<trial-id>.json`, a list of
/// these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RobustnessCurve {
    /// The trial whose network was measured.
    pub trial: String,
    /// What was done to the images: `gaussian-blur`.
    pub disturbance: String,
    /// Strength (0 leaves the image as it is; the unit is the disturbance's) and what was measured.
    pub points: Vec<(f64, EpochMetrics)>,
}

impl RunFolder {
    /// The curves of one trial that are there; none if there is no file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is damaged.
    pub fn read_robustness(&self, trial: &str) -> Result<Vec<RobustnessCurve>> {
        let path = self.robustness_curves(trial);
        let bytes = match durable_file::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::io("read the robustness curves", &path, error)),
        };
        serde_json::from_slice(&bytes).map_err(|error| {
            let problem = format!(
                "expected the curves of an earlier `evaluate`, found: {error}; move the file away and evaluate again"
            );
            Error::damaged(&path, &problem)
        })
    }

    /// Adds curves, by disturbance, to those of one trial that are there, and writes all of them.
    ///
    /// # Errors
    ///
    /// As [`RunFolder::read_robustness`] and [`RunFolder::write_robustness`].
    pub fn add_robustness(&self, trial: &str, curves: &[RobustnessCurve]) -> Result<PathBuf> {
        let mut stored = self.read_robustness(trial)?;
        for curve in curves {
            match stored.iter_mut().find(|old| old.disturbance == curve.disturbance) {
                Some(old) => old.merge(&curve.points),
                None => stored.push(RobustnessCurve { trial: trial.to_owned(), ..curve.clone() }),
            }
        }
        self.write_robustness(trial, &stored)
    }

    /// Writes the curves of one trial, in place of older ones.
    ///
    /// # Errors
    ///
    /// If a value is not finite, or the file cannot be written.
    pub fn write_robustness(&self, trial: &str, curves: &[RobustnessCurve]) -> Result<PathBuf> {
        let path = self.robustness_curves(trial);
        for curve in curves {
            let is_broken = |(strength, metrics): &&(f64, EpochMetrics)| !strength.is_finite() || !metrics.is_finite();
            if let Some((strength, _)) = curve.points.iter().find(is_broken) {
                return Err(not_finite(&path, &curve.disturbance, *strength));
            }
        }
        let json = serde_json::to_string_pretty(curves).expect("curves of finite numbers have a JSON form") + "\n";
        let folder = std::fs::create_dir_all(self.robustness());
        let written = folder.and_then(|()| durable_file::write(&path, json.as_bytes()));
        written.map_err(|error| Error::io("write the robustness curves", &path, error))?;
        Ok(path)
    }
}

impl RobustnessCurve {
    /// The same with the accuracies that curves from before there was a choice of decoding lack.
    pub(crate) fn with_accuracy_by(mut self, decoding: Decoding) -> Self {
        let points = std::mem::take(&mut self.points).into_iter();
        self.points = points.map(|(strength, metrics)| (strength, metrics.with_accuracy_by(decoding))).collect();
        self
    }

    /// Adds `points` to those that are there, weakest first. Of two measurements of the same strength the new one stays.
    pub fn merge(&mut self, points: &[(f64, EpochMetrics)]) {
        self.points.retain(|(old, _)| points.iter().all(|(new, _)| new != old));
        self.points.extend(points.iter().cloned());
        self.points.sort_by(|left, right| left.0.total_cmp(&right.0));
    }
}

/// The curves in the file at `path`; the error is a text that does not name the file.
pub(crate) fn read_curves(path: &Path) -> std::result::Result<Vec<RobustnessCurve>, String> {
    let expected = "expected a list of curves with trial, disturbance and points; delete the file and measure again";
    let bytes = durable_file::read(path).map_err(|error| format!("{error}; {expected}"))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("{error}; {expected}"))
}

fn not_finite(path: &Path, disturbance: &str, strength: f64) -> Error {
    let text = format!(
        "{}: cannot store the curve of {disturbance} at strength {strength}: it holds a value that is not a finite number. \
         Measure it again with a net that did not diverge",
        path.display()
    );
    Error::new(ErrorKind::NotFinite, text).of_file(path)
}
