//! Any bytes as a Parquet file, best from a whole one on (that of the tests): read, or refused with an error.

#![no_main]

use std::sync::Once;

use libfuzzer_sys::fuzz_target;
use mnist_io::{ErrorKind, parse_parquet};

static SILENCE: Once = Once::new();

fuzz_target!(|bytes: &[u8]| {
    // What the library panics on is caught and becomes an error; the fuzzer's own hook would end the process before. A panic that
    // nobody catches still does.
    SILENCE.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    if let Err(error) = parse_parquet(bytes.to_vec()) {
        assert_eq!(error.kind(), ErrorKind::Data, "{error}");
    }
});
