//! A run becomes an ordinary trial in a folder of results: the same files and bits as `train` gives.

use std::ops::ControlFlow;

use durable_file::FolderLock;
use mlp_core::Mlp;
use mlp_results::RunFolder;
use mlp_sweep::Sweep;
use mlp_train::{AnyMlp, Checkpoint, Diagnosis, Run, Setup, Trainable, train_resumable};

use super::training::{Material, Task};
use super::view::Kept;
use crate::error::{Error, ErrorKind, Result};

/// Keeps a run that has come to its end.
pub(super) fn whole<F: Trainable>(task: &Task, run: &Run<F>, material: &Material<'_, F>) -> Result<Kept>
where
    AnyMlp: From<Mlp<F>>,
{
    keep(task.sweep(), run, material)
}

/// Keeps a run as it is at the end of `epoch`, as the run that was to have so many epochs: where nothing depends on their
/// number, that is the same.
pub(super) fn so_far<F: Trainable>(
    task: &Task,
    epoch: usize,
    checkpoint: Checkpoint<F>,
    material: &Material<'_, F>,
) -> Result<Kept>
where
    AnyMlp: From<Mlp<F>>,
{
    let sweep = task.with_epochs(epoch)?;
    let config = &sweep.trials()[0].settings.train;
    let setup = Setup { workers: &material.shared.workers, kernel: material.kernel, initial: None };
    // All epochs have been trained: it measures and ends.
    let run = train_resumable(config, material.train, Some(material.test), setup, Some(checkpoint), &mut |_, _| {
        ControlFlow::Continue(())
    })?;
    keep(&sweep, &run, material)
}

fn keep<F: Trainable>(sweep: &Sweep, run: &Run<F>, material: &Material<'_, F>) -> Result<Kept>
where
    AnyMlp: From<Mlp<F>>,
{
    let mut open = sweep.open("playground", None, &())?;
    let record = open.keep(&sweep.trials()[0], run, &material.shared.workers)?;
    let folder = sweep.folder().path();
    let kept = Kept {
        folder: folder.display().to_string(),
        run: None,
        trial: record.trial.clone(),
        weights_sha256: record.weights_sha256.clone(),
        epochs: sweep.trials()[0].settings.train.epochs,
    };
    drop(open);
    let failed = |error: String| Error::new(ErrorKind::Io, error);
    let _turn = FolderLock::wait(folder, RunFolder::REPORT_LOCK).map_err(|error| failed(error.to_string()))?;
    let input = mlp_report::read_folder(folder).map_err(|error| failed(error.to_string()))?;
    mlp_report::write_report(&input, folder).map_err(|error| failed(error.to_string()))?;
    let Some(watch) = &material.shared.watch else { return Ok(kept) };
    watch.refresh();
    Ok(Kept { run: watch.folders().name(folder), ..kept })
}

/// Keeps what the doctor saw beside it. It is no part of the trial: where it cannot be written, the trial is there without.
pub(super) fn diagnosis(diagnosis: &Diagnosis, kept: &Kept) {
    let path = RunFolder::new(&kept.folder).diagnosis(&kept.trial);
    let told = Diagnosis { trial: kept.trial.clone(), ..diagnosis.clone() };
    let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    let _ = folder.and_then(|()| durable_file::write(&path, told.to_json().as_bytes()));
}
