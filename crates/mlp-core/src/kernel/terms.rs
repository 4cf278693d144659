//! Which terms of a sum are taken: all of them, or those that are not zero.

use std::ops::Range;

use crate::kernel::simd::Simd;
use crate::real::Real;

/// Which terms of a sum are taken, in ascending order.
///
/// # Safety
/// Every pair of [`Terms::ascending`] lies below [`Terms::bounds`], left and right.
pub(crate) unsafe trait Terms: Copy {
    /// One more than the largest position on the left, and on the right, or something larger; (0, _) without terms.
    fn bounds(self) -> (usize, usize);
    /// The positions of the two factors of each term: on the left, and on the right.
    fn ascending(self) -> impl Iterator<Item = (usize, usize)>;
}

/// The terms 0, 1, … below a number.
#[derive(Clone, Copy)]
pub(crate) struct AllTerms(pub(crate) usize);

// SAFETY: the terms lie below the number.
unsafe impl Terms for AllTerms {
    #[inline(always)]
    fn bounds(self) -> (usize, usize) {
        (self.0, self.0)
    }
    #[inline(always)]
    fn ascending(self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.0).map(|term| (term, term))
    }
}

/// The terms whose bit is set.
#[derive(Clone, Copy)]
pub(crate) struct MaskedTerms(pub(crate) u32);

// SAFETY: the bound is the position behind the highest bit.
unsafe impl Terms for MaskedTerms {
    #[inline(always)]
    fn bounds(self) -> (usize, usize) {
        let bound = (u32::BITS - self.0.leading_zeros()) as usize;
        (bound, bound)
    }
    #[inline(always)]
    fn ascending(self) -> impl Iterator<Item = (usize, usize)> {
        let mut mask = self.0;
        std::iter::from_fn(move || {
            let term = mask.trailing_zeros() as usize;
            (mask != 0).then(|| {
                mask &= mask - 1;
                (term, term)
            })
        })
    }
}

/// The terms of a list of [`TermLists`].
#[derive(Clone, Copy)]
pub(crate) struct ListedTerms<'a> {
    /// Ascending.
    positions: &'a [u32],
}

// SAFETY: the list ascends, so the last position is the largest.
unsafe impl Terms for ListedTerms<'_> {
    #[inline(always)]
    fn bounds(self) -> (usize, usize) {
        let bound = self.positions.last().map_or(0, |&last| last as usize + 1);
        (bound, bound)
    }
    #[inline(always)]
    fn ascending(self) -> impl Iterator<Item = (usize, usize)> {
        self.positions.iter().map(|&term| (term as usize, term as usize))
    }
}

/// The terms of a list whose factors on the left are packed, one behind the other.
#[derive(Clone, Copy)]
pub(crate) struct PackedTerms<'a> {
    positions: &'a [u32],
    /// Above all of them.
    bound: usize,
}

// SAFETY: the left positions are those in the list, and the right ones lie below the bound.
unsafe impl Terms for PackedTerms<'_> {
    #[inline(always)]
    fn bounds(self) -> (usize, usize) {
        (self.positions.len(), self.bound)
    }
    #[inline(always)]
    fn ascending(self) -> impl Iterator<Item = (usize, usize)> {
        self.positions.iter().enumerate().map(|(at, &term)| (at, term as usize))
    }
}

/// Lists of ascending terms, one behind the other.
#[derive(Debug)]
pub(crate) struct TermLists {
    positions: Vec<u32>,
    /// Where each list ends.
    ends: Vec<usize>,
}

impl TermLists {
    /// No lists, with room for so many, and for so many terms in all of them.
    pub(crate) fn new(n_lists: usize, n_terms: usize) -> TermLists {
        TermLists { positions: vec![0; n_terms], ends: Vec::with_capacity(n_lists) }
    }

    /// Removes all lists.
    pub(crate) fn clear(&mut self) {
        self.ends.clear();
    }

    /// Appends the list of the positions of the numbers that have one of `bits` set. Returns where it lies among all.
    ///
    /// # Panics
    /// Where there is no room for as many terms as there are numbers.
    #[inline(always)]
    pub(crate) fn push<F, S: Simd<F>>(&mut self, _simd: S, numbers: &[u32], bits: u32) -> Range<usize> {
        let first = self.ends.last().copied().unwrap_or(0);
        let room = &mut self.positions[first..][..numbers.len()];
        // SAFETY: `_simd` proves the instructions, and the room is as long as the numbers.
        let end = first + unsafe { S::store_positions(numbers, bits, room) };
        self.ends.push(end);
        first..end
    }

    /// Where a list lies among all terms.
    #[inline(always)]
    pub(crate) fn range(&self, list: usize) -> Range<usize> {
        list.checked_sub(1).map_or(0, |before| self.ends[before])..self.ends[list]
    }

    /// The positions of the last list, ascending.
    #[inline(always)]
    pub(crate) fn last(&self) -> &[u32] {
        self.ends.len().checked_sub(1).map_or(&[], |last| self.positions(last))
    }

    /// The positions of a list, ascending.
    #[inline(always)]
    pub(crate) fn positions(&self, list: usize) -> &[u32] {
        &self.positions[self.range(list)]
    }

