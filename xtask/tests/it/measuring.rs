//! `evaluate`: which images are measured, and what a folder of something else is told.

use std::fs;
use std::path::Path;

use mlp_sweep::{Dataset, RunOptions, Sweep, SweepSpec};
use mnist_io::{LabeledImages, synthetic_digits};
use ndarray::Axis;
use serde_json::Value;

use crate::sandbox::Sandbox;

/// A net in `out` that learned from 150 of 200 images, of which 40 were for validation, and was tested on 60 of 100.
fn trained() -> Sandbox {
    let sandbox = Sandbox::with_digits();
    let (train, test) = LabeledImages::load_folder(sandbox.path("digits")).expect("a small data set");
    let spec = "data = \"./digits\"\nhidden = [8]\nepochs = 2\ntrain_size = 150\ntest_size = 60\nvalidation = 40\n";
    let data = Dataset::images("digits", train, test).expect("a data set");
    let sweep = Sweep::new(SweepSpec::from_toml(spec).expect("a run"), data, sandbox.path("out")).expect("a sweep");
    sweep.run(&RunOptions::default(), &()).expect("a trained network");
    sandbox
}

/// Digits as pictures of their own size, below `folder`, for the classes that are asked for.
fn write_pictures(folder: &Path, classes: &str) {
    let digits = synthetic_digits(60, 9);
    for (index, (image, label)) in digits.images.axis_iter(Axis(0)).zip(&digits.labels).enumerate() {
        if !classes.contains(&label.to_string()) {
            continue;
        }
        let folder = folder.join(label.to_string());
        fs::create_dir_all(&folder).expect("a folder");
        let picture = image::GrayImage::from_fn(28, 28, |x, y| image::Luma([image[[y as usize, x as usize]]]));
        picture.save(folder.join(format!("{index}.png"))).expect("a picture");
    }
}

#[test]
fn every_part_of_the_data_can_be_measured_and_is_named() {
    let sandbox = trained();
    let record = sandbox.only_file("out/trials", ".json");
    let record: Value = serde_json::from_str(&fs::read_to_string(record).expect("a record")).expect("JSON");
    let last = &record["epochs"][2];
    for (part, line) in [
        ("test", "images   60 of the 100 test images of digits\n         as in its run: test_size = 60"),
        (
            "validation",
            "images   the 40 validation images among the 200 training images of digits\n         as in its run: train_size = 150, validation = 40",
        ),
        (
            "train",
            "images   110 of the 200 training images of digits\n         as in its run: train_size = 150, validation = 40",
        ),
    ] {
        let outcome = sandbox.run(["evaluate", "out", "--part", part]).expect_code(0);
        assert!(outcome.stdout.contains(&format!("\n{line}\n")), "{outcome:#?}");
        assert!(outcome.stdout.starts_with("net      out/models/"), "{outcome:#?}");
        assert!(
            outcome.stdout.contains(".safetensors\n         the only trial of its folder\nimages "),
            "{outcome:#?}"
        );
        let outcome = sandbox.run(["evaluate", "out", "--part", part, "--json"]).expect_code(0);
        let result: Value = serde_json::from_str(&outcome.stdout).expect("JSON alone");
        assert_eq!(result["part"], part);
        assert_eq!(result[part], last[part], "as it was measured in the run");
    }
    let outcome = sandbox.run(["evaluate", "out", "--data", "./digits"]).expect_code(0);
    assert!(outcome.stdout.contains("images   all 100 test images of digits\n"), "{outcome:#?}");
    // Whoever names the data of the run gets the parts of the run; other data have none for validation.
    for (part, line) in
        [("validation", "images   the 40 validation images"), ("train", "images   110 of the 200 training")]
    {
        let outcome = sandbox.run(["evaluate", "out", "--data", "./digits", "--part", part]).expect_code(0);
        assert!(outcome.stdout.contains(line), "{outcome:#?}");
    }
    let (train, test) = (synthetic_digits(200, 5), synthetic_digits(100, 6));
    LabeledImages::write_folder(sandbox.path("others"), &train, &test).expect("another data set");
    let outcome = sandbox.run(["evaluate", "out", "--data", "./others", "--part", "validation"]).expect_code(2);
    outcome.expect_error("expected the data of a run with `validation`, found other data, named by --data");
    let outcome = sandbox.run(["evaluate", "out", "--data", "./others", "--part", "train"]).expect_code(0);
    assert!(outcome.stdout.contains("images   all 200 training images of others"), "{outcome:#?}");

    // Only the test images have a place for curves, and data that changed are said.
    let blur = ["evaluate", "out", "--part", "train", "--disturb", "gaussian-blur=1"];
    sandbox.run(blur).expect_code(0).expect_error("they are not those of the trial's test images");
    let (train, test) = (synthetic_digits(200, 5), synthetic_digits(100, 6));
    LabeledImages::write_folder(sandbox.path("digits"), &train, &test).expect("another data set");
    let outcome = sandbox.run(["evaluate", "out"]).expect_code(0);
    outcome.expect_error("note: digits is not what it was when the net was trained on it");
}

