//! `predict` with folders: of a run, of pictures; and with nets that read images of other sizes than MNIST's.

use std::fs;
use std::path::{Path, PathBuf};

use mlp_sweep::{Dataset, RunOptions, Sweep, SweepSpec};
use mnist_io::{LabeledImages, synthetic_digits};
use ndarray::{Axis, s};
use serde_json::Value;

use crate::sandbox::Sandbox;

/// Trains three nets on `digits` into `out`.
fn train(sandbox: &Sandbox, [train, test]: [LabeledImages; 2]) {
    let spec = "data = \"./digits\"\nhidden = [8]\nepochs = 2\n[sweep]\nseed = [0, 1, 2]\n";
    let data = Dataset::images("digits", train, test).expect("a data set");
    let sweep = Sweep::new(SweepSpec::from_toml(spec).expect("a sweep"), data, sandbox.path("out")).expect("a sweep");
    sweep.run(&RunOptions::default(), &()).expect("trained networks");
}

/// Digits dark on light, four times as large, as 0.png, 1.png and so on.
fn write_photos(folder: &Path, n_photos: usize) {
    fs::create_dir_all(folder).expect("a folder");
    for (index, digit) in synthetic_digits(n_photos, 3).images.axis_iter(Axis(0)).enumerate() {
        let photo =
            image::GrayImage::from_fn(112, 112, |x, y| image::Luma([255 - digit[[y as usize / 4, x as usize / 4]]]));
        photo.save(folder.join(format!("{index}.png"))).expect("a picture");
    }
}

/// The model that the program names as the best one of `out`.
fn best_model(sandbox: &Sandbox, picture: &str) -> PathBuf {
    let outcome = sandbox.run(["predict", "out", picture, "--quiet"]).expect_code(0);
    let mut lines = outcome.stdout.lines();
    let path = lines.next().and_then(|line| line.strip_prefix("net      ")).expect("a path");
    assert_eq!(lines.next(), Some("         the best of the 3 trials of its folder, by test.accuracy"), "{outcome:#?}");
    sandbox.path(path)
}

#[test]
fn the_folder_of_a_run_stands_for_its_best_net_and_a_folder_of_pictures_for_all_of_them() {
    let sandbox = Sandbox::new();
    train(&sandbox, [synthetic_digits(200, 1), synthetic_digits(100, 2)]);
    write_photos(&sandbox.path("photos"), 3);
    sandbox.write("photos/notes.txt", "no picture");
    image::GrayImage::from_pixel(90, 90, image::Luma([255])).save(sandbox.path("photos/blank.png")).expect("a picture");

    let best = mlp_results::best(mlp_results::RunFolder::new(sandbox.path("out")).records().values()).cloned();
    let best = best.expect("a best trial").trial;
    assert!(best_model(&sandbox, "photos/0.png").ends_with(format!("{best}.safetensors")));

    let outcome = sandbox.run(["predict", "out", "photos", "--quiet"]).expect_code(3);
    let lines: Vec<&str> = outcome.stdout.lines().skip(3).collect();
    assert_eq!(lines.len(), 6, "a head, four pictures and a sum: {outcome:#?}");
    assert_eq!(lines[0], "picture             answer  nearest      in all");
    assert!(lines[1].starts_with("photos/0.png ") && lines[1].ends_with(" %"), "{outcome:#?}");
    assert_eq!(lines[4..], ["photos/blank.png  not read", "3 pictures read, 1 not"]);
    assert!(outcome.stdout.lines().all(|line| line.chars().count() <= 80), "{outcome:#?}");
    outcome.expect_error("photos/blank.png");

    // In full, the table comes last; machines have one list.
    let outcome = sandbox.run(["predict", "out", "photos/0.png", "photos/1.png"]).expect_code(0);
    let end: Vec<&str> = outcome.stdout.lines().rev().take(3).collect();
    assert!(end[2].starts_with("picture ") && end[0].starts_with("photos/1.png "), "{outcome:#?}");
    let outcome = sandbox.run(["predict", "out", "photos", "--json"]).expect_code(3);
    let values: Value = serde_json::from_str(&outcome.stdout).expect("JSON alone");
    assert_eq!(values.as_array().map(Vec::len), Some(4));
}

