//! From a document to a specification: every key, value and list is checked by itself.

use mlp_train::ValidationMetric;
use serde_json::Value;

use super::document::{Document, Setting};
use super::search::{Halving, RandomSearch, SEARCH_KEYS, SweepAxis, ValueRange, Values};
use super::settings::{RunSettings, range_of, toml_text};
use super::{INITIAL_KEY, MAX_TRIALS, SweepSpec, n_seeds};
use crate::error::{Error, Result};

impl Document {
    /// Checks every key, value and list by itself.
    ///
    /// # Errors
    ///
    /// At the first key or value at fault, with its place.
    pub fn check(&self) -> Result<SweepSpec> {
        let mut base = RunSettings::default();
        let initial = self.settings.iter().rfind(|setting| setting.key == INITIAL_KEY);
        for setting in self.settings.iter().filter(|setting| setting.key != INITIAL_KEY) {
            let remedy = format!("write it under [sweep], with {DRAWS}");
            refuse_range(setting, &setting.value, "", "one value", &remedy)?;
            refuse_list(&base, setting)?;
            apply(&mut base, setting, &setting.value, "")?;
        }
        let random = self.check_random()?;
        let mut axes = Vec::new();
        for axis in self.axes.iter().filter(|axis| !SEARCH_KEYS.contains(&axis.key.as_str())) {
            axes.push(check_axis(&base, axis, random.is_some())?);
        }
        check_size(&axes, random)?;
        let halving = self.check_halving(&base, &axes)?;
        let initial = initial.map(|setting| setting.value.clone());
        Ok(SweepSpec { base, axes, random, halving, initial, document: self.clone() })
    }

    /// What `[sweep]` says under a key that is no key of a run.
    fn search_key(&self, key: &str) -> Option<&Setting> {
        self.axes.iter().rfind(|setting| setting.key == key)
    }

    /// `mode`, `trials` and `draw_seed`.
    fn check_random(&self) -> Result<Option<RandomSearch>> {
        let wrong = |setting: &Setting, expected: &str| {
            let found = toml_text(&setting.value);
            Err(setting.place.error(&format!("{}: expected {expected}, found {found}", setting.key)))
        };
        let is_random = match self.search_key("mode") {
            None => false,
            Some(mode) => match mode.value.as_str() {
                Some("grid") => false,
                Some("random") => true,
                _ => return wrong(mode, "\"grid\" or \"random\""),
            },
        };
        if !is_random {
            let stray = ["trials", "draw_seed"].into_iter().find_map(|key| self.search_key(key));
            return match stray {
                Some(stray) => wrong(stray, "mode = \"random\" under [sweep] where this is set"),
                None => Ok(None),
            };
        }
        let Some(trials) = self.search_key("trials") else {
            return Err(Error::specification(
                "[sweep]: expected trials, the number of combinations to draw, with mode = \"random\", found none; \
                 add such as trials = 50",
            ));
        };
        let n_combinations = match trials.value.as_u64() {
            Some(number) if (1..=MAX_TRIALS as u64).contains(&number) => number as usize,
            _ => return wrong(trials, &format!("an integer from 1 to {MAX_TRIALS}")),
        };
        let seed = match self.search_key("draw_seed") {
            None => 0,
            Some(seed) => match seed.value.as_u64() {
                Some(seed) => seed,
                None => return wrong(seed, "an integer of at least 0"),
            },
        };
        Ok(Some(RandomSearch { n_combinations, seed }))
    }

