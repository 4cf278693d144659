//! The sweeps of a study, run: all that this crate takes from the engine.

use std::path::{Path, PathBuf};

use mlp_core::Kernel;
use mlp_results::{RunRecord, Status};
use mlp_sweep::{Dataset, Document, Observer, RunOptions, Sweep, SweepSpec, n_over};

use crate::error::{Error, Result};
use crate::row::Row;
use crate::study::StudySweep;

/// A sweep of a study whose configuration fits.
pub struct CheckedSweep {
    /// What the study asks for.
    pub sweep: StudySweep,
    specification: SweepSpec,
}

/// A sweep of a study that is ready to run.
pub struct PlannedSweep {
    study_sweep: StudySweep,
    sweep: Sweep,
}

/// How the run of a sweep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completion {
    /// Nothing is left, but for so many trials that failed.
    Complete {
        /// Trials whose record says that they failed.
        n_failed: usize,
    },
    /// It was asked to end.
    Stopped,
}

impl CheckedSweep {
    /// Lays the settings of a sweep over its text, and checks what comes out.
    ///
    /// # Errors
    ///
    /// If a setting does not fit.
    pub fn new(sweep: StudySweep) -> Result<Self> {
        let mut document = Document::parse(sweep.study.text, &format!("presets/{}.toml", sweep.study.name))?;
        for setting in &sweep.settings {
            document.override_with(setting)?;
        }
        Ok(CheckedSweep { sweep, specification: document.check()? })
    }

    /// The trials on `data`, whose results go into the folder of this sweep's name in `folder`.
    ///
    /// # Errors
    ///
    /// If a trial does not suit the data.
    pub fn plan(&self, data: Dataset, kernel: Kernel, folder: &Path) -> Result<PlannedSweep> {
        let name = &self.sweep.name;
        let builder = Sweep::builder(self.specification.clone(), data).kernel(kernel);
        let sweep = builder.default_name(name).folder(folder.join(name)).build()?;
        Ok(PlannedSweep { study_sweep: self.sweep.clone(), sweep })
    }

    /// What the sweep is trained on, where its configuration says so.
    pub fn data(&self) -> Option<&str> {
        self.specification.base().data.as_deref()
    }
}

impl PlannedSweep {
    /// The number of its trials.
    pub fn n_trials(&self) -> usize {
        self.sweep.trials().len()
    }

    /// How many of its trials have a result.
    pub fn n_over(&self) -> usize {
        n_over(self.sweep.trials(), &self.sweep.folder().records())
    }

    /// The records of the trials that the sweep asks for and that came to an end.
    pub fn rows(&self) -> Vec<Row> {
        let StudySweep { name, study, .. } = &self.study_sweep;
        // A trial that failed computed nothing: it is missing, and no network that gets no digit right.
        let is_asked =
            |record: &RunRecord| record.is_over() && self.sweep.trials().iter().any(|trial| trial.id == record.trial);
        let records = self.sweep.folder().records().into_values().filter(is_asked);
        records.map(|record| Row::new(record, name, study.has_curves)).collect()
    }

    /// Writes the sweep as a configuration file.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = self.sweep.specification().to_toml();
        durable_file::write(path, text.as_bytes()).map_err(|error| Error::io("write", path, error))
    }

    /// Runs what is left.
    ///
    /// # Errors
    ///
    /// If the folder holds other results, is held by another process, or cannot be written.
    pub fn complete(&self, options: &RunOptions<'_>, observer: &dyn Observer) -> Result<Completion> {
        let open = self.sweep.open("reproduce", None, observer)?;
        if open.n_over() == self.n_trials() {
            return Ok(Completion::Complete { n_failed: 0 });
        }
        let mut options = options.clone();
        options.diagnose = self.study_sweep.study.is_diagnosed;
        let outcome = open.run(&options, observer)?;
        if outcome.stopped.is_some() {
            return Ok(Completion::Stopped);
        }
        let n_failed = outcome.records.values().filter(|record| record.status == Status::Failed).count();
        Ok(Completion::Complete { n_failed })
    }

    /// The folder with one folder of results for each sweep.
    pub fn folder_of_all(&self) -> PathBuf {
        self.sweep.folder().path().parent().map(PathBuf::from).unwrap_or_default()
    }

    /// The instructions that it computes with.
    pub fn kernel(&self) -> Kernel {
        self.sweep.experiment().kernel()
    }

    /// What it is trained and tested on.
    pub fn data(&self) -> &Dataset {
        self.sweep.experiment().data()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::statistics::Verdict;
    use crate::thresholds::SMALLEST;
    use crate::{
        Claim, Comparison, ComparisonSetup, Findings, Models, STUDIES, Selection, Side, Study, TestImages, Trials, find,
    };

    #[test]
    fn every_study_is_a_valid_sweep_of_several_trials_in_both_forms() {
        for study in STUDIES {
            assert!(study.text.starts_with("# ") && study.title().len() > 10, "{}", study.name);
            for is_quick in [false, true] {
                for sweep in study.sweeps(is_quick) {
                    let checked = CheckedSweep::new(sweep).expect("settings that fit");
                    let name = checked.sweep.name;
                    let specification = checked.specification;
                    assert!(specification.n_trials() > 1, "{name}");
                    let all_settings = specification.trials_settings().expect("trials");
                    let largest = all_settings.iter().map(|settings| settings.train_size).max();
                    // The built-in digits are 10,000.
                    assert!(!is_quick || largest <= Some(Some(10_000)), "{name}: {largest:?}");
                }
            }
        }
    }

    fn data() -> Dataset {
        let [train, test] = [mnist_io::synthetic_digits(600, 1), mnist_io::synthetic_digits(400, 2)];
        Dataset::images("digits", train, test).expect("a data set").synthetic()
    }

    /// Trains what `text` asks for and returns the rows, with the folder above that of the sweep.
    fn trained(text: &str) -> (Vec<Row>, tempfile::TempDir) {
        let above = tempfile::tempdir().expect("a folder");
        let specification = SweepSpec::from_toml(text).expect("a sweep");
        let builder = Sweep::builder(specification, data()).kernel(Kernel::Portable);
        let sweep = builder.folder(above.path().join("miniature")).build().expect("trials");
        let mut options = RunOptions::default();
        options.n_threads = 1;
        let outcome = sweep.run(&options, &()).expect("an empty folder");
        let rows: Vec<Row> = outcome.records.into_values().map(|record| Row::new(record, "miniature", false)).collect();
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
                let comparison = Comparison::new(ComparisonSetup::Repaired, "planted", left, right).deciding();
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
            name: data.name(),
            sha256: data.sha256(),
            all: data.test().images().expect("digits"),
            subset: &|size| data.test_part(Some(size)),
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
