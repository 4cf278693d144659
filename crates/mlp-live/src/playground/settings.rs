//! What is to be trained in a playground, and what there is to choose from.

use mlp_core::{Activation, Loss};
use mlp_train::{TargetEncoding, TrainConfig};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// What is to be trained.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The name of the data.
    pub data: String,
    /// How many of the training images; all where there is none.
    #[serde(default)]
    pub train_size: Option<usize>,
    /// How many of the test images; all where there is none.
    #[serde(default)]
    pub test_size: Option<usize>,
    /// Keys of a configuration, as in a file; the others have their defaults.
    #[serde(default)]
    pub config: Map<String, Value>,
    /// A session that ends with this: whoever starts anew has one at a time.
    #[serde(default)]
    pub replaces: Option<String>,
}

/// What there is to choose from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Choices {
    /// The names of the data, that which is taken first in front.
    pub data: Vec<String>,
    /// The activations of hidden layers.
    pub activations: Vec<&'static str>,
    /// The initialisers, and whether each takes a gain.
    pub initializers: Vec<(&'static str, bool)>,
    /// The losses, and the output activation that each asks for.
    pub losses: Vec<(&'static str, Option<&'static str>)>,
    /// The update rules.
    pub optimizers: Vec<&'static str>,
    /// The codes of the classes.
    pub encodings: Vec<&'static str>,
    /// Stories to begin with.
    pub presets: Vec<Preset>,
    /// Every key of a configuration: its name, meaning, range and default.
    pub keys: Vec<KeyDescription>,
}

/// A story: settings, and what to see.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Preset {
    /// For links.
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    /// What happens, and where to look.
    pub story: &'static str,
    /// The settings; the data are those that are there.
    pub settings: Settings,
}

/// A key of a configuration.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KeyDescription {
    /// As in a file.
    pub name: &'static str,
    /// In one line.
    pub meaning: &'static str,
    /// In one line.
    pub range: &'static str,
    /// Its default.
    pub default: Value,
}

pub(super) fn choices(data: Vec<String>) -> Choices {
    let defaults = TrainConfig::default();
    let presets = presets(data.first().cloned().unwrap_or_default());
    Choices {
        data,
        activations: Activation::ALL
            .into_iter()
            .filter(|one| *one != Activation::Softmax)
            .map(Activation::name)
            .collect(),
        initializers: vec![
            ("glorot-uniform", true),
            ("glorot-normal", true),
            ("lecun-uniform", true),
            ("lecun-normal", true),
            ("he-uniform", true),
            ("he-normal", true),
            ("uniform-0-1", false),
        ],
        // Poisson's is for counts, and here are classes.
        losses: mlp_core::Loss::ALL
            .into_iter()
            .filter(|loss| *loss != mlp_core::Loss::Poisson)
            .map(|loss| (loss.name(), loss.required_output().map(Activation::name)))
            .collect(),
        optimizers: vec!["sgd", "momentum", "nesterov", "adam", "adamw"],
        encodings: vec!["ascii", "binary", "one-hot"],
        presets,
        keys: TrainConfig::KEYS
            .iter()
            .map(|key| KeyDescription {
                name: key.name,
                meaning: key.meaning,
                range: key.range,
                default: defaults.get(key.name),
            })
            .collect(),
    }
}

/// Which knob of the page to turn where loss, outputs and codes do not go together; nothing where they do.
pub(super) fn misfit(config: &TrainConfig, classes: &[String]) -> Option<String> {
    let (loss, output, encoding) = (config.loss, config.output_activation, config.encoding);
    let required = loss.required_output().unwrap_or(output);
    if required != output {
        return Some(format!(
            "Loss and outputs do not go together: {loss} needs {required} outputs, found output_activation = {output}; delete that \
             line of the other keys, or set Loss to one that goes with {output}, such as {}.",
            fitting(output)
        ));
    }
    if encoding.check_classes(classes).is_err() {
        return Some(format!(
            "Code and data do not go together: the classes are words, which have no {encoding} codes; set Code to one-hot or \
             binary."
        ));
    }
    (output == Activation::Softmax && encoding != TargetEncoding::OneHot).then(|| {
        format!(
            "Loss and Code do not go together: the outputs of softmax sum to 1, as no codes do but those with one output a class, \
             found {encoding}; set Code to one-hot, or Loss to cross-entropy."
        )
    })
}

