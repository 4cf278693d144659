//! Sets as folders of image files, and folders of image files as sets.

use mnist_io::image::{GrayImage, Luma};
use mnist_io::{
    ErrorKind, ImportOptions, ImportedImages, LabeledImages, Preparation, SPLIT_FOLDERS, export_images, import_images,
    synthetic_digits,
};
use std::fs;
use std::path::Path;

fn import(folder: &Path, options: &ImportOptions) -> mnist_io::Result<ImportedImages> {
    import_images(folder, options, |_, _| {})
}

/// As it is, not split anew.
const AS_IS: ImportOptions = ImportOptions { preparation: Preparation::Never, test_share: 0.2, seed: 0 };

#[test]
fn what_is_exported_is_imported_to_the_pixel_whatever_its_classes_and_size() {
    let folder = tempfile::tempdir().unwrap();
    let small = |n: usize, seed: u64| {
        let digits = synthetic_digits(n, seed);
        let images = digits.images.slice(ndarray::s![.., 4..24, 6..22]).to_owned();
        LabeledImages::new(images, digits.labels, "aA/お.-é<&7".chars().collect()).unwrap()
    };
    let sets = [small(60, 1), small(40, 2)];
    for (part, set) in SPLIT_FOLDERS.iter().zip(&sets) {
        let mut n_last = 0;
        export_images(set, folder.path().join(part), |n_done| n_last = n_done).unwrap();
        assert_eq!(n_last, set.len());
    }
    let mut calls = Vec::new();
    let imported = import_images(folder.path(), &AS_IS, |n_done, n_all| calls.push((n_done, n_all))).unwrap();
    assert_eq!((calls.len(), calls[0], calls[99]), (100, (0, 60), (39, 40)));
    assert_eq!([imported.train, imported.test], sets);
    assert_eq!((imported.n_prepared, imported.n_skipped), (0, 0));
}

#[test]
fn classes_may_be_words_in_folders_and_in_idx_files() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["cat", "T-shirt", "and/or", "7", "U+0041", "ankle boot", "10", " x", "é", "sandal"];
    let sets = [(60, 1), (40, 2)].map(|(n, seed)| {
        let digits = synthetic_digits(n, seed);
        LabeledImages::new(digits.images, digits.labels, names.to_vec()).unwrap()
    });
    for (part, set) in SPLIT_FOLDERS.iter().zip(&sets) {
        export_images(set, folder.path().join("pictures").join(part), |_| {}).unwrap();
    }
    let imported = import(&folder.path().join("pictures"), &AS_IS).unwrap();
    assert_eq!([imported.train, imported.test], sets);
    let plain = |set: &LabeledImages| {
        let classes = set.classes.iter().map(|class| class.trim().to_owned()).collect();
        LabeledImages { classes, ..set.clone() }
    };
    let [train, test] = sets.each_ref().map(plain);
    LabeledImages::write_folder(folder.path().join("idx"), &train, &test).unwrap();
    let loaded = LabeledImages::load_folder(folder.path().join("idx")).unwrap();
    assert_eq!([&loaded.0, &loaded.1], [&train, &test]);
    // Words and characters with the same letters are other classes.
    let of = |classes: [&str; 2]| LabeledImages::new(test.first(1).images, vec![0], classes.to_vec()).unwrap().sha256();
    assert_ne!(of(["ab", "c"]), of(["a", "bc"]));
}

#[test]
fn folders_named_by_words_are_in_the_order_of_the_words_and_by_numbers_in_theirs() {
    let folder = tempfile::tempdir().unwrap();
    for (name, classes) in [("words", ["dog", "cat", "ape"]), ("numbers", ["10", "9", "2"])] {
        for class in classes {
            let place = folder.path().join(name).join(class);
            fs::create_dir_all(&place).unwrap();
            for index in 0..5 {
                GrayImage::new(28, 28).save(place.join(format!("{index}.png"))).unwrap();
            }
        }
        let imported = import(&folder.path().join(name), &AS_IS).unwrap();
        assert_eq!(imported.train.classes, [classes[2], classes[1], classes[0]]);
        assert_eq!((imported.train.len(), imported.test.len()), (12, 3));
    }
}

