//! Folders and files as people have them: unpacked twice, one level too deep, named otherwise, or something else altogether.

use crate::fixtures::{gzip, idx_bytes, two_images};
use mnist_io::image::{GrayImage, Luma};
use mnist_io::{
    ErrorKind, FolderKind, IdxArray, ImportOptions, ImportedImages, LabeledImages, Note, Part, Preparation,
    export_images, image_files, import_images, read_image, synthetic_digits,
};
use std::fs;
use std::path::{Path, PathBuf};

fn import(folder: &Path, options: &ImportOptions) -> mnist_io::Result<ImportedImages> {
    import_images(folder, options, |_, _| {})
}

/// Ten images, split, below `folder`.
fn export_split(folder: &Path, [train, test]: [&str; 2]) {
    for (part, seed) in [(train, 1), (test, 2)] {
        export_images(&synthetic_digits(10, seed), folder.join(part), |_| {}).unwrap();
    }
}

/// The four files of a small set, plain.
fn write_set(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for part in ["train", "t10k"] {
        fs::write(folder.join(format!("{part}-images-idx3-ubyte")), two_images()).unwrap();
        fs::write(folder.join(format!("{part}-labels-idx1-ubyte")), idx_bytes(&[2], &[1, 2])).unwrap();
    }
}

/// The text of an error about something in `folder`.
fn text<T: std::fmt::Debug>(result: mnist_io::Result<T>, folder: &Path) -> String {
    result.unwrap_err().to_string().replace(folder.to_str().unwrap(), "FOLDER")
}

#[test]
fn a_packed_file_beside_the_same_one_unpacked_is_no_riddle() {
    let folder = tempfile::tempdir().unwrap();
    write_set(folder.path());
    let expected = LabeledImages::load_folder(folder.path()).unwrap();
    fs::write(folder.path().join("train-images-idx3-ubyte.gz"), gzip(&two_images())).unwrap();
    fs::write(folder.path().join("test-labels.idx1-ubyte"), idx_bytes(&[2], &[1, 2])).unwrap();
    assert_eq!(LabeledImages::load_folder(folder.path()).unwrap(), expected);
    fs::write(folder.path().join("test-labels.idx1-ubyte"), idx_bytes(&[2], &[1, 3])).unwrap();
    let error = text(LabeledImages::load_folder(folder.path()), folder.path());
    assert!(error.contains("both t10k-labels-idx1-ubyte and test-labels.idx1-ubyte, which differ"), "{error}");
}

#[test]
fn a_file_in_a_folder_of_its_own_name_is_found() {
    let folder = tempfile::tempdir().unwrap();
    write_set(folder.path());
    let expected = LabeledImages::load_folder(folder.path()).unwrap();
    for name in ["train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"] {
        let (path, dotted) = (folder.path().join(name), folder.path().join(name.replacen("-idx", ".idx", 1)));
        fs::rename(&path, &dotted).unwrap();
        fs::create_dir(&path).unwrap();
        fs::copy(&dotted, path.join(name)).unwrap();
    }
    assert_eq!(LabeledImages::load_folder(folder.path()).unwrap(), expected);
    fs::remove_file(folder.path().join("train-images.idx3-ubyte")).unwrap();
    assert_eq!(LabeledImages::load_folder(folder.path()).unwrap(), expected);
}

