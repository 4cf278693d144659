//! Several parts of a sweep on one folder, in one process and in several.

use std::collections::BTreeSet;
use std::process::Child;
use std::sync::Mutex;
use std::sync::mpsc::channel;

use mlp_sweep::{ErrorKind, Event, Observer as _, Shard};

use crate::halving::HALVING;
use crate::process::{SweepProcess, expect_success, wait_until, wait_until_running};
use crate::small::{EventLog, Place, SMALL, files, one_by_one, records, records_of, run, sweep, undisturbed};

const GRID: &str = "hidden = [8]\nepochs = 6\nbatch_size = 4\ntest_size = 50\nevaluate_train = 50\n\
                    [sweep]\nlearning_rate = [0.003, 0.03]\nseed = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]\n";

/// Parts that overlap.
const SHARDS: [&str; 8] = ["1/1", "1/1", "1/2", "2/2", "1/3", "2/3", "3/3", "2/4"];

#[test]
fn the_parts_of_a_sweep_are_disjoint_and_together_the_whole() {
    let whole = undisturbed(SMALL);
    for n_shards in 1..=7 {
        let place = Place::new();
        let folder = place.folder("out");
        let mut seen = BTreeSet::new();
        for number in 1..=n_shards {
            let shard = Shard::new(number, n_shards).expect("a shard");
            let outcome = sweep(SMALL, &folder).run_shard(shard, &one_by_one(), &()).expect("an outcome");
            assert!(outcome.records.len().abs_diff(6 / n_shards) <= 1, "{shard} has {}", outcome.records.len());
            for (trial, record) in records_of(&outcome) {
                assert_eq!(whole[&trial], record);
                assert!(seen.insert(trial), "{shard} has a trial of another part");
            }
        }
        assert_eq!(seen.len(), 6);
        assert_eq!(records(&folder), whole);
        assert_eq!(records_of(&run(&sweep(SMALL, &folder))), whole);
    }
}

#[test]
fn overlapping_parts_at_the_same_time_run_every_trial_once() {
    let place = Place::new();
    let folder = place.folder("out");
    let begun = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for shard in SHARDS {
            let (folder, begun) = (&folder, &begun);
            scope.spawn(move || {
                let observer = |event: Event<'_>| {
                    if let Event::TrialStarted { trial, .. } = event {
                        begun.lock().expect("nobody panics with the lock").push(trial.id.clone());
                    }
                };
                let shard = shard.parse().expect("a shard");
                sweep(GRID, folder).run_shard(shard, &one_by_one(), &observer).expect("an outcome");
            });
        }
    });
    let begun = begun.into_inner().expect("nobody panics with the lock");
    assert_eq!((begun.len(), begun.into_iter().collect::<BTreeSet<_>>().len()), (24, 24));
    assert_eq!(records(&folder), undisturbed(GRID));
    assert!(files(&folder.checkpoints()).is_empty() && files(&folder.running()).is_empty());
}

#[test]
fn who_has_nothing_left_but_what_others_run_waits_and_says_so_once() {
    let place = Place::new();
    let folder = place.folder("out");
    let text = "hidden = [4]\nepochs = 1\n";
    let whole = Shard::new(1, 1).expect("a shard");
    let (has_begun, begin) = channel();
    let (has_waited, wait) = channel();
    let wait = Mutex::new(wait);
    let log = EventLog::default();
    std::thread::scope(|scope| {
        let folder = &folder;
        // The first is held up in its only trial until the second says that it waits.
        scope.spawn(move || {
            let observer = |event: Event<'_>| {
                if let Event::TrialStarted { .. } = event {
                    has_begun.send(()).expect("somebody listens");
                    wait.lock().expect("nobody panics with the lock").recv().expect("the other waits");
                }
            };
            sweep(text, folder).run_shard(whole, &one_by_one(), &observer).expect("an outcome");
        });
        begin.recv().expect("the first begins");
        let observer = |event: Event<'_>| {
            log.notify(event);
            if let Event::Waiting { .. } = event {
                has_waited.send(()).expect("somebody listens");
            }
        };
        let outcome = sweep(text, folder).run_shard(whole, &one_by_one(), &observer).expect("an outcome");
        assert_eq!(outcome.records.len(), 1);
    });
    let own = format!("waiting: 1 trials, trial, process {} ", std::process::id());
    assert_eq!(log.n_lines_with(&own), 1, "{:#?}", log.lines());
    assert_eq!((log.n_lines_with("begun: "), log.n_lines_with("finished: ")), (0, 1));
    assert_eq!(records(&folder), undisturbed(text));
}

#[test]
fn a_sweep_that_compares_all_trials_has_no_parts() {
    let place = Place::new();
    let sweep = sweep(HALVING, &place.folder("out"));
    let error = sweep.run_shard(Shard::new(1, 2).expect("a shard"), &one_by_one(), &()).expect_err("no parts");
    assert_eq!(error.kind(), ErrorKind::Specification);
    assert!(error.to_string().contains("compares all trials with one another"), "{error}");
    assert!(!sweep.folder().path().exists());
}

#[test]
fn eight_processes_with_overlapping_parts_compute_every_trial_and_agree() {
    let place = Place::new();
    let folder = place.folder("out");
    let children = SHARDS.map(|shard| SweepProcess::new(GRID, &folder).shard(shard).start());
    children.into_iter().for_each(expect_success);
    assert_eq!(records(&folder), undisturbed(GRID));
    assert_eq!(records(&folder).len(), 24);
    assert!(files(&folder.checkpoints()).is_empty() && files(&folder.running()).is_empty());
}

#[test]
fn parts_that_are_killed_leave_their_trials_to_the_others() {
    let place = Place::new();
    let folder = place.folder("out");
    let start = |shard: &&str| SweepProcess::new(GRID, &folder).shard(shard).start();
    let mut victims: Vec<Child> = ["1/1", "1/2", "2/2"].iter().map(start).collect();
    let survivors: Vec<Child> = ["1/2", "2/2"].iter().map(start).collect();
    for (n_finished, victim) in victims.iter_mut().enumerate() {
        wait_until_running(&folder, victim);
        wait_until(victim, "finished trials", || files(&folder.trials()).len() > n_finished);
        victim.kill().expect("a kill");
        victim.wait().expect("an end");
    }
    survivors.into_iter().for_each(expect_success);
    assert_eq!(records(&folder), undisturbed(GRID));
}