    fn check_halving(&self, base: &RunSettings, axes: &[SweepAxis]) -> Result<Option<Halving>> {
        let Some(setting) = self.search_key("halving") else { return Ok(None) };
        let wrong = |message: String| Err(setting.place.error(&format!("halving: {message}")));
        let default = serde_json::Map::new();
        let table = match &setting.value {
            Value::Bool(false) => return Ok(None),
            Value::Bool(true) => &default,
            Value::Object(table) => table,
            other => return wrong(format!("expected true, false or a table, found {}", toml_text(other))),
        };
        let keys = ["metric", "first", "factor"];
        if let Some(key) = table.keys().find(|key| !keys.contains(&key.as_str())) {
            return wrong(format!("expected the keys {}, found {key}", keys.join(", ")));
        }
        let metric = match table.get("metric") {
            None => ValidationMetric::Loss,
            Some(name) => match name.as_str().and_then(ValidationMetric::from_name) {
                Some(metric) => metric,
                None => {
                    let names: Vec<_> = ValidationMetric::ALL.iter().map(|metric| metric.name()).collect();
                    return wrong(format!("metric: expected one of {}, found {}", names.join(", "), toml_text(name)));
                }
            },
        };
        let count = |key: &str, default: usize, least: u64| match table.get(key) {
            None => Ok(default),
            Some(value) => match value.as_u64().filter(|count| (least..=1 << 20).contains(count)) {
                Some(count) => Ok(count as usize),
                None => Err(setting.place.error(&format!(
                    "halving: {key}: expected an integer of at least {least}, found {}",
                    toml_text(value)
                ))),
            },
        };
        let halving = Halving { metric, first: count("first", 1, 1)?, factor: count("factor", 3, 2)? };
        let varies = |key: &str| axes.iter().any(|axis| axis.key == key);
        if varies("epochs") {
            return wrong("expected one number of epochs for all trials, found it under [sweep]".to_owned());
        }
        if base.train.validation == 0 && !varies("validation") {
            // A sixth of what there is to learn from, where that is known.
            let validation = base.train_size.map_or(5_000, |train_size| (train_size / 6).max(1));
            return wrong(format!(
                "expected samples to compare trials by, found validation = 0; set such as validation = {validation}"
            ));
        }
        if halving.first >= base.train.epochs {
            return wrong(format!(
                "first: expected fewer than the {} epochs, found {}",
                base.train.epochs, halving.first
            ));
        }
        Ok(Some(halving))
    }
}

pub(super) fn apply(base: &mut RunSettings, setting: &Setting, value: &Value, within: &str) -> Result<()> {
    base.set(&setting.key, value).map_err(|error| setting.error(&error, within))
}

/// Checks a range of `[sweep]`: `{ from = 1e-4, to = 1, scale = "log" }`.
fn check_range(base: &RunSettings, axis: &Setting, table: &serde_json::Map<String, Value>) -> Result<SweepAxis> {
    let key = &axis.key;
    let wrong = |message: String| Err(axis.place.error(&format!("{key}: {message}")));
    if let Some(other) = table.keys().find(|name| !["from", "to", "scale"].contains(&name.as_str())) {
        return wrong(format!("expected the keys from, to and scale of a range, found {other}"));
    }
    let (Some(from), Some(to)) = (table.get("from"), table.get("to")) else {
        return wrong(format!(
            "expected a range such as {{ from = 1e-4, to = 1.0 }}, found {}",
            toml_text(&axis.value)
        ));
    };
    let is_log = match table.get("scale").map(Value::as_str) {
        None | Some(Some("linear")) => false,
        Some(Some("log")) => true,
        Some(_) => return wrong("scale: expected \"linear\" or \"log\"".to_owned()),
    };
    for (name, end) in [("from", from), ("to", to)] {
        let path = format!(".{name}");
        let mut trial = base.clone();
        apply(&mut trial, axis, end, &path)?;
        // What is drawn between ends that are not both whole is not whole, and this key takes nothing else.
        let typed = trial.get(key).unwrap_or(Value::Null);
        if typed.is_u64() && !end.is_u64() {
            let (found, typed) = (toml_text(end), toml_text(&typed));
            let message = format!("{key}.{name}: expected a whole number, found {found}; write {name} = {typed}");
            return Err(axis.place_of(&path).error(&message));
        }
    }
    match (from.as_f64(), to.as_f64()) {
        (Some(low), Some(high)) if low < high && (low > 0.0 || !is_log) => {}
        _ => {
            let least = if is_log { "positive numbers" } else { "numbers" };
            let found = format!("{} and {}", toml_text(from), toml_text(to));
            return wrong(format!("expected {least} with from below to, found {found}"));
        }
    }
    let range = ValueRange { from: from.clone(), to: to.clone(), is_log };
    Ok(SweepAxis { key: key.clone(), values: Values::Range(range) })
}

/// What ranges need.
const DRAWS: &str = "mode = \"random\" and trials = 50";

