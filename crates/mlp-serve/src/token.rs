//! The secret in the address: who knows it may use the page.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// The bytes of a token, before they are written in hexadecimal digits.
const N_BYTES: usize = 16;

/// A secret of 128 bits. Without it every request is refused, whoever on this machine or in the browser sends it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A new one, from the operating system's generator.
    ///
    /// # Errors
    ///
    /// If the system has no random numbers.
    pub fn random() -> io::Result<Self> {
        let mut bytes = [0; N_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| io::Error::other(format!("no random numbers: {error}")))?;
        Ok(Token(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    /// The one in the file at `path`, so that an address stays what it was when the server is started again; a new one is
    /// written there, for its owner alone, where there is no such file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or written, or holds something else than 32 to 128 letters and digits.
    pub fn in_file(path: &Path) -> io::Result<Self> {
        match fs::read_to_string(path) {
            Ok(text) => {
                let text = text.trim();
                let is_token =
                    (2 * N_BYTES..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
                if is_token {
                    return Ok(Token(text.to_owned()));
                }
                let expected =
                    "expected a token of 32 to 128 letters and digits, found something else; delete the file";
                Err(io::Error::new(io::ErrorKind::InvalidData, expected))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let token = Token::random()?;
                let mut options = OpenOptions::new();
                options.write(true).create_new(true);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                options.open(path)?.write_all(format!("{}\n", token.0).as_bytes())?;
                Ok(token)
            }
            Err(error) => Err(error),
        }
    }

    /// As it stands in the address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Compares in a time that tells nothing of where they differ.
    pub(crate) fn is(&self, other: &str) -> bool {
        let (ours, other) = (self.0.as_bytes(), other.as_bytes());
        ours.len() == other.len() && ours.iter().zip(other).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
    }
}

/// Without the secret, so that none gets into a log.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}
