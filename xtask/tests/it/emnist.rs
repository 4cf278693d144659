//! Letters: a miniature in EMNIST's layout (a ZIP archive of gzip files, images with rows and columns exchanged, labels
//! that count from 1) from the archive to a net that answers in 7-bit ASCII.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use mnist_io::{IdxArray, LabeledImages, synthetic_digits};
use ndarray::Array1;
use serde_json::Value;
use sha2::{Digest, Sha256};
use zip::write::{SimpleFileOptions, ZipWriter};

use crate::interruptions::next;
use crate::sandbox::Sandbox;
use crate::server::{Behaviour, Server};

/// Ten letters, drawn as the ten digits: what a class looks like is all the same to the way through.
const LETTERS: &str = "ABCDEFGHIJ";

/// The sets that the archive holds, upright and counted from 0.
struct Miniature {
    train: LabeledImages,
    test: LabeledImages,
}

impl Miniature {
    fn new() -> Self {
        let letters =
            |n: usize, seed: u64| LabeledImages { classes: LETTERS.chars().collect(), ..synthetic_digits(n, seed) };
        Miniature { train: letters(300, 1), test: letters(100, 2) }
    }

    /// The archive with all members that EMNIST has for a set, and some more.
    fn archive(&self) -> Vec<u8> {
        let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default();
        zip.add_directory("gzip/", options).expect("a folder");
        for (part, set) in [("train", &self.train), ("test", &self.test)] {
            let mut lying = set.images.clone();
            lying.swap_axes(1, 2);
            let images = IdxArray::U8(lying.as_standard_layout().into_owned().into_dyn());
            let from_one = Array1::from_iter(set.labels.iter().map(|label| label + 1));
            let labels = IdxArray::U8(from_one.into_dyn());
            for (name, array) in [("images-idx3", images), ("labels-idx1", labels)] {
                zip.start_file(format!("gzip/emnist-letters-{part}-{name}-ubyte.gz"), options).expect("a member");
                let mut bytes = Vec::new();
                array.write_gzip_to(&mut bytes).expect("bytes");
                zip.write_all(&bytes).expect("bytes");
            }
        }
        zip.start_file("gzip/emnist-letters-mapping.txt", options).expect("a member");
        zip.write_all(b"1 65 97\n2 66 98\n").expect("bytes");
        zip.finish().expect("an archive").into_inner()
    }
}

/// A sandbox whose manifest knows the letters, and the same ones again under another name, in one archive at `mirror`.
fn sandbox_of(archive: &[u8], mirror: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let sha256: String = Sha256::digest(archive).iter().map(|byte| format!("{byte:02x}")).collect();
    let mut manifest = format!(
        "[archives.mini]\nname = \"gzip.zip\"\nbytes = {}\nsha256 = \"{sha256}\"\nmirrors = [\"{mirror}\"]\n",
        archive.len()
    );
    for name in ["letters", "letters-again"] {
        manifest += &format!(
            "\n[{name}]\ntitle = \"letters\"\nclasses = \"{LETTERS}\"\ntrain = 300\ntest = 100\narchive = \"mini\"\n\
             transposed = true\nfirst_label = 1\n"
        );
        for (part, file) in [("train", "train"), ("test", "t10k")] {
            for content in ["images-idx3", "labels-idx1"] {
                manifest += &format!(
                    "\n[[{name}.files]]\nname = \"{file}-{content}-ubyte.gz\"\n\
                     member = \"gzip/emnist-letters-{part}-{content}-ubyte.gz\"\n"
                );
            }
        }
    }
    sandbox.write("datasets/manifest.toml", manifest);
    sandbox
}

#[test]
fn letters_come_out_of_the_archive_upright_and_counted_from_0() {
    let miniature = Miniature::new();
    let archive = miniature.archive();
    let server = Server::new(vec![Behaviour::Body(archive.clone())]);
    let sandbox = sandbox_of(&archive, &server.address);
    sandbox.run(["download", "letters"]).expect_code(0);
    let (train, test) = LabeledImages::load_folder(sandbox.path("datasets/letters")).expect("a set");
    assert_eq!((train, test), (miniature.train, miniature.test));

    // The archive serves the other set, and nothing is done twice.
    sandbox.run(["download", "letters-again"]).expect_code(0);
    let outcome = sandbox.run(["download", "letters"]).expect_code(0);
    assert_eq!(outcome.stdout.matches("already here, verified").count(), 4, "{}", outcome.stdout);
    sandbox.run(["download", "--verify"]).expect_code(0);
    assert_eq!(server.n_requests(), 1);
}

