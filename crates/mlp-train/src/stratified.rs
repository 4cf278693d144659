//! Samples drawn at random so that each class has its share of them: for validation, and for testing on a table.

use rand::RngCore;

use crate::random::shuffle;

/// The samples of each class, in increasing order, where `classes` says the class of each sample.
pub(crate) fn samples_of_classes(classes: impl Iterator<Item = usize>) -> Vec<Vec<usize>> {
    let mut samples = Vec::new();
    for (sample, class) in classes.enumerate() {
        if samples.len() <= class {
            samples.resize_with(class + 1, Vec::new);
        }
        samples[class].push(sample);
    }
    samples
}

/// Draws so many samples of each class, at random; in increasing order.
pub(crate) fn draw(samples_of_classes: Vec<Vec<usize>>, numbers: &[usize], rng: &mut impl RngCore) -> Vec<usize> {
    let mut drawn = Vec::with_capacity(numbers.iter().sum());
    for (mut samples, &n_drawn) in samples_of_classes.into_iter().zip(numbers) {
        shuffle(&mut samples, rng);
        drawn.extend_from_slice(&samples[..n_drawn]);
    }
    drawn.sort_unstable();
    drawn
}

/// How many samples are drawn of each class: its quota, rounded down, and of what is missing in the sum one more for the
/// classes with the largest remainders (Hamilton's method), as long as a sample of the class is left. The sum is at most
/// `n_wanted`, and less where too few classes have one to spare.
pub(crate) fn numbers_by_largest_remainder(sizes: &[usize], quotas: &[f64], n_wanted: usize) -> Vec<usize> {
    let mut numbers: Vec<usize> = quotas.iter().map(|&quota| quota as usize).collect();
    let n_missing = n_wanted.saturating_sub(numbers.iter().sum());
    let mut by_remainder: Vec<usize> = (0..sizes.len()).filter(|&class| numbers[class] + 1 < sizes[class]).collect();
    by_remainder.sort_by(|&one, &other| quotas[other].fract().total_cmp(&quotas[one].fract()));
    for &class in by_remainder.iter().take(n_missing) {
        numbers[class] += 1;
    }
    numbers
}

/// The same with the quotas of `n_wanted` samples of all, and with exactly this sum: what is still missing comes one by one
/// from the classes with the most samples left, so that a class is drawn whole only where nothing else is left.
pub(crate) fn exact_numbers(sizes: &[usize], n_wanted: usize) -> Vec<usize> {
    let n_all: usize = sizes.iter().sum();
    let quotas: Vec<f64> = sizes.iter().map(|&size| size as f64 * n_wanted as f64 / n_all as f64).collect();
    let mut numbers = numbers_by_largest_remainder(sizes, &quotas, n_wanted);
    for _ in numbers.iter().sum()..n_wanted {
        let left = |class: &usize| sizes[*class] - numbers[*class];
        // Of several the first, whatever the seed.
        let most = (0..sizes.len()).rev().max_by_key(left).expect("there are more samples than are wanted");
        numbers[most] += 1;
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_quotas_rounded_by_the_largest_remainder_and_a_class_is_emptied_last() {
        assert_eq!(exact_numbers(&[40, 40, 4], 40), [19, 19, 2]);
        assert_eq!(exact_numbers(&[50, 0, 30, 20], 10), [5, 0, 3, 2]);
        assert_eq!(exact_numbers(&[7, 7, 7], 10), [4, 3, 3]);
        // Quotas of 0.9, 0.9, 0.9 and 6.3.
        assert_eq!(exact_numbers(&[1, 1, 1, 7], 9), [1, 1, 1, 6]);
        assert_eq!(exact_numbers(&[1, 1, 1, 7], 6), [0, 0, 0, 6]);
        assert_eq!(exact_numbers(&[1, 1, 1, 7], 7), [1, 0, 0, 6]);
        assert_eq!(exact_numbers(&[3, 2], 0), [0, 0]);
    }

    #[test]
    fn every_number_is_within_its_class_and_the_sum_is_exact() {
        let sizes = [31, 1, 5, 0, 2, 17, 1];
        let n_all: usize = sizes.iter().sum();
        for n_wanted in 0..n_all {
            let numbers = exact_numbers(&sizes, n_wanted);
            assert_eq!(numbers.iter().sum::<usize>(), n_wanted);
            assert!(numbers.iter().zip(sizes).all(|(&number, size)| number <= size), "{numbers:?}");
            let n_classes = sizes.iter().filter(|size| **size > 0).count();
            let n_left = numbers.iter().zip(sizes).filter(|(number, size)| **number < *size).count();
            assert!(n_left == n_classes || n_all - n_wanted < n_classes, "{n_wanted}: {numbers:?}");
        }
    }
}
