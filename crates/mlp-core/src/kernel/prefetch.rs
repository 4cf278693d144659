//! Memory that is asked for in advance.

/// Bytes that come together.
const LINE: usize = 64;

/// Asks for memory that is needed soon and lies far away, and does not wait for it. On processors other than x86-64 it does
/// nothing.
#[inline(always)]
pub fn prefetch<T>(values: &[T]) {
    Ahead::default().and(values).ask();
}

/// What will be read or written next, to be asked for in small portions during other work: a processor has only so many
/// requests under way, and who asks for more waits. It holds addresses alone, which are never read.
#[derive(Clone, Copy, Default)]
pub(crate) struct Ahead {
    regions: [Region; Ahead::MAX_REGIONS],
    n_regions: usize,
}

/// Some lines of memory.
#[derive(Clone, Copy)]
struct Region {
    start: *const i8,
    n_lines: usize,
}

impl Default for Region {
    fn default() -> Region {
        Region { start: std::ptr::null(), n_lines: 0 }
    }
}

impl Ahead {
    const MAX_REGIONS: usize = 5;

    /// With more to ask for.
    ///
    /// # Panics
    /// Where that is too much.
    #[inline(always)]
    pub(crate) fn and<T>(mut self, values: &[T]) -> Ahead {
        self.regions[self.n_regions] =
            Region { start: values.as_ptr().cast(), n_lines: size_of_val(values).div_ceil(LINE) };
        self.n_regions += 1;
        self
    }

    /// One of `n` portions.
    #[inline(always)]
    pub(crate) fn portion(&self, index: usize, n: usize) -> Ahead {
        let mut portion = *self;
        for region in &mut portion.regions[..self.n_regions] {
            let (first, end) = (index * region.n_lines / n, (index + 1) * region.n_lines / n);
            *region = Region { start: region.start.wrapping_add(first * LINE), n_lines: end - first };
        }
        portion
    }

    /// All of it in `n` portions, to be asked for one after the other.
    #[inline(always)]
    pub(crate) fn in_portions(&self, n: usize) -> Portions {
        let mut lines = [0; Ahead::MAX_REGIONS];
        for (lines, region) in lines.iter_mut().zip(&self.regions) {
            *lines = region.n_lines.div_ceil(n.max(1));
        }
        Portions { left: *self, lines }
    }

    /// Asks for all of it.
    #[inline(always)]
    pub(crate) fn ask(&self) {
        self.regions[..self.n_regions].iter().for_each(|region| ask_for(region.start, region.n_lines));
    }
}

/// What is left to be asked for.
pub(crate) struct Portions {
    left: Ahead,
    /// The lines of a portion of each region.
    lines: [usize; Ahead::MAX_REGIONS],
}

impl Portions {
    /// Asks for the next portion.
    #[inline(always)]
    pub(crate) fn ask(&mut self) {
        for (region, &lines) in self.left.regions[..self.left.n_regions].iter_mut().zip(&self.lines) {
            let n_lines = lines.min(region.n_lines);
            ask_for(region.start, n_lines);
            region.start = region.start.wrapping_add(n_lines * LINE);
            region.n_lines -= n_lines;
        }
    }
}

/// Asks for some lines.
#[inline(always)]
fn ask_for(start: *const i8, n_lines: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        for line in 0..n_lines {
            // SAFETY: every x86-64 processor has the instruction, and it does not fail, whatever the address. It asks for the
            // second-level cache: the first is full of what is needed now.
            unsafe { _mm_prefetch::<_MM_HINT_T1>(start.wrapping_add(line * LINE)) };
        }
    }
    let _ = (start, n_lines);
}
