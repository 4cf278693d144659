//! Configurations and their choices as serde and [`str::parse`] see them: by the table of keys, with its errors.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use super::values::named;
use super::{EvaluateTrain, Precision, TrainConfig, ValidationMetric, ValidationSplit, choices};
use crate::decoding::Decoding;
use crate::encoding::TargetEncoding;
use crate::error::{Error, Result};
use crate::optimizer::Optimizer;
use crate::schedule::Schedule;

/// Every key with its value, in the order of [`TrainConfig::KEYS`].
impl Serialize for TrainConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(Self::KEYS.len()))?;
        for key in Self::KEYS {
            map.serialize_entry(key.name, &key.get(self))?;
        }
        map.end()
    }
}

/// Keys that are missing have their defaults; unknown keys, keys that come twice and values out of range are refused.
impl<'de> Deserialize<'de> for TrainConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_map(ConfigVisitor)
    }
}

struct ConfigVisitor;

impl<'de> Visitor<'de> for ConfigVisitor {
    type Value = TrainConfig;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of the keys of a configuration")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<TrainConfig, A::Error> {
        let (mut config, mut seen) = (TrainConfig::default(), BTreeSet::new());
        while let Some((key, value)) = map.next_entry::<String, Value>()? {
            config.set(&key, &value).map_err(A::Error::custom)?;
            if seen.contains(&key) {
                return Err(A::Error::custom(Error::of_key(key, "each key once", "it twice")));
            }
            seen.insert(key);
        }
        Ok(config)
    }
}

/// A choice that is written under one key.
fn deserialized<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    key: &str,
    parse: fn(&str, &Value) -> Result<T>,
) -> std::result::Result<T, D::Error> {
    parse(key, &Value::deserialize(deserializer)?).map_err(D::Error::custom)
}

impl Serialize for Optimizer {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        choices::optimizer_value(*self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Optimizer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserialized(deserializer, "optimizer", choices::optimizer)
    }
}

impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        choices::schedule_value(*self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserialized(deserializer, "schedule", choices::schedule)
    }
}

impl Serialize for TargetEncoding {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        choices::encoding_value(*self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for TargetEncoding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserialized(deserializer, "encoding", choices::encoding)
    }
}

impl Serialize for Decoding {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        json!(self.name()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Decoding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let parse =
            |key: &str, value: &Value| named(key, value, &Decoding::ALL.map(Decoding::name), Decoding::from_name);
        deserialized(deserializer, "decoding", parse)
    }
}

impl Serialize for EvaluateTrain {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        choices::evaluate_train_value(*self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for EvaluateTrain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserialized(deserializer, "evaluate_train", choices::evaluate_train)
    }
}

impl Serialize for Precision {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        json!(self.name()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Precision {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserialized(deserializer, "precision", choices::precision)
    }
}

impl Serialize for ValidationMetric {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        json!(self.name()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ValidationMetric {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserialized(deserializer, "early_stopping.metric", choices::validation_metric)
    }
}

impl Serialize for ValidationSplit {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        json!(self.name()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ValidationSplit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserialized(deserializer, "validation_split", choices::validation_split)
    }
}

/// By its name, with the usual parameters.
impl FromStr for Optimizer {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        choices::optimizer("optimizer", &json!(name))
    }
}

/// By its name; `step` is refused, as it says nothing without its numbers.
impl FromStr for Schedule {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        choices::schedule("schedule", &json!(name))
    }
}

/// By its name; random codes have 16 bits.
impl FromStr for TargetEncoding {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        choices::encoding("encoding", &json!(name))
    }
}

/// By its name.
impl FromStr for Decoding {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        named("decoding", &json!(name), &Decoding::ALL.map(Decoding::name), Decoding::from_name)
    }
}

/// By its name.
impl FromStr for Precision {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        choices::precision("precision", &json!(name))
    }
}

/// By its name, such as `validation.loss`.
impl FromStr for ValidationMetric {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        choices::validation_metric("early_stopping.metric", &json!(name))
    }
}

/// By its name.
impl FromStr for ValidationSplit {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        choices::validation_split("validation_split", &json!(name))
    }
}