#[test]
fn pictures_of_ones_own_are_measured_after_the_import_that_is_advised() {
    let sandbox = trained();
    write_pictures(&sandbox.path("my pictures"), "37");
    let outcome = sandbox.run(["evaluate", "out", "--data", "./my pictures"]).expect_code(3);
    let advice = "cargo xtask data import './my pictures' my-data --test-share 1";
    assert!(outcome.stderr.contains(advice), "{outcome:#?}");
    let outcome = sandbox.run(["data", "import", "my pictures", "my-data", "--test-share", "1"]).expect_code(0);
    assert!(
        outcome.stdout.starts_with("0 training images and 12 test images of 28 × 28 pixels\nclasses 37;"),
        "{outcome:#?}"
    );
    assert!(
        outcome.stdout.ends_with("measure a net on them: cargo xtask evaluate MODEL --data ./my-data\n"),
        "{outcome:#?}"
    );
    // The labels 0 and 1 stand for 3 and 7, as the net has them.
    let outcome = sandbox.run(["evaluate", "out", "--data", "./my-data", "--json"]).expect_code(0);
    let result: Value = serde_json::from_str(&outcome.stdout).expect("JSON alone");
    let shown: Vec<u64> = result["confusion"].as_array().expect("rows").iter().map(sum).collect();
    assert_eq!((shown[3] + shown[7], shown.len()), (12, 10), "{result:#}");
    let outcome = sandbox.run(["evaluate", "out", "--data", "./my-data"]).expect_code(0);
    assert!(outcome.stdout.contains("images   all 12 test images of my-data\n"), "{outcome:#?}");

    sandbox.run(["train", "--data", "./my-data"]).expect_code(3).expect_error("found test images alone");
    let outcome = sandbox.run(["evaluate", "out", "--data", "./my-data", "--part", "train"]).expect_code(2);
    outcome.expect_error("my-data holds test images alone");
}

fn sum(row: &Value) -> u64 {
    row.as_array().expect("a row").iter().filter_map(Value::as_u64).sum()
}

#[test]
fn a_folder_of_something_else_is_told_what_it_is_and_what_to_do() {
    let sandbox = Sandbox::with_digits();
    write_pictures(&sandbox.path("sorted"), "37");
    fs::create_dir(sandbox.path("outer")).expect("a folder");
    fs::rename(sandbox.path("digits"), sandbox.path("outer/digits")).expect("moved");
    for (data, reason) in [
        (
            "./sorted",
            "found folders of pictures; make a data set of them, and name that with --data:\n  cargo xtask data import ./sorted my-data\n",
        ),
        ("./sorted/7", "`cargo xtask predict MODEL ./sorted/7` reads them"),
        ("./outer", "found none, but data in a folder of it; name that: ./outer/digits"),
        ("./outer/digits/train-images-idx3-ubyte.gz", "found a file; name its folder: --data ./outer/digits"),
    ] {
        for command in [&["train", "--data", data][..], &["data", "show", data]] {
            sandbox.run(command).expect_code(3).expect_error(reason);
        }
    }
}
