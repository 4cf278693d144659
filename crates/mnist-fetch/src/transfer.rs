//! Gets one published file: from mirrors, a folder or a file into its place, where only verified bytes ever arrive.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use ureq::http::{Response, StatusCode};

use crate::digest::{FileStatus, Hasher};
use crate::error::{Error, FailedSource, Result};
use crate::event::FetchEvent;
use crate::http::{self, Refusal, RequestLimits, Rest};
use crate::network::Network;
use crate::partial::{PartialFile, Provenance};
use crate::published::{self, Published, describe_length};
use crate::retry::{PAUSE_MAX, RetryPolicy};
use crate::source::Source;

/// Why an attempt brought nothing.
enum AttemptError {
    /// The source's fault.
    Source(Refusal),
    /// Our disk's fault: no other source would help.
    Disk(Error),
}

impl From<Refusal> for AttemptError {
    fn from(refusal: Refusal) -> Self {
        AttemptError::Source(refusal)
    }
}

impl From<Error> for AttemptError {
    fn from(error: Error) -> Self {
        AttemptError::Disk(error)
    }
}

type AttemptResult<T> = std::result::Result<T, AttemptError>;

/// One file on its way to one place.
pub(crate) struct Transfer<'a> {
    file: &'a Published,
    target: &'a Path,
    network: &'a Network,
    policy: RetryPolicy,
    deadline: Duration,
    started: Instant,
    observer: &'a mut dyn FnMut(FetchEvent<'_>),
}

