//! A varied setting as the analysis sees it: its values, or groups of them where a sweep drew too many to treat each by
//! itself.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use mlp_results::{FOLDER_KEY, Overview, VariedKey, text};
use serde_json::Value;

/// More values than these are grouped.
const N_VALUES: usize = 24;
/// Numbers are grouped into ranges from here on, unless each of them was tried in several configurations.
const N_NUMBERS: usize = 12;
/// Numbers that were tried in fewer configurations than this, on the average, count as drawn at random.
const N_REPEATED: usize = 3;
/// From so many values on, numbers that nearly all occur once count as drawn, too.
const N_SINGLE: usize = 4;
/// About how many configurations make a range.
const N_IN_RANGE: usize = 8;
/// How many ranges there are at least, so that a best value in the middle has one of its own, and at most.
const N_RANGES: RangeInclusive<usize> = 3..=8;

/// How values became levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grouping {
    /// Each value is a level.
    Values,
    /// Numbers by ranges that hold about equally many configurations.
    Ranges,
    /// Lists by their length.
    Lengths,
    /// Tables by their name, whatever their parameters.
    Names,
    /// There are too many values without an order: the key is left out of the analysis.
    LeftOut,
}

/// The levels of one varied key.
#[derive(Clone, Debug, PartialEq)]
pub struct Factor {
    /// The key's index in [`Overview::varied`].
    pub key: usize,
    /// What a level is called, in order.
    pub names: Vec<String>,
    /// Where each level stands on an axis, if the key has one: a number, or the median of a range.
    pub numbers: Option<Vec<f64>>,
    /// For each value of the key its level.
    pub level_of: Vec<usize>,
    /// How values became levels.
    pub grouping: Grouping,
    /// The other keys, by their index, that always change together with this one: the levels are those of all of them.
    pub together: Vec<usize>,
}

impl Factor {
    /// The level of a configuration, by the indices of its values.
    pub(crate) fn level(&self, indices: &[usize]) -> usize {
        self.level_of[indices[self.key]]
    }

    /// All its keys, in the order of the overview.
    pub fn keys(&self) -> Vec<usize> {
        let mut keys = self.together.clone();
        keys.push(self.key);
        keys.sort_unstable();
        keys
    }

    /// What it is called: `learning_rate`, or `folder, dropout` where these always change together.
    pub fn title(&self, overview: &Overview<'_>) -> String {
        let titles: Vec<&str> = self.keys().into_iter().map(|key| overview.varied[key].title.as_str()).collect();
        titles.join(", ")
    }
}

/// The levels of every varied key, in the order of the overview.
pub(crate) fn factors(overview: &Overview<'_>) -> Vec<Factor> {
    (0..overview.varied.len()).map(|key| factor(overview, key)).collect()
}

fn factor(overview: &Overview<'_>, key: usize) -> Factor {
    let varied = &overview.varied[key];
    match &varied.numbers {
        Some(numbers) if are_drawn(overview, varied) => ranges(overview, key, numbers),
        numbers if varied.values.len() <= N_VALUES => Factor {
            key,
            names: varied.short_names.clone(),
            numbers: numbers.clone(),
            level_of: (0..varied.values.len()).collect(),
            grouping: Grouping::Values,
            together: Vec::new(),
        },
        Some(numbers) => ranges(overview, key, numbers),
        None => grouped(key, varied),
    }
}

/// Whether a key's numbers look drawn rather than chosen: many, and hardly any of them twice.
fn are_drawn(overview: &Overview<'_>, varied: &VariedKey) -> bool {
    let is_repeated = overview.varied.len() == 1 && overview.cells.iter().any(|cell| cell.scores.len() > 1);
    let n_values = varied.values.len();
    n_values > N_NUMBERS && overview.cells.len() < N_REPEATED * n_values && !is_repeated
        || are_single(overview, n_values)
}

/// Whether a key's values are few, but nearly all of them occur once, while other keys change as well: as in a search with
/// few draws. Where one setting after the other is changed, values are single, too, but the others stay as they are; then
/// there are as many configurations as a sum of single effects has unknowns. Folders that are compared are as a rule small grids,
/// each with values of its own.
fn are_single(overview: &Overview<'_>, n_values: usize) -> bool {
    if overview.varied.iter().any(|key| key.key == FOLDER_KEY) {
        return false;
    }
    let n_unknowns = 1 + overview.varied.iter().map(|key| key.values.len() - 1).sum::<usize>();
    let n_cells = overview.cells.len();
    n_values >= N_SINGLE && 2 * n_cells < 3 * n_values && n_unknowns > n_cells
}

