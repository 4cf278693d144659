//! Trials drawn at random, and trials stopped early.

use std::fs;

use mlp_results::{HalvingRound, RunFolder};
use mlp_sweep::{ErrorKind, RunOptions, Standing, SweepSpec};
use serde_json::Value;

use crate::small::{EventLog, Place, files, one_by_one, records, run, specification, sweep, sweep_of};

const RANDOM: &str = "hidden = [4]\nepochs = 1\ntest_size = 50\n[sweep]\nmode = \"random\"\ntrials = TRIALS\n\
                      learning_rate = { from = 1e-4, to = 0.1, scale = \"log\" }\nbatch_size = { from = 4, to = 32 }\n\
                      activation = [\"tanh\", \"relu\", \"sigmoid\"]\nseed = [0, 1]\n";

/// Nine trials, of which three reach the third epoch and one the last.
pub(crate) const HALVING: &str = "hidden = [4]\nepochs = 6\nvalidation = 50\ntest_size = 50\n[sweep]\n\
                                  halving = { metric = \"validation.loss\", first = 1, factor = 3 }\n\
                                  learning_rate = [0.0001, 0.001, 0.01]\nseed = [0, 1, 2]\n";

fn draws(n_trials: usize) -> String {
    RANDOM.replace("TRIALS", &n_trials.to_string())
}

#[test]
fn draws_are_the_same_every_time_and_more_of_them_keep_the_earlier_ones() {
    let place = Place::new();
    let (folder, again) = (place.folder("out"), place.folder("again"));
    run(&sweep(&draws(4), &folder));
    let first = records(&folder);
    assert_eq!(first.len(), 8);
    sweep(&draws(4), &again).run(&one_by_one(), &()).expect("an outcome");
    assert_eq!(records(&again), first);

    let log = EventLog::default();
    sweep(&draws(6), &folder).run(&RunOptions::default(), &log).expect("an outcome");
    log.expect("grown: from 8 to 12");
    let grown = records(&folder);
    assert!(grown.len() == 12 && first.iter().all(|(trial, record)| grown[trial] == *record));
    let other = sweep(&draws(6).replace("[sweep]\n", "[sweep]\ndraw_seed = 1\n"), &folder);
    let error = other.run(&RunOptions::default(), &()).expect_err("other draws");
    assert_eq!(error.kind(), ErrorKind::Specification);
    assert!(error.to_string().contains("sweep.draw_seed: 0 there, 1 now"), "{error}");

    let log = EventLog::default();
    let there = SweepSpec::read(folder.specification()).expect("its specification");
    sweep_of(there, &folder).run(&RunOptions::default(), &log).expect("an outcome");
    log.expect("started: 12 trials, 12 over");
    for record in grown.values() {
        let rate = record.config["learning_rate"].as_f64().expect("a number");
        assert!((1e-4..=0.1).contains(&rate), "{rate}");
    }
}

#[test]
fn a_range_of_whole_numbers_has_ends_that_are_written_so() {
    let check = |range: &str| {
        let text = format!("[sweep]\nmode = \"random\"\ntrials = 4\nbatch_size = {range}\n");
        SweepSpec::from_toml(&text).and_then(|spec| spec.trials_settings()).map_err(|error| error.to_string())
    };
    let message = check("{ from = 8, to = 1e3, scale = \"log\" }").expect_err("draws that are not whole");
    assert!(
        message
            .starts_with("specification:4:31: batch_size.to: expected a whole number, found 1000.0; write to = 1000\n"),
        "{message}"
    );
    let message = check("{ from = 8.0, to = 16 }").expect_err("draws that are not whole");
    assert!(message.contains("4:23: batch_size.from: expected a whole number, found 8.0; write from = 8"), "{message}");
    assert!(check("{ from = 8, to = 16.5 }").is_err());
    assert_eq!(check("{ from = 8, to = 1000, scale = \"log\" }").expect("whole draws").len(), 4);

    let other = "[sweep]\nmode = \"random\"\ntrials = 4\ntrain_size = { from = 50, to = 1e2 }\n";
    assert!(SweepSpec::from_toml(other).is_err(), "a key of the program is no different");
}

fn rounds(folder: &RunFolder) -> Vec<HalvingRound> {
    folder.halving_rounds(|_| false).expect("a ranking")
}

#[test]
fn halving_stops_the_worse_trials_and_leaves_no_record_of_them() {
    let place = Place::new();
    let (folder, whole) = (place.folder("out"), place.folder("whole"));
    let log = EventLog::default();
    let halving = sweep(HALVING, &folder);
    let outcome = halving.run(&RunOptions::default(), &log).expect("an outcome");
    assert_eq!((outcome.records.len(), outcome.stopped_trials.len(), outcome.stopped), (1, 8, None));
    assert_eq!(log.n_lines_with("warning"), 0);
    assert_eq!(log.n_lines_with("started: "), 3, "once a round");
    let kept = records(&folder);
    assert_eq!(kept.len(), 1);
    let counts: Vec<_> = rounds(&folder).iter().map(|round| (round.epoch, round.n_trials, round.n_kept)).collect();
    assert_eq!(counts, [(1, 9, 3), (3, 3, 1)]);
    let ranking: Value = serde_json::from_slice(&fs::read(folder.halving()).expect("a ranking")).expect("JSON");
    assert_eq!(ranking[0]["n_trials"], 9);
    assert!(files(&folder.checkpoints()).is_empty());

    // Without halving the best trial is the same one, with the same weights.
    run(&sweep(&HALVING.replace("halving = {", "halving = false #"), &whole));
    let whole = records(&whole);
    assert!(whole.len() == 9 && kept.iter().all(|(trial, record)| whole[trial] == *record));

    assert_eq!(run(&halving).records, outcome.records);
    assert_eq!(records(&folder), kept);
    let standing = Standing::read(&folder).expect("a folder of a sweep");
    assert_eq!((standing.records.len(), standing.n_stopped, standing.running.len(), standing.n_left()), (1, 8, 0, 0));
}

#[test]
fn halving_by_another_metric_or_pace_is_another_sweep() {
    let place = Place::new();
    let folder = place.folder("out");
    run(&sweep(HALVING, &folder));
    // The trials are the same, so the folder takes it; the ranking is that of the last call.
    run(&sweep(&HALVING.replace("factor = 3", "factor = 2"), &folder));
    let counts: Vec<_> = rounds(&folder).iter().map(|round| (round.epoch, round.n_trials, round.n_kept)).collect();
    assert_eq!(counts[0], (1, 9, 4));
    assert_eq!(specification(HALVING).halving().expect("halving").rungs(6), [1, 3]);
}
