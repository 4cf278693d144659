//! What a folder of results refuses, which leaves it as it is, and what in it is damaged.

use std::fs;
use std::path::PathBuf;

use mlp_core::Kernel;
use mlp_results::RunFolder;
use mlp_sweep::{Dataset, Error, ErrorKind, Shard, Sweep};
use mnist_io::synthetic_digits;

use crate::small::{
    EventLog, Place, SMALL, contents, digits, files, one_by_one, records, run, specification, sweep, sweep_of,
};

/// Running `sweep` is refused, and its folder stays as it was to the byte.
#[track_caller]
fn refused(sweep: &Sweep) -> Error {
    let before = contents(sweep.folder().path());
    let log = EventLog::default();
    let error = sweep.run(&one_by_one(), &log).expect_err("a refusal");
    assert_eq!(contents(sweep.folder().path()), before);
    assert_eq!(log.lines(), [""; 0]);
    error
}

#[track_caller]
fn expect(error: &Error, kind: ErrorKind, text: &str) {
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(text), "expected {text:?} in {error}");
}

/// A folder with the six trials, and the file of one record.
fn finished(place: &Place) -> (RunFolder, PathBuf) {
    let folder = place.folder("out");
    run(&sweep(SMALL, &folder));
    let record = files(&folder.trials()).swap_remove(2);
    (folder, record)
}

#[test]
fn a_changed_specification_is_refused_with_the_difference() {
    let place = Place::new();
    let (folder, _) = finished(&place);
    let spec = specification(SMALL);
    for (changed, difference) in [
        (spec.with("epochs", 2), "\n  epochs: 1 there, 2 now\n"),
        (spec.vary("seed", [0]), "\n  seed: [0, 1, 2] there, [0] now\n"),
        (spec.vary("l2", [0.1, 0.2]), "\n  l2: 0.0 there, [0.1, 0.2] now\n"),
    ] {
        let error = refused(&sweep_of(changed.expect("a sweep"), &folder));
        expect(&error, ErrorKind::Specification, difference);
        expect(&error, ErrorKind::Specification, "belongs to another specification");
    }
    // The name of a folder says nothing about its trials.
    run(&sweep_of(spec.with("name", "another").expect("a sweep"), &folder));
}

#[test]
fn a_folder_that_is_refused_gets_a_lock_and_nothing_else() {
    let place = Place::new();
    let folder = place.folder("out");
    fs::create_dir(folder.path()).expect("a folder");
    fs::write(folder.specification(), "hidden = [9]\n").expect("a specification");
    expect(&refused(&sweep(SMALL, &folder)), ErrorKind::Specification, "belongs to another specification");
    assert_eq!(files(folder.path()), [folder.path().join(".lock"), folder.specification()]);
}

#[test]
fn a_folder_takes_results_on_one_data_set() {
    let place = Place::new();
    let (folder, _) = finished(&place);
    let other = Dataset::images("digits", synthetic_digits(200, 1), synthetic_digits(100, 3)).expect("a data set");
    let sweep = Sweep::new(specification(SMALL), other, folder.path()).expect("a sweep");
    expect(&refused(&sweep), ErrorKind::Specification, "holds results on other data");
}

#[test]
fn a_folder_takes_results_of_one_kernel() {
    let place = Place::new();
    let folder = place.folder("out");
    let portable = || {
        let builder = Sweep::builder(specification(SMALL), digits()).folder(folder.path());
        builder.kernel(Kernel::Portable).build().expect("a sweep")
    };
    run(&portable());
    // As if another machine had computed one of them.
    let record = files(&folder.trials()).swap_remove(2);
    let text = fs::read_to_string(&record).expect("a record");
    fs::write(&record, text.replacen("\"portable\"", "\"avx2\"", 1)).expect("a record");
    expect(&refused(&portable()), ErrorKind::Specification, "; compute with the kernel avx2, or choose another folder");
    let best = Kernel::detect();
    if best != Kernel::Portable {
        expect(
            &refused(&sweep(SMALL, &folder)),
            ErrorKind::Specification,
            "which rounds differently; compute with the kernel",
        );
    }
}

#[test]
fn a_record_of_a_newer_version_is_refused_and_not_touched_nor_are_damaged_ones_beside_it() {
    let place = Place::new();
    let (folder, record) = finished(&place);
    let newer = fs::read_to_string(&record).expect("a record").replacen("\"schema\": 1", "\"schema\": 2", 1);
    fs::write(files(&folder.trials()).swap_remove(4), "damaged").expect("damage");
    for text in [newer.as_str(), "{ \"schema\": 2, \"other\": [] }"] {
        fs::write(&record, text).expect("a newer record");
        expect(&refused(&sweep(SMALL, &folder)), ErrorKind::Specification, "written by a newer version");
    }
}

