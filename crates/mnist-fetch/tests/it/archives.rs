//! Sets that come out of an archive, and files that are converted on their way.

use std::fs;

use md5::Md5;
use mnist_fetch::{ErrorKind, FetchEvent, FileStatus, HashKind, Source};
use mnist_io::{IdxArray, LabeledImages, synthetic_digits};
use ndarray::Array2;
use sha2::Digest;

use crate::fixture::{Fixture, expect_error};
use crate::miniature::{Miniature, manifest};
use crate::server::{Behaviour, Server};

/// The four files of a set of letters.
const FILES: [&str; 4] = [
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
];

/// A server that has the archive, and a fixture whose manifest knows it.
fn served(archive: &[u8]) -> (Server, Fixture) {
    let server = Server::new(vec![Behaviour::Body(archive.to_vec())]);
    let fixture = Fixture::with_manifest(&manifest(archive, &server.address));
    (server, fixture)
}

#[test]
fn letters_come_out_of_the_archive_upright_and_counted_from_0() {
    let miniature = Miniature::new();
    let (server, fixture) = served(&miniature.archive());
    let mut n_kept = 0;
    let fetched = fixture.fetcher().fetch_with("letters", |event| {
        if let FetchEvent::ArchiveKept { path } = event {
            assert_eq!(path, fixture.path("datasets/archives/mini/gzip.zip"));
            n_kept += 1;
        }
    });
    let fetched = fetched.expect("it arrives");
    assert_eq!((n_kept, fetched.files.len(), fetched.missing.len()), (1, 4, 0));
    assert!(fetched.files.iter().all(|file| file.before == FileStatus::Missing));
    let (train, test) = LabeledImages::load_folder(&fetched.folder).expect("a set");
    assert_eq!((train, test), (miniature.train, miniature.test));

    // The archive serves the other set, and nothing is done twice.
    fixture.fetcher().fetch("letters-again").expect("it is at hand");
    let again = fixture.fetcher().fetch("letters").expect("it is here");
    assert!(again.files.iter().all(|file| file.before == FileStatus::Verified));
    assert_eq!(fixture.verify("letters"), [const { FileStatus::Verified }; 4]);
    assert_eq!(server.n_requests(), 1);
}

#[test]
fn a_damaged_file_of_letters_is_noticed_and_unpacked_anew_without_a_network() {
    let (server, fixture) = served(&Miniature::new().archive());
    fixture.fetcher().fetch("letters").expect("it arrives");
    for name in ["train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz"] {
        let path = fixture.path("datasets/letters").join(name);
        let whole = fs::read(&path).expect("a file");
        let mut damaged = whole.clone();
        damaged[whole.len() / 2] ^= 1;
        fs::write(&path, damaged).expect("a file");
        let wrong: Vec<FileStatus> =
            fixture.verify("letters").into_iter().filter(|status| *status != FileStatus::Verified).collect();
        assert!(matches!(&wrong[..], [FileStatus::Damaged(how)] if how.contains("SHA256SUMS says")), "{wrong:?}");
        let fetched = fixture.fetcher().fetch("letters").expect("the archive is here");
        let replaced = fetched.files.iter().find(|file| matches!(file.before, FileStatus::Damaged(_)));
        assert_eq!(replaced.map(|file| &file.path), Some(&path));
        assert_eq!(fs::read(&path).expect("a file"), whole);
    }
    fs::remove_file(fixture.path("datasets/letters/SHA256SUMS")).expect("a file");
    let unknown = FileStatus::Damaged("is not written down in SHA256SUMS".to_owned());
    assert!(fixture.verify("letters").iter().all(|status| *status == unknown));
    fixture.fetcher().fetch("letters").expect("the archive is here");
    assert_eq!(server.n_requests(), 1);
}

#[test]
fn an_archive_is_taken_from_a_folder_or_a_file_and_verified_there() {
    let archive = Miniature::new().archive();
    let fixture = Fixture::with_manifest(&manifest(&archive, "http://no-such-host.invalid/"));
    fs::create_dir(fixture.path("stick")).expect("a folder");
    let error = expect_error(fixture.fetch_from("letters", "stick"), ErrorKind::Source, "gzip.zip is missing");
    assert_eq!(error.path(), Some(fixture.path("stick/gzip.zip").as_path()));
    let mut damaged = archive.clone();
    damaged[100] ^= 1;
    fixture.write("stick/gzip.zip", damaged);
    for from in ["stick", "stick/gzip.zip"] {
        expect_error(fixture.fetch_from("letters", from), ErrorKind::Source, "has SHA-256");
    }
    fixture.write("stick/gzip.zip", &archive);
    fixture.fetch_from("letters", "stick").expect("it is there");
    fixture.fetch_from("letters-again", "stick/gzip.zip").expect("it is there");
    assert!(!fixture.path("datasets/archives").exists(), "nothing is copied that is at hand");
}

