//! What a configuration accepts, and what it says otherwise.

use insta::assert_snapshot;
use mlp_core::{Activation, Initializer, Loss};
use mlp_train::{
    Augmentation, Averaging, ClassWeights, Decoding, EarlyStopping, Error, EvaluateTrain, Optimizer, Precision,
    Schedule, TargetEncoding, TrainConfig, ValidationMetric, ValidationSplit,
};
use proptest::prelude::*;
use serde_json::{Value, json};

#[test]
fn every_key_gives_back_what_was_set() {
    let values = json!({
        "hidden": [512, 16], "bias": false, "activation": ["tanh", "relu"], "output_activation": "softmax",
        "encoding": "one-hot", "decoding": "exact", "initializer": { "name": "normal", "mean": 0.5, "deviation": 0.25 },
        "loss": "softmax-cross-entropy", "reduction": "sum", "label_smoothing": 0.25, "class_weights": [1.0, 2.5], "precision": "f64",
        "optimizer": { "name": "adamw", "beta1": 0.8, "beta2": 0.99, "epsilon": 1e-6, "decay": 0.1 },
        "learning_rate": 0.5, "l2": 0.125, "l1": 0.25, "clip_norm": 1.5,
        "dropout": [0.5, 0.25], "input_dropout": 0.2, "max_norm": 3.5, "batch_norm": true,
        "augment": "shift 2, elastic 6 36",
        "average": { "name": "mean", "epochs": 2 }, "schedule": { "name": "cosine", "warmup": 0.5, "floor": 0.1 },
        "batch_size": 3, "epochs": 7, "validation": 11, "validation_split": "stratified",
        "early_stopping": { "metric": "validation.exact_accuracy", "patience": 2 },
        "evaluate_train": "all", "seed": 9_223_372_036_854_775_807_i64,
    });
    let values = values.as_object().unwrap();
    let config = TrainConfig::from_map(values).unwrap();
    assert_eq!(&config.to_map(), values);
    assert_eq!(config.activation, [Activation::Tanh, Activation::Relu]);
    assert_eq!(config.early_stopping, Some(EarlyStopping { metric: ValidationMetric::ExactAccuracy, patience: 2 }));
    assert_eq!(config.seed, (1 << 63) - 1);
    assert_eq!(values.len(), TrainConfig::KEYS.len());

    // The name that older configurations use.
    let mut older = TrainConfig::default();
    older.set("early_stopping", &json!({ "metric": "validation.digit_accuracy", "patience": 2 })).unwrap();
    assert_eq!(older.early_stopping, config.early_stopping);
}

#[test]
fn random_codes_have_a_length_that_suits_the_classes() {
    let mut config = TrainConfig::default();
    config.set("encoding", &json!({ "name": "random", "bits": 3 })).unwrap();
    assert_eq!(config.get("encoding"), json!({ "name": "random", "bits": 3 }));
    let classes: Vec<char> = ('0'..='9').collect();
    let too_short = config.validate_codes(&config.encoding.codebook(&classes)).unwrap_err();
    assert_eq!(too_short.to_string(), "encoding.bits: expected codes long enough for 10 different ones, found 3");
    config.set("encoding", &json!("random")).unwrap();
    config.validate_codes(&config.encoding.codebook(&classes)).unwrap();
    for bits in [json!(0), json!(65), json!("many")] {
        let error = config.set("encoding", &json!({ "name": "random", "bits": bits })).unwrap_err();
        assert!(error.to_string().starts_with("encoding.bits: expected an integer from 1 to 64"), "{error}");
    }
}

#[test]
fn the_defaults_survive_a_round_trip_and_are_valid_for_mnist() {
    let config = TrainConfig::default();
    assert_eq!(TrainConfig::from_map(&config.to_map()).unwrap(), config);
    config.validate(60_000, 784, 6).unwrap();
}

