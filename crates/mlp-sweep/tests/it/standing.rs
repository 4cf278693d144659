//! How a sweep stands, from its folder alone.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use mlp_results::Status;
use mlp_sweep::{ErrorKind, Event, Standing};

use crate::small::{Place, contents, one_by_one, run, sweep};

const GRID: &str = "hidden = [4]\nepochs = 3\ntest_size = 50\n[sweep]\nseed = [0, 1, 2]\n";

#[test]
fn a_sweep_is_seen_while_it_runs_when_it_is_stopped_and_after() {
    let place = Place::new();
    let folder = place.folder("out");
    let (stop, seen) = (AtomicBool::new(false), Mutex::new(None));
    let mut options = one_by_one();
    options.stop = Some(&stop);
    let observer = |event: Event<'_>| {
        if let Event::Measured { trial, epoch } = event
            && trial.label() == "seed = 1"
            && epoch.epoch == 2
        {
            *seen.lock().expect("nobody panics with the lock") = Standing::read(&folder).ok();
            stop.store(true, Ordering::Relaxed);
        }
    };
    sweep(GRID, &folder).run(&options, &observer).expect("an outcome");
    let running = seen.into_inner().expect("nobody panics with the lock").expect("it can be read while it runs");
    assert_eq!((running.count(Status::Finished), running.n_left(), running.n_stopped), (1, 2, 0));
    assert_eq!(running.running.len(), 1);
    let finished = running.records.values().next().expect("the finished one");
    let seconds: f64 = finished.runtime.seconds_train.iter().chain(&finished.runtime.seconds_evaluate).sum();
    assert_eq!(running.trials_per_minute, Some(60.0 / seconds));
    // A trial that diverged took a moment, and says nothing of the others.
    let mut diverged = finished.clone();
    (diverged.status, diverged.runtime.seconds_train) = (Status::Diverged, vec![1e-4]);
    assert_eq!(mlp_sweep::trials_per_minute([&diverged].into_iter(), 1), None);
    assert_eq!(mlp_sweep::trials_per_minute([&diverged, finished].into_iter(), 1), running.trials_per_minute);
    assert_eq!(running.running[0].label, "seed = 1");
    let own = format!("process {}", std::process::id());
    assert!(running.running[0].holder.starts_with(&own), "{running:?}");
    assert!(running.holder.is_some_and(|holder| holder.contains(&own)));

    let stopped = Standing::read(&folder).expect("a folder of a sweep");
    assert!(stopped.running.is_empty() && stopped.holder.is_none());
    assert_eq!(stopped.checkpoints.values().collect::<Vec<_>>(), [&(3, 0)]);
    assert_eq!((stopped.specification.n_trials(), stopped.n_left()), (3, 2));

    run(&sweep(GRID, &folder));
    let before = contents(folder.path());
    let over = Standing::read(&folder).expect("a folder of a sweep");
    assert_eq!((over.count(Status::Finished), over.n_left(), over.checkpoints.len()), (3, 0, 0));
    assert_eq!(over.trials_per_minute, None, "nothing runs");
    let mut labels: Vec<String> = over.records.values().map(|record| over.label(record)).collect();
    labels.sort();
    assert_eq!(labels, ["seed = 0", "seed = 1", "seed = 2"]);
    assert_eq!(contents(folder.path()), before, "looking changes nothing");
}

#[test]
fn a_copy_of_a_folder_tells_no_pace_whatever_the_times_of_its_files() {
    let place = Place::new();
    let (folder, copy) = (place.folder("out"), place.folder("copy"));
    run(&sweep(GRID, &folder));
    std::fs::create_dir_all(copy.trials()).expect("a folder");
    std::fs::copy(folder.specification(), copy.specification()).expect("a copy");
    for file in crate::small::files(&folder.trials()) {
        std::fs::copy(&file, copy.trials().join(file.file_name().expect("a name"))).expect("a copy");
    }
    let standing = Standing::read(&copy).expect("a folder of a sweep");
    assert_eq!((standing.count(Status::Finished), standing.n_left()), (3, 0));
    assert_eq!((standing.trials_per_minute, standing.holder), (None, None));
}

#[test]
fn a_folder_without_a_specification_is_none_of_a_sweep() {
    let place = Place::new();
    let error = Standing::read(&place.folder("nothing")).expect_err("nothing there");
    assert_eq!(error.kind(), ErrorKind::Specification);
    assert!(error.to_string().contains("with spec.toml in it"), "{error}");
}
