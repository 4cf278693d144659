//! Configurations that are stopped early.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use mlp_results::{HalvingRound, Overview, RunFolder, RunRecord, Status};
use mlp_sweep::{Event, Order, RunOptions, Standing};
use mlp_train::Divergence;
use serde_json::{Value, json};

use crate::small::{EventLog, Place, files, one_by_one, records, run, specification, sweep};

/// Four configurations of two seeds, of which two reach the second epoch and one the last.
pub(crate) const HALVING: &str = "hidden = [4]\nepochs = 6\nvalidation = 50\ntest_size = 50\n[sweep]\n\
                                  halving = { metric = \"validation.loss\", first = 1, factor = 2 }\n\
                                  learning_rate = [0.0001, 0.001, 0.01, 0.1]\nseed = [0, 1]\n";

/// Twelve configurations of three seeds, of which four reach the third epoch and one the last.
const TWELVE: &str = "hidden = [4]\nepochs = 4\nvalidation = 50\ntest_size = 50\n[sweep]\nhalving = true\n\
                      learning_rate = [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1]\nbatch_size = [8, 32]\n\
                      seed = [0, 1, 2]\n";

fn rounds(folder: &RunFolder) -> Vec<HalvingRound> {
    folder.halving_rounds(|_| false).expect("a ranking")
}

/// For each round the epoch, the configurations compared and kept, and the trials compared and kept.
fn counts(folder: &RunFolder) -> Vec<(usize, usize, usize, usize, usize)> {
    let count = |round: &HalvingRound| {
        let (n_configurations, n_kept) = (round.configurations.len(), round.n_configurations_kept());
        (round.epoch, n_configurations, n_kept, round.n_trials, round.n_kept)
    };
    rounds(folder).iter().map(count).collect()
}

#[test]
fn halving_stops_the_worse_configurations_and_leaves_no_record_of_them() {
    let place = Place::new();
    let (folder, whole) = (place.folder("out"), place.folder("whole"));
    let log = EventLog::default();
    let halving = sweep(HALVING, &folder);
    let outcome = halving.run(&RunOptions::default(), &log).expect("an outcome");
    assert_eq!((outcome.records.len(), outcome.stopped_trials.len(), outcome.stopped), (2, 6, None));
    assert_eq!(log.n_lines_with("warning"), 0);
    assert_eq!(log.n_lines_with("started: "), 3, "once a round");
    let kept = records(&folder);
    assert_eq!(kept.len(), 2);
    assert_eq!(counts(&folder), [(1, 4, 2, 8, 4), (2, 2, 1, 4, 2)]);
    let ranking: Value = serde_json::from_slice(&fs::read(folder.halving()).expect("a ranking")).expect("JSON");
    assert_eq!(ranking[0]["configurations"][0]["trials"].as_array().map(Vec::len), Some(2));
    assert!(files(&folder.checkpoints()).is_empty());

    // Without halving the best configuration is the same one, with the same weights.
    run(&sweep(&HALVING.replace("halving = {", "halving = false #"), &whole));
    let whole = records(&whole);
    assert!(whole.len() == 8 && kept.iter().all(|(trial, record)| whole[trial] == *record));

    assert_eq!(run(&halving).records, outcome.records);
    assert_eq!(records(&folder), kept);
    let standing = Standing::read(&folder).expect("a folder of a sweep");
    assert_eq!((standing.records.len(), standing.n_stopped, standing.running.len(), standing.n_left()), (2, 6, 0, 0));
}

#[test]
fn seeds_stay_together_so_that_the_winner_has_an_interval() {
    let place = Place::new();
    let folder = place.folder("out");
    run(&sweep(TWELVE, &folder));
    assert_eq!(counts(&folder), [(1, 12, 4, 36, 12), (3, 4, 1, 12, 3)]);
    assert_eq!(rounds(&folder)[0].n_seeds(), Some(3));
    for round in rounds(&folder) {
        let means: Vec<f64> = round.configurations.iter().map(|ranked| ranked.mean.expect("a mean")).collect();
        assert!(means.is_sorted(), "{means:?}");
        for ranked in &round.configurations {
            let values: Vec<f64> = ranked.trials.iter().map(|trial| trial.value.expect("a value")).collect();
            assert_eq!((values.len(), ranked.mean), (3, Some(values.iter().sum::<f64>() / 3.0)));
        }
    }
    let results = folder.read().expect("a folder of results");
    let overview = Overview::new(&results.trials);
    assert_eq!(overview.cells.len(), 12);
    let winner = &overview.cells[0];
    assert_eq!((winner.trials.len(), winner.scores.len(), winner.n_stopped), (3, 3, 0));
    assert!(overview.best.is_some_and(|best| winner.holds(Some(best))));
    assert_eq!(overview.cells[1..].iter().map(|cell| (cell.scores.len(), cell.n_stopped)).max(), Some((0, 3)));
    assert!(mlp_results::interval::interval(&winner.scores).is_some());
}

