//! What the instruction computes, and that every way of computing with pairs gives the same bits.

use super::lists::{AddColumns, Columns, Lists, ListsTimes};
use super::packing::{PackBothWays, PackWeights, round_all};
use super::product::{PairFactors, pair_product};
use super::*;
use crate::kernel::prefetch::Ahead;

/// xorshift64*: numbers for a few million tries.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    }

    /// A number with an exponent in the range, any sign and any fraction.
    fn number(&mut self, exponents: std::ops::Range<u32>) -> f32 {
        let exponent = exponents.start + self.next() % (exponents.end - exponents.start);
        f32::from_bits(self.next() & 0x807f_ffff | exponent << 23)
    }

    /// Rounded numbers between `LEAST` and `MOST`, a fifth of them 0.
    fn rounded(&mut self, n: usize) -> Vec<f32> {
        let exponents = 127 - 56..127 + 62;
        (0..n)
            .map(|_| if self.next().is_multiple_of(5) { 0.0 } else { self.number(exponents.clone()) })
            .map(|value| f32::from_bits(rounded(value)))
            .collect()
    }
}

fn pairs_of(values: &[f32]) -> Vec<Pair> {
    values.chunks(2).map(|two| Pair::of_rounded(&[two[0], two.get(1).copied().unwrap_or(0.0)])).collect()
}

/// The odd elements first, each a fused multiply-add.
fn dot(a: Pair, b: Pair, sum: f32) -> f32 {
    let ([a0, a1], [b0, b1]) = (a.elements(), b.elements());
    a0.mul_add(b0, a1.mul_add(b1, sum))
}

fn kernels() -> Vec<PairKernel> {
    let emulated = Kernel::ALL.into_iter().filter(|kernel| kernel.is_supported()).map(PairKernel::Emulated);
    let fastest = PairKernel::new(Kernel::detect());
    emulated.chain([fastest]).collect()
}

#[test]
fn numbers_are_rounded_to_nearest_and_ties_to_even() {
    for upper in 0..=0xffff_u32 {
        for lower in [0, 1, 0x7fff, 0x8000, 0x8001, 0xffff] {
            let value = f32::from_bits(upper << 16 | lower);
            let found = f32::from_bits(rounded(value));
            assert_eq!(found.to_bits() & 0xffff, 0);
            if value.abs() < LEAST {
                assert_eq!(found.to_bits(), 0, "{value:e}");
            } else if value.abs() < MOST {
                // Both neighbours of eight bits, in double precision.
                let (down, up) = (f32::from_bits(upper << 16), f32::from_bits((upper + 1) << 16));
                let (below, above) = ((value - down).abs(), (up - value).abs());
                let nearest = match below.total_cmp(&above) {
                    std::cmp::Ordering::Less => down,
                    std::cmp::Ordering::Greater => up,
                    std::cmp::Ordering::Equal => {
                        if upper % 2 == 0 {
                            down
                        } else {
                            up
                        }
                    }
                };
                assert_eq!(found.to_bits(), nearest.to_bits(), "{value:e}");
            } else {
                assert!(found.is_nan(), "{value:e}");
            }
        }
    }
}

#[test]
fn no_sum_of_products_is_subnormal() {
    // Of two numbers with eight bits each, the least: all products are multiples of it.
    let last_place = LEAST * f32::EPSILON * 65_536.0;
    assert_eq!(f64::from(last_place).powi(2), f64::from(f32::MIN_POSITIVE));
    let product = |value: f32| f64::from(f32::from_bits(rounded(value))).powi(2);
    let largest = product(f32::from_bits(MOST.to_bits() - 1));
    assert!(2.0 * largest < f64::from(f32::MAX), "not even that of two largest overflows: {largest:e}");
}

/// The sums that one way of computing gives for 16 lanes.
struct Lanes16<'a> {
    a: &'a [Pair; 16],
    b: &'a [Pair; 16],
    sums: &'a mut [f32; 16],
}

impl PairTask for Lanes16<'_> {
    #[inline(always)]
    fn run<P: Pairs>(self, _pairs: P) {
        for lane in (0..16).step_by(P::LANES) {
            // SAFETY: `_pairs` proves the instructions; 16 is a multiple of the lanes.
            unsafe {
                let (a, b) = (P::load(self.a[lane..].as_ptr()), P::load(self.b[lane..].as_ptr()));
                let sums = P::add_products(a, b, P::load_sums(self.sums[lane..].as_ptr()));
                P::store_sums(sums, self.sums[lane..].as_mut_ptr());
            }
        }
    }
}

