//! The list of data sets that `download` knows: `datasets/manifest.toml`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::configuration::nearest;
use crate::failure::Failure;

/// The manifest as it was when the program was built, for a program that runs away from its sources.
const BUILT_IN: &str = include_str!("../../datasets/manifest.toml");

/// All known data sets by name.
pub(crate) type Manifest = BTreeMap<String, DataSet>;

/// A data set that can be downloaded.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DataSet {
    /// What it is, in one line.
    pub(crate) title: String,
    /// The characters that the labels 0, 1, 2, … stand for.
    pub(crate) classes: String,
    /// Folders on servers that hold every file, best first.
    pub(crate) mirrors: Vec<String>,
    /// What belongs to it.
    pub(crate) files: Vec<DataFile>,
}

/// One file of a data set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DataFile {
    /// A plain name, the same on every mirror and on disk.
    pub(crate) name: String,
    /// Its exact length.
    pub(crate) bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal; the digits above 9 are small letters, however they are written.
    pub(crate) sha256: String,
}

/// Reads `datasets/manifest.toml` below `datasets`, or the built-in copy where there is none.
pub(crate) fn read(datasets: &Path) -> Result<Manifest, Failure> {
    let path = datasets.join("manifest.toml");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => BUILT_IN.to_owned(),
        Err(error) => return Err(Failure::io("read", &path, &error)),
    };
    parse(&text).map_err(|reason| Failure::data(format!("{}: {reason}", path.display())))
}

/// The data set called `name`.
pub(crate) fn find<'a>(manifest: &'a Manifest, name: &str) -> Result<&'a DataSet, Failure> {
    manifest.get(name).ok_or_else(|| {
        let names: Vec<&str> = manifest.keys().map(String::as_str).collect();
        let guess = nearest(name, names.iter().copied())
            .map(|guess| format!("; did you mean \"{guess}\"?"))
            .unwrap_or_default();
        Failure::configuration(format!(
            "no data set is called \"{name}\" in datasets/manifest.toml, which knows: {}{guess}",
            names.join(", ")
        ))
    })
}

/// Whether every file of `set` lies in `folder`, whatever its content.
pub(crate) fn is_present(set: &DataSet, folder: &Path) -> bool {
    set.files.iter().all(|file| folder.join(&file.name).is_file())
}

/// A data set together with the files as they are named on disk is only as safe as its names: plain ones, no folders.
fn parse(text: &str) -> Result<Manifest, String> {
    let mut manifest: Manifest = toml::from_str(text).map_err(|error| error.to_string())?;
    for (name, set) in &mut manifest {
        let file_names = set.files.iter().map(|file| &file.name);
        if let Some(hostile) = std::iter::once(name).chain(file_names).find(|name| !is_plain(name)) {
            return Err(format!(
                "\"{hostile}\" is no plain name; expected letters, digits, '.', '_' and '-', not beginning with '.' or '-'"
            ));
        }
        if set.files.is_empty() {
            return Err(format!("[{name}] lists no files"));
        }
        for file in &mut set.files {
            let is_hash = file.sha256.len() == 64 && file.sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !is_hash {
                return Err(format!(
                    "{}: sha256 = \"{}\" is no SHA-256; expected 64 hexadecimal digits",
                    file.name, file.sha256
                ));
            }
            file.sha256.make_ascii_lowercase();
        }
    }
    Ok(manifest)
}

fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 100
        && !name.starts_with(['.', '-'])
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_of_the_project_is_valid_and_has_four_files_of_mnist() {
        let manifest = parse(BUILT_IN).expect("datasets/manifest.toml is valid");
        assert_eq!(manifest["mnist"].files.len(), 4);
    }

    #[test]
    fn a_hash_in_capital_letters_is_the_same_hash() {
        let text = format!(
            "[set]\ntitle=\"t\"\nclasses=\"01\"\nmirrors=[]\nfiles=[{{name=\"a\", bytes=1, sha256=\"{}\"}}]",
            "AB".repeat(32)
        );
        assert_eq!(parse(&text).expect("a valid manifest")["set"].files[0].sha256, "ab".repeat(32));
    }

    #[test]
    fn names_that_lead_out_of_the_folder_are_refused() {
        for name in ["../evil", "/etc/passwd", "a/b", "..", ".hidden", "-rf", "", "a\\b", "a\u{0}b"] {
            assert!(!is_plain(name), "{name:?}");
            let text = format!(
                "[set]\ntitle=\"t\"\nclasses=\"01\"\nmirrors=[]\nfiles=[{{name={}, bytes=1, sha256=\"{}\"}}]",
                toml::Value::String(name.to_owned()),
                "0".repeat(64)
            );
            assert!(parse(&text).is_err(), "{name:?}");
        }
    }
}
