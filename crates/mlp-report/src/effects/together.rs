//! Settings that always change together, as one: nothing tells what either does, but what they do together is as well known as
//! the effect of a single setting.

use std::collections::{BTreeMap, BTreeSet};

use mlp_results::{FOLDER_KEY, Overview};

use crate::factor::Factor;

/// The factors, those that always change together as one ([`Factor::together`]), and whether the folder was left out: where it
/// follows from other settings, it only names what they say.
pub(super) fn merged(overview: &Overview<'_>, factors: Vec<Factor>) -> (Vec<Factor>, bool) {
    let mut groups: Vec<Vec<Factor>> = Vec::new();
    for factor in factors {
        match groups.iter_mut().find(|group| are_one(overview, &group[0], &factor)) {
            Some(group) => group.push(factor),
            None => groups.push(vec![factor]),
        }
    }
    let mut factors: Vec<Factor> = groups.into_iter().map(|group| one(overview, group)).collect();
    let folder = factors.iter().position(|factor| overview.varied[factor.key].key == FOLDER_KEY);
    let named = folder.filter(|&folder| factors[folder].together.is_empty() && follows(overview, &factors, folder));
    if let Some(folder) = named {
        factors.remove(folder);
    }
    (factors, named.is_some())
}

/// Whether each value of either goes with one and the same value of the other in all configurations.
fn are_one(overview: &Overview<'_>, one: &Factor, other: &Factor) -> bool {
    let pairs = overview.cells.iter().map(|cell| (one.level(&cell.indices), other.level(&cell.indices)));
    let pairs: BTreeSet<(usize, usize)> = pairs.collect();
    let firsts: BTreeSet<usize> = pairs.iter().map(|pair| pair.0).collect();
    let seconds: BTreeSet<usize> = pairs.iter().map(|pair| pair.1).collect();
    pairs.len() == firsts.len() && pairs.len() == seconds.len()
}

/// Whether the levels of all other factors say which level of this one a configuration has.
fn follows(overview: &Overview<'_>, factors: &[Factor], this: usize) -> bool {
    let mut found: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
    overview.cells.iter().all(|cell| {
        let others = factors.iter().enumerate().filter(|(place, _)| *place != this);
        let others = others.map(|(_, factor)| factor.level(&cell.indices)).collect();
        let level = factors[this].level(&cell.indices);
        *found.entry(others).or_insert(level) == level
    })
}

/// Factors that always change together as one: that with numbers stands for all, or else one that is no folder; its levels are
/// called by the values of all.
fn one(overview: &Overview<'_>, group: Vec<Factor>) -> Factor {
    let is_folder = |factor: &Factor| overview.varied[factor.key].key == FOLDER_KEY;
    let chosen = (0..group.len()).min_by_key(|&place| (group[place].numbers.is_none(), is_folder(&group[place])));
    let mut factor = group[chosen.unwrap_or(0)].clone();
    if group.len() < 2 {
        return factor;
    }
    for level in 0..factor.names.len() {
        let cell = overview.cells.iter().find(|cell| factor.level(&cell.indices) == level);
        let Some(cell) = cell else { continue };
        let names: Vec<&str> = group.iter().map(|member| member.names[member.level(&cell.indices)].as_str()).collect();
        factor.names[level] = names.join(" · ");
    }
    factor.together = group.iter().map(|member| member.key).filter(|key| *key != factor.key).collect();
    factor
}
