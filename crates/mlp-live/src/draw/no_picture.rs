//! Why a file is no picture, in a sentence for whoever has dropped it.

use crate::error::Error;

const KINDS: &str = "PNG, JPEG, WebP, BMP or GIF";

/// What a file is that was taken for a picture, and what to do.
pub(super) fn no_picture(bytes: &[u8], error: &mnist_io::Error) -> Error {
    let sentence = match (known(bytes), error.position()) {
        (Some((what, advice)), _) => format!("That is {what}, and no picture ({KINDS}): {advice}."),
        (None, Some(0)) if error.found() == "another format" => {
            format!("That is no picture that can be read here: expected {KINDS}; save it as PNG or JPEG.")
        }
        (None, Some(0)) => format!("That is {}, and no picture ({KINDS}): {}.", error.found(), error.advice()),
        // Where in the file it ends is of no use to anybody who looks at a picture.
        (None, _) => {
            format!(
                "The picture cannot be read: expected {}, found {}; {}.",
                error.expected(),
                error.found(),
                error.advice()
            )
        }
    };
    Error::request(sentence)
}

/// Files that people have in the same folders as their pictures.
fn known(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    if bytes.is_empty() {
        return Some(("an empty file", "take another one"));
    }
    // The length of a header, which is JSON.
    if bytes.len() > 9 && bytes[8] == b'{' && bytes[4..8] == [0; 4] {
        return Some((
            "a saved net",
            "nets are chosen above, where those of the folders stand that `cargo xtask serve FOLDER` names; a picture goes here",
        ));
    }
    if bytes.starts_with(&[0, 0, 8, 3]) || bytes.starts_with(&[0, 0, 8, 1]) {
        return Some(("a file of the MNIST data", "they hold many images; save one of them as PNG"));
    }
    let text = std::str::from_utf8(&bytes[..bytes.len().min(256)]).ok().or_else(|| {
        // The last character may be cut.
        let beginning = &bytes[..bytes.len().min(256)];
        std::str::from_utf8(&beginning[..beginning.len().saturating_sub(3)]).ok()
    })?;
    let is_text = !text.contains(|one: char| one.is_control() && !one.is_ascii_whitespace());
    let begins_with = |beginning: &str| text.trim_start().starts_with(beginning);
    if !is_text || begins_with("<") || begins_with("%PDF") || begins_with("version https") {
        return None;
    }
    if begins_with("{") || begins_with("[") {
        return Some(("a file of JSON, such as the record of a trial", "take a picture, or draw"));
    }
    Some(("a text", "take a picture, or draw"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(bytes: &[u8]) -> String {
        let error = mnist_io::parse_image(std::io::Cursor::new(bytes)).expect_err("no picture");
        no_picture(bytes, &error).to_string()
    }

    #[test]
    fn what_is_no_picture_is_called_what_it_is() {
        let saved = b"\x40\0\0\0\0\0\0\0{\"__metadata__\":{}}".as_slice();
        for (bytes, expected) in [
            (b"".as_slice(), "That is an empty file"),
            (b"Dear net,", "That is a text"),
            ("Größe: ß".repeat(60).as_bytes(), "That is a text"),
            (b"{ \"schema\": 1 }", "That is a file of JSON"),
            (saved, "That is a saved net"),
            (&[0, 0, 8, 3, 0, 0, 0, 1], "That is a file of the MNIST data"),
            (b"%PDF-1.7", "That is a PDF document"),
            (b"<svg xmlns='x'/>", "That is an SVG drawing"),
            (b"<!DOCTYPE html><p>", "That is an HTML page"),
            (b"\x7fELF\x02\x01\x01", "That is no picture that can be read here: expected PNG, JPEG, WebP, BMP or GIF"),
            (b"\x89PNG\r\n\x1a\n\0\0\0", "The picture cannot be read: expected a whole picture"),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", "The picture cannot be read: expected"),
        ] {
            let said = sentence(bytes);
            assert!(said.starts_with(expected) && said.ends_with('.') && !said.contains("byte 0"), "{said}");
        }
    }
}
