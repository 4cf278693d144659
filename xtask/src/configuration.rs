//! Configuration files and `--set`: TOML with the place of every value, so that an error can point at it.
//!
//! A file holds the keys of a run and, for a sweep, lists of values under `[sweep]`. What a key means and which values
//! it takes is the business of [`TrainConfig`]; here are the file, its positions, and the keys that belong to the
//! program.

mod search;
mod settings;
mod source;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use mlp_train::{Error, TrainConfig, ValidationMetric};
use serde_json::{Value, json};
use toml::de::{DeTable, DeValue};

use self::search::SEARCH_KEYS;
pub(crate) use self::search::{Axis, Halving, Random, Range as ValueRange, Values};
use self::settings::{PROGRAM_KEYS, range_of};
pub(crate) use self::settings::{RunSettings, describe_keys, is_safe_name, nearest, toml_text};
use self::source::{Place, Source, read_text};
use crate::failure::Failure;

/// More trials than this are a slip of the keyboard.
pub(crate) const MAX_CELLS: usize = 100_000;

/// A key with its value, and where both were written.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) key: String,
    pub(crate) value: Value,
    key_place: Place,
    place: Place,
    /// The places of the values inside the value, by their path: `[1]`, `.momentum`.
    parts: Vec<(String, Range<usize>)>,
}

impl Setting {
    /// The failure of `error`, at the key if that is unknown, and else at the innermost value that it speaks of.
    ///
    /// `within` is the path of the value that was at fault: empty, or `[2]` for an item of a `[sweep]` list.
    fn failure(&self, error: &Error, within: &str) -> Failure {
        if range_of(&self.key).is_none() {
            return self.key_place.failure(&error.to_string());
        }
        let path = format!("{within}{}", error.key().and_then(|key| key.strip_prefix(&self.key)).unwrap_or_default());
        let inner =
            self.parts.iter().filter(|(part, _)| path.starts_with(part.as_str())).max_by_key(|(part, _)| part.len());
        let place = inner.map_or_else(|| self.place.clone(), |(_, span)| self.place.at(span));
        place.failure(&error.to_string())
    }
}

/// A configuration as written: settings in the order of the file, then those of `--set`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Document {
    settings: Vec<Setting>,
    axes: Vec<Setting>,
}

/// A checked configuration: one run, and the axes along which a sweep varies it.
#[derive(Clone, Debug)]
pub(crate) struct SweepSpec {
    /// What all trials share.
    pub(crate) base: RunSettings,
    /// What varies, the slowest first.
    pub(crate) axes: Vec<Axis>,
    /// Draws instead of a grid.
    pub(crate) random: Option<Random>,
    /// Whether bad trials are stopped early.
    pub(crate) halving: Option<Halving>,
    settings: Vec<Setting>,
}

