//! From the values of a file to typed choices: each function knows one kind of value and says what it expected.

use mlp_core::{Activation, Initializer, Loss, Reduction};
use serde_json::{Map, Value};

use super::{ConfigError, EarlyStopping, EvaluateTrain, PROGRAM_KEYS, Precision, TrainConfig, ValidationMetric};
use crate::encoding::{MAX_RANDOM_BITS, RANDOM_BITS, TargetEncoding};
use crate::optimizer::Optimizer;
use crate::schedule::Schedule;

/// Names are short; a longer text is no misspelt one, and is shown cut.
const LONGEST_SHOWN: usize = 60;

type Parsed<T> = Result<T, ConfigError>;

pub(super) fn hidden(key: &str, value: &Value) -> Parsed<Vec<usize>> {
    let expected = "a list of unit counts of at least 1, such as [512, 256]";
    let list = value.as_array().ok_or_else(|| error(key, expected, value))?;
    if let Some(zero) = list.iter().position(|units| units.as_u64() == Some(0)) {
        let hint = Some("leave the layer out if it is not wanted".to_owned());
        let expected = "at least 1 unit".to_owned();
        return Err(ConfigError { hint, ..ConfigError::new(&format!("{key}[{zero}]"), expected, "0".to_owned()) });
    }
    list.iter().enumerate().map(|(i, units)| count(&format!("{key}[{i}]"), units, 1)).collect()
}

pub(super) fn boolean(key: &str, value: &Value) -> Parsed<bool> {
    value.as_bool().ok_or_else(|| error(key, "true or false", value))
}

pub(super) fn hidden_activations(key: &str, value: &Value) -> Parsed<Vec<Activation>> {
    match value {
        Value::Array(list) => {
            list.iter().enumerate().map(|(i, value)| hidden_activation(&format!("{key}[{i}]"), value)).collect()
        }
        single => Ok(vec![hidden_activation(key, single)?]),
    }
}

fn hidden_activation(key: &str, value: &Value) -> Parsed<Activation> {
    let names = Activation::ALL.map(Activation::name);
    let allowed: Vec<_> = names.into_iter().filter(|&name| name != Activation::Softmax.name()).collect();
    if value.as_str() == Some(Activation::Softmax.name()) {
        let hint = Some("softmax is for output_activation".to_owned());
        return Err(ConfigError { hint, ..error(key, &alternatives(&allowed), value) });
    }
    named(key, value, &allowed, Activation::from_name)
}

pub(super) fn activation(key: &str, value: &Value) -> Parsed<Activation> {
    named(key, value, &Activation::ALL.map(Activation::name), Activation::from_name)
}

pub(super) fn encoding(key: &str, value: &Value) -> Parsed<TargetEncoding> {
    let mut choice = Choice::new(key, value, &TargetEncoding::ALL.map(TargetEncoding::name))?;
    let encoding = match choice.name {
        "ascii" => TargetEncoding::Ascii,
        "binary" => TargetEncoding::Binary,
        "one-hot" => TargetEncoding::OneHot,
        _ => TargetEncoding::Random { bits: choice.optional("bits", RANDOM_BITS, word_length)? },
    };
    choice.finish(encoding)
}

fn word_length(key: &str, value: &Value) -> Parsed<usize> {
    let bits = integer(value).filter(|bits| (1..=MAX_RANDOM_BITS as u64).contains(bits));
    bits.map(|bits| bits as usize).ok_or_else(|| error(key, &format!("an integer from 1 to {MAX_RANDOM_BITS}"), value))
}

pub(super) fn loss(key: &str, value: &Value) -> Parsed<Loss> {
    named(key, value, &Loss::ALL.map(Loss::name), Loss::from_name)
}

pub(super) fn reduction(key: &str, value: &Value) -> Parsed<Reduction> {
    named(key, value, &Reduction::ALL.map(Reduction::name), Reduction::from_name)
}

pub(super) fn precision(key: &str, value: &Value) -> Parsed<Precision> {
    named(key, value, &Precision::ALL.map(Precision::name), Precision::from_name)
}

