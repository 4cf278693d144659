//! `data`: show, export, import, and training on what was imported.

use std::fs;
use std::path::Path;

use mnist_io::{LabeledImages, synthetic_digits};
use ndarray::Axis;
use serde_json::Value;

use crate::metadata::root;
use crate::sandbox::Sandbox;

/// Pictures of digits, dark on light and large, in a folder for each class.
fn write_photos(folder: &Path, n_each: usize) {
    let digits = synthetic_digits(400, 9);
    let mut n_written = [0; 10];
    for (image, &label) in digits.images.axis_iter(Axis(0)).zip(&digits.labels) {
        let class = usize::from(label);
        if n_written[class] == n_each {
            continue;
        }
        let folder = folder.join(class.to_string());
        fs::create_dir_all(&folder).expect("a folder");
        let picture = image::GrayImage::from_fn(168, 168, |x, y| {
            let (row, column) = (y as usize / 6, x as usize / 6);
            image::Luma([255 - image[[row, column]]])
        });
        picture.save(folder.join(format!("{}.png", n_written[class]))).expect("a picture");
        n_written[class] += 1;
    }
}

#[test]
fn what_is_exported_and_imported_again_is_the_same_set() {
    let sandbox = Sandbox::with_digits();
    let outcome = sandbox.run(["data", "export", "./digits", "--png", "pictures"]).expect_code(0);
    assert!(outcome.stdout.contains("300 pictures in pictures"), "{}", outcome.stdout);
    assert!(outcome.stdout.ends_with("cargo xtask data import pictures FOLDER\n"), "{}", outcome.stdout);
    sandbox.run(["data", "import", "pictures", "again"]).expect_code(0);
    let before = LabeledImages::load_folder(sandbox.path("digits")).expect("a set");
    assert_eq!(LabeledImages::load_folder(sandbox.path("again")).expect("a set"), before);
    // Pictures of an earlier export would be taken for those of this one.
    sandbox.run(["data", "export", "./digits", "--png", "pictures"]).expect_code(2).expect_error("new or empty");
}

/// Light images would be prepared like photos; the command that is printed takes them as they are.
#[test]
fn the_way_back_that_export_prints_gives_light_images_back() {
    let sandbox = Sandbox::with_digits();
    let (train, test) = LabeledImages::load_folder(sandbox.path("digits")).expect("a set");
    let turned = |set: LabeledImages| LabeledImages { images: set.images.mapv(|level| 255 - level), ..set };
    let sets = (turned(train), turned(test));
    LabeledImages::write_folder(sandbox.path("light"), &sets.0, &sets.1).expect("a set");
    let outcome = sandbox.run(["data", "export", "./light", "--png", "pictures"]).expect_code(0).stdout;
    assert!(outcome.contains("cargo xtask data import pictures FOLDER --as-is"), "{outcome}");
    sandbox.run(["data", "import", "pictures", "again", "--as-is"]).expect_code(0);
    assert_eq!(LabeledImages::load_folder(sandbox.path("again")).expect("a set"), sets);
}

/// The images are those that training is given, and the page shows them.
#[test]
fn the_pictures_of_deformed_digits_are_those_of_the_command() {
    let sandbox = Sandbox::new();
    for (text, file) in
        [("gentle", "gentle"), ("simard", "simard"), ("ciresan", "ciresan"), ("ciresan 1.5", "ciresan-1.5")]
    {
        let file = format!("{file}.png");
        let outcome =
            sandbox.run(["data", "show", "synthetic", "--augment", text, "--sheet", &file]).expect_code(0).stdout;
        assert!(outcome.contains("in epochs 1 to 11"), "{outcome}");
        let published = root().join("docs/augmentation").join(&file);
        assert!(fs::read(sandbox.path(&file)).expect("a sheet") == fs::read(published).expect("a picture"), "{text}");
    }
    let refused = sandbox.run(["data", "show", "synthetic", "--augment", "gentel", "--sheet", "sheet.svg"]);
    refused.expect_code(2).expect_error("did you mean gentle?");
    sandbox.run(["data", "show", "synthetic", "--augment", "gentle"]).expect_code(2).expect_error("--sheet");
}

