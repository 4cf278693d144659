//! Gets one published file: from mirrors, a folder or a file into its place, where only verified bytes ever arrive.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use ureq::http::Response;
use ureq::http::StatusCode;

use crate::digest::{Condition, Hasher, condition, describe_length};
use crate::failure::{Code, Failure};
use crate::http::{self, Limits, Network, Refusal, Rest};
use crate::manifest::Published;
use crate::partial::{Partial, Provenance};

/// A longer pause than this is not waited for: the next mirror is asked.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// Without a deadline of the user's, a file has this long …
const DEADLINE_BASE: Duration = Duration::from_secs(300);

/// … and a second for each so many bytes: a line of 0.4 Mbit/s.
const DEADLINE_BYTES_PER_SECOND: u64 = 50_000;

/// Where a file can be had.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// A folder on this machine that holds the file under its name.
    Folder(PathBuf),
    /// The file itself.
    File(PathBuf),
    /// The address of a folder on a server, ending in a slash.
    Server(String),
}

impl Source {
    /// The place of one file, for people and for the request.
    fn place(&self, name: &str) -> String {
        match self {
            Source::Folder(folder) => folder.join(name).display().to_string(),
            Source::File(path) => path.display().to_string(),
            Source::Server(address) => format!("{address}{name}"),
        }
    }
}

/// How long to wait and how often to try.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Longest time without a single byte.
    pub(crate) stall: Duration,
    /// Longest time for one file, over all sources and attempts; without it, it grows with the file.
    pub(crate) deadline: Option<Duration>,
    /// Attempts for each source.
    pub(crate) attempts: u32,
    /// Pause after the first failed attempt; each later one is twice as long.
    pub(crate) pause: Duration,
}

impl Patience {
    /// The deadline of a file of so many bytes.
    fn deadline_for(&self, n_bytes: u64) -> Duration {
        self.deadline.unwrap_or(DEADLINE_BASE + Duration::from_secs(n_bytes / DEADLINE_BYTES_PER_SECOND))
    }
}

/// Why an attempt brought nothing.
enum Trouble {
    /// The source's fault.
    Source(Refusal),
    /// Our disk's fault: no other source would help.
    Disk(Failure),
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Trouble::Source(refusal)
    }
}

/// One file on its way to one place.
struct Errand<'a> {
    file: &'a Published,
    target: &'a Path,
    network: &'a Network,
    patience: Patience,
    deadline: Duration,
    started: Instant,
    progress: &'a dyn Fn(u64),
}

/// Brings `file` to `target` from the first of `sources` that has it, calling `progress` with the bytes received so far.
///
/// The bytes go to a hidden `.partial` file beside the target, which takes the final name only after length and hash were
/// found right and the disk has them. What a server began to send and can go on with stays there for the next attempt.
/// Whoever calls holds the lock of the folder.
///
/// Code 4 with every source's reason; code 5 if the disk is the trouble.
pub(crate) fn fetch(
    file: &Published,
    target: &Path,
    sources: &[Source],
    network: &Network,
    patience: Patience,
    progress: &dyn Fn(u64),
) -> Result<(), Failure> {
    let deadline = patience.deadline_for(file.length.most());
    let errand = Errand { file, target, network, patience, deadline, started: Instant::now(), progress };
    if errand.finish_what_arrived()? {
        return Ok(());
    }
    let mut reasons = String::new();
    for source in sources {
        match errand.fetch_from(source) {
            Ok(()) => return Ok(()),
            Err(Trouble::Disk(failure)) => return Err(failure),
            Err(Trouble::Source(refusal)) => {
                let _ = write!(reasons, "\n  {}: {}", source.place(&file.name), refusal.reason);
            }
        }
    }
    Err(Failure::new(
        Code::Network,
        format!(
            "{}: no source delivered the {} bytes of {}{reasons}\n\
             check the network, or take the file from elsewhere with --from FOLDER, FILE or ADDRESS",
            file.name,
            file.length,
            file.hash.short(),
        ),
    ))
}

