//! Configuration files and `--set`: TOML with the place of every value, so that an error can point at it.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use mlp_results::RunRecord;
use mlp_train::TrainConfig;
use serde_json::{Value, json};
use toml::de::{DeTable, DeValue};

use super::number;
use super::settings::range_of;
use super::source::{Place, Source, read_text};
use crate::error::{Error, Result};

/// A key with its value, and where both were written.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) key: String,
    pub(super) value: Value,
    key_place: Place,
    pub(super) place: Place,
    /// The places of the values inside the value, by their path: `[1]`, `.momentum`.
    parts: Vec<(String, Range<usize>)>,
}

impl Setting {
    /// The error of a key or value, at the key if that is unknown, and else at the innermost value that it speaks of.
    ///
    /// `within` is the path of the value that was at fault: empty, or `[2]` for an item of a `[sweep]` list.
    pub(super) fn error(&self, error: &mlp_train::Error, within: &str) -> Error {
        if range_of(&self.key).is_none() {
            return self.key_place.error(&error.to_string());
        }
        let path = format!("{within}{}", error.key().and_then(|key| key.strip_prefix(&self.key)).unwrap_or_default());
        self.place_of(&path).error(&error.to_string())
    }

    /// The place of the innermost value that `path` leads to: `.from` of a range.
    pub(super) fn place_of(&self, path: &str) -> Place {
        let inner =
            self.parts.iter().filter(|(part, _)| path.starts_with(part.as_str())).max_by_key(|(part, _)| part.len());
        inner.map_or_else(|| self.place.clone(), |(_, span)| self.place.at(span))
    }
}

/// A configuration as written: settings in the order of the file, then those of `--set`.
#[derive(Clone, Debug, Default)]
pub struct Document {
    pub(super) settings: Vec<Setting>,
    pub(super) axes: Vec<Setting>,
}

impl Document {
    /// Reads a file: TOML, or with the ending `.json` the record of a trial, whose configuration is taken.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is none, is too long or is not UTF-8, and as [`Document::parse`]; if it is JSON and no
    /// record.
    pub fn read(path: &Path) -> Result<Self> {
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
            return match RunRecord::read(path) {
                Ok(record) => Ok(Document::of_settings(record.config)),
                Err(error) if error.kind() == mlp_results::ErrorKind::Damaged => Err(no_record(path, &error)),
                Err(error) => Err(error.into()),
            };
        }
        let name = path.display().to_string();
        Document::parse(&read_text(path)?, &name)
    }

    /// The configuration of a trial or a model, as a program has it. Its name is left out: it is that of a sweep, into whose
    /// folder this one does not belong.
    pub fn of_settings(settings: impl IntoIterator<Item = (String, Value)>) -> Self {
        let mut document = Document::default();
        for (key, value) in settings.into_iter().filter(|(key, _)| key != "name") {
            document.set(&key, value);
        }
        document
    }

    /// Parses `text`, which messages call `source`.
    ///
    /// # Errors
    ///
    /// If it is no TOML, a value is one that a configuration cannot have (a date, an infinite number), or `sweep` is no
    /// table, with line and column. Which keys there are is the business of [`Document::check`].
    pub fn parse(text: &str, source: &str) -> Result<Self> {
        let source = Arc::new(Source { name: source.to_owned(), text: text.to_owned() });
        let place = |span: Range<usize>| Place::File { source: Arc::clone(&source), span };
        let table = DeTable::parse(text).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            match number::incomplete(text, span.start) {
                Some((span, number)) => place(span).error(&incomplete_number(&number)),
                None => place(span).error(error.message().trim()),
            }
        })?;
        let mut document = Document::default();
        document.fill(table.get_ref(), &place)?;
        Ok(document)
    }

    /// Adds `key=value` of `--set`, which wins over what is there; `sweep.key=[…]` is a list of `[sweep]`.
    ///
    /// # Errors
    ///
    /// If there is no `=`, no key before it, or no value behind it. Which keys there are is the business of
    /// [`Document::check`].
    pub fn override_with(&mut self, argument: &str) -> Result<()> {
        let place = Place::Argument(argument.to_owned());
        let Some((key, value)) = argument.split_once('=') else {
            return Err(place.error("expected key=value, found no '='"));
        };
        let (key, value) = (key.trim(), value.trim());
        let is_key = |character: char| character.is_ascii_alphanumeric() || "_-.".contains(character);
        if key.is_empty() || !key.chars().all(is_key) {
            return Err(place.error("expected a key before the '='"));
        }
        let value = argument_value(key, value).map_err(|reason| place.error(&reason))?;
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

    /// Adds a list of values for a key of `[sweep]`, set by a program.
    pub(super) fn vary(&mut self, key: &str, values: Value) {
        let (key_place, place) = (Place::Program, Place::Program);
        self.axes.retain(|axis| axis.key != key);
        self.axes.push(Setting { key: key.to_owned(), value: values, key_place, place, parts: Vec::new() });
    }

    /// Sets a key to a value, whatever was there, for a program; it varies no longer.
    pub(super) fn set(&mut self, key: &str, value: Value) {
        let (key_place, place) = (Place::Program, Place::Program);
        self.axes.retain(|axis| axis.key != key);
        self.settings.retain(|setting| setting.key != key);
        self.settings.push(Setting { key: key.to_owned(), value, key_place, place, parts: Vec::new() });
    }

    /// Everything that was set: first what all trials share, then what is under `[sweep]`.
    pub(super) fn all(&self) -> impl DoubleEndedIterator<Item = &Setting> {
        self.settings.iter().chain(&self.axes)
    }

    /// Takes `key` out, with its value: the last one, as elsewhere.
    pub fn take(&mut self, key: &str) -> Option<Value> {
        let index = self.settings.iter().rposition(|setting| setting.key == key)?;
        Some(self.settings.remove(index).value)
    }

    fn fill(&mut self, table: &DeTable<'_>, place: &dyn Fn(Range<usize>) -> Place) -> Result<()> {
        for (key, value) in in_file_order(table) {
            if key.get_ref() != "sweep" {
                self.settings.push(setting(key, value, place)?);
                continue;
            }
            let DeValue::Table(axes) = value.get_ref() else {
                return Err(place(value.span()).error("[sweep]: expected a table of lists, such as seed = [0, 1, 2]"));
            };
            for (key, value) in in_file_order(axes) {
                self.axes.push(setting(key, value, place)?);
            }
        }
        Ok(())
    }
}

