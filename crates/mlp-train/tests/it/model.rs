//! Model files.

use std::collections::HashMap;
use std::fs;
use std::io::{Write, stderr};
use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;
use mlp_core::{Activation, Initializer, Mlp};
use mlp_train::{
    AnyMlp, ErrorKind, Precision, SavedModel, TargetEncoding, TrainConfig, load_model, save_model, weights_sha256,
};
use ndarray::Array2;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Map, Value, json};
use tempfile::tempdir;

fn config() -> TrainConfig {
    TrainConfig::new().hidden([3]).activation([Activation::Tanh])
}

fn network() -> Mlp<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let activations = [Activation::Tanh, Activation::Sigmoid];
    Mlp::new(&[4, 3, 2], &activations, true, Initializer::GLOROT_UNIFORM, &mut rng)
}

#[test]
fn a_model_is_loaded_as_it_was_saved_in_either_precision() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    let mut map = config().to_map();
    map.insert("name".into(), json!("x"));
    save_model(&path, &network(), &map).unwrap();
    let model = load_model(&path).unwrap();
    let mut expected = SavedModel::new(network(), config(), Vec::<char>::new());
    expected.other.insert("name".into(), json!("x"));
    assert_eq!(model, expected);
    let (bytes, again) = (fs::read(&path).unwrap(), folder.path().join("again.safetensors"));
    model.save(&again).unwrap();
    assert!(fs::read(again).unwrap() == bytes, "saved again it is the same file");

    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let activations = [Activation::Relu, Activation::Tanh, Activation::Softmax];
    let mlp = Mlp::<f64>::new(&[5, 4, 3, 2], &activations, false, Initializer::HE_NORMAL, &mut rng);
    let config = config()
        .hidden([4, 3])
        .activation([Activation::Relu, Activation::Tanh])
        .output_activation(Activation::Softmax)
        .bias(false)
        .precision(Precision::F64);
    save_model(&path, &mlp, &config.to_map()).unwrap();
    assert_eq!(load_model(&path).unwrap().network, AnyMlp::F64(mlp));
}

#[test]
fn the_hash_covers_every_number_in_the_documented_order() {
    use sha2::{Digest, Sha256};
    let mlp = network();
    let mut bytes = Vec::new();
    for layer in &mlp.layers {
        let numbers = layer.weights.iter().chain(layer.bias.as_ref().unwrap());
        numbers.for_each(|number| bytes.extend(number.to_le_bytes()));
    }
    let expected: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(weights_sha256(&mlp), expected);
    let mut other = network();
    other.layers[1].bias.as_mut().unwrap()[1] = f32::from_bits(1);
    assert_ne!(weights_sha256(&other), expected);
}

#[test]
fn a_truncated_or_lengthened_model_is_rejected_at_every_byte() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    save_model(&path, &network(), &config().to_map()).unwrap();
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let kind = load_model(&path).map_err(|error| error.kind());
        assert_eq!(kind.err(), Some(ErrorKind::Model), "at byte {length}");
    }
    fs::write(&path, [&whole[..], &[0]].concat()).unwrap();
    assert!(load_model(&path).is_err());
}

#[test]
fn a_model_with_any_bit_flipped_is_rejected_or_has_the_same_content() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    let mut map = config().to_map();
    map.insert("classes".to_owned(), json!("0123456789"));
    save_model(&path, &network(), &map).unwrap();
    let whole = load_model(&path).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    for bit in 0..8 * bytes.len() {
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, &bytes).unwrap();
        if let Ok(loaded) = load_model(&path) {
            assert_eq!(loaded, whole, "bit {bit}");
        }
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
}