impl Document {
    /// Reads a file of the current folder.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        Document::parse(&read_text(path)?, &name)
    }

    /// Parses `text`, which messages call `source`.
    pub(crate) fn parse(text: &str, source: &str) -> Result<Self, Failure> {
        let source = Arc::new(Source { name: source.to_owned(), text: text.to_owned() });
        let place = |span: Range<usize>| Place::File { source: Arc::clone(&source), span };
        let table = DeTable::parse(text).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            place(span).failure(error.message().trim())
        })?;
        let mut document = Document::default();
        document.fill(table.get_ref(), &place)?;
        Ok(document)
    }

    /// Adds `key=value` of `--set`, which wins over what is there; `sweep.key=[…]` is a list of `[sweep]`.
    pub(crate) fn override_with(&mut self, argument: &str) -> Result<(), Failure> {
        let place = Place::Argument(argument.to_owned());
        let Some((key, value)) = argument.split_once('=') else {
            return Err(place.failure("expected key=value, found no '='"));
        };
        let (key, value) = (key.trim(), value.trim());
        let is_key = |character: char| character.is_ascii_alphanumeric() || "_-.".contains(character);
        if key.is_empty() || !key.chars().all(is_key) {
            return Err(place.failure("expected a key before the '='"));
        }
        let value = argument_value(value).map_err(|reason| place.failure(&reason))?;
        let (key, is_axis) = match key.strip_prefix("sweep.") {
            Some(axis) => (axis, true),
            None => (key, false),
        };
        let key_place = place.clone();
        let setting = Setting { key: key.to_owned(), value, key_place, place, parts: Vec::new() };
        // A fixed value takes the key out of the grid.
        self.axes.retain(|axis| axis.key != key);
        if is_axis {
            self.axes.push(setting);
        } else {
            self.settings.retain(|setting| setting.key != key);
            self.settings.push(setting);
        }
        Ok(())
    }

    /// Takes `key` out, with its value: the last one, as elsewhere.
    pub(crate) fn take(&mut self, key: &str) -> Option<Value> {
        let index = self.settings.iter().rposition(|setting| setting.key == key)?;
        Some(self.settings.remove(index).value)
    }

    /// Checks every key, value and list by itself.
    pub(crate) fn check(&self) -> Result<SweepSpec, Failure> {
        let mut base = RunSettings::default();
        for setting in &self.settings {
            apply(&mut base, setting, &setting.value, "")?;
        }
        let random = self.check_random()?;
        let mut axes = Vec::new();
        for axis in self.axes.iter().filter(|axis| !SEARCH_KEYS.contains(&axis.key.as_str())) {
            axes.push(check_axis(&base, axis, random.is_some())?);
        }
        check_size(&axes, random)?;
        let halving = self.check_halving(&base, &axes)?;
        let settings = self.settings.iter().chain(&self.axes).cloned().collect();
        Ok(SweepSpec { base, axes, random, halving, settings })
    }

    /// What `[sweep]` says under a key that is no key of a run.
    fn search_key(&self, key: &str) -> Option<&Setting> {
        self.axes.iter().rfind(|setting| setting.key == key)
    }

    /// `mode`, `trials` and `draw_seed`.
    fn check_random(&self) -> Result<Option<Random>, Failure> {
        let wrong = |setting: &Setting, expected: &str| {
            let found = toml_text(&setting.value);
            Err(setting.place.failure(&format!("{}: expected {expected}, found {found}", setting.key)))
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
            return Err(Failure::configuration(
                "[sweep]: expected trials, the number of combinations to draw, with mode = \"random\", found none; \
                 add such as trials = 50",
            ));
        };
        let n_trials = match trials.value.as_u64() {
            Some(n_trials) if (1..=MAX_CELLS as u64).contains(&n_trials) => n_trials as usize,
            _ => return wrong(trials, &format!("an integer from 1 to {MAX_CELLS}")),
        };
        let seed = match self.search_key("draw_seed") {
            None => 0,
            Some(seed) => match seed.value.as_u64() {
                Some(seed) => seed,
                None => return wrong(seed, "an integer of at least 0"),
            },
        };
        Ok(Some(Random { n_trials, seed }))
    }

    fn check_halving(&self, base: &RunSettings, axes: &[Axis]) -> Result<Option<Halving>, Failure> {
        let Some(setting) = self.search_key("halving") else { return Ok(None) };
        let wrong = |message: String| Err(setting.place.failure(&format!("halving: {message}")));
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
                None => Err(setting.place.failure(&format!(
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
            return wrong(
                "expected samples to compare trials by, found validation = 0; set such as validation = 5000".to_owned(),
            );
        }
        if halving.first >= base.train.epochs {
            return wrong(format!(
                "first: expected fewer than the {} epochs, found {}",
                base.train.epochs, halving.first
            ));
        }
        Ok(Some(halving))
    }

    fn fill(&mut self, table: &DeTable<'_>, place: &dyn Fn(Range<usize>) -> Place) -> Result<(), Failure> {
        for (key, value) in in_file_order(table) {
            if key.get_ref() != "sweep" {
                self.settings.push(setting(key, value, place)?);
                continue;
            }
            let DeValue::Table(axes) = value.get_ref() else {
                return Err(place(value.span()).failure("[sweep]: expected a table of lists, such as seed = [0, 1, 2]"));
            };
            for (key, value) in in_file_order(axes) {
                self.axes.push(setting(key, value, place)?);
            }
        }
        Ok(())
    }
}

impl SweepSpec {
    /// The failure of `error`, at the place of its key where it was set.
    pub(crate) fn failure(&self, error: &Error) -> Failure {
        let key = error.key().unwrap_or_default().split(['.', '[']).next().unwrap_or_default();
        match self.settings.iter().rfind(|setting| setting.key == key) {
            Some(setting) => setting.failure(error, ""),
            None => Failure::configuration(format!("{error} ({key} has its default here; set it)")),
        }
    }

    /// The number of trials.
    pub(crate) fn n_cells(&self) -> usize {
        match self.random {
            Some(random) => random.n_trials * n_seeds(&self.axes),
            None => self.axes.iter().map(Axis::n_values).product(),
        }
    }

    /// Every cell of the grid, the last axis varying fastest; one cell if there are no axes.
    pub(crate) fn cells(&self) -> Result<Vec<RunSettings>, Failure> {
        let Some(random) = self.random else {
            return self.axes.iter().try_fold(vec![self.base.clone()], |cells, axis| self.crossed(&cells, axis));
        };
        let mut cells = self.draws(random)?;
        for axis in self.axes.iter().filter(|axis| is_crossed(axis)) {
            cells = self.crossed(&cells, axis)?;
        }
        Ok(cells)
    }

    /// Each of `cells` with each value of the list of `axis`.
    fn crossed(&self, cells: &[RunSettings], axis: &Axis) -> Result<Vec<RunSettings>, Failure> {
        let Values::List(values) = &axis.values else { return Ok(cells.to_vec()) };
        let mut wider = Vec::with_capacity(cells.len() * values.len());
        for cell in cells {
            for value in values {
                let mut next = cell.clone();
                next.set(&axis.key, value).map_err(|error| self.failure(&error))?;
                wider.push(next);
            }
        }
        Ok(wider)
    }

    /// Different combinations drawn from all axes but the seeds. More of them begin with the same ones.
    fn draws(&self, random: Random) -> Result<Vec<RunSettings>, Failure> {
        let axes: Vec<&Axis> = self.axes.iter().filter(|axis| !is_crossed(axis)).collect();
        let mut seen = HashSet::new();
        let mut cells = Vec::with_capacity(random.n_trials);
        for number in 0..100 + 100 * random.n_trials as u64 {
            let mut cell = self.base.clone();
            for axis in &axes {
                cell.set(&axis.key, &axis.draw(random.seed, number)).map_err(|error| self.failure(&error))?;
            }
            let values: Vec<_> = axes.iter().map(|axis| cell.get(&axis.key)).collect();
            if seen.insert(format!("{values:?}")) {
                cells.push(cell);
            }
            if cells.len() == random.n_trials {
                return Ok(cells);
            }
        }
        Err(Failure::configuration(format!(
            "[sweep]: expected {} different combinations to draw, found {}; take fewer trials or wider ranges",
            random.n_trials,
            cells.len()
        )))
    }

    /// The whole specification as a file that gives it again, with every default written out.
    pub(crate) fn to_toml(&self) -> String {
        let mut text = String::new();
        let names = PROGRAM_KEYS.iter().map(|key| key.name);
        for key in names.chain(TrainConfig::KEYS.iter().map(|key| key.name)) {
            if let Some(value) = self.base.get(key) {
                let _ = writeln!(text, "{key} = {}", toml_text(&value));
            }
        }
        if !self.axes.is_empty() || self.random.is_some() || self.halving.is_some() {
            text.push_str("\n[sweep]\n");
        }
        text.push_str(&self.random.map(Random::to_toml).unwrap_or_default());
        if let Some(halving) = self.halving {
            let _ = writeln!(text, "halving = {}", toml_text(&halving.to_value()));
        }
        for axis in &self.axes {
            let _ = writeln!(text, "{} = {}", axis.key, toml_text(&axis.to_value()));
        }
        text
    }
}

type Entry<'a, 'i> = (&'a toml::Spanned<toml::de::DeString<'i>>, &'a toml::Spanned<DeValue<'i>>);

fn in_file_order<'a, 'i>(table: &'a DeTable<'i>) -> Vec<Entry<'a, 'i>> {
    let mut entries: Vec<Entry<'a, 'i>> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

fn setting(
    key: &toml::Spanned<toml::de::DeString<'_>>,
    value: &toml::Spanned<DeValue<'_>>,
    place: &dyn Fn(Range<usize>) -> Place,
) -> Result<Setting, Failure> {
    let (key, key_span) = (key.get_ref(), key.span());
    let json = json_value(value.get_ref()).map_err(|found| {
        let expected = range_of(key).unwrap_or("a string, a finite number, true, false, a list or a table");
        place(value.span()).failure(&format!("{key}: expected {expected}, found {found}"))
    })?;
    let mut parts = Vec::new();
    locate_parts(value.get_ref(), "", &mut parts);
    Ok(Setting { key: key.to_string(), value: json, key_place: place(key_span), place: place(value.span()), parts })
}

/// Collects the places of all values inside `value`, whose own path is `path`.
fn locate_parts(value: &DeValue<'_>, path: &str, parts: &mut Vec<(String, Range<usize>)>) {
    let mut add = |path: String, inner: &toml::Spanned<DeValue<'_>>| {
        locate_parts(inner.get_ref(), &path, parts);
        parts.push((path, inner.span()));
    };
    match value {
        DeValue::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| add(format!("{path}[{index}]"), item));
        }
        DeValue::Table(table) => {
            table.iter().for_each(|(key, inner)| add(format!("{path}.{}", key.get_ref()), inner));
        }
        _ => {}
    }
}