#[test]
fn what_a_stopped_trial_had_reached_is_read_with_the_results() {
    let place = Place::new();
    let (folder, whole) = (place.folder("out"), place.folder("whole"));
    run(&sweep(TWELVE, &folder));
    run(&sweep(&TWELVE.replace("halving = true", "halving = false"), &whole));
    let (results, whole) = (folder.read().expect("results"), records(&whole));
    assert_eq!((results.trials.len(), results.warnings.len()), (36, 0));
    let stopped: Vec<_> = results.trials.iter().filter(|trial| trial.was_stopped()).collect();
    assert_eq!(stopped.len(), 33);
    for trial in stopped {
        let (record, undisturbed) = (&trial.record, &whole[&trial.record.trial]);
        let n_epochs = record.epochs.len();
        assert!(trial.ending() == "stopped" && trial.model.is_none() && [2, 4].contains(&n_epochs));
        assert_eq!((&record.config, &record.data), (&undisturbed.config, &undisturbed.data));
        assert_eq!(record.epochs, undisturbed.epochs[..n_epochs]);
        assert_eq!((record.parameters, &record.layers), (undisturbed.parameters, &undisturbed.layers));
        assert_eq!(
            (record.runtime.seconds_train.len(), record.runtime.seconds_evaluate.len()),
            (n_epochs - 1, n_epochs)
        );
    }
    assert!(results.trials.is_sorted_by_key(|trial| trial.record.trial.clone()));
}

/// Another order of lists, other threads, and a stop in the middle of each round.
#[test]
fn who_goes_on_depends_on_what_the_trials_compute_and_on_nothing_else() {
    let place = Place::new();
    let (folder, other) = (place.folder("out"), place.folder("other"));
    run(&sweep(TWELVE, &folder));
    let turned = TWELVE
        .replace("[0.0003, 0.001, 0.003, 0.01, 0.03, 0.1]", "[0.1, 0.03, 0.01, 0.003, 0.001, 0.0003]")
        .replace("[0, 1, 2]", "[2, 0, 1]")
        .replace("[8, 32]", "[32, 8]");
    let mut n_stops = 0;
    loop {
        let (stop, n_measured) = (AtomicBool::new(false), AtomicUsize::new(0));
        let mut options = one_by_one();
        options.order = Order::Balanced;
        options.stop = Some(&stop);
        let observer = |event: Event<'_>| {
            if matches!(event, Event::Measured { .. }) && n_measured.fetch_add(1, Ordering::Relaxed) == 15 {
                stop.store(true, Ordering::Relaxed);
            }
        };
        let outcome = sweep(&turned, &other).run(&options, &observer).expect("an outcome");
        if outcome.stopped.is_none() {
            break;
        }
        n_stops += 1;
    }
    assert!(n_stops > 4, "{n_stops}");
    assert_eq!(rounds(&other), rounds(&folder));
    assert_eq!(records(&other), records(&folder));
    run(&sweep(TWELVE, &other));
    assert_eq!(rounds(&other), rounds(&folder));
}

/// Rewrites the record of a trial as that of one that diverged in epoch `epoch`.
fn diverge(folder: &RunFolder, trial: &str, epoch: usize) {
    let mut record = RunRecord::read(folder.record(trial)).expect("a record");
    record.epochs.truncate(epoch);
    record.best_epoch = record.best_epoch.min(epoch - 1);
    (record.status, record.weights_sha256, record.confusion) = (Status::Diverged, None, None);
    record.diverged = Some(Divergence { epoch, batch: 1, layer: 0 });
    record.write(folder.record(trial)).expect("a record");
}

#[test]
fn a_configuration_that_lost_a_seed_stands_behind_those_that_are_whole_and_none_without_a_value_goes_on() {
    let place = Place::new();
    let folder = place.folder("out");
    let whole = HALVING.replace("halving = {", "halving = false #");
    run(&sweep(&whole, &folder));
    // Nothing is halved yet: all trials have their records, and the ranking is that of the first epoch.
    run(&sweep(HALVING, &folder));
    let before = rounds(&folder);
    let ids = |place: usize| -> Vec<String> {
        before[0].configurations[place].trials.iter().map(|trial| trial.trial.clone()).collect()
    };
    let (best, second, third) = (ids(0), ids(1), ids(2));
    // After the comparison it makes no difference.
    diverge(&folder, &best[0], 3);
    run(&sweep(HALVING, &folder));
    assert_eq!(rounds(&folder)[0], before[0]);
    // Before it, the best one falls behind those that are whole; of two that lost a seed, it is still the first.
    diverge(&folder, &best[0], 1);
    diverge(&folder, &second[1], 1);
    run(&sweep(HALVING, &folder));
    let ranked = rounds(&folder).remove(0).configurations;
    let first = |place: usize| ranked[place].trials[0].trial.clone();
    assert_eq!((first(0), first(2), first(3)), (third[0].clone(), best[0].clone(), second[0].clone()));
    assert_eq!((ranked[2].n_lost(), ranked[2].mean), (1, ranked[2].trials[1].value));
    // With three lost to the last, nothing but the whole one goes on.
    diverge(&folder, &best[1], 1);
    diverge(&folder, &second[0], 1);
    for trial in ids(3) {
        diverge(&folder, &trial, 1);
    }
    run(&sweep(HALVING, &folder));
    let round = rounds(&folder).remove(0);
    assert_eq!((round.n_configurations_kept(), round.n_kept, round.n_trials), (1, 2, 8));
    assert_eq!(round.configurations[0].trials[0].trial, third[0]);
    assert!(round.configurations[1].mean.is_none() && !round.configurations[1].is_kept);
}

