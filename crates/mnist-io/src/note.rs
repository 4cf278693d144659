//! What a person may want to know about data that are taken all the same.

use std::fmt;
use std::path::PathBuf;

use crate::images::LabeledImages;

/// One of the two sets of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// What a network learns from.
    Train,
    /// What it is measured on.
    Test,
}

/// Something about data that stops nothing, and that a person may want to know. Its text is one sentence without a full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// Zeros follow the end of a gzip stream and were passed over, as gzip does.
    ZerosAfterGzip {
        /// The file.
        path: PathBuf,
        /// How many zeros.
        n_zeros: u64,
    },
    /// A folder was not looked into.
    FolderPassedOver {
        /// Which one.
        path: PathBuf,
    },
    /// A file was not read.
    FilePassedOver {
        /// Which one.
        path: PathBuf,
    },
    /// Pictures that lie beside the folders of the classes, and so have no class, were not read.
    PicturesPassedOver {
        /// The folder in which they lie.
        folder: PathBuf,
        /// How many.
        n_pictures: usize,
    },
    /// A set has no image of some classes.
    EmptyClasses {
        /// The set.
        part: Part,
        /// The classes, in their order.
        classes: Vec<String>,
    },
    /// Images that are split already were not split anew, whatever share was asked for.
    SplitKept,
}

impl fmt::Display for Part {
    /// `training` or `test`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Train => "training",
            Part::Test => "test",
        })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::ZerosAfterGzip { path, n_zeros } => {
                write!(f, "{}: {n_zeros} zeros after the end of the gzip stream were passed over", path.display())
            }
            Note::FolderPassedOver { path } => write!(f, "the folder {} was passed over", path.display()),
            Note::FilePassedOver { path } => write!(f, "the file {} was passed over", path.display()),
            Note::PicturesPassedOver { folder, n_pictures } => {
                let beside = if *n_pictures == 1 { "1 picture".to_owned() } else { format!("{n_pictures} pictures") };
                write!(
                    f,
                    "{}: {beside} beside the folders of the classes, and so without one, passed over",
                    folder.display()
                )
            }
            Note::EmptyClasses { part, classes } => {
                let names: Vec<String> = classes.iter().map(|class| format!("'{class}'")).collect();
                let (last, before) = names.split_last().expect("at least one class");
                let names = if before.is_empty() { last.clone() } else { format!("{} or {last}", before.join(", ")) };
                write!(f, "no {part} image is of the class {names}")?;
                f.write_str(match part {
                    Part::Train => ", so a net cannot learn it",
                    Part::Test => ", so nothing is measured of it",
                })
            }
            Note::SplitKept => f.write_str("the pictures lie in train and test already, and stay there"),
        }
    }
}

impl Note {
    /// A note where `set` has no image of some class.
    pub fn on_empty_classes(part: Part, set: &LabeledImages) -> Option<Self> {
        let counts = set.class_counts();
        let is_empty = |&(index, _): &(usize, &String)| counts[index] == 0;
        let classes: Vec<String> =
            set.classes.iter().enumerate().filter(is_empty).map(|(_, class)| class.clone()).collect();
        (!classes.is_empty()).then_some(Self::EmptyClasses { part, classes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_without_an_image_are_named() {
        let set = LabeledImages::new(ndarray::Array3::zeros((2, 1, 1)), vec![1, 1], vec!['a', 'b', 'c', 'd']);
        let set = set.expect("a set");
        let note = Note::on_empty_classes(Part::Train, &set).expect("a note").to_string();
        assert_eq!(note, "no training image is of the class 'a', 'c' or 'd', so a net cannot learn it");
        let classes = LabeledImages { classes: vec!["a".to_owned(), "b".to_owned()], ..set.clone() };
        let note = Note::on_empty_classes(Part::Test, &classes).expect("a note").to_string();
        assert_eq!(note, "no test image is of the class 'a', so nothing is measured of it");
        assert_eq!(Note::on_empty_classes(Part::Test, &LabeledImages { labels: vec![0, 1], ..classes }), None);
    }
}
