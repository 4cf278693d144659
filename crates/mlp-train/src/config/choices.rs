//! The choices of a configuration: each from its written form, and back to it.

use mlp_core::{Activation, Initializer, Loss, Reduction};
use serde_json::{Value, json};

use super::values::{
    Choice, Parameters, below_one, between_zero_and_one, count, finite, fraction, integer, named, not_negative,
    positive,
};
use super::wording::{alternatives, error};
use super::{Averaging, ClassWeights, EarlyStopping, EvaluateTrain, Precision, ValidationMetric, ValidationSplit};
use crate::augmentation::Augmentation;
use crate::decoding::Decoding;
use crate::encoding::{MAX_RANDOM_BITS, RANDOM_BITS, TargetEncoding};
use crate::error::{Error, Result};
use crate::optimizer::Optimizer;
use crate::schedule::Schedule;

pub(super) fn hidden(key: &str, value: &Value) -> Result<Vec<usize>> {
    let expected = "a list of unit counts of at least 1, such as [512, 256]";
    let list = value.as_array().ok_or_else(|| error(key, expected, value))?;
    if let Some(zero) = list.iter().position(|units| units.as_u64() == Some(0)) {
        let error = Error::of_key(format!("{key}[{zero}]"), "at least 1 unit", "0");
        return Err(error.with_advice("leave the layer out if it is not wanted"));
    }
    list.iter().enumerate().map(|(i, units)| count(&format!("{key}[{i}]"), units, 1)).collect()
}

pub(super) fn hidden_activations(key: &str, value: &Value) -> Result<Vec<Activation>> {
    match value {
        Value::Array(list) => {
            list.iter().enumerate().map(|(i, value)| hidden_activation(&format!("{key}[{i}]"), value)).collect()
        }
        single => Ok(vec![hidden_activation(key, single)?]),
    }
}

pub(super) fn hidden_activations_value(activations: &[Activation]) -> Value {
    match activations {
        [all] => json!(all.name()),
        each => each.iter().map(|activation| activation.name()).collect(),
    }
}

fn hidden_activation(key: &str, value: &Value) -> Result<Activation> {
    let names = Activation::ALL.map(Activation::name);
    let allowed: Vec<_> = names.into_iter().filter(|&name| name != Activation::Softmax.name()).collect();
    if value.as_str() == Some(Activation::Softmax.name()) {
        return Err(error(key, &alternatives(&allowed), value).with_advice("softmax is for output_activation"));
    }
    named(key, value, &allowed, Activation::from_name)
}

pub(super) fn dropout(key: &str, value: &Value) -> Result<Vec<f64>> {
    match value {
        Value::Array(list) => {
            list.iter().enumerate().map(|(i, value)| below_one(&format!("{key}[{i}]"), value)).collect()
        }
        single => Ok(vec![below_one(key, single)?]),
    }
}

pub(super) fn dropout_value(rates: &[f64]) -> Value {
    match rates {
        [all] => json!(all),
        each => json!(each),
    }
}

pub(super) fn activation(key: &str, value: &Value) -> Result<Activation> {
    named(key, value, &Activation::ALL.map(Activation::name), Activation::from_name)
}

pub(super) fn encoding(key: &str, value: &Value) -> Result<TargetEncoding> {
    let mut choice = Choice::new(key, value, &TargetEncoding::ALL.map(TargetEncoding::name))?;
    let encoding = match choice.name {
        "ascii" => TargetEncoding::Ascii,
        "binary" => TargetEncoding::Binary,
        "one-hot" => TargetEncoding::OneHot,
        _ => TargetEncoding::Random { bits: choice.optional("bits", RANDOM_BITS, code_length)? },
    };
    choice.finish(encoding)
}

pub(super) fn encoding_value(encoding: TargetEncoding) -> Value {
    match encoding {
        TargetEncoding::Random { bits } => json!({ "name": "random", "bits": bits }),
        other => json!(other.name()),
    }
}

/// What stands for the encoding's own decoding.
const AUTO: &str = "auto";

pub(super) fn decoding(key: &str, value: &Value) -> Result<Option<Decoding>> {
    let from_name = |name: &str| if name == AUTO { Some(None) } else { Decoding::from_name(name).map(Some) };
    named(key, value, &[AUTO, Decoding::Exact.name(), Decoding::Nearest.name()], from_name)
}

pub(super) fn decoding_value(decoding: Option<Decoding>) -> Value {
    json!(decoding.map_or(AUTO, Decoding::name))
}

fn code_length(key: &str, value: &Value) -> Result<usize> {
    let bits = integer(value).filter(|bits| (1..=MAX_RANDOM_BITS as u64).contains(bits));
    bits.map(|bits| bits as usize).ok_or_else(|| error(key, &format!("an integer from 1 to {MAX_RANDOM_BITS}"), value))
}