#[test]
fn photos_are_prepared_and_split_by_the_seed_and_other_files_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let digits = synthetic_digits(200, 9);
    let mut n_written = [0; 10];
    for (image, &label) in digits.images.outer_iter().zip(&digits.labels) {
        let class_folder = folder.path().join(label.to_string());
        fs::create_dir_all(&class_folder).unwrap();
        let photo = GrayImage::from_fn(112, 112, |x, y| Luma([255 - image[[y as usize / 4, x as usize / 4]]]));
        if n_written[usize::from(label)] < 3 {
            photo.save(class_folder.join(format!("{}.png", n_written[usize::from(label)]))).unwrap();
            n_written[usize::from(label)] += 1;
        }
    }
    fs::write(folder.path().join("0/notes.txt"), "not an image").unwrap();
    fs::write(folder.path().join("0/.hidden.png"), "passed over").unwrap();
    let options = ImportOptions { test_share: 0.34, ..ImportOptions::default() };
    let imported = import(folder.path(), &options).unwrap();
    assert_eq!((imported.train.class_counts(), imported.test.class_counts()), (vec![2; 10], vec![1; 10]));
    assert_eq!((imported.n_prepared, imported.n_skipped), (30, 1));
    assert_eq!(import(folder.path(), &options).unwrap(), imported);
    assert_ne!(import(folder.path(), &ImportOptions { seed: 1, ..options }).unwrap(), imported);
}

#[test]
fn every_image_that_cannot_be_used_is_a_cause_of_the_error() {
    let folder = tempfile::tempdir().unwrap();
    export_images(&synthetic_digits(20, 3), folder.path(), |_| {}).unwrap();
    fs::write(folder.path().join("03-3/page.png"), "<html>not found</html>").unwrap();
    GrayImage::from_pixel(100, 100, Luma([250])).save(folder.path().join("07-7/blank.png")).unwrap();
    let error = import(folder.path(), &ImportOptions::default()).unwrap_err();
    assert_eq!((error.kind(), error.path()), (ErrorKind::Data, Some(folder.path())));
    assert!(error.to_string().contains("found that 2 of 22 pictures cannot be used"), "{error}");
    let mut paths: Vec<_> = error.causes().iter().map(|cause| cause.path().unwrap().file_name().unwrap()).collect();
    paths.sort();
    assert_eq!(paths, ["blank.png", "page.png"]);
}

#[test]
fn folders_that_are_no_data_set_are_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let kind_and_text = |name: &str| {
        let error = import(&folder.path().join(name), &AS_IS).unwrap_err();
        (error.kind(), error.to_string())
    };
    for (made, reason) in [
        ("empty", "expected a folder of pictures for each class, such as 7 or A, found none"),
        ("words/cat", "cat: expected pictures in each folder that is named by a class, found none"),
        ("twice/7", "expected one folder for \"7\", found"),
        ("bare/7", "bare: expected pictures (PNG, JPEG, WebP, BMP or GIF), found none"),
    ] {
        fs::create_dir_all(folder.path().join(made)).unwrap();
        fs::create_dir_all(folder.path().join("twice/3-7")).unwrap();
        let (kind, text) = kind_and_text(made.split('/').next().unwrap());
        assert!(kind == ErrorKind::Data && text.contains(reason), "{text}");
    }
    assert_eq!(kind_and_text("nowhere").0, ErrorKind::Io);
    GrayImage::new(28, 28).save(folder.path().join("bare/7/one.png")).unwrap();
    assert!(kind_and_text("bare").1.contains("two pictures or more of some class"));
    GrayImage::new(20, 28).save(folder.path().join("bare/7/two.png")).unwrap();
    let error = import(&folder.path().join("bare"), &AS_IS).unwrap_err();
    let [cause] = error.causes() else { panic!("one cause: {error}") };
    assert!(cause.to_string().contains("two.png: expected 28 × 28 pixels like the pictures before, found 20 × 28"));
}

#[test]
fn an_export_into_a_file_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("taken");
    fs::write(&path, "").unwrap();
    assert_eq!(export_images(&synthetic_digits(1, 1), &path, |_| {}).unwrap_err().kind(), ErrorKind::Io);
}
