//! The built-in manifest, a user's own, and those that are refused.

use std::fs;
use std::path::Path;

use mnist_fetch::{ErrorKind, Manifest};

use crate::fixture::{Fixture, expect_error};

#[test]
fn the_manifest_of_the_project_is_the_built_in_one() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifest.toml");
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/manifest.toml");
    // Outside the project's repository there is no other.
    let Ok(text) = fs::read_to_string(project) else { return };
    assert_eq!(text, fs::read_to_string(own).expect("the built-in manifest"), "one was edited without the other");
}

#[test]
fn the_built_in_manifest_stands_in_for_one_that_is_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    let manifest = Manifest::read(folder.path()).expect("the built-in one");
    assert_eq!(manifest.names().collect::<Vec<_>>(), Manifest::builtin().names().collect::<Vec<_>>());
    assert_eq!(manifest.names().count(), 8);
}

#[test]
fn a_set_of_ones_own_stands_in_a_file_of_its_own() {
    let fixture = Fixture::new(&[]);
    let path = fixture.path("datasets/manifest.toml");
    let own = fs::read_to_string(&path).expect("a manifest");
    fs::remove_file(&path).expect("a manifest");
    let read = |text: &str| {
        fixture.write("datasets/own.toml", text);
        Manifest::read(fixture.path("datasets"))
    };
    let names: Vec<String> = read(&own).expect("a manifest").names().map(str::to_owned).collect();
    assert!(names.contains(&"small".to_owned()) && names.contains(&"emnist-letters".to_owned()), "{names:?}");
    let twice = read(&own.replace("[small]", "[mnist]"));
    let error = expect_error(twice, ErrorKind::Manifest, "[mnist] stands in the built-in manifest already");
    assert_eq!(error.path(), Some(fixture.path("datasets/own.toml").as_path()));
    let unknown = read(&own.replace("bytes", "byte"));
    expect_error(unknown, ErrorKind::Manifest, "own.toml: TOML parse error at line 5");
    fixture.write("datasets/own.toml", b"[\xff]");
    expect_error(Manifest::read(fixture.path("datasets")), ErrorKind::Manifest, "expected UTF-8");
}

#[test]
fn an_unknown_set_is_refused_with_the_nearest_known_one() {
    let fixture = Fixture::new(&[]);
    let error = expect_error(fixture.fetcher().fetch("smal"), ErrorKind::Argument, "did you mean \"small\"?");
    assert_eq!(
        error.to_string(),
        "no data set is called \"smal\" in datasets/manifest.toml, which knows: small; did you mean \"small\"?"
    );
    assert_eq!(fixture.names("datasets"), ["manifest.toml"]);
}

#[test]
fn the_manifest_that_was_read_is_the_one_that_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let find = || Manifest::read(folder.path()).expect("a manifest").find("nothing like it").map(|_| ());
    let error = expect_error(find(), ErrorKind::Argument, "in the built-in manifest, which knows: emnist-balanced");
    assert!(!error.to_string().contains("manifest.toml"), "{error}");
    fs::write(folder.path().join("manifest.toml"), "").expect("a manifest");
    let error = expect_error(find(), ErrorKind::Argument, "manifest.toml, which knows: none");
    assert!(!error.to_string().contains("built-in"), "{error}");
    let error = Manifest::default().find("mnist").expect_err("it is empty");
    assert_eq!(error.to_string(), "no data set is called \"mnist\" in an empty manifest, which knows: none");
}

#[test]
fn names_that_lead_out_of_the_folder_and_archives_without_a_hash_are_refused() {
    let hash = "0".repeat(64);
    let evil = format!(
        "[evil]\ntitle=\"\"\nclasses=\"01\"\nmirrors=[]\nfiles=[{{name=\"../../x\", bytes=1, sha256=\"{hash}\"}}]"
    );
    expect_error(evil.parse::<Manifest>(), ErrorKind::Manifest, "is no plain name");
    let archive = "[archives.a]\nname = \"a.zip\"\nbytes = 1\nsha256 = \"0\"\nmirrors = []\n";
    expect_error(archive.parse::<Manifest>(), ErrorKind::Manifest, "[archives.a]: sha256 = \"0\" is no SHA-256");
}
