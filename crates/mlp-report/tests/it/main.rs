//! The integration tests of the crate, in one binary.

mod escaping;
mod faults;
mod figures;
mod folders;
mod made_up;
mod pages;
