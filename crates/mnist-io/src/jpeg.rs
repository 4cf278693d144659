//! Whether a JPEG file is whole. Decoders fill what is missing with grey and say nothing; here the file's own end is looked for.

use crate::error::{Error, Result};
use std::io::{BufRead, Read};

/// The last marker.
const END_OF_IMAGE: u8 = 0xd9;

/// Walks from marker to marker until the end of the image. What follows that does not matter.
///
/// # Errors
/// `Data` with the place where the file ends too early, or where a marker should be; `Io` where it cannot be read.
pub(crate) fn check_whole(file: &mut impl BufRead) -> Result<()> {
    let mut walk = Walk { file, position: 0 };
    walk.skip(2)?; // The marker of the beginning, by which the format was told.
    loop {
        match walk.marker()? {
            END_OF_IMAGE => return Ok(()),
            // Markers without a segment: restarts, and one for arithmetic coding.
            0x01 | 0xd0..=0xd8 => {}
            _ => {
                let length = u64::from(u16::from_be_bytes([walk.byte()?, walk.byte()?]));
                walk.skip(length.saturating_sub(2))?;
            }
        }
    }
}

struct Walk<'a, R> {
    file: &'a mut R,
    position: u64,
}

impl<R: BufRead> Walk<'_, R> {
    fn byte(&mut self) -> Result<u8> {
        let mut byte = [0];
        match self.file.read(&mut byte) {
            Ok(1) => {
                self.position += 1;
                Ok(byte[0])
            }
            Ok(_) => Err(self.cut_off()),
            Err(error) => Err(failed(error)),
        }
    }

    fn skip(&mut self, n_bytes: u64) -> Result<()> {
        let n_skipped = std::io::copy(&mut self.file.by_ref().take(n_bytes), &mut std::io::sink()).map_err(failed)?;
        self.position += n_skipped;
        if n_skipped < n_bytes { Err(self.cut_off()) } else { Ok(()) }
    }

    /// The next marker. Coded pixels, in which 0xff is followed by a zero, are passed over, and so are fill bytes.
    fn marker(&mut self) -> Result<u8> {
        loop {
            self.skip_to_0xff()?;
            let mut byte = 0xff;
            while byte == 0xff {
                byte = self.byte()?;
            }
            if byte != 0x00 {
                return Ok(byte);
            }
        }
    }

    fn skip_to_0xff(&mut self) -> Result<()> {
        loop {
            let bytes = self.file.fill_buf().map_err(failed)?;
            if bytes.is_empty() {
                return Err(self.cut_off());
            }
            let place = bytes.iter().position(|&byte| byte == 0xff);
            let n_passed = place.unwrap_or(bytes.len());
            self.file.consume(n_passed);
            self.position += n_passed as u64;
            if place.is_some() {
                return Ok(());
            }
        }
    }

    fn cut_off(&self) -> Error {
        Error::data("a whole JPEG picture", "one that is cut off", "get the picture again").at_byte(self.position)
    }
}

fn failed(error: std::io::Error) -> Error {
    Error::io("a picture that can be read", error, "check the disk or the connection")
}
