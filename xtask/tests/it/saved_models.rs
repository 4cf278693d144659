//! `evaluate` and `predict`: what can be done with a saved model.

use std::fs;
use std::path::PathBuf;

use mlp_sweep::{Dataset, RunOptions, Sweep, SweepSpec};
use mnist_io::{LabeledImages, synthetic_digits};
use ndarray::Axis;
use serde_json::Value;

use crate::sandbox::Sandbox;

/// A sandbox with a small trained model, as `train` leaves it, but for the report.
fn trained() -> (Sandbox, String) {
    let sandbox = Sandbox::with_digits();
    let (train, test) = LabeledImages::load_folder(sandbox.path("digits")).expect("a small data set");
    let spec = SweepSpec::from_toml("data = \"./digits\"\nhidden = [8]\nepochs = 3\n").expect("a run");
    let data = Dataset::images("digits", train, test).expect("a data set");
    let sweep = Sweep::new(spec, data, sandbox.path("out")).expect("a sweep");
    sweep.run(&RunOptions::default(), &()).expect("a trained network");
    let model = sandbox.only_file("out/models", ".safetensors");
    let model = model.to_str().expect("a path").to_owned();
    (sandbox, model)
}

/// A picture of a digit, dark on light, four times as large as the net's.
fn photo(sandbox: &Sandbox, name: &str) -> PathBuf {
    let digits = synthetic_digits(1, 3);
    let digit = digits.images.index_axis(Axis(0), 0);
    let picture = image::GrayImage::from_fn(140, 140, |x, y| {
        let (row, column) = ((y as usize / 5).min(27), (x as usize / 5).min(27));
        image::Luma([255 - digit[[row, column]]])
    });
    let path = sandbox.path(name);
    picture.save(&path).expect("a picture");
    path
}

#[test]
fn curves_of_disturbed_images_begin_with_the_clean_ones_and_are_stored_beside_the_trial() {
    let (sandbox, model) = trained();
    let outcome = sandbox.run(["evaluate", &model, "--disturb", "gaussian-blur=2,0.5", "--json"]).expect_code(0);
    let result: Value = serde_json::from_str(&outcome.stdout).expect("JSON alone");
    let points = result["robustness"][0]["points"].as_array().expect("points");
    let strengths: Vec<f64> = points.iter().filter_map(|point| point[0].as_f64()).collect();
    assert_eq!(strengths, [0.0, 0.5, 2.0]);
    assert_eq!(points[0][1], result["test"]);
    let record = fs::read_to_string(sandbox.only_file("out/trials", ".json")).expect("a record");
    let record: Value = serde_json::from_str(&record).expect("JSON");
    assert_eq!(result["test"], record["epochs"][3]["test"]);
    assert_eq!(result["confusion"], record["confusion"]);

    sandbox.run(["evaluate", &model, "--disturb", "salt-and-pepper=0.1"]).expect_code(0);
    let stored = fs::read_to_string(sandbox.only_file("out/robustness", ".json")).expect("curves");
    let stored: Value = serde_json::from_str(&stored).expect("JSON");
    assert_eq!(stored.as_array().map(Vec::len), Some(2), "an earlier disturbance is kept");
    assert!(fs::read_to_string(sandbox.path("out/report.html")).expect("a report").contains("salt-and-pepper"));
}

#[test]
fn strengths_add_up_and_nothing_that_is_stored_is_lost() {
    let (sandbox, model) = trained();
    let stored = |sandbox: &Sandbox| -> Value {
        let text = fs::read_to_string(sandbox.only_file("out/robustness", ".json")).expect("curves");
        serde_json::from_str(&text).expect("JSON")
    };
    sandbox.run(["evaluate", &model, "--disturb", "gaussian-blur=2,0.5"]).expect_code(0);
    // What the trial was tested on belongs to it, named or not.
    let again = ["evaluate", &model, "--disturb", "gaussian-blur=1,2", "--data", "digits"];
    sandbox.run(again).expect_code(0);
    let before = stored(&sandbox);
    let points = before[0]["points"].as_array().expect("points");
    let strengths: Vec<f64> = points.iter().filter_map(|point| point[0].as_f64()).collect();
    assert_eq!(strengths, [0.0, 0.5, 1.0, 2.0]);

    let blur = ["evaluate", &model, "--disturb", "gaussian-blur=4"];
    let elsewhere = sandbox.run(blur.iter().chain(&["--data", "synthetic"])).expect_code(0);
    elsewhere.expect_error("not stored beside trial").expect_error("this is other data");
    if mlp_core::Kernel::detect().name() != "portable" {
        let outcome = sandbox.run(blur.iter().chain(&["--kernel", "portable"])).expect_code(0);
        outcome.expect_error("by the kernel");
    }
    assert_eq!(stored(&sandbox), before);

    let path = sandbox.only_file("out/robustness", ".json");
    fs::write(&path, "[{").expect("damage");
    let outcome = sandbox.run(blur).expect_code(3).expect_error("the curves of an earlier `evaluate`");
    assert!(outcome.stdout.contains("gaussian-blur"), "the results are shown all the same: {outcome:#?}");
    assert_eq!(fs::read_to_string(&path).expect("the file is as it was"), "[{");
}