fn assert_lanes(a: &[Pair; 16], b: &[Pair; 16], sums: &[f32; 16], expected: impl Fn(Pair, Pair, f32) -> f32) {
    for kernel in kernels() {
        let mut found = *sums;
        kernel.run(Lanes16 { a, b, sums: &mut found });
        for lane in 0..16 {
            let expected = expected(a[lane], b[lane], sums[lane]);
            let same = found[lane].to_bits() == expected.to_bits() || found[lane].is_nan() && expected.is_nan();
            let (a, b, sum) = (a[lane].elements(), b[lane].elements(), sums[lane]);
            assert!(same, "{kernel:?}: {sum:e} + {a:?} · {b:?} is {expected:e}, not {:e}", found[lane]);
        }
    }
}

/// All fractions of one factor with all of another, in both places of a pair, beside sums that swallow them, are swallowed,
/// or cancel.
#[test]
fn every_way_gives_the_same_bits_for_all_products_of_eight_bits() {
    let mut random = Random(1);
    for a in 0..128_u32 {
        for b in (0..128_u32).step_by(16) {
            let mut factors = [[Pair::default(); 16]; 2];
            let mut sums = [0.0; 16];
            for lane in 0..16 {
                let of = |fraction: u32, exponent: u32| exponent << 23 | fraction << 16;
                let fractions = (of(a, 120 + random.next() % 16), of(b + lane as u32, 120 + random.next() % 16));
                let other = (rounded(random.number(119..135)), rounded(random.number(119..135)));
                let [left, right] = &mut factors;
                (left[lane], right[lane]) = if random.next().is_multiple_of(2) {
                    (Pair::of_bits(fractions.0, other.0), Pair::of_bits(fractions.1, other.1))
                } else {
                    (Pair::of_bits(other.0, fractions.0), Pair::of_bits(other.1, fractions.1))
                };
                let product = f32::from_bits(fractions.0) * f32::from_bits(fractions.1);
                sums[lane] = match random.next() % 3 {
                    0 => -product,
                    1 => -product * (1.0 + f32::EPSILON),
                    _ => random.number(90..150),
                };
            }
            assert_lanes(&factors[0], &factors[1], &sums, dot);
        }
    }
}

#[test]
fn every_way_gives_the_same_bits_for_all_numbers_that_rounding_leaves() {
    let mut random = Random(2);
    for _ in 0..20_000 {
        let factors =
            |random: &mut Random| -> [Pair; 16] { pairs_of(&random.rounded(32)).try_into().expect("sixteen pairs") };
        let (a, b) = (factors(&mut random), factors(&mut random));
        // A sum of products, or anything that is normal.
        let sums: [f32; 16] = std::array::from_fn(|lane| match random.next() % 3 {
            0 => 0.0,
            1 => -dot(a[lane], b[lane], 0.0),
            _ => random.number(71..200),
        });
        assert_lanes(&a, &b, &sums, dot);
    }
}

/// Not needed for equal bits, as rounding leaves nothing subnormal; but it is what is documented.
#[cfg(target_arch = "x86_64")]
#[test]
fn the_instruction_takes_subnormal_numbers_as_zero_and_leaves_none() {
    let Some(instruction) = instruction::Instruction::detect() else { return };
    let flushed = |value: f32| if value.is_subnormal() { 0.0_f32.copysign(value) } else { value };
    let mut random = Random(3);
    let mut n_subnormal = 0;
    for round in 0..100_000 {
        // Any bits at all; or products and sums about as small as normal numbers are.
        let factor = |random: &mut Random| {
            if round % 2 == 0 { random.next() } else { random.number(54..76).to_bits() }
        };
        let a: [Pair; 16] = std::array::from_fn(|_| Pair::of_bits(factor(&mut random), factor(&mut random)));
        let b: [Pair; 16] = std::array::from_fn(|_| Pair::of_bits(factor(&mut random), factor(&mut random)));
        let sums: [f32; 16] =
            std::array::from_fn(|_| if round % 2 == 0 { f32::from_bits(random.next()) } else { random.number(0..20) });
        let mut found = sums;
        instruction.run(Lanes16 { a: &a, b: &b, sums: &mut found });
        for lane in 0..16 {
            let ([a0, a1], [b0, b1]) = (a[lane].elements().map(flushed), b[lane].elements().map(flushed));
            let first = a1.mul_add(b1, flushed(sums[lane]));
            let second = a0.mul_add(b0, flushed(first));
            n_subnormal += u32::from(first.is_subnormal() || second.is_subnormal());
            let expected = flushed(second);
            let same = found[lane].to_bits() == expected.to_bits() || found[lane].is_nan() && expected.is_nan();
            assert!(same, "{:e} + {a1:e} · {b1:e} + {a0:e} · {b0:e}: {:e}", sums[lane], found[lane]);
        }
    }
    assert!(n_subnormal > 10_000, "{n_subnormal}");
}

