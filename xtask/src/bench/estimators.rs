//! The Python package beside scikit-learn, measured by a program of the package's own.

use std::fmt::Write as _;

use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bench::peers::Python;
use crate::failure::{Code, Failure};

/// Beside the programs of the peers.
const PROGRAM: &str = "../../crates/mlp-python/bench/side_by_side.py";

/// All rows, from one run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Estimators {
    /// Of `mlp_lab`, `sklearn` and `numpy`.
    versions: serde_json::Map<String, Value>,
    rows: Vec<Row>,
}

/// A figure of both, the best of some rounds in turn.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Row {
    what: String,
    /// `s` or `MiB`.
    unit: String,
    ours: f64,
    theirs: f64,
    /// Theirs divided by ours.
    ratio: f64,
    /// The ratio that is wanted, if one is.
    target: Option<f64>,
}

impl Estimators {
    /// Measures, for minutes; none where the Python lacks one of the packages.
    pub(crate) fn measure(python: &Python<'_>, bar: &ProgressBar) -> Result<Option<Self>, Failure> {
        bar.set_message("estimators beside scikit-learn");
        let Some(answer) = python.run(PROGRAM, &["--json".to_owned()], bar)? else { return Ok(None) };
        let measured = serde_json::from_value(answer)
            .map_err(|error| Failure::new(Code::InputOutput, format!("what side_by_side.py printed: {error}")))?;
        Ok(Some(measured))
    }

    /// Every figure with all its digits.
    pub(crate) fn json(&self) -> Result<String, Failure> {
        let json = serde_json::to_string_pretty(self).map_err(|error| Failure::data(error.to_string()))?;
        Ok(json + "\n")
    }

    /// The table, in Markdown.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::new();
        let version = |name: &str| self.versions.get(name).and_then(Value::as_str).unwrap_or("?");
        // Writing into a string cannot fail.
        let _ = writeln!(
            text,
            "| Python, two threads | mlp_lab {} | scikit-learn {} | ratio | wanted |\n|---|---|---|---|---|",
            version("mlp_lab"),
            version("sklearn")
        );
        for Row { what, unit, ours, theirs, ratio, target } in &self.rows {
            let target = target.map_or_else(String::new, |target| target.to_string());
            let (ours, theirs) = (shown(*ours, unit), shown(*theirs, unit));
            let _ = writeln!(text, "| {what} | {ours} | {theirs} | {ratio:.1} | {target} |");
        }
        text
    }
}

/// A figure in a unit that a person reads.
fn shown(figure: f64, unit: &str) -> String {
    match unit {
        "s" if figure < 0.001 => format!("{:.0} µs", 1e6 * figure),
        "s" if figure < 1.0 => format!("{:.1} ms", 1e3 * figure),
        "s" => format!("{figure:.2} s"),
        _ => format!("{figure:.0} {unit}"),
    }
}
