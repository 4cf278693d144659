//! Trials that are stopped on the way, and what they come to when they go on.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use mlp_results::RunFolder;
use mlp_sweep::{CheckpointInterval, Event, Observer as _, RunOptions, Stopped, SweepOutcome};
use mlp_train::Diagnosis;

use crate::small::{EventLog, Place, files, one_by_one, records, run, sweep, undisturbed};

/// One trial of four epochs.
const SHORT: &str = "hidden = [8]\nepochs = 4\n";
/// One with batch normalisation.
const NORMALIZED: &str =
    "hidden = [8, 6]\nepochs = 4\nbatch_norm = true\naverage = \"ema\"\ndropout = 0.2\nclip_norm = 0.5\n";
/// One in which every step is of a single sample.
const SINGLE: &str = "hidden = [8]\nepochs = 3\nbatch_size = 1\ntest_size = 50\nevaluate_train = 50\n";

/// One trial at a time, with a checkpoint after each epoch.
fn careful<'a>() -> RunOptions<'a> {
    let mut options = one_by_one();
    options.checkpoints = CheckpointInterval { epochs: Some(1), time: None };
    options
}

/// Runs a sweep until `is_enough` of an event, which raises the flag.
fn run_until(
    text: &str,
    folder: &RunFolder,
    options: &RunOptions<'_>,
    is_enough: impl Fn(&Event<'_>) -> bool + Sync,
) -> SweepOutcome {
    let stop = AtomicBool::new(false);
    let mut options = options.clone();
    options.stop = Some(&stop);
    let observer = |event: Event<'_>| {
        if is_enough(&event) {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let outcome = sweep(text, folder).run(&options, &observer).expect("an outcome");
    assert_eq!(outcome.stopped, Some(Stopped::Flag));
    outcome
}

/// Runs the trial of `text` until this epoch is measured: there are its checkpoint and the one before, if there is one.
fn run_until_epoch(text: &str, folder: &RunFolder, last: usize) {
    let outcome = run_until(text, folder, &careful(), |event| match event {
        Event::Measured { epoch, .. } => epoch.epoch == last,
        _ => false,
    });
    assert!(outcome.records.is_empty());
    assert_eq!(files(&folder.checkpoints()).len(), last.min(2));
    assert!(files(&folder.trials()).is_empty() && files(&folder.models()).is_empty());
    // Nobody is at the trial, and what it had measured is there for whoever looks.
    assert!(mlp_sweep::running(folder).is_empty());
    let trial = mlp_results::trial_of_checkpoint(&files(&folder.checkpoints())[0]).expect("a checkpoint");
    let left = mlp_sweep::left_behind(folder, &trial).expect("what it measured");
    assert_eq!(left.epochs.iter().map(|epoch| epoch.epoch).collect::<Vec<_>>(), (0..=last).collect::<Vec<_>>());
}

/// The checkpoint of this letter. The first, third and so on are written to `a`.
fn checkpoint(folder: &RunFolder, letter: char) -> PathBuf {
    let ending = format!(".{letter}.safetensors");
    let mut found = files(&folder.checkpoints());
    found.retain(|file| file.to_string_lossy().ends_with(&ending));
    assert_eq!(found.len(), 1);
    found.remove(0)
}

#[test]
fn a_run_that_is_stopped_anywhere_and_taken_up_again_ends_like_an_undisturbed_one() {
    for text in [SHORT, NORMALIZED, SINGLE] {
        let (place, expected) = (Place::new(), undisturbed(text));
        let folder = place.folder("out");
        let mut n_before = 0;
        let mut n_stops = 0;
        // Each call trains a little further than the last: to the middle of an epoch, mostly.
        for n_more in [1, 30, 100, 110, 64, 16] {
            let n_enough = n_before + n_more;
            let reached = AtomicUsize::new(0);
            run_until(text, &folder, &one_by_one(), |event| match event {
                Event::Trained { n_samples, .. } => {
                    reached.store(*n_samples as usize, Ordering::Relaxed);
                    *n_samples as usize >= n_enough
                }
                _ => false,
            });
            let reached = reached.into_inner();
            assert!(reached >= n_enough && reached > n_before, "it went on from {n_before}, to {reached}");
            assert!(files(&folder.trials()).is_empty() && mlp_sweep::running(&folder).is_empty());
            assert!(!files(&folder.checkpoints()).is_empty());
            n_before = reached;
            n_stops += 1;
        }
        assert_eq!(n_stops, 6);
        let log = EventLog::default();
        sweep(text, &folder).run(&one_by_one(), &log).expect("an outcome");
        assert_eq!(log.n_lines_with(": epoch 0"), 0, "it does not begin anew");
        assert_eq!(records(&folder), expected);
        assert!(files(&folder.checkpoints()).is_empty());
    }
}

#[test]
fn what_is_finished_when_a_sweep_is_stopped_is_kept_and_the_rest_is_run_later() {
    let text = "hidden = [4]\nepochs = 3\n[sweep]\nseed = [0, 1, 2, 3]\n";
    let place = Place::new();
    let folder = place.folder("out");
    let n_finished = AtomicUsize::new(0);
    let outcome = run_until(text, &folder, &one_by_one(), |event| {
        matches!(event, Event::Finished { .. }) && n_finished.fetch_add(1, Ordering::Relaxed) == 1
    });
    assert_eq!((outcome.records.len(), records(&folder).len()), (2, 2));
    let log = EventLog::default();
    sweep(text, &folder).run(&one_by_one(), &log).expect("an outcome");
    log.expect("started: 4 trials, 2 over");
    assert_eq!(log.n_lines_with("begun: "), 2);
    assert_eq!(records(&folder), undisturbed(text));
}

#[test]
fn a_trial_that_is_stopped_is_told_as_paused() {
    let place = Place::new();
    let (log, stop) = (EventLog::default(), AtomicBool::new(false));
    let mut options = careful();
    options.stop = Some(&stop);
    let observer = |event: Event<'_>| {
        log.notify(event);
        if let Event::Measured { epoch, .. } = event {
            stop.store(epoch.epoch == 1, Ordering::Relaxed);
        }
    };
    sweep("epochs = 4\n[sweep]\nhidden = [[4]]\n", &place.folder("out")).run(&options, &observer).expect("an outcome");
    // A list of one value distinguishes it from nothing.
    let expected =
        ["started: 1 trials, 0 over", "begun: ", "measured: : epoch 0", "measured: : epoch 1", "paused: ", "ended"];
    assert_eq!(log.lines(), expected);
}

#[test]
fn a_damaged_checkpoint_is_said_and_the_one_before_is_used() {
    let (place, expected) = (Place::new(), undisturbed(SHORT));
    run_until_epoch(SHORT, &place.folder("whole"), 3);
    let whole = fs::read(checkpoint(&place.folder("whole"), 'a')).expect("a checkpoint");
    let middle = whole.len() / 2;
    let mut flipped = whole.clone();
    flipped[middle] ^= 1;
    for (number, damaged) in [&whole[..middle], &[], &flipped, b"<html>"].into_iter().enumerate() {
        let folder = place.folder(&format!("damaged-{number}"));
        run_until_epoch(SHORT, &folder, 3);
        fs::write(checkpoint(&folder, 'a'), damaged).expect("damage");
        let log = EventLog::default();
        sweep(SHORT, &folder).run(&careful(), &log).expect("an outcome");
        log.expect(".a.safetensors");
        log.expect("\n  the other checkpoint is used, of epoch 3, batch 0");
        assert_eq!((log.n_lines_with("warning: "), log.n_lines_with("measured: ")), (1, 2), "{:#?}", log.lines());
        assert_eq!(records(&folder), expected);
    }
    let folder = place.folder("both");
    run_until_epoch(SHORT, &folder, 3);
    for file in files(&folder.checkpoints()) {
        fs::write(file, "nothing").expect("damage");
    }
    let log = EventLog::default();
    sweep(SHORT, &folder).run(&careful(), &log).expect("an outcome");
    log.expect("there is no other checkpoint, and the trial begins anew");
    assert_eq!((log.n_lines_with("warning: "), log.n_lines_with("measured: ")), (2, 5));
    assert_eq!(records(&folder), expected);
}

#[test]
fn a_checkpoint_of_another_run_is_said_and_not_used() {
    let place = Place::new();
    let (other, folder) = (place.folder("other"), place.folder("out"));
    run_until_epoch(SHORT, &other, 3);
    let text = format!("seed = 1\n{SHORT}");
    run_until_epoch(&text, &folder, 3);
    fs::copy(checkpoint(&other, 'a'), checkpoint(&folder, 'a')).expect("a copy");
    let log = EventLog::default();
    sweep(&text, &folder).run(&careful(), &log).expect("an outcome");
    log.expect("key owner.trial");
    log.expect("the other checkpoint is used");
    assert_eq!(records(&folder), undisturbed(&text));
}

#[test]
fn the_checkpoints_of_finished_trials_are_removed_when_a_folder_is_opened() {
    let (place, expected) = (Place::new(), undisturbed(SHORT));
    let folder = place.folder("out");
    run_until_epoch(SHORT, &folder, 3);
    let (path, left) = (checkpoint(&folder, 'a'), fs::read(checkpoint(&folder, 'a')).expect("a checkpoint"));
    run(&sweep(SHORT, &folder));
    // As a process leaves it that is killed after it has written the record.
    fs::write(&path, left).expect("a checkpoint");
    run(&sweep(SHORT, &folder));
    assert!(files(&folder.checkpoints()).is_empty());
    assert_eq!(records(&folder), expected);
}

fn diagnosis(folder: &RunFolder) -> Diagnosis {
    let results = folder.read().expect("a folder of results");
    results.diagnoses.into_iter().next().expect("a diagnosis")
}

#[test]
fn the_diagnosis_of_a_run_that_was_stopped_has_no_gap_and_one_that_was_not_watched_names_it() {
    let place = Place::new();
    let mut watched = careful();
    watched.diagnose = true;
    let all = place.folder("all");
    sweep(SHORT, &all).run(&watched, &()).expect("an outcome");
    assert_eq!((diagnosis(&all).epochs.len(), diagnosis(&all).missing()), (5, Vec::new()));
    assert_eq!(records(&all), undisturbed(SHORT), "being watched changes nothing");

    let stopped = place.folder("stopped");
    run_until(SHORT, &stopped, &watched, |event| matches!(event, Event::Measured { epoch, .. } if epoch.epoch == 2));
    sweep(SHORT, &stopped).run(&watched, &()).expect("an outcome");
    assert_eq!(diagnosis(&stopped), diagnosis(&all));

    let late = place.folder("late");
    run_until_epoch(SHORT, &late, 3);
    sweep(SHORT, &late).run(&watched, &()).expect("an outcome");
    assert_eq!(diagnosis(&late).missing(), [(0, 3)]);
}

#[test]
fn a_damaged_diagnosis_is_said_and_begins_anew() {
    let place = Place::new();
    let folder = place.folder("out");
    let mut watched = careful();
    watched.diagnose = true;
    run_until(SHORT, &folder, &watched, |event| matches!(event, Event::Measured { epoch, .. } if epoch.epoch == 2));
    fs::write(files(&folder.diagnoses()).remove(0), "nothing").expect("damage");
    let log = EventLog::default();
    sweep(SHORT, &folder).run(&watched, &log).expect("an outcome");
    log.expect("\n  the diagnosis begins anew");
    assert_eq!(diagnosis(&folder).missing(), [(0, 2)]);
}
