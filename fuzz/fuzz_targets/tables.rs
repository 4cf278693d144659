//! Any bytes as a table of numbers, as an archive of NumPy's and as a Parquet file: read, or refused with an error.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mnist_io::{ErrorKind, parse_csv, parse_npz, parse_parquet};

fuzz_target!(|bytes: &[u8]| {
    if let Err(error) = parse_csv(bytes) {
        assert_eq!(error.kind(), ErrorKind::Data, "{error}");
    }
    if let Err(error) = parse_npz(std::io::Cursor::new(bytes)) {
        assert_eq!(error.kind(), ErrorKind::Data, "{error}");
    }
    if let Err(error) = parse_parquet(bytes.to_vec()) {
        assert_eq!(error.kind(), ErrorKind::Data, "{error}");
    }
});