#[test]
fn every_name_of_every_choice_is_accepted() {
    let mut config = TrainConfig::default();
    let mut accepts = |key: &str, value: Value| {
        config.set(key, &value).unwrap();
        let shown = config.get(key);
        let name = |value: &Value| value.get("name").unwrap_or(value).clone();
        assert_eq!(name(&shown), name(&value), "{key}");
    };
    for activation in Activation::ALL {
        accepts("output_activation", json!(activation.name()));
    }
    for loss in Loss::ALL {
        accepts("loss", json!(loss.name()));
    }
    for encoding in TargetEncoding::ALL {
        accepts("encoding", json!(encoding.name()));
    }
    for precision in Precision::ALL {
        accepts("precision", json!(precision.name()));
    }
    for optimizer in Optimizer::NAMES {
        accepts("optimizer", json!(optimizer));
        accepts("optimizer", json!({ "name": optimizer }));
    }
    for split in ValidationSplit::ALL {
        accepts("validation_split", json!(split.name()));
    }
    for metric in ValidationMetric::ALL {
        accepts("early_stopping", json!({ "metric": metric.name(), "patience": 1 }));
    }
    for initializer in [
        Initializer::Uniform01,
        Initializer::GLOROT_UNIFORM,
        Initializer::GLOROT_NORMAL,
        Initializer::LECUN_UNIFORM,
        Initializer::LECUN_NORMAL,
        Initializer::HE_UNIFORM,
        Initializer::HE_NORMAL,
    ] {
        accepts("initializer", json!(initializer.name()));
    }
    accepts("initializer", json!({ "name": "uniform", "low": -1, "high": 1 }));
    accepts("initializer", json!({ "name": "normal", "deviation": 1 }));
    accepts("average", json!(false));
    accepts("average", json!("ema"));
    accepts("average", json!({ "name": "mean", "epochs": 3 }));
    accepts("augment", json!(false));
    for (preset, _) in Augmentation::PRESETS {
        accepts("augment", json!(preset));
    }
    accepts("clip_norm", json!(false));
    accepts("clip_norm", json!(0.5));
    accepts("dropout", json!(0.5));
    accepts("dropout", json!([0.0, 0.5]));
    accepts("dropout", json!([]));
    accepts("input_dropout", json!(0.2));
    accepts("max_norm", json!(false));
    accepts("max_norm", json!(2.0));
    accepts("batch_norm", json!(false));
    accepts("batch_norm", json!(true));
    accepts("schedule", json!({ "name": "step", "every": 1, "factor": 2 }));
    accepts("schedule", json!({ "name": "warm-restarts", "every": 1 }));
    for name in ["cosine", "one-cycle", "plateau"] {
        accepts("schedule", json!(name));
    }
}

#[test]
fn names_alone_have_the_usual_parameters() {
    let mut config = TrainConfig::default();
    config.set("optimizer", &json!("momentum")).unwrap();
    assert_eq!(config.optimizer, Optimizer::Momentum { momentum: 0.9 });
    config.set("optimizer", &json!("adam")).unwrap();
    assert_eq!(config.optimizer, Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
    config.set("optimizer", &json!({ "name": "adamw", "decay": 0.5 })).unwrap();
    assert_eq!(config.optimizer, Optimizer::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.5 });
    config.set("schedule", &json!("cosine")).unwrap();
    assert_eq!(config.schedule, Schedule::Cosine { warmup: 0.0, floor: 0.0 });
    config.set("schedule", &json!("one-cycle")).unwrap();
    assert_eq!(config.schedule, Schedule::OneCycle { rise: 0.3, start: 0.04, floor: 4e-6 });
    config.set("schedule", &json!({ "name": "warm-restarts", "every": 3 })).unwrap();
    assert_eq!(config.schedule, Schedule::WarmRestarts { every: 3, growth: 1, floor: 0.0 });
    config.set("schedule", &json!("plateau")).unwrap();
    let metric = ValidationMetric::Loss;
    assert_eq!(config.schedule, Schedule::Plateau { metric, patience: 10, factor: 0.1, floor: 0.0 });
}

#[test]
fn numbers_are_typed_by_their_key() {
    let mut config = TrainConfig::default();
    config.set("learning_rate", &json!(1)).unwrap();
    assert_eq!(config.get("learning_rate").to_string(), "1.0");
    config.set("epochs", &json!(3.0)).unwrap();
    assert_eq!(config.get("epochs").to_string(), "3");
    config.set("l2", &json!(-0.0)).unwrap();
    assert_eq!(config.get("l2").to_string(), "0.0");
    config.set("evaluate_train", &json!(5)).unwrap();
    assert_eq!(config.evaluate_train, EvaluateTrain::Count(5));
}

