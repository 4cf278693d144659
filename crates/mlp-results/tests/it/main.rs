//! The tests of the crate, one module for each subject.

mod cells;
mod digits;
mod folders;
mod identity;
mod interval;
mod levels;
mod made_up;
mod record;
mod text;