/// JSON that no trial left.
fn no_record(path: &Path, error: &mlp_results::Error) -> Error {
    let place = error.line_and_column().map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default();
    Error::specification(format!(
        "{}{place}: expected the record of a trial, from the folder trials/ of a run, found other JSON; a configuration of \
         your own is TOML",
        path.display()
    ))
    .in_file(path)
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
) -> Result<Setting> {
    let (key, key_span) = (key.get_ref(), key.span());
    let json = json_value(value.get_ref()).map_err(|found| {
        let expected = range_of(key).unwrap_or("a string, a finite number, true, false, a list or a table");
        place(value.span()).error(&format!("{key}: expected {expected}, found {found}"))
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
fn json_value(value: &DeValue<'_>) -> std::result::Result<Value, String> {
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

/// Whether a key of training takes the text as it stands, without the quotes that TOML wants: `augment=ciresan 0.5`.
fn is_text_of(key: &str, text: &str) -> bool {
    TrainConfig::default().set(key, &json!(text)).is_ok()
}

fn incomplete_number(number: &str) -> String {
    format!("expected digits on both sides of the point of a number, found none on one; write {number}")
}

/// What follows the '=' of `--set`: TOML, a bare word, or bare words where the key takes such a text.
fn argument_value(key: &str, text: &str) -> std::result::Result<Value, String> {
    let is_word_character = |character: char| character.is_alphanumeric() || "-_./~".contains(character);
    let document = format!("value = {text}");
    let parsed = DeTable::parse(&document);
    let place = parsed.as_ref().err().and_then(|error| error.span());
    if let Some((_, number)) = place.and_then(|span| number::incomplete(&document, span.start)) {
        return Err(incomplete_number(&number));
    }
    let parsed = parsed.ok().filter(|table| table.get_ref().len() == 1);
    match parsed.as_ref().and_then(|table| table.get_ref().get("value")) {
        Some(value) => json_value(value.get_ref()).map_err(|found| format!("expected a finite value, found {found}")),
        None if !text.is_empty() && text.chars().all(is_word_character) => Ok(json!(text)),
        None if is_text_of(key.strip_prefix("sweep.").unwrap_or(key), text) => Ok(json!(text)),
        None if text.contains(',') && !text.contains(['[', '{', '"', '\'']) => {
            Err(format!("expected a TOML value or a bare word after the '='; a list is written '[{text}]'"))
        }
        None => Err("expected a TOML value or a bare word after the '='; put texts in quotes".to_owned()),
    }
}