#[test]
fn a_value_out_of_range_is_refused_in_one_line() {
    let refused = [
        ("hidden", json!(512)),
        ("hidden", json!([512, 0])),
        ("hidden", json!([512, -1])),
        ("hidden", json!(["512"])),
        ("bias", json!("yes")),
        ("activation", json!("softmax")),
        ("activation", json!(["tanh", "sofmax"])),
        ("activation", json!(["tanh", 1])),
        ("output_activation", json!("Sigmoid")),
        ("encoding", json!("one_hot")),
        ("initializer", json!("uniform")),
        ("initializer", json!({ "name": "uniform", "low": 1, "high": -1 })),
        ("initializer", json!({ "name": "uniform", "low": 1 })),
        ("initializer", json!({ "name": "normal", "deviation": -1 })),
        ("initializer", json!({ "name": "he-normal", "scale": 2 })),
        ("initializer", json!({ "name": "he-normal", "gain": 0 })),
        ("initializer", json!({ "deviation": 1 })),
        ("loss", json!("mse")),
        ("loss", json!("cross_entropy")),
        ("reduction", json!("median")),
        ("precision", json!("f16")),
        ("optimizer", json!("adamW")),
        ("optimizer", json!({ "name": "momentum", "momentum": 1 })),
        ("optimizer", json!({ "name": "momentum", "momentun": 0.5 })),
        ("optimizer", json!({ "name": "adam", "epsilon": 0 })),
        ("learning_rate", json!(0)),
        ("learning_rate", json!(-0.5)),
        ("learning_rate", json!(null)),
        ("learning_rate", json!("0.1")),
        ("l2", json!(-1e-9)),
        ("l1", json!([])),
        ("schedule", json!("step")),
        ("schedule", json!({ "name": "step", "every": 0, "factor": 0.5 })),
        ("schedule", json!({ "name": "cosine", "floor": 1.5 })),
        ("batch_size", json!(0)),
        ("batch_size", json!(1.5)),
        ("epochs", json!(-1)),
        ("epochs", json!(1e30)),
        ("validation", json!(true)),
        ("early_stopping", json!(true)),
        ("early_stopping", json!({ "metric": "test.loss", "patience": 5 })),
        ("early_stopping", json!({ "metric": "validation.loss" })),
        ("early_stopping", json!({ "metric": "validation.loss", "patience": 0 })),
        ("evaluate_train", json!("some")),
        ("evaluate_train", json!(0)),
        ("seed", json!(-1)),
        ("seed", json!(u64::MAX)),
        ("learningrate", json!(1)),
        ("batch", json!(1)),
        ("zzz", json!(1)),
        ("l\u{202e}2\n", json!(1)),
        ("loss", json!("x".repeat(1_000_000))),
    ];
    let before = TrainConfig::default();
    let mut config = before.clone();
    let messages: Vec<_> = refused.iter().map(|(key, value)| config.set(key, value).unwrap_err().to_string()).collect();
    assert_eq!(config, before, "a refused value changes nothing");
    assert!(messages.iter().all(|message| message.lines().count() == 1 && message.len() < 600));
    assert_snapshot!(messages.join("\n"));
}

#[test]
fn what_depends_on_several_keys_is_refused_with_the_key_to_change() {
    let refused = [
        json!({ "activation": ["tanh", "tanh", "tanh"] }),
        json!({ "hidden": [1_000_000_000, 1_000_000_000] }),
        json!({ "hidden": [9_000_000_000_000_000_000_u64, 9_000_000_000_000_000_000_u64] }),
        json!({ "loss": "cross-entropy", "output_activation": "tanh" }),
        json!({ "loss": "softmax-cross-entropy" }),
        json!({ "loss": "cross-entropy", "output_activation": "softmax" }),
        json!({ "learning_rate": 10, "l2": 0.1 }),
        json!({ "learning_rate": 1, "optimizer": { "name": "adamw", "decay": 1 } }),
        json!({ "epochs": 2, "schedule": { "name": "cosine", "warmup": 3 } }),
        json!({ "schedule": { "name": "plateau" } }),
        json!({ "label_smoothing": 0.1, "loss": "rmse" }),
        json!({ "average": { "name": "mean", "epochs": 3 }, "epochs": 2 }),
        json!({ "dropout": [0.5, 0.5, 0.5] }),
        json!({ "max_norm": 1e-60 }),
        json!({ "batch_size": 1001 }),
        json!({ "batch_size": 500, "validation": 501 }),
        json!({ "validation": 1000 }),
        json!({ "early_stopping": { "metric": "validation.loss", "patience": 1 } }),
    ];
    let messages: Vec<_> = refused
        .iter()
        .map(|keys| {
            let config = TrainConfig::from_map(keys.as_object().unwrap()).unwrap();
            config.validate(1_000, 784, 6).unwrap_err().to_string()
        })
        .collect();
    assert_snapshot!(messages.join("\n"));
}

