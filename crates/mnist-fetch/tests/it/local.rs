//! What is here already, and files that are taken from a folder or are named one by one.

use std::fs;
use std::io::Write;

use durable_file::FolderLock;
use flate2::Compression;
use flate2::write::GzEncoder;
use md5::Md5;
use mnist_fetch::{ErrorKind, FetchEvent, FileStatus, HashKind, Manifest, Source};
use sha2::{Digest, Sha256};

use crate::fixture::{CONTENT, Fixture, HASTY, expect_error};
use crate::server::{Behaviour, Server};

#[test]
fn a_file_that_is_here_is_verified_and_not_fetched_again() {
    let server = Server::new(vec![Behaviour::Body(CONTENT.to_vec())]);
    let fixture = Fixture::on(&[&server]);
    let fetched = fixture.fetcher().fetch("small").expect("it arrives");
    assert_eq!((fetched.files[0].n_bytes, &fetched.files[0].before), (53, &FileStatus::Missing));
    let again = fixture.fetcher().fetch("small").expect("it is here");
    assert_eq!(again.files[0].before, FileStatus::Verified);
    assert_eq!((server.n_requests(), fixture.verify("small")), (1, vec![FileStatus::Verified]));
}

#[test]
fn a_damaged_file_stays_until_a_verified_one_replaces_it() {
    let bad = Server::new(vec![Behaviour::Body(vec![0; CONTENT.len()])]);
    let good = Server::new(vec![Behaviour::Body(CONTENT.to_vec())]);
    let fixture = Fixture::new(&[]);
    fs::create_dir(fixture.path("datasets/small")).expect("a folder");
    fixture.write("datasets/small/file.gz", "damaged");
    let damaged = FileStatus::Damaged("has 7 bytes, expected 53".to_owned());
    assert_eq!(fixture.verify("small"), std::slice::from_ref(&damaged));
    let fetcher = fixture.fetcher().retry(HASTY).source(Source::server(&bad.address));
    expect_error(fetcher.fetch("small"), ErrorKind::Source, "delivers other content");
    assert_eq!(fixture.small(), b"damaged");
    let fetched = fetcher.source(Source::server(&good.address)).fetch("small").expect("it arrives");
    assert_eq!(fetched.files[0].before, damaged);
    fixture.assert_arrived();
}

#[test]
fn files_are_taken_from_a_folder_and_verified_there_too() {
    let fixture = Fixture::new(&[]);
    fs::create_dir(fixture.path("my stick")).expect("a folder");
    expect_error(fixture.fetch_from("small", "my stick"), ErrorKind::Source, "my stick/file.gz");
    fixture.write("my stick/file.gz", vec![0; CONTENT.len()]);
    expect_error(fixture.fetch_from("small", "my stick"), ErrorKind::Source, "has SHA-256");
    fixture.write("my stick/file.gz", CONTENT);
    fixture.fetch_from("small", "my stick").expect("it is there");
    fixture.assert_arrived();
    let error = expect_error(Source::find(fixture.path("no stick")), ErrorKind::Argument, "no such folder or file");
    assert_eq!(error.path(), Some(fixture.path("no stick").as_path()));
}

#[test]
fn one_file_is_recognised_by_its_content_whatever_its_name() {
    let fixture = Fixture::new(&[]);
    fixture.write("some file", CONTENT);
    fixture.fetch_from("small", "some file").expect("it is the file");
    fixture.assert_arrived();
    fixture.write("other file", "something else");
    fs::remove_file(fixture.path("datasets/small/file.gz")).expect("a file");
    let error = fixture.fetch_from("small", "other file");
    expect_error(error, ErrorKind::Source, "expected one of the files file.gz, found none of them");
}

#[test]
fn of_several_files_one_that_is_named_arrives_and_the_others_are_told_to_be_missing() {
    let fixture = Fixture::new(&[]);
    fixture.edit_manifest("files = [", "files = [{ name = \"other.gz\", bytes = 1, sha256 = \"00\" }, ");
    fixture.edit_manifest("\"00\"", &format!("{:?}", "0".repeat(64)));
    let path = fixture.write("some file", CONTENT);
    let mut told = Vec::new();
    let fetcher = fixture.fetcher().source(Source::find(path).expect("a file"));
    let fetched = fetcher.fetch_with("small", |event| {
        if let FetchEvent::StillMissing { path } = event {
            told.push(path.to_path_buf());
        }
    });
    let fetched = fetched.expect("one arrives");
    assert_eq!(fetched.missing, [fixture.path("datasets/small/other.gz")]);
    assert_eq!((fetched.files.len(), told), (1, fetched.missing));
    assert_eq!(fixture.verify("small"), [FileStatus::Missing, FileStatus::Verified]);
}

