//! The table of keys: each with its name, its meaning, its range, and the way into a [`TrainConfig`] and out of it.

use std::fmt;

use serde_json::{Map, Value, json};

use super::wording::{nearest, shown, suggest};
use super::{TrainConfig, choices, values};
use crate::error::{Error, Result};

/// One key of a configuration.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Key {
    /// The key as written in a file.
    pub name: &'static str,
    /// What it means, in one line.
    pub meaning: &'static str,
    /// The values it takes, in one line.
    pub range: &'static str,
    /// Takes over a value; the text is the key as an error names it.
    set: fn(&mut TrainConfig, &str, &Value) -> Result<()>,
    get: fn(&TrainConfig) -> Value,
}

const BATCH_NORM: &str = "batch_norm";

const KEYS: &[Key] = &[
    Key {
        name: "hidden",
        meaning: "units of each hidden layer",
        range: "a list of integers of at least 1, such as [512, 256]; [] for none",
        set: |config, key, value| choices::hidden(key, value).map(|hidden| config.hidden = hidden),
        get: |config| json!(config.hidden),
    },
    Key {
        name: "bias",
        meaning: "whether layers have biases",
        range: "true or false",
        set: |config, key, value| values::boolean(key, value).map(|bias| config.bias = bias),
        get: |config| json!(config.bias),
    },
    Key {
        name: "activation",
        meaning: "activation of the hidden layers",
        range: "sigmoid, tanh, relu or identity; or a list with one for each hidden layer",
        set: |config, key, value| choices::hidden_activations(key, value).map(|each| config.activation = each),
        get: |config| choices::hidden_activations_value(&config.activation),
    },
    Key {
        name: "output_activation",
        meaning: "activation of the outputs",
        range: "sigmoid, tanh, relu, identity or softmax",
        set: |config, key, value| choices::activation(key, value).map(|output| config.output_activation = output),
        get: |config| json!(config.output_activation.name()),
    },
    Key {
        name: "encoding",
        meaning: "how a class becomes target bits; where classes are words and nobody chose, one-hot",
        range: "ascii, binary, one-hot or { name = \"random\", bits = 16 }",
        set: |config, key, value| choices::encoding(key, value).map(|encoding| config.encoding = encoding),
        get: |config| choices::encoding_value(config.encoding),
    },
    Key {
        name: "decoding",
        meaning: "how an answer is read from the outputs",
        range: "auto (nearest for one-hot, exact for codes), exact (every bit) or nearest (the nearest code)",
        set: |config, key, value| choices::decoding(key, value).map(|decoding| config.decoding = decoding),
        get: |config| choices::decoding_value(config.decoding),
    },
    Key {
        name: "initializer",
        meaning: "distribution of the first weights",
        range: "glorot-uniform, glorot-normal, lecun-uniform, lecun-normal, he-uniform, he-normal, uniform-0-1, \
             { name = \"glorot-uniform\", gain = 2 } and so on, { name = \"uniform\", low = -1, high = 1 } or \
             { name = \"normal\", mean = 0, deviation = 0.1 }",
        set: |config, key, value| choices::initializer(key, value).map(|initializer| config.initializer = initializer),
        get: |config| choices::initializer_value(config.initializer),
    },
    Key {
        name: "loss",
        meaning: "what an answer costs",
        range: "absolute, squared, half-squared, rmse, cross-entropy (sigmoid outputs), softmax-cross-entropy (softmax) or \
             poisson (identity)",
        set: |config, key, value| choices::loss(key, value).map(|loss| config.loss = loss),
        get: |config| json!(config.loss.name()),
    },
    Key {
        name: "reduction",
        meaning: "how the losses of a sample's outputs are combined",
        range: "mean or sum",
        set: |config, key, value| choices::reduction(key, value).map(|reduction| config.reduction = reduction),
        get: |config| json!(config.reduction.name()),
    },
    Key {
        name: "label_smoothing",
        meaning: "ε: the share of a training target that goes to the other answers; metrics take labels as they are",
        range: "a number of at least 0 and below 1, for the cross-entropies",
        set: |config, key, value| values::below_one(key, value).map(|share| config.label_smoothing = share),
        get: |config| json!(config.label_smoothing),
    },
    Key {
        name: "class_weights",
        meaning: "what training samples of each class count in the loss that is minimised; metrics count all the same",
        range: "false, balanced (n / (k·n_c): each of k classes counts the same in all), or a list with a number of at \
             least 0 for each class, such as [1, 1, 20]",
        set: |config, key, value| choices::class_weights(key, value).map(|weights| config.class_weights = weights),
        get: |config| choices::class_weights_value(config.class_weights.as_ref()),
    },
    Key {
        name: "precision",
        meaning: "type of numbers; bf16: products of training with eight bits of each factor, all else f32, which pays for \
             wide nets in batches of 128 or more on processors with AVX-512 BF16, there 1.5 to 1.9 times as fast",
        range: "f32, f64, or bf16 for batches of 2 or more",
        set: |config, key, value| choices::precision(key, value).map(|precision| config.precision = precision),
        get: |config| json!(config.precision.name()),
    },
    Key {
        name: "optimizer",
        meaning: "update rule",
        range: "sgd, momentum, nesterov, adam, adamw; or a table such as { name = \"momentum\", momentum = 0.9 } or \
             { name = \"adamw\", beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, decay = 0.01 }",
        set: |config, key, value| choices::optimizer(key, value).map(|optimizer| config.optimizer = optimizer),
        get: |config| choices::optimizer_value(config.optimizer),
    },
    Key {
        name: "learning_rate",
        meaning: "step length η",
        range: "a number above 0",
        set: |config, key, value| values::positive(key, value).map(|rate| config.learning_rate = rate),
        get: |config| json!(config.learning_rate),
    },
    Key {
        name: "l2",
        meaning: "γ: adds γ·W to the gradient of the weights",
        range: "a number of at least 0, with η·γ below 1",
        set: |config, key, value| values::not_negative(key, value).map(|l2| config.l2 = l2),
        get: |config| json!(config.l2),
    },
    Key {
        name: "l1",
        meaning: "γ₁: adds γ₁·sign(W) to the gradient of the weights",
        range: "a number of at least 0",
        set: |config, key, value| values::not_negative(key, value).map(|l1| config.l1 = l1),
        get: |config| json!(config.l1),
    },
    Key {
        name: "clip_norm",
        meaning: "largest norm of the gradient of all weights; a longer one is shortened to it",
        range: "false or a number above 0, such as 1.0",
        set: |config, key, value| choices::largest_norm(key, value).map(|norm| config.clip_norm = norm),
        get: |config| choices::largest_norm_value(config.clip_norm),
    },
    Key {
        name: "dropout",
        meaning: "fraction of a hidden layer's outputs that each step leaves out; the whole network is measured",
        range: "a number of at least 0 and below 1, such as 0.5; or a list with one for each hidden layer",
        set: |config, key, value| choices::dropout(key, value).map(|rates| config.dropout = rates),
        get: |config| choices::dropout_value(&config.dropout),
    },
    Key {
        name: "input_dropout",
        meaning: "fraction of the inputs that each step leaves out",
        range: "a number of at least 0 and below 1, such as 0.2",
        set: |config, key, value| values::below_one(key, value).map(|rate| config.input_dropout = rate),
        get: |config| json!(config.input_dropout),
    },
    Key {
        name: "max_norm",
        meaning: "largest norm of each unit's weights; longer ones are shortened to it after a step",
        range: "false or a number above 0, such as 3.0",
        set: |config, key, value| choices::largest_norm(key, value).map(|norm| config.max_norm = norm),
        get: |config| choices::largest_norm_value(config.max_norm),
    },
    Key {
        name: BATCH_NORM,
        meaning: "whether the net inputs of hidden layers are normalised over the batch; answers are by running statistics",
        range: "true or false; true needs batches of 2 or more",
        set: |config, key, value| values::boolean(key, value).map(|batch_norm| config.batch_norm = batch_norm),
        get: |config| json!(config.batch_norm),
    },
    Key {
        name: "augment",
        meaning: "how training images are deformed, anew in each epoch",
        range: "false; gentle, simard or ciresan, with a factor for all strengths such as \"ciresan 0.5\"; or a list of \
             largest strengths: \"shift 2, rotate 10, scale 0.1, shear 0.1, elastic 6 36, thickness 0.5\" (pixels, \
             degrees, fractions, elastic sigma and alpha in pixels)",
        set: |config, key, value| choices::augment(key, value).map(|augment| config.augment = augment),
        get: |config| choices::augment_value(config.augment),
    },
    Key {
        name: "schedule",
        meaning: "how the learning rate changes, in epochs; it ends at floor times the rate, a fraction of it",
        range: "constant, { name = \"step\", every = 10, factor = 0.5 }, { name = \"cosine\", warmup = 1, floor = 0 }, \
             { name = \"one-cycle\", rise = 0.3, start = 0.04, floor = 4e-6 } (rise: a fraction of the run), \
             { name = \"warm-restarts\", every = 10, growth = 2, floor = 0 } or { name = \"plateau\", \
             metric = \"validation.loss\", patience = 10, factor = 0.1, floor = 0 } (needs validation)",
        set: |config, key, value| choices::schedule(key, value).map(|schedule| config.schedule = schedule),
        get: |config| choices::schedule_value(config.schedule),
    },
    Key {
        name: "average",
        meaning: "mean of the weights that is measured, kept and saved",
        range: "false, { name = \"ema\", decay = 0.999 } (over the steps) or { name = \"mean\", epochs = 5 } (the last ones)",
        set: |config, key, value| choices::average(key, value).map(|average| config.average = average),
        get: |config| choices::average_value(config.average),
    },
    Key {
        name: "batch_size",
        meaning: "samples per update",
        range: "an integer from 1 to the number of training samples",
        set: |config, key, value| values::count(key, value, 1).map(|size| config.batch_size = size),
        get: |config| json!(config.batch_size),
    },
    Key {
        name: "epochs",
        meaning: "passes over the training samples",
        range: "an integer of at least 0",
        set: |config, key, value| values::count(key, value, 0).map(|epochs| config.epochs = epochs),
        get: |config| json!(config.epochs),
    },
    Key {
        name: "validation",
        meaning: "samples split off for validation",
        range: "an integer from 0, below the number of training samples",
        set: |config, key, value| values::count(key, value, 0).map(|n_samples| config.validation = n_samples),
        get: |config| json!(config.validation),
    },
    Key {
        name: "validation_split",
        meaning: "how validation samples are chosen",
        range: "random, or stratified: of each class its share, so that none vanishes from training",
        set: |config, key, value| choices::validation_split(key, value).map(|split| config.validation_split = split),
        get: |config| json!(config.validation_split.name()),
    },
    Key {
        name: "early_stopping",
        meaning: "when to stop before the last epoch",
        range: "false or a table such as { metric = \"validation.loss\", patience = 5 }; needs validation",
        set: |config, key, value| choices::early_stopping(key, value).map(|rule| config.early_stopping = rule),
        get: |config| choices::early_stopping_value(config.early_stopping),
    },
    Key {
        name: "evaluate_train",
        meaning: "training samples measured after each epoch",
        range: "an integer of at least 1, or \"all\"",
        set: |config, key, value| {
            choices::evaluate_train(key, value).map(|n_samples| config.evaluate_train = n_samples)
        },
        get: |config| choices::evaluate_train_value(config.evaluate_train),
    },
    Key {
        name: "seed",
        meaning: "where every random choice begins",
        range: "an integer from 0 to 9223372036854775807",
        set: |config, key, value| values::seed(key, value).map(|seed| config.seed = seed),
        get: |config| json!(config.seed),
    },
];