#[test]
fn what_an_instrument_does_not_take_is_refused() {
    let refusal = |key: &str, value: Value| TrainConfig::default().set(key, &value).unwrap_err().to_string();
    let refused = [
        refusal("clip_norm", json!(0)),
        refusal("clip_norm", json!(true)),
        refusal("dropout", json!(1)),
        refusal("dropout", json!(-0.5)),
        refusal("dropout", json!([0.5, "half"])),
        refusal("input_dropout", json!([0.5])),
        refusal("max_norm", json!(0)),
        refusal("average", json!(true)),
        refusal("average", json!("mean")),
        refusal("average", json!("exponential")),
        refusal("average", json!({ "name": "ema", "decay": 1 })),
        refusal("average", json!({ "name": "mean", "epochs": 0 })),
        refusal("label_smoothing", json!(1)),
        refusal("validation_split", json!("stratifed")),
        refusal("schedule", json!("warm-restarts")),
        refusal("schedule", json!({ "name": "one-cycle", "rise": 1.5 })),
        refusal("schedule", json!({ "name": "plateau", "factor": 1 })),
        refusal("schedule", json!({ "name": "plateau", "metric": "test.loss" })),
    ];
    assert_snapshot!(refused.join("\n"));
}

#[test]
fn a_field_set_out_of_range_without_set_is_refused_too() {
    let invalid = [
        TrainConfig::new().learning_rate(f64::NAN),
        TrainConfig::new().l2(f64::INFINITY),
        TrainConfig::new().batch_size(0),
        TrainConfig::new().activation([Activation::Softmax]),
        TrainConfig::new().activation([]),
        TrainConfig::new().optimizer(Optimizer::Momentum { momentum: f64::NAN }),
        TrainConfig::new().initializer(Initializer::Uniform { low: 0.0, high: 0.0 }),
        TrainConfig::new().seed(u64::MAX),
    ];
    let errors: Vec<Error> = invalid.iter().map(|config| config.validate(1_000, 784, 6).unwrap_err()).collect();
    let keys: Vec<_> = errors.iter().map(|error| error.key().unwrap()).collect();
    assert_eq!(
        keys,
        [
            "learning_rate",
            "l2",
            "batch_size",
            "activation",
            "activation",
            "optimizer.momentum",
            "initializer.high",
            "seed"
        ]
    );
}

#[test]
fn no_hidden_layer_and_no_epoch_are_allowed() {
    let config = TrainConfig::new().hidden([]).epochs(0);
    config.validate(100, 784, 6).unwrap();
    assert_eq!(config.n_parameters(784, 6), Some(785 * 6));
    assert_eq!(config.activations(), [Activation::Sigmoid]);
}