pub(super) fn initializer(key: &str, value: &Value) -> Parsed<Initializer> {
    const NAMES: [&str; 9] = [
        "uniform-0-1",
        "uniform",
        "normal",
        "glorot-uniform",
        "glorot-normal",
        "lecun-uniform",
        "lecun-normal",
        "he-uniform",
        "he-normal",
    ];
    let mut choice = Choice::new(key, value, &NAMES)?;
    let initializer = match choice.name {
        "uniform-0-1" => Initializer::Uniform01,
        "uniform" => {
            choice.needs_table("{ name = \"uniform\", low = -1, high = 1 }")?;
            let low = choice.required("low", finite)?;
            let high = choice.required("high", finite)?;
            if low >= high {
                let expected = format!("a number above low, {low}");
                return Err(ConfigError::new(&format!("{key}.high"), expected, high.to_string()));
            }
            Initializer::Uniform { low, high }
        }
        "normal" => {
            choice.needs_table("{ name = \"normal\", mean = 0, deviation = 0.1 }")?;
            Initializer::Normal {
                mean: choice.optional("mean", 0.0, finite)?,
                deviation: choice.required("deviation", not_negative)?,
            }
        }
        "glorot-uniform" => Initializer::GlorotUniform { gain: choice.optional("gain", 1.0, positive)? },
        "glorot-normal" => Initializer::GlorotNormal { gain: choice.optional("gain", 1.0, positive)? },
        "lecun-uniform" => Initializer::LecunUniform { gain: choice.optional("gain", 1.0, positive)? },
        "lecun-normal" => Initializer::LecunNormal { gain: choice.optional("gain", 1.0, positive)? },
        "he-uniform" => Initializer::HeUniform { gain: choice.optional("gain", 1.0, positive)? },
        _ => Initializer::HeNormal { gain: choice.optional("gain", 1.0, positive)? },
    };
    choice.finish(initializer)
}

pub(super) fn optimizer(key: &str, value: &Value) -> Parsed<Optimizer> {
    let mut choice = Choice::new(key, value, &Optimizer::NAMES)?;
    let (beta1, beta2, epsilon) = (Optimizer::BETA1, Optimizer::BETA2, Optimizer::EPSILON);
    let optimizer = match choice.name {
        "sgd" => Optimizer::Sgd,
        "momentum" => Optimizer::Momentum { momentum: choice.optional("momentum", Optimizer::MOMENTUM, below_one)? },
        "nesterov" => Optimizer::Nesterov { momentum: choice.optional("momentum", Optimizer::MOMENTUM, below_one)? },
        "adam" => Optimizer::Adam {
            beta1: choice.optional("beta1", beta1, below_one)?,
            beta2: choice.optional("beta2", beta2, below_one)?,
            epsilon: choice.optional("epsilon", epsilon, positive)?,
        },
        _ => Optimizer::AdamW {
            beta1: choice.optional("beta1", beta1, below_one)?,
            beta2: choice.optional("beta2", beta2, below_one)?,
            epsilon: choice.optional("epsilon", epsilon, positive)?,
            decay: choice.optional("decay", Optimizer::DECAY, not_negative)?,
        },
    };
    choice.finish(optimizer)
}

pub(super) fn schedule(key: &str, value: &Value) -> Parsed<Schedule> {
    let mut choice = Choice::new(key, value, &Schedule::NAMES)?;
    let schedule = match choice.name {
        "constant" => Schedule::Constant,
        "step" => {
            choice.needs_table("{ name = \"step\", every = 10, factor = 0.5 }")?;
            Schedule::Step {
                every: choice.required("every", |key, value| count(key, value, 1))?,
                factor: choice.required("factor", positive)?,
            }
        }
        _ => Schedule::Cosine {
            warmup: choice.optional("warmup", 0.0, not_negative)?,
            floor: choice.optional("floor", 0.0, fraction)?,
        },
    };
    choice.finish(schedule)
}

pub(super) fn early_stopping(key: &str, value: &Value) -> Parsed<Option<EarlyStopping>> {
    let expected = "false or a table such as { metric = \"validation.loss\", patience = 5 }";
    if value == &Value::Bool(false) {
        return Ok(None);
    }
    let table = value.as_object().ok_or_else(|| error(key, expected, value))?;
    let mut parameters = Parameters { key, table: Some(table), known: Vec::new() };
    let metric = parameters.required("metric", |key, value| {
        named(key, value, &ValidationMetric::ALL.map(ValidationMetric::name), ValidationMetric::from_name)
    })?;
    let patience = parameters.required("patience", |key, value| count(key, value, 1))?;
    parameters.finish(Some(EarlyStopping { metric, patience }))
}