pub(super) fn loss(key: &str, value: &Value) -> Result<Loss> {
    named(key, value, &Loss::ALL.map(Loss::name), Loss::from_name)
}

pub(super) fn reduction(key: &str, value: &Value) -> Result<Reduction> {
    named(key, value, &Reduction::ALL.map(Reduction::name), Reduction::from_name)
}

pub(super) fn class_weights(key: &str, value: &Value) -> Result<Option<ClassWeights>> {
    match value {
        Value::Bool(false) => Ok(None),
        Value::Array(list) => {
            let weights = list.iter().enumerate().map(|(i, value)| not_negative(&format!("{key}[{i}]"), value));
            let weights = weights.collect::<Result<Vec<f64>>>()?;
            if weights.iter().all(|&weight| weight == 0.0) {
                return Err(error(key, "a list with a number above 0 in it", value));
            }
            Ok(Some(ClassWeights::Each(weights)))
        }
        Value::String(name) if name == ClassWeights::BALANCED => Ok(Some(ClassWeights::Balanced)),
        other => Err(error(key, "false, balanced, or a list with a number for each class, such as [1, 1, 20]", other)),
    }
}

pub(super) fn class_weights_value(weights: Option<&ClassWeights>) -> Value {
    match weights {
        None => json!(false),
        Some(ClassWeights::Balanced) => json!(ClassWeights::BALANCED),
        Some(ClassWeights::Each(weights)) => json!(weights),
    }
}

pub(super) fn precision(key: &str, value: &Value) -> Result<Precision> {
    named(key, value, &Precision::ALL.map(Precision::name), Precision::from_name)
}

