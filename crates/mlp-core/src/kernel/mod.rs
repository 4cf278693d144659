//! What is here for speed, from the bottom up: vector instructions chosen as the program runs, the matrix products that
//! training consists of, the team of threads, and memory asked for in advance. All `unsafe` code of the crate is in this
//! module.

#![expect(unsafe_code, reason = "vector instructions, and work on borrowed data in other threads")]

pub(crate) mod level;
pub(crate) mod simd;
// Products, on what a register can do.
pub(crate) mod dots;
pub(crate) mod pairs;
pub(crate) mod panel;
pub(crate) mod product;
pub(crate) mod sparse;
pub(crate) mod transpose;
// What is beside them.
pub(crate) mod peak;
pub(crate) mod prefetch;
pub(crate) mod workers;