#[test]
fn a_damaged_record_is_set_aside_with_a_warning_and_its_trial_runs_again() {
    let place = Place::new();
    let (folder, record) = finished(&place);
    let before = records(&folder);
    let text = fs::read(&record).expect("a record");
    fs::write(&record, &text[..text.len() / 2]).expect("damage");
    let names = files(&folder.trials());
    fs::remove_file(&names[4]).expect("a deletion");
    // A record under the name of another trial is no record of that one.
    fs::copy(&names[0], &names[5]).expect("a copy");
    let log = EventLog::default();
    sweep(SMALL, &folder).run(&one_by_one(), &log).expect("an outcome");
    let aside = |file: &PathBuf| file.with_extension("json.damaged");
    for file in [&record, &names[5]] {
        log.expect(&format!("the file is now {}, and its trial runs again", aside(file).display()));
    }
    assert_eq!(log.n_lines_with("warning: "), 2);
    log.expect("started: 6 trials, 3 over");
    assert_eq!(records(&folder), before);
    assert_eq!(fs::read(aside(&record)).expect("the damaged file"), text[..text.len() / 2]);
}

#[test]
fn records_that_are_damaged_twice_are_both_kept_and_none_is_touched_in_a_folder_that_is_refused() {
    let place = Place::new();
    let (folder, record) = finished(&place);
    for damage in ["first", "second"] {
        fs::write(&record, damage).expect("damage");
        refused(&sweep_of(specification(SMALL).with("epochs", 2).expect("a sweep"), &folder));
        assert_eq!(fs::read_to_string(&record).expect("the file is where it was"), damage);
        let log = EventLog::default();
        sweep(SMALL, &folder).run(&one_by_one(), &log).expect("an outcome");
        log.expect("runs again");
    }
    let aside = |ending: &str| fs::read_to_string(record.with_extension(ending)).expect("the damaged file");
    assert_eq!((aside("json.damaged"), aside("json.damaged-2")), ("first".to_owned(), "second".to_owned()));
}

#[test]
fn a_folder_is_held_alone_or_together_and_never_both() {
    let place = Place::new();
    let folder = place.folder("out");
    let sweep = sweep(SMALL, &folder);
    let shard = |number| Shard::new(number, 2).ok();
    let busy = |shard| {
        let error = sweep.open("sweep", shard, &()).expect_err("the folder is held");
        expect(&error, ErrorKind::Busy, &format!("process {}", std::process::id()));
        assert_eq!(error.path(), Some(folder.path()));
        error.to_string()
    };
    let alone = sweep.open("train", None, &()).expect("a free folder");
    assert!(busy(None).contains("in use by train"));
    busy(shard(1));
    drop(alone);
    let first = sweep.open("sweep", shard(1), &()).expect("a free folder");
    let second = sweep.open("sweep", shard(2), &()).expect("a shared folder");
    assert!(busy(None).contains("in use by sweep"));
    drop(first);
    busy(None);
    drop(second);
    run(&sweep);
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_an_error_of_the_system_that_names_it() {
    let place = Place::new();
    // Permissions do not bind the superuser; a file in the folder's place does.
    let occupied = place.write("occupied", "").join("out");
    let sweep = Sweep::new(specification(SMALL), digits(), &occupied).expect("a sweep");
    let error = sweep.run(&one_by_one(), &()).expect_err("no folder");
    expect(&error, ErrorKind::Io, "cannot create the folder");
    assert!(error.io_error().is_some() && error.path() == Some(&occupied));
}

#[test]
fn names_that_lead_out_of_the_folder_are_refused() {
    let place = Place::new();
    let data = |name: &str| Dataset::images(name, synthetic_digits(50, 0), synthetic_digits(20, 1)).expect("images");
    let below = place.folder("below");
    let build = |name: &str, data_name: &str| {
        Sweep::builder(specification("hidden = [4]\n"), data(data_name))
            .folder_below(below.path())
            .default_name(name)
            .build()
    };
    assert_eq!(
        build("mine", "my digits & yours").expect("a sweep").folder().path(),
        below.path().join("mine-my digits & yours")
    );
    for (name, data_name) in
        [("../out", "digits"), ("/out", "digits"), ("mine", "../.."), ("a/b", "digits"), ("a", "/digits")]
    {
        let error = build(name, data_name).expect_err("a refusal");
        assert!(error.to_string().contains("expected the name of a folder"), "{name}, {data_name}: {error}");
    }
}

#[test]
fn a_folder_of_other_things_is_refused_and_a_folder_with_files_is_taken() {
    let place = Place::new();
    let folder = place.folder("out");
    fs::create_dir_all(folder.path().join("circle")).unwrap();
    let error = refused(&sweep(SMALL, &folder));
    expect(&error, ErrorKind::Specification, "found one with other things in it, such as the folder \"circle\"");
    fs::remove_dir(folder.path().join("circle")).unwrap();
    fs::write(folder.path().join("notes.txt"), "rates").unwrap();
    run(&sweep(SMALL, &folder));
}

#[test]
fn models_that_are_gone_or_cut_off_are_named_when_the_sweep_is_run_again() {
    let place = Place::new();
    let (folder, _) = finished(&place);
    let again = || {
        let log = EventLog::default();
        sweep(SMALL, &folder).run(&one_by_one(), &log).unwrap();
        log.lines().join("\n")
    };
    assert!(!again().contains("gone"));
    let models = files(&folder.models());
    let bytes = fs::read(&models[0]).unwrap();
    fs::write(&models[0], &bytes[..bytes.len() / 2]).unwrap();
    let said = again();
    assert!(said.contains("the model is gone or cut off") && said.contains("once its record is gone, too"), "{said}");
    fs::remove_file(&models[1]).unwrap();
    assert!(again().contains("2 models, such as that of trial"));
}
