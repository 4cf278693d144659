//! The file in a data set's folder that names its classes.

use crate::error::{Error, Result};
use crate::idx::Staged;
use crate::images::{CLASS_LENGTH_MAX, check_classes, digit_classes};
use crate::part_file::is_there;
use std::io::{Read, Write};
use std::path::Path;

/// The file in a data set's folder that names its classes, where these are not the ten digits: UTF-8, a character or
/// a word a line, in the order of the labels.
pub const CLASSES_FILE: &str = "classes.txt";

/// The classes that a file names; the ten digits where there is none.
pub(crate) fn read(path: &Path) -> Result<Vec<String>> {
    // 256 lines of the longest names, of characters of four bytes, and two for the end of a line.
    const LENGTH_MAX: u64 = 256 * (4 * CLASS_LENGTH_MAX as u64 + 2);
    if !is_there(path) {
        return Ok(digit_classes());
    }
    let (mut file, length) = crate::gzip::open(path)?;
    let refuse =
        |found: String, advice: &str| Error::data("UTF-8 text with one class a line", found, advice).in_file(path);
    if length > LENGTH_MAX {
        return Err(refuse(format!("a file of {length} bytes"), "fix or delete the file"));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|error| {
        Error::io("a file that can be read", error, "check the disk or the connection").in_file(path)
    })?;
    if let Some(found) = byte_order_mark(&bytes) {
        return Err(refuse(found.to_owned(), "save it as UTF-8 without a byte order mark"));
    }
    let Ok(text) = String::from_utf8(bytes) else {
        return Err(refuse("bytes that are not UTF-8".to_owned(), "save it as UTF-8"));
    };
    let classes: Vec<String> = text.lines().map(str::to_owned).collect();
    for (index, class) in classes.iter().enumerate() {
        let n_characters = class.chars().count();
        let has_blanks = n_characters > 1 && class.trim() != class;
        if has_blanks || !(1..=CLASS_LENGTH_MAX).contains(&n_characters) {
            let found = match class.trim() {
                "" => format!("nothing in line {}", index + 1),
                _ if has_blanks => format!("blanks around the class in line {}", index + 1),
                _ => format!("{n_characters} characters in line {}", index + 1),
            };
            return Err(refuse(found, "fix or delete the file"));
        }
    }
    check_classes(&classes).map_err(|error| error.in_file(path))?;
    Ok(classes)
}

/// What some editors put before the text.
fn byte_order_mark(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xef, 0xbb, 0xbf, ..] => Some("a byte order mark before the first line"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("text in UTF-16, which begins with a byte order mark"),
        _ => None,
    }
}

pub(crate) fn stage<'a>(path: &'a Path, classes: &[String]) -> Result<Staged<'a>> {
    let text: String = classes.iter().flat_map(|class| [class, "\n"]).collect();
    Staged::new(path, |file| {
        file.write_all(text.as_bytes())
            .map_err(|error| Error::io("to write the classes", error, "check the space on the disk"))
    })
}
