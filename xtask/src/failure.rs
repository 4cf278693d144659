//! The one error type of the program: a message for a person and the code the process ends with. The errors of the
//! libraries become it here, and nowhere else.

use std::fmt;
use std::io;
use std::path::Path;

use durable_file::LockError;
use mlp_sweep::Advice;

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
        let advice = durable_file::advice(error);
        Failure::new(Code::InputOutput, format!("cannot {action} {}: {error}{advice}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Busy { .. } => Failure::new(Code::Busy, error.to_string()),
            LockError::Io { action, path, error } => Failure::io(action, &path, &error),
        }
    }
}

impl From<mnist_io::Error> for Failure {
    fn from(error: mnist_io::Error) -> Self {
        let code = match error.kind() {
            mnist_io::ErrorKind::Io => Code::InputOutput,
            mnist_io::ErrorKind::Argument => Code::Configuration,
            _ => Code::Data,
        };
        Failure::new(code, error.to_string())
    }
}

impl From<mnist_fetch::Error> for Failure {
    fn from(error: mnist_fetch::Error) -> Self {
        let code = match error.kind() {
            mnist_fetch::ErrorKind::Argument => Code::Configuration,
            mnist_fetch::ErrorKind::Source => Code::Network,
            mnist_fetch::ErrorKind::Io => Code::InputOutput,
            mnist_fetch::ErrorKind::Busy => Code::Busy,
            _ => Code::Data,
        };
        Failure::new(code, error.to_string())
    }
}

impl From<mlp_train::Error> for Failure {
    fn from(error: mlp_train::Error) -> Self {
        let code = match error.kind() {
            mlp_train::ErrorKind::Configuration => Code::Configuration,
            mlp_train::ErrorKind::Io => Code::InputOutput,
            _ => Code::Data,
        };
        Failure::new(code, error.to_string())
    }
}

impl From<mlp_onnx::Error> for Failure {
    fn from(error: mlp_onnx::Error) -> Self {
        let code = match error.kind() {
            mlp_onnx::ErrorKind::Io => Code::InputOutput,
            mlp_onnx::ErrorKind::Options => Code::Configuration,
            _ => Code::Data,
        };
        Failure::new(code, error.to_string())
    }
}

impl From<mlp_results::Error> for Failure {
    fn from(error: mlp_results::Error) -> Self {
        let code = match error.kind() {
            mlp_results::ErrorKind::Io | mlp_results::ErrorKind::NotFinite => Code::InputOutput,
            // As where a sweep meets one: nothing is wrong with the data, but another version is needed, or another folder.
            mlp_results::ErrorKind::Version => Code::Configuration,
            _ => Code::Data,
        };
        Failure::new(code, error.to_string())
    }
}

impl From<mlp_sweep::Error> for Failure {
    fn from(error: mlp_sweep::Error) -> Self {
        let code = match error.kind() {
            mlp_sweep::ErrorKind::Specification => Code::Configuration,
            mlp_sweep::ErrorKind::Io => Code::InputOutput,
            mlp_sweep::ErrorKind::Busy => Code::Busy,
            _ => Code::Data,
        };
        Failure::new(code, error.text_with(option))
    }
}

/// What to do about an error of a sweep, as options of this program.
fn option(advice: &Advice) -> Option<String> {
    let text = match advice {
        Advice::Folder => "name another folder with --out",
        Advice::FolderOrName => "take another folder with --out (or another `name`)",
        Advice::KernelOrFolder(kernel) => {
            return Some(format!("add --kernel {kernel}, or name another folder with --out"));
        }
        Advice::Jobs => "try --jobs with a smaller number",
        Advice::Threads => "try --threads with a smaller number",
        Advice::InitialModel => "configure the network that it is, as --from does by itself, or take another model",
        Advice::NoInitialModel => "no --init; `train --init MODEL` starts from a network",
        Advice::Reuse => "name one that `train` or `sweep` wrote with --reuse",
        Advice::Whole => "leave --shard or --executor out, or `halving`",
        Advice::NoSlurm => "--dry-run shows what would be submitted, --shard K/N runs a part without it",
        Advice::Submission => "--dry-run shows the call",
        _ => return None,
    };
    Some(text.to_owned())
}

impl From<mlp_report::Error> for Failure {
    fn from(error: mlp_report::Error) -> Self {
        let code = match error.kind() {
            mlp_report::ErrorKind::Argument => Code::Configuration,
            _ => Code::InputOutput,
        };
        Failure::new(code, error.to_string())
    }
}

impl From<paper::Error> for Failure {
    fn from(error: paper::Error) -> Self {
        let code = match error.kind() {
            paper::ErrorKind::Io => Code::InputOutput,
            paper::ErrorKind::Argument => Code::Configuration,
            paper::ErrorKind::Busy => Code::Busy,
            paper::ErrorKind::Stopped => Code::Interrupted,
            _ => Code::Data,
        };
        Failure::new(code, error.sweep_error().map_or_else(|| error.to_string(), |error| error.text_with(option)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_advice_of_a_sweep_names_an_option_of_this_program() {
        for advice in [
            Advice::Folder,
            Advice::FolderOrName,
            Advice::KernelOrFolder("avx2".to_owned()),
            Advice::Jobs,
            Advice::Threads,
            Advice::InitialModel,
            Advice::NoInitialModel,
            Advice::Reuse,
            Advice::Whole,
            Advice::NoSlurm,
            Advice::Submission,
        ] {
            assert!(!advice.to_string().contains("--"), "{advice}: a library has no options");
            let text = option(&advice).unwrap_or_default();
            assert!(text.contains("--"), "{advice}: {text:?}");
        }
    }
}