/// TOML as JSON, the common tongue of configurations and records; what JSON cannot say is returned as text.
fn json_value(value: &DeValue<'_>) -> Result<Value, String> {
    match value {
        DeValue::String(text) => Ok(json!(text.as_ref())),
        DeValue::Boolean(truth) => Ok(json!(truth)),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .map(|integer| json!(integer))
            .map_err(|_| format!("{integer}, which does not fit into 64 bits")),
        DeValue::Float(float) => match float.as_str().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(json!(number)),
            _ => Err(float.as_str().to_owned()),
        },
        DeValue::Datetime(date) => Err(format!("the date {date}")),
        DeValue::Array(items) => items.iter().map(|item| json_value(item.get_ref())).collect(),
        DeValue::Table(table) => in_file_order(table)
            .into_iter()
            .map(|(key, value)| Ok((key.get_ref().to_string(), json_value(value.get_ref())?)))
            .collect(),
    }
}

/// What follows the '=' of `--set`: TOML, or a bare word.
fn argument_value(text: &str) -> Result<Value, String> {
    let is_word_character = |character: char| character.is_alphanumeric() || "-_./~".contains(character);
    let document = format!("value = {text}");
    let parsed = DeTable::parse(&document).ok().filter(|table| table.get_ref().len() == 1);
    match parsed.as_ref().and_then(|table| table.get_ref().get("value")) {
        Some(value) => json_value(value.get_ref()).map_err(|found| format!("expected a finite value, found {found}")),
        None if !text.is_empty() && text.chars().all(is_word_character) => Ok(json!(text)),
        None if text.contains(',') && !text.contains(['[', '{', '"', '\'']) => {
            Err(format!("expected a TOML value or a bare word after the '='; a list is written '[{text}]'"))
        }
        None => Err("expected a TOML value or a bare word after the '='; put texts in quotes".to_owned()),
    }
}