pub(super) fn evaluate_train(key: &str, value: &Value) -> Parsed<EvaluateTrain> {
    if value.as_str() == Some("all") {
        return Ok(EvaluateTrain::All);
    }
    match count(key, value, 1) {
        Ok(n_samples) => Ok(EvaluateTrain::Count(n_samples)),
        Err(_) => Err(error(key, "an integer of at least 1, or \"all\"", value)),
    }
}

/// An integer of at least `least`. A float without a fraction is taken too: TOML writers disagree on `1e4`.
pub(super) fn count(key: &str, value: &Value, least: u64) -> Parsed<usize> {
    integer(value)
        .filter(|&integer| integer >= least)
        .and_then(|integer| usize::try_from(integer).ok())
        .ok_or_else(|| error(key, &format!("an integer of at least {least}"), value))
}

pub(super) fn seed(key: &str, value: &Value) -> Parsed<u64> {
    integer(value).ok_or_else(|| error(key, &format!("an integer from 0 to {}", i64::MAX), value))
}

/// An integer from 0 to the largest one of TOML.
fn integer(value: &Value) -> Option<u64> {
    let exact = |float: f64| float >= 0.0 && float <= 2_f64.powi(53) && float.fract() == 0.0;
    let from_float = || value.as_f64().filter(|&float| exact(float)).map(|float| float as u64);
    value.as_u64().or_else(from_float).filter(|&integer| integer <= i64::MAX as u64)
}

pub(super) fn positive(key: &str, value: &Value) -> Parsed<f64> {
    number(key, value, "a number above 0", |number| number > 0.0)
}

pub(super) fn not_negative(key: &str, value: &Value) -> Parsed<f64> {
    number(key, value, "a number of at least 0", |number| number >= 0.0)
}

fn finite(key: &str, value: &Value) -> Parsed<f64> {
    number(key, value, "a number", |_| true)
}

fn below_one(key: &str, value: &Value) -> Parsed<f64> {
    number(key, value, "a number of at least 0 and below 1", |number| (0.0..1.0).contains(&number))
}

fn fraction(key: &str, value: &Value) -> Parsed<f64> {
    number(key, value, "a number from 0 to 1", |number| (0.0..=1.0).contains(&number))
}

fn number(key: &str, value: &Value, expected: &str, allowed: impl Fn(f64) -> bool) -> Parsed<f64> {
    value
        .as_f64()
        .filter(|&number| number.is_finite() && allowed(number))
        // Adding zero turns −0 into 0: the two are one choice and must have one spelling.
        .map(|number| number + 0.0)
        .ok_or_else(|| error(key, expected, value))
}

fn named<T>(key: &str, value: &Value, names: &[&'static str], from_name: impl Fn(&str) -> Option<T>) -> Parsed<T> {
    value.as_str().and_then(from_name).ok_or_else(|| unknown_name(key, value, names))
}

/// A choice by name: a bare string, or a table with `name` and the parameters of the choice.
struct Choice<'a> {
    name: &'static str,
    value: &'a Value,
    parameters: Parameters<'a>,
}

impl<'a> Choice<'a> {
    fn new(key: &'a str, value: &'a Value, names: &[&'static str]) -> Parsed<Self> {
        let table = value.as_object();
        let name = match table {
            None => value,
            Some(table) => table
                .get("name")
                .ok_or_else(|| ConfigError::new(&format!("{key}.name"), alternatives(names), "nothing".to_owned()))?,
        };
        let known = names.iter().copied().find(|known| name.as_str() == Some(known));
        let known = known.ok_or_else(|| unknown_name(key, name, names))?;
        Ok(Self { name: known, value, parameters: Parameters { key, table, known: vec!["name"] } })
    }

    fn needs_table(&self, example: &str) -> Parsed<()> {
        match self.parameters.table {
            Some(_) => Ok(()),
            None => Err(error(self.parameters.key, &format!("a table such as {example}"), self.value)),
        }
    }

    fn required<T>(&mut self, name: &'static str, parse: impl Fn(&str, &Value) -> Parsed<T>) -> Parsed<T> {
        self.parameters.required(name, parse)
    }

    fn optional<T>(&mut self, name: &'static str, default: T, parse: impl Fn(&str, &Value) -> Parsed<T>) -> Parsed<T> {
        Ok(self.parameters.optional(name, parse)?.unwrap_or(default))
    }

    fn finish<T>(self, parsed: T) -> Parsed<T> {
        self.parameters.finish(parsed)
    }
}

/// The entries of a table, and the names that were asked for.
struct Parameters<'a> {
    key: &'a str,
    table: Option<&'a Map<String, Value>>,
    known: Vec<&'static str>,
}

