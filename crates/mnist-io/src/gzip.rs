//! A stream of bytes that unpacks gzip where its content is gzip, and counts what it reads.
//!
//! The name of a file is no evidence: a plain file may be called `.gz` (browsers unpack what they download) and a
//! packed one may not. The first two bytes decide. Several gzip members are one stream, as RFC 1952 has it; zeros behind the
//! last one, with which tapes and some tools fill their blocks, are passed over, as gzip does.

use crate::error::{Error, Result};
use flate2::bufread::GzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};
use std::path::Path;

/// Deflate cannot unpack a byte into more than 1032: a match of 258 bytes costs at least two bits.
const DEFLATE_RATIO_MAX: u64 = 1032;

/// Enough of the beginning to recognise what was saved instead of an IDX file.
const BEGINNING_LENGTH: u64 = 512;

/// Pieces of this size are zeroed and filled while they are in the cache.
const PIECE_LENGTH: usize = 256 * 1024;

/// The bytes of a plain or packed source, from the front.
pub(crate) struct Unpacked<R: BufRead> {
    stream: Stream<Beginning<R>>,
    beginning: Vec<u8>,
    /// Unpacked bytes handed out so far.
    position: u64,
    /// Bytes of the source as it is stored, where that is known.
    stored_length: Option<u64>,
}

type Beginning<R> = Chain<Cursor<Vec<u8>>, R>;

enum Stream<R: BufRead> {
    Plain(R),
    Gzip(Box<Members<R>>),
}

/// Opens a regular file. Anything else is refused before it is opened: opening a FIFO would wait for its writer.
pub(crate) fn open(path: &Path) -> Result<(BufReader<File>, u64)> {
    let opened = std::fs::metadata(path).and_then(|metadata| {
        if metadata.is_file() {
            File::open(path)
        } else if metadata.is_dir() {
            Err(io::Error::new(io::ErrorKind::IsADirectory, "a folder"))
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "a pipe, socket or device"))
        }
    });
    let with_length = opened.and_then(|file| Ok((file.metadata()?.len(), file)));
    match with_length {
        Ok((length, file)) => Ok((BufReader::with_capacity(64 * 1024, file), length)),
        Err(error) => {
            let advice = match error.kind() {
                io::ErrorKind::NotFound => "check its name",
                io::ErrorKind::PermissionDenied => "check the permissions",
                _ => "name a regular file",
            };
            Err(Error::io("a file that can be read", error, advice).in_file(path))
        }
    }
}

impl<R: BufRead> Unpacked<R> {
    /// Looks at the beginning of `source` and unpacks it from here on if it is gzip.
    pub(crate) fn new(mut source: R, stored_length: Option<u64>) -> Result<Self> {
        let mut beginning = Vec::new();
        source
            .by_ref()
            .take(BEGINNING_LENGTH)
            .read_to_end(&mut beginning)
            .map_err(|error| Error::io("readable bytes", error, "try again or copy the file elsewhere").at_byte(0))?;
        let is_gzip = beginning.starts_with(&[0x1f, 0x8b]);
        let whole = Cursor::new(beginning.clone()).chain(source);
        let stream = if is_gzip { Stream::Gzip(Box::new(Members::new(whole))) } else { Stream::Plain(whole) };
        Ok(Self { stream, beginning, position: 0, stored_length })
    }

    /// Unpacked bytes handed out so far.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// The stored bytes at the front, for recognising what else a file may be.
    pub(crate) fn beginning(&self) -> &[u8] {
        &self.beginning
    }

    pub(crate) fn is_gzip(&self) -> bool {
        matches!(self.stream, Stream::Gzip(_))
    }

    /// Attaches an offset in the unpacked bytes to an error.
    pub(crate) fn locate(&self, error: Error, offset: u64) -> Error {
        match self.stream {
            Stream::Plain(_) => error.at_byte(offset),
            Stream::Gzip(_) => error.at_unpacked_byte(offset),
        }
    }

    /// Fills the buffer as far as the stream goes and returns how far that is.
    pub(crate) fn read_up_to(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut n_read = 0;
        while n_read < buffer.len() {
            let outcome = match &mut self.stream {
                Stream::Plain(reader) => reader.read(&mut buffer[n_read..]),
                Stream::Gzip(reader) => reader.read(&mut buffer[n_read..]),
            };
            match outcome {
                Ok(0) => break,
                Ok(n) => {
                    n_read += n;
                    self.position += n as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.explain(error)),
            }
        }
        Ok(n_read)
    }

