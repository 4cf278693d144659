//! What is said of a value that cannot be: what was expected, what was found, and what was probably meant.

use serde_json::Value;

use crate::error::Error;

/// Names are short; a longer text is no misspelt one, and is shown cut.
const LONGEST_SHOWN: usize = 60;

/// `a, b or c`.
pub(super) fn alternatives(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// What other libraries call some of the choices.
const OTHER_NAMES: [(&str, &str); 12] = [
    ("mse", "squared"),
    ("mae", "absolute"),
    ("bce", "cross-entropy"),
    ("nll", "softmax-cross-entropy"),
    ("logistic", "sigmoid"),
    ("linear", "identity"),
    ("xavier", "glorot-uniform"),
    ("kaiming", "he-normal"),
    ("float32", "f32"),
    ("float64", "f64"),
    ("double", "f64"),
    ("onehot", "one-hot"),
];

pub(super) fn unknown_name(key: &str, value: &Value, names: &[&'static str]) -> Error {
    let elsewhere = |name: &str| {
        let known = OTHER_NAMES.iter().find(|(other, own)| other.eq_ignore_ascii_case(name) && names.contains(own));
        known.map(|(_, own)| *own)
    };
    let meant = value.as_str().and_then(|name| elsewhere(name).or_else(|| nearest(name, names)));
    suggest(error(key, &alternatives(names), value), meant)
}

pub(super) fn error(key: &str, expected: &str, value: &Value) -> Error {
    let found = match value {
        // JSON has no other numbers than finite ones: nan and inf arrive here as null.
        Value::Null => "nan, inf or nothing".to_owned(),
        value => shown(&value.to_string()),
    };
    Error::of_key(key, expected, found)
}

/// The candidate most like a misspelt name, if any is like it at all: by Jaro and Winkler's similarity (Winkler 1990), above
/// three quarters.
///
/// ```
/// assert_eq!(mlp_train::nearest("sigmoyd", &["relu", "sigmoid", "tanh"]), Some("sigmoid"));
/// assert_eq!(mlp_train::nearest("xyz", &["relu", "sigmoid", "tanh"]), None);
/// ```
pub fn nearest<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    if name.len() > LONGEST_SHOWN {
        return None;
    }
    candidates
        .iter()
        .map(|candidate| (strsim::jaro_winkler(&name.to_lowercase(), candidate), *candidate))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, candidate)| candidate)
}

/// Adds what was probably meant.
pub(super) fn suggest(error: Error, meant: Option<&str>) -> Error {
    match meant {
        Some(name) => error.with_advice(format!("did you mean {name}?")),
        None => error,
    }
}

/// Text from outside on one line of bounded length, control and direction characters escaped.
pub(super) fn shown(text: &str) -> String {
    let escaped = |character: char| {
        let visible = character == ' ' || character.is_alphanumeric() || character.is_ascii_graphic();
        if visible { character.to_string() } else { character.escape_unicode().to_string() }
    };
    let cut: String = text.chars().take(LONGEST_SHOWN).map(escaped).collect();
    if text.chars().nth(LONGEST_SHOWN).is_some() { cut + "…" } else { cut }
}