#[test]
fn products_have_the_same_bits_every_way_and_are_chains_over_ascending_pairs() {
    let mut random = Random(4);
    for (n_rows, width, n_terms) in [(1, 16, 1), (4, 64, 64), (7, 64, 33), (9, 32, 10), (13, 16, 5), (3, 64, 0)] {
        let n_pairs = usize::div_ceil(n_terms, 2);
        let left: Vec<f32> = (0..n_rows).flat_map(|_| padded(random.rounded(n_terms))).collect();
        // Row by row of terms, the last beside zeros.
        let mut right = random.rounded(n_terms * width);
        right.resize(2 * n_pairs * width, 0.0);
        let left = pairs_of(&left);
        let panel: Vec<Pair> = (0..n_pairs * width)
            .map(|index| (index / width, index % width))
            .map(|(pair, column)| Pair::of_rounded(&[0, 1].map(|odd| right[(2 * pair + odd) * width + column])))
            .collect();
        let start: Vec<f32> = random.rounded(width);
        let mut expected = vec![0.0; n_rows * width];
        for (index, sum) in expected.iter_mut().enumerate() {
            let (row, column) = (index / width, index % width);
            *sum = (0..n_pairs)
                .fold(start[column], |sum, pair| dot(left[row * n_pairs + pair], panel[pair * width + column], sum));
        }
        for kernel in kernels() {
            let (row_stride, pair_stride, ahead) = (n_pairs, 1, Ahead::default());
            let factors = PairFactors { left: &left, row_stride, pair_stride, right: &panel, n_pairs, ahead };
            let mut found = vec![f32::NAN; n_rows * width];
            pair_product(kernel, width, Some(&start), factors, n_rows, &mut found);
            assert_eq!(bits(&found), bits(&expected), "{kernel:?}: {n_rows} rows of {width}, {n_terms} terms");
        }
    }
}