#[test]
fn a_model_that_was_deleted_is_offered_to_nobody() {
    let sandbox = Sandbox::with_digits();
    let outcome = sandbox.train("out", &[]).expect_code(0);
    assert!(outcome.stdout.contains("next     cargo xtask predict"), "{}", outcome.stdout);
    fs::remove_file(sandbox.only_file("out/models", ".safetensors")).expect("deleted");
    let outcome = sandbox.train("out", &[]).expect_code(0);
    assert!(outcome.stdout.contains("is gone; once its record"), "{}", outcome.stdout);
    assert!(!outcome.stdout.contains("xtask predict"), "{}", outcome.stdout);
    // It says what helps.
    fs::remove_file(sandbox.only_file("out/trials", ".json")).expect("deleted");
    let outcome = sandbox.train("out", &[]).expect_code(0);
    assert!(outcome.stdout.contains("next     cargo xtask predict"), "{}", outcome.stdout);
}

#[test]
fn pictures_of_the_same_name_do_not_overwrite_each_others_steps() {
    let (sandbox, model) = trained();
    photo(&sandbox, "one.png");
    fs::create_dir(sandbox.path("other")).expect("a folder");
    photo(&sandbox, "other/one.png");
    sandbox.run(["predict", &model, "one.png", "--show", "single"]).expect_code(0);
    sandbox.run(["predict", &model, "one.png", "other/one.png", "--show", "both"]).expect_code(0);
    assert_eq!(sandbox.files("both").len(), 2 * sandbox.files("single").len());
}

#[test]
fn disturbances_out_of_range_are_refused() {
    let (sandbox, model) = trained();
    for (text, reason) in [
        ("gaussian-blur", "expected NAME=STRENGTH"),
        ("gaussian-blurr=1", "gaussian-blur"),
        ("gaussian-blur=-1", "0 or more"),
        ("gaussian-blur=nan", "0 or more"),
        ("gaussian-blur=x", "expected numbers"),
        ("salt-and-pepper=2", "from 0 to 1"),
    ] {
        sandbox.run(["evaluate", &model, "--disturb", text]).expect_code(2).expect_error(reason);
    }
    sandbox.run(["evaluate", &model, "--disturb", "gaussian-blur=1e9"]).expect_code(0);
}

#[test]
fn a_picture_is_read_bit_by_bit_with_what_was_done_to_it() {
    let (sandbox, model) = trained();
    photo(&sandbox, "one.png");
    photo(&sandbox, "another one.png");
    let outcome = sandbox.run(["predict", &model, "one.png", "another one.png", "--show", "steps"]).expect_code(0);
    for words in ["one.png: ", "another one.png: ", "what the net saw", "what was done to the picture", "least sure"] {
        assert!(outcome.stdout.contains(words), "{words}: {outcome:#?}");
    }
    assert!(sandbox.files("steps").len() >= 4);
    let outcome = sandbox.run(["predict", &model, "one.png", "--json"]).expect_code(0);
    let rows: Value = serde_json::from_str(&outcome.stdout).expect("JSON alone");
    assert_eq!(rows[0]["bits"].as_array().map(Vec::len), Some(6));
    assert!(rows[0]["nearest"].is_string());
}

#[test]
fn a_blank_page_is_refused_and_does_not_keep_others_from_being_read() {
    let (sandbox, model) = trained();
    photo(&sandbox, "good.png");
    image::GrayImage::from_pixel(100, 100, image::Luma([255])).save(sandbox.path("blank.png")).expect("a picture");
    let outcome = sandbox.run(["predict", &model, "blank.png", "good.png"]).expect_code(3);
    assert!(outcome.stdout.contains("good.png: "));
    outcome.expect_error("blank.png");
    sandbox.write("no.png", "not a picture");
    sandbox.run(["predict", &model, "no.png"]).expect_code(3).expect_error("no.png");
    sandbox.run(["predict", &model, "none.png"]).expect_code(5).expect_error("none.png");
}

#[test]
fn files_that_are_no_models_are_refused() {
    let (sandbox, model) = trained();
    let bytes = fs::read(&model).expect("a model");
    sandbox.write("cut.safetensors", &bytes[..bytes.len() / 2]);
    sandbox.write("flipped.safetensors", {
        let mut flipped = bytes.clone();
        let last = flipped.len() - 10;
        flipped[last] ^= 0x40;
        flipped
    });
    sandbox.write("page.safetensors", "<html>");
    sandbox.write("empty.safetensors", "");
    sandbox.write("pointer.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:00\n");
    let substitutes = [("page", "an HTML page"), ("empty", "an empty file"), ("pointer", "a Git LFS pointer")];
    for (name, found) in substitutes {
        let outcome = sandbox.run(["evaluate", &format!("{name}.safetensors")]).expect_code(3);
        outcome.expect_error(&format!("{name}.safetensors: header: expected a safetensors file, found {found}"));
    }
    for name in ["cut.safetensors", "flipped.safetensors", "page.safetensors"] {
        sandbox.run(["evaluate", name]).expect_code(3).expect_error(name);
        sandbox.run(["predict", name, "x.png"]).expect_code(3).expect_error(name);
    }
    sandbox.run(["evaluate", "digits"]).expect_code(5);
}

#[test]
fn other_data_than_the_model_was_trained_on_can_be_named_and_must_fit() {
    let (sandbox, model) = trained();
    let outcome = sandbox.run(["evaluate", &model, "--data", "synthetic"]).expect_code(0);
    assert!(outcome.stdout.contains("2,000 test images of synthetic"));
    let small =
        mnist_io::LabeledImages::new(ndarray::Array3::zeros((3, 5, 5)), vec![0, 1, 2], mnist_io::digit_classes());
    let small = small.expect("a small set");
    mnist_io::LabeledImages::write_folder(sandbox.path("tiny"), &small, &small).expect("a folder");
    sandbox.run(["evaluate", &model, "--data", "./tiny"]).expect_code(3).expect_error("expected images of 784 pixels");
}
