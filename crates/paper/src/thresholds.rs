//! What was fixed before anything was run: the smallest effects that count, and which networks do.

/// The smallest difference in accuracy that counts: 0.2 percentage points.
pub const SMALLEST: f64 = 0.002;
/// The smallest difference in the mean absolute error of a bit that counts.
pub const SMALLEST_ERROR: f64 = 0.01;
/// The smallest slope of lg γ* against lg N that counts: γ* falls to two thirds for ten times as many images.
pub const SMALLEST_SLOPE: f64 = 0.2;
/// From this accuracy on a network counts as trained; the best constant answer reaches about 0.11.
pub const TRAINED: f64 = 0.5;
/// From this accuracy on clean images a network counts as working where robustness is compared.
pub const WORKING: f64 = 0.9;
/// The probability that a verdict of a family is wrong: half of 5 %, as the published figures are the second that were
/// judged. The first had fewer seeds.
pub const ERROR_RATE: f64 = 0.025;
/// How many comparisons that decide a claim the published run judged. Fewer are judged no more easily.
pub const N_DECIDING: usize = 8;
/// The same of the comparisons that decide none.
pub const N_OTHERS: usize = 38;
