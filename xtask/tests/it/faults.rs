//! The program is killed, or the disk fails, at each of its writes: nothing finished is lost, nothing half-written bears
//! a final name, and running again gives what an undisturbed run gives.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use crate::sandbox::{Outcome, Sandbox};
use crate::sweep::records;
use crate::waiting::wait_until_running;

/// Two trials, one after the other, with two checkpoints each.
const GRID: &str = "hidden = [4]\nepochs = 3\ntest_size = 50\nevaluate_train = 50\n[sweep]\nseed = [0, 1]\n";

fn arguments(out: &str) -> Vec<String> {
    let fixed = "sweep grid.toml --data ./digits --jobs 1 --threads 1 --checkpoint-epochs 1 --quiet --out";
    fixed.split(' ').chain([out]).map(str::to_owned).collect()
}

fn run_with_fault(sandbox: &Sandbox, out: &str, fault: &str) -> Outcome {
    let output = sandbox.command(arguments(out)).env("DURABLE_FILE_FAULT", fault).output().expect("the program starts");
    sandbox.outcome(output)
}

/// Files that a process left when it was killed.
fn left_over(sandbox: &Sandbox, out: &str) -> Vec<PathBuf> {
    let folders = ["", "/trials", "/models", "/checkpoints", "/running"];
    let files = folders.iter().flat_map(|folder| sandbox.files(&format!("{out}{folder}")));
    files.filter(|file| file.to_string_lossy().ends_with(".tmp")).collect()
}

/// Whether everything that bears a final name is whole.
fn check_final_names(sandbox: &Sandbox, out: &str) {
    for file in sandbox.files(&format!("{out}/trials")) {
        if file.extension().is_some_and(|ending| ending == "json") {
            mlp_results::RunRecord::read(&file).unwrap_or_else(|error| panic!("{error}"));
            let model =
                sandbox.path(out).join("models").join(file.file_stem().expect("a name")).with_extension("safetensors");
            mlp_train::load_model(&model).unwrap_or_else(|error| panic!("{error}"));
        }
    }
    for file in sandbox.files(&format!("{out}/models")) {
        if file.extension().is_some_and(|ending| ending == "safetensors") {
            mlp_train::load_model(&file).unwrap_or_else(|error| panic!("{error}"));
        }
    }
}

#[test]
fn killed_at_every_step_of_every_write_a_sweep_goes_on_to_the_same_records() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", GRID);
    sandbox.run(arguments("undisturbed")).expect_code(0);
    let undisturbed = records(&sandbox, "undisturbed");
    let mut n_steps = 0;
    for step in 1.. {
        let out = format!("kill-{step}");
        let outcome = run_with_fault(&sandbox, &out, &format!("kill:{step}"));
        if outcome.code == 0 {
            break;
        }
        n_steps = step;
        check_final_names(&sandbox, &out);
        let before = records(&sandbox, &out);
        sandbox.run(arguments(&out)).expect_code(0);
        let after = records(&sandbox, &out);
        assert_eq!(after, undisturbed, "killed at step {step}");
        assert!(before.iter().all(|(trial, record)| after[trial] == *record));
        assert_eq!(left_over(&sandbox, &out), Vec::<PathBuf>::new(), "killed at step {step}");
        assert!(sandbox.files(&format!("{out}/checkpoints")).is_empty(), "killed at step {step}");
        fs::remove_dir_all(sandbox.path(&out)).expect("a deletion");
    }
    // The specification; for each trial two checkpoints, the model, the record, and two removals.
    assert_eq!(n_steps, 6 + 2 * (4 * 6 + 2));
}

