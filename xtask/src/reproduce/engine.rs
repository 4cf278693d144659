//! All that the reproduction takes from the engine that runs sweeps: a sweep's configuration, its plan, its run, its records.

use mlp_results::Status;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use mlp_core::Kernel;
use mnist_io::LabeledImages;
use paper::{Row, Sweep};

use crate::campaign::{self, Manner, Order, Shares};
use crate::commands::sweep::n_finished;
use crate::configuration::Document;
use crate::data::Dataset;
use crate::failure::Failure;
use crate::options::RunOptions;
use crate::plan::{DefaultName, Plan, plan};
use crate::progress::Progress;
use crate::store::{Sharing, peek, write_atomically};

/// A sweep whose configuration fits.
pub(crate) struct CheckedSweep {
    /// What the paper asks for.
    pub(crate) sweep: Sweep,
    document: Document,
}

/// A sweep that is ready to run. It holds the data: sweeps are planned one after the other.
pub(crate) struct PlannedSweep {
    sweep: Sweep,
    plan: Plan,
}

/// How a sweep is run.
pub(crate) struct Run<'a> {
    pub(crate) options: &'a RunOptions,
    /// Set when it is time to end.
    pub(crate) stop: &'a AtomicBool,
    pub(crate) progress: &'a Progress,
}

/// How the run of a sweep ended.
pub(crate) enum Ending {
    /// Nothing is left, but for so many trials that failed.
    Complete { n_failed: usize },
    /// It was asked to end.
    Stopped,
}

impl CheckedSweep {
    /// Lays the settings of a sweep over its text, and checks what comes out.
    pub(crate) fn new(sweep: Sweep) -> Result<Self, Failure> {
        let mut document = Document::parse(sweep.study.text, &format!("presets/{}.toml", sweep.study.name))?;
        for setting in &sweep.settings {
            document.override_with(setting)?;
        }
        document.check()?;
        Ok(CheckedSweep { sweep, document })
    }

    /// Reads the data and makes the trials. `folder_of` names the folder of all results from the name of the data.
    pub(crate) fn plan(
        &self,
        options: &RunOptions,
        folder_of: impl Fn(&str) -> PathBuf,
    ) -> Result<PlannedSweep, Failure> {
        let mut plan = plan(self.document.clone(), DefaultName::Fixed(self.sweep.name.clone()), options, None)?;
        plan.folder = folder_of(&plan.laboratory.data.name).join(&self.sweep.name);
        Ok(PlannedSweep { sweep: self.sweep.clone(), plan })
    }
}

impl PlannedSweep {
    pub(crate) fn n_trials(&self) -> usize {
        self.plan.trials.len()
    }

    /// How many of its trials have a record.
    pub(crate) fn n_finished(&self) -> usize {
        n_finished(&self.plan.trials, &peek(&self.plan.folder))
    }

