//! Trials that panic. What watches a trial runs in its thread, so a panic there is one of the trial.

use std::sync::atomic::{AtomicUsize, Ordering};

use mlp_results::{RunRecord, Status};
use mlp_sweep::Event;

use crate::small::{EventLog, Place, files, one_by_one, records, sweep, undisturbed};
use mlp_sweep::Observer as _;

const SEEDS: &str = "hidden = [4]\nepochs = 1\ntest_size = 50\n[sweep]\nseed = [0, 1, 2]\n";

/// Runs three trials, of which the first `n_panics` attempts panic.
fn run_with_panics(place: &Place, n_panics: usize) -> (Vec<RunRecord>, EventLog) {
    let (n_seen, log) = (AtomicUsize::new(0), EventLog::default());
    let observer = |event: Event<'_>| {
        log.notify(event);
        if let Event::Measured { epoch, .. } = event {
            assert!(epoch.epoch > 0 || n_seen.fetch_add(1, Ordering::Relaxed) >= n_panics, "out of cheese");
        }
    };
    let folder = place.folder("out");
    let outcome = sweep(SEEDS, &folder).run(&one_by_one(), &observer).expect("an outcome");
    for record in outcome.records.values() {
        assert_eq!(&RunRecord::read(folder.record(&record.trial)).expect("its record"), record);
    }
    (outcome.records.into_values().collect(), log)
}

#[test]
fn a_trial_that_panics_twice_is_recorded_and_its_siblings_go_on() {
    let place = Place::new();
    let (records_there, log) = run_with_panics(&place, 2);
    let n_finished = records_there.iter().filter(|record| record.status == Status::Finished).count();
    assert_eq!((records_there.len(), n_finished), (3, 2));
    let failed = records_there.iter().find(|record| record.status == Status::Failed).expect("the first one");
    assert!(
        failed.error.as_deref().is_some_and(|error| error.starts_with("panic, twice: out of cheese")),
        "{failed:?}"
    );
    log.expect("panicked: out of cheese\n  it is tried once more, from the beginning");
    log.expect("finished: seed = 0: Failed");
    let folder = place.folder("out");
    assert_eq!((files(&folder.models()).len(), files(&folder.checkpoints()).len()), (2, 0));

    // A failure is no result: it is tried again, and the others are not.
    let again = EventLog::default();
    sweep(SEEDS, &folder).run(&one_by_one(), &again).expect("an outcome");
    again.expect("started: 3 trials, 2 over");
    assert_eq!(records(&folder), undisturbed(SEEDS));
}

#[test]
fn a_trial_that_panics_once_is_run_again_and_finishes() {
    let place = Place::new();
    let (records_there, log) = run_with_panics(&place, 1);
    assert!(records_there.len() == 3 && records_there.iter().all(|record| record.status == Status::Finished));
    assert_eq!(log.n_lines_with("warning: "), 1);
    assert_eq!(records(&place.folder("out")), undisturbed(SEEDS));
}