impl Errand<'_> {
    /// Gives a file its name that had arrived in full when the process that fetched it ended.
    fn finish_what_arrived(&self) -> Result<bool, Failure> {
        let Some((_, n_bytes)) = Partial::left_behind(self.target) else { return Ok(false) };
        if !self.file.length.admits(n_bytes) {
            return Ok(false);
        }
        let partial = Partial::resume(self.target, n_bytes)?;
        match condition(self.file, partial.path())? {
            Condition::Verified => partial.persist().map(|()| true),
            _ => Ok(false),
        }
    }

    /// All attempts at one source.
    fn fetch_from(&self, source: &Source) -> Result<(), Trouble> {
        let mut pause = self.patience.pause;
        let mut attempt = 1;
        loop {
            if self.left().is_zero() {
                let deadline = self.deadline.as_secs_f64();
                return Err(Refusal::permanent(format!("not within the deadline of {deadline} s")).into());
            }
            (self.progress)(0);
            let refusal = match self.attempt(source) {
                Ok(()) => return Ok(()),
                Err(Trouble::Source(refusal)) => refusal,
                Err(disk) => return Err(disk),
            };
            let ended = |why: String| Err(Refusal::permanent(why).into());
            let Refusal { reason, again, wait } = refusal;
            let wait = wait.unwrap_or(pause).max(pause);
            let after = if attempt > 1 { format!(" ({attempt} attempts)") } else { String::new() };
            if !again || attempt == self.patience.attempts {
                return ended(format!("{reason}{after}"));
            }
            if wait > PAUSE_MAX {
                let asked = wait.as_secs();
                return ended(format!(
                    "{reason}{after}; it asks for a pause of {asked} s, more than the {} s that are waited",
                    PAUSE_MAX.as_secs()
                ));
            }
            if wait >= self.left() {
                let deadline = self.deadline.as_secs_f64();
                return ended(format!(
                    "{reason}{after}; the deadline of {deadline} s leaves no time for another attempt"
                ));
            }
            thread::sleep(wait);
            pause *= 2;
            attempt += 1;
        }
    }

    /// The time that the deadline leaves.
    fn left(&self) -> Duration {
        self.deadline.saturating_sub(self.started.elapsed())
    }

    fn attempt(&self, source: &Source) -> Result<(), Trouble> {
        match source {
            Source::Folder(folder) => self.copy(&file_in(folder, &self.file.name)),
            Source::File(path) => self.copy(path),
            Source::Server(_) => self.download(&source.place(&self.file.name)),
        }
    }

    /// Takes a file of this machine.
    fn copy(&self, path: &Path) -> Result<(), Trouble> {
        let broken = |error: io::Error| Refusal::permanent(error.to_string());
        let metadata = fs::metadata(path).map_err(broken)?;
        if !metadata.is_file() {
            return Err(Refusal::permanent("is no regular file").into());
        }
        if let (false, None) = (self.file.length.admits(metadata.len()), &self.file.content) {
            return Err(Refusal::permanent(describe_length(metadata.len(), self.file.length)).into());
        }
        let mut reader = File::open(path).map_err(broken)?.take(metadata.len());
        let mut partial = Partial::create(self.target).map_err(Trouble::Disk)?;
        let mut buffer = vec![0; 1 << 16];
        let mut n_received = 0;
        loop {
            let n_bytes = reader.read(&mut buffer).map_err(broken)?;
            if n_bytes == 0 {
                break;
            }
            partial.write(&buffer[..n_bytes]).map_err(Trouble::Disk)?;
            n_received += n_bytes as u64;
            (self.progress)(n_received);
        }
        match condition(self.file, partial.path()).map_err(Trouble::Disk)? {
            Condition::Verified => partial.persist().map_err(Trouble::Disk),
            Condition::Missing => Err(Refusal::permanent("vanished while it was copied").into()),
            Condition::Damaged(how) => Err(Refusal::permanent(how).into()),
        }
    }

    /// Takes a file of a server: what is missing of it, if an earlier attempt began with it, and else all of it.
    fn download(&self, address: &str) -> Result<(), Trouble> {
        let begun = Partial::left_behind(self.target)
            .filter(|(provenance, n_bytes)| provenance.address == address && *n_bytes < self.file.length.most());
        let rest = begun.as_ref().map(|(provenance, start)| Rest { start: *start, validator: &provenance.validator });
        let limits = Limits { stall: self.patience.stall, left: self.left() };
        let response = self.network.get(address, rest.as_ref(), limits)?;
        match (response.status(), &rest) {
            (StatusCode::OK, _) => self.receive_all(address, response),
            (StatusCode::PARTIAL_CONTENT, Some(rest)) => self.receive_rest(rest, response),
            (StatusCode::RANGE_NOT_SATISFIABLE, Some(_)) => {
                Partial::discard(self.target);
                Err(Refusal::temporary("the server does not have the rest of what it began with").into())
            }
            _ => Err(http::refusal_of_status(&response).into()),
        }
    }

    fn receive_all(&self, address: &str, response: Response<ureq::Body>) -> Result<(), Trouble> {
        // A page is better known by what it is than by its length.
        let is_page = response.body().mime_type().is_some_and(|kind| kind == "text/html");
        if let Some(n_bytes) = response.body().content_length().filter(|_| !is_page) {
            self.check_announced(n_bytes)?;
        }
        let mut partial = match http::validator(response.headers()) {
            Some(validator) => {
                let provenance = Provenance { address: address.to_owned(), validator };
                Partial::create_resumable(self.target, &provenance)
            }
            None => Partial::create(self.target),
        }
        .map_err(Trouble::Disk)?;
        let received = self.receive(response, &mut partial, self.file.hash.hasher(), 0);
        self.conclude(partial, received, false)
    }

    /// Appends what a server sends of the rest, if it is the rest of what is here.
    fn receive_rest(&self, rest: &Rest<'_>, response: Response<ureq::Body>) -> Result<(), Trouble> {
        let is_the_rest = match http::content_range(response.headers()) {
            Some((start, total)) => start == rest.start && total.is_none_or(|total| self.file.length.admits(total)),
            None => false,
        };
        let is_same_file = http::validator(response.headers()).is_none_or(|validator| validator == rest.validator);
        if !is_the_rest || !is_same_file {
            Partial::discard(self.target);
            return Err(
                Refusal::temporary("the server sent another part, or of another file, than was asked for").into()
            );
        }
        if let Some(n_bytes) = response.body().content_length() {
            self.check_announced(rest.start.saturating_add(n_bytes))?;
        }
        let mut partial = Partial::resume(self.target, rest.start).map_err(Trouble::Disk)?;
        let hasher = hash_beginning(partial.path(), rest.start, self.file.hash.hasher()).map_err(Trouble::Disk)?;
        let received = self.receive(response, &mut partial, hasher, rest.start);
        self.conclude(partial, received, true)
    }

    fn check_announced(&self, n_bytes: u64) -> Result<(), Refusal> {
        match self.file.length.admits(n_bytes) {
            true => Ok(()),
            false => {
                let expected = self.file.length;
                Err(Refusal::permanent(format!("the server announces {n_bytes} bytes, expected {expected}")))
            }
        }
    }

    /// Appends a body to what is there and returns the hash of all of it.
    fn receive(
        &self,
        response: Response<ureq::Body>,
        partial: &mut Partial,
        mut hasher: Hasher,
        n_before: u64,
    ) -> Result<Hasher, Trouble> {
        let expected = self.file.length;
        let mut body = response.into_body();
        let mut reader = body.as_reader();
        let mut n_received = n_before;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let n_bytes = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(n_bytes) => n_bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(http::broken(error, self.patience.stall).into()),
            };
            let bytes = &buffer[..n_bytes];
            if n_received == 0 && is_html(bytes) {
                partial.forget();
                let reason = "delivers an HTML page, not the file (a log-in page or a proxy?)";
                return Err(Refusal::permanent(reason).into());
            }
            n_received += n_bytes as u64;
            if n_received > expected.most() {
                partial.forget();
                return Err(Refusal::permanent(format!("delivers more than the {expected} bytes expected")).into());
            }
            hasher.update(bytes);
            partial.write(bytes).map_err(Trouble::Disk)?;
            (self.progress)(n_received);
        }
        if !expected.admits(n_received) {
            return Err(Refusal::temporary(format!("ended after {n_received} of {expected} bytes")).into());
        }
        Ok(hasher)
    }

    /// Gives a file its name if it has the right hash. A file put together from two answers that has another hash may
    /// have been put together wrongly, so it is asked for anew.
    fn conclude(
        &self,
        mut partial: Partial,
        received: Result<Hasher, Trouble>,
        was_resumed: bool,
    ) -> Result<(), Trouble> {
        let found = received?.finish();
        if found == self.file.hash {
            return partial.persist().map_err(Trouble::Disk);
        }
        partial.forget();
        let reason = format!("delivers other content: {found}, expected {}", self.file.hash);
        Err(Refusal { reason, again: was_resumed, wait: None }.into())
    }
}