#[test]
fn an_operation_that_fails_or_a_full_disk_costs_a_warning_or_ends_with_5_and_loses_nothing() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", GRID);
    sandbox.run(arguments("undisturbed")).expect_code(0);
    let undisturbed = records(&sandbox, "undisturbed");
    for kind in ["fail", "full"] {
        let (mut n_ended, mut n_warned) = (0, 0);
        for step in 1..=6 + 2 * (4 * 6 + 2) {
            let out = format!("{kind}-{step}");
            let outcome = run_with_fault(&sandbox, &out, &format!("{kind}:{step}"));
            match outcome.code {
                0 => n_warned += usize::from(outcome.stderr.contains("cannot write the checkpoint")),
                _ => {
                    n_ended += 1;
                    outcome.expect_code(5).expect_error("error: ");
                }
            }
            check_final_names(&sandbox, &out);
            sandbox.run(arguments(&out)).expect_code(0);
            assert_eq!(records(&sandbox, &out), undisturbed, "{kind} at step {step}");
            assert_eq!(left_over(&sandbox, &out), Vec::<PathBuf>::new(), "{kind} at step {step}");
            fs::remove_dir_all(sandbox.path(&out)).expect("a deletion");
        }
        assert!(n_ended >= 6 + 2 * 12, "{kind}: {n_ended} ended, {n_warned} warned");
        assert!(kind == "full" || n_warned >= 2 * 12, "{kind}: {n_ended} ended, {n_warned} warned");
    }
}

/// Sweeps of 64 small trials, killed `n_kills` times at random in all.
fn kill_at_random(n_kills: usize) {
    let sandbox = Sandbox::with_digits();
    let seeds: Vec<String> = (0..16).map(|seed| seed.to_string()).collect();
    let grid = format!(
        "hidden = [8]\nepochs = 12\nbatch_size = 4\ntest_size = 50\nevaluate_train = 50\n[sweep]\n\
         learning_rate = [0.001, 0.003, 0.01, 0.03]\nseed = [{}]\n",
        seeds.join(", ")
    );
    sandbox.write("grid.toml", grid);
    let arguments = |out: &str| -> Vec<String> {
        let fixed = "sweep grid.toml --data ./digits --jobs 2 --threads 2 --checkpoint-epochs 1 --quiet --out";
        fixed.split(' ').chain([out]).map(str::to_owned).collect()
    };
    sandbox.run(arguments("undisturbed")).expect_code(0);
    let undisturbed = records(&sandbox, "undisturbed");
    assert_eq!(undisturbed.len(), 64);

    let mut random = 1_u64;
    let (mut n_killed, mut n_sweeps, mut n_by_then) = (0, 0, Vec::new());
    while n_killed < n_kills {
        let out = format!("sweep-{n_sweeps}");
        let mut written: BTreeMap<PathBuf, (u64, i64, i64)> = BTreeMap::new();
        while n_killed < n_kills {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let mut child =
                sandbox.command(arguments(&out)).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("a start");
            // From the moment it is at its first trial, however busy the machine is; now and then before that.
            if random >> 61 != 0 {
                wait_until_running(&sandbox, &out, &mut child);
            }
            std::thread::sleep(Duration::from_millis((random >> 33) % 250));
            let is_over = child.try_wait().expect("a state").is_some();
            child.kill().expect("a kill");
            let outcome = sandbox.outcome(child.wait_with_output().expect("an end"));
            assert!(!outcome.stderr.contains("panicked"), "{outcome:#?}");
            check_final_names(&sandbox, &out);
            // What is finished stays as it is: neither lost nor written again.
            let now: BTreeMap<PathBuf, (u64, i64, i64)> = sandbox
                .files(&format!("{out}/trials"))
                .into_iter()
                .filter(|file| file.extension().is_some_and(|ending| ending == "json"))
                .map(|file| {
                    let metadata = fs::metadata(&file).expect("a record");
                    (file, (metadata.ino(), metadata.mtime(), metadata.mtime_nsec()))
                })
                .collect();
            for (file, identity) in &written {
                assert_eq!(now.get(file), Some(identity), "{} after {n_killed} kills", file.display());
            }
            written = now;
            if is_over {
                outcome.expect_code(0);
                break;
            }
            n_killed += 1;
        }
        n_by_then.push(written.len());
        sandbox.run(arguments(&out)).expect_code(0);
        assert_eq!(records(&sandbox, &out), undisturbed, "sweep {n_sweeps}");
        assert_eq!(left_over(&sandbox, &out), Vec::<PathBuf>::new());
        assert!(sandbox.files(&format!("{out}/checkpoints")).is_empty());
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
