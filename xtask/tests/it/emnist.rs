//! Letters: a miniature in EMNIST's layout from the archive to a net that answers in 7-bit ASCII; and what happens when the
//! program is killed, or the disk is full, while they are unpacked.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use mnist_io::{IdxArray, LabeledImages};
use serde_json::Value;

use crate::interruptions::next;
use crate::miniature::{LETTERS, Miniature, manifest};
use crate::sandbox::Sandbox;
use crate::server::{Behaviour, Server};

/// A sandbox whose manifest knows the letters, in an archive that lies in its root.
fn sandbox_of(archive: &[u8]) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("datasets/manifest.toml", manifest(archive, "http://no-such-host.invalid/"));
    sandbox.write("gzip.zip", archive);
    sandbox
}

#[test]
fn an_archive_that_does_not_fit_its_manifest_or_cannot_be_had_ends_with_the_code_of_its_fault() {
    let archive = Miniature::new().archive();
    let sandbox = sandbox_of(&archive);
    let download = ["download", "letters", "--from", "gzip.zip"];
    let text = fs::read_to_string(sandbox.path("datasets/manifest.toml")).expect("a manifest");
    sandbox.write("datasets/manifest.toml", text.replace("train = 300", "train = 301"));
    sandbox.run(download).expect_code(3).expect_error("gzip.zip, member gzip/emnist-letters-train-images");
    // What has arrived is no set.
    sandbox.run(["train", "--data", "letters"]).expect_code(5);
    sandbox.write("datasets/manifest.toml", text);
    sandbox.write("gzip.zip", "something else");
    sandbox.run(download).expect_code(4).expect_error("--from gzip.zip has 14 bytes");
    fs::create_dir(sandbox.path("stick")).expect("a folder");
    sandbox.run(["download", "letters", "--from", "stick"]).expect_code(4).expect_error("stick/gzip.zip is missing");
    sandbox.write("gzip.zip", archive);
    let outcome = sandbox.run(download).expect_code(0);
    assert_eq!(outcome.stdout.matches("downloaded, verified").count(), 4, "{}", outcome.stdout);
    sandbox.run(["download", "--verify"]).expect_code(0);
}

#[test]
fn an_archive_that_was_fetched_is_kept_for_the_other_sets_which_is_said() {
    let archive = Miniature::new().archive();
    let server = Server::new(vec![Behaviour::Body(archive.clone())]);
    let sandbox = Sandbox::new();
    sandbox.write("datasets/manifest.toml", manifest(&archive, &server.address));
    let outcome = sandbox.run(["download", "letters"]).expect_code(0);
    outcome.expect_error("gzip.zip serves the other sets of this archive too");
    let outcome = sandbox.run(["download", "letters-again"]).expect_code(0);
    assert!(outcome.stderr.is_empty(), "{outcome:#?}");
    let outcome = sandbox.run(["download", "letters"]).expect_code(0);
    assert_eq!(outcome.stdout.matches("already here, verified").count(), 4, "{}", outcome.stdout);
    assert_eq!(server.n_requests(), 1);
    let path = sandbox.path("datasets/letters/train-labels-idx1-ubyte.gz");
    let mut damaged = fs::read(&path).expect("a file");
    damaged[20] ^= 1;
    fs::write(&path, damaged).expect("a file");
    sandbox.run(["download", "letters", "--verify"]).expect_code(4).expect_error("SHA256SUMS says");
}

#[test]
fn kills_while_letters_are_unpacked_leave_whole_files_or_none() {
    let miniature = Miniature::new();
    let archive = miniature.archive();
    let sandbox = sandbox_of(&archive);
    let folder = sandbox.path("datasets/letters");
    let (mut random, mut n_kills, mut n_whole) = (3, 0, 0);
    for _ in 0..60 {
        let mut command = sandbox.command(["download", "letters", "--from", "gzip.zip"]);
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
        std::thread::sleep(Duration::from_micros(next(&mut random) % 60_000));
        let is_killed = process.try_wait().expect("a state").is_none();
        process.kill().expect("a kill");
        process.wait().expect("an end");
        n_kills += u32::from(is_killed);
        for path in sandbox.files("datasets/letters") {
            if path.extension().is_some_and(|ending| ending == "gz") && !is_hidden(&path) {
                IdxArray::read(&path).expect("a whole file under a final name");
                n_whole += 1;
            }
        }
        // Now and then from the beginning.
        if next(&mut random).is_multiple_of(4) {
            let _ = fs::remove_dir_all(&folder);
        }
    }
    assert!(n_kills > 0);
    println!("{n_kills} kills, {n_whole} files under final names, all whole");
    sandbox.run(["download", "letters", "--from", "gzip.zip"]).expect_code(0);
    let sets = LabeledImages::load_folder(&folder).expect("a set");
    assert_eq!(sets, (miniature.train, miniature.test));
    assert_eq!(sandbox.files("datasets/letters").len(), 7, "{:?}", sandbox.files("datasets/letters"));
}

