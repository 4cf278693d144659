//! A data set of one's own, fetched without a network: `cargo run -p mnist-fetch --example from_a_folder`
//!
//! Writes synthetic digits into a folder, a manifest with their lengths and hashes, and fetches them from there, twice.

use std::fs;
use std::path::Path;

use mnist_fetch::{FetchEvent, Fetcher, Manifest, Source};
use mnist_io::{LabeledImages, synthetic_digits};
use sha2::{Digest, Sha256};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let stick = folder.path().join("stick");
    LabeledImages::write_folder(&stick, &synthetic_digits(500, 1), &synthetic_digits(100, 2))?;
    let manifest: Manifest = describe(&stick)?.parse()?;

    let fetcher = Fetcher::new(manifest, folder.path().join("datasets")).source(Source::find(&stick)?);
    for _ in 0..2 {
        let fetched = fetcher.fetch_with("drawn-digits", |event| match event {
            FetchEvent::Trying { place, .. } => println!("copying {place}"),
            FetchEvent::Ready(file) => {
                println!("{}: {} bytes, verified by {}", file.path.display(), file.n_bytes, file.verified_by);
            }
            _ => {}
        })?;
        let (train, test) = LabeledImages::load_folder(&fetched.folder)?;
        println!("{} training and {} test images\n", train.len(), test.len());
    }
    Ok(())
}

/// The manifest of the files in `folder`.
fn describe(folder: &Path) -> std::io::Result<String> {
    let mut text =
        "[drawn-digits]\ntitle = \"Digits that a program drew\"\nclasses = \"0123456789\"\nmirrors = []\n".to_owned();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let bytes = fs::read(entry.path())?;
        text += &format!(
            "\n[[drawn-digits.files]]\nname = {:?}\nbytes = {}\nsha256 = \"{}\"\n",
            entry.file_name(),
            bytes.len(),
            hex::encode(Sha256::digest(&bytes))
        );
    }
    Ok(text)
}
