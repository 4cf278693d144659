//! What stays whole, and what is left behind.

use std::fs;
use std::io::Write;
use std::path::Path;

use durable_file::Staged;

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_file_is_replaced_as_a_whole_and_nothing_staged_is_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("file");
    for content in [&b"first"[..], b"", b"x"] {
        durable_file::write(&path, content).expect("it is written");
        assert_eq!(durable_file::read(&path).expect("it is there"), content);
    }
    assert_eq!(names(folder.path()), ["file"]);
}

#[test]
fn a_staged_file_that_is_dropped_leaves_the_old_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("file");
    durable_file::write(&path, b"old").expect("it is written");
    let mut staged = Staged::create(&path).expect("a staged file");
    staged.write_all(b"new").expect("it is written");
    let beside = names(folder.path());
    assert!(beside.len() == 2 && durable_file::is_staged(beside[0].as_ref()), "{beside:?}");
    drop(staged);
    assert_eq!(durable_file::read(&path).expect("it is there"), b"old");
    assert_eq!(names(folder.path()), ["file"]);
}

#[test]
fn only_what_was_staged_here_is_taken_for_a_staged_file() {
    for name in [".file.1-0.tmp", ".a.b.json.4194304-18446744073709551615.tmp", ".ä.1-2.tmp", "..hidden.1-2.tmp"] {
        assert!(durable_file::is_staged(name.as_ref()), "{name}");
    }
    for name in [
        ".mine.tmp",
        ".tmp",
        "file.1-0.tmp",
        ".file.1-0.tmp.txt",
        ".file.1-0",
        ".file.1.tmp",
        ".file.-0.tmp",
        ".file.1-.tmp",
        ".file.1-0-2.tmp",
        ".file.+1-0.tmp",
        ".file1-0.tmp",
        "..1-0.tmp",
        ".1-0.tmp",
    ] {
        assert!(!durable_file::is_staged(name.as_ref()), "{name}");
    }
}

#[test]
fn several_writers_of_one_file_do_not_meet() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("file");
    let (mut one, mut other) = (Staged::create(&path).expect("one"), Staged::create(&path).expect("another"));
    one.write_all(b"one").and_then(|()| other.write_all(b"other")).expect("both are written");
    one.commit().and_then(|()| other.commit()).expect("both get the name");
    assert_eq!(durable_file::read(&path).expect("it is there"), b"other");
}

#[test]
fn several_files_are_written_into_a_new_folder_and_the_one_at_fault_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let inner = folder.path().join("plots");
    let files = [("a".to_owned(), &b"1"[..]), ("b".to_owned(), b"2")];
    assert_eq!(durable_file::write_all(&inner, files).expect("written"), [inner.join("a"), inner.join("b")]);
    fs::create_dir(inner.join("taken")).expect("a folder where a file should be");
    let (path, _) = durable_file::write_all(&inner, [("taken".to_owned(), &b"3"[..])]).expect_err("it is a folder");
    assert_eq!(path, inner.join("taken"));
    assert_eq!(names(&inner), ["a", "b", "taken"]);
}

#[test]
fn removing_what_is_not_there_is_no_error_and_a_folder_is_not_read_as_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(durable_file::remove(&folder.path().join("nothing")).is_ok());
    let error = durable_file::read(folder.path()).expect_err("a folder");
    assert_eq!(error.to_string(), "this is not a regular file");
}
