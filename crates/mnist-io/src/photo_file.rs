//! Image files that people have: what is read, and what the others are called.

use crate::error::{Error, Result, in_one_line};
use crate::{gzip, jpeg};
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use std::io::{BufRead, Seek};
use std::path::Path;

/// How the names of image files end that are read, in letters of any case.
pub const IMAGE_ENDINGS: [&str; 6] = ["png", "jpg", "jpeg", "webp", "bmp", "gif"];

/// No camera takes more; with 16 bits for each of four channels they are 512 MB.
const N_PIXELS_MAX: u64 = 64_000_000;

/// Some decoders hold all of the file.
const FILE_LENGTH_MAX: u64 = 256 << 20;

/// Reads a PNG, JPEG, WebP, BMP or GIF image (of a moving one the first), turned upright as its camera recorded. The content
/// decides which it is, not the name.
///
/// # Errors
/// `Io` where the file cannot be read or is not a regular file. `Data` where it is of another format (which is named, where it is
/// known), is damaged or cut off, or has more than 64 million pixels or 256 MiB; it is then refused before it is unpacked.
pub fn read_image(path: impl AsRef<Path>) -> Result<DynamicImage> {
    let path = path.as_ref();
    let (mut file, length) = gzip::open(path)?;
    if length > FILE_LENGTH_MAX {
        let found = format!("a file of {length} bytes");
        return Err(Error::data("a picture of at most 256 MiB", found, "shrink it first").in_file(path));
    }
    parse_image(&mut file).map_err(|error| error.in_file(path))
}

/// The same for bytes that come from anywhere.
///
/// # Errors
/// As [`read_image`].
pub fn parse_image(mut source: impl BufRead + Seek) -> Result<DynamicImage> {
    let failed = |error: std::io::Error| refusal(image::ImageError::IoError(error));
    let unread = unread_format(source.fill_buf().map_err(failed)?);
    let mut reader = ImageReader::new(source).with_guessed_format().map_err(failed)?;
    use ImageFormat::{Bmp, Gif, Jpeg, Png, WebP};
    let format = reader.format();
    if !matches!(format, Some(Png | Jpeg | WebP | Bmp | Gif)) {
        let (found, advice) = unread.unwrap_or(("another format", "save it as PNG or JPEG"));
        return Err(Error::data("a PNG, JPEG, WebP, BMP or GIF picture", found, advice).at_byte(0));
    }
    if format == Some(Jpeg) {
        let mut source = reader.into_inner();
        jpeg::check_whole(&mut source)?;
        source.rewind().map_err(failed)?;
        reader = ImageReader::with_format(source, Jpeg);
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(512 << 20);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(refusal)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > N_PIXELS_MAX {
        let found = format!("{width} × {height}");
        return Err(Error::data("a picture of at most 64 million pixels", found, "shrink it first"));
    }
    let orientation = decoder.orientation().map_err(refusal)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(refusal)?;
    image.apply_orientation(orientation);
    Ok(image)
}

fn refusal(error: image::ImageError) -> Error {
    match error {
        image::ImageError::IoError(io) if io.raw_os_error().is_some() => {
            Error::io("a picture that can be read", io, "check the disk or the connection")
        }
        image::ImageError::Limits(limits) => Error::data(
            "a picture of at most 64 million pixels and 512 MiB unpacked",
            in_one_line(limits),
            "shrink it first",
        ),
        other => Error::data("a whole picture", in_short(other), "save the picture anew"),
    }
}

/// What a decoder says, without the values of its own types and the full stop.
fn in_short(error: image::ImageError) -> String {
    let text = in_one_line(error);
    let end = text.find(" while decoding").filter(|_| text.contains('{')).unwrap_or(text.len());
    text[..end].trim_end_matches('.').to_owned()
}

/// What a file is that begins so and is not read, and what to do about it.
fn unread_format(beginning: &[u8]) -> Option<(&'static str, &'static str)> {
    if let Some(substitute) = durable_file::substitute(beginning) {
        return Some((substitute, "get the picture itself"));
    }
    let brand = beginning.get(4..12).filter(|box_start| box_start.starts_with(b"ftyp")).map(|start| &start[4..]);
    const HEIC: [&[u8]; 6] = [b"heic", b"heix", b"hevc", b"heim", b"mif1", b"msf1"];
    const CONVERT: &str =
        "save it as PNG or JPEG, with the program that made it or with `magick picture.tiff picture.png`";
    match brand {
        Some(brand) if HEIC.contains(&brand) => {
            return Some((
                "a HEIC picture, as iPhones take them",
                "convert it (`heif-convert photo.heic photo.jpg`, or `sips -s format jpeg photo.heic --out photo.jpg` on a \
                 Mac), or set the camera to \"Most Compatible\"",
            ));
        }
        Some(b"avif" | b"avis") => return Some(("an AVIF picture", "convert it: `avifdec photo.avif photo.png`")),
        Some(_) => {
            return Some(("a film, or another file in parts of MPEG-4", "save one picture of it as PNG or JPEG"));
        }
        None => {}
    }
    let known: [(&[u8], &str, &str); 8] = [
        (b"II*\0", "a TIFF picture", CONVERT),
        (b"MM\0*", "a TIFF picture", CONVERT),
        (b"%PDF", "a PDF document", "save its page as a picture: `pdftoppm -png -r 200 scan.pdf scan`"),
        (b"<svg", "an SVG drawing", "save it as PNG"),
        (b"<?xml", "an XML file, perhaps an SVG drawing", "save it as PNG"),
        (b"PK\x03\x04", "a ZIP archive", "unpack it, and name the pictures in it"),
        (b"\x1f\x8b", "a gzip file", "unpack it"),
        (b"8BPS", "a Photoshop file", "save it as PNG"),
    ];
    known.into_iter().find(|(magic, _, _)| beginning.starts_with(magic)).map(|(_, found, advice)| (found, advice))
}