pub(super) fn initializer(key: &str, value: &Value) -> Result<Initializer> {
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
                return Err(Error::of_key(format!("{key}.high"), expected, high.to_string()));
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

/// A gain of 1 is left out.
pub(super) fn initializer_value(initializer: Initializer) -> Value {
    match initializer {
        Initializer::Uniform { low, high } => json!({ "name": "uniform", "low": low, "high": high }),
        Initializer::Normal { mean, deviation } => json!({ "name": "normal", "mean": mean, "deviation": deviation }),
        other => match other.gain() {
            Some(gain) if gain != 1.0 => json!({ "name": other.name(), "gain": gain }),
            _ => json!(other.name()),
        },
    }
}

pub(super) fn optimizer(key: &str, value: &Value) -> Result<Optimizer> {
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

pub(super) fn optimizer_value(optimizer: Optimizer) -> Value {
    let name = optimizer.name();
    match optimizer {
        Optimizer::Sgd => json!(name),
        Optimizer::Momentum { momentum } | Optimizer::Nesterov { momentum } => {
            json!({ "name": name, "momentum": momentum })
        }
        Optimizer::Adam { beta1, beta2, epsilon } => {
            json!({ "name": name, "beta1": beta1, "beta2": beta2, "epsilon": epsilon })
        }
        Optimizer::AdamW { beta1, beta2, epsilon, decay } => {
            json!({ "name": name, "beta1": beta1, "beta2": beta2, "epsilon": epsilon, "decay": decay })
        }
    }
}

pub(super) fn schedule(key: &str, value: &Value) -> Result<Schedule> {
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
        "cosine" => Schedule::Cosine {
            warmup: choice.optional("warmup", 0.0, not_negative)?,
            floor: choice.optional("floor", 0.0, fraction)?,
        },
        "one-cycle" => Schedule::OneCycle {
            rise: choice.optional("rise", Schedule::RISE, fraction)?,
            start: choice.optional("start", Schedule::START, fraction)?,
            floor: choice.optional("floor", Schedule::ONE_CYCLE_FLOOR, fraction)?,
        },
        "warm-restarts" => {
            choice.needs_table("{ name = \"warm-restarts\", every = 10, growth = 2 }")?;
            Schedule::WarmRestarts {
                every: choice.required("every", |key, value| count(key, value, 1))?,
                growth: choice.optional("growth", Schedule::GROWTH, |key, value| count(key, value, 1))?,
                floor: choice.optional("floor", 0.0, fraction)?,
            }
        }
        _ => Schedule::Plateau {
            metric: choice.optional("metric", ValidationMetric::Loss, validation_metric)?,
            patience: choice.optional("patience", Schedule::PATIENCE, |key, value| count(key, value, 1))?,
            factor: choice.optional("factor", Schedule::FACTOR, between_zero_and_one)?,
            floor: choice.optional("floor", 0.0, fraction)?,
        },
    };
    choice.finish(schedule)
}

pub(super) fn schedule_value(schedule: Schedule) -> Value {
    match schedule {
        Schedule::Constant => json!("constant"),
        Schedule::Step { every, factor } => json!({ "name": "step", "every": every, "factor": factor }),
        Schedule::Cosine { warmup, floor } => json!({ "name": "cosine", "warmup": warmup, "floor": floor }),
        Schedule::OneCycle { rise, start, floor } => {
            json!({ "name": "one-cycle", "rise": rise, "start": start, "floor": floor })
        }
        Schedule::WarmRestarts { every, growth, floor } => {
            json!({ "name": "warm-restarts", "every": every, "growth": growth, "floor": floor })
        }
        Schedule::Plateau { metric, patience, factor, floor } => json!({
            "name": "plateau", "metric": metric.name(), "patience": patience, "factor": factor, "floor": floor,
        }),
    }
}

pub(super) fn largest_norm(key: &str, value: &Value) -> Result<Option<f64>> {
    if value == &Value::Bool(false) {
        return Ok(None);
    }
    positive(key, value).map(Some).map_err(|_| error(key, "false or a number above 0", value))
}

pub(super) fn largest_norm_value(norm: Option<f64>) -> Value {
    norm.map_or(json!(false), |norm| json!(norm))
}

/// Without any strength, images are left as they are.
pub(super) fn augment(key: &str, value: &Value) -> Result<Option<Augmentation>> {
    match value {
        Value::Bool(false) => Ok(None),
        Value::String(text) => text.parse().map(|augment: Augmentation| Some(augment).filter(|it| !it.is_identity())),
        other => Err(error(key, "false, or a text such as gentle or \"shift 2, rotate 10\"", other)),
    }
}

pub(super) fn augment_value(augment: Option<Augmentation>) -> Value {
    augment.map_or(json!(false), |augment| json!(augment.to_string()))
}

pub(super) fn average(key: &str, value: &Value) -> Result<Option<Averaging>> {
    if value == &Value::Bool(false) {
        return Ok(None);
    }
    if !value.is_object() && !value.is_string() {
        return Err(error(key, "false, ema, or a table such as { name = \"mean\", epochs = 5 }", value));
    }
    let mut choice = Choice::new(key, value, &Averaging::NAMES)?;
    let average = match choice.name {
        "ema" => Averaging::Ema { decay: choice.optional("decay", Averaging::DECAY, below_one)? },
        _ => {
            choice.needs_table("{ name = \"mean\", epochs = 5 }")?;
            Averaging::Mean { epochs: choice.required("epochs", |key, value| count(key, value, 1))? }
        }
    };
    choice.finish(Some(average))
}

pub(super) fn average_value(average: Option<Averaging>) -> Value {
    match average {
        None => json!(false),
        Some(Averaging::Ema { decay }) => json!({ "name": "ema", "decay": decay }),
        Some(Averaging::Mean { epochs }) => json!({ "name": "mean", "epochs": epochs }),
    }
}

pub(super) fn validation_split(key: &str, value: &Value) -> Result<ValidationSplit> {
    named(key, value, &ValidationSplit::ALL.map(ValidationSplit::name), ValidationSplit::from_name)
}

pub(super) fn early_stopping(key: &str, value: &Value) -> Result<Option<EarlyStopping>> {
    let expected = "false or a table such as { metric = \"validation.loss\", patience = 5 }";
    if value == &Value::Bool(false) {
        return Ok(None);
    }
    let table = value.as_object().ok_or_else(|| error(key, expected, value))?;
    let mut parameters = Parameters::of_table(key, table);
    let metric = parameters.required("metric", validation_metric)?;
    let patience = parameters.required("patience", |key, value| count(key, value, 1))?;
    parameters.finish(Some(EarlyStopping { metric, patience }))
}

pub(super) fn early_stopping_value(rule: Option<EarlyStopping>) -> Value {
    match rule {
        None => json!(false),
        Some(rule) => json!({ "metric": rule.metric.name(), "patience": rule.patience }),
    }
}

pub(super) fn validation_metric(key: &str, value: &Value) -> Result<ValidationMetric> {
    named(key, value, &ValidationMetric::ALL.map(ValidationMetric::name), ValidationMetric::from_name)
}

pub(super) fn evaluate_train(key: &str, value: &Value) -> Result<EvaluateTrain> {
    if value.as_str() == Some("all") {
        return Ok(EvaluateTrain::All);
    }
    match count(key, value, 1) {
        Ok(n_samples) => Ok(EvaluateTrain::Count(n_samples)),
        Err(_) => Err(error(key, "an integer of at least 1, or \"all\"", value)),
    }
}

pub(super) fn evaluate_train_value(n_samples: EvaluateTrain) -> Value {
    match n_samples {
        EvaluateTrain::Count(n_samples) => json!(n_samples),
        EvaluateTrain::All => json!("all"),
    }
}
