//! Hashes of files: what was published, and what lies on the disk.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use md5::Md5;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// A sort of hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HashKind {
    /// SHA-256: nobody can make another file that has it.
    Sha256,
    /// MD5: shows damage, not malice, as files with a given MD5 can be made.
    Md5,
}

/// What a file on disk is worth.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FileStatus {
    /// Length and hash are right, or the hash of the content is.
    Verified,
    /// No such file.
    Missing,
    /// It is another file; the text says how, as in "has 7 bytes, expected 53".
    Damaged(String),
}

/// A published hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256([u8; 32]),
    Md5([u8; 16]),
}

/// Computes a hash of the kind that was published.
#[derive(Clone)]
pub(crate) enum Hasher {
    Sha256(Sha256),
    Md5(Md5),
}

impl fmt::Display for HashKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HashKind::Sha256 => "SHA-256",
            HashKind::Md5 => "MD5",
        })
    }
}

impl Hash {
    /// A SHA-256 of 64 hexadecimal digits, large or small.
    pub(crate) fn sha256(digits: &str) -> std::result::Result<Self, String> {
        decode(digits)
            .map(Hash::Sha256)
            .ok_or_else(|| format!("sha256 = \"{digits}\" is no SHA-256; expected 64 hexadecimal digits"))
    }

    /// An MD5 of 32 hexadecimal digits, large or small.
    pub(crate) fn md5(digits: &str) -> std::result::Result<Self, String> {
        decode(digits)
            .map(Hash::Md5)
            .ok_or_else(|| format!("md5 = \"{digits}\" is no MD5; expected 32 hexadecimal digits"))
    }

    /// Begins a hash of this kind.
    pub(crate) fn hasher(&self) -> Hasher {
        match self {
            Hash::Sha256(_) => Hasher::Sha256(Sha256::new()),
            Hash::Md5(_) => Hasher::Md5(Md5::new()),
        }
    }

    /// Its small hexadecimal digits.
    pub(crate) fn digits(&self) -> String {
        match self {
            Hash::Sha256(bytes) => hex::encode(bytes),
            Hash::Md5(bytes) => hex::encode(bytes),
        }
    }

    /// Kind and first digits, enough to recognise it.
    pub(crate) fn short(&self) -> String {
        format!("{} {}…", self.kind(), &self.digits()[..12])
    }

    pub(crate) fn kind(&self) -> HashKind {
        match self {
            Hash::Sha256(_) => HashKind::Sha256,
            Hash::Md5(_) => HashKind::Md5,
        }
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.digits())
    }
}

impl Hasher {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Hasher::Sha256(hasher) => hasher.update(bytes),
            Hasher::Md5(hasher) => hasher.update(bytes),
        }
    }

    pub(crate) fn finish(self) -> Hash {
        match self {
            Hasher::Sha256(hasher) => Hash::Sha256(hasher.finalize().into()),
            Hasher::Md5(hasher) => Hash::Md5(hasher.finalize().into()),
        }
    }
}

/// The hash of all bytes of a file.
pub(crate) fn hash_file(path: &Path, hasher: Hasher) -> Result<Hash> {
    let file = File::open(path).map_err(|error| Error::io("read", path, error))?;
    hash_all(file, hasher).map_err(|error| Error::io("read", path, error))
}

/// The hash of what a file unpacks to, or of its bytes if it is not packed; `None` where its packing is damaged.
pub(crate) fn hash_content(path: &Path, hasher: Hasher) -> Result<Option<Hash>> {
    let failed = |error: io::Error| Error::io("read", path, error);
    let mut beginning = [0; 2];
    let mut file = File::open(path).map_err(failed)?;
    let is_gzip = file.read_exact(&mut beginning).is_ok() && beginning == [0x1f, 0x8b];
    let file = File::open(path).map_err(failed)?;
    if !is_gzip {
        return hash_all(file, hasher).map(Some).map_err(failed);
    }
    Ok(hash_all(MultiGzDecoder::new(BufReader::with_capacity(1 << 16, file)), hasher).ok())
}

fn hash_all(mut reader: impl Read, mut hasher: Hasher) -> io::Result<Hash> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(n_bytes) => hasher.update(&buffer[..n_bytes]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn decode<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(digits, &mut bytes).ok().map(|()| bytes)
}
