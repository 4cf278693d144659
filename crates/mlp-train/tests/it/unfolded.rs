//! Networks with batch normalisation in files, and as beginnings of runs.

use std::fs;
use std::ops::ControlFlow;

use mlp_core::{Kernel, Workers};
use mlp_train::{
    AnyMlp, AnyUnfolded, Checkpoint, ErrorKind, Initial, Run, SavedModel, Setup, TrainConfig, load_model, save_model,
    train, train_resumable, weights_sha256,
};
use safetensors::SafeTensors;
use serde_json::Value;
use tempfile::tempdir;

use crate::batch_norm::{config, owner};
use crate::problems::{Blobs, run};

fn trained() -> (Run<f32>, TrainConfig) {
    let blobs = Blobs::new(75, 0);
    let config = config();
    (run::<f32>(&config, &blobs.samples(), None), config)
}

fn saved() -> SavedModel {
    let (run, config) = trained();
    SavedModel::new(run.mlp.clone(), config, '0'..='9').with_unfolded(run.unfolded.as_ref())
}

#[test]
fn a_model_file_keeps_the_network_unfolded_and_answers_as_the_folded_one() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    let model = saved();
    model.save(&path).unwrap();
    let loaded = load_model(&path).unwrap();
    assert_eq!(loaded, model);
    let (run, _) = trained();
    assert_eq!(loaded.network, AnyMlp::F32(run.mlp.clone()));
    assert_eq!(loaded.unfolded, run.unfolded.as_ref().map(AnyUnfolded::new));
    let bytes = fs::read(&path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut names: Vec<&str> = file.names().into_iter().filter(|name| name.starts_with("layers.0")).collect();
    names.sort_unstable();
    let own = ["bias", "running_mean", "running_variance", "scale", "weights"].map(|name| format!("layers.0.{name}"));
    assert_eq!(names, own);
    assert_eq!(file.tensor("layers.1.scale").unwrap().shape(), [7]);
    assert!(file.tensor("layers.2.scale").is_err());
    // Into another type of numbers and back.
    let AnyMlp::F32(mlp) = &loaded.network else { panic!("single precision") };
    assert_eq!(weights_sha256(mlp), weights_sha256(&run.mlp));
}

#[test]
fn a_folded_model_is_an_ordinary_one_with_the_same_answers() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    for bias in [true, false] {
        let blobs = Blobs::new(75, 0);
        let config = config().bias(bias);
        let run = run::<f32>(&config, &blobs.samples(), None);
        let model = SavedModel::new(run.mlp.clone(), config, '0'..='9').with_unfolded(run.unfolded.as_ref());
        model.save(&path).unwrap();
        assert_eq!(load_model(&path).unwrap(), model);
        let folded = model.folded();
        assert!(!folded.config.batch_norm && folded.config.bias && folded.unfolded.is_none());
        folded.save(&path).unwrap();
        let AnyMlp::F32(loaded) = load_model(&path).unwrap().network else { panic!("single precision") };
        let inputs = blobs.pixels.mapv(|pixel| f32::from(pixel) / 255.0);
        assert_eq!(loaded.forward(inputs.view()), run.mlp.forward(inputs.view()));
        // What is no longer unfolded cannot be saved as if it were.
        let error = save_model(&path, &run.mlp, &model.to_map()).unwrap_err().to_string();
        assert!(error.contains("layers.0."), "{error}");
    }
}

/// A file with changed tensors and without a hash, as another program writes it.
fn refusal(change: impl FnOnce(&mut Vec<(String, Vec<usize>, Vec<f32>)>)) -> String {
    let folder = tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    saved().save(&path).unwrap();
    let bytes = fs::read(&path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut tensors: Vec<(String, Vec<usize>, Vec<f32>)> = file
        .iter()
        .map(|(name, tensor)| {
            let numbers = tensor.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            (name.to_owned(), tensor.shape().to_vec(), numbers)
        })
        .collect();
    change(&mut tensors);
    let data: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
        .into_iter()
        .map(|(name, shape, numbers)| (name, shape, numbers.iter().flat_map(|number| number.to_le_bytes()).collect()))
        .collect();
    let views = data.iter().map(|(name, shape, bytes)| {
        (name, safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape.clone(), bytes).unwrap())
    });
    let config = Value::Object(config().to_map()).to_string();
    let metadata = std::collections::HashMap::from([("config".to_owned(), config)]);
    fs::write(&path, safetensors::serialize(views, Some(metadata)).unwrap()).unwrap();
    match load_model(&path) {
        Ok(_) => "loaded".to_owned(),
        Err(error) => error.to_string().replace(&path.display().to_string(), "FILE"),
    }
}