/// Ranges with about equally many configurations; equal numbers stay together.
fn ranges(overview: &Overview<'_>, key: usize, numbers: &[f64]) -> Factor {
    let mut n_cells = vec![0usize; numbers.len()];
    for cell in &overview.cells {
        n_cells[cell.indices[key]] += 1;
    }
    let n_all = overview.cells.len();
    let n_ranges = (n_all / N_IN_RANGE).clamp(*N_RANGES.start(), *N_RANGES.end());
    let mut before = 0;
    let mut wanted = Vec::with_capacity(numbers.len());
    for n in &n_cells {
        // By the middle of the value's share, so that a value with many configurations does not open an empty range.
        wanted.push(((2 * before + n) * n_ranges / (2 * n_all).max(1)).min(n_ranges - 1));
        before += n;
    }
    let level_of = consecutive(&wanted);
    let n_levels = level_of.last().map_or(0, |last| last + 1);
    let members = |level: usize| (0..numbers.len()).filter(|&value| level_of[value] == level).collect::<Vec<_>>();
    let median = |members: &[usize]| {
        let mut all: Vec<f64> = Vec::new();
        for &value in members {
            all.extend(std::iter::repeat_n(numbers[value], n_cells[value]));
        }
        all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let name = |members: &[usize]| match (members.first(), members.last()) {
        (Some(&first), Some(&last)) if first != last => {
            format!("{} – {}", text::rounded(numbers[first]), text::rounded(numbers[last]))
        }
        (Some(&only), _) => text::rounded(numbers[only]),
        _ => String::new(),
    };
    let levels: Vec<Vec<usize>> = (0..n_levels).map(members).collect();
    Factor {
        key,
        names: levels.iter().map(|members| name(members)).collect(),
        numbers: Some(levels.iter().map(|members| median(members)).collect()),
        level_of,
        grouping: Grouping::Ranges,
        together: Vec::new(),
    }
}

/// Ascending labels without gaps: `[0, 0, 2, 5]` becomes `[0, 0, 1, 2]`.
fn consecutive(ascending: &[usize]) -> Vec<usize> {
    let distinct: BTreeSet<usize> = ascending.iter().copied().collect();
    let place: BTreeMap<usize, usize> = distinct.into_iter().enumerate().map(|(place, label)| (label, place)).collect();
    ascending.iter().map(|label| place[label]).collect()
}

/// Many values that are no numbers: lists by length, tables by name.
fn grouped(key: usize, varied: &VariedKey) -> Factor {
    let left_out = || Factor {
        key,
        names: Vec::new(),
        numbers: None,
        level_of: vec![0; varied.values.len()],
        grouping: Grouping::LeftOut,
        together: Vec::new(),
    };
    let lengths: Option<Vec<usize>> = varied.values.iter().map(|value| value.as_array().map(Vec::len)).collect();
    if let Some(lengths) = lengths {
        let distinct: BTreeSet<usize> = lengths.iter().copied().collect();
        if distinct.len() > N_VALUES || distinct.len() < 2 {
            return left_out();
        }
        let unit = if varied.key == "hidden" { "layer" } else { "value" };
        return Factor {
            key,
            names: distinct.iter().map(|&length| text::counted(length, unit)).collect(),
            numbers: Some(distinct.iter().map(|&length| length as f64).collect()),
            level_of: lengths.iter().map(|length| distinct.range(..length).count()).collect(),
            grouping: Grouping::Lengths,
            together: Vec::new(),
        };
    }
    let bare = |value: &Value| match value {
        Value::Object(fields) => fields.get("name").map(text::value).unwrap_or_default(),
        other => text::value(other),
    };
    let names: Vec<String> = varied.values.iter().map(|value| text::clean(&bare(value), 60)).collect();
    let distinct: BTreeSet<&String> = names.iter().collect();
    if distinct.len() > N_VALUES || distinct.len() < 2 {
        return left_out();
    }
    Factor {
        key,
        level_of: names.iter().map(|name| distinct.iter().filter(|other| **other < name).count()).collect(),
        names: distinct.into_iter().cloned().collect(),
        numbers: None,
        grouping: Grouping::Names,
        together: Vec::new(),
    }
}
