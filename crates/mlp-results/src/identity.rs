//! The identity of a trial: a hash of everything that affects its numbers, and of nothing else.
//!
//! Two trials with the same identity compute the same weights on the same kind of processor, so a finished one need
//! never be run again. Names, folders and thread counts are left out. A key at its *frozen* default is left out too:
//! a key that a later version adds, with a default that means "as before", then changes no old identity.

use mlp_train::{Precision, TrainConfig, canonical_json};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// The version of the numerics: it is raised whenever the same configuration starts to give other weights.
///
/// - 2: with batches of one sample, the sums of back-propagation are taken panel by panel.
/// - 3: plain gradient descent on single samples writes the weights once for several of them.
/// - 4: with batches of 128 or more, the sums of back-propagation are taken unit after unit; numbers are negligible below 1e-19
///   instead of 1e-31, and activations too.
/// - 5: the latter for plain gradient descent on single samples.
pub const NUMERICS_VERSION: u32 = 4;

/// The same for configurations of plain gradient descent on single samples, whose weights are written once for several
/// samples ([`OneByOne`](mlp_train::mlp_core::OneByOne)). All are written under one key and never share a number. Which configurations are among these, and how many samples go together, is part of the numerics.
pub const NUMERICS_VERSION_OF_SINGLE_SAMPLES: u32 = 5;

/// The same for the precision `bf16`: which numbers are rounded, what becomes of very small and very large ones, and in which
/// order pairs of products are summed. The next is 7, for any of the three.
pub const NUMERICS_VERSION_OF_BF16: u32 = 6;

/// The newest of the three.
const NEWEST: u32 = NUMERICS_VERSION_OF_BF16;

/// Keys that say under which name and from which place, not what, is computed.
const LEFT_OUT: [&str; 4] = ["name", "data", "classes", "threads"];

/// The values at which a key is left out of the identity, as JSON. The defaults of [`TrainConfig`] may change; these
/// must not: a line may be added for a new key, none may be changed or removed.
const FROZEN_DEFAULTS: &[(&str, &str)] = &[
    ("hidden", "[256,128]"),
    ("bias", "true"),
    ("activation", "\"sigmoid\""),
    ("output_activation", "\"sigmoid\""),
    ("encoding", "\"ascii\""),
    ("decoding", "\"auto\""),
    ("initializer", "\"glorot-uniform\""),
    ("loss", "\"cross-entropy\""),
    ("reduction", "\"mean\""),
    ("label_smoothing", "0.0"),
    ("class_weights", "false"),
    ("precision", "\"f32\""),
    ("optimizer", "\"sgd\""),
    ("learning_rate", "1.0"),
    ("l2", "0.0"),
    ("l1", "0.0"),
    ("clip_norm", "false"),
    ("dropout", "0.0"),
    ("input_dropout", "0.0"),
    ("max_norm", "false"),
    ("batch_norm", "false"),
    ("augment", "false"),
    ("schedule", "\"constant\""),
    ("average", "false"),
    ("batch_size", "32"),
    ("epochs", "10"),
    ("validation", "0"),
    ("validation_split", "\"random\""),
    ("early_stopping", "false"),
    ("evaluate_train", "10000"),
    ("seed", "0"),
    ("train_size", "null"),
    ("test_size", "null"),
];

/// The identity of a trial: 32 hexadecimal digits, the first half of a SHA-256.
///
/// `config` is a full configuration, every key of [`TrainConfig`] with `train_size` and `test_size`, and `data_sha256`
/// the hash of the decoded data. Numbers are typed by their key, so `1` and `1.0` are the same learning rate; a key
/// that is missing has the default of [`TrainConfig`]; a value that no configuration can have is taken as it stands.
///
/// ```
/// use mlp_results::trial_id;
/// use mlp_train::TrainConfig;
/// use serde_json::json;
///
/// let mut config = TrainConfig::default().to_map();
/// let id = trial_id(&config, "a hash");
/// config.insert("name".into(), json!("another name"));
/// assert_eq!(trial_id(&config, "a hash"), id);
/// config.insert("seed".into(), json!(1));
/// assert_ne!(trial_id(&config, "a hash"), id);
/// ```
pub fn trial_id(config: &Map<String, Value>, data_sha256: &str) -> String {
    identity(config, data_sha256, numerics_version(config))
}

/// Whether `trial` is the identity of this configuration and these data, by the numerics of this version or of any before it:
/// a record does not say by which it was computed.
pub(crate) fn is_identity(trial: &str, config: &Map<String, Value>, data_sha256: &str) -> bool {
    let is_it = |config: &Map<String, Value>| {
        let own = numerics_version(config);
        let versions = std::iter::once(own).chain((1..=NEWEST).filter(|version| *version != own));
        versions.into_iter().any(|version| identity(config, data_sha256, version) == trial)
    };
    // Asking for all samples by their number is asking for all samples, and which number that is only the data say.
    let without = |keys: &[&str]| {
        let mut config = config.clone();
        config.retain(|key, _| !keys.contains(&key.as_str()));
        config
    };
    let is_sized = |key: &&str| config.get(*key).is_some_and(Value::is_number);
    let sizes: Vec<&str> = ["train_size", "test_size"].into_iter().filter(is_sized).collect();
    is_it(config) || sizes.iter().any(|size| is_it(&without(&[size]))) || (sizes.len() > 1 && is_it(&without(&sizes)))
}

fn identity(config: &Map<String, Value>, data_sha256: &str, numerics: u32) -> String {
    let mut typed = TrainConfig::default().to_map();
    typed.extend(config.iter().map(|(key, value)| (key.clone(), canonical_value(key, value))));
    typed.retain(|key, value| !LEFT_OUT.contains(&key.as_str()) && !is_frozen_default(key, value));
    let identity = json!({ "config": typed, "data": data_sha256, "numerics": numerics });
    hex::encode(&Sha256::digest(canonical_json(&identity))[..16])
}

fn numerics_version(config: &Map<String, Value>) -> u32 {
    let mut typed = TrainConfig::default();
    for (key, value) in config {
        // What no configuration can have makes no difference.
        let _ = typed.set(key, value);
    }
    match typed.precision {
        Precision::Bf16 => NUMERICS_VERSION_OF_BF16,
        Precision::F32 | Precision::F64 if typed.descends_on_single_samples() => NUMERICS_VERSION_OF_SINGLE_SAMPLES,
        Precision::F32 | Precision::F64 => NUMERICS_VERSION,
    }
}

/// The value as its key types it.
fn canonical_value(key: &str, value: &Value) -> Value {
    let mut scratch = TrainConfig::default();
    match scratch.set(key, value) {
        Ok(()) => {
            // One activation for all layers and the same one for each are one choice, and so are rates of dropout.
            if scratch.activation.windows(2).all(|pair| pair[0] == pair[1]) {
                scratch.activation.truncate(1);
            }
            if scratch.dropout.windows(2).all(|pair| pair[0] == pair[1]) {
                scratch.dropout.truncate(1);
            }
            renamed(scratch.get(key))
        }
        Err(_) => value.clone(),
    }
}

/// Under the name that the metric of an early stopping had first: a new name is no new trial.
fn renamed(mut value: Value) -> Value {
    if let Some(metric) = value.get_mut("metric")
        && *metric == "validation.exact_accuracy"
    {
        *metric = json!("validation.digit_accuracy");
    }
    value
}

fn is_frozen_default(key: &str, value: &Value) -> bool {
    FROZEN_DEFAULTS.iter().any(|&(name, default)| name == key && canonical_json(value) == default)
}
