//! Gets one file of a data set: from mirrors or a folder into its place, where only verified bytes ever arrive.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::failure::{Code, Failure};
use crate::manifest::DataFile;
use crate::partial::Partial;

/// Where all files of a set can be had.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// A folder on this machine.
    Folder(PathBuf),
    /// The address of a folder on a server, ending in a slash.
    Server(String),
}

impl Source {
    /// The place of one file, for people and for the request.
    fn place(&self, name: &str) -> String {
        match self {
            Source::Folder(folder) => folder.join(name).display().to_string(),
            Source::Server(address) => format!("{address}{name}"),
        }
    }
}

/// How long to wait and how often to try.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Longest time without a single byte.
    pub(crate) stall: Duration,
    /// Longest time for one file, over all sources and attempts.
    pub(crate) deadline: Duration,
    /// Attempts for each source.
    pub(crate) attempts: u32,
    /// Pause after the first failed attempt; each later one is twice as long.
    pub(crate) pause: Duration,
}

/// What a file on disk is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Length and SHA-256 are right.
    Verified,
    /// No such file.
    Missing,
    /// It is another file; the text says how.
    Damaged(String),
}

/// Why an attempt brought nothing.
enum Trouble {
    /// The source's fault; another attempt may help if `again`, not before `wait`.
    Source { reason: String, again: bool, wait: Option<Duration> },
    /// Our disk's fault: no other source would help.
    Disk(Failure),
}

impl Trouble {
    fn temporary(reason: impl Into<String>) -> Self {
        Trouble::Source { reason: reason.into(), again: true, wait: None }
    }

    fn permanent(reason: impl Into<String>) -> Self {
        Trouble::Source { reason: reason.into(), again: false, wait: None }
    }
}

/// Brings `file` into `folder` from the first of `sources` that has it, calling `progress` with the bytes received so
/// far.
///
/// The bytes go to a hidden `.partial` file beside the target, which takes the final name only after length and SHA-256
/// were found right and the disk has them. Whoever calls holds the lock of `folder`.
///
/// Code 4 with every source's reason; code 5 if the disk is the trouble.
pub(crate) fn fetch(
    file: &DataFile,
    folder: &Path,
    sources: &[Source],
    patience: Patience,
    progress: &dyn Fn(u64),
) -> Result<(), Failure> {
    let started = Instant::now();
    let mut reasons = String::new();
    for source in sources {
        match fetch_from(file, folder, source, patience, started, progress) {
            Ok(()) => return Ok(()),
            Err(Trouble::Disk(failure)) => return Err(failure),
            Err(Trouble::Source { reason, .. }) => {
                let _ = write!(reasons, "\n  {}: {reason}", source.place(&file.name));
            }
        }
    }
    Err(Failure::new(
        Code::Network,
        format!(
            "{}: no source delivered the {} bytes of SHA-256 {}…{reasons}\n\
             check the network, or take the file from elsewhere with --from FOLDER-OR-ADDRESS",
            file.name,
            file.bytes,
            &file.sha256[..12],
        ),
    ))
}

/// Length and SHA-256 of what is at `path`.
pub(crate) fn condition(file: &DataFile, path: &Path) -> Result<Condition, Failure> {
    let failed = |error: &io::Error| Failure::io("read", path, error);
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Condition::Missing),
        Err(error) => return Err(failed(&error)),
        Ok(metadata) => metadata,
    };
    if !metadata.is_file() {
        return Ok(Condition::Damaged("is no regular file".to_owned()));
    }
    if metadata.len() != file.bytes {
        return Ok(Condition::Damaged(format!("has {} bytes, expected {}", metadata.len(), file.bytes)));
    }
    let mut hasher = Sha256::new();
    let mut reader = File::open(path).map_err(|error| failed(&error))?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(n_bytes) => hasher.update(&buffer[..n_bytes]),
            Err(error) => return Err(failed(&error)),
        }
    }
    let found = hexadecimal(&hasher.finalize());
    if found == file.sha256 {
        Ok(Condition::Verified)
    } else {
        Ok(Condition::Damaged(format!("has SHA-256 {found}, expected {}", file.sha256)))
    }
}