/// A tensor of a made-up file: name, type, shape, bytes.
type Made = (&'static str, Dtype, Vec<usize>, Vec<u8>);

fn floats(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn linear() -> Vec<Made> {
    vec![
        ("layers.0.bias", Dtype::F32, vec![2], floats(&[0.0; 2])),
        ("layers.0.weights", Dtype::F32, vec![3, 2], floats(&[0.5; 6])),
    ]
}

fn linear_config() -> Value {
    json!({ "hidden": [], "precision": "f32", "bias": true })
}

fn write_made(path: &Path, tensors: &[Made], metadata: Option<HashMap<String, String>>) {
    let views = tensors
        .iter()
        .map(|(name, dtype, shape, bytes)| (*name, TensorView::new(*dtype, shape.clone(), bytes).unwrap()));
    fs::write(path, safetensors::serialize(views, metadata).unwrap()).unwrap();
}

#[test]
fn a_file_of_another_program_without_hash_is_loaded() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    write_made(&path, &linear(), Some(HashMap::from([("config".into(), linear_config().to_string())])));
    let AnyMlp::F32(mlp) = load_model(&path).unwrap().network else { panic!("single precision") };
    assert_eq!(mlp.layers[0].weights, Array2::from_elem((3, 2), 0.5));
}

#[test]
fn a_model_has_its_classes_and_what_the_program_added() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    let mut map = config().to_map();
    map.insert("classes".into(), json!("äb"));
    map.insert("data".into(), json!("letters"));
    save_model(&path, &network(), &map).unwrap();
    let model = load_model(&path).unwrap();
    assert_eq!((&model.config, model.classes.as_slice()), (&config(), ["ä".to_owned(), "b".to_owned()].as_slice()));
    assert_eq!(Value::Object(model.other), json!({ "data": "letters" }));

    // Without a hash the file is no work of ours, and a key that is none may be a misspelt one.
    let config = json!({ "hidden": [], "classes": "ab", "data": "letters" });
    write_made(&path, &linear(), Some(HashMap::from([("config".into(), config.to_string())])));
    let error = load_model(&path).unwrap_err();
    assert_eq!((error.kind(), error.place()), (ErrorKind::Model, Some("config, key data")));
    let config = json!({ "hidden": [], "classes": 5 });
    write_made(&path, &linear(), Some(HashMap::from([("config".into(), config.to_string())])));
    assert!(load_model(&path).unwrap_err().to_string().contains("config, key classes: expected the characters"));
}

#[test]
fn classes_that_are_words_are_a_list_of_names() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    for classes in [vec!["T-shirt", "b"], vec!["", "b"], vec!["a", "b"]] {
        let model = SavedModel::new(network(), config().encoding(TargetEncoding::OneHot), &classes);
        model.save(&path).unwrap();
        assert_eq!(load_model(&path).unwrap(), model);
    }
    let refused = |config: Value| {
        write_made(&path, &linear(), Some(HashMap::from([("config".into(), config.to_string())])));
        load_model(&path).unwrap_err().to_string().replace(&path.display().to_string(), "FILE")
    };
    let both = refused(json!({ "hidden": [], "classes": "ab", "class_names": ["a", "b"] }));
    assert!(both.contains("config, key classes: expected either this key or class_names, found \"ab\""), "{both}");
    let text = refused(json!({ "hidden": [], "class_names": "ab" }));
    assert!(
        text.contains("config, key class_names: expected a list with the name of each class, found \"ab\""),
        "{text}"
    );
}

#[test]
fn what_does_not_match_the_configuration_is_named() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    let message = |change: &dyn Fn(&mut Vec<Made>, &mut Value)| {
        let (mut tensors, mut config) = (linear(), linear_config());
        change(&mut tensors, &mut config);
        write_made(&path, &tensors, Some(HashMap::from([("config".into(), config.to_string())])));
        load_model(&path).unwrap_err().to_string().replace(&path.display().to_string(), "FILE")
    };
    let mut messages = vec![
        message(&|tensors, _| drop(tensors.remove(0))),
        message(&|tensors, _| drop(tensors.remove(1))),
        message(&|tensors, _| tensors.push(("layers.1.weights", Dtype::F32, vec![1, 1], floats(&[0.0])))),
        message(&|tensors, _| tensors[0].2 = vec![1, 2]),
        message(&|tensors, _| tensors[0] = ("layers.0.bias", Dtype::F32, vec![3], floats(&[0.0; 3]))),
        message(&|tensors, _| tensors[1].2 = vec![6]),
        message(&|tensors, _| tensors[1] = ("layers.0.weights", Dtype::F32, vec![0, 2], vec![])),
        message(&|tensors, _| tensors[1].1 = Dtype::I32),
        message(&|tensors, _| tensors[1].3[12..16].copy_from_slice(&f32::NAN.to_le_bytes())),
        message(&|_, config| config["precision"] = json!("f64")),
        message(&|_, config| config["bias"] = json!(false)),
        message(&|_, config| config["hidden"] = json!([7])),
        message(&|_, config| config["activation"] = json!(["tanh", "tanh"])),
        message(&|_, config| config["hiden"] = json!([7])),
        message(&|_, config| config["sha256"] = json!("abc")),
        message(&|_, config| *config = json!([1])),
    ];
    write_made(&path, &linear(), None);
    let of_file = || load_model(&path).unwrap_err().to_string().replace(&path.display().to_string(), "FILE");
    messages.push(of_file());
    fs::write(&path, "<html>not found</html>").unwrap();
    messages.push(of_file());
    let entry = r#""layers.0.weights":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}"#;
    let header = format!(r#"{{"__metadata__":{{"config":"{{}}"}},{entry},{entry}}}"#);
    fs::write(&path, [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[0; 4]].concat()).unwrap();
    messages.push(of_file());
    assert_snapshot!(messages.join("\n"));
}

