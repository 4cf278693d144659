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

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `count` and `noun`, with an "s" where there is not exactly one.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(count))
}

/// Seconds as a person says them: `0.42 s`, `12.3 s`, `3 min 5 s`, `2 h 4 min`.
pub(crate) fn duration(seconds: f64) -> String {
    if seconds < 1.0 {
        format!("{seconds:.2} s")
    } else if seconds < 59.95 {
        format!("{seconds:.1} s")
    } else {
        let whole = seconds.round() as u64;
        if whole < 3600 {
            format!("{} min {} s", whole / 60, whole % 60)
        } else {
            format!("{} h {} min", whole / 3600, whole % 3600 / 60)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let shown: Vec<String> = [0, 999, 1000, 60000, 1234567].map(grouped).to_vec();
        assert_eq!(shown, ["0", "999", "1,000", "60,000", "1,234,567"]);
    }

    #[test]
    fn durations_are_said_in_the_largest_fitting_units() {
        let shown: Vec<String> = [0.418, 12.34, 59.97, 185.0, 7440.0].map(duration).to_vec();
        assert_eq!(shown, ["0.42 s", "12.3 s", "1 min 0 s", "3 min 5 s", "2 h 4 min"]);
    }
}