    /// Refuses a payload that the stored bytes cannot hold, before a byte is allocated for it.
    ///
    /// A plain file must have the exact length; a gzip file at least a 1032nd of it.
    pub(crate) fn check_payload_fits(&self, n_bytes: u64, description: &str) -> Result<()> {
        let Some(stored) = self.stored_length else { return Ok(()) };
        match self.stream {
            Stream::Plain(_) => {
                let available = stored.saturating_sub(self.position);
                if available == n_bytes {
                    return Ok(());
                }
                Err(wrong_payload(description, n_bytes, &format!("{available}"))
                    .at_byte(self.position + available.min(n_bytes)))
            }
            Stream::Gzip(_) => {
                if n_bytes <= stored.saturating_mul(DEFLATE_RATIO_MAX) {
                    return Ok(());
                }
                let found = format!("a gzip file of {stored} bytes, which cannot unpack to as many");
                Err(self.locate(wrong_payload(description, n_bytes, &found), self.position))
            }
        }
    }

    /// Reads the payload in pieces and hands each to `keep`; every piece but the last has a length that is a multiple
    /// of 8, so no element is cut.
    pub(crate) fn read_pieces(
        &mut self,
        n_bytes: u64,
        description: &str,
        mut keep: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut piece = vec![0; n_bytes.min(PIECE_LENGTH as u64) as usize];
        let mut n_left = n_bytes;
        while n_left > 0 {
            let n_wanted = n_left.min(PIECE_LENGTH as u64) as usize;
            let n_read = self.read_up_to(&mut piece[..n_wanted])?;
            n_left -= n_read as u64;
            if n_read < n_wanted {
                return Err(self.ended_early(description, n_bytes, n_bytes - n_left));
            }
            keep(&piece[..n_read])?;
        }
        Ok(())
    }

    /// Reads a payload of bytes straight into the vector that is returned.
    ///
    /// Memory is taken from the system page by page as it is filled, so a header that promises much more than follows
    /// costs address space only.
    pub(crate) fn read_bytes(&mut self, n_bytes: usize, description: &str) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        if self.stored_length.is_some() {
            reserve(&mut bytes, n_bytes)?;
        }
        while bytes.len() < n_bytes {
            let start = bytes.len();
            let n_wanted = (n_bytes - start).min(PIECE_LENGTH);
            bytes.try_reserve(n_wanted).map_err(|_| out_of_memory(n_bytes))?;
            bytes.resize(start + n_wanted, 0);
            let n_read = self.read_up_to(&mut bytes[start..])?;
            if n_read < n_wanted {
                return Err(self.ended_early(description, n_bytes as u64, (start + n_read) as u64));
            }
        }
        Ok(bytes)
    }

    /// Expects the end of the stream. For gzip this also verifies the length and checksum of the last member. Returns how
    /// many zeros follow it.
    pub(crate) fn finish(mut self, description: &str, n_bytes: u64) -> Result<u64> {
        let end = self.position;
        match self.read_up_to(&mut [0])? {
            0 => Ok(self.n_padding()),
            _ => Err(self.locate(wrong_payload(description, n_bytes, "more"), end)),
        }
    }

    /// How many zeros follow the gzip stream, once it has been read to its end.
    fn n_padding(&self) -> u64 {
        match &self.stream {
            Stream::Plain(_) => 0,
            Stream::Gzip(members) => members.n_padding,
        }
    }

    fn ended_early(&self, description: &str, n_expected: u64, n_found: u64) -> Error {
        self.locate(wrong_payload(description, n_expected, &format!("{n_found}")), self.position)
    }

    fn explain(&self, error: io::Error) -> Error {
        let is_content = error.raw_os_error().is_none()
            && matches!(
                error.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof
            );
        match &self.stream {
            Stream::Gzip(members) if is_content => {
                let (found, offset) = members.describe(&error);
                Error::data(
                    "a whole gzip stream and nothing after it",
                    found,
                    "the file is damaged or cut off: get it again",
                )
                .at_byte(offset)
            }
            Stream::Gzip(members) => {
                Error::io("readable bytes", error, "check the disk or the connection").at_byte(members.count())
            }
            Stream::Plain(_) => {
                Error::io("readable bytes", error, "check the disk or the connection").at_byte(self.position)
            }
        }
    }
}