#[test]
fn several_nets_answer_by_the_mean_of_their_outputs_and_are_named() {
    let sandbox = Sandbox::with_digits();
    let (learned, tested) = LabeledImages::load_folder(sandbox.path("digits")).expect("a small data set");
    train(&sandbox, [learned, tested]);
    write_photos(&sandbox.path("photos"), 2);
    let mut models: Vec<String> = fs::read_dir(sandbox.path("out/models"))
        .expect("models")
        .map(|entry| format!("out/models/{}", entry.expect("a model").file_name().display()))
        .collect();
    models.sort();
    let outputs = |arguments: &[&str]| -> Vec<f64> {
        let all = [&["predict", "--json"], arguments].concat();
        let answers: Value = serde_json::from_str(&sandbox.run(all).expect_code(0).stdout).expect("JSON");
        let bits = answers[0]["bits"].as_array().expect("bits").clone();
        bits.iter().map(|bit| bit["output"].as_f64().expect("a number")).collect()
    };
    let each: Vec<Vec<f64>> = models.iter().map(|model| outputs(&[model, "photos/0.png"])).collect();
    let [a, b, c] = [0, 1, 2].map(|index| models[index].as_str());
    // Models may stand behind pictures, too: they are known by their names.
    let together = outputs(&[a, "photos/0.png", b, c]);
    for (bit, mean) in together.iter().enumerate() {
        assert!((mean - each.iter().map(|one| one[bit]).sum::<f64>() / 3.0).abs() < 1e-12);
    }
    let answers = sandbox.run(["predict", a, b, "photos", "--json"]).expect_code(0).stdout;
    let answers: Value = serde_json::from_str(&answers).expect("JSON");
    assert_eq!(answers[1]["models"], serde_json::json!([a, b]));
    // The folder of a run stands for its best net, here too.
    let best = best_model(&sandbox, "photos/0.png");
    let other = if best.ends_with(a) { b } else { a };
    let outcome = sandbox.run(["predict", "out", other, "photos", "--quiet"]).expect_code(0);
    let head = "nets     2, whose outputs are averaged:\nnet      out/models/";
    assert!(
        outcome.stdout.starts_with(head) && outcome.stdout.contains(&format!("\nnet      {other}\n")),
        "{outcome:#?}"
    );
    sandbox.run(["predict", a, a, "photos"]).expect_code(2).expect_error("each model of a committee once");
    fs::copy(sandbox.path(a), sandbox.path("copy.safetensors")).expect("a copy");
    for command in [&["evaluate", a, "copy.safetensors"][..], &["predict", a, "copy.safetensors", "photos"]] {
        let refused = sandbox.run(command).expect_code(2);
        refused.expect_error("copy.safetensors: expected each model of a committee once, found the same weights in");
    }
    sandbox.run(["predict", a, b]).expect_code(2).expect_error("a folder of pictures");

    let outcome = sandbox.run(["evaluate", a, b, c, "--json"]).expect_code(0);
    let measured: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert_eq!(measured["models"], serde_json::json!([a, b, c]));
    assert!(measured["test"]["accuracy"].as_f64().is_some() && measured.get("model").is_none());
    let outcome = sandbox.run(["evaluate", a, b, "--disturb", "gaussian-blur=1"]).expect_code(0);
    assert!(outcome.stdout.starts_with(head), "{outcome:#?}");
    outcome.expect_error("the curves are those of several nets");

    let other = ["train", "--data", "./digits", "--set", "epochs=1", "--set", "encoding=binary", "--set", "hidden=[8]"];
    sandbox.run([&other[..], &["--out", "other"]].concat()).expect_code(0);
    let refused = sandbox.run(["evaluate", a, "other"]).expect_code(3);
    refused.expect_error("expected 6 outputs, as the first model of the committee has, found 4");
}

#[test]
fn folders_without_pictures_and_runs_without_models_are_named_for_what_they_are() {
    let sandbox = Sandbox::new();
    train(&sandbox, [synthetic_digits(200, 1), synthetic_digits(100, 2)]);
    write_photos(&sandbox.path("sorted/7"), 1);
    fs::create_dir(sandbox.path("empty")).expect("a folder");
    sandbox
        .run(["predict", "out", "empty"])
        .expect_code(3)
        .expect_error("empty: expected pictures (PNG, JPEG, WebP, BMP or GIF), found none");
    let outcome = sandbox.run(["predict", "out", "sorted"]).expect_code(3);
    outcome.expect_error("found none, but folders such as sorted/7; name those in which the pictures are");

    for command in [&["predict", "empty", "sorted/7/0.png"][..], &["evaluate", "empty"]] {
        let outcome = sandbox.run(command).expect_code(5);
        outcome.expect_error("empty: expected a model, or a folder of results with models in it");
    }
    fs::remove_file(best_model(&sandbox, "sorted/7/0.png")).expect("deleted");
    let outcome = sandbox.run(["predict", "out", "sorted/7/0.png"]).expect_code(5);
    outcome.expect_error("the best of 3 trials, found none; name a model that is still there");
}

