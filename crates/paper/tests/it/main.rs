//! The crate from outside.

mod find;
mod published;
