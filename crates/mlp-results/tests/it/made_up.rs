//! Records that look like those of real runs, made up from formulas and a counter-based random number: for the tests of
//! this crate and, included by path, for the tests and the example of `mlp-report`.

#![allow(dead_code)] // No one who includes this uses all of it.

use std::path::{Path, PathBuf};

use mlp_core::{Activation, Layer, Mlp};
use mlp_results::{
    DataDescription, RECORD_SCHEMA, RobustnessCurve, RunFolder, RunRecord, Runtime, Status, TrialResult, trial_id,
};
use mlp_train::{
    Decoding, DiagnosedLayer, Diagnosis, Divergence, EpochDiagnosis, EpochMetrics, EpochRecord, LayerDiagnosis,
    Mistake, TrainConfig,
};
use ndarray::{Array1, Array2};
use serde_json::{Value, json};

/// The number of each digit in MNIST's test set.
pub(crate) const CLASS_COUNTS: [u64; 10] = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009];

/// How a made-up run goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Story {
    /// The digit accuracy it ends near.
    pub(crate) accuracy: f64,
    /// How many epochs it takes to get most of the way.
    pub(crate) pace: f64,
    pub(crate) n_epochs: usize,
    pub(crate) seed: u64,
}

/// A number in 0..1 that depends on nothing but its arguments (the finaliser of splitmix64).
pub(crate) fn noise(seed: u64, index: u64) -> f64 {
    let mut bits = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(index.wrapping_mul(0xD1B5_4A32_D192_ED03));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// A record with the default configuration but for `settings` and the story's seed.
pub(crate) fn record(settings: &[(&str, Value)], story: Story) -> RunRecord {
    let mut config = TrainConfig::default().to_map();
    for (key, value) in [("name", json!("layers")), ("data", json!("mnist")), ("seed", json!(story.seed))] {
        config.insert(key.to_owned(), value);
    }
    for (key, value) in settings {
        config.insert((*key).to_owned(), value.clone());
    }
    let label = settings.iter().map(|(key, value)| format!("{key}={value}")).collect::<String>();
    let hash = label.bytes().fold(story.seed + 1, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let trial = (0..4).map(|part| format!("{:08x}", (noise(hash, part) * f64::from(u32::MAX)) as u32)).collect();
    let epochs: Vec<EpochRecord> = (0..=story.n_epochs).map(|epoch| epoch_record(epoch, story, hash)).collect();
    let accuracy = epochs.last().and_then(|epoch| epoch.test.as_ref()?.accuracy).unwrap_or(0.0);
    RunRecord {
        schema: RECORD_SCHEMA,
        trial,
        status: Status::Finished,
        diverged: None,
        error: None,
        config,
        data: DataDescription {
            name: "mnist".to_owned(),
            sha256: "0123456789abcdef".repeat(4),
            train: 60_000,
            test: 10_000,
            inputs: 784,
            height: 28,
            width: 28,
            classes: ('0'..='9').map(String::from).collect(),
            synthetic: false,
            validation_was_seen: false,
        },
        best_epoch: story.n_epochs,
        epochs,
        decoding: Some(Decoding::Exact),
        confusion: Some(confusion(accuracy, hash)),
        precision: vec![accuracy; 10],
        recall: vec![accuracy; 10],
        weights_sha256: None,
        mistakes: (0..24).map(|index| mistake(index, hash)).collect(),
        parameters: 567_434,
        layers: vec![784, 512, 256, 128, 6],
        kernel: "avx2".to_owned(),
        runtime: Runtime {
            seconds_train: vec![1.0; story.n_epochs],
            seconds_evaluate: vec![0.1; story.n_epochs + 1],
            threads: 2,
            host: "somewhere".to_owned(),
            version: "0.1.0".to_owned(),
        },
    }
}

/// The same under the identity of its settings and data, as a folder of results holds it.
pub(crate) fn own(record: RunRecord) -> RunRecord {
    RunRecord { trial: trial_id(&record.config, &record.data.sha256), ..record }
}

/// The record of a run whose numbers overflowed after `n_epochs` epochs.
pub(crate) fn diverged(settings: &[(&str, Value)], story: Story) -> RunRecord {
    let mut record = record(settings, story);
    record.status = Status::Diverged;
    record.diverged = Some(Divergence { epoch: story.n_epochs + 1, batch: 17, layer: 2 });
    record.confusion = None;
    record.mistakes = Vec::new();
    record.precision = Vec::new();
    record.recall = Vec::new();
    record
}

/// The record of a trial that could not be run.
pub(crate) fn failed(settings: &[(&str, Value)], error: &str) -> RunRecord {
    let mut record = diverged(settings, Story { accuracy: 0.1, pace: 1.0, n_epochs: 0, seed: 0 });
    record.status = Status::Failed;
    record.diverged = None;
    record.error = Some(error.to_owned());
    record.epochs = Vec::new();
    record
}

/// Records as they are found in a folder without models.
pub(crate) fn trials(records: Vec<RunRecord>) -> Vec<TrialResult> {
    records.into_iter().map(|record| TrialResult { record, model: None, ending: None }).collect()
}

/// A record of two epochs with exactly this final digit accuracy on the test set.
pub(crate) fn scored(settings: &[(&str, Value)], seed: u64, accuracy: f64) -> RunRecord {
    let mut record = record(settings, Story { accuracy: 0.9, pace: 1.0, n_epochs: 2, seed });
    record.epochs[2].test.as_mut().unwrap().accuracy = Some(accuracy);
    record
}

/// Seven depths by three seeds, as in the paper's question about layers; the two shallowest never learn, and one seed
/// of the deepest diverges.
pub(crate) fn depth_sweep() -> Vec<RunRecord> {
    let widths = [512, 256, 128, 64, 32, 16, 8];
    let mut records = Vec::new();
    for depth in 1..=7 {
        for seed in 0..3 {
            let accuracy = [0.1135, 0.1135, 0.952, 0.968, 0.974, 0.979, 0.971][depth - 1];
            let story = Story { accuracy, pace: 1.0 + depth as f64 * 0.5, n_epochs: 20, seed };
            let settings = [("hidden", json!(widths[..depth]))];
            records.push(if depth == 7 && seed == 2 {
                diverged(&settings, Story { n_epochs: 4, ..story })
            } else {
                record(&settings, story)
            });
        }
    }
    records
}

/// Learning rates by batch sizes, and, above 60 trials, by activations and optimisers.
pub(crate) fn grid(n_trials: usize) -> Vec<RunRecord> {
    let rates: [f64; 8] = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0];
    let batches = [1, 8, 32, 128, 512];
    let activations = ["sigmoid", "tanh", "relu"];
    let optimizers = [json!("sgd"), json!({ "name": "momentum", "momentum": 0.9 }), json!("adam")];
    let mut records = Vec::new();
    for index in 0..n_trials {
        let (rate, batch) = (index % 8, index / 8 % 5);
        let mut settings = vec![("learning_rate", json!(rates[rate])), ("batch_size", json!(batches[batch]))];
        let rest = index / 40;
        let mut bonus = 0.0;
        if n_trials > 60 {
            settings.push(("activation", json!([activations[rest % 3]])));
            settings.push(("optimizer", optimizers[rest / 3 % 3].clone()));
            bonus = 0.01 * (rest % 3) as f64 + 0.004 * (rest / 3 % 3) as f64;
        }
        let seed = if n_trials > 60 { rest / 9 } else { rest } as u64;
        // An optimum that moves with the batch size.
        let distance = (rates[rate].ln() - (0.05 * f64::from(batches[batch]).sqrt()).ln()).abs() / 2.3;
        let accuracy = (0.955 + bonus - 0.05 * distance * distance).max(0.1135);
        let story = Story { accuracy, pace: 1.5 + distance, n_epochs: 15, seed };
        let too_fast = rates[rate] >= 3.0 && batches[batch] <= 8;
        records.push(if too_fast {
            diverged(&settings, Story { n_epochs: 2, ..story })
        } else {
            record(&settings, story)
        });
    }
    records
}

/// Configurations drawn at random: rates and penalties over orders of magnitude, widths, activations; every third trial
/// was ended early, in the word of a newer version.
pub(crate) fn drawn(n_trials: usize) -> Vec<TrialResult> {
    let draw = |index: usize| {
        let random = |part: u64| noise(4_242 + index as u64, part);
        let rate = 10f64.powf(-3.5 + 4.0 * random(1));
        let settings = [
            ("learning_rate", json!(rate)),
            ("l2", json!(10f64.powf(-6.0 + 4.0 * random(2)))),
            ("hidden", json!([16 + (random(3) * 500.0) as usize])),
            ("activation", json!(["sigmoid", "tanh", "relu"][(random(4) * 3.0) as usize])),
        ];
        let distance = rate.log10() + 1.2;
        let accuracy = (0.965 - 0.08 * distance * distance + 0.02 * random(3)).max(0.1135);
        let story = Story { accuracy, pace: 1.0 + 2.0 * random(5), n_epochs: 12, seed: 0 };
        let mut record = record(&settings, story);
        let is_stopped = index % 3 == 2 && accuracy < 0.95;
        if is_stopped {
            record.epochs.truncate(5);
            record.best_epoch = 4;
            record.status = Status::Failed;
        }
        TrialResult { record, model: None, ending: is_stopped.then(|| "stopped".to_owned()) }
    };
    (0..n_trials).map(draw).collect()
}

/// What an examination of one trial found: all layers of sigmoids saturated at 1 from the beginning, or a network that
/// learns.
pub(crate) fn diagnosis(record: &RunRecord, is_saturated: bool) -> Diagnosis {
    let layers = record.layers.windows(2);
    let layer = |depth: usize, epoch: usize| {
        let share = if is_saturated { 1.0 } else { 0.02 * depth as f64 * epoch as f64 / (epoch as f64 + 3.0) };
        let alive = if is_saturated { 0.0 } else { 1.0 };
        LayerDiagnosis {
            saturated: share,
            saturated_high: share,
            zero_derivative: share * 0.99,
            dead_units: share,
            net_input_rms: if is_saturated { 52.0 } else { 1.5 },
            activation_rms: if is_saturated { 1.0 } else { 0.5 },
            spread: alive * 0.2 / (depth as f64 + 1.0) * (1.0 + epoch as f64).sqrt(),
            effective_rank: alive * 12.0 / (depth as f64 + 1.0),
            positive_weights: if is_saturated { 1.0 } else { 0.5 },
            weight_norm: 20.0,
            gradient_norm: alive * 10f64.powi(depth as i32 - 4) / (1.0 + epoch as f64),
            units_are_alike: false,
            n_silent_outputs: 0,
            n_stuck_outputs: 0,
        }
    };
    Diagnosis {
        trial: record.trial.clone(),
        n_samples: 128,
        target_spread: 0.4,
        layers: layers
            .clone()
            .map(|pair| DiagnosedLayer { inputs: pair[0], units: pair[1], activation: "sigmoid".to_owned() })
            .collect(),
        epochs: (0..record.epochs.len())
            .map(|epoch| EpochDiagnosis {
                epoch,
                loss: 0.5,
                layers: (0..layers.len()).map(|depth| layer(depth, epoch)).collect(),
            })
            .collect(),
    }
}

/// Accuracy under blur and under noise of one trial.
pub(crate) fn robustness(record: &RunRecord) -> Vec<RobustnessCurve> {
    let clean = record.final_test().and_then(|test| test.accuracy).unwrap_or(0.1);
    let hash = record.trial.bytes().map(u64::from).sum();
    let point = |strength: f64, half: f64| {
        let accuracy = 0.1 + (clean - 0.1) / (1.0 + (strength / half).powi(3));
        (strength, metrics(accuracy, hash, 77))
    };
    let of = |disturbance: &str, strengths: &[f64], half: f64| RobustnessCurve {
        trial: record.trial.clone(),
        disturbance: disturbance.to_owned(),
        points: strengths.iter().map(|&strength| point(strength, half)).collect(),
    };
    vec![
        of("gaussian-blur", &[0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0], 1.6 + noise(hash, 3)),
        of("gaussian-noise", &[0.0, 0.1, 0.2, 0.3, 0.4, 0.5], 0.25 + 0.1 * noise(hash, 4)),
    ]
}

/// Writes a network of 784 inputs whose first layer holds blobs and strokes; returns its hash.
pub(crate) fn write_model(path: &Path, record: &RunRecord) -> String {
    let n_units = 64;
    let weights = Array2::from_shape_fn((784, n_units), |(pixel, unit)| {
        let (x, y) = ((pixel % 28) as f64, (pixel / 28) as f64);
        let random = |index| noise(unit as u64, index);
        let (dx, dy) = (x - 6.0 - 16.0 * random(1), y - 6.0 - 16.0 * random(2));
        let angle = random(3) * std::f64::consts::PI;
        let (along, across) = (dx * angle.cos() + dy * angle.sin(), dy * angle.cos() - dx * angle.sin());
        let envelope = (-(along * along + across * across) / (20.0 + 60.0 * random(4))).exp();
        let grain = 0.05 * (noise(unit as u64 + 1000, pixel as u64) - 0.5);
        ((envelope * (along * 0.6).cos() * (0.2 + 0.3 * random(5))) + grain) as f32
    });
    let layer = |weights: Array2<f32>| {
        let bias = Some(Array1::zeros(weights.ncols()));
        Layer { weights, bias, activation: Activation::Sigmoid }
    };
    let last = Array2::from_shape_fn((n_units, 6), |(row, column)| (noise(9, (row * 6 + column) as u64) - 0.5) as f32);
    let mlp = Mlp { layers: vec![layer(weights), layer(last)] };
    // A model must be what its configuration says.
    let mut config = record.config.clone();
    config.insert("hidden".to_owned(), json!([n_units]));
    config.insert("activation".to_owned(), json!("sigmoid"));
    config.insert("output_activation".to_owned(), json!("sigmoid"));
    config.insert("bias".to_owned(), json!(true));
    config.insert("precision".to_owned(), json!("f32"));
    mlp_train::save_model(path, &mlp, &config).expect("the folder of a test can be written");
    mlp_train::weights_sha256(&mlp)
}

fn epoch_record(epoch: usize, story: Story, hash: u64) -> EpochRecord {
    let progress = 1.0 - (-(epoch as f64) / story.pace).exp();
    let end = story.accuracy + 0.006 * (noise(hash, 1) - 0.5);
    let wobble = 0.004 * (noise(hash, 100 + epoch as u64) - 0.5);
    let test = 0.1 + (end - 0.1) * progress + wobble * progress;
    let train = 0.1 + (end + 0.012 - 0.1) * progress;
    EpochRecord {
        epoch,
        train: metrics(train.min(0.9999), hash, 2),
        validation: None,
        test: Some(metrics(test.min(0.9999), hash, 3)),
    }
}

/// Metrics that go with a digit accuracy, from a network that answers the mean of each bit at 10 % to a perfect one.
fn metrics(accuracy: f64, hash: u64, salt: u64) -> EpochMetrics {
    let wrong = ((1.0 - accuracy) / 0.9).clamp(0.0, 1.0);
    let jitter = 1.0 + 0.04 * (noise(hash, salt) - 0.5);
    EpochMetrics {
        loss: 0.38 * wrong.sqrt() * jitter,
        mae: 0.2955 * wrong.powf(0.8) * jitter,
        rmse: 0.3844 * wrong.sqrt() * jitter,
        accuracy: Some(accuracy),
        bit_accuracy: Some(1.0 - 0.2466 * wrong),
        exact_accuracy: Some(accuracy),
        nearest_accuracy: Some(accuracy + (1.0 - accuracy) * 0.15),
        invalid_rate: Some((1.0 - accuracy) * 0.3),
    }
}

fn confusion(accuracy: f64, hash: u64) -> Vec<Vec<u64>> {
    CLASS_COUNTS
        .iter()
        .enumerate()
        .map(|(label, &n_samples)| {
            let n_wrong = ((1.0 - accuracy) * n_samples as f64 * (0.6 + 0.8 * noise(hash, label as u64))) as u64;
            let n_wrong = n_wrong.min(n_samples);
            let mut row = vec![0; 11];
            row[label] = n_samples - n_wrong;
            for wrong in 0..n_wrong {
                let draw = noise(hash, 1_000 + 997 * label as u64 + wrong);
                let answer = if draw < 0.25 { 10 } else { (draw * draw * 13.3) as usize % 10 };
                row[if answer == label { 10 } else { answer }] += 1;
            }
            row
        })
        .collect()
}

fn mistake(index: usize, hash: u64) -> Mistake {
    let random = |part: u64| noise(hash, 50_000 + 100 * index as u64 + part);
    let label = (random(0) * 10.0) as usize;
    let code = 48 + label;
    let wrong_bit = (random(1) * 4.0) as usize;
    let outputs: Vec<f64> = (0..6)
        .map(|bit| {
            let target = (code >> (5 - bit)) & 1 == 1;
            let doubt = if bit == 5 - wrong_bit { 0.55 + 0.4 * random(2) } else { 0.12 * random(3 + bit as u64) };
            if target { 1.0 - doubt } else { doubt }
        })
        .collect();
    let answered = outputs.iter().fold(0, |code, &output| code * 2 + usize::from(output >= 0.5));
    let answer = (48..58).contains(&answered).then(|| char::from(answered as u8).to_string());
    let nearest = answer.clone().unwrap_or_else(|| label.to_string());
    Mistake { index: index * 97 + (random(9) * 90.0) as usize, label: label.to_string(), answer, nearest, outputs }
}

/// What the trials of [`folder`] did.
pub(crate) const STORY: Story = Story { accuracy: 0.9, pace: 2.0, n_epochs: 3, seed: 0 };

/// A folder with two trials, a model, robustness curves and a diagnosis of the first.
pub(crate) fn folder() -> (tempfile::TempDir, Vec<RunRecord>) {
    let dir = tempfile::tempdir().unwrap();
    let mut records = vec![own(record(&[], STORY)), own(record(&[], Story { seed: 1, ..STORY }))];
    std::fs::create_dir_all(dir.path().join("trials")).unwrap();
    std::fs::create_dir_all(dir.path().join("models")).unwrap();
    records[0].weights_sha256 = Some(write_model(&model(dir.path(), &records[0]), &records[0]));
    for record in &records {
        record.write(dir.path().join("trials").join(format!("{}.json", record.trial))).unwrap();
    }
    RunFolder::new(dir.path()).write_robustness(&records[0].trial, &robustness(&records[0])).unwrap();
    std::fs::create_dir_all(dir.path().join("diagnosis")).unwrap();
    let diagnosis = diagnosis(&records[0], true).to_json();
    std::fs::write(dir.path().join("diagnosis").join(format!("{}.json", records[0].trial)), diagnosis).unwrap();
    (dir, records)
}

pub(crate) fn model(dir: &Path, record: &RunRecord) -> PathBuf {
    dir.join("models").join(format!("{}.safetensors", record.trial))
}