#[test]
fn missing_and_damaged_tensors_are_refused_with_their_names() {
    type Tensors = Vec<(String, Vec<usize>, Vec<f32>)>;
    fn find<'a>(tensors: &'a mut Tensors, name: &str) -> &'a mut (String, Vec<usize>, Vec<f32>) {
        tensors.iter_mut().find(|tensor| tensor.0 == name).unwrap()
    }
    let all = [
        refusal(|_| ()),
        refusal(|tensors| tensors.retain(|tensor| tensor.0 != "layers.1.scale")),
        refusal(|tensors| tensors.retain(|tensor| tensor.0 != "layers.0.running_variance")),
        refusal(|tensors| find(tensors, "layers.0.running_mean").2[3] = f32::NAN),
        refusal(|tensors| find(tensors, "layers.1.running_variance").2[2] = -0.5),
        refusal(|tensors| {
            let tensor = find(tensors, "layers.1.scale");
            (tensor.1, tensor.2) = (vec![2], vec![1.0; 2]);
        }),
        refusal(|tensors| tensors.push(("layers.2.scale".to_owned(), vec![1], vec![1.0]))),
    ];
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn a_damaged_model_file_is_refused_at_every_byte_of_its_tensors() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    saved().save(&path).unwrap();
    let whole = fs::read(&path).unwrap();
    let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    for place in header..whole.len() {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x10;
        fs::write(&path, &bytes).unwrap();
        assert_eq!(load_model(&path).map_err(|error| error.kind()).err(), Some(ErrorKind::Model), "byte {place}");
    }
}

#[test]
fn a_network_or_a_checkpoint_without_it_is_refused_and_one_with_it_where_there_is_none() {
    let blobs = Blobs::new(75, 0);
    let samples = blobs.samples::<f32>();
    let workers = Workers::new(1);
    let (normalized, _) = trained();
    let plain = run::<f32>(&config().batch_norm(false), &samples, None);
    let unfolded = normalized.unfolded.unwrap();
    let begun = |config: &TrainConfig, initial: Initial<f32>| {
        let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: Some(initial) };
        train(config, &samples, None, setup, &mut |_| ControlFlow::Continue(()))
    };
    let refused = |config: &TrainConfig, initial: Initial<f32>| begun(config, initial).unwrap_err().to_string();
    let mut other = unfolded.clone();
    other.norm.layers.pop();
    let all = [
        refused(&config(), plain.mlp.clone().into()),
        refused(&config().batch_norm(false), unfolded.clone().into()),
        refused(&config(), other.into()),
    ];
    insta::assert_snapshot!(all.join("\n"));
    // With it a run begins where the other ended, and without it what was folded does.
    let again = begun(&config().epochs(0), unfolded.clone().into()).unwrap();
    assert_eq!((again.mlp, again.unfolded), (normalized.mlp.clone(), Some(unfolded)));
    assert_eq!(
        begun(&config().batch_norm(false).epochs(0), normalized.mlp.clone().into()).unwrap().mlp,
        normalized.mlp
    );

    let stopped = |config: &TrainConfig| {
        let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
        let mut checkpoint = None;
        train_resumable(config, &samples, None, setup, None, &mut |_, moment| {
            checkpoint = Some(moment.checkpoint());
            ControlFlow::Break(())
        })
        .unwrap();
        checkpoint.unwrap()
    };
    let refused = |config: &TrainConfig, start: Checkpoint<f32>| {
        let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
        let found = train_resumable(config, &samples, None, setup, Some(start), &mut |_, _| unreachable!());
        found.unwrap_err().to_string()
    };
    let mut cut = stopped(&config());
    cut.norm.as_mut().unwrap().slots.pop();
    let folder = tempdir().unwrap();
    let path = folder.path().join("c.safetensors");
    let read = |checkpoint: &Checkpoint<f32>, config: &TrainConfig| {
        checkpoint.write(&path, &owner()).unwrap();
        let error = Checkpoint::<f32>::read(&path, config, &owner()).unwrap_err().to_string();
        error.replace(&path.display().to_string(), "FILE")
    };
    let plain = config().batch_norm(false);
    let all = [
        refused(&config(), stopped(&plain)),
        refused(&plain, stopped(&config())),
        refused(&config(), cut.clone()),
        read(&cut, &config()),
        read(&stopped(&plain), &config()),
        read(&stopped(&config()), &plain),
    ];
    insta::assert_snapshot!(all.join("\n"));
}
