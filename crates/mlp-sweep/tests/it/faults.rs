//! A process is killed, or the disk fails, at each of its writes: nothing finished is lost, nothing half-written bears a
//! final name, and running again gives what an undisturbed run gives.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use mlp_results::{RunFolder, RunRecord};

use crate::halving::HALVING;
use crate::process::{Ended, SweepProcess, wait_until, wait_until_running};
use crate::small::{Place, files, records, run, sweep, undisturbed};

/// Two trials, one after the other, with two checkpoints each.
const GRID: &str = "hidden = [4]\nepochs = 3\ntest_size = 50\nevaluate_train = 50\n[sweep]\nseed = [0, 1]\n";
/// The specification; for each trial two checkpoints, the model, the record, and two removals.
const N_STEPS: usize = 6 + 2 * (4 * 6 + 2);

/// Files that a process left when it was killed.
fn left_over(folder: &RunFolder) -> Vec<PathBuf> {
    let folders =
        [folder.path().to_path_buf(), folder.trials(), folder.models(), folder.checkpoints(), folder.running()];
    let files = folders.iter().flat_map(|folder| files(folder));
    files.filter(|file| file.to_string_lossy().ends_with(".tmp")).collect()
}

/// Checks that everything that bears a final name is whole, and returns the records.
fn whole_records(folder: &RunFolder) -> BTreeMap<String, RunRecord> {
    for file in files(&folder.models()) {
        if file.extension().is_some_and(|ending| ending == "safetensors") {
            mlp_train::load_model(&file).unwrap_or_else(|error| panic!("{error}"));
        }
    }
    let records = records(folder);
    assert!(records.keys().all(|trial| folder.model(trial).is_file()), "a record stands for its model, too");
    records
}

/// Goes on in this process with what another has left, and compares what comes of it.
#[track_caller]
fn goes_on(specification: &str, folder: &RunFolder, expected: &BTreeMap<String, RunRecord>, what: &str) {
    let before = whole_records(folder);
    run(&sweep(specification, folder));
    let after = records(folder);
    assert_eq!(after, *expected, "{what}");
    assert!(before.iter().all(|(trial, record)| after[trial] == *record), "{what}");
    assert_eq!(left_over(folder), Vec::<PathBuf>::new(), "{what}");
    assert!(files(&folder.checkpoints()).is_empty() && files(&folder.running()).is_empty(), "{what}");
}

#[test]
fn killed_at_every_step_of_every_write_a_sweep_goes_on_to_the_same_records() {
    let (place, expected) = (Place::new(), undisturbed(GRID));
    let mut n_steps = 0;
    for step in 1.. {
        let folder = place.folder(&format!("kill-{step}"));
        if SweepProcess::new(GRID, &folder).run_with_fault(&format!("kill:{step}")).code == 0 {
            break;
        }
        n_steps = step;
        goes_on(GRID, &folder, &expected, &format!("killed at step {step}"));
    }
    assert_eq!(n_steps, N_STEPS);
}

/// Runs a sweep with a fault of this kind at each of its steps, and goes on with what it leaves. Returns how many ended with
/// an error, and how many with a warning that a checkpoint could not be written.
fn fail_at_every_step(kind: &str) -> (usize, usize) {
    let (place, expected) = (Place::new(), undisturbed(GRID));
    let (mut n_ended, mut n_warned) = (0, 0);
    for step in 1..=N_STEPS {
        let folder = place.folder(&format!("{kind}-{step}"));
        let Ended { code, stderr } = SweepProcess::new(GRID, &folder).run_with_fault(&format!("{kind}:{step}"));
        if code == 0 {
            n_warned += usize::from(stderr.contains("cannot write the checkpoint"));
        } else {
            n_ended += 1;
            assert!(code == 5 && stderr.contains("error: "), "{kind} at step {step}: {code}, {stderr}");
        }
        goes_on(GRID, &folder, &expected, &format!("{kind} at step {step}"));
    }
    (n_ended, n_warned)
}

#[test]
fn an_operation_that_fails_costs_a_warning_or_an_error_and_loses_nothing() {
    let (n_ended, n_warned) = fail_at_every_step("fail");
    assert!(n_ended >= 6 + 2 * 12 && n_warned >= 2 * 12, "{n_ended} ended, {n_warned} warned");
}

#[test]
fn a_full_disk_costs_a_warning_or_an_error_and_loses_nothing() {
    let (n_ended, n_warned) = fail_at_every_step("full");
    assert!(n_ended >= 6 + 2 * 12, "{n_ended} ended, {n_warned} warned");
}