#[test]
fn sets_of_other_classes_and_sizes_go_the_same_way() {
    let sandbox = Sandbox::new();
    let small = |n: usize, seed: u64| {
        let digits = synthetic_digits(n, seed);
        let images = digits.images.slice(ndarray::s![.., 4..24, 6..22]).to_owned();
        LabeledImages::new(images, digits.labels, "aA/お.-é<&7".chars().collect()).expect("a set")
    };
    let sets = (small(60, 1), small(40, 2));
    LabeledImages::write_folder(sandbox.path("odd"), &sets.0, &sets.1).expect("a set");
    sandbox.run(["data", "export", "./odd", "--png", "pictures"]).expect_code(0);
    sandbox.run(["data", "import", "pictures", "again", "--as-is"]).expect_code(0);
    assert_eq!(LabeledImages::load_folder(sandbox.path("again")).expect("a set"), sets);
    sandbox.run(["data", "show", "./again", "--sheet", "sheet.svg"]).expect_code(0);
    let svg = fs::read_to_string(sandbox.path("sheet.svg")).expect("a sheet");
    assert!(svg.contains("&#12362;") && !svg.contains("&#60;&"), "{}", &svg[..200]);
}

#[test]
fn pictures_of_ones_own_are_prepared_split_and_learned_from_with_the_same_commands() {
    let sandbox = Sandbox::new();
    write_photos(&sandbox.path("photos"), 5);
    sandbox.write("photos/0/notes.txt", "not a picture");
    let outcome = sandbox.run(["data", "import", "photos", "mine"]).expect_code(0);
    assert!(outcome.stdout.contains("40 training images and 10 test images of 28 × 28"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("50 pictures prepared"), "{}", outcome.stdout);
    assert!(outcome.stderr.contains("1 file passed over"), "{}", outcome.stderr);
    let (train, test) = LabeledImages::load_folder(sandbox.path("mine")).expect("a set");
    assert_eq!((train.class_counts(), test.class_counts()), (vec![4; 10], vec![1; 10]));

    let arguments = ["--set", "hidden=[8]", "--set", "epochs=1", "--out", "out"];
    sandbox.run(["train", "--data", "./mine"].iter().chain(&arguments)).expect_code(0);
    let model = sandbox.only_file("out/models", ".safetensors");
    let model = model.to_str().expect("UTF-8");
    sandbox.run(["predict", model, "photos/3/0.png"]).expect_code(0);
    sandbox.run(["evaluate", model]).expect_code(0);

    // The same pictures and the same seed make the same set, another seed another one.
    let outcome = sandbox.run(["data", "import", "photos", "mine-again"]).expect_code(0);
    assert!(outcome.stdout.contains("cargo xtask train --data ./mine-again\n"), "{}", outcome.stdout);
    let again = LabeledImages::load_folder(sandbox.path("mine-again")).expect("a set");
    assert_eq!(again, (train, test));
    sandbox.run(["data", "import", "photos", "other", "--seed", "1"]).expect_code(0);
    assert_ne!(LabeledImages::load_folder(sandbox.path("other")).expect("a set"), again);
}

#[test]
fn the_command_that_an_import_prints_can_be_pasted_into_a_shell() {
    let sandbox = Sandbox::new();
    write_photos(&sandbox.path("photos"), 5);
    for (out, shown) in [("mine & yours", "'./mine & yours'"), ("below/it's", r"'below/it'\''s'")] {
        let outcome = sandbox.run(["data", "import", "photos", out]).expect_code(0);
        let command = format!("train on them: cargo xtask train --data {shown}\n");
        assert!(outcome.stdout.contains(&command), "{}", outcome.stdout);
    }
}

#[test]
fn an_import_into_another_set_is_refused_unless_it_is_to_be_replaced() {
    let sandbox = Sandbox::with_digits();
    write_photos(&sandbox.path("photos"), 5);
    let before = LabeledImages::load_folder(sandbox.path("digits")).expect("a set");
    let outcome = sandbox.run(["data", "import", "photos", "digits"]).expect_code(2);
    outcome.expect_error(
        "digits: expected a folder without a data set, found one in it; name another folder, or add --replace",
    );
    assert_eq!(LabeledImages::load_folder(sandbox.path("digits")).expect("a set"), before);
    let outcome = sandbox.run(["data", "import", "photos", "digits", "--test-share", "1", "--replace"]).expect_code(2);
    outcome.expect_error("expected a folder without training images");
    sandbox.run(["data", "import", "photos", "digits", "--replace"]).expect_code(0);
    assert_eq!(LabeledImages::load_folder(sandbox.path("digits")).expect("a set").0.len(), 40);
}

#[test]
fn what_an_import_passes_over_and_classes_without_images_are_noted() {
    let sandbox = Sandbox::new();
    for part in ["train", "test", "val"] {
        write_photos(&sandbox.path("photos").join(part), 2);
        fs::create_dir_all(sandbox.path("photos").join(part).join("q")).expect("a folder");
    }
    let outcome = sandbox.run(["data", "import", "photos", "mine"]).expect_code(0);
    outcome
        .expect_error("note: the folder photos/val was passed over")
        .expect_error("note: no training image is of the class 'q', so a net cannot learn it")
        .expect_error("note: no test image is of the class 'q', so nothing is measured of it");
    let outcome = sandbox.run(["data", "show", "./mine"]).expect_code(0);
    outcome.expect_error("note: no training image is of the class 'q'");
    let train = ["train", "--data", "./mine", "--set", "hidden=[4]", "--set", "epochs=1", "--set", "batch_size=5"];
    let outcome = sandbox.run(train.iter().chain(&["--quiet", "--out", "out"])).expect_code(0);
    outcome.expect_error("warning: no training image is of the class 'q'");
}

#[test]
fn every_picture_that_cannot_be_used_is_named_and_nothing_is_written() {
    let sandbox = Sandbox::new();
    write_photos(&sandbox.path("photos"), 2);
    sandbox.write("photos/3/page.png", "<html>not found</html>");
    let blank = image::GrayImage::from_pixel(100, 100, image::Luma([250]));
    blank.save(sandbox.path("photos/7/blank.png")).expect("a picture");
    let outcome = sandbox.run(["data", "import", "photos", "mine"]).expect_code(3);
    outcome
        .expect_error("photos/3/page.png, byte 0: expected a PNG, JPEG, WebP, BMP or GIF picture")
        .expect_error("photos/7/blank.png: ")
        .expect_error("2 of 22 pictures cannot be used");
    assert!(!sandbox.path("mine").exists());

    let sandbox = Sandbox::new();
    for (folder, reason) in [
        ("empty", "expected a folder of pictures for each class"),
        ("words/cat", "expected pictures in each folder that is named by a class, found none"),
        ("twice/7", "expected one folder for \"7\""),
        ("bare/7", "expected pictures (PNG, JPEG, WebP, BMP or GIF), found none"),
    ] {
        fs::create_dir_all(sandbox.path(folder)).expect("a folder");
        fs::create_dir_all(sandbox.path("twice/3-7")).expect("a folder");
        let top = folder.split('/').next().expect("a name");
        sandbox.run(["data", "import", top, "mine"]).expect_code(3).expect_error(reason);
    }
    sandbox.run(["data", "import", "nowhere", "mine"]).expect_code(5).expect_error("nowhere");
    let blank = image::GrayImage::from_pixel(28, 28, image::Luma([9]));
    blank.save(sandbox.path("bare/7/one.png")).expect("a picture");
    sandbox.run(["data", "import", "bare", "mine"]).expect_code(3).expect_error("two pictures or more");
    image::GrayImage::new(20, 28).save(sandbox.path("bare/7/two.png")).expect("a picture");
    let outcome = sandbox.run(["data", "import", "bare", "mine", "--as-is"]).expect_code(3);
    outcome.expect_error("two.png: expected 28 × 28 pixels like the pictures before, found 20 × 28");
    assert!(!sandbox.path("mine").exists());
}

#[test]
fn a_set_is_shown_in_numbers_that_agree_with_its_content() {
    let sandbox = Sandbox::new();
    let (train, mut test) = (synthetic_digits(200, 1), synthetic_digits(100, 2));
    // One test image is a training image, and one more is, with another label.
    for (index, label) in [(3, train.labels[10]), (4, (train.labels[11] + 1) % 10)] {
        test.images.index_axis_mut(Axis(0), index).assign(&train.images.index_axis(Axis(0), index + 7));
        test.labels[index] = label;
    }
    // One training image stands there a second time, under another label.
    let mut train = train;
    let twin = train.images.index_axis(Axis(0), 20).to_owned();
    train.images.index_axis_mut(Axis(0), 21).assign(&twin);
    train.labels[21] = (train.labels[20] + 1) % 10;
    LabeledImages::write_folder(sandbox.path("digits"), &train, &test).expect("a set");
    let outcome = sandbox.run(["data", "show", "./digits", "--json", "--sheet", "sheet.png"]).expect_code(0);
    let shown: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    let counts: Vec<usize> = serde_json::from_value(shown["train"]["counts"].clone()).expect("numbers");
    assert_eq!(counts, train.class_counts());
    let mean = train.images.iter().map(|&pixel| f64::from(pixel)).sum::<f64>() / train.images.len() as f64;
    assert!((shown["train"]["mean"].as_f64().expect("a number") - mean).abs() < 1e-9);
    assert_eq!((&shown["duplicates"]["between"], &shown["duplicates"]["with_another_label"]), (&2.into(), &1.into()));
    let of_train = (&shown["duplicates"]["within_train"], &shown["duplicates"]["under_several_labels_in_train"]);
    assert_eq!(of_train, (&1.into(), &1.into()));
    let sheet = image::open(sandbox.path("sheet.png")).expect("a picture");
    assert_eq!((sheet.width(), sheet.height()), (12 * 30 + 2, 10 * 30 + 2));

    let outcome = sandbox.run(["data", "show", "./digits"]).expect_code(0);
    assert!(outcome.stdout.contains("2 test images are training images too (1 of them"), "{}", outcome.stdout);
    assert!(
        outcome.stdout.contains("  1 within the training set, where 1 image stands under several labels\n"),
        "{}",
        outcome.stdout
    );
    sandbox.run(["data", "show", "./digits", "--sheet", "sheet.gif"]).expect_code(2).expect_error(".svg or .png");
    sandbox.run(["data", "show", "nothing"]).expect_code(3);
}

#[test]
fn images_that_stand_twice_are_told_where_a_set_is_made() {
    let sandbox = Sandbox::new();
    let row = |label: usize, level: usize| format!("{label},{level}{}\n", ",9".repeat(63));
    // Thirty images, each twice: some of them land on both sides of the split; and one has two labels.
    let rows: String = (0..30).flat_map(|level| [row(level % 10, level), row(level % 10, level)]).collect();
    sandbox.write("twice.csv", &(rows + &row(3, 200) + &row(4, 200)));
    let outcome = sandbox.run(["data", "import", "twice.csv", "twice", "--as-is"]).expect_code(0);
    assert!(outcome.stderr.contains("also training images, pixel for pixel: a net has seen"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("under more than one label, so no net can answer all"), "{}", outcome.stderr);
}

#[test]
fn a_folder_with_blanks_is_called_by_its_name_and_what_is_not_there_is_called_missing() {
    let sandbox = Sandbox::with_digits();
    std::fs::rename(sandbox.path("digits"), sandbox.path("my digits")).expect("a rename");
    let call = ["train", "--data", "./my digits", "--set", "epochs=0", "--set", "name=here"];
    let outcome = sandbox.run(call).expect_code(0);
    assert!(outcome.stdout.contains("data     \"my digits\": 200 training"), "{}", outcome.stdout);
    sandbox.only_file("runs/here-my digits/trials", ".json");
    // What can be copied into a shell is quoted.
    for line in ["into     'runs/here-my digits'", "report   'runs/here-my digits/report.html'"] {
        assert!(outcome.stdout.contains(line), "{}", outcome.stdout);
    }
    let status = sandbox.run(["sweep", "status", "runs/here-my digits"]).expect_code(0);
    assert!(status.stdout.starts_with("folder   'runs/here-my digits'\n"), "{}", status.stdout);
    let shown = sandbox.run(["data", "show", "./my digits"]).expect_code(0);
    assert!(shown.stdout.starts_with("\"my digits\": 200 training"), "{}", shown.stdout);
    for name in ["none.csv", "none.npz", "none"] {
        let missing = format!("{name}: no such file or folder; expected a folder of pictures, or a .csv");
        sandbox.run(["data", "import", name, "out"]).expect_code(5).expect_error(&missing);
    }
    sandbox.run(["train", "--data", "./none.npz"]).expect_code(3).expect_error("./none.npz: no such file or folder");
    sandbox.run(["sweep", "status", "none"]).expect_code(2).expect_error("none: no such folder");
}
