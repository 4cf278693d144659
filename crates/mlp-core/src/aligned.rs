//! Memory that begins on a cache line.

use std::ops::{Deref, DerefMut};

use crate::kernel::pairs::Pair;
use crate::real::Real;

/// Bytes in a cache line, and in the longest vector.
const LINE: usize = 64;

/// A slice of zeros to begin with, aligned to 64 bytes: a vector load from it touches one cache line and not two.
#[derive(Debug)]
pub(crate) struct Aligned<F> {
    storage: Vec<F>,
    start: usize,
    len: usize,
}

impl<F: Real> Aligned<F> {
    pub(crate) fn zeros(len: usize) -> Aligned<F> {
        Aligned::inside(vec![F::zero(); len + LINE / size_of::<F>()], len)
    }
}

impl Aligned<Pair> {
    pub(crate) fn zero_pairs(len: usize) -> Aligned<Pair> {
        Aligned::inside(vec![Pair::default(); len + LINE / size_of::<Pair>()], len)
    }
}

impl<F> Aligned<F> {
    /// A part of a vector that has a line more.
    fn inside(storage: Vec<F>, len: usize) -> Aligned<F> {
        let start = storage.as_ptr().align_offset(LINE).min(storage.len() - len);
        Aligned { storage, start, len }
    }
}

impl<F> Deref for Aligned<F> {
    type Target = [F];
    #[inline(always)]
    fn deref(&self) -> &[F] {
        &self.storage[self.start..self.start + self.len]
    }
}

impl<F> DerefMut for Aligned<F> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [F] {
        &mut self.storage[self.start..self.start + self.len]
    }
}
