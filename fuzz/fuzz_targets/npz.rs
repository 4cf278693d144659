//! Any bytes as an archive of NumPy's: read, or refused with an error.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mnist_io::{ErrorKind, parse_npz};

fuzz_target!(|bytes: &[u8]| {
    if let Err(error) = parse_npz(std::io::Cursor::new(bytes)) {
        assert_eq!(error.kind(), ErrorKind::Data, "{error}");
    }
});