#[test]
fn zeros_after_a_gzip_stream_are_passed_over_with_a_note_and_nothing_else_is() {
    let folder = tempfile::tempdir().unwrap();
    write_set(folder.path());
    let expected = LabeledImages::load_folder(folder.path()).unwrap();
    let path = folder.path().join("train-images-idx3-ubyte");
    let packed = gzip(&two_images());
    for n_zeros in [1, 512, 100_000] {
        fs::write(&path, [&packed[..], &vec![0; n_zeros]].concat()).unwrap();
        let mut notes = Vec::new();
        assert_eq!(LabeledImages::load_folder_with(folder.path(), |note| notes.push(note)).unwrap(), expected);
        assert_eq!(notes, [Note::ZerosAfterGzip { path: path.clone(), n_zeros: n_zeros as u64 }]);
        IdxArray::read(&path).unwrap();
    }
    for rest in [&[0, 0, 1][..], &[0, 0x1f, 0x8b], &[&[0; 600][..], &packed].concat()] {
        let error = IdxArray::from_bytes(&[&packed[..], rest].concat()).unwrap_err();
        assert_eq!(
            (error.found(), error.position()),
            ("bytes after the end of the gzip stream", Some(packed.len() as u64))
        );
    }
    // A plain file has no such end.
    assert_eq!(IdxArray::from_bytes(&[&two_images()[..], &[0]].concat()).unwrap_err().kind(), ErrorKind::Data);
}

#[test]
fn a_folder_is_told_by_what_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write_set(&at("set"));
    LabeledImages::write_test(at("test-only"), &synthetic_digits(5, 1)).unwrap();
    export_split(&at("split"), ["Training", "testing"]);
    export_images(&synthetic_digits(5, 1), at("archive/png"), |_| {}).unwrap();
    fs::create_dir_all(at("loose")).unwrap();
    GrayImage::new(28, 28).save(at("loose/a.png")).unwrap();
    fs::create_dir_all(at("empty/inner")).unwrap();
    for (name, kind) in [
        ("set", FolderKind::DataSet),
        ("test-only", FolderKind::TestSet),
        ("split", FolderKind::ClassFolders),
        ("archive/png", FolderKind::ClassFolders),
        ("archive", FolderKind::Nested(at("archive/png"))),
        ("archive/png/00-0", FolderKind::Images),
        ("loose", FolderKind::Images),
        ("empty", FolderKind::Other),
        ("nowhere", FolderKind::Other),
    ] {
        let found = FolderKind::of(at(name));
        assert!(found == kind || name == "archive/png/00-0", "{name}: {found:?}");
    }
    fs::remove_file(at("set/t10k-labels-idx1-ubyte")).unwrap();
    let names = ["test-only", "split", "archive", "loose", "empty", "set", "nowhere"];
    let texts = names.map(|name| text(LabeledImages::load_folder(at(name)), folder.path()));
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn a_test_set_is_written_and_loaded_alone() {
    let folder = tempfile::tempdir().unwrap();
    let digits = synthetic_digits(10, 1);
    let test = LabeledImages { classes: ('a'..='j').map(String::from).collect(), ..digits.clone() };
    LabeledImages::write_test(folder.path(), &test).unwrap();
    assert_eq!(LabeledImages::load_test(folder.path(), |_| {}).unwrap(), test);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    assert_eq!(LabeledImages::load_folder(folder.path()).unwrap_err().kind(), ErrorKind::Io);

    let whole = folder.path().join("whole");
    LabeledImages::write_folder(&whole, &digits, &test.among(&test.classes).map(|_| digits.clone()).unwrap()).unwrap();
    assert_eq!(LabeledImages::load_test(&whole, |_| {}).unwrap(), digits);
    let error = LabeledImages::write_test(&whole, &digits).unwrap_err();
    assert_eq!((error.kind(), error.expected()), (ErrorKind::Argument, "a folder without training images"));
}

#[test]
fn images_find_their_labels_among_other_classes() {
    let images = ndarray::Array3::from_shape_fn((3, 1, 1), |(i, _, _)| i as u8);
    let set = LabeledImages::new(images, vec![0, 1, 0], vec!['7', '3']).unwrap();
    let among = set.among(&mnist_io::digit_classes()).unwrap();
    assert_eq!((among.labels, among.classes.len()), (vec![7, 3, 7], 10));
    assert_eq!(set.among(&["3", "x"].map(String::from)), None);
    // What no image is of need not be there.
    let one = LabeledImages { labels: vec![1, 1, 1], ..set };
    assert_eq!(one.among(&["x", "3"].map(String::from)).unwrap().labels, [1, 1, 1]);
}