/// Reserves room for exactly `n` values, or says that there is none.
pub(crate) fn reserve<T>(values: &mut Vec<T>, n: usize) -> Result<()> {
    values.try_reserve_exact(n).map_err(|_| out_of_memory(n.saturating_mul(size_of::<T>())))
}

pub(crate) fn out_of_memory(n_bytes: usize) -> Error {
    Error::io(
        format!("{n_bytes} bytes of memory"),
        io::Error::from(io::ErrorKind::OutOfMemory),
        "free some, or check that the header of the file is right",
    )
}

fn wrong_payload(description: &str, n_expected: u64, found: &str) -> Error {
    Error::data(
        format!("{n_expected} bytes of elements for {description}"),
        found,
        "the header or the length is wrong: get the file again",
    )
}

/// The members of a gzip file, one after the other, as one stream.
struct Members<R> {
    /// Always there, but while it is replaced by the next member's.
    decoder: Option<GzDecoder<Counted<R>>>,
    /// The offset of the member in the stored bytes.
    start: u64,
    /// The zeros behind the last member.
    n_padding: u64,
}

impl<R: BufRead> Members<R> {
    fn new(source: R) -> Self {
        Self { decoder: Some(GzDecoder::new(Counted { inner: source, count: 0 })), start: 0, n_padding: 0 }
    }

    /// The stored bytes that were consumed.
    fn count(&self) -> u64 {
        self.decoder.as_ref().map_or(self.start, |decoder| decoder.get_ref().count)
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.decoder {
            let n_read = decoder.read(buffer)?;
            if n_read > 0 || decoder.get_mut().fill_buf()?.is_empty() {
                return Ok(n_read);
            }
            self.start = decoder.get_ref().count;
            let Some(mut source) = self.decoder.take().map(GzDecoder::into_inner) else { break };
            let is_over = skip_zeros(&mut source)?;
            self.n_padding = source.count - self.start;
            // A member after zeros is none that gzip would read.
            let is_refused = !is_over && self.n_padding > 0;
            self.decoder = Some(GzDecoder::new(source));
            if is_over {
                return Ok(0);
            }
            if is_refused {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "bytes after zeros"));
            }
        }
        Ok(0)
    }

    /// What an error of the decoder means, and the offset in the stored bytes to look at.
    fn describe(&self, error: &io::Error) -> (String, u64) {
        let has_header = self.decoder.as_ref().is_some_and(|decoder| decoder.header().is_some());
        if self.start > 0 && (self.n_padding > 0 || !has_header) {
            return ("bytes after the end of the gzip stream".to_string(), self.start);
        }
        let text = error.to_string();
        let found = match error.kind() {
            io::ErrorKind::UnexpectedEof => "the end of the file in the middle of it".to_string(),
            // The decoder has this one error for both numbers at the end of a stream.
            _ if has_header && text.contains("checksum") => {
                "unpacked data of another checksum or length than the end of the stream states".to_string()
            }
            _ => text,
        };
        (found, self.count())
    }
}

/// Passes over zeros; whether nothing else follows.
fn skip_zeros(source: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let buffer = source.fill_buf()?;
        if buffer.is_empty() {
            return Ok(true);
        }
        let n_zeros = buffer.iter().take_while(|&&byte| byte == 0).count();
        let is_all = n_zeros == buffer.len();
        source.consume(n_zeros);
        if !is_all {
            return Ok(false);
        }
    }
}

/// Whether two files hold the same bytes, unpacked where they are packed.
pub(crate) fn have_equal_content(one: &Path, other: &Path) -> Result<bool> {
    let open = |path: &Path| {
        let (file, length) = open(path)?;
        Unpacked::new(file, Some(length)).map_err(|error| error.in_file(path))
    };
    let (mut first, mut second) = (open(one)?, open(other)?);
    let (mut here, mut there) = (vec![0; PIECE_LENGTH], vec![0; PIECE_LENGTH]);
    loop {
        let n_here = first.read_up_to(&mut here).map_err(|error| error.in_file(one))?;
        let n_there = second.read_up_to(&mut there).map_err(|error| error.in_file(other))?;
        if here[..n_here] != there[..n_there] {
            return Ok(false);
        }
        if n_here == 0 {
            return Ok(true);
        }
    }
}

/// Counts the bytes that were consumed of a buffered reader.
struct Counted<R> {
    inner: R,
    count: u64,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n_read = self.inner.read(buffer)?;
        self.count += n_read as u64;
        Ok(n_read)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        self.count += n as u64;
        self.inner.consume(n);
    }
}