#[test]
fn halving_that_is_killed_at_any_write_decides_as_if_it_had_not_been() {
    let place = Place::new();
    let undisturbed = place.folder("undisturbed");
    run(&sweep(HALVING, &undisturbed));
    let (expected, ranking) = (records(&undisturbed), fs::read(undisturbed.halving()).expect("a ranking"));
    for step in (8..140).step_by(11) {
        let folder = place.folder(&format!("kill-{step}"));
        let is_killed = SweepProcess::new(HALVING, &folder).run_with_fault(&format!("kill:{step}")).code != 0;
        assert!(is_killed || step > 60, "step {step} was not reached");
        goes_on(HALVING, &folder, &expected, &format!("killed at step {step}"));
        assert_eq!(fs::read(folder.halving()).expect("a ranking"), ranking, "killed at step {step}");
    }
}

#[test]
fn the_diagnosis_of_a_run_that_was_killed_anywhere_has_no_gap() {
    let text = "hidden = [8]\nepochs = 4\n";
    let place = Place::new();
    let diagnosis = |folder: &RunFolder| {
        let file =
            files(&folder.diagnoses()).into_iter().find(|file| file.extension().is_some_and(|end| end == "json"));
        fs::read_to_string(file.expect("a diagnosis")).expect("a diagnosis")
    };
    let resume = |folder: &RunFolder| {
        let mut options = crate::small::one_by_one();
        options.diagnose = true;
        sweep(text, folder).run(&options, &()).expect("an outcome");
        diagnosis(folder)
    };
    let undisturbed = resume(&place.folder("undisturbed"));
    // Six steps for the specification, then for each checkpoint six for the diagnosis and six for itself.
    for step in (7..50).step_by(3) {
        let folder = place.folder(&format!("kill-{step}"));
        let ended = SweepProcess::new(text, &folder).diagnose().run_with_fault(&format!("kill:{step}"));
        assert_eq!(ended.code, -1, "step {step}: {ended:#?}");
        assert_eq!(resume(&folder), undisturbed, "step {step}");
    }
}

/// The records that have their names by now, with what changes when a file is written again.
fn written(folder: &RunFolder) -> BTreeMap<PathBuf, (u64, i64, i64)> {
    let is_record = |file: &PathBuf| file.extension().is_some_and(|ending| ending == "json");
    let files = files(&folder.trials()).into_iter().filter(is_record);
    files
        .map(|file| {
            let metadata = fs::metadata(&file).expect("a record");
            (file, (metadata.ino(), metadata.mtime(), metadata.mtime_nsec()))
        })
        .collect()
}

/// Sweeps of 64 small trials, killed `n_kills` times at random in all.
fn kill_at_random(n_kills: usize) {
    let text = format!(
        "hidden = [8]\nepochs = 12\nbatch_size = 4\ntest_size = 50\nevaluate_train = 50\n[sweep]\n\
         learning_rate = [0.001, 0.003, 0.01, 0.03]\nseed = {:?}\n",
        (0..16).collect::<Vec<_>>()
    );
    let (place, expected) = (Place::new(), undisturbed(&text));
    assert_eq!(expected.len(), 64);

    let mut random = 1_u64;
    let (mut n_killed, mut n_sweeps, mut n_by_then) = (0, 0, Vec::new());
    while n_killed < n_kills {
        let folder = place.folder(&format!("sweep-{n_sweeps}"));
        let mut finished: BTreeMap<PathBuf, (u64, i64, i64)> = BTreeMap::new();
        while n_killed < n_kills {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let mut child = SweepProcess::new(&text, &folder).threads(2).start();
            // Now and then before it has begun; else when so many more of its trials are finished, however fast that is.
            if random >> 61 != 0 {
                wait_until_running(&folder, &mut child);
                let enough = finished.len() + ((random >> 33) % 5) as usize;
                wait_until(&mut child, "finished trials", || written(&folder).len() >= enough);
            }
            // And at any moment of what it does then.
            std::thread::sleep(std::time::Duration::from_micros((random >> 40) % 20_000));
            let is_over = child.try_wait().expect("a state").is_some();
            child.kill().expect("a kill");
            let ended = Ended::from(child.wait_with_output().expect("an end"));
            assert!(!ended.stderr.contains("panicked"), "{ended:#?}");
            whole_records(&folder);
            // What is finished stays as it is: neither lost nor written again.
            let now = written(&folder);
            for (file, identity) in &finished {
                assert_eq!(now.get(file), Some(identity), "{} after {n_killed} kills", file.display());
            }
            finished = now;
            if is_over {
                assert_eq!(ended.code, 0, "{ended:#?}");
                break;
            }
            n_killed += 1;
        }
        n_by_then.push(finished.len());
        goes_on(&text, &folder, &expected, &format!("sweep {n_sweeps}"));
        n_sweeps += 1;
    }
    println!("{n_killed} kills over {n_sweeps} sweeps of 64 trials; finished by the last kill of each: {n_by_then:?}");
}

#[test]
fn kills_at_random_lose_no_finished_trial_and_run_none_twice() {
    kill_at_random(20);
}

#[test]
#[ignore = "takes minutes: run by `cargo xtask check --long`"]
fn five_hundred_kills_at_random_lose_no_finished_trial_and_run_none_twice() {
    kill_at_random(500);
}
