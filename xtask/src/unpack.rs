//! Files that do not lie on a server as they lie on the disk: members of a ZIP archive, images with rows and columns
//! exchanged, labels that count from 1. They are read member by member and image by image, never as a whole.
//!
//! What was published is verified before it is read here. What comes out has no published hash, so its own is written
//! down beside it, in the form of `sha256sum`, and `--verify` compares with that.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use zip::ZipArchive;

use crate::data;
use crate::digest::{Condition, Hash, hash_file, hexadecimal};
use crate::failure::{Code, Failure};
use crate::manifest::{Conversion, DataFile};
use crate::partial::Partial;
use crate::store::write_atomically;

/// The file with the hashes of what was converted; `sha256sum --check` understands it.
const SUMS_NAME: &str = "SHA256SUMS";

/// An open archive.
pub(crate) struct Archive {
    name: String,
    zip: ZipArchive<BufReader<File>>,
}

/// The hashes of the converted files of a folder.
pub(crate) type Sums = BTreeMap<String, Hash>;

impl Archive {
    /// Reads the directory of an archive. Code 3 if it is none.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| Failure::io("read", path, &error))?;
        let zip = ZipArchive::new(BufReader::new(file))
            .map_err(|error| Failure::data(format!("{name}: expected a ZIP archive, found: {error}; get it again")))?;
        Ok(Archive { name, zip })
    }

    /// Writes `member` to `target`, converted, and returns the hash of what was written.
    pub(crate) fn unpack(&mut self, member: &str, conversion: Conversion, target: &Path) -> Result<Hash, Failure> {
        let place = format!("{}, member {member}", self.name);
        let file = self.zip.by_name(member).map_err(|error| {
            Failure::data(format!(
                "{place}: expected to find it, but: {error}; mend the manifest, or get the archive again"
            ))
        })?;
        convert(file, &place, conversion, target)
    }
}

/// Writes what is at `source` to `target`, converted, and returns the hash of what was written.
pub(crate) fn convert_file(source: &Path, conversion: Conversion, target: &Path) -> Result<Hash, Failure> {
    let file = File::open(source).map_err(|error| Failure::io("read", source, &error))?;
    convert(file, &source.display().to_string(), conversion, target)
}

fn convert(source: impl Read, place: &str, conversion: Conversion, target: &Path) -> Result<Hash, Failure> {
    let partial = Partial::create(target)?;
    let mut writer = Hashing { inner: &partial, hasher: Sha256::new() };
    let converted = match conversion {
        Conversion::Images { transposed: true, n_images } => {
            mnist_io::transpose_images(source, &mut writer, n_images).map(drop)
        }
        Conversion::Images { transposed: false, n_images } => {
            mnist_io::repack_images(source, &mut writer, n_images).map(drop)
        }
        Conversion::Labels { source: labels, n_labels } => {
            mnist_io::convert_labels(source, &mut writer, labels, n_labels).map(drop)
        }
    };
    converted.map_err(|error| {
        let failure = data::failure(&error);
        match failure.code {
            Code::InputOutput => {
                Failure::new(Code::InputOutput, format!("{place} to {}: {}", target.display(), failure.message))
            }
            code => Failure::new(code, format!("{place}: {}", failure.message)),
        }
    })?;
    let hash = Hash::Sha256(hexadecimal(&writer.hasher.finalize()));
    partial.persist()?;
    Ok(hash)
}

/// Passes bytes on and hashes those that were taken.
struct Hashing<W> {
    inner: W,
    hasher: Sha256,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n_written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..n_written]);
        Ok(n_written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// The hashes that were written down in `folder`; none where there is no such file, or lines that are none.
pub(crate) fn read_sums(folder: &Path) -> Sums {
    let text = fs::read_to_string(folder.join(SUMS_NAME)).unwrap_or_default();
    let sums = text.lines().filter_map(|line| {
        let (digits, name) = line.split_once("  ")?;
        Some((name.to_owned(), Hash::sha256(digits).ok()?))
    });
    sums.collect()
}

/// Writes the hashes down.
pub(crate) fn write_sums(folder: &Path, sums: &Sums) -> Result<(), Failure> {
    let lines = sums.iter().map(|(name, hash)| format!("{}  {name}\n", hash.digits()));
    write_atomically(&folder.join(SUMS_NAME), &lines.collect::<String>())
}

/// What a converted file is worth.
pub(crate) fn condition(file: &DataFile, folder: &Path, sums: &Sums) -> Result<Condition, Failure> {
    let path = folder.join(&file.name);
    let Some(expected) = sums.get(&file.name) else {
        return Ok(match path.symlink_metadata() {
            Ok(_) => Condition::Damaged(format!("is not written down in {SUMS_NAME}")),
            Err(_) => Condition::Missing,
        });
    };
    match path.metadata() {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Ok(Condition::Damaged("is no regular file".to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Condition::Missing),
        Err(error) => return Err(Failure::io("read", &path, &error)),
    }
    let found = hash_file(&path, expected.hasher())?;
    Ok(match found == *expected {
        true => Condition::Verified,
        false => Condition::Damaged(format!("has {found}, and {SUMS_NAME} says {expected}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_read_as_they_were_written_and_nonsense_is_passed_over() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(read_sums(folder.path()).is_empty());
        let hash = Hash::sha256(&"ab".repeat(32)).expect("a hash");
        let sums = Sums::from([("b".to_owned(), hash.clone()), ("a file".to_owned(), hash)]);
        write_sums(folder.path(), &sums).expect("a file");
        assert_eq!(read_sums(folder.path()), sums);
        let path = folder.path().join(SUMS_NAME);
        fs::write(&path, format!("nonsense\n12  c\n{}", fs::read_to_string(&path).expect("text"))).expect("a file");
        assert_eq!(read_sums(folder.path()), sums);
    }
}
