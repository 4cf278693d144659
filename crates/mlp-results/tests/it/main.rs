//! The tests of the crate, one module for each subject.

mod digits;
mod identity;
mod record;
