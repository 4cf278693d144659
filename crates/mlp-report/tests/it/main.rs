//! The integration tests of the crate, in one binary.

mod analysis;
mod comparing;
mod csv;
mod escaping;
mod faults;
mod figures;
mod folders;
mod importance;
mod made_up;
mod pages;
mod ranking;
mod room;
mod together;
mod work;