#[test]
fn labels_that_count_from_one_and_marks_before_the_classes_are_named() {
    let folder = tempfile::tempdir().unwrap();
    write_set(folder.path());
    let labels =
        |labels: [u8; 2]| fs::write(folder.path().join("train-labels-idx1-ubyte"), idx_bytes(&[2], &labels)).unwrap();
    let mut texts = Vec::new();
    for found in [[26, 1], [0, 26]] {
        labels(found);
        texts.push(text(LabeledImages::load_folder(folder.path()), folder.path()));
    }
    // The advice helps.
    labels([26, 1]);
    let letters: String = ('a'..='z').flat_map(|letter| [letter, '\n']).collect();
    fs::write(folder.path().join("classes.txt"), format!("-\n{letters}")).unwrap();
    assert_eq!(LabeledImages::load_folder(folder.path()).unwrap().0.labels, [26, 1]);
    for bytes in [&b"\xef\xbb\xbfa\nb\n"[..], b"\xff\xfea\0\n\0b\0", b"\xfe\xff\0a\0\n"] {
        fs::write(folder.path().join("classes.txt"), bytes).unwrap();
        texts.push(text(LabeledImages::load_folder(folder.path()), folder.path()));
    }
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn parts_are_found_under_their_usual_names_and_other_folders_are_noted() {
    let folder = tempfile::tempdir().unwrap();
    let as_is = ImportOptions { preparation: Preparation::Never, ..ImportOptions::default() };
    for (place, names) in [("a", ["train", "test"]), ("b", ["training", "testing"]), ("c", ["Train", "TEST"])] {
        let place = folder.path().join(place);
        export_split(&place, names);
        let imported = import(&place, &as_is).unwrap();
        assert_eq!((imported.train, imported.test), (synthetic_digits(10, 1), synthetic_digits(10, 2)));
        assert!(!imported.notes.iter().any(|note| matches!(note, Note::FolderPassedOver { .. })));
    }
    let place = folder.path().join("a");
    fs::create_dir_all(place.join("val/7")).unwrap();
    fs::create_dir_all(place.join("train/03-3/more")).unwrap();
    let imported = import(&place, &ImportOptions { test_share: 1.0, ..as_is }).unwrap();
    let passed_over = |name: &str| Note::FolderPassedOver { path: place.join(name) };
    assert_eq!(imported.notes[..3], [passed_over("val"), Note::SplitKept, passed_over("train/03-3/more")]);
    assert_eq!(imported.n_skipped, 0, "folders are no files");
}

#[test]
fn pictures_beside_the_folders_of_classes_are_counted_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let as_is = ImportOptions { preparation: Preparation::Never, ..ImportOptions::default() };
    let digits = synthetic_digits(20, 1);
    export_images(&digits, folder.path(), |_| {}).unwrap();
    for name in ["forgotten.png", "too.png"] {
        GrayImage::from_pixel(28, 28, Luma([7])).save(folder.path().join(name)).unwrap();
    }
    let imported = import(folder.path(), &as_is).unwrap();
    assert_eq!(imported.train.len() + imported.test.len(), 20);
    let expected = Note::PicturesPassedOver { folder: folder.path().to_owned(), n_pictures: 2 };
    assert!(imported.notes.contains(&expected), "{:?}", imported.notes);
    let end = ": 2 pictures beside the folders of the classes, and so without one, passed over";
    assert!(expected.to_string().ends_with(end), "{expected}");
}

