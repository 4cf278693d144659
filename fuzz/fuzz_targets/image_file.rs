//! Any bytes as the file of a picture: read, or refused with an error that names the file; what is read can be prepared.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mnist_io::{ErrorKind, Layout, parse_image, prepare_photo};

fuzz_target!(|bytes: &[u8]| {
    match parse_image(std::io::Cursor::new(bytes)) {
        // What takes long is fuzzed by the target `picture`.
        Ok(photo) if photo.width() * photo.height() < 10_000 => drop(prepare_photo(&photo, Layout::Row)),
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::Data, "{error}"),
    }
});
