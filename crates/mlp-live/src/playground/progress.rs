//! What is seen of a network while it trains, kept for those who look.

use std::time::{Duration, Instant};

use mlp_core::{Mlp, Objective};
use mlp_train::{Codebook, Diagnosis, Moment, Probe, Progress, Samples, Schedule, Trainable, diagnose};
use mnist_io::LabeledImages;

use super::session::{Control, Session};
use super::training::Task;
use super::view::{self, Doctor, Kept, Mode, Snapshot, TestDigits, constants, thin};
use crate::error::Result;

/// How often there is something new to see while it trains.
const EVERY: Duration = Duration::from_millis(80);
/// Looking costs at most one in so many parts of the time.
const SHARE: u32 = 6;

/// Watches one run.
pub(super) struct Watcher<'a, F> {
    task: &'a Task,
    session: &'a Session,
    codebook: &'a Codebook,
    objective: Objective,
    image_size: (usize, usize),
    probe: Probe<F>,
    digits: TestDigits<F>,
    /// Of the ends of epochs alone, as `train --diagnose` keeps it.
    diagnosis: Option<Diagnosis>,
    snapshot: Snapshot,
    /// The epoch that has been measured and after which nothing was trained.
    at_end_of: Option<usize>,
    looked: Instant,
    cost: Duration,
    n_batches: usize,
}

impl<'a, F: Trainable> Watcher<'a, F> {
    pub(super) fn new(
        task: &'a Task,
        session: &'a Session,
        samples: &Samples<'_, F>,
        test: &LabeledImages,
        codebook: &'a Codebook,
    ) -> Self {
        let config = &task.config;
        let n_train = samples.n_samples() - config.validation.min(samples.n_samples());
        let sizes = config.sizes(samples.n_inputs(), samples.n_outputs());
        let n_parameters = config.n_parameters(samples.n_inputs(), samples.n_outputs()).unwrap_or(u64::MAX);
        let snapshot = Snapshot {
            session: session.id().to_owned(),
            mode: Mode::Preparing,
            message: None,
            settings: task.settings.clone(),
            trial: task.trial().to_owned(),
            differs: task.differs(),
            sizes,
            n_parameters: usize::try_from(n_parameters).unwrap_or(usize::MAX),
            n_samples: [samples.n_samples(), test.len()],
            learning_rate: config.learning_rate,
            rate_changes: Vec::new(),
            epoch: 0,
            n_epochs: config.epochs,
            samples: [0, n_train],
            epochs: Vec::new(),
            losses: Vec::new(),
            constant: constants(test, codebook, config.objective()),
            doctor: Doctor::default(),
            weights: Vec::new(),
            digits: Vec::new(),
            kept: None,
            not_kept: None,
        };
        Watcher {
            task,
            session,
            codebook,
            objective: config.objective(),
            image_size: (test.height(), test.width()),
            probe: Probe::of(samples),
            digits: TestDigits::of(test),
            diagnosis: None,
            snapshot,
            at_end_of: None,
            looked: Instant::now(),
            cost: Duration::ZERO,
            n_batches: 0,
        }
    }

