//! Panics of whoever watches a sweep: they are the caller's, and none of a trial.

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};

use mlp_results::Status;
use mlp_sweep::{Event, RunOptions};

use crate::small::{Place, files, records, run, sweep, undisturbed};

const SEEDS: &str = "hidden = [4]\nepochs = 1\ntest_size = 50\n[sweep]\nseed = [0, 1, 2]\n";

#[test]
fn a_panic_of_the_observer_reaches_the_caller_and_the_folder_goes_on() {
    let (place, expected) = (Place::new(), undisturbed(SEEDS));
    for n_threads in [1, 3] {
        for moment in ["begun", "measured", "trained", "finished"] {
            let folder = place.folder(&format!("{moment}-{n_threads}"));
            let observer = |event: Event<'_>| {
                let now = match event {
                    Event::TrialStarted { .. } => "begun",
                    Event::Measured { .. } => "measured",
                    Event::Trained { .. } => "trained",
                    Event::Finished { .. } => "finished",
                    Event::Warning(warning) => panic!("nothing is wrong with the trial: {warning}"),
                    _ => return,
                };
                if now == moment {
                    panic_any(7_u8);
                }
            };
            let mut options = RunOptions::default();
            options.n_threads = n_threads;
            let watched = || sweep(SEEDS, &folder).run(&options, &observer);
            let payload = catch_unwind(AssertUnwindSafe(watched)).expect_err("a panic");
            assert_eq!(payload.downcast_ref::<u8>(), Some(&7), "{moment}");
            assert!(records(&folder).values().all(|record| record.status == Status::Finished), "{moment}");

            run(&sweep(SEEDS, &folder));
            assert_eq!(records(&folder), expected, "{moment}");
            assert!(files(&folder.checkpoints()).is_empty() && files(&folder.running()).is_empty(), "{moment}");
        }
    }
}
