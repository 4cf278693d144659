//! Standard output for results, standard error for notices; neither can bring the program down.

use std::fmt::Display;
use std::io::{self, Write};

use crate::failure::{Code, Failure};

/// Standard output with a memory: the first failed write is kept and reported by [`Output::finish`], so that a full
/// disk behind a redirection neither kills a long computation nor passes for success.
///
/// A reader that has had enough (`| head`) is no failure: what follows is dropped.
#[derive(Default)]
pub(crate) struct Output {
    closed: bool,
    error: Option<io::Error>,
}

impl Output {
    /// Writes `line` and a line break, at once.
    pub(crate) fn line(&mut self, line: impl Display) {
        self.text(&format!("{line}\n"));
    }

    /// Writes `text` as it is, at once.
    pub(crate) fn text(&mut self, text: &str) {
        if self.closed || self.error.is_some() {
            return;
        }
        let mut stdout = io::stdout().lock();
        let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.closed = true,
            Err(error) => self.error = Some(error),
            Ok(()) => {}
        }
    }

    /// Whether everything that was written has arrived.
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        match self.error.take() {
            None => Ok(()),
            Some(error) => Err(Failure::new(
                Code::InputOutput,
                format!("cannot write to the standard output: {error}; the results shown are incomplete"),
            )),
        }
    }
}

/// Writes a line to standard error; if nobody can read it, there is nobody left to tell.
pub(crate) fn notice(line: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