impl Key {
    /// Sets this key from a value of a TOML or JSON file.
    ///
    /// # Errors
    ///
    /// For a value of the wrong type or outside the range of this key alone. The configuration is then unchanged.
    pub fn set(&self, config: &mut TrainConfig, value: &Value) -> Result<()> {
        (self.set)(config, self.name, value)
    }

    /// The value of this key, as [`Key::set`] takes it.
    pub fn get(&self, config: &TrainConfig) -> Value {
        (self.get)(config)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Key { name, meaning, range, .. } = self;
        f.debug_struct("Key")
            .field("name", name)
            .field("meaning", meaning)
            .field("range", range)
            .finish_non_exhaustive()
    }
}

impl TrainConfig {
    /// Every key, in the order of a configuration file.
    pub const KEYS: &'static [Key] = KEYS;

    /// The key of that name.
    pub fn key(name: &str) -> Option<&'static Key> {
        KEYS.iter().find(|key| key.name == name)
    }

    /// Sets one key from a value of a TOML or JSON file.
    ///
    /// # Errors
    ///
    /// For an unknown key, and for a value of the wrong type or outside the range of this key alone. The configuration
    /// is then unchanged.
    ///
    /// ```
    /// use mlp_train::TrainConfig;
    /// use serde_json::json;
    ///
    /// let mut config = TrainConfig::default();
    /// config.set("hidden", &json!([64, 32])).unwrap();
    /// let error = config.set("learnig_rate", &json!(0.1)).unwrap_err();
    /// assert!(error.to_string().ends_with("did you mean learning_rate?"));
    /// ```
    pub fn set(&mut self, key: &str, value: &Value) -> Result<()> {
        match Self::key(key) {
            Some(key) => key.set(self, value),
            None => Err(Self::unknown_key(key, &[])),
        }
    }

    /// The value of one key, as [`TrainConfig::set`] takes it; null for an unknown key.
    pub fn get(&self, key: &str) -> Value {
        Self::key(key).map_or(Value::Null, |key| key.get(self))
    }

    /// Every key with its value; `batch_norm` only where it is true, so that what is written without it is as it was before there
    /// was this key.
    pub fn to_map(&self) -> Map<String, Value> {
        let written = KEYS.iter().filter(|key| self.batch_norm || key.name != BATCH_NORM);
        written.map(|key| (key.name.to_owned(), key.get(self))).collect()
    }

    /// The configuration with these keys; those that are missing have their defaults.
    ///
    /// # Errors
    ///
    /// As [`TrainConfig::set`], for the first key at fault.
    pub fn from_map(map: &Map<String, Value>) -> Result<Self> {
        let mut config = Self::default();
        map.iter().try_for_each(|(key, value)| config.set(key, value))?;
        Ok(config)
    }

    /// The configuration with these keys, and the entries under other keys: those of the program around the run. A program
    /// that knows all of its own refuses the rest by [`TrainConfig::unknown_key`].
    ///
    /// # Errors
    ///
    /// As [`Key::set`], for the first key at fault.
    ///
    /// ```
    /// use mlp_train::TrainConfig;
    /// use serde_json::json;
    ///
    /// let map = json!({ "data": "mnist", "hidden": [64] });
    /// let (config, rest) = TrainConfig::split_map(map.as_object().unwrap())?;
    /// assert_eq!(config, TrainConfig::new().hidden([64]));
    /// assert_eq!(serde_json::Value::from(rest), json!({ "data": "mnist" }));
    /// # Ok::<(), mlp_train::Error>(())
    /// ```
    pub fn split_map(map: &Map<String, Value>) -> Result<(Self, Map<String, Value>)> {
        let (mut config, mut rest) = (Self::default(), Map::new());
        for (name, value) in map {
            match Self::key(name) {
                Some(key) => key.set(&mut config, value)?,
                None => drop(rest.insert(name.clone(), value.clone())),
            }
        }
        Ok((config, rest))
    }

    /// The error of a key that is none: it names all keys and `others`, those that the program knows besides, and the nearest
    /// one among them.
    ///
    /// ```
    /// let error = mlp_train::TrainConfig::unknown_key("dta", &["name", "data"]);
    /// assert!(error.to_string().ends_with("did you mean data?"));
    /// ```
    pub fn unknown_key(key: &str, others: &[&str]) -> Error {
        let names: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
        let candidates = [names.as_slice(), others].concat();
        let error = Error::of_key(shown(key), format!("one of the keys {}", candidates.join(", ")), "an unknown key");
        suggest(error, nearest(key, &candidates))
    }
}
