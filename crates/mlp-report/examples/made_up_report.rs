//! Writes reports from made-up records, to look at a page without training anything:
//!
//! ```text
//! cargo run -p mlp-report --example made_up_report -- /tmp/reports
//! ```
//!
//! makes a folder for each of: one trial, a sweep of depths, grids of 40, 200 and 1,000 trials, settings
//! drawn at random, and nothing at all. The records of each are beside its report, to make it again.

use std::path::{Path, PathBuf};

use mlp_report::{ReportInput, write_report};

#[path = "../tests/it/made_up.rs"]
mod made_up;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = std::env::args_os().nth(1).map_or_else(|| std::env::temp_dir().join("made-up-reports"), PathBuf::from);
    std::fs::create_dir_all(&root)?;
    for (name, input) in reports(&root) {
        let trials = root.join(name).join("trials");
        std::fs::create_dir_all(&trials)?;
        for trial in &input.trials {
            std::fs::write(trials.join(format!("{}.json", trial.record.trial)), trial.record.to_json()?)?;
        }
        for diagnosis in &input.diagnoses {
            let folder = root.join(name).join("diagnosis");
            std::fs::create_dir_all(&folder)?;
            std::fs::write(folder.join(format!("{}.json", diagnosis.trial)), diagnosis.to_json())?;
        }
        let written = write_report(&input, &root.join(name))?;
        println!("{}: {} plots, {} warnings", written.report.display(), written.plots.len(), written.warnings.len());
    }
    Ok(())
}

fn reports(root: &Path) -> Vec<(&'static str, ReportInput)> {
    let mut one = made_up::depth_sweep().split_off(15);
    one.truncate(1);
    let mut sweep = made_up::depth_sweep();
    sweep.push(made_up::failed(
        &[("hidden", serde_json::json!([9_000_000, 9_000_000, 9_000, 900, 90, 9, 9, 9]))],
        "needs 5.6 TB of memory for its weights, and 8 GB are free: make the layer smaller",
    ));
    vec![
        ("one", with_extras(root, "one", one)),
        ("depths", with_extras(root, "depths", sweep)),
        ("grid-40", made_up::input(made_up::grid(40))),
        ("grid-200", made_up::input(made_up::grid(200))),
        ("grid-1000", made_up::input(made_up::grid(1_000))),
        ("drawn-300", ReportInput { trials: made_up::drawn(300), ..ReportInput::default() }),
        ("nothing", ReportInput::default()),
    ]
}

/// Adds models, images, robustness curves and diagnoses.
fn with_extras(root: &Path, name: &str, records: Vec<mlp_results::RunRecord>) -> ReportInput {
    let mut input = made_up::input(records);
    for trial in &mut input.trials {
        input.images.extend(made_up::images(&trial.record));
        if trial.record.status == mlp_results::Status::Finished {
            input.robustness.extend(made_up::robustness(&trial.record));
            let accuracy = trial.record.final_test().and_then(|test| test.accuracy);
            let is_dead = accuracy.is_none_or(|accuracy| accuracy < 0.2);
            input.diagnoses.push(made_up::diagnosis(&trial.record, is_dead));
            let models = root.join(name).join("models");
            if std::fs::create_dir_all(&models).is_ok() {
                let path = models.join(format!("{}.safetensors", trial.record.trial));
                trial.record.weights_sha256 = Some(made_up::write_model(&path, &trial.record));
                trial.model = Some(path);
            }
        }
    }
    input
}