#[test]
fn folders_of_pictures_that_cannot_be_taken_are_called_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let picture = |name: &str| {
        fs::create_dir_all(at(name).parent().unwrap()).unwrap();
        GrayImage::from_pixel(28, 28, Luma([7])).save(at(name)).unwrap();
    };
    picture("alone/training/7/a.png");
    picture("twice/train/7/a.png");
    picture("twice/Training/7/a.png");
    picture("twice/test/7/a.png");
    picture("archive/mnist_png/train/7/a.png");
    picture("named/trainingSet/7/a.png");
    picture("val/7/a.png");
    picture("val/validation/7/a.png");
    picture("deep/7/images/a.png");
    picture("loose/a.png");
    write_set(&at("set"));
    write_set(&at("outer/set"));
    let names = ["alone", "twice", "archive", "named", "val", "deep", "loose", "set", "outer"];
    let texts = names.map(|name| text(import(&at(name), &ImportOptions::default()), folder.path()));
    insta::assert_snapshot!(texts.join("\n"));
    let texts = ["loose/a.png", "deep", "set"].map(|name| match image_files(at(name)) {
        Ok(files) => panic!("{files:?}"),
        Err(error) => error.to_string().replace(folder.path().to_str().unwrap(), "FOLDER"),
    });
    assert!(texts[0].contains("expected a folder that can be read"), "{texts:?}");
    assert!(texts[1].contains("found none, but folders such as FOLDER/deep/7"), "{texts:?}");
    assert!(texts[2].contains("expected pictures (PNG, JPEG, WebP, BMP or GIF), found none;"), "{texts:?}");
    assert_eq!(image_files(at("loose")).unwrap(), [at("loose/a.png")]);
}

#[test]
fn all_images_can_be_for_testing_and_classes_without_one_are_noted() {
    let folder = tempfile::tempdir().unwrap();
    export_images(&synthetic_digits(30, 1), folder.path(), |_| {}).unwrap();
    fs::create_dir(folder.path().join("10-q")).unwrap();
    let options = ImportOptions { test_share: 1.0, preparation: Preparation::Never, ..ImportOptions::default() };
    let imported = import(folder.path(), &options).unwrap();
    assert_eq!((imported.train.len(), imported.test.len()), (0, 30));
    let empty = |part| Note::EmptyClasses { part, classes: vec!["q".to_owned()] };
    assert_eq!(imported.notes, [empty(Part::Test)]);
    // One image of a class is for learning.
    GrayImage::new(28, 28).save(folder.path().join("10-q/one.png")).unwrap();
    let imported = import(folder.path(), &ImportOptions { test_share: 0.2, ..options }).unwrap();
    assert_eq!(imported.notes, [empty(Part::Test)]);
}

#[test]
fn what_lies_in_place_of_a_picture_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("a.png");
    let mut texts = Vec::new();
    let found: [&[u8]; 5] =
        [b"", b"<!DOCTYPE html><title>404", b"version https://git-lfs.github.com/spec/v1\noid", b"GIF89a", b"\x89PNG"];
    for bytes in found {
        fs::write(&path, bytes).unwrap();
        texts.push(text(read_image(&path), folder.path()));
    }
    fs::remove_file(&path).unwrap();
    texts.push(text(read_image(&path), folder.path()));
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn the_error_of_a_damaged_jpeg_is_one_line_without_escapes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jpg");
    let photo = GrayImage::from_fn(90, 90, |x, y| Luma([(x * y) as u8]));
    photo.save(&path).unwrap();
    let whole = fs::read(&path).unwrap();
    let mut n_refused = 0;
    for length in (2..whole.len()).step_by(9) {
        let cut = whole[..length].to_vec();
        let filled = [&cut[..], &vec![0xff; whole.len() - length]].concat();
        // A segment that is too short to hold its own length.
        let marked = [&cut[..], b"\xff\xe0\0\0", &whole[length..]].concat();
        for bytes in [&cut, &filled, &marked] {
            fs::write(&path, bytes).unwrap();
            let Err(error) = read_image(&path) else { continue };
            n_refused += 1;
            let error = error.to_string();
            assert!(!error.contains("\\n") && !error.contains("  "), "{length}: {error}");
        }
    }
    assert!(n_refused > 20, "{n_refused} refused");
    fs::write(&path, b"\xff\xd8\xff\xe0\0\0\xff\xd9").unwrap();
    let error = text(read_image(&path), folder.path());
    assert!(error.contains("\"Found a marker with invalid length:0\"; save the picture anew"), "{error}");
}
