//! Tests of the public interface.

mod damage;
mod export;
mod files;
mod foreign;
mod hostile;
mod import;
mod round_trip;
