//! The one error type of the program: a message for a person and the code the process ends with.

use std::fmt;
use std::io;
use std::path::Path;

/// Why the process ends with something else than 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// Wrong usage or configuration: 2.
    Configuration,
    /// Data that cannot be what it should be: 3.
    Data,
    /// The network, or a checksum: 4.
    Network,
    /// Reading or writing failed: 5.
    InputOutput,
    /// Another process holds the folder: 6.
    Busy,
    /// A trial failed, or a step of `check`: 7.
    Unsuccessful,
    /// Stopped by a signal; running again goes on: 75.
    Interrupted,
}

impl Code {
    /// The exit code of the process.
    pub(crate) fn number(self) -> u8 {
        match self {
            Code::Configuration => 2,
            Code::Data => 3,
            Code::Network => 4,
            Code::InputOutput => 5,
            Code::Busy => 6,
            Code::Unsuccessful => 7,
            Code::Interrupted => 75,
        }
    }
}

/// What went wrong: place, expected, found, and what to do next, in the message.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// Decides the exit code.
    pub(crate) code: Code,
    /// One or a few lines without a final line break.
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Failure { code, message: message.into() }
    }

    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Failure::new(Code::Configuration, message)
    }

    pub(crate) fn data(message: impl Into<String>) -> Self {
        Failure::new(Code::Data, message)
    }

    /// A failed operation of the operating system on `path`; `action` completes "cannot …".
    pub(crate) fn io(action: &str, path: &Path, error: &io::Error) -> Self {
        let advice = match error.kind() {
            io::ErrorKind::NotFound => "; check the path",
            io::ErrorKind::PermissionDenied => "; check the permissions of the file and its folder",
            io::ErrorKind::ReadOnlyFilesystem => "; name a folder that can be written",
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; free some space and run the command again",
            _ if is_too_many_files(error) => "; raise the limit of open files (`ulimit -n`)",
            _ => "",
        };
        Failure::new(Code::InputOutput, format!("cannot {action} {}: {error}{advice}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

fn is_too_many_files(error: &io::Error) -> bool {
    // EMFILE has no kind of its own in the standard library.
    cfg!(unix) && error.raw_os_error() == Some(24)
}
