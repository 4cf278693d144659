//! The hashes of converted files. Nobody has published them, so they are written down beside the files, in the form of
//! `sha256sum`, and every later check compares with that.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use crate::digest::{FileStatus, Hash, hash_file};
use crate::error::{Error, Result};

/// The file with the hashes of what was converted; `sha256sum --check` understands it.
const SUMS_NAME: &str = "SHA256SUMS";

/// The hashes of the converted files of a folder, by name.
pub(crate) type Checksums = BTreeMap<String, Hash>;

/// The hashes that were written down in `folder`; none where there is no such file, or lines that are none.
pub(crate) fn read(folder: &Path) -> Checksums {
    let text = fs::read_to_string(folder.join(SUMS_NAME)).unwrap_or_default();
    let sums = text.lines().filter_map(|line| {
        let (digits, name) = line.split_once("  ")?;
        Some((name.to_owned(), Hash::sha256(digits).ok()?))
    });
    sums.collect()
}

/// Writes the hashes down.
pub(crate) fn write(folder: &Path, sums: &Checksums) -> Result<()> {
    let path = folder.join(SUMS_NAME);
    let lines = sums.iter().map(|(name, hash)| format!("{}  {name}\n", hash.digits()));
    durable_file::write(&path, lines.collect::<String>().as_bytes()).map_err(|error| Error::io("write", &path, error))
}

/// What the converted file `name` is worth.
pub(crate) fn status(name: &str, folder: &Path, sums: &Checksums) -> Result<FileStatus> {
    let path = folder.join(name);
    let Some(expected) = sums.get(name) else {
        return Ok(match path.symlink_metadata() {
            Ok(_) => FileStatus::Damaged(format!("is not written down in {SUMS_NAME}")),
            Err(_) => FileStatus::Missing,
        });
    };
    match path.metadata() {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Ok(FileStatus::Damaged("is not a regular file".to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(FileStatus::Missing),
        Err(error) => return Err(Error::io("read", &path, error)),
    }
    let found = hash_file(&path, expected.hasher())?;
    if found == *expected {
        return Ok(FileStatus::Verified);
    }
    Ok(FileStatus::Damaged(format!("has {found}, and {SUMS_NAME} says {expected}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_read_as_they_were_written_and_nonsense_is_passed_over() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(read(folder.path()).is_empty());
        let hash = Hash::sha256(&"ab".repeat(32)).expect("a hash");
        let sums = Checksums::from([("b".to_owned(), hash), ("a file".to_owned(), hash)]);
        write(folder.path(), &sums).expect("a file");
        assert_eq!(read(folder.path()), sums);
        let path = folder.path().join(SUMS_NAME);
        fs::write(&path, format!("nonsense\n12  c\n{}", fs::read_to_string(&path).expect("text"))).expect("a file");
        assert_eq!(read(folder.path()), sums);
    }
}
