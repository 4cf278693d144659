//! Memory that begins on a cache line.

use std::ops::{Deref, DerefMut};

use crate::kernel::large_pages::ask_for_large_pages;
use crate::real::Real;

/// Bytes in a cache line, and in the longest vector.
const LINE: usize = 64;

/// A slice aligned to 64 bytes: a vector load from it touches one cache line and not two.
#[derive(Debug)]
pub(crate) struct Aligned<F> {
    storage: Vec<F>,
    start: usize,
    len: usize,
}

impl<F: Real> Aligned<F> {
    pub(crate) fn zeros(len: usize) -> Aligned<F> {
        Aligned::filled(len, F::zero())
    }
}

impl<F: Copy> Aligned<F> {
    pub(crate) fn filled(len: usize, value: F) -> Aligned<F> {
        let n = len + LINE / size_of::<F>();
        let mut storage = Vec::with_capacity(n);
        ask_for_large_pages(storage.spare_capacity_mut());
        storage.resize(n, value);
        let start = storage.as_ptr().align_offset(LINE).min(LINE / size_of::<F>());
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
