//! In which order a watcher is told what.

use std::sync::Mutex;

use mlp_sweep::{Event, Observer as _, RunOptions};

use crate::small::{EventLog, Place, SMALL, one_by_one, run, sweep};

#[test]
fn a_trial_begins_is_measured_after_each_epoch_and_finishes_within_the_sweep() {
    for n_threads in [1, 2, 4] {
        let (place, log) = (Place::new(), EventLog::default());
        let mut options = RunOptions::default();
        options.n_threads = n_threads;
        let sweep = sweep(SMALL, &place.folder("out"));
        sweep.run(&options, &log).expect("an outcome");
        let lines = log.lines();
        assert_eq!(lines.first().map(String::as_str), Some("started: 6 trials, 0 over"));
        assert_eq!(lines.last().map(String::as_str), Some("ended"));
        assert_eq!(lines.len(), 2 + 6 * 4);
        for trial in sweep.trials() {
            let label = trial.label();
            let own: Vec<&String> = lines.iter().filter(|line| line.contains(&format!(": {label}"))).collect();
            let expected =
                ["begun: LABEL", "measured: LABEL: epoch 0", "measured: LABEL: epoch 1", "finished: LABEL: Finished"];
            assert_eq!(own, expected.map(|line| line.replace("LABEL", &label)).each_ref());
        }
    }
}

#[test]
fn work_and_samples_add_up_to_what_was_announced() {
    let place = Place::new();
    let sweep = sweep("hidden = [8]\nepochs = 3\nvalidation = 40\n[sweep]\nseed = [0, 1]\n", &place.folder("out"));
    let counts = Mutex::new((0, 0, Vec::new(), Vec::new()));
    let observer = |event: Event<'_>| {
        let mut counts = counts.lock().expect("nobody panics with the lock");
        match event {
            Event::Started { work, .. } => counts.0 += work,
            Event::TrialStarted { work, n_samples, .. } => {
                counts.1 += work;
                counts.2.push(n_samples);
            }
            Event::Trained { n_samples, .. } => counts.3.push(n_samples),
            _ => {}
        }
    };
    sweep.run(&one_by_one(), &observer).expect("an outcome");
    let (announced, begun, n_samples, trained) = counts.into_inner().expect("nobody panics with the lock");
    assert_eq!(announced, begun);
    assert_eq!(n_samples, [3 * 160; 2], "the validation samples are not trained on");
    let halves: Vec<&[u64]> = trained.split_inclusive(|n_samples| *n_samples == 480).collect();
    assert_eq!(halves.len(), 2, "{trained:?}");
    assert!(halves.iter().all(|half| half.is_sorted()), "{trained:?}");
}

#[test]
fn whoever_looks_away_and_whoever_watches_get_the_same() {
    let (first, second) = (Place::new(), Place::new());
    let unseen = run(&sweep(SMALL, &first.folder("out")));
    let log = EventLog::default();
    let seen = sweep(SMALL, &second.folder("out")).run(&RunOptions::default(), &|event: Event<'_>| log.notify(event));
    let trials = |records: &std::collections::BTreeMap<String, mlp_results::RunRecord>| -> Vec<String> {
        records.values().map(|record| format!("{} {:?}", record.trial, record.weights_sha256)).collect()
    };
    assert_eq!(trials(&seen.expect("an outcome").records), trials(&unseen.records));
}