fn padded(mut values: Vec<f32>) -> Vec<f32> {
    values.resize(values.len().next_multiple_of(2), 0.0);
    values
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn what_is_left_out_of_lists_changes_no_bit() {
    let mut random = Random(5);
    for width in [16, 32, 64] {
        let (n_rows, n_pairs, pairs_per_stretch) = (6, 11, 4);
        let n_stretches = usize::div_ceil(n_pairs, pairs_per_stretch);
        let matrix: Vec<Pair> = (0..n_rows * n_pairs)
            .map(|_| if random.next().is_multiple_of(2) { Pair::default() } else { pairs_of(&random.rounded(2))[0] })
            .collect();
        let panel = pairs_of(&random.rounded(2 * n_pairs * width));
        let start = random.rounded(width);
        let (mut ends, mut places, mut pairs) = (Vec::new(), Vec::new(), Vec::new());
        for row in matrix.chunks(n_pairs) {
            for stretch in row.chunks(pairs_per_stretch) {
                let kept = stretch.iter().enumerate().filter(|(_, pair)| **pair != Pair::default());
                kept.for_each(|(place, &pair)| {
                    places.push(place as u32);
                    pairs.push(pair);
                });
                ends.push(places.len() as u32);
            }
        }
        let lists =
            Lists { n_rows, n_stretches, pairs_per_stretch, n_pairs, ends: &ends, places: &places, pairs: &pairs };
        for kernel in kernels() {
            let mut found = vec![f32::NAN; n_rows * width];
            kernel.run(ListsTimes { lists, start: &start, panel: &panel, width, sums: &mut found });
            for (index, sum) in found.iter().enumerate() {
                let (row, column) = (index / width, index % width);
                let expected = (0..n_pairs).fold(start[column], |sum, pair| {
                    dot(matrix[row * n_pairs + pair], panel[pair * width + column], sum)
                });
                assert_eq!(sum.to_bits(), expected.to_bits(), "{kernel:?}, width {width}");
            }
        }
    }
}

#[test]
fn sums_over_rows_are_chains_whichever_rows_meet() {
    let mut random = Random(6);
    for width in [16, 32, 64] {
        let (n_rows, n_lists, stride) = (9, 5, 9);
        let panel = random.rounded(n_rows * width);
        let mut entries = vec![(0, Pair::default()); n_lists * stride];
        let mut counts = vec![0; n_lists];
        for (list, count) in counts.iter_mut().enumerate() {
            for row in (0..n_rows).filter(|_| list > 0) {
                if !random.next().is_multiple_of(3) {
                    entries[list * stride + *count as usize] = (row as u32, pairs_of(&random.rounded(2))[0]);
                    *count += 1;
                }
            }
        }
        let columns = Columns { n_rows, entries: &entries, stride, counts: &counts };
        for kernel in kernels() {
            let mut found = vec![0.0; 2 * n_lists * width];
            kernel.run(AddColumns { columns, panel: &panel, width, sums: &mut found });
            for (index, sum) in found.iter().enumerate() {
                let (list, odd, column) = (index / width / 2, index / width % 2, index % width);
                let list = &entries[list * stride..][..counts[list] as usize];
                let expected = list.iter().fold(0.0_f32, |sum, &(row, pair)| {
                    pair.elements()[odd].mul_add(panel[row as usize * width + column], sum)
                });
                assert_eq!(sum.to_bits(), expected.to_bits(), "{kernel:?}, width {width}");
            }
        }
    }
}

#[test]
fn matrices_are_packed_for_both_of_their_products() {
    let mut random = Random(7);
    for (n_rows, width) in [(1, 16), (5, 64), (16, 32), (33, 64), (64, 64)] {
        let values: Vec<f32> = (0..n_rows * width).map(|_| random.number(100..150)).collect();
        let at = |row: usize, column: usize| if row < n_rows { rounded(values[row * width + column]) } else { 0 };
        for kernel in kernels() {
            for keeps_rounded in [false, true] {
                let mut rows = values.clone();
                let mut in_rows = vec![Pair::default(); n_rows * width / 2];
                let mut in_columns = vec![Pair::of_bits(!0, !0); usize::div_ceil(n_rows, 2) * width];
                let (to_rows, to_columns) = (&mut in_rows, &mut in_columns);
                let rows_of = &mut rows;
                kernel.run(PackBothWays {
                    rows: rows_of,
                    keeps_rounded,
                    width,
                    in_rows: to_rows,
                    in_columns: to_columns,
                });
                let mut expected = values.clone();
                if keeps_rounded {
                    round_all(kernel, &mut expected);
                }
                assert_eq!(rows, expected);
                for (index, &pair) in in_rows.iter().enumerate() {
                    let (row, column) = (index / (width / 2), index % (width / 2) * 2);
                    assert_eq!(pair, Pair::of_bits(at(row, column), at(row, column + 1)));
                }
                for (index, &pair) in in_columns.iter().enumerate() {
                    let (row, column) = (index / width * 2, index % width);
                    assert_eq!(pair, Pair::of_bits(at(row, column), at(row + 1, column)));
                }
            }
            let stride = n_rows.next_multiple_of(16);
            let mut panel = vec![Pair::of_bits(!0, !0); usize::div_ceil(n_rows, 2) * width];
            let mut transposed = vec![Pair::default(); width / 2 * stride];
            let to = Some((&mut transposed[..], stride));
            kernel.run(PackWeights { rows: &values, width, panel: &mut panel, transposed: to });
            for (index, &pair) in panel.iter().enumerate() {
                let (row, column) = (index / width * 2, index % width);
                assert_eq!(pair, Pair::of_bits(at(row, column), at(row + 1, column)));
            }
            for (index, &pair) in transposed.iter().enumerate() {
                let (column, row) = (index / stride * 2, index % stride);
                assert_eq!(pair, Pair::of_bits(at(row, column), at(row, column + 1)), "{n_rows} rows of {width}");
            }
        }
    }
}