    pub(super) fn session(&self) -> &'a Session {
        self.session
    }

    pub(super) fn has_changed_rates(&self) -> bool {
        !self.snapshot.rate_changes.is_empty()
    }

    /// Takes in what has happened, and shows it if it is time to, or at once where the run waits now.
    pub(super) fn see(&mut self, progress: &Progress<'_>, moment: &Moment<'_, F>, is_waiting: bool) {
        let is_due = self.looked.elapsed() >= EVERY.max(self.cost * SHARE);
        let shown = &mut self.snapshot;
        shown.mode = if is_waiting { Mode::Paused } else { Mode::Running };
        let place = match *progress {
            Progress::Batch { epoch, samples_done, samples_in_epoch, loss_so_far } => {
                self.at_end_of = None;
                self.n_batches += 1;
                let place = (epoch - 1) as f64 + samples_done as f64 / samples_in_epoch.max(1) as f64;
                (shown.epoch, shown.samples) = (epoch, [samples_done, samples_in_epoch]);
                if is_due || is_waiting {
                    shown.losses.push((place, loss_so_far));
                    thin(&mut shown.losses);
                }
                place
            }
            Progress::Epoch(record) => {
                self.at_end_of = Some(record.epoch);
                shown.epoch = record.epoch;
                if shown.epochs.last().is_none_or(|last| last.epoch < record.epoch) {
                    shown.epochs.push(record.clone());
                    thin(&mut shown.epochs);
                }
                record.epoch as f64
            }
        };
        // The ends of epochs that follow each other quickly are examined, and not all shown.
        let is_shown = is_due || is_waiting || self.snapshot.epoch == 0;
        if is_shown || self.at_end_of.is_some() {
            let started = Instant::now();
            let mlp = moment.network();
            self.examine(place, &mlp, is_shown);
            if is_shown {
                self.show(&mlp);
                self.publish();
                self.looked = Instant::now();
            }
            self.cost = started.elapsed();
        }
    }

    /// The doctor looks at every end of an epoch, and at what is shown within one; what he says takes all epochs into account, so
    /// he speaks only where somebody hears it.
    fn examine(&mut self, place: f64, mlp: &Mlp<F>, is_shown: bool) {
        let epoch = self.at_end_of.unwrap_or(place.floor() as usize);
        let new = || Diagnosis::new(self.task.trial().to_owned(), mlp, &self.probe);
        let diagnosis = self.diagnosis.get_or_insert_with(new);
        let Some(mut measured) = diagnose(mlp, &self.probe, self.objective, epoch) else { return };
        let doctor = &mut self.snapshot.doctor;
        doctor.moments.retain(|(known, _)| *known < place);
        doctor.moments.push((place, measured.layers.clone()));
        thin(&mut doctor.moments);
        if self.at_end_of.is_some() {
            diagnosis.add(measured);
            if is_shown {
                tell(doctor, diagnosis);
            }
        } else {
            // Within an epoch it counts as its end, for the sentence alone.
            measured.epoch = epoch + 1;
            diagnosis.epochs.push(measured);
            tell(doctor, diagnosis);
            diagnosis.epochs.pop();
        }
    }

    /// What the network has become.
    fn show(&mut self, mlp: &Mlp<F>) {
        self.snapshot.weights = view::weights(mlp, self.image_size);
        self.snapshot.digits = self.digits.answers(mlp, self.codebook);
    }

    /// The run goes on, or waits for something else.
    pub(super) fn go_on(&mut self, control: &Control) {
        self.snapshot.mode = if control.is_waiting() { Mode::Paused } else { Mode::Running };
        self.publish();
    }

    pub(super) fn change_rate(&mut self, rate: f64) {
        let place = match self.at_end_of {
            Some(epoch) => epoch as f64,
            None => {
                let [done, all] = self.snapshot.samples;
                self.snapshot.epoch.saturating_sub(1) as f64 + done as f64 / all.max(1) as f64
            }
        };
        self.snapshot.learning_rate = rate;
        self.snapshot.rate_changes.push((place, rate));
        thin(&mut self.snapshot.rate_changes);
        self.publish();
    }

    /// Keeps the run, if it can be kept, and shows what came of it.
    pub(super) fn keep(&mut self, keep: impl FnOnce(usize) -> Result<Kept>) {
        if self.why_not().is_none() {
            let epoch = self.at_end_of.unwrap_or(self.task.config.epochs);
            match keep(epoch) {
                Ok(kept) => {
                    if let Some(diagnosis) = &self.diagnosis {
                        super::keep::diagnosis(diagnosis, &kept);
                    }
                    self.snapshot.kept = Some(kept);
                    self.snapshot.message = None;
                }
                Err(error) => self.snapshot.message = Some(format!("It could not be kept: {error}")),
            }
        }
        self.publish();
    }

    /// All is trained, and this is the network that can be kept.
    pub(super) fn finish(&mut self, mlp: &Mlp<F>) {
        self.show(mlp);
        self.end(Mode::Finished, None);
    }

    /// It is over.
    pub(super) fn end(&mut self, mode: Mode, message: Option<String>) {
        if let Some(diagnosis) = &self.diagnosis {
            tell(&mut self.snapshot.doctor, diagnosis);
        }
        if mode == Mode::Diverged {
            self.snapshot.doctor.layer_at_fault = None;
            self.snapshot.doctor.sentence =
                "The numbers overflowed; what is seen here is from before. A smaller rate keeps them in, or smaller first weights."
                    .to_owned();
        }
        self.snapshot.mode = mode;
        self.snapshot.message = message;
        self.publish();
    }

    fn publish(&mut self) {
        self.snapshot.not_kept = self.why_not();
        self.session.publish(&self.snapshot);
    }

    /// Why the run cannot be kept as a trial now.
    fn why_not(&self) -> Option<String> {
        let config = &self.task.config;
        let is_over = self.at_end_of.is_some_and(|epoch| epoch == config.epochs);
        let text = if self.task.options.runs.is_none() {
            "There is no folder to keep it in."
        } else if self.has_changed_rates() {
            "The rate was changed by hand, and no configuration says so: “train” would give other weights."
        } else if self.snapshot.mode == Mode::Diverged {
            return None;
        } else if self.snapshot.mode == Mode::Stopped {
            "It was ended, and what it had learned is gone. A run is kept while it waits at the end of an epoch, or when it is \
             over."
        } else if self.at_end_of.is_none() || self.snapshot.mode == Mode::Running && !is_over {
            "A run is kept as it is at the end of an epoch: pause it, and step to the end of the epoch."
        } else if self.at_end_of == Some(0) && config.epochs > 0 {
            "Nothing has been trained yet."
        } else if !is_over && (config.schedule != Schedule::Constant || config.average.is_some()) {
            "What it does depends on how many epochs there are to be (its schedule, or its average): let it run to its end."
        } else {
            return None;
        };
        Some(text.to_owned())
    }
}

/// What the doctor says of all that has been measured.
fn tell(doctor: &mut Doctor, diagnosis: &Diagnosis) {
    doctor.layers.clone_from(&diagnosis.layers);
    doctor.target_spread = diagnosis.target_spread;
    doctor.sentence = diagnosis.sentence();
    doctor.layer_at_fault = diagnosis.finding().map(|finding| finding.layer);
}