/// The loss that goes best with such outputs.
fn fitting(output: Activation) -> &'static str {
    let fits = |loss: &Loss| loss.required_output() == Some(output);
    Loss::ALL.iter().find(|loss| fits(loss)).map_or(Loss::Squared.name(), |loss| loss.name())
}

/// What the paper did, and what learns.
fn presets(data: String) -> Vec<Preset> {
    let settings = |config: Value| {
        let mut all = json!({
            "activation": "sigmoid", "output_activation": "sigmoid", "encoding": "ascii", "reduction": "mean",
            "optimizer": "sgd", "schedule": "constant", "evaluate_train": 500, "epochs": 10,
        });
        if let (Some(all), Value::Object(config)) = (all.as_object_mut(), config) {
            all.extend(config);
        }
        let Value::Object(config) = all else { unreachable!("an object was written") };
        Settings { data: data.clone(), train_size: Some(2_000), test_size: Some(1_000), config, replaces: None }
    };
    let (three, seven) = (json!([512, 256, 128]), json!([512, 256, 128, 64, 32, 16, 8]));
    let paper = |hidden: &Value, loss: &str| {
        settings(json!({
            "hidden": hidden, "bias": false, "initializer": "uniform-0-1", "loss": loss, "learning_rate": 1.0, "batch_size": 1,
            "precision": "f64", "epochs": 3,
        }))
    };
    let gain = |gain: f64| json!({ "name": "glorot-uniform", "gain": gain });
    let learner = |hidden: &Value, initializer: Value, epochs: usize| {
        settings(json!({
            "hidden": hidden, "initializer": initializer, "loss": "cross-entropy", "optimizer": "adam", "learning_rate": 0.003,
            "batch_size": 32, "epochs": epochs,
        }))
    };
    vec![
        Preset {
            name: "never-moves",
            title: "The paper’s three layers: the net that never moves",
            story: "All weights are drawn from 0 to 1, so every unit adds up hundreds of positive numbers and is saturated \
                    before training begins: the first column of the map is red already. A saturated unit passes no gradient \
                    back, so nothing moves, and the net answers the same to every image.",
            settings: paper(&three, "rmse"),
        },
        Preset {
            name: "only-ones",
            title: "The paper’s seven layers: it only learns to answer one digit",
            story: "Seven layers of the same weights. The last one is narrow enough to move, and that is all that does: what it \
                    learns is one answer for all images. Watch the accuracy stop at the dotted line, which the best constant \
                    answer reaches, or a little below it, where it is another answer.",
            settings: paper(&seven, "absolute"),
        },
        Preset {
            name: "glorot",
            title: "The same three layers with Glorot’s weights",
            story: "Weights of both signs, as large as Glorot and Bengio advise: hardly any unit is saturated at the beginning, the gradient arrives, and \
                    the net leaves the constant answers behind within an epoch.",
            settings: learner(&three, gain(1.0), 10),
        },
        Preset {
            name: "deep-glorot",
            title: "Seven layers with Glorot’s weights: too faint",
            story: "A sigmoid’s slope is a quarter where it is steepest, so seven of them in a row leave hardly anything of what \
                    differs from image to image: look at the variety of the later layers, and at the doctor’s sentence. The net \
                    stays at the dotted line. What little it can do, push units to one side for all images alike, it does: so \
                    saturation grows, as a consequence and not as the cause.",
            settings: learner(&seven, gain(1.0), 30),
        },
        Preset {
            name: "gain-of-two",
            title: "Seven layers with a gain of 2",
            story: "The same weights, twice as large: enough to make up for the sigmoid’s slope. Variety reaches the last layer; \
                    the net stands at the dotted line for some epochs, then leaves it behind, slowly at first.",
            settings: learner(&seven, gain(2.0), 30),
        },
        Preset {
            name: "relu",
            title: "What one would take today",
            story: "ReLU units with He’s weights, softmax and cross-entropy, one output a digit.",
            settings: settings(json!({
                "hidden": [128, 64], "activation": "relu", "output_activation": "softmax", "encoding": "one-hot",
                "initializer": "he-normal", "loss": "softmax-cross-entropy", "reduction": "sum", "optimizer": "adam",
                "learning_rate": 0.002, "batch_size": 32, "epochs": 10,
            })),
        },
    ]
}