#[test]
fn a_configuration_goes_through_serde_by_its_keys() {
    let config = TrainConfig::new()
        .hidden([64, 32])
        .activation([Activation::Relu])
        .optimizer(Optimizer::Momentum { momentum: 0.5 })
        .early_stopping(EarlyStopping { metric: ValidationMetric::Rmse, patience: 3 })
        .validation(100);
    let text = serde_json::to_string(&config).unwrap();
    assert!(text.starts_with(r#"{"hidden":[64,32],"bias":true,"activation":"relu","#), "{text}");
    assert_eq!(serde_json::from_str::<TrainConfig>(&text).unwrap(), config);
    assert_eq!(serde_json::from_str::<TrainConfig>("{}").unwrap(), TrainConfig::new());
}

#[test]
fn what_serde_refuses_is_named_by_its_path() {
    let refusal = |text: &str| serde_json::from_str::<TrainConfig>(text).unwrap_err().to_string();
    let refused = [
        r#"{ "hidden": [512, -1] }"#,
        r#"{ "optimizer": { "name": "momentum", "momentum": 2 } }"#,
        r#"{ "epochs": 1, "epochs": 2 }"#,
        r#"{ "learnig_rate": 1 }"#,
        "[]",
    ];
    assert_snapshot!(refused.map(refusal).join("\n"));
}

#[test]
fn choices_alone_go_through_serde_and_texts() {
    let read = |text: &str| serde_json::from_str::<Optimizer>(text);
    let nesterov = Optimizer::Nesterov { momentum: 0.5 };
    assert_eq!(read(r#"{"momentum":0.5,"name":"nesterov"}"#).unwrap(), nesterov);
    assert_eq!(serde_json::to_value(nesterov).unwrap(), json!({ "name": "nesterov", "momentum": 0.5 }));
    let error = read(r#"{"name":"momentum","momentum":1}"#).unwrap_err().to_string();
    assert!(error.starts_with("optimizer.momentum: expected a number of at least 0 and below 1, found 1"), "{error}");

    assert_eq!("adam".parse::<Optimizer>().unwrap(), Optimizer::ADAM);
    assert_eq!("cosine".parse::<Schedule>().unwrap().to_string(), "cosine");
    for encoding in TargetEncoding::ALL {
        assert_eq!(encoding.to_string().parse::<TargetEncoding>().unwrap(), encoding);
    }
    for precision in Precision::ALL {
        assert_eq!(precision.to_string().parse::<Precision>().unwrap(), precision);
    }
    for split in ValidationSplit::ALL {
        assert_eq!(split.to_string().parse::<ValidationSplit>().unwrap(), split);
    }
    for metric in ValidationMetric::ALL {
        assert_eq!(metric.to_string().parse::<ValidationMetric>().unwrap(), metric);
    }
    assert!("step".parse::<Schedule>().unwrap_err().to_string().starts_with("schedule: expected a table such as"));
    let error = "float32".parse::<Precision>().unwrap_err();
    assert_eq!(error.to_string(), "precision: expected f32, f64 or bf16, found \"float32\"; did you mean f32?");
}

#[test]
fn every_field_is_set_by_the_method_of_its_name() {
    let set = TrainConfig::new()
        .hidden([512, 16])
        .bias(false)
        .activation([Activation::Tanh, Activation::Relu])
        .output_activation(Activation::Softmax)
        .encoding(TargetEncoding::OneHot)
        .decoding(Decoding::Exact)
        .initializer(Initializer::HE_NORMAL)
        .loss(Loss::SoftmaxCrossEntropy)
        .reduction(mlp_core::Reduction::Sum)
        .label_smoothing(0.25)
        .class_weights(ClassWeights::Balanced)
        .precision(Precision::F64)
        .optimizer(Optimizer::Sgd)
        .learning_rate(0.5)
        .l2(0.125)
        .l1(0.25)
        .clip_norm(1.5)
        .dropout([0.5, 0.25])
        .input_dropout(0.2)
        .max_norm(3.0)
        .batch_norm(true)
        .augment(Augmentation::GENTLE)
        .schedule(Schedule::Constant)
        .average(Averaging::Mean { epochs: 2 })
        .batch_size(3)
        .epochs(7)
        .validation(11)
        .validation_split(ValidationSplit::Stratified)
        .early_stopping(EarlyStopping { metric: ValidationMetric::ExactAccuracy, patience: 2 })
        .evaluate_train(EvaluateTrain::All)
        .seed(9);
    let default = TrainConfig::default();
    assert!(TrainConfig::KEYS.iter().all(|key| key.get(&set) != key.get(&default)));
    assert_eq!(set.hidden, [512, 16]);
    assert_eq!((set.l2, set.l1, set.seed), (0.125, 0.25, 9));
}

#[test]
fn keys_of_the_program_are_considered_when_one_is_misspelt() {
    let advice = |key: &str| TrainConfig::unknown_key(key, &["train_size", "data"]).advice().map(str::to_owned);
    assert_eq!(advice("trainsize").as_deref(), Some("did you mean train_size?"));
    assert_eq!(advice("batchsize").as_deref(), Some("did you mean batch_size?"));
    assert_eq!(advice("zzz"), None);
}

#[test]
fn keys_of_the_surrounding_program_are_handed_back_or_refused() {
    let own = json!({ "name": "x", "data": "mnist", "train_size": 10, "test_size": 10, "classes": "01" });
    let mut map = own.as_object().unwrap().clone();
    map.insert("seed".to_owned(), json!(3));
    let (config, rest) = TrainConfig::split_map(&map).unwrap();
    assert_eq!((config, Value::Object(rest)), (TrainConfig::new().seed(3), own));
    let error = TrainConfig::from_map(&map).unwrap_err();
    assert_eq!((error.key(), error.found()), (Some("classes"), "an unknown key"));
}

proptest! {
    #[test]
    fn any_learning_rate_survives_a_round_trip_through_text(learning_rate in f64::MIN_POSITIVE..f64::MAX) {
        let config = TrainConfig::new().learning_rate(learning_rate);
        let text = serde_json::to_string(&config.to_map()).unwrap();
        let read = TrainConfig::from_map(&serde_json::from_str(&text).unwrap()).unwrap();
        prop_assert_eq!(read.learning_rate.to_bits(), learning_rate.to_bits());
    }

    #[test]
    fn no_text_as_key_or_value_panics(key in ".{0,80}", value in ".{0,80}") {
        let mut config = TrainConfig::default();
        prop_assert!(config.set(&key, &json!(value)).is_err());
        for key in TrainConfig::KEYS {
            let _ = config.set(key.name, &json!(value));
        }
    }
}