#[test]
fn a_network_that_its_configuration_does_not_describe_is_not_saved() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    let message = |network: AnyMlp, config: TrainConfig| {
        let error = SavedModel::new(network, config, Vec::<char>::new()).save(&path).unwrap_err();
        assert!(error.kind() == ErrorKind::Model && !path.exists());
        error.to_string().replace(&path.display().to_string(), "FILE")
    };
    let double = || {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let activations = [Activation::Tanh, Activation::Sigmoid];
        Mlp::<f64>::new(&[4, 3, 2], &activations, true, Initializer::GLOROT_UNIFORM, &mut rng)
    };
    let messages = [
        message(double().into(), config()),
        message(network().into(), config().precision(Precision::F64)),
        message(network().into(), config().hidden([7])),
        message(network().into(), config().hidden([3, 3])),
        message(network().into(), config().hidden([])),
        message(network().into(), config().bias(false)),
        message(network().into(), config().activation([Activation::Relu])),
        message(network().into(), config().activation([Activation::Tanh, Activation::Tanh])),
        message(network().into(), config().output_activation(Activation::Identity)),
    ];
    assert_snapshot!(messages.join("\n"));
    let error = save_model(&path, &network(), &Map::from_iter([("hidden".into(), json!("many"))])).unwrap_err();
    assert_eq!((error.kind(), error.place()), (ErrorKind::Model, Some("config, key hidden")));
    SavedModel::new(double(), config().precision(Precision::F64), Vec::<char>::new()).save(&path).unwrap();
    assert_eq!(load_model(&path).unwrap().network, AnyMlp::F64(double()));
}

#[test]
fn weights_that_are_not_finite_are_not_saved() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    let mut mlp = network();
    mlp.layers[1].bias.as_mut().unwrap()[0] = f32::INFINITY;
    let error = save_model(&path, &mlp, &Map::new()).unwrap_err();
    assert_eq!((error.kind(), error.place()), (ErrorKind::NotFinite, Some("layers.1.bias")), "{error}");
    assert!(!path.exists());
}

#[test]
fn python_reads_the_file_and_computes_the_same_outputs() {
    let installed = Command::new("python3").args(["-c", "import numpy, safetensors"]).output();
    if !installed.is_ok_and(|output| output.status.success()) {
        // Straight to the terminal: the test harness would swallow what `eprintln!` writes.
        let _ =
            writeln!(stderr(), "SKIPPED: python3 with numpy and safetensors is needed to read a model file in Python");
        return;
    }
    let folder = tempdir().unwrap();
    let (model, inputs) = (folder.path().join("m.safetensors"), folder.path().join("inputs.json"));
    save_model(&model, &network(), &config().to_map()).unwrap();
    fs::write(&inputs, "[[0.0, 0.25, 0.5, 1.0], [1.0, -1.0, 2.0, 0.125]]").unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/read_model.py");
    let output = Command::new("python3").arg(script).args([&model, &inputs]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let outputs: Vec<Vec<f64>> = serde_json::from_slice(&output.stdout).unwrap();
    let rows = ndarray::array![[0.0, 0.25, 0.5, 1.0], [1.0, -1.0, 2.0, 0.125]];
    let expected = network().forward(rows.view());
    for (found, expected) in outputs.concat().iter().zip(&expected) {
        assert!((found - f64::from(*expected)).abs() < 1e-6, "{found} instead of {expected}");
    }
}
