//! The four files of a data set: their names, and where they are in a folder.

use crate::error::{Error, Result};
use crate::folder_kind::FolderKind;
use crate::gzip::have_equal_content;
use crate::note::Part;
use std::path::{Path, PathBuf};

/// One of the four files of a data set.
#[derive(Clone, Copy)]
pub(crate) struct PartFile {
    pub(crate) part: Part,
    pub(crate) is_images: bool,
}

impl PartFile {
    pub(crate) const ALL: [Self; 4] = [
        Self { part: Part::Train, is_images: true },
        Self { part: Part::Train, is_images: false },
        Self { part: Part::Test, is_images: true },
        Self { part: Part::Test, is_images: false },
    ];

    /// The images and the labels of a part.
    pub(crate) fn both(part: Part) -> [Self; 2] {
        [true, false].map(|is_images| Self { part, is_images })
    }

    /// The names that it may have.
    pub(crate) fn names(self) -> Vec<String> {
        let prefixes: &[&str] = match self.part {
            Part::Train => &["train"],
            Part::Test => &["t10k", "test"],
        };
        let (content, rank) = if self.is_images { ("images", 3) } else { ("labels", 1) };
        let mut names = Vec::new();
        for prefix in prefixes {
            for separator in ["-", "."] {
                for ending in ["", ".gz"] {
                    names.push(format!("{prefix}-{content}{separator}idx{rank}-ubyte{ending}"));
                }
            }
        }
        names
    }

    /// The one that is written.
    pub(crate) fn name_written(self) -> &'static str {
        match (self.part, self.is_images) {
            (Part::Train, true) => "train-images-idx3-ubyte.gz",
            (Part::Train, false) => "train-labels-idx1-ubyte.gz",
            (Part::Test, true) => "t10k-images-idx3-ubyte.gz",
            (Part::Test, false) => "t10k-labels-idx1-ubyte.gz",
        }
    }

    /// Whether something in the folder has one of the names.
    pub(crate) fn is_in(self, folder: &Path) -> bool {
        self.names().iter().any(|name| is_there(&folder.join(name)))
    }

    /// The file of the folder that has one of the names. Of several with the same content the first is taken.
    pub(crate) fn find(self, folder: &Path) -> Result<PathBuf> {
        let there = self.candidates(folder);
        let Some((first, others)) = there.split_first() else { return Err(self.missing(folder)) };
        for other in others {
            if !have_equal_content(first, other)? {
                let content = if self.is_images { "images" } else { "labels" };
                let name = |path: &Path| path.strip_prefix(folder).unwrap_or(path).display().to_string();
                return Err(Error::data(
                    format!("one file of {} {content}", self.part),
                    format!("both {} and {}, which differ", name(first), name(other)),
                    "remove the one that is not wanted",
                )
                .in_file(folder));
            }
        }
        Ok(first.clone())
    }

    /// Everything that may be the file. Some archives unpack to a folder of the file's name with the file in it.
    fn candidates(self, folder: &Path) -> Vec<PathBuf> {
        let names = self.names();
        let mut found = Vec::new();
        for name in &names {
            let path = folder.join(name);
            let inner = names.iter().map(|name| path.join(name)).find(|inner| inner.is_file());
            match inner {
                Some(inner) => found.push(inner),
                None if is_there(&path) => found.push(path),
                None => {}
            }
        }
        found
    }

    fn missing(self, folder: &Path) -> Error {
        let content = if self.is_images { "images" } else { "labels" };
        let as_file = format!("{} {content} as an IDX file, such as {}", self.part, self.name_written());
        let any_name = format!("one of the files {}", self.names().join(", "));
        let none = "none of them".to_owned();
        let (expected, found, advice) = match FolderKind::of(folder) {
            _ if !folder.is_dir() => {
                (any_name, none, "this is no folder: check its name, or download the data set".to_owned())
            }
            FolderKind::TestSet => (
                as_file,
                "test images alone".to_owned(),
                "measure a net on them, or add training images to learn from".to_owned(),
            ),
            FolderKind::Nested(inner) => (
                as_file,
                format!("none, but a folder {} with data", inner.file_name().unwrap_or_default().display()),
                format!("name {}", inner.display()),
            ),
            FolderKind::ClassFolders => (
                as_file,
                "folders of pictures".to_owned(),
                "make a data set of them: import_images does, and writes these files".to_owned(),
            ),
            FolderKind::Images => (
                as_file,
                "pictures".to_owned(),
                "sort them into a folder for each class and make a data set of them with import_images".to_owned(),
            ),
            FolderKind::DataSet | FolderKind::Other => {
                (any_name, none, "put the file there, or download the data set".to_owned())
            }
        };
        Error::io(expected, std::io::Error::new(std::io::ErrorKind::NotFound, found), advice).in_file(folder)
    }
}

/// Whether the name is taken, be it by a link that leads nowhere.
pub(crate) fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
