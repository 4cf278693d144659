//! The keys of a run: those of training, and those of the program, with their ranges and their texts.

use std::fmt::Write as _;

use mlp_train::{Error, TrainConfig};
use serde_json::{Map, Value, json};

/// A key of the program itself, in the manner of [`mlp_train::Key`].
pub(super) struct ProgramKey {
    pub(super) name: &'static str,
    meaning: &'static str,
    range: &'static str,
}

/// The keys that say what is trained on, and under which name.
pub(super) const PROGRAM_KEYS: [ProgramKey; 4] = [
    ProgramKey {
        name: "name",
        meaning: "names the folder of results",
        range: "1 to 100 letters, digits, '-', '_' or '.', beginning with a letter or digit",
    },
    ProgramKey {
        name: "data",
        meaning: "what to train on",
        range: "a data set of `download --list`, \"synthetic\", or a folder of IDX files",
    },
    ProgramKey {
        name: "train_size",
        meaning: "training samples, a random choice that a larger one contains",
        range: "an integer of at least 1; omit for all",
    },
    ProgramKey {
        name: "test_size",
        meaning: "test samples, chosen likewise",
        range: "an integer of at least 1; omit for all",
    },
];

/// One run as a person describes it: the choices of training, and the keys of the program.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunSettings {
    /// Names the folder of results.
    pub name: Option<String>,
    /// A known data set, "synthetic", or a folder.
    pub data: Option<String>,
    /// Training samples; all if `None`.
    pub train_size: Option<usize>,
    /// Test samples; all if `None`.
    pub test_size: Option<usize>,
    /// Everything else.
    pub train: TrainConfig,
}

impl RunSettings {
    /// Sets one key from a value.
    ///
    /// # Errors
    ///
    /// For a key that is unknown, and a value that it cannot have.
    pub fn set(&mut self, key: &str, value: &Value) -> mlp_train::Result<()> {
        match key {
            "name" => self.name = Some(name(value)?),
            "data" => self.data = Some(data(value)?),
            "train_size" => self.train_size = Some(size(key, value)?),
            "test_size" => self.test_size = Some(size(key, value)?),
            _ if TrainConfig::key(key).is_none() => {
                return Err(TrainConfig::unknown_key(key, &PROGRAM_KEYS.map(|known| known.name)));
            }
            _ => self.train.set(key, value)?,
        }
        Ok(())
    }

    /// Every key with its value; of the program's keys, those that are set.
    pub fn to_map(&self) -> Map<String, Value> {
        let mut map = self.train.to_map();
        let mut insert = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                map.insert(key.to_owned(), value);
            }
        };
        insert("name", self.name.as_ref().map(|name| json!(name)));
        insert("data", self.data.as_ref().map(|data| json!(data)));
        insert("train_size", self.train_size.map(|size| json!(size)));
        insert("test_size", self.test_size.map(|size| json!(size)));
        map
    }

    /// The value of one key; `None` where nothing is set.
    pub fn get(&self, key: &str) -> Option<Value> {
        match key {
            "name" => self.name.as_ref().map(|name| json!(name)),
            "data" => self.data.as_ref().map(|data| json!(data)),
            "train_size" => self.train_size.map(|size| json!(size)),
            "test_size" => self.test_size.map(|size| json!(size)),
            _ => Some(self.train.get(key)).filter(|value| !value.is_null()),
        }
    }
}

/// The keys with their defaults, meanings and ranges, for `--help`.
pub fn describe_keys() -> String {
    let mut text = String::from("Keys of a configuration, and of --set key=value:\n");
    for key in &PROGRAM_KEYS {
        describe_key(&mut text, key.name, "", key.meaning, key.range);
    }
    let defaults = TrainConfig::default();
    for key in TrainConfig::KEYS {
        let default = format!(" = {}", toml_text(&defaults.get(key.name)));
        describe_key(&mut text, key.name, &default, key.meaning, key.range);
    }
    text.truncate(text.trim_end().len());
    text
}

fn describe_key(text: &mut String, name: &str, default: &str, meaning: &str, range: &str) {
    let _ = writeln!(text, "  {name}{default}\n      {meaning}: {range}");
}

/// JSON as TOML on one line.
pub fn toml_text(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(toml_text).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(table) => {
            let name = table.iter().filter(|(key, _)| *key == "name");
            let rest = table.iter().filter(|(key, _)| *key != "name");
            let entries: Vec<String> =
                name.chain(rest).map(|(key, value)| format!("{key} = {}", toml_text(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::String(text) => toml::Value::String(text.clone()).to_string(),
        other => other.to_string(),
    }
}

/// A value for people, as one can write it in a specification: names without quotes.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(table) => match table.get("name") {
            Some(Value::String(name)) => {
                let rest = table.iter().filter(|(key, _)| *key != "name");
                let rest: Vec<String> = rest.map(|(key, value)| format!("{key} {}", shown(value))).collect();
                if rest.is_empty() { name.clone() } else { format!("{name} ({})", rest.join(", ")) }
            }
            _ => toml_text(value),
        },
        other => toml_text(other),
    }
}

/// Whether `name` can be part of a path without leading anywhere else.
pub fn is_safe_name(name: &str) -> bool {
    let plain = |character: char| character.is_alphanumeric() || "-_.".contains(character);
    name.chars().next().is_some_and(char::is_alphanumeric)
        && name.chars().count() <= 100
        && name.len() <= 200
        && name.chars().all(plain)
}

pub(super) fn range_of(key: &str) -> Option<&'static str> {
    let of_program = PROGRAM_KEYS.iter().find(|known| known.name == key).map(|known| known.range);
    of_program.or_else(|| TrainConfig::KEYS.iter().find(|known| known.name == key).map(|known| known.range))
}

fn name(value: &Value) -> Result<String, Error> {
    value.as_str().filter(|name| is_safe_name(name)).map(str::to_owned).ok_or_else(|| config_error("name", value))
}

fn data(value: &Value) -> Result<String, Error> {
    value
        .as_str()
        .filter(|data| !data.is_empty() && !data.contains('\0'))
        .map(str::to_owned)
        .ok_or_else(|| config_error("data", value))
}

/// A count; `1e4` is as good as `10000`, as it is for the counts of training.
fn size(key: &str, value: &Value) -> Result<usize, Error> {
    let is_exact = |float: &f64| (0.0..=2_f64.powi(53)).contains(float) && float.fract() == 0.0;
    let from_float = || value.as_f64().filter(is_exact).map(|float| float as u64);
    value
        .as_u64()
        .or_else(from_float)
        .filter(|size| *size >= 1)
        .and_then(|size| usize::try_from(size).ok())
        .ok_or_else(|| config_error(key, value))
}

fn config_error(key: &str, value: &Value) -> Error {
    let found: String = value.to_string().chars().take(80).collect();
    let found = found.escape_debug().to_string().replace("\\\"", "\"");
    Error::of_key(key, range_of(key).unwrap_or_default(), found)
}