/// What is no picture in a folder of pictures is named, and costs nothing.
#[test]
fn files_of_a_folder_that_are_not_read_are_named() {
    let sandbox = Sandbox::new();
    train(&sandbox, [synthetic_digits(200, 1), synthetic_digits(100, 2)]);
    write_photos(&sandbox.path("photos"), 2);
    sandbox.write("photos/seven.tiff", "II*");
    let outcome = sandbox.run(["predict", "out", "photos"]).expect_code(0);
    assert!(
        outcome.stderr.contains("photos: 1 file passed over") && outcome.stderr.contains(": seven.tiff"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_net_for_images_of_another_size_takes_such_images_as_they_are_and_scales_prepared_photos() {
    let sandbox = Sandbox::new();
    let small = |set: LabeledImages| {
        let images = set.images.slice(s![.., 4..24, 6..22]).to_owned();
        LabeledImages::new(images, set.labels, set.classes).expect("a set")
    };
    let sets = [(300, 1), (100, 2)].map(|(n, seed)| small(synthetic_digits(n, seed)));
    let first = sets[1].images.index_axis(Axis(0), 0).to_owned();
    train(&sandbox, sets);
    write_photos(&sandbox.path("photos"), 1);
    let exact = image::GrayImage::from_fn(16, 20, |x, y| image::Luma([first[[y as usize, x as usize]]]));
    exact.save(sandbox.path("exact.png")).expect("a picture");

    let outcome = sandbox.run(["predict", "out", "exact.png", "--show", "steps"]).expect_code(0);
    assert!(outcome.stdout.contains("1. as it is: The picture has 16 × 20 pixels"), "{outcome:#?}");
    let seen = image::open(sandbox.only_file("steps", ".png")).expect("a step").to_luma8();
    let scale = seen.width() / 16;
    assert!(exact.enumerate_pixels().all(|(x, y, pixel)| seen.get_pixel(scale * x, scale * y) == pixel));
    let outcome = sandbox.run(["predict", "out", "photos"]).expect_code(0);
    assert!(outcome.stdout.contains("scale: Scaled to 16 × 20 pixels"), "{outcome:#?}");

    // Without its record nobody knows the shape of 320 pixels.
    let model = best_model(&sandbox, "exact.png");
    fs::rename(model, sandbox.path("alone.safetensors")).expect("moved");
    let outcome = sandbox.run(["predict", "alone.safetensors", "exact.png"]).expect_code(3);
    outcome.expect_error("found one with 320 inputs; leave it in its folder of results");
}

#[test]
fn classes_that_are_words_are_trained_measured_and_answered_as_words() {
    let sandbox = Sandbox::new();
    for index in 0..60_u32 {
        let (class, top) = [("T-shirt", 4), ("ankle boot", 14)][(index % 2) as usize];
        fs::create_dir_all(sandbox.path("sorted").join(class)).expect("a folder");
        let picture = image::GrayImage::from_fn(28, 28, |x, y| {
            image::Luma([if (4 + index % 7..20).contains(&x) && (top..top + 10).contains(&y) { 255 } else { 0 }])
        });
        picture.save(sandbox.path("sorted").join(class).join(format!("{index:02}.png"))).expect("a picture");
    }
    let outcome = sandbox.run(["data", "import", "sorted", "things", "--as-is"]).expect_code(0);
    assert!(outcome.stdout.contains("classes T-shirt, ankle boot;"), "{outcome:#?}");
    let outcome = sandbox.run(["data", "show", "./things"]).expect_code(0);
    assert!(outcome.stdout.contains("\nankle boot         24         6"), "{outcome:#?}");

    let train = [
        "train",
        "--data",
        "./things",
        "--set",
        "hidden=[]",
        "--set",
        "epochs=20",
        "--set",
        "batch_size=8",
        "--out",
        "out",
    ];
    let outcome = sandbox.run(train.iter().copied().chain(["--set", "encoding=ascii"])).expect_code(2);
    outcome.expect_error("encoding: expected one-hot, binary or random where a class is a word, such as \"T-shirt\"");
    // Nobody who says nothing is told that the default is wrong.
    let outcome = sandbox.run(train).expect_code(0);
    assert!(outcome.stdout.contains("accuracy         100.00 %"), "{outcome:#?}");

    let outcome = sandbox.run(["evaluate", "out"]).expect_code(0);
    let matrix: Vec<&str> = outcome.stdout.lines().rev().take(3).collect();
    assert_eq!(
        matrix,
        [
            "ankle boot           ·          6 100.00 %",
            "   T-shirt           6          · 100.00 %",
            "shown          T-shirt ankle boot    found"
        ]
    );
    let outcome = sandbox.run(["predict", "out", "sorted/ankle boot/01.png", "--quiet"]).expect_code(0);
    assert!(outcome.stdout.contains("ankle boot"), "{outcome:#?}");
    let records = mlp_results::RunFolder::new(sandbox.path("out")).records();
    assert_eq!(records.values().next().expect("a record").data.classes, ["T-shirt", "ankle boot"]);
    let page = fs::read_to_string(sandbox.path("out/report.html")).expect("a page");
    assert!(page.contains("ankle boot"));
}