impl Parameters<'_> {
    fn optional<T>(&mut self, name: &'static str, parse: impl Fn(&str, &Value) -> Parsed<T>) -> Parsed<Option<T>> {
        self.known.push(name);
        let value = self.table.and_then(|table| table.get(name));
        value.map(|value| parse(&format!("{}.{name}", self.key), value)).transpose()
    }

    /// A missing value is parsed as null, so that the message says what was expected.
    fn required<T>(&mut self, name: &'static str, parse: impl Fn(&str, &Value) -> Parsed<T>) -> Parsed<T> {
        match self.optional(name, &parse)? {
            Some(parsed) => Ok(parsed),
            None => parse(&format!("{}.{name}", self.key), &Value::Null)
                .map_err(|missing| ConfigError { found: "nothing".to_owned(), ..missing }),
        }
    }

    /// Refuses entries that nobody asked for.
    fn finish<T>(self, parsed: T) -> Parsed<T> {
        let unknown = self.table.and_then(|table| table.keys().find(|name| !self.known.contains(&name.as_str())));
        let Some(unknown) = unknown else { return Ok(parsed) };
        let nearest = nearest(unknown, &self.known).map(did_you_mean);
        let expected = if self.known == ["name"] {
            "no parameters besides name".to_owned()
        } else {
            format!("the parameters {}", self.known.join(", "))
        };
        Err(ConfigError { hint: nearest, ..ConfigError::new(self.key, expected, shown(unknown)) })
    }
}

pub(super) fn unknown_key(key: &str) -> ConfigError {
    let names: Vec<_> = TrainConfig::KEYS.iter().map(|key| key.name).collect();
    let candidates: Vec<_> = names.iter().copied().chain(PROGRAM_KEYS).collect();
    ConfigError {
        hint: nearest(key, &candidates).map(did_you_mean),
        ..ConfigError::new(&shown(key), format!("one of the keys {}", names.join(", ")), "an unknown key".to_owned())
    }
}

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

fn unknown_name(key: &str, value: &Value, names: &[&'static str]) -> ConfigError {
    let elsewhere = |name: &str| {
        let known = OTHER_NAMES.iter().find(|(other, own)| other.eq_ignore_ascii_case(name) && names.contains(own));
        known.map(|(_, own)| *own)
    };
    let hint = value.as_str().and_then(|name| elsewhere(name).or_else(|| nearest(name, names))).map(did_you_mean);
    ConfigError { hint, ..error(key, &alternatives(names), value) }
}

fn error(key: &str, expected: &str, value: &Value) -> ConfigError {
    let found = match value {
        // JSON has no other numbers than finite ones: nan and inf arrive here as null.
        Value::Null => "nan, inf or nothing".to_owned(),
        value => shown(&value.to_string()),
    };
    ConfigError::new(key, expected.to_owned(), found)
}

/// The candidate most like a misspelt name, if any is like it at all.
fn nearest(name: &str, candidates: &[&'static str]) -> Option<&'static str> {
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

fn did_you_mean(name: &str) -> String {
    format!("did you mean {name}?")
}

/// Text from outside on one line of bounded length, control and direction characters escaped.
fn shown(text: &str) -> String {
    let escaped = |character: char| {
        let visible = character == ' ' || character.is_alphanumeric() || character.is_ascii_graphic();
        if visible { character.to_string() } else { character.escape_unicode().to_string() }
    };
    let cut: String = text.chars().take(LONGEST_SHOWN).map(escaped).collect();
    if text.chars().nth(LONGEST_SHOWN).is_some() { cut + "…" } else { cut }
}