    /// The records of the trials that the sweep asks for and that came to an end.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let has_curves = self.sweep.study.has_curves;
        let records = peek(&self.plan.folder).into_values();
        let mut rows: Vec<Row> = records.map(|record| Row::new(record, &self.sweep.name, has_curves)).collect();
        // A trial that failed computed nothing: it is missing, and no network that gets no digit right.
        rows.retain(|row| row.status != Status::Failed && self.plan.trials.iter().any(|trial| trial.id == row.trial));
        rows
    }

    /// Writes the sweep as a configuration file.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        write_atomically(path, &self.plan.specification.to_toml())
    }

    /// Runs what is left.
    pub(crate) fn complete(&self, run: &Run<'_>) -> Result<Ending, Failure> {
        let plan = &self.plan;
        let (store, records) = plan.open_store("reproduce", Sharing::Alone)?;
        let n_open = self.n_trials() - n_finished(&plan.trials, &records);
        if n_open == 0 {
            return Ok(Ending::Complete { n_failed: 0 });
        }
        let manner = Manner {
            shares: Shares::of(run.options.machine.n_threads(), None, n_open),
            order: Order::LongestFirst,
            pace: run.options.checkpoints.pace(),
            deadline: None,
            stop: run.stop,
            progress: run.progress,
            see: &|_, _| {},
            diagnose: &|_| self.sweep.study.is_diagnosed,
        };
        let campaign = campaign::run(&plan.laboratory, &plan.trials, &store, records, None, &manner)?;
        if campaign.stopped.is_some() {
            return Ok(Ending::Stopped);
        }
        let n_failed = campaign.records.values().filter(|record| record.status == Status::Failed).count();
        Ok(Ending::Complete { n_failed })
    }

    /// The folder with one folder of results for each sweep.
    pub(crate) fn folder_of_all(&self) -> PathBuf {
        self.plan.folder.parent().map(PathBuf::from).unwrap_or_default()
    }

    pub(crate) fn kernel(&self) -> Kernel {
        self.plan.laboratory.kernel
    }

    pub(crate) fn data(&self) -> &Dataset {
        &self.plan.laboratory.data
    }

    /// The test images that trials with this `test_size` are measured on.
    pub(crate) fn test_of(&self, test_size: usize) -> Arc<LabeledImages> {
        self.data().test_of(Some(test_size))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use paper::statistics::Verdict;
    use paper::thresholds::SMALLEST;
    use paper::{
        Claim, Comparison, Findings, Models, STUDIES, Selection, Setup, Side, Study, TestImages, Trials, find,
    };

    use super::*;
    use crate::checkpoints::Pace;
    use crate::trial::Laboratory;

    #[test]
    fn every_study_is_a_valid_sweep_of_several_trials_in_both_forms() {
        for study in STUDIES {
            assert!(study.text.starts_with("# ") && study.title().len() > 10, "{}", study.name);
            for is_quick in [false, true] {
                for sweep in study.sweeps(is_quick) {
                    let checked = CheckedSweep::new(sweep).expect("settings that fit");
                    let name = checked.sweep.name;
                    let specification = checked.document.check().expect("a valid sweep");
                    assert!(specification.n_cells() > 1, "{name}");
                    let largest = specification.cells().expect("cells").iter().map(|cell| cell.train_size).max();
                    // The built-in digits are 10,000.
                    assert!(!is_quick || largest <= Some(Some(10_000)), "{name}: {largest:?}");
                }
            }
        }
    }

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
        let records = peek(&plan.folder).into_values();
        let rows: Vec<Row> = records.map(|record| Row::new(record, "miniature", false)).collect();
        assert!(rows.iter().all(|row| row.status == Status::Finished));
        (rows, above)
    }

    /// That a network which takes steps is better than one that takes next to none; and that a penalty of next to nothing
    /// changes nothing.
    struct Planted;

    impl Claim for Planted {
        fn number(&self) -> u8 {
            1
        }

        fn title(&self) -> &'static str {
            "planted"
        }

        fn paper_says(&self) -> &'static str {
            "nothing"
        }

        fn studies(&self) -> Vec<&'static Study> {
            Vec::new()
        }

        fn comparisons<'a>(&self, rows: &'a [Row]) -> Vec<Comparison<'a>> {
            let all = Selection::of(rows, "miniature");
            let side = |rate: f64, l2: f64| {
                Side::networks(format!("η = {rate}, γ = {l2}"), all.with("learning_rate", rate).with("l2", l2))
            };
            let comparison = |left, right, threshold| {
                let comparison = Comparison::new(Setup::Repaired, "planted", left, right).deciding();
                Comparison { threshold, ..comparison }
            };
            vec![
                comparison(side(0.01, 0.0), side(1e-7, 0.0), SMALLEST),
                comparison(side(1e-7, 0.0), side(0.01, 0.0), SMALLEST),
                comparison(side(0.01, 1e-12), side(0.01, 0.0), -0.05),
                comparison(side(0.01, 1e-12), side(0.01, 0.0), 0.05),
            ]
        }

        fn setup(&self, _: &Findings) -> String {
            String::new()
        }

        fn why(&self, _: &Findings) -> String {
            String::new()
        }
    }

    #[test]
    fn a_miniature_of_a_claim_is_judged_as_planted() {
        let (rows, above) = trained(
            "hidden = [24]\nepochs = 6\noptimizer = \"adam\"\n\
             [sweep]\nlearning_rate = [1e-7, 0.01]\nl2 = [0.0, 1e-12]\nseed = [0, 1, 2, 3, 4]\n",
        );
        let data = data();
        let test = TestImages {
            name: &data.name,
            sha256: &data.sha256,
            all: &data.test,
            subset: &|size| data.test_of(Some(size)),
        };
        let models = Models {
            folder: above.path(),
            kernel: Kernel::Portable,
            n_threads: 2,
            stop: &AtomicBool::new(false),
            observe: &|_| {},
        };
        let judge = || {
            let trials = Trials { rows: rows.clone(), ..Trials::default() };
            find(&[&Planted], trials, &test, &models).expect("answers of saved models")
        };
        let findings = judge();
        for statement in &findings.statements {
            let difference = statement.left.mean - statement.right.mean;
            assert!((statement.effect.estimate - difference).abs() < 1e-6, "{statement:?}");
        }
        // What the answers say of the test images, the records say too.
        let networks = findings.sweep("miniature").with("learning_rate", 0.01).with("l2", 0.0);
        assert!((findings.statements[0].left.mean - networks.mean(Row::accuracy)).abs() < 1e-6);
        let verdicts: Vec<Verdict> = findings.judged().iter().map(|(_, judged)| judged.verdict).collect();
        assert_eq!(
            verdicts,
            [Verdict::Confirmed, Verdict::Refuted, Verdict::Confirmed, Verdict::Refuted],
            "better by far, worse by far, no harm done, no gain of that size"
        );
        // A second look takes the answers from their files.
        fs::remove_dir_all(above.path().join("miniature/models")).expect("models");
        let again = judge();
        assert_eq!(format!("{:?}", again.statements), format!("{:?}", findings.statements));
    }
}
