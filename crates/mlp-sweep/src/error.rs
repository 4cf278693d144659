//! The one error type of this crate: a kind to act on, and a text with the place.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use durable_file::LockError;

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// What a caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The specification, or what was asked for: a key, a value, a folder of other results or of a newer version.
    Specification,
    /// Data or a model that cannot be what they should be.
    Data,
    /// Something could not be read, written or started.
    Io,
    /// Another process holds the folder.
    Busy,
}

/// What went wrong. Its text names the place (file, line and column of a specification), what was expected, what was found
/// and what to do; it may have several lines, such as the line of a specification with a mark below it.
///
/// What to do is said in words that suit a program. One whose users know it by another name says so instead:
///
/// ```
/// use mlp_sweep::{Advice, Dataset, Sweep, SweepSpec, RunOptions};
/// use mnist_io::synthetic_digits;
///
/// # let folder = tempfile::tempdir().expect("a folder");
/// let data = Dataset::images("digits", synthetic_digits(100, 0), synthetic_digits(50, 1))?;
/// let run = |text: &str| Sweep::new(SweepSpec::from_toml(text)?, data.clone(), folder.path())?.run(&RunOptions::default(), &());
/// run("hidden = [4]\nepochs = 1\n")?;
/// let error = run("hidden = [8]\nepochs = 1\n").unwrap_err();
/// assert_eq!(error.advice(), Some(&Advice::FolderOrName));
/// assert!(error.to_string().contains("choose another folder"));
/// let in_words_of_a_program = error.text_with(|_| Some("move the slider".to_owned()));
/// assert!(in_words_of_a_program.contains("move the slider"));
/// # Ok::<(), mlp_sweep::Error>(())
/// ```
pub struct Error(Box<Details>);

/// What to do about an [`Error`], where it is the choice of whoever calls; as text in this library's words.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Advice {
    /// The results need another folder.
    Folder,
    /// The results need another folder, or the specification another name.
    FolderOrName,
    /// The results need another folder, or this kernel, by its name.
    KernelOrFolder(String),
    /// Fewer trials at a time.
    Jobs,
    /// Fewer threads.
    Threads,
    /// Another initial network, or a configuration that describes this one.
    InitialModel,
    /// An initial network, where there is none.
    NoInitialModel,
    /// Another folder to reuse trials from.
    Reuse,
    /// A whole sweep instead of a part.
    Whole,
    /// Something else than handing the sweep to Slurm, which is not here.
    NoSlurm,
    /// A look at what would be submitted.
    Submission,
}

impl fmt::Display for Advice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Advice::Folder => "choose another folder",
            Advice::FolderOrName => "choose another folder (or another `name`)",
            Advice::KernelOrFolder(kernel) => {
                return write!(formatter, "compute with the kernel {kernel}, or choose another folder");
            }
            Advice::Jobs => "run fewer trials at a time",
            Advice::Threads => "use fewer threads",
            Advice::InitialModel => "configure the network that it is, or take another model",
            Advice::NoInitialModel => "none; give the model that the sweep began with",
            Advice::Reuse => "choose one that a sweep wrote",
            Advice::Whole => "run all of it, or leave `halving` out",
            Advice::NoSlurm => "a dry run shows what would be submitted, and a shard runs a part without it",
            Advice::Submission => "a dry run shows the call",
        })
    }
}

struct Details {
    kind: ErrorKind,
    path: Option<PathBuf>,
    /// The text before the advice.
    text: String,
    advice: Option<Advice>,
    /// The text behind the advice.
    rest: &'static str,
    origin: Option<Origin>,
}

/// The error of which this one tells.
enum Origin {
    Io(io::Error),
    Train(mlp_train::Error),
    Results(mlp_results::Error),
}

impl Error {
    /// What sort of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The file or folder in question, if there is one.
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// What to do, where a choice of the caller has to change.
    pub fn advice(&self) -> Option<&Advice> {
        self.0.advice.as_ref()
    }

    /// The text with the advice in the caller's words; in this library's where `words` has none.
    pub fn text_with(&self, words: impl FnOnce(&Advice) -> Option<String>) -> String {
        let Details { text, advice, rest, .. } = &*self.0;
        let advice = advice.as_ref().map(|advice| words(advice).unwrap_or_else(|| advice.to_string()));
        format!("{text}{}{rest}", advice.unwrap_or_default())
    }

    /// The operating system's error, where there was one. Its text is part of this error's text already, so
    /// [`std::error::Error::source`] does not repeat it.
    pub fn io_error(&self) -> Option<&io::Error> {
        match self.0.origin.as_ref()? {
            Origin::Io(error) => Some(error),
            Origin::Train(error) => error.io_error(),
            Origin::Results(error) => error.io_error(),
        }
    }

    pub(crate) fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Error(Box::new(Details { kind, path: None, text: text.into(), advice: None, rest: "", origin: None }))
    }

    pub(crate) fn specification(text: impl Into<String>) -> Self {
        Error::new(ErrorKind::Specification, text)
    }

    /// A failed operation of the operating system on `path`; `action` completes "cannot …".
    pub(crate) fn io(action: &str, path: &Path, error: io::Error) -> Self {
        let advice = durable_file::advice(&error);
        let text = format!("cannot {action} {}: {error}{advice}", path.display());
        Error::new(ErrorKind::Io, text).in_file(path).caused_by(error)
    }

    /// The operating system's error, whose text is part of this one's.
    pub(crate) fn caused_by(self, error: io::Error) -> Self {
        self.with_origin(Origin::Io(error))
    }

    pub(crate) fn in_file(mut self, path: &Path) -> Self {
        self.0.path = Some(path.to_path_buf());
        self
    }

    /// The same, with what to do at the end of the text.
    pub(crate) fn with_advice(mut self, advice: Advice) -> Self {
        self.0.advice = Some(advice);
        self
    }

    /// The same with a text behind the advice.
    pub(crate) fn and_then(mut self, rest: &'static str) -> Self {
        self.0.rest = rest;
        self
    }

    fn with_origin(mut self, origin: Origin) -> Self {
        self.0.origin = Some(origin);
        self
    }
}

impl From<LockError> for Error {
    fn from(error: LockError) -> Self {
        let text = error.to_string();
        match error {
            LockError::Busy { folder, .. } => Error::new(ErrorKind::Busy, text).in_file(&folder),
            LockError::Io { action, path, error } => Error::io(action, &path, error),
        }
    }
}

impl From<mlp_train::Error> for Error {
    fn from(error: mlp_train::Error) -> Self {
        let kind = match error.kind() {
            mlp_train::ErrorKind::Configuration => ErrorKind::Specification,
            mlp_train::ErrorKind::Io | mlp_train::ErrorKind::NotFinite => ErrorKind::Io,
            _ => ErrorKind::Data,
        };
        let mut told = Error::new(kind, error.to_string());
        told.0.path = error.path().map(Path::to_path_buf);
        told.with_origin(Origin::Train(error))
    }
}

impl From<mlp_results::Error> for Error {
    fn from(error: mlp_results::Error) -> Self {
        let kind = match error.kind() {
            mlp_results::ErrorKind::Version => ErrorKind::Specification,
            mlp_results::ErrorKind::Io | mlp_results::ErrorKind::NotFinite => ErrorKind::Io,
            _ => ErrorKind::Data,
        };
        let mut told = Error::new(kind, error.to_string());
        told.0.path = error.path().map(Path::to_path_buf);
        told.with_origin(Origin::Results(error))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text_with(|_| None))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Error({:?}: {self})", self.0.kind)
    }
}

impl std::error::Error for Error {}