impl<'a> Transfer<'a> {
    /// The transfer of `file` to `target`, whose time begins now.
    pub(crate) fn new(
        file: &'a Published,
        target: &'a Path,
        network: &'a Network,
        policy: RetryPolicy,
        observer: &'a mut dyn FnMut(FetchEvent<'_>),
    ) -> Self {
        let deadline = policy.deadline_for(file.length.most());
        Transfer { file, target, network, policy, deadline, started: Instant::now(), observer }
    }

    /// Brings the file from the first of `sources` that has it.
    ///
    /// The bytes go to a hidden `.partial` file beside the target, which takes the final name only after length and hash
    /// were found right and the disk has them. What a server began to send and can continue stays there for the next
    /// attempt. Whoever calls holds the lock of the folder.
    ///
    /// [`ErrorKind::Source`](crate::ErrorKind::Source) with every source's reason; `Io` if the disk is at fault.
    pub(crate) fn run(mut self, sources: &[Source]) -> Result<()> {
        (self.observer)(FetchEvent::Started { file: &self.file.name, n_total: self.file.length.most() });
        if !self.finish_what_arrived()? {
            self.fetch_from_any(sources)?;
        }
        (self.observer)(FetchEvent::Arrived { file: &self.file.name });
        Ok(())
    }

    fn fetch_from_any(&mut self, sources: &[Source]) -> Result<()> {
        let mut failed = Vec::new();
        for source in sources {
            let place = source.place(&self.file.name);
            match self.fetch_from(source, &place) {
                Ok(()) => return Ok(()),
                Err(AttemptError::Disk(error)) => return Err(error),
                Err(AttemptError::Source(refusal)) => failed.push(FailedSource { place, reason: refusal.reason }),
            }
        }
        let (name, length, hash) = (&self.file.name, self.file.length, self.file.hash.short());
        let summary = format!("{name}: no source delivered the {length} bytes of {hash}");
        Err(Error::no_source(summary, failed, "check the network, or take the file from elsewhere"))
    }

    fn received(&mut self, n_received: u64) {
        (self.observer)(FetchEvent::Received { file: &self.file.name, n_received, n_total: self.file.length.most() });
    }

    /// Gives a file its name that had arrived in full when the process that fetched it ended.
    fn finish_what_arrived(&self) -> Result<bool> {
        let Some((_, n_bytes)) = PartialFile::left_behind(self.target) else { return Ok(false) };
        if !self.file.length.admits(n_bytes) {
            return Ok(false);
        }
        let partial = PartialFile::resume(self.target, n_bytes)?;
        match published::status(self.file, partial.path())? {
            FileStatus::Verified => partial.publish().map(|()| true),
            _ => Ok(false),
        }
    }

    /// All attempts at one source.
    fn fetch_from(&mut self, source: &Source, place: &str) -> AttemptResult<()> {
        let deadline = self.deadline.as_secs_f64();
        let mut pause = self.policy.pause;
        let mut attempt = 1;
        loop {
            if self.left().is_zero() {
                return Err(Refusal::permanent(format!("not within the deadline of {deadline} s")).into());
            }
            (self.observer)(FetchEvent::Trying { file: &self.file.name, place, attempt });
            let refusal = match self.attempt(source, place) {
                Ok(()) => return Ok(()),
                Err(AttemptError::Source(refusal)) => refusal,
                Err(disk) => return Err(disk),
            };
            let next = self.pause_after(&refusal, attempt, pause);
            (self.observer)(FetchEvent::AttemptFailed {
                file: &self.file.name,
                place,
                reason: &refusal.reason,
                pause: next.as_ref().ok().copied(),
            });
            thread::sleep(next?);
            pause *= 2;
            attempt += 1;
        }
    }

    /// How long to wait for the next attempt; or, if there is none, what this source is said to have done.
    fn pause_after(&self, refusal: &Refusal, attempt: u32, pause: Duration) -> std::result::Result<Duration, Refusal> {
        let after = if attempt > 1 { format!(" ({attempt} attempts)") } else { String::new() };
        let reason = format!("{}{after}", refusal.reason);
        let wait = refusal.wait.unwrap_or(pause).max(pause);
        if !refusal.is_temporary || attempt >= self.policy.n_attempts {
            return Err(Refusal::permanent(reason));
        }
        if wait > PAUSE_MAX {
            let (asked, most) = (wait.as_secs(), PAUSE_MAX.as_secs());
            return Err(Refusal::permanent(format!(
                "{reason}; it asks for a pause of {asked} s, more than the {most} s that are waited"
            )));
        }
        if wait >= self.left() {
            let deadline = self.deadline.as_secs_f64();
            return Err(Refusal::permanent(format!(
                "{reason}; the deadline of {deadline} s leaves no time for another attempt"
            )));
        }
        Ok(wait)
    }

    /// The time that the deadline leaves.
    fn left(&self) -> Duration {
        self.deadline.saturating_sub(self.started.elapsed())
    }

    fn attempt(&mut self, source: &Source, place: &str) -> AttemptResult<()> {
        match source {
            Source::Folder(folder) => self.copy(&file_in(folder, &self.file.name)),
            Source::File(path) => self.copy(path),
            Source::Server(_) => self.download(place),
        }
    }

    /// Takes a file of this machine.
    fn copy(&mut self, path: &Path) -> AttemptResult<()> {
        let broken = |error: io::Error| Refusal::permanent(error.to_string());
        let metadata = fs::metadata(path).map_err(broken)?;
        if !metadata.is_file() {
            return Err(Refusal::permanent("is not a regular file").into());
        }
        if let (false, None) = (self.file.length.admits(metadata.len()), &self.file.content) {
            return Err(Refusal::permanent(describe_length(metadata.len(), self.file.length)).into());
        }
        let mut reader = File::open(path).map_err(broken)?.take(metadata.len());
        let mut partial = PartialFile::create(self.target)?;
        let mut buffer = vec![0; 1 << 16];
        let mut n_received = 0;
        loop {
            let n_bytes = reader.read(&mut buffer).map_err(broken)?;
            if n_bytes == 0 {
                break;
            }
            partial.append(&buffer[..n_bytes])?;
            n_received += n_bytes as u64;
            self.received(n_received);
        }
        match published::status(self.file, partial.path())? {
            FileStatus::Verified => Ok(partial.publish()?),
            FileStatus::Missing => Err(Refusal::permanent("vanished while it was copied").into()),
            FileStatus::Damaged(how) => Err(Refusal::permanent(how).into()),
        }
    }

    /// Takes a file of a server: what is missing of it, if an earlier attempt began with it, and else all of it.
    fn download(&mut self, address: &str) -> AttemptResult<()> {
        let begun = PartialFile::left_behind(self.target)
            .filter(|(provenance, n_bytes)| provenance.address == address && *n_bytes < self.file.length.most());
        let rest = begun.as_ref().map(|(provenance, start)| Rest { start: *start, validator: &provenance.validator });
        let limits = RequestLimits { stall: self.policy.stall_timeout, total: self.left() };
        let response = http::get(self.network, address, rest.as_ref(), limits)?;
        match (response.status(), &rest) {
            (StatusCode::OK, _) => self.receive_all(address, response),
            (StatusCode::PARTIAL_CONTENT, Some(rest)) => self.receive_rest(rest, response),
            (StatusCode::RANGE_NOT_SATISFIABLE, Some(_)) => {
                PartialFile::discard(self.target);
                Err(Refusal::temporary("the server does not have the rest of what it began with").into())
            }
            _ => Err(http::refusal_of_status(&response).into()),
        }
    }

    fn receive_all(&mut self, address: &str, response: Response<ureq::Body>) -> AttemptResult<()> {
        // A page is better known by what it is than by its length.
        let is_page = response.body().mime_type().is_some_and(|kind| kind == "text/html");
        if let Some(n_bytes) = response.body().content_length().filter(|_| !is_page) {
            self.check_announced(n_bytes)?;
        }
        let mut partial = match http::validator(response.headers()) {
            Some(validator) => {
                let provenance = Provenance { address: address.to_owned(), validator };
                PartialFile::create_resumable(self.target, &provenance)?
            }
            None => PartialFile::create(self.target)?,
        };
        let received = self.receive(response, &mut partial, self.file.hash.hasher(), 0);
        self.conclude(partial, received, false)
    }

    /// Appends what a server sends of the rest, if it is the rest of what is here.
    fn receive_rest(&mut self, rest: &Rest<'_>, response: Response<ureq::Body>) -> AttemptResult<()> {
        let is_the_rest = match http::content_range(response.headers()) {
            Some((start, total)) => start == rest.start && total.is_none_or(|total| self.file.length.admits(total)),
            None => false,
        };
        let is_same_file = http::validator(response.headers()).is_none_or(|validator| validator == rest.validator);
        if !is_the_rest || !is_same_file {
            PartialFile::discard(self.target);
            return Err(
                Refusal::temporary("the server sent another part, or of another file, than was asked for").into()
            );
        }
        if let Some(n_bytes) = response.body().content_length() {
            self.check_announced(rest.start.saturating_add(n_bytes))?;
        }
        let mut partial = PartialFile::resume(self.target, rest.start)?;
        let hasher = hash_beginning(partial.path(), rest.start, self.file.hash.hasher())?;
        let received = self.receive(response, &mut partial, hasher, rest.start);
        self.conclude(partial, received, true)
    }

    fn check_announced(&self, n_bytes: u64) -> std::result::Result<(), Refusal> {
        let expected = self.file.length;
        if expected.admits(n_bytes) {
            return Ok(());
        }
        Err(Refusal::permanent(format!("the server announces {n_bytes} bytes, expected {expected}")))
    }

    /// Appends a body to what is there and returns the hash of all of it.
    fn receive(
        &mut self,
        response: Response<ureq::Body>,
        partial: &mut PartialFile,
        mut hasher: Hasher,
        n_before: u64,
    ) -> AttemptResult<Hasher> {
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
                Err(error) => return Err(http::broken(error, self.policy.stall_timeout).into()),
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
            partial.append(bytes)?;
            self.received(n_received);
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
        mut partial: PartialFile,
        received: AttemptResult<Hasher>,
        was_resumed: bool,
    ) -> AttemptResult<()> {
        let found = received?.finish();
        if found == self.file.hash {
            return Ok(partial.publish()?);
        }
        partial.forget();
        let reason = format!("delivers other content: {found}, expected {}", self.file.hash);
        Err(Refusal { reason, is_temporary: was_resumed, wait: None }.into())
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

fn hash_beginning(path: &Path, n_bytes: u64, mut hasher: Hasher) -> Result<Hasher> {
    let failed = |error: io::Error| Error::io("read", path, error);
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
}
