//! A sweep from beginning to end: every trial once, whatever the number of jobs, threads and calls.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use mlp_results::{RunFolder, RunRecord, Status};
use mlp_sweep::{ErrorKind, Order, RunOptions, Stopped};

use crate::small::{
    EventLog, Place, SMALL, files, one_by_one, records, records_of, run, specification, sweep, sweep_of, undisturbed,
};

/// Each record with the time at which it was written.
fn times(folder: &RunFolder) -> BTreeMap<PathBuf, SystemTime> {
    let files = files(&folder.trials()).into_iter();
    files.map(|file| (file.clone(), fs::metadata(file).and_then(|data| data.modified()).expect("a time"))).collect()
}

#[test]
fn every_cell_is_recorded_whatever_the_number_of_jobs_and_threads_and_the_order() {
    let first = undisturbed(SMALL);
    assert_eq!(first.len(), 6);
    for (n_threads, n_jobs, order) in [
        (1, None, Order::LongestFirst),
        (2, None, Order::Balanced),
        (2, Some(1), Order::Balanced),
        (3, Some(2), Order::LongestFirst),
        (6, Some(3), Order::LongestFirst),
    ] {
        let place = Place::new();
        let folder = place.folder("out");
        let mut options = RunOptions::default();
        (options.n_threads, options.n_jobs, options.order) = (n_threads, n_jobs, order);
        let outcome = sweep(SMALL, &folder).run(&options, &()).expect("an outcome");
        assert_eq!(records(&folder), first, "{n_threads} threads, {n_jobs:?} jobs, {order:?}");
        assert_eq!(records_of(&outcome), first);
        assert!(outcome.records.values().all(|record| record.status == Status::Finished));
        assert_eq!(files(&folder.models()).len(), 6);
        assert!(files(&folder.checkpoints()).is_empty() && files(&folder.running()).is_empty());
    }
}

#[test]
fn running_again_repeats_nothing_and_a_grown_list_runs_only_the_new_cells() {
    let place = Place::new();
    let folder = place.folder("out");
    run(&sweep(SMALL, &folder));
    let before = times(&folder);
    let again = EventLog::default();
    sweep(SMALL, &folder).run(&one_by_one(), &again).expect("an outcome");
    assert_eq!(again.lines(), ["started: 6 trials, 6 over", "ended"]);
    assert_eq!(times(&folder), before);

    let grown = specification(SMALL).vary("seed", 0..4).expect("a longer list");
    let log = EventLog::default();
    sweep_of(grown, &folder).run(&one_by_one(), &log).expect("an outcome");
    log.expect("grown: from 6 to 8");
    log.expect("started: 8 trials, 6 over");
    assert_eq!(log.n_lines_with("begun: "), 2);
    assert_eq!(log.n_lines_with("begun: learning_rate = 0.01, seed = 3"), 1);
    assert_eq!(log.n_lines_with("begun: learning_rate = 0.001, seed = 3"), 1);
    let after = times(&folder);
    assert_eq!(after.len(), 8);
    assert!(before.iter().all(|(file, time)| after[file] == *time));
}

#[test]
fn the_folders_own_specification_is_that_of_the_same_sweep() {
    let place = Place::new();
    let folder = place.folder("out");
    let text = format!("name = \"cosine\"\nschedule = {{ name = \"cosine\", warmup = 0.5 }}\nl2 = 1e-5\n{SMALL}");
    let outcome = run(&sweep(&text, &folder));
    let there = mlp_sweep::SweepSpec::read(folder.specification()).expect("a specification");
    assert_eq!(run(&sweep_of(there.clone(), &folder)).records, outcome.records, "nothing is run again");
    let elsewhere = place.folder("elsewhere");
    run(&sweep_of(there, &elsewhere));
    assert_eq!(records(&elsewhere), records(&folder));
}

#[test]
fn a_deadline_ends_a_sweep_and_running_again_goes_on() {
    let place = Place::new();
    let folder = place.folder("out");
    let mut options = one_by_one();
    options.deadline = Some(std::time::Instant::now());
    let outcome = sweep(SMALL, &folder).run(&options, &()).expect("an outcome");
    assert_eq!((outcome.records.len(), outcome.stopped), (0, Some(Stopped::Deadline)));
    run(&sweep(SMALL, &folder));
    assert_eq!(records(&folder), undisturbed(SMALL));
    // Where nothing is left to do, nothing was stopped.
    let outcome = sweep(SMALL, &folder).run(&options, &()).expect("an outcome");
    assert_eq!((outcome.records.len(), outcome.stopped), (6, None));
}

#[test]
fn a_diverged_run_is_a_result_that_is_kept_and_not_run_again() {
    let place = Place::new();
    let folder = place.folder("out");
    let wild = "hidden = [8]\nactivation = \"relu\"\noutput_activation = \"identity\"\nloss = \"squared\"\n\
                optimizer = \"sgd\"\nlearning_rate = 1e30\nepochs = 3\n";
    let outcome = run(&sweep(wild, &folder));
    let record: &RunRecord = outcome.records.values().next().expect("a record");
    assert_eq!(record.status, Status::Diverged);
    assert!(record.diverged.is_some() && record.weights_sha256.is_none() && files(&folder.models()).is_empty());
    assert_eq!(run(&sweep(wild, &folder)).records, outcome.records);
}

#[test]
fn finished_trials_of_another_folder_are_taken_over_and_damaged_ones_are_run() {
    let place = Place::new();
    let (folder, other) = (place.folder("out"), place.folder("other"));
    let first = specification(SMALL).with("name", "first").and_then(|spec| spec.vary("learning_rate", [0.001, 0.1]));
    run(&sweep_of(first.expect("a sweep"), &other));
    let sweep = sweep(SMALL, &folder);
    // One of the three that the two sweeps share.
    let damaged = sweep.trials().iter().find(|trial| other.record(&trial.id).is_file()).expect("a shared trial");
    fs::write(other.model(&damaged.id), "nothing").expect("damage");
    let before = crate::small::contents(other.path());

    let log = EventLog::default();
    let mut open = sweep.open("sweep", None, &log).expect("an open folder");
    open.reuse(other.path(), &log).expect("a folder of results");
    log.expect("reused: 2");
    log.expect("the trial is not taken over, and runs");
    assert_eq!((open.n_over(), open.records().len(), open.trials().len()), (2, 2, 6));
    open.run(&one_by_one(), &log).expect("an outcome");
    assert_eq!(log.n_lines_with("begun: "), 4);
    assert_eq!(crate::small::contents(other.path()), before, "the other folder is only read");
    assert_eq!(records(&folder), undisturbed(SMALL));
    assert_eq!(files(&folder.models()).len(), 6);

    let mut open = sweep.open("sweep", None, &log).expect("an open folder");
    let error = open.reuse(&place.folder("nothing").trials(), &log).expect_err("no folder of results");
    assert_eq!(error.kind(), ErrorKind::Specification);
    assert!(error.to_string().contains("expected a folder of results"), "{error}");
}
