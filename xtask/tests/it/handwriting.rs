//! `predict` on pictures as people have them, and sets of pictures that are no handwriting.

use std::fs;

use image::{GrayImage, Luma};
use mnist_io::synthetic_digits;
use ndarray::Axis;
use serde_json::Value;

use crate::sandbox::{Outcome, Sandbox};

const SMALL: [&str; 8] =
    ["--data", "synthetic", "--set", "train_size=300", "--set", "hidden=[16]", "--set", "epochs=2"];

/// Three digits beside each other, dark on light, four times as large as in the set.
fn write_row(sandbox: &Sandbox) {
    let digits = synthetic_digits(3, 3).images;
    let row = GrayImage::from_fn(360, 112, |x, y| {
        let digit = digits.index_axis(Axis(0), x as usize / 120);
        let level = digit.get((y as usize / 4, x as usize % 120 / 4)).copied().unwrap_or(0);
        Luma([230 - level / 5 * 4])
    });
    row.save(sandbox.path("row.png")).expect("a picture");
}

fn first_line(outcome: &Outcome, name: &str) -> String {
    let line = outcome.stdout.lines().find(|line| line.starts_with(name));
    line.unwrap_or_else(|| panic!("a line that begins with {name}: {outcome:#?}")).to_owned()
}

#[test]
fn a_row_is_read_by_the_newest_net_with_a_box_for_each_character() {
    let sandbox = Sandbox::new();
    write_row(&sandbox);
    let without = sandbox.run(["predict", "row.png"]).expect_code(5);
    without.expect_error("expected a model, found none in").expect_error("cargo xtask train");
    sandbox.run(["train"].iter().chain(&SMALL)).expect_code(0);

    let outcome = sandbox.run(["predict", "row.png"]).expect_code(0);
    assert!(outcome.stdout.contains("the newest in runs/"), "{outcome:#?}");
    let line = first_line(&outcome, "row.png: ");
    assert_eq!(line.split(' ').count(), 4, "{outcome:#?}");
    let boxes: Vec<&str> = outcome.stdout.lines().filter(|line| line.contains(" × ") && line.contains(" %")).collect();
    assert_eq!(boxes.len(), 3, "{outcome:#?}");
    assert!(outcome.stdout.lines().all(|line| line.chars().count() <= 130), "{outcome:#?}");

    let single = sandbox.run(["predict", "row.png", "--single", "--quiet"]).expect_code(0);
    assert!(!first_line(&single, "row.png: ").contains("  "), "{single:#?}");
    let json = sandbox.run(["predict", "row.png", "--json"]).expect_code(0);
    let values: Value = serde_json::from_str(&json.stdout).expect("JSON alone");
    assert_eq!(values[0]["characters"].as_array().map(Vec::len), Some(3), "{values:#}");
    assert!(values[0]["sure_of_writing"].as_f64().is_some_and(|sure| sure > 0.5), "{values:#}");
}

#[test]
fn the_steps_of_a_picture_that_is_refused_are_written_all_the_same() {
    let sandbox = Sandbox::new();
    sandbox.run(["train"].iter().chain(&SMALL)).expect_code(0);
    GrayImage::from_pixel(80, 60, Luma([240])).save(sandbox.path("blank.png")).expect("a picture");
    sandbox.run(["predict", "blank.png", "--show", "steps"]).expect_code(3).expect_error("a blank page");
    assert!(sandbox.path("steps/blank-1-grey.png").is_file());
}

#[test]
fn nets_of_pictures_that_were_taken_as_they_are_take_others_so_too() {
    let sandbox = Sandbox::new();
    for (index, digit) in synthetic_digits(40, 3).images.axis_iter(Axis(0)).enumerate() {
        let folder = sandbox.path(&format!("things/{}", index % 2));
        fs::create_dir_all(&folder).expect("a folder");
        // Grey all over: neither ink nor page.
        let thing = GrayImage::from_fn(28, 28, |x, y| Luma([90 + digit[[y as usize, x as usize]] / 2]));
        thing.save(folder.join(format!("{index:02}.png"))).expect("a picture");
    }
    sandbox.run(["data", "import", "things", "set", "--as-is"]).expect_code(0);
    sandbox
        .run(["train", "--data", "./set", "--set", "hidden=[8]", "--set", "epochs=1", "--out", "out"])
        .expect_code(0);
    let outcome = sandbox.run(["predict", "out", "things/0/00.png"]).expect_code(0);
    assert!(
        outcome.stdout.contains("1. as it is: The picture has 28 × 28 pixels, as the net reads them"),
        "{outcome:#?}"
    );
    // A set that is imported anew in the usual way loses the mark.
    sandbox.run(["data", "import", "things", "set", "--as-is", "--replace"]).expect_code(0);
    assert!(sandbox.path("set/pictures-as-they-are.txt").is_file());
}

#[test]
fn a_table_with_a_row_for_each_image_becomes_a_data_set() {
    let sandbox = Sandbox::new();
    let digits = synthetic_digits(60, 3);
    let mut table = "label".to_owned();
    (0..784).for_each(|pixel| table.push_str(&format!(",pixel{pixel}")));
    for (image, label) in digits.images.axis_iter(Axis(0)).zip(&digits.labels) {
        table.push_str(&format!("\n{label}"));
        image.iter().for_each(|pixel| table.push_str(&format!(",{pixel}")));
    }
    sandbox.write("train.csv", table);
    let outcome = sandbox.run(["data", "import", "train.csv", "set"]).expect_code(0);
    assert!(outcome.stdout.contains("of 28 × 28 pixels"), "{outcome:#?}");
    sandbox
        .run(["train", "--data", "./set", "--set", "hidden=[8]", "--set", "epochs=1", "--out", "out"])
        .expect_code(0);
    sandbox.write("test.csv", "pixel0,pixel1\n0,0\n");
    sandbox.run(["data", "import", "test.csv", "other"]).expect_code(3).expect_error("785 columns for 28 × 28");
}
