//! Which settings of a table hardly vary apart from others.
//!
//! Where what a setting says of the scores lies almost wholly in what the columns of others span, nothing tells whether it or
//! they made the scores: as where folders are compared of which only one has early stopping, and other layers, too. Of exact
//! twins the selection finds that itself; of near ones it would name whichever fits a little better.

use super::importance::{orthonormal, product};

/// A setting is not told from others that describe at least this share of what it says, adjusted for their number: the variance
/// of what is estimated of it is then five times what it would be if it varied by itself.
const SHARE: f64 = 0.8;

/// For each setting, by its columns over the rows, those from which it cannot be told; as a rule none, and none where that tells
/// nothing: of settings that do not stand out beside others that do. Of a setting that `matters` it is asked for what it
/// describes of `scores`, of the others for their columns.
pub(super) fn not_apart(columns: &[Vec<Vec<f64>>], scores: &[f64], matters: &[bool]) -> Vec<Vec<usize>> {
    let n_rows = scores.len();
    let constant = vec![1.0 / (n_rows as f64).sqrt(); n_rows];
    let bases: Vec<Vec<Vec<f64>>> =
        columns.iter().map(|key| orthonormal(key, std::slice::from_ref(&constant))).collect();
    let said = |key: usize| if matters[key] { described(&bases[key], scores) } else { bases[key].clone() };
    let found: Vec<Vec<usize>> = (0..bases.len()).map(|key| not_apart_from(&said(key), &bases, key, n_rows)).collect();
    let told = |key: usize| {
        let is_of = |other: &usize| found[key].contains(other) || matters[*other] && found[*other].contains(&key);
        let others: Vec<usize> = (0..bases.len()).filter(is_of).collect();
        let is_told = matters[key] || others.iter().any(|&other| matters[other]);
        if is_told { others } else { Vec::new() }
    };
    (0..bases.len()).map(told).collect()
}

/// What the orthonormal columns describe of the scores, as one column of length 1.
fn described(basis: &[Vec<f64>], scores: &[f64]) -> Vec<Vec<f64>> {
    let mut sum = vec![0.0; scores.len()];
    for column in basis {
        let share = product(column, scores);
        sum.iter_mut().zip(column).for_each(|(sum, value)| *sum += share * value);
    }
    orthonormal(&[sum], &[])
}

/// Each other setting that spans what this one says alone; where none does, the fewest that are found to do so together.
fn not_apart_from(said: &[Vec<f64>], bases: &[Vec<Vec<f64>>], key: usize, n_rows: usize) -> Vec<usize> {
    let others: Vec<usize> =
        (0..bases.len()).filter(|&other| other != key && !said.is_empty() && !bases[other].is_empty()).collect();
    let alone: Vec<usize> = others
        .iter()
        .copied()
        .filter(|&other| spanned(said, &bases[other], n_rows).is_some_and(|share| share >= SHARE))
        .collect();
    if !alone.is_empty() {
        return alone;
    }
    let (mut chosen, mut span, mut reached): (Vec<usize>, Vec<Vec<f64>>, f64) = (Vec::new(), Vec::new(), 0.0);
    loop {
        let wider = others.iter().filter(|other| !chosen.contains(other)).filter_map(|&other| {
            let mut wider = span.clone();
            wider.extend(orthonormal(&bases[other], &span));
            Some((spanned(said, &wider, n_rows)?, other, wider))
        });
        let Some((share, other, wider)) = wider.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1))) else { break };
        if share <= reached {
            break;
        }
        (reached, span) = (share, wider);
        chosen.push(other);
        if reached >= SHARE {
            chosen.sort_unstable();
            return chosen;
        }
    }
    Vec::new()
}

/// The share of the columns `of` a setting that the columns `by` describe, both orthonormal, adjusted for what as many random
/// columns would; nothing where these would leave nothing over.
fn spanned(of: &[Vec<f64>], by: &[Vec<f64>], n_rows: usize) -> Option<f64> {
    let n_free = n_rows.checked_sub(1 + by.len()).filter(|n_free| *n_free > 0)?;
    let described: f64 = of.iter().flat_map(|a| by.iter().map(move |b| product(a, b).powi(2))).sum();
    Some(1.0 - (1.0 - described / of.len() as f64) * (n_rows - 1) as f64 / n_free as f64)
}