#[test]
fn a_manifest_that_does_not_fit_the_archive_is_an_error_of_the_data_and_leaves_no_part_of_a_set() {
    let archive = Miniature::new().archive();
    for (from, to, reason) in [
        ("train = 300", "train = 301", "expected an array of 301 samples"),
        ("first_label = 1", "first_label = 2", "expected labels that count from 2"),
        (
            "gzip/emnist-letters-train-images",
            "gzip/emnist-digits-train-images",
            "member gzip/emnist-digits-train-images",
        ),
    ] {
        let (_server, fixture) = served(&archive);
        fixture.edit_manifest(from, to);
        let error = expect_error(fixture.fetcher().fetch("letters"), ErrorKind::Data, reason);
        assert!(error.to_string().contains("gzip.zip, member gzip/emnist-"), "{error}");
        let names = fixture.names("datasets/letters");
        assert!(names.iter().all(|name| !name.contains("partial")), "{names:?}");
        assert!(FILES.iter().any(|file| !names.contains(&file.to_string())), "{names:?}");
    }
    let nothing = b"no archive at all";
    let fixture = Fixture::with_manifest(&manifest(nothing, "http://no-such-host.invalid/"));
    fixture.write("gzip.zip", nothing);
    expect_error(fixture.fetch_from("letters", "gzip.zip"), ErrorKind::Data, "expected a ZIP archive");
}

/// A set as QMNIST is published: under other names, with MD5, without lengths, with tables of labels. In `folder`, and
/// described by the manifest.
fn tables_of_labels(sets: &[LabeledImages; 2]) -> (Fixture, &'static str) {
    let mut files = Vec::new();
    let mut text = String::new();
    for (set, (part, name)) in sets.iter().zip([("train", "train"), ("test", "t10k")]) {
        let table = Array2::from_shape_fn((set.len(), 8), |(row, column)| match column {
            0 => i32::from(set.labels[row]),
            column => 1000 * column as i32 + row as i32,
        });
        let arrays = [
            ("images-idx3-ubyte.gz", IdxArray::U8(set.images.clone().into_dyn()), "images-idx3-ubyte.gz"),
            ("labels-idx2-int.gz", IdxArray::I32(table.into_dyn()), "labels-idx1-ubyte.gz"),
        ];
        for (ending, array, local) in arrays {
            let mut bytes = Vec::new();
            array.write_gzip_to(&mut bytes).expect("bytes");
            text += &format!(
                "\n[[q.files]]\nname = \"{name}-{local}\"\npublished = \"q-{part}-{ending}\"\nbytes_max = 100000\n\
                 md5 = \"{}\"\n",
                hex::encode(Md5::digest(&bytes))
            );
            files.push((format!("q/q-{part}-{ending}"), bytes));
        }
    }
    let head = "[q]\ntitle = \"q\"\nclasses = \"0123456789\"\ntrain = 30\ntest = 20\nlabel_column = 0\nmirrors = []\n";
    let fixture = Fixture::with_manifest(&format!("{head}{text}"));
    fs::create_dir(fixture.path("q")).expect("a folder");
    for (name, bytes) in files {
        fixture.write(&name, bytes);
    }
    (fixture, "q")
}

#[test]
fn a_set_published_under_other_names_with_md5_and_tables_of_labels_becomes_one_like_mnist() {
    let digits = [synthetic_digits(30, 1), synthetic_digits(20, 2)];
    let (fixture, from) = tables_of_labels(&digits);
    let fetched = fixture.fetch_from("q", from).expect("it is there");
    let by: Vec<HashKind> = fetched.files.iter().map(|file| file.verified_by).collect();
    assert_eq!(by, [HashKind::Md5, HashKind::Sha256, HashKind::Md5, HashKind::Sha256]);
    let (train, test) = LabeledImages::load_folder(&fetched.folder).expect("a set");
    assert_eq!([train, test], digits);
    let again = fixture.fetch_from("q", from).expect("it is here");
    assert!(again.files.iter().all(|file| file.before == FileStatus::Verified));
    // Four files, the lock, and the hashes of what was converted.
    assert_eq!(fixture.names("datasets/q").len(), 6, "{:?}", fixture.names("datasets/q"));

    let labels = fixture.path("q/q-train-labels-idx2-int.gz");
    let mut damaged = fs::read(&labels).expect("a file");
    damaged[30] ^= 1;
    fs::write(&labels, damaged).expect("a file");
    fs::remove_file(fixture.path("datasets/q/train-labels-idx1-ubyte.gz")).expect("a file");
    expect_error(fixture.fetch_from("q", from), ErrorKind::Source, "has MD5");
}

#[test]
fn what_a_killed_conversion_left_is_used_and_removed() {
    let digits = [synthetic_digits(30, 1), synthetic_digits(20, 2)];
    let (fixture, from) = tables_of_labels(&digits);
    fs::create_dir(fixture.path("datasets/q")).expect("a folder");
    // Verified and not yet converted; and the stage of a small file.
    let whole = fs::read(fixture.path("q/q-train-labels-idx2-int.gz")).expect("a file");
    fixture.write("datasets/q/.train-labels-idx1-ubyte.gz.published", whole);
    fixture.write("datasets/q/.SHA256SUMS.1-0.tmp", "12");
    fs::remove_file(fixture.path("q/q-train-labels-idx2-int.gz")).expect("a file");
    let fetcher = fixture.fetcher().source(Source::find(fixture.path(from)).expect("a source"));
    fetcher.fetch("q").expect("nothing else is missing");
    assert_eq!(fixture.names("datasets/q").len(), 6, "{:?}", fixture.names("datasets/q"));
}
