//! Which settings vary among trials, and how their values are written.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::ending::TrialResult;
use crate::record::RunRecord;
use crate::text;

/// Keys that make no difference between configurations: a seed repeats one, a name only names it.
const NOT_COMPARED: [&str; 2] = ["seed", "name"];

/// The setting by which trials of several folders of results are told apart where they are compared: it stands in front of
/// the keys of their configurations, and is none of them.
pub const FOLDER_KEY: &str = "folder";

/// Where the data of a trial are.
const DATA_KEY: &str = "data";

/// `normal (deviation 0.3, mean 0)` is read at a glance; the four parameters of an Adam are not.
const AT_A_GLANCE: usize = 32;

/// Of SHA-256, as it is written.
const N_DIGITS_OF_HASH: usize = 64;

/// What the number of hidden layers is called.
const HIDDEN_LAYERS: &str = "hidden layers";

/// A key that takes more than one value among the trials.
#[derive(Clone, Debug, PartialEq)]
pub struct VariedKey {
    /// The key in the configuration.
    pub key: String,
    /// Its distinct values, in order; a key that a trial lacks counts as `null`.
    pub values: Vec<Value>,
    /// How each value is written; many parameters only where other values share its name.
    pub names: Vec<String>,
    /// The same, as short as the figures need it: `7 layers` where the number of layers says which.
    pub short_names: Vec<String>,
    /// The values as numbers, where all of them are numbers, lists of one number, or lists of distinct lengths.
    pub numbers: Option<Vec<f64>>,
    /// What stands under the axis: the key, or that its length is counted.
    pub title: String,
}

impl VariedKey {
    /// The value with this index as it is read where nothing else says which setting it is of: `learning_rate 0.01`, `7 layers`.
    ///
    /// # Panics
    ///
    /// If there is no value with this index.
    pub fn named(&self, index: usize) -> String {
        let value = &self.short_names[index];
        if self.title == HIDDEN_LAYERS { value.clone() } else { format!("{} {value}", self.key) }
    }

    /// The same with all that the value says: `hidden 512-256`.
    ///
    /// # Panics
    ///
    /// If there is no value with this index.
    pub fn named_in_full(&self, index: usize) -> String {
        format!("{} {}", self.key, self.names[index])
    }
}

/// The keys with more than one value among `trials`, by name.
pub(crate) fn varied_keys(trials: &[TrialResult]) -> Vec<VariedKey> {
    let keys: BTreeSet<&String> = trials.iter().flat_map(|trial| trial.record.config.keys()).collect();
    let (folder, keys): (Vec<&String>, Vec<&String>) = keys.into_iter().partition(|key| *key == FOLDER_KEY);
    folder
        .into_iter()
        .chain(keys)
        .filter(|key| !NOT_COMPARED.contains(&key.as_str()))
        .filter_map(|key| {
            let spelling = Spelling::of(trials, key);
            let first = spelling.value(&trials.first()?.record);
            trials
                .iter()
                .any(|trial| spelling.value(&trial.record) != first)
                .then(|| varied_key(trials, key, &spelling))
        })
        .collect()
}

fn varied_key(trials: &[TrialResult], key: &str, spelling: &Spelling<'_>) -> VariedKey {
    let distinct: BTreeMap<String, &Value> =
        trials.iter().map(|trial| spelling.value(&trial.record)).map(|value| (value.to_string(), value)).collect();
    let mut values: Vec<Value> = distinct.into_values().cloned().collect();
    values.sort_by(by_value);
    let (numbers, title) = numbers(key, &values);
    let names: Vec<String> = values.iter().map(name).collect();
    let names = short_names(&values, &names);
    let short_names = match &numbers {
        Some(lengths) if title == HIDDEN_LAYERS => {
            lengths.iter().map(|&n| text::counted(n as usize, "layer")).collect()
        }
        _ => names.clone(),
    };
    VariedKey { key: key.to_owned(), names, short_names, values, numbers, title }
}

