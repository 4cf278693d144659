//! Where files can be had.

use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

/// Where files can be had, instead of the mirrors that the manifest names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// A folder on this machine that holds every file under its published name.
    Folder(PathBuf),
    /// One of the files itself, known by its content whatever its name, or the archive.
    File(PathBuf),
    /// The address of a folder on a server; the name of a file is appended to it.
    Server(String),
}

impl Source {
    /// What a person means by `from`: an address that begins with https:// or http://, a folder, or a file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Argument`] if it is none of these.
    pub fn find(from: impl AsRef<Path>) -> Result<Self> {
        let from = from.as_ref();
        match from.to_str() {
            Some(text) if is_address(text) => Ok(Source::server(text)),
            _ if from.is_dir() => Ok(Source::Folder(from.to_path_buf())),
            _ if from.is_file() => Ok(Source::File(from.to_path_buf())),
            _ => Err(Error::at(
                ErrorKind::Argument,
                from,
                ": no such folder or file; expected a folder with the files, one of the files, or an address that \
                 begins with https:// or http://",
            )),
        }
    }

    /// The folder on a server with this address, with or without a slash at its end.
    pub fn server(address: impl Into<String>) -> Self {
        let mut address = address.into();
        if !address.ends_with('/') {
            address.push('/');
        }
        Source::Server(address)
    }

    /// The place of one file, for people and for the request.
    pub(crate) fn place(&self, name: &str) -> String {
        match self {
            Source::Folder(folder) => folder.join(name).display().to_string(),
            Source::File(path) => path.display().to_string(),
            Source::Server(address) if address.ends_with('/') => format!("{address}{name}"),
            Source::Server(address) => format!("{address}/{name}"),
        }
    }
}

/// Whether `text` is an address that files are fetched from.
pub(crate) fn is_address(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_stands_between_an_address_and_a_name_once() {
        for address in ["https://a.example/b", "https://a.example/b/"] {
            assert_eq!(Source::server(address).place("c"), "https://a.example/b/c");
            assert_eq!(Source::Server(address.to_owned()).place("c"), "https://a.example/b/c");
        }
    }
}