fn apply(base: &mut RunSettings, setting: &Setting, value: &Value, within: &str) -> Result<(), Failure> {
    base.set(&setting.key, value).map_err(|error| setting.failure(&error, within))
}

/// Whether every draw is run with each value of the axis: so it is with seeds, which repeat a trial.
fn is_crossed(axis: &Axis) -> bool {
    axis.key == "seed" && matches!(axis.values, Values::List(_))
}

fn n_seeds(axes: &[Axis]) -> usize {
    axes.iter().filter(|axis| is_crossed(axis)).map(Axis::n_values).product()
}

/// Checks a range of `[sweep]`: `{ from = 1e-4, to = 1, scale = "log" }`.
fn check_range(base: &RunSettings, axis: &Setting, table: &serde_json::Map<String, Value>) -> Result<Axis, Failure> {
    let key = &axis.key;
    let wrong = |message: String| Err(axis.place.failure(&format!("{key}: {message}")));
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
        apply(&mut base.clone(), axis, end, &format!(".{name}"))?;
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
    Ok(Axis { key: key.clone(), values: Values::Range(range) })
}

/// Checks a list of `[sweep]`, or a range where values are drawn, and types its values as the configuration does.
fn check_axis(base: &RunSettings, axis: &Setting, is_random: bool) -> Result<Axis, Failure> {
    let key = &axis.key;
    if matches!(key.as_str(), "name" | "data") {
        return Err(axis
            .place
            .failure(&format!("{key}: expected one value for the whole sweep, found it under [sweep]")));
    }
    if let (true, Value::Object(table)) = (is_random && range_of(key).is_some(), &axis.value) {
        return check_range(base, axis, table);
    }
    let Value::Array(items) = &axis.value else {
        // An unknown key is the more useful complaint, if it is one.
        apply(&mut base.clone(), axis, &axis.value, "")?;
        return Err(axis
            .place
            .failure(&format!("{key}: expected a list of values to try, found a single value; write [ ] around it")));
    };
    if items.is_empty() {
        return Err(axis.place.failure(&format!(
            "{key}: expected at least one value to try, found an empty list, which leaves no trial"
        )));
    }
    if items.len() > MAX_CELLS {
        return Err(axis.place.failure(&format!("{key}: expected at most {MAX_CELLS} values, found {}", items.len())));
    }
    let mut values: Vec<Value> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let mut trial = base.clone();
        apply(&mut trial, axis, item, &format!("[{index}]"))?;
        let typed = trial.get(key).unwrap_or(Value::Null);
        if values.contains(&typed) {
            return Err(axis
                .place
                .failure(&format!("{key}: expected each value once, found {} twice", toml_text(&typed))));
        }
        values.push(typed);
    }
    Ok(Axis { key: key.clone(), values: Values::List(values) })
}