/// Lowercase hexadecimal digits of `bytes`.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// All attempts at one source.
fn fetch_from(
    file: &DataFile,
    folder: &Path,
    source: &Source,
    patience: Patience,
    started: Instant,
    progress: &dyn Fn(u64),
) -> Result<(), Trouble> {
    let mut pause = patience.pause;
    let mut attempt = 1;
    loop {
        let left = patience.deadline.saturating_sub(started.elapsed());
        if left.is_zero() {
            return Err(Trouble::permanent(format!(
                "not within the deadline of {} s",
                patience.deadline.as_secs_f64()
            )));
        }
        progress(0);
        let trouble = match attempt_once(file, folder, source, patience.stall, left, progress) {
            Ok(()) => return Ok(()),
            Err(trouble) => trouble,
        };
        let (reason, wait) = match trouble {
            Trouble::Source { reason, again: true, wait } if attempt < patience.attempts => (reason, wait),
            Trouble::Source { reason, .. } if attempt > 1 => {
                return Err(Trouble::permanent(format!("{reason} ({attempt} attempts)")));
            }
            trouble => return Err(trouble),
        };
        let wait = wait.unwrap_or(pause).max(pause);
        if wait >= patience.deadline.saturating_sub(started.elapsed()) {
            return Err(Trouble::permanent(format!(
                "{reason} ({attempt} attempts; the deadline of {} s leaves no time for another)",
                patience.deadline.as_secs_f64()
            )));
        }
        thread::sleep(wait);
        pause *= 2;
        attempt += 1;
    }
}

fn attempt_once(
    file: &DataFile,
    folder: &Path,
    source: &Source,
    stall: Duration,
    left: Duration,
    progress: &dyn Fn(u64),
) -> Result<(), Trouble> {
    match source {
        Source::Folder(from) => {
            let path = from.join(&file.name);
            let mut reader = open_local(&path, file).map_err(Trouble::permanent)?;
            receive(file, folder, &mut reader, progress, |error| Trouble::permanent(error.to_string()))
        }
        Source::Server(_) => {
            let address = source.place(&file.name);
            let mut body = request(&address, file, stall, left)?;
            receive(file, folder, &mut body.as_reader(), progress, |error| {
                Trouble::temporary(explain(&ureq::Error::from(error), stall))
            })
        }
    }
}

fn open_local(path: &Path, file: &DataFile) -> Result<File, String> {
    let metadata = fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("is no regular file".to_owned());
    }
    if metadata.len() != file.bytes {
        return Err(format!("has {} bytes, expected {}", metadata.len(), file.bytes));
    }
    File::open(path).map_err(|error| error.to_string())
}

/// Asks a server for `address`; an answer that announces another length is not even read.
fn request(address: &str, file: &DataFile, stall: Duration, left: Duration) -> Result<ureq::Body, Trouble> {
    let agent = ureq::Agent::config_builder()
        .https_only(address.starts_with("https://"))
        .http_status_as_error(false)
        .max_redirects(5)
        .timeout_global(Some(left))
        .timeout_per_read(Some(stall))
        .timeout_per_write(Some(stall))
        .timeout_connect(Some(stall.min(left)))
        .user_agent(concat!("xtask/", env!("CARGO_PKG_VERSION")))
        .accept_encoding("identity")
        .build()
        .new_agent();
    let response = agent.get(address).call().map_err(|error| classify(&error, stall))?;
    let status = response.status();
    if status.as_u16() != 200 {
        let reason = format!("the server answered {} {}", status.as_u16(), status.canonical_reason().unwrap_or(""));
        let busy = status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429);
        return Err(Trouble::Source {
            reason: reason.trim_end().to_owned(),
            again: busy,
            wait: retry_after(&response),
        });
    }
    let announced = response.body().content_length();
    let is_page = response.body().mime_type().is_some_and(|kind| kind == "text/html");
    match announced {
        Some(n_bytes) if n_bytes != file.bytes && !is_page => {
            Err(Trouble::permanent(format!("the server announces {n_bytes} bytes, expected {}", file.bytes)))
        }
        _ => Ok(response.into_body()),
    }
}