    /// The terms of a list.
    #[inline(always)]
    pub(crate) fn listed(&self, list: usize) -> ListedTerms<'_> {
        ListedTerms { positions: self.positions(list) }
    }

    /// The terms of a list, with packed factors on the left.
    #[inline(always)]
    pub(crate) fn packed(&self, list: usize) -> PackedTerms<'_> {
        let positions = self.positions(list);
        PackedTerms { positions, bound: positions.last().map_or(0, |&last| last as usize + 1) }
    }
}

/// What is not zero in a matrix, column by column (compressed columns).
#[derive(Debug)]
pub(crate) struct Columns<F> {
    n_rows: usize,
    /// Where each column ends.
    ends: Vec<u32>,
    /// The rows in which the first column is not zero, then those of the next column; all below `n_rows`.
    rows: Vec<u32>,
    /// The numbers there.
    values: Vec<F>,
}

impl<F: Real> Columns<F> {
    /// Room for a matrix of at most 32 rows.
    pub(crate) fn new(n_rows: usize, n_columns: usize) -> Columns<F> {
        let n_values = n_rows * n_columns;
        assert!(n_rows <= 32 && u32::try_from(n_values).is_ok(), "{n_rows} rows of {n_columns} columns");
        Columns { n_rows, ends: vec![0; n_columns], rows: vec![0; n_values], values: vec![F::zero(); n_values] }
    }

    /// Removes what is there, and makes room in every column: for the rows that have a bit set.
    #[inline(always)]
    pub(crate) fn clear(&mut self, rows_used: &[u32]) {
        let mut first = 0;
        for (end, rows) in self.ends.iter_mut().zip(rows_used) {
            *end = first;
            first += rows.count_ones();
        }
    }

    /// Appends some numbers of a row to their columns, which are counted from `first_column`.
    ///
    /// # Panics
    /// Where there is no such row, or no room.
    #[inline(always)]
    pub(crate) fn append(&mut self, row: usize, first_column: usize, columns: &[u32], values: &[F]) {
        assert!(row < self.n_rows, "row {row} of {}", self.n_rows);
        let ends = &mut self.ends[first_column..];
        for (&column, &value) in columns.iter().zip(values) {
            let end = &mut ends[column as usize];
            self.rows[*end as usize] = row as u32;
            self.values[*end as usize] = value;
            *end += 1;
        }
    }

    /// Some columns, one after the other: their numbers, as factors on the left, with the terms that their rows are.
    #[inline(always)]
    pub(crate) fn of(&self, columns: Range<usize>) -> impl Iterator<Item = (&[F], PackedTerms<'_>)> {
        let mut first = columns.start.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        self.ends[columns].iter().map(move |&end| {
            let range = first..end as usize;
            first = range.end;
            (&self.values[range.clone()], PackedTerms { positions: &self.rows[range], bound: self.n_rows })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Kernel;
    use crate::kernel::simd::Task;

    struct Push<'a>(&'a mut TermLists, &'a [u32], u32);

    impl<F: Real> Task<F> for Push<'_> {
        type Output = Range<usize>;
        #[inline(always)]
        fn run<S: Simd<F>>(self, simd: S) -> Range<usize> {
            self.0.push(simd, self.1, self.2)
        }
    }

    #[test]
    fn a_list_holds_the_positions_of_what_is_used_on_every_level() {
        let numbers: Vec<u32> = (0..100_u32).map(|n| n.wrapping_mul(n).wrapping_mul(0x9e37_79b9)).collect();
        for kernel in Kernel::ALL.into_iter().filter(|kernel| kernel.is_supported()) {
            for (n, bits) in (0..=100).flat_map(|n| [1, 0b1010, 1 << 31, u32::MAX].map(|bits| (n, bits))) {
                let expected: Vec<_> = (0..n as u32).filter(|&at| numbers[at as usize] & bits != 0).collect();
                let mut lists = TermLists::new(2, n + 3);
                f32::dispatch(kernel, Push(&mut lists, &[0, u32::MAX, 0], 1));
                let range = f32::dispatch(kernel, Push(&mut lists, &numbers[..n], bits));
                let found = (lists.positions(0), lists.positions(1), range);
                assert_eq!(found, (&[1][..], &expected[..], 1..1 + expected.len()), "{kernel}, {n} numbers");
                lists.clear();
                f64::dispatch(kernel, Push(&mut lists, &numbers[..n], bits));
                assert_eq!(lists.positions(0), expected, "{kernel}, {n} numbers");
            }
        }
    }

    #[test]
    fn columns_hold_what_is_not_zero_row_after_row() {
        // 0 5 0 6
        // 7 0 0 8
        let mut columns = Columns::new(3, 4);
        for factor in [1.0, 2.0] {
            columns.clear(&[0b10, 0b01, 0, 0b11]);
            columns.append(0, 1, &[0, 2], &[5.0 * factor, 6.0 * factor]);
            columns.append(1, 0, &[0, 3], &[7.0 * factor, 8.0 * factor]);
            let found: Vec<_> = columns.of(1..4).map(|(values, terms)| (values.to_vec(), terms.positions)).collect();
            let expected = [(vec![5.0 * factor], &[0][..]), (vec![], &[]), (vec![6.0 * factor, 8.0 * factor], &[0, 1])];
            assert_eq!(found, expected);
            assert_eq!(columns.of(0..1).next().map(|(values, _)| values), Some(&[7.0 * factor][..]));
        }
    }

    #[test]
    #[should_panic(expected = "row 3 of 3")]
    fn a_row_that_is_not_in_the_matrix_is_refused() {
        Columns::new(3, 4).append(3, 0, &[0], &[1.0]);
    }
}