#[test]
fn a_file_that_is_known_by_its_content_is_said_to_be_verified_by_the_hash_of_its_content() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(9));
    encoder.write_all(CONTENT).expect("bytes");
    let published = encoder.finish().expect("bytes");
    let fixture = Fixture::with_manifest(&format!(
        "[small]\ntitle = \"small\"\nclasses = \"0123456789\"\nmirrors = []\nfiles = [{{ name = \"file.gz\", \
         bytes = {}, md5 = \"{}\", content_sha256 = \"{}\" }}]\n",
        published.len(),
        hex::encode(Md5::digest(&published)),
        hex::encode(Sha256::digest(CONTENT))
    ));
    fs::create_dir(fixture.path("stick")).expect("a folder");
    for (bytes, kind) in [(published.as_slice(), HashKind::Md5), (CONTENT, HashKind::Sha256)] {
        fixture.write("stick/file.gz", bytes);
        // The second time it is there already.
        for _ in 0..2 {
            let fetched = fixture.fetch_from("small", "stick").expect("it is the file");
            assert_eq!(fetched.files[0].verified_by, kind);
        }
        let manifest = Manifest::read(fixture.path("datasets")).expect("a manifest");
        let small = fixture.path("datasets/small");
        let report = manifest.get("small").expect("it").verify(&small).next().expect("a file").expect("it is readable");
        assert_eq!((report.status, report.verified_by), (FileStatus::Verified, kind));
        fs::remove_file(small.join("file.gz")).expect("the file");
    }
}

#[test]
fn of_the_hidden_files_in_a_folder_only_those_that_were_staged_there_are_removed() {
    let fixture = Fixture::new(&[]);
    fixture.write("file.gz", CONTENT);
    fs::create_dir(fixture.path("datasets/small")).expect("a folder");
    fixture.write("datasets/small/.mine.tmp", "mine");
    fixture.write("datasets/small/.file.gz.4711-0.tmp", "half");
    fixture.fetch_from("small", "file.gz").expect("it is the file");
    assert_eq!(fixture.names("datasets/small"), [".lock", ".mine.tmp", "file.gz"]);
}

#[test]
fn a_file_that_was_unpacked_or_packed_anew_on_its_way_is_known_by_its_content() {
    let pack = |level| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
        encoder.write_all(&[CONTENT, CONTENT].concat()).expect("bytes");
        encoder.finish().expect("bytes")
    };
    let sha256 = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
    let (published, content) = (pack(9), [CONTENT, CONTENT].concat());
    let fixture = Fixture::with_manifest(&format!(
        "[small]\ntitle = \"small\"\nclasses = \"0123456789\"\nmirrors = []\nfiles = [{{ name = \"file.gz\", \
         bytes = {}, sha256 = \"{}\", content_sha256 = \"{}\" }}]\n",
        published.len(),
        sha256(&published),
        sha256(&content)
    ));
    fs::create_dir(fixture.path("stick")).expect("a folder");
    let target = fixture.path("datasets/small/file.gz");
    let mut damaged = pack(1);
    damaged[20] ^= 4;
    for (name, bytes, is_right) in [
        ("file", content.clone(), true),
        ("file.gz", content, true),
        ("file.gz", pack(0), true),
        ("file.gz", published, true),
        ("file.gz", damaged, false),
        ("file.gz", CONTENT.to_vec(), false),
    ] {
        let source = fixture.write(&format!("stick/{name}"), &bytes);
        let fetched = fixture.fetch_from("small", "stick");
        if is_right {
            fetched.expect("it is the file");
            assert_eq!(fixture.verify("small"), [FileStatus::Verified]);
            assert_eq!(fixture.small(), bytes);
            fs::remove_file(&target).expect("the file");
        } else {
            expect_error(fetched, ErrorKind::Source, "file.gz");
        }
        fs::remove_file(source).expect("a file");
        assert!(!target.exists());
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_of_this_machine() {
    let server = Server::new(vec![Behaviour::Body(CONTENT.to_vec())]);
    let fixture = Fixture::on(&[&server]);
    // A file where the folder should be stops everybody, even the superuser.
    fixture.write("datasets/small", "in the way");
    let error = expect_error(fixture.fetcher().fetch("small"), ErrorKind::Io, "cannot create the folder");
    assert_eq!(error.path(), Some(fixture.path("datasets/small").as_path()));
    assert!(error.io_error().is_some());
    assert_eq!(server.n_requests(), 0);
}

#[test]
fn a_folder_that_is_held_is_busy_and_nobody_is_asked() {
    let server = Server::new(vec![Behaviour::Body(CONTENT.to_vec())]);
    let fixture = Fixture::on(&[&server]);
    let folder = fixture.path("datasets/small");
    fs::create_dir(&folder).expect("a folder");
    let lock = FolderLock::acquire(&folder, "download").expect("it is free");
    let error = expect_error(fixture.fetcher().fetch("small"), ErrorKind::Busy, "is in use by download, process ");
    assert_eq!((error.path(), server.n_requests()), (Some(folder.as_path()), 0));
    drop(lock);
    fixture.fetcher().fetch("small").expect("it is free again");
}

#[test]
fn the_classes_stand_in_a_file_of_their_own_unless_they_are_the_digits() {
    let fixture = Fixture::new(&[]);
    fixture.write("file", CONTENT);
    for (from, to, expected) in
        [("", "", None), ("\"0123456789\"", "\"ab\"", Some("a\nb\n")), ("\"ab\"", "\"0123456789\"", None)]
    {
        fixture.edit_manifest(from, to);
        fixture.fetch_from("small", "file").expect("it is there");
        let found = fs::read_to_string(fixture.path("datasets/small/classes.txt")).ok();
        assert_eq!(found.as_deref(), expected);
    }
}