/// The error of a range where something else is expected, if `value` is one.
fn refuse_range(setting: &Setting, value: &Value, path: &str, expected: &str, remedy: &str) -> Result<()> {
    let key = &setting.key;
    let is_range = |table: &serde_json::Map<String, Value>| table.contains_key("from") || table.contains_key("to");
    if range_of(key).is_none() || !value.as_object().is_some_and(is_range) {
        return Ok(());
    }
    let message = format!("{key}{path}: expected {expected}, found a range to draw from; {remedy}");
    Err(setting.place_of(path).error(&message))
}

/// The error of a list outside of `[sweep]` where the key takes none, but each of its values.
fn refuse_list(base: &RunSettings, setting: &Setting) -> Result<()> {
    let Value::Array(items) = &setting.value else { return Ok(()) };
    let Err(error) = base.clone().set(&setting.key, &setting.value) else { return Ok(()) };
    let takes = |item: &Value| base.clone().set(&setting.key, item).is_ok();
    if items.is_empty() || !items.iter().all(takes) {
        return Ok(());
    }
    let key = &setting.key;
    let list = toml_text(&setting.value);
    let message =
        format!("{error}; a list of values to try goes under [sweep] of a sweep, or into --set 'sweep.{key}={list}'");
    Err(setting.place.error(&message))
}

/// Checks a list of `[sweep]`, or a range where values are drawn, and types its values as the configuration does.
fn check_axis(base: &RunSettings, axis: &Setting, is_random: bool) -> Result<SweepAxis> {
    let key = &axis.key;
    if matches!(key.as_str(), "name" | "data") {
        return Err(axis
            .place
            .error(&format!("{key}: expected one value for the whole sweep, found it under [sweep]")));
    }
    if let (true, Value::Object(table)) = (is_random && range_of(key).is_some(), &axis.value) {
        return check_range(base, axis, table);
    }
    let remedy = format!("add {DRAWS} under [sweep], or write a list such as {key} = [{}]", ends(&axis.value));
    refuse_range(axis, &axis.value, "", "a list of values to try in a grid", &remedy)?;
    let Value::Array(items) = &axis.value else {
        // An unknown key is the more useful complaint, if it is one.
        apply(&mut base.clone(), axis, &axis.value, "")?;
        return Err(axis
            .place
            .error(&format!("{key}: expected a list of values to try, found a single value; write [ ] around it")));
    };
    if items.is_empty() {
        return Err(axis
            .place
            .error(&format!("{key}: expected at least one value to try, found an empty list, which leaves no trial")));
    }
    if items.len() > MAX_TRIALS {
        return Err(axis.place.error(&format!("{key}: expected at most {MAX_TRIALS} values, found {}", items.len())));
    }
    let mut values: Vec<Value> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let path = format!("[{index}]");
        let remedy = format!("write it without [ ] around it, with {DRAWS} under [sweep]");
        refuse_range(axis, item, &path, "a value", &remedy)?;
        let mut trial = base.clone();
        apply(&mut trial, axis, item, &path)?;
        let typed = trial.get(key).unwrap_or(Value::Null);
        if values.contains(&typed) {
            return Err(axis
                .place
                .error(&format!("{key}: expected each value once, found {} twice", toml_text(&typed))));
        }
        values.push(typed);
    }
    Ok(SweepAxis { key: key.clone(), values: Values::List(values) })
}

/// The ends of a range as the items of a list.
fn ends(range: &Value) -> String {
    let ends: Vec<String> = ["from", "to"].iter().filter_map(|end| range.get(end)).map(toml_text).collect();
    ends.join(", ")
}

fn check_size(axes: &[SweepAxis], random: Option<RandomSearch>) -> Result<()> {
    let n_trials = match random {
        Some(random) => random.n_combinations.checked_mul(n_seeds(axes)),
        None => axes.iter().try_fold(1_usize, |product, axis| product.checked_mul(axis.n_values())),
    };
    if n_trials.is_some_and(|n_trials| n_trials <= MAX_TRIALS) {
        return Ok(());
    }
    if let Some(random) = random {
        return Err(Error::specification(format!(
            "[sweep]: expected at most {MAX_TRIALS} trials, found {} draws with {} seeds each; take fewer",
            random.n_combinations,
            n_seeds(axes)
        )));
    }
    let factors: Vec<String> = axes.iter().map(|axis| format!("{} of {}", axis.n_values(), axis.key)).collect();
    Err(Error::specification(format!(
        "[sweep]: expected at most {MAX_TRIALS} trials, found the product of {}; take fewer values, or split the sweep",
        factors.join(", ")
    )))
}
