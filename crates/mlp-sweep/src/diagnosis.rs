//! The diagnosis of a trial: `diagnosis/<trial>.json`, measured while the trial trains.
//!
//! It is written before each checkpoint and at the end. So what a checkpoint has behind it is in the file, and a trial
//! that is stopped and taken up again has no gap, unless it was not watched all the time.

use std::fs;
use std::path::{Path, PathBuf};

use mlp_core::{Objective, Real};
use mlp_train::{Diagnosis, Moment, Probe, Progress, Samples, diagnose};

use crate::event::{Event, Observer, Warning};

/// Examines a trial under way.
pub(crate) struct Examiner<'o, F> {
    observer: &'o dyn Observer,
    path: PathBuf,
    trial: String,
    probe: Probe<F>,
    objective: Objective,
    diagnosis: Option<Diagnosis>,
    has_warned: bool,
}

impl<'o, F: Real> Examiner<'o, F> {
    /// For the trial that keeps its diagnosis at `path`; what is there already is gone on with.
    pub(crate) fn new(
        path: &Path,
        trial: &str,
        samples: &Samples<'_, F>,
        objective: Objective,
        observer: &'o dyn Observer,
    ) -> Self {
        Examiner {
            observer,
            path: path.to_path_buf(),
            trial: trial.to_owned(),
            probe: Probe::of(samples),
            objective,
            diagnosis: None,
            has_warned: false,
        }
    }

    /// Examines the network at the end of an epoch.
    pub(crate) fn observe(&mut self, progress: &Progress<'_>, moment: &Moment<'_, F>) {
        let Progress::Epoch(record) = progress else { return };
        let mlp = moment.network();
        let begin = || begun(&self.path, Diagnosis::new(self.trial.clone(), &mlp, &self.probe), self.observer);
        let diagnosis = self.diagnosis.get_or_insert_with(begin);
        match diagnose(&mlp, &self.probe, self.objective, record.epoch) {
            Some(measured) => diagnosis.add(measured),
            None => {
                let epoch = record.epoch;
                let problem =
                    format!("epoch {epoch} is not in the diagnosis: a number overflowed when it was measured");
                self.observer.notify(Event::Warning(&Warning::new(problem)));
            }
        }
    }

    /// Writes what has been measured. The trial does not depend on it: if it cannot be written, that is said once, and
    /// the trial goes on.
    pub(crate) fn write(&mut self) {
        let Some(diagnosis) = &self.diagnosis else { return };
        let folder = self.path.parent().map_or(Ok(()), fs::create_dir_all);
        let written = folder.and_then(|()| durable_file::write(&self.path, diagnosis.to_json().as_bytes()));
        if let Err(error) = written
            && !std::mem::replace(&mut self.has_warned, true)
        {
            let problem = format!("{}: cannot write the diagnosis: {error}", self.path.display());
            self.observer.notify(Event::Warning(&Warning::new(problem)));
        }
    }
}

/// What is at `path`, if it is of the same network and probe as `new`, which it is otherwise begun with.
fn begun(path: &Path, new: Diagnosis, observer: &dyn Observer) -> Diagnosis {
    if !path.exists() {
        return new;
    }
    match Diagnosis::read(path) {
        Ok(there) if Diagnosis { epochs: Vec::new(), ..there.clone() } == new => there,
        Ok(_) => new,
        Err(problem) => {
            let warning = Warning::new(problem);
            observer.notify(Event::Warning(&warning.with_remedy("the diagnosis begins anew")));
            new
        }
    }
}