/// `Retry-After` in seconds; the form with a date is rare and is left to our own pauses.
fn retry_after(response: &ureq::http::Response<ureq::Body>) -> Option<Duration> {
    let value = response.headers().get("retry-after")?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_secs)
}

/// Writes what `reader` yields to the partial file, checks it, and gives it its name.
fn receive(
    file: &DataFile,
    folder: &Path,
    reader: &mut dyn Read,
    progress: &dyn Fn(u64),
    broken: impl Fn(io::Error) -> Trouble,
) -> Result<(), Trouble> {
    let partial = Partial::create(&folder.join(&file.name)).map_err(Trouble::Disk)?;
    let mut hasher = Sha256::new();
    let mut n_received: u64 = 0;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let n_bytes = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(n_bytes) => n_bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(broken(error)),
        };
        let bytes = &buffer[..n_bytes];
        if n_received == 0 && is_html(bytes) {
            return Err(Trouble::permanent("delivers an HTML page, not the file (a log-in page or a proxy?)"));
        }
        n_received += n_bytes as u64;
        if n_received > file.bytes {
            return Err(Trouble::permanent(format!("delivers more than the {} bytes expected", file.bytes)));
        }
        hasher.update(bytes);
        partial.write(bytes).map_err(Trouble::Disk)?;
        progress(n_received);
    }
    if n_received < file.bytes {
        return Err(Trouble::temporary(format!("ended after {n_received} of {} bytes", file.bytes)));
    }
    let found = hexadecimal(&hasher.finalize());
    if found != file.sha256 {
        return Err(Trouble::permanent(format!("delivers other content: SHA-256 {found}, expected {}", file.sha256)));
    }
    partial.persist().map_err(Trouble::Disk)
}

/// Whether `bytes` begin like a page for browsers.
fn is_html(bytes: &[u8]) -> bool {
    let start: Vec<u8> =
        bytes.iter().skip_while(|byte| byte.is_ascii_whitespace()).take(14).map(u8::to_ascii_lowercase).collect();
    [&b"<!doctype html"[..], b"<html", b"<head", b"<!--"].iter().any(|opening| start.starts_with(opening))
}

fn classify(error: &ureq::Error, stall: Duration) -> Trouble {
    let reason = explain(error, stall);
    match error {
        ureq::Error::Timeout(_) | ureq::Error::Io(_) | ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => {
            Trouble::temporary(reason)
        }
        _ => Trouble::permanent(reason),
    }
}

/// What went wrong, in words that say what to look at.
fn explain(error: &ureq::Error, stall: Duration) -> String {
    match error {
        ureq::Error::Timeout(ureq::Timeout::PerRead | ureq::Timeout::PerWrite) => {
            format!("not a byte for {} s", stall.as_secs_f64())
        }
        ureq::Error::Timeout(ureq::Timeout::Global) => "not within the deadline".to_owned(),
        ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
            format!("no connection within {} s", stall.as_secs_f64())
        }
        ureq::Error::HostNotFound => "no such host (is there a network?)".to_owned(),
        ureq::Error::TooManyRedirects => "redirects more than 5 times".to_owned(),
        ureq::Error::RequireHttpsOnly(to) => {
            format!("redirects from https to the unprotected {to}, which is not followed")
        }
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the connection ended in the middle".to_owned()
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_for_browsers_are_recognised() {
        for page in ["<!DOCTYPE html><html>", "  \n<HTML lang=en>", "<head>", "<!-- moved -->"] {
            assert!(is_html(page.as_bytes()), "{page}");
        }
        assert!(!is_html(&[0x1f, 0x8b, 8, 0]));
        assert!(!is_html(b""));
        assert!(!is_html(b"<svg>"));
    }
}