#[test]
fn a_damaged_file_of_letters_is_noticed_and_unpacked_anew_without_a_network() {
    let archive = Miniature::new().archive();
    let server = Server::new(vec![Behaviour::Body(archive.clone())]);
    let sandbox = sandbox_of(&archive, &server.address);
    sandbox.run(["download", "letters"]).expect_code(0);
    for name in ["train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz"] {
        let path = sandbox.path("datasets/letters").join(name);
        let whole = fs::read(&path).expect("a file");
        let mut damaged = whole.clone();
        damaged[whole.len() / 2] ^= 1;
        fs::write(&path, damaged).expect("a file");
        sandbox.run(["download", "letters", "--verify"]).expect_code(4).expect_error("SHA256SUMS says");
        let outcome = sandbox.run(["download", "letters"]).expect_code(0);
        assert!(outcome.stdout.contains("was damaged, replaced, verified"), "{}", outcome.stdout);
        assert_eq!(fs::read(&path).expect("a file"), whole);
    }
    fs::remove_file(sandbox.path("datasets/letters/SHA256SUMS")).expect("a file");
    sandbox.run(["download", "letters", "--verify"]).expect_code(4).expect_error("is not written down in SHA256SUMS");
    sandbox.run(["download", "letters"]).expect_code(0);
    assert_eq!(server.n_requests(), 1);
}

#[test]
fn an_archive_is_taken_from_a_folder_or_a_file_and_verified_there() {
    let archive = Miniature::new().archive();
    let sandbox = sandbox_of(&archive, "http://no-such-host.invalid/");
    fs::create_dir(sandbox.path("stick")).expect("a folder");
    sandbox.run(["download", "letters", "--from", "stick"]).expect_code(4).expect_error("gzip.zip is missing");
    let mut damaged = archive.clone();
    damaged[100] ^= 1;
    let path = sandbox.write("stick/gzip.zip", damaged);
    let path = path.to_str().expect("UTF-8");
    for from in ["stick", path] {
        sandbox.run(["download", "letters", "--from", from]).expect_code(4).expect_error("has SHA-256");
    }
    sandbox.write("stick/gzip.zip", &archive);
    sandbox.run(["download", "letters", "--from", "stick"]).expect_code(0);
    sandbox.run(["download", "letters-again", "--from", path]).expect_code(0);
    assert!(!sandbox.path("datasets/archives").exists(), "nothing is copied that is at hand");
}

#[test]
fn a_manifest_that_does_not_fit_the_archive_is_code_3_and_leaves_no_part_of_a_set() {
    let archive = Miniature::new().archive();
    let server = Server::new(vec![Behaviour::Body(archive.clone())]);
    for (from, to, reason) in [
        ("train = 300", "train = 301", "expected an array of 301 samples"),
        ("first_label = 1", "first_label = 2", "expected labels that count from 2"),
        (
            "gzip/emnist-letters-train-images",
            "gzip/emnist-digits-train-images",
            "member gzip/emnist-digits-train-images",
        ),
    ] {
        let sandbox = sandbox_of(&archive, &server.address);
        let manifest = fs::read_to_string(sandbox.path("datasets/manifest.toml")).expect("a manifest");
        sandbox.write("datasets/manifest.toml", manifest.replace(from, to));
        let outcome = sandbox.run(["download", "letters"]).expect_code(3).expect_error(reason);
        outcome.expect_error("gzip.zip, member gzip/emnist-");
        let names = sandbox.files("datasets/letters");
        assert!(names.iter().all(|name| !name.to_string_lossy().contains("partial")), "{names:?}");
        sandbox.run(["train", "--data", "letters"]).expect_code(5);
    }
    let sandbox = sandbox_of(b"no archive at all", &server.address);
    sandbox.write("gzip.zip", "no archive at all");
    let outcome = sandbox.run(["download", "letters", "--from", "gzip.zip"]).expect_code(3);
    outcome.expect_error("expected a ZIP archive");
}

#[test]
fn kills_while_letters_are_unpacked_leave_whole_files_or_none() {
    let miniature = Miniature::new();
    let archive = miniature.archive();
    let sandbox = sandbox_of(&archive, "http://no-such-host.invalid/");
    sandbox.write("gzip.zip", &archive);
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

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full_while_letters_are_unpacked_is_code_5_and_leaves_no_part_of_a_file() {
    let archive = Miniature::new().archive();
    let sandbox = sandbox_of(&archive, "http://no-such-host.invalid/");
    sandbox.write("gzip.zip", &archive);
    let arguments = ["download", "letters", "--from", "gzip.zip"];
    let outcome = crate::interruptions::run_on_small_disk(&sandbox, "datasets/letters", 32, &arguments);
    let Some(outcome) = outcome else { return };
    let outcome = outcome.expect_code(5).expect_error("No space left on device");
    assert_eq!(outcome.stdout.trim(), "left: .lock classes.txt", "{outcome:#?}");
}

#[test]
fn a_net_learns_letters_as_seven_bits_and_says_them_as_characters() {
    let archive = Miniature::new().archive();
    let sandbox = sandbox_of(&archive, "http://no-such-host.invalid/");
    sandbox.write("gzip.zip", &archive);
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