fn check_size(axes: &[Axis], random: Option<Random>) -> Result<(), Failure> {
    let n_cells = match random {
        Some(random) => random.n_trials.checked_mul(n_seeds(axes)),
        None => axes.iter().try_fold(1_usize, |product, axis| product.checked_mul(axis.n_values())),
    };
    if n_cells.is_some_and(|n_cells| n_cells <= MAX_CELLS) {
        return Ok(());
    }
    if let Some(random) = random {
        return Err(Failure::configuration(format!(
            "[sweep]: expected at most {MAX_CELLS} trials, found {} draws with {} seeds each; take fewer",
            random.n_trials,
            n_seeds(axes)
        )));
    }
    let factors: Vec<String> = axes.iter().map(|axis| format!("{} of {}", axis.n_values(), axis.key)).collect();
    Err(Failure::configuration(format!(
        "[sweep]: expected at most {MAX_CELLS} trials, found the product of {}; take fewer values, or split the sweep",
        factors.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "name = \"größe-1\" # ✓\nhidden = [8, 4]\noptimizer = { name = \"momentum\", momentum = 0.9 }\n\
                          [sweep]\nseed = [0, 1]\nschedule = [\"constant\", { name = \"cosine\", warmup = 1 }]\n";

    #[test]
    fn a_specification_written_out_gives_the_same_cells() {
        let first = Document::parse(SAMPLE, "sample").and_then(|document| document.check()).expect("a valid sample");
        let text = first.to_toml();
        let second = Document::parse(&text, "again").and_then(|document| document.check()).expect("its own output");
        assert_eq!(first.cells().expect("cells"), second.cells().expect("cells"));
        assert_eq!(first.n_cells(), 4);
        assert_eq!(second.to_toml(), text);
    }

    #[test]
    fn no_truncation_and_no_changed_byte_of_a_configuration_panics() {
        for end in (0..SAMPLE.len()).filter(|end| SAMPLE.is_char_boundary(*end)) {
            let _ = Document::parse(&SAMPLE[..end], "cut").and_then(|document| document.check());
        }
        for index in 0..SAMPLE.len() {
            for byte in [0, b'\n', b'"', b'[', b']', b'{', b'=', b'9', b'.', b'-', b'#', 0x80, 0xc3, 0xff] {
                let mut bytes = SAMPLE.as_bytes().to_vec();
                bytes[index] = byte;
                let text = String::from_utf8_lossy(&bytes);
                let _ = Document::parse(&text, "changed").and_then(|document| document.check());
            }
        }
    }

    #[test]
    fn the_innermost_value_at_fault_is_marked() {
        let error =
            Document::parse("[sweep]\nhidden = [[8], [4, 0]]\n", "my.toml").and_then(|document| document.check());
        let message = error.expect_err("a layer without units").message;
        assert!(message.starts_with("my.toml:2:20: hidden[1]:"), "{message}");
    }
}
