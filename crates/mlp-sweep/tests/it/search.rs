//! Trials drawn at random.

use mlp_sweep::{ErrorKind, RunOptions, SweepSpec};

use crate::small::{EventLog, Place, one_by_one, records, run, sweep, sweep_of};

const RANDOM: &str = "hidden = [4]\nepochs = 1\ntest_size = 50\n[sweep]\nmode = \"random\"\ntrials = TRIALS\n\
                      learning_rate = { from = 1e-4, to = 0.1, scale = \"log\" }\nbatch_size = { from = 4, to = 32 }\n\
                      activation = [\"tanh\", \"relu\", \"sigmoid\"]\nseed = [0, 1]\n";

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
