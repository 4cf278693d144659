//! A miniature in EMNIST's layout: a ZIP archive of gzip files, images with rows and columns exchanged, labels that count
//! from 1. The program's tests use it as well.

use std::io::Write;

use mnist_io::{IdxArray, LabeledImages, synthetic_digits};
use ndarray::Array1;
use sha2::{Digest, Sha256};
use zip::write::{SimpleFileOptions, ZipWriter};

/// Ten letters, drawn as the ten digits: what a class looks like is all the same to the way through.
pub(crate) const LETTERS: &str = "ABCDEFGHIJ";

/// The sets that the archive holds, upright and counted from 0.
pub(crate) struct Miniature {
    pub(crate) train: LabeledImages,
    pub(crate) test: LabeledImages,
}

impl Miniature {
    pub(crate) fn new() -> Self {
        let letters = |n: usize, seed: u64| LabeledImages {
            classes: LETTERS.chars().map(String::from).collect(),
            ..synthetic_digits(n, seed)
        };
        Miniature { train: letters(300, 1), test: letters(100, 2) }
    }

    /// The archive with all members that EMNIST has for a set, and some more.
    pub(crate) fn archive(&self) -> Vec<u8> {
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

/// A manifest that knows the letters, and the same ones again under another name, in one archive at `mirror`.
pub(crate) fn manifest(archive: &[u8], mirror: &str) -> String {
    let sha256 = hex::encode(Sha256::digest(archive));
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
    manifest
}
