//! Files that do not lie on a server as they lie on the disk: members of a ZIP archive, images with rows and columns
//! exchanged, labels that count from 1. They are read member by member and image by image, never as a whole, and only
//! after what was published has been verified.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use zip::ZipArchive;

use crate::data_set::Conversion;
use crate::digest::Hash;
use crate::error::{Error, ErrorKind, Result};
use crate::partial::PartialFile;

/// An open archive.
pub(crate) struct ArchiveReader {
    name: String,
    zip: ZipArchive<BufReader<File>>,
}

impl ArchiveReader {
    /// Reads the directory of an archive. [`ErrorKind::Data`] if it is none.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|error| Error::io("read", path, error))?;
        let zip = ZipArchive::new(BufReader::new(file)).map_err(|error| {
            let message = format!(": expected a ZIP archive, found: {error}; get it again");
            Error::at(ErrorKind::Data, path, message)
        })?;
        Ok(Self { name: path.display().to_string(), zip })
    }

    /// Writes `member` to `target`, converted, and returns the hash of what was written.
    pub(crate) fn unpack(&mut self, member: &str, conversion: Conversion, target: &Path) -> Result<Hash> {
        let place = format!("{}, member {member}", self.name);
        let file = self.zip.by_name(member).map_err(|error| {
            let message =
                format!("{place}: expected to find it, but: {error}; fix the manifest, or get the archive again");
            Error::new(ErrorKind::Data, message)
        })?;
        convert(file, &place, conversion, target)
    }
}

/// Writes what is at `source` to `target`, converted, and returns the hash of what was written.
pub(crate) fn convert_file(source: &Path, conversion: Conversion, target: &Path) -> Result<Hash> {
    let file = File::open(source).map_err(|error| Error::io("read", source, error))?;
    convert(file, &source.display().to_string(), conversion, target)
}

fn convert(source: impl Read, place: &str, conversion: Conversion, target: &Path) -> Result<Hash> {
    let partial = PartialFile::create(target)?;
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
    converted.map_err(|error| failed_conversion(&error, place, target))?;
    let hash = Hash::Sha256(writer.hasher.finalize().into());
    partial.publish()?;
    Ok(hash)
}

fn failed_conversion(error: &mnist_io::Error, place: &str, target: &Path) -> Error {
    match error.kind() {
        mnist_io::ErrorKind::Io => {
            let copy = error.io_error().map(|cause| match cause.raw_os_error() {
                Some(code) => io::Error::from_raw_os_error(code),
                None => cause.kind().into(),
            });
            Error::new(ErrorKind::Io, format!("{place} to {}: {error}", target.display())).with_io_error(copy)
        }
        mnist_io::ErrorKind::Argument => Error::new(ErrorKind::Argument, format!("{place}: {error}")),
        _ => Error::new(ErrorKind::Data, format!("{place}: {error}")),
    }
    .with_path(target)
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