/// How a value is written in the name of a configuration: numbers with more digits than anybody types, which were drawn,
/// with four of them, and hashes with the first of theirs. The table of all trials and `results.csv` have them in full.
fn name(value: &Value) -> String {
    let full = text::value(value);
    if full.len() == N_DIGITS_OF_HASH && full.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return text::trial(&full);
    }
    match value.as_f64() {
        Some(number) if full.chars().count() > 9 && value.is_f64() => text::rounded_to(number, 4),
        _ => full,
    }
}

/// The names of values; one with more parameters than are read at a glance goes without them if no other value has its name.
fn short_names(values: &[Value], names: &[String]) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for bare in values.iter().filter_map(bare_name) {
        *counts.entry(bare).or_default() += 1;
    }
    let short = |(value, name): (&Value, &String)| match bare_name(value) {
        Some(bare) if counts.get(bare) == Some(&1) && name.chars().count() > AT_A_GLANCE => bare.to_owned(),
        _ => name.clone(),
    };
    values.iter().zip(names).map(short).collect()
}

/// What a value is called apart from its parameters: the `name` of a table, or a text itself.
fn bare_name(value: &Value) -> Option<&str> {
    match value {
        Value::Object(fields) => fields.get("name").and_then(Value::as_str),
        other => other.as_str(),
    }
}

/// Numbers for an axis: the values themselves, the only members of lists, or the lengths of lists where no two are equal.
fn numbers(key: &str, values: &[Value]) -> (Option<Vec<f64>>, String) {
    if let Some(numbers) = values.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>() {
        return (Some(numbers), key.to_owned());
    }
    let only = |value: &Value| value.as_array().filter(|list| list.len() == 1).and_then(|list| list[0].as_f64());
    if let Some(numbers) = values.iter().map(only).collect::<Option<Vec<f64>>>() {
        let title = if key == "hidden" { "hidden units".to_owned() } else { key.to_owned() };
        return (Some(numbers), title);
    }
    let lengths: Option<Vec<usize>> = values.iter().map(|value| value.as_array().map(Vec::len)).collect();
    match lengths {
        Some(lengths) if lengths.iter().collect::<BTreeSet<_>>().len() == lengths.len() => {
            let title = if key == "hidden" { HIDDEN_LAYERS.to_owned() } else { format!("{key}: length of the list") };
            (Some(lengths.into_iter().map(|length| length as f64).collect()), title)
        }
        _ => (None, key.to_owned()),
    }
}

fn by_value(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a.as_f64().unwrap_or(f64::NAN).total_cmp(&b.as_f64().unwrap_or(f64::NAN))
        }
        (Value::Array(a), Value::Array(b)) => a.len().cmp(&b.len()).then_with(|| {
            let different = a.iter().zip(b).map(|(a, b)| by_value(a, b)).find(|order| order.is_ne());
            different.unwrap_or(Ordering::Equal)
        }),
        _ => a.to_string().cmp(&b.to_string()),
    }
}

/// How the values of a key are spelt where trials are compared. The key `data` is a name or a path, and the same data lie under
/// several: of those with one hash, the first spelling stands for all.
pub(crate) struct Spelling<'a> {
    key: &'a str,
    /// For each hash of data the first spelling; empty for other keys.
    of_data: BTreeMap<&'a str, &'a Value>,
}

impl<'a> Spelling<'a> {
    pub(crate) fn of(trials: &'a [TrialResult], key: &'a str) -> Self {
        let mut of_data: BTreeMap<&str, &Value> = BTreeMap::new();
        if key == DATA_KEY {
            for TrialResult { record, .. } in trials.iter().filter(|trial| !trial.record.data.sha256.is_empty()) {
                of_data.entry(&record.data.sha256).or_insert_with(|| config_value(record, key));
            }
        }
        Spelling { key, of_data }
    }

    pub(crate) fn value(&self, record: &'a RunRecord) -> &'a Value {
        let own = || config_value(record, self.key);
        self.of_data.get(record.data.sha256.as_str()).copied().unwrap_or_else(own)
    }
}

/// The value of a key; null where the record lacks it.
pub(crate) fn config_value<'a>(record: &'a RunRecord, key: &str) -> &'a Value {
    record.setting(key).unwrap_or(&Value::Null)
}
