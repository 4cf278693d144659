//! Trials that start from a saved network.

use mlp_results::{RunFolder, RunRecord};
use mlp_sweep::{Error, ErrorKind, InitialModel, Result, Sweep, SweepSpec};

use crate::small::{Place, digits, one_by_one, run, specification, sweep};

const BASE: &str = "name = \"base\"\nhidden = [8]\nepochs = 1\n";

fn sweep_from(specification: SweepSpec, initial: Option<InitialModel>, folder: &RunFolder) -> Result<Sweep> {
    let builder = Sweep::builder(specification, digits()).folder(folder.path());
    match initial {
        Some(initial) => builder.initial(initial).build(),
        None => builder.build(),
    }
}

fn only_record(folder: &RunFolder) -> RunRecord {
    let mut records = folder.records();
    assert_eq!(records.len(), 1);
    records.pop_first().expect("one record").1
}

#[track_caller]
fn expect(error: &Error, text: &str) {
    assert_eq!(error.kind(), ErrorKind::Specification);
    assert!(error.to_string().contains(text), "expected {text:?} in {error}");
}

#[test]
fn a_run_can_start_from_a_saved_model_and_is_then_another_run() {
    let place = Place::new();
    let (first, second) = (place.folder("first"), place.folder("second"));
    run(&sweep(BASE, &first));
    let trained = only_record(&first);
    let read = |folder: &RunFolder| InitialModel::read(&folder.model(&only_record(folder).trial)).expect("a model");
    let as_it_is = || specification(BASE).with("epochs", 0).expect("a run");
    run(&sweep_from(as_it_is(), Some(read(&first)), &second).expect("a sweep"));
    let there = only_record(&second);
    assert_eq!(there.weights_sha256, trained.weights_sha256);
    assert_ne!(there.trial, trained.trial);
    assert_eq!(there.config["init"].as_str(), trained.weights_sha256.as_deref());

    let misfit = specification(BASE).with("hidden", vec![9]).expect("a run");
    expect(&sweep_from(misfit, Some(read(&first)), &place.folder("third")).expect_err("a misfit"), "initial network");
    assert!(!place.folder("third").path().exists(), "nothing is begun that cannot be done");

    let longer = place.folder("longer");
    run(&sweep(&BASE.replace("epochs = 1", "epochs = 2"), &longer));
    let other = sweep_from(as_it_is(), Some(read(&longer)), &second).expect("a sweep");
    expect(&other.run(&one_by_one(), &()).expect_err("another network"), "init: ");
    let random = sweep_from(as_it_is(), None, &second).expect("a sweep");
    expect(&random.run(&one_by_one(), &()).expect_err("no network"), "there, not set now");

    let again = place.folder("again");
    let its_own = || SweepSpec::read(second.specification()).expect("its specification");
    expect(&sweep_from(its_own(), None, &again).expect_err("no network"), "found none; give the model");
    run(&sweep_from(its_own(), Some(read(&first)), &again).expect("a sweep"));
    assert_eq!(only_record(&again).trial, there.trial);
}

#[test]
fn what_is_no_model_or_not_there_is_refused() {
    let place = Place::new();
    let error = InitialModel::read(&place.write("page.safetensors", "<html>")).expect_err("no model");
    assert_eq!(error.kind(), ErrorKind::Data);
    assert!(error.to_string().contains("page.safetensors"), "{error}");
    let error = InitialModel::read(place.folder("nothing").path()).expect_err("no file");
    assert_eq!(error.kind(), ErrorKind::Io);
}

/// The doubt is in the record and the model, whatever it is that changed what is split off, and goes on to all later runs.
#[test]
fn validation_samples_that_a_network_may_have_learned_from_are_recorded_and_never_forgotten() {
    let place = Place::new();
    let base = "name = \"base\"\nhidden = [8]\nepochs = 1\nvalidation = 20\ntrain_size = 80\n";
    run(&sweep(base, &place.folder("base")));
    let mut n_runs = 0;
    let mut seen_after = |from: &RunFolder, changed: &str| {
        n_runs += 1;
        let model = InitialModel::read(&from.model(&only_record(from).trial)).expect("a model");
        let folder = place.folder(&format!("run-{n_runs}"));
        run(&sweep_from(specification(changed), Some(model), &folder).expect("a sweep"));
        let seen = only_record(&folder).data.validation_was_seen;
        (seen, folder)
    };
    let base_folder = place.folder("base");
    assert!(!only_record(&base_folder).data.validation_was_seen);
    assert!(!seen_after(&base_folder, &base.replace("epochs = 1", "epochs = 2")).0, "the same samples");
    for (old, new) in [("train_size = 80", "train_size = 70"), ("validation = 20", "validation = 30\nseed = 1")] {
        assert!(seen_after(&base_folder, &base.replace(old, new)).0, "{new}");
    }
    assert!(!seen_after(&base_folder, &base.replace("validation = 20", "validation = 0")).0, "no validation samples");
    let other_seed = format!("{base}seed = 3\n");
    let (seen, folder) = seen_after(&base_folder, &other_seed);
    assert!(seen);
    assert!(seen_after(&folder, &other_seed).0, "the same samples as the run before, which had seen them");
}
