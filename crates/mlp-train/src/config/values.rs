//! From the values of a file to numbers, names and tables: each function says what it expected.

use serde_json::{Map, Value};

use super::wording::{alternatives, error, nearest, shown, suggest, unknown_name};
use crate::error::{Error, Result};

pub(super) fn boolean(key: &str, value: &Value) -> Result<bool> {
    value.as_bool().ok_or_else(|| error(key, "true or false", value))
}

/// An integer of at least `least`. A float without a fraction is taken too: TOML writers disagree on `1e4`.
pub(super) fn count(key: &str, value: &Value, least: u64) -> Result<usize> {
    integer(value)
        .filter(|&integer| integer >= least)
        .and_then(|integer| usize::try_from(integer).ok())
        .ok_or_else(|| error(key, &format!("an integer of at least {least}"), value))
}

pub(super) fn seed(key: &str, value: &Value) -> Result<u64> {
    integer(value).ok_or_else(|| error(key, &format!("an integer from 0 to {}", i64::MAX), value))
}

/// An integer from 0 to the largest one of TOML.
pub(super) fn integer(value: &Value) -> Option<u64> {
    let exact = |float: f64| float >= 0.0 && float <= 2_f64.powi(53) && float.fract() == 0.0;
    let from_float = || value.as_f64().filter(|&float| exact(float)).map(|float| float as u64);
    value.as_u64().or_else(from_float).filter(|&integer| integer <= i64::MAX as u64)
}

pub(super) fn positive(key: &str, value: &Value) -> Result<f64> {
    number(key, value, "a number above 0", |number| number > 0.0)
}

pub(super) fn not_negative(key: &str, value: &Value) -> Result<f64> {
    number(key, value, "a number of at least 0", |number| number >= 0.0)
}

pub(super) fn finite(key: &str, value: &Value) -> Result<f64> {
    number(key, value, "a number", |_| true)
}

pub(super) fn below_one(key: &str, value: &Value) -> Result<f64> {
    number(key, value, "a number of at least 0 and below 1", |number| (0.0..1.0).contains(&number))
}

pub(super) fn between_zero_and_one(key: &str, value: &Value) -> Result<f64> {
    number(key, value, "a number above 0 and below 1", |number| number > 0.0 && number < 1.0)
}

pub(super) fn fraction(key: &str, value: &Value) -> Result<f64> {
    number(key, value, "a number from 0 to 1", |number| (0.0..=1.0).contains(&number))
}

fn number(key: &str, value: &Value, expected: &str, allowed: impl Fn(f64) -> bool) -> Result<f64> {
    value
        .as_f64()
        .filter(|&number| number.is_finite() && allowed(number))
        // Adding zero turns −0 into 0: the two are one choice and must have one spelling.
        .map(|number| number + 0.0)
        .ok_or_else(|| error(key, expected, value))
}

pub(super) fn named<T>(
    key: &str,
    value: &Value,
    names: &[&'static str],
    from_name: impl Fn(&str) -> Option<T>,
) -> Result<T> {
    value.as_str().and_then(from_name).ok_or_else(|| unknown_name(key, value, names))
}

/// A choice by name: a bare string, or a table with `name` and the parameters of the choice.
pub(super) struct Choice<'a> {
    pub(super) name: &'static str,
    value: &'a Value,
    parameters: Parameters<'a>,
}

impl<'a> Choice<'a> {
    pub(super) fn new(key: &'a str, value: &'a Value, names: &[&'static str]) -> Result<Self> {
        let table = value.as_object();
        let name = match table {
            None => value,
            Some(table) => {
                table.get("name").ok_or_else(|| Error::of_key(format!("{key}.name"), alternatives(names), "nothing"))?
            }
        };
        let known = names.iter().copied().find(|known| name.as_str() == Some(known));
        let known = known.ok_or_else(|| unknown_name(key, name, names))?;
        Ok(Self { name: known, value, parameters: Parameters { key, table, known: vec!["name"] } })
    }

    pub(super) fn needs_table(&self, example: &str) -> Result<()> {
        match self.parameters.table {
            Some(_) => Ok(()),
            None => Err(error(self.parameters.key, &format!("a table such as {example}"), self.value)),
        }
    }

    pub(super) fn required<T>(&mut self, name: &'static str, parse: impl Fn(&str, &Value) -> Result<T>) -> Result<T> {
        self.parameters.required(name, parse)
    }

    pub(super) fn optional<T>(
        &mut self,
        name: &'static str,
        default: T,
        parse: impl Fn(&str, &Value) -> Result<T>,
    ) -> Result<T> {
        Ok(self.parameters.optional(name, parse)?.unwrap_or(default))
    }

    pub(super) fn finish<T>(self, parsed: T) -> Result<T> {
        self.parameters.finish(parsed)
    }
}

/// The entries of a table, and the names that were asked for.
pub(super) struct Parameters<'a> {
    key: &'a str,
    table: Option<&'a Map<String, Value>>,
    known: Vec<&'static str>,
}

impl<'a> Parameters<'a> {
    /// Those of a table without a name.
    pub(super) fn of_table(key: &'a str, table: &'a Map<String, Value>) -> Self {
        Parameters { key, table: Some(table), known: Vec::new() }
    }

    pub(super) fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str, &Value) -> Result<T>,
    ) -> Result<Option<T>> {
        self.known.push(name);
        let value = self.table.and_then(|table| table.get(name));
        value.map(|value| parse(&format!("{}.{name}", self.key), value)).transpose()
    }

    /// A missing value is parsed as null, so that the message says what was expected.
    pub(super) fn required<T>(&mut self, name: &'static str, parse: impl Fn(&str, &Value) -> Result<T>) -> Result<T> {
        match self.optional(name, &parse)? {
            Some(parsed) => Ok(parsed),
            None => parse(&format!("{}.{name}", self.key), &Value::Null).map_err(|missing| missing.finding("nothing")),
        }
    }

    /// Refuses entries that nobody asked for.
    pub(super) fn finish<T>(self, parsed: T) -> Result<T> {
        let unknown = self.table.and_then(|table| table.keys().find(|name| !self.known.contains(&name.as_str())));
        let Some(unknown) = unknown else { return Ok(parsed) };
        let expected = if self.known == ["name"] {
            "no parameters besides name".to_owned()
        } else {
            format!("the parameters {}", self.known.join(", "))
        };
        Err(suggest(Error::of_key(self.key, expected, shown(unknown)), nearest(unknown, &self.known)))
    }
}
