//! The order of a sweep that may end at any time.

use std::collections::BTreeMap;

use crate::trial::Trial;

/// Larger sweeps are shuffled: choosing each next trial from all others would take too long, and a random order is
/// balanced too where there are many.
const MAX_CHOSEN: usize = 1_000;

/// The indices of `trials` in an order of which every beginning is balanced: of each key that varies, the seed included,
/// every value has come up about as often as the others, and so has every pair of values of two keys.
///
/// Each next trial is the one whose values have come up least; among those the one whose pairs of values have, and among
/// those the first in the order of the identities, which favours no value.
pub(crate) fn balanced(trials: &[Trial]) -> Vec<usize> {
    let mut left: Vec<usize> = (0..trials.len()).collect();
    left.sort_by(|&one, &other| trials[one].id.cmp(&trials[other].id));
    if trials.len() > MAX_CHOSEN {
        return left;
    }
    let levels = levels(trials);
    let mut n_single: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    let mut n_pairs: BTreeMap<[(usize, usize); 2], usize> = BTreeMap::new();
    let mut order = Vec::with_capacity(trials.len());
    while !left.is_empty() {
        let cost = |index: &usize| {
            let own = &levels[*index];
            let single: usize = own.iter().map(|level| n_single.get(level).copied().unwrap_or(0)).sum();
            let most = own.iter().map(|level| n_single.get(level).copied().unwrap_or(0)).max();
            let pairs: usize = pairs(own).map(|pair| n_pairs.get(&pair).copied().unwrap_or(0)).sum();
            (most, single, pairs)
        };
        // The first of the least, so the order of the identities decides.
        let place = (0..left.len()).min_by_key(|&place| cost(&left[place])).unwrap_or(0);
        let index = left.remove(place);
        for level in &levels[index] {
            *n_single.entry(*level).or_default() += 1;
        }
        for pair in pairs(&levels[index]) {
            *n_pairs.entry(pair).or_default() += 1;
        }
        order.push(index);
    }
    order
}

/// For each trial, its value of each key as a number. A key with a value of its own for each trial, such as one that is
/// drawn from a range, tells nothing about balance and is left out.
fn levels(trials: &[Trial]) -> Vec<Vec<(usize, usize)>> {
    let n_keys = trials.first().map_or(0, |trial| trial.varied.len());
    let mut levels = vec![Vec::new(); trials.len()];
    for key in 0..n_keys {
        let mut known: BTreeMap<&str, usize> = BTreeMap::new();
        let numbers: Vec<usize> = trials
            .iter()
            .map(|trial| {
                let n_known = known.len();
                *known.entry(trial.varied[key].1.as_str()).or_insert(n_known)
            })
            .collect();
        if known.len() < trials.len() || n_keys == 1 {
            levels.iter_mut().zip(numbers).for_each(|(levels, number)| levels.push((key, number)));
        }
    }
    levels
}

fn pairs(levels: &[(usize, usize)]) -> impl Iterator<Item = [(usize, usize); 2]> + '_ {
    levels.iter().enumerate().flat_map(|(place, one)| levels[place + 1..].iter().map(move |other| [*one, *other]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::RunSettings;

    fn grid(sizes: &[usize]) -> Vec<Trial> {
        let mut combinations = vec![Vec::new()];
        for (key, size) in sizes.iter().enumerate() {
            let wider = |combination: &Vec<(String, String)>| {
                (0..*size)
                    .map(|value| [combination.as_slice(), &[(format!("key-{key}"), value.to_string())]].concat())
                    .collect::<Vec<_>>()
            };
            combinations = combinations.iter().flat_map(wider).collect();
        }
        let trial = |(index, varied): (usize, Vec<(String, String)>)| Trial {
            // Identities are hashes; these numbers are as unordered.
            id: format!("{:08x}", (index as u32).wrapping_mul(2_654_435_761)),
            settings: RunSettings::default(),
            varied,
        };
        combinations.into_iter().enumerate().map(trial).collect()
    }

    #[test]
    fn every_beginning_has_each_value_of_each_key_about_equally_often() {
        for sizes in [&[3, 4][..], &[2, 3, 5], &[7], &[2, 2, 2, 3], &[10, 10]] {
            let trials = grid(sizes);
            let order = balanced(&trials);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..trials.len()).collect::<Vec<_>>());
            for length in 1..=order.len() {
                for (key, size) in sizes.iter().enumerate() {
                    let count = |value: usize| {
                        let is_it = |index: &&usize| trials[**index].varied[key].1 == value.to_string();
                        order[..length].iter().filter(is_it).count()
                    };
                    let counts: Vec<usize> = (0..*size).map(count).collect();
                    let spread = counts.iter().max().unwrap_or(&0) - counts.iter().min().unwrap_or(&0);
                    assert!(spread <= 2, "{sizes:?}: the first {length} have {counts:?} of key {key}");
                }
            }
        }
    }

    #[test]
    fn the_order_depends_on_the_trials_alone() {
        let trials = grid(&[3, 4, 2]);
        let mut turned = trials.clone();
        turned.reverse();
        let names = |trials: &[Trial]| -> Vec<String> {
            balanced(trials).into_iter().map(|index| trials[index].id.clone()).collect()
        };
        assert_eq!(names(&trials), names(&turned));
    }
}