/// Whether everything that bears a final name is whole.
#[cfg(unix)]
fn check_final_names(sandbox: &Sandbox) {
    for path in sandbox.files("datasets/letters").iter().filter(|path| !is_hidden(path)) {
        if path.extension().is_some_and(|ending| ending == "gz") {
            IdxArray::read(path).unwrap_or_else(|error| panic!("{error}"));
        }
    }
}

#[cfg(unix)]
#[test]
fn killed_or_refused_at_each_step_of_each_write_a_later_download_finishes() {
    let miniature = Miniature::new();
    let sandbox = sandbox_of(&miniature.archive());
    let arguments = ["download", "letters", "--from", "gzip.zip"];
    // Of a file that is whole and has its name, the folder may fail to be synced; and the last steps need no space.
    for (kind, n_expected) in [("kill", N_STEPS), ("fail", N_STEPS - 4), ("full", N_STEPS - 2)] {
        let mut n_ended = 0;
        for step in 1..=N_STEPS + 1 {
            let mut command = sandbox.command(arguments);
            let output = command.env("DURABLE_FILE_FAULT", format!("{kind}:{step}")).output().expect("a start");
            let outcome = sandbox.outcome(output);
            check_final_names(&sandbox);
            if outcome.code != 0 {
                n_ended += 1;
                assert!(kind == "kill" || outcome.code == 5, "{kind} at step {step}: {outcome:#?}");
            }
            sandbox.run(arguments).expect_code(0);
            assert_eq!(sandbox.files("datasets/letters").len(), 7, "{:?}", sandbox.files("datasets/letters"));
            let sets = LabeledImages::load_folder(sandbox.path("datasets/letters")).expect("a set");
            assert!(sets.0 == miniature.train && sets.1 == miniature.test, "{kind} at step {step}");
            fs::remove_dir_all(sandbox.path("datasets/letters")).expect("a folder");
        }
        assert_eq!(n_ended, n_expected, "{kind}");
    }
}

/// Six for the classes; for each of four files three, and six for the hashes.
#[cfg(unix)]
const N_STEPS: usize = 6 + 4 * (3 + 6);

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full_while_letters_are_unpacked_is_code_5_and_leaves_no_part_of_a_file() {
    let archive = Miniature::new().archive();
    let sandbox = sandbox_of(&archive);
    let arguments = ["download", "letters", "--from", "gzip.zip"];
    let outcome = crate::interruptions::run_on_small_disk(&sandbox, "datasets/letters", 32, &arguments);
    let Some(outcome) = outcome else { return };
    let outcome = outcome.expect_code(5).expect_error("No space left on device");
    assert_eq!(outcome.stdout.trim(), "left: .lock classes.txt", "{outcome:#?}");
}

#[test]
fn a_net_learns_letters_as_seven_bits_and_says_them_as_characters() {
    let archive = Miniature::new().archive();
    let sandbox = sandbox_of(&archive);
    sandbox.run(["download", "letters", "--from", "gzip.zip"]).expect_code(0);
    let arguments = ["--set", "hidden=[32]", "--set", "epochs=12", "--set", "encoding=ascii", "--out", "out"];
    let outcome = sandbox.run(["train", "--data", "letters"].iter().chain(&arguments)).expect_code(0);
    assert!(outcome.stdout.contains("all 7 bits right"), "{}", outcome.stdout);
    assert!(!outcome.stdout.contains("digit"), "{}", outcome.stdout);

    let record = fs::read_to_string(sandbox.only_file("out/trials", ".json")).expect("a record");
    let record: Value = serde_json::from_str(&record).expect("JSON");
    assert_eq!(record["data"]["classes"], LETTERS);
    assert_eq!(record["layers"], serde_json::json!([784, 32, 7]));
    for mistake in record["mistakes"].as_array().expect("a list") {
        let label = mistake["label"].as_str().expect("a character");
        assert!(LETTERS.contains(label), "{mistake}");
    }

    let model = sandbox.only_file("out/models", ".safetensors");
    let model = model.to_str().expect("UTF-8");
    sandbox.run(["data", "export", "letters", "--png", "pictures"]).expect_code(0);
    let pictures = sandbox.files("pictures/train/02-C");
    assert!(!pictures.is_empty());
    let large = sandbox.path("large.png");
    let small = image::open(&pictures[0]).expect("a picture");
    small.resize(280, 280, image::imageops::FilterType::Triangle).save(&large).expect("a picture");
    let outcome = sandbox.run(["predict", model, "large.png", "--json"]).expect_code(0);
    let answer: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert_eq!(answer[0]["bits"].as_array().map(Vec::len), Some(7));
    assert!(LETTERS.contains(answer[0]["nearest"].as_str().expect("a character")), "{answer}");

    let outcome = sandbox.run(["evaluate", model]).expect_code(0);
    assert!(!outcome.stdout.contains("digit") && outcome.stdout.contains("all 7 bits right"), "{}", outcome.stdout);
    let report = fs::read_to_string(sandbox.path("out/report.html")).expect("a report");
    assert!(!report.contains("igit accuracy"), "the report speaks of digits");
}