/// The file of this name, or the one that a browser has unpacked.
fn file_in(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    match name.strip_suffix(".gz").map(|plain| folder.join(plain)) {
        Some(unpacked) if !path.exists() && unpacked.is_file() => unpacked,
        _ => path,
    }
}

fn hash_beginning(path: &Path, n_bytes: u64, mut hasher: Hasher) -> Result<Hasher, Failure> {
    let failed = |error: io::Error| Failure::io("read", path, &error);
    let mut reader = File::open(path).map_err(failed)?.take(n_bytes);
    let mut buffer = vec![0; 1 << 16];
    loop {
        match reader.read(&mut buffer).map_err(failed)? {
            0 => return Ok(hasher),
            n_read => hasher.update(&buffer[..n_read]),
        }
    }
}

/// Whether `bytes` begin like a page for browsers.
fn is_html(bytes: &[u8]) -> bool {
    let start: Vec<u8> =
        bytes.iter().skip_while(|byte| byte.is_ascii_whitespace()).take(14).map(u8::to_ascii_lowercase).collect();
    [&b"<!doctype html"[..], b"<html", b"<head", b"<!--"].iter().any(|opening| start.starts_with(opening))
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

    #[test]
    fn the_deadline_grows_with_the_file_unless_the_user_sets_one() {
        let second = Duration::from_secs(1);
        let mut patience = Patience { stall: second, deadline: None, attempts: 4, pause: second };
        assert_eq!(patience.deadline_for(4542), Duration::from_secs(300));
        assert_eq!(patience.deadline_for(561_753_746), Duration::from_secs(300 + 11_235));
        patience.deadline = Some(second);
        assert_eq!(patience.deadline_for(561_753_746), second);
    }
}