#[test]
fn halving_by_another_metric_or_pace_ranks_the_same_trials_anew() {
    let place = Place::new();
    let folder = place.folder("out");
    run(&sweep(HALVING, &folder));
    // The trials are the same, so the folder takes it; the ranking is that of the last call.
    run(&sweep(&HALVING.replace("factor = 2", "factor = 4"), &folder));
    assert_eq!(counts(&folder), [(1, 4, 1, 8, 2)]);
    assert_eq!(specification(HALVING).halving().expect("halving").rungs(6), [1, 2, 4]);
    // With one configuration there is nothing to compare, which is said, and no ranking of before is left.
    let log = EventLog::default();
    let seeds = HALVING.replace("[0.0001, 0.001, 0.01, 0.1]", "[0.001]");
    let one = place.folder("one");
    fs::create_dir_all(one.path()).expect("a folder");
    fs::copy(folder.halving(), one.halving()).expect("a ranking");
    sweep(&seeds, &one).run(&RunOptions::default(), &log).expect("an outcome");
    log.expect("halving compares configurations, and there is one");
    assert_eq!((records(&one).len(), rounds(&one).len()), (2, 0));
}

#[test]
fn a_folder_that_compared_trials_one_by_one_is_read_and_gone_on_with() {
    let place = Place::new();
    let folder = place.folder("out");
    run(&sweep(HALVING, &folder));
    let expected = (rounds(&folder), records(&folder));
    // As an earlier version left it: rungs with what was reached alone, and one seed of the winner.
    for file in files(&folder.rungs()) {
        let rung: Value = serde_json::from_slice(&fs::read(&file).expect("a rung")).expect("JSON");
        let old = json!({ "trial": rung["trial"], "kernel": rung["kernel"], "reached": rung["reached"] });
        fs::write(&file, old.to_string()).expect("a rung");
    }
    let mut old: Value = serde_json::from_slice(&fs::read(folder.halving()).expect("a ranking")).expect("JSON");
    for round in old.as_array_mut().expect("rounds") {
        round.as_object_mut().expect("a round").remove("configurations");
    }
    fs::write(folder.halving(), old.to_string()).expect("a ranking");
    fs::remove_file(files(&folder.trials()).remove(0)).expect("a deletion");
    let results = folder.read().expect("results");
    assert_eq!((results.trials.len(), results.halving[0].stopped.len(), results.warnings.len()), (1, 4, 0));
    assert_eq!((results.halving[0].n_seeds(), results.halving[0].n_trials), (None, 8));
    run(&sweep(HALVING, &folder));
    assert_eq!((rounds(&folder), records(&folder)), expected);
}

#[test]
fn that_halving_compares_losses_of_different_kinds_is_an_event() {
    let place = Place::new();
    let halved = |metric: &str, lists: &str, out: &str| {
        let toml = format!(
            "hidden = [4]\nepochs = 2\nvalidation = 50\ntest_size = 50\n[sweep]\nhalving = {{ metric = \"{metric}\" }}\n{lists}\n"
        );
        let log = EventLog::default();
        sweep(&toml, &place.folder(out)).run(&RunOptions::default(), &log).expect("an outcome");
        (log.n_lines_with("warning"), log.n_lines_with("of different kinds, whose values say nothing"))
    };
    assert_eq!(halved("validation.loss", "loss = [\"squared\", \"half-squared\"]", "losses"), (1, 1));
    assert_eq!(halved("validation.mae", "encoding = [\"ascii\", \"one-hot\"]", "codes"), (1, 1));
    assert_eq!(halved("validation.accuracy", "loss = [\"squared\", \"half-squared\"]", "accuracy"), (0, 0));
    assert_eq!(halved("validation.mae", "loss = [\"squared\", \"half-squared\"]", "mae"), (0, 0));
}
