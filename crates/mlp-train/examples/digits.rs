//! Learns to read digits: those of a folder with the files of MNIST, or made-up ones.
//!
//! ```text
//! cargo run --release -p mlp-train --example digits [FOLDER]
//! ```

use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;
use std::thread::available_parallelism;

use mlp_core::{Kernel, Workers};
use mlp_train::{Codebook, Inputs, Progress, Samples, Setup, Targets, TrainConfig, save_model, train};
use mnist_io::{LabeledImages, synthetic_digits};

fn main() -> Result<(), Box<dyn Error>> {
    let (train_set, test_set) = match std::env::args_os().nth(1) {
        Some(folder) => LabeledImages::load_folder(Path::new(&folder))?,
        None => (synthetic_digits(10_000, 0), synthetic_digits(2_000, 1)),
    };
    let config = TrainConfig::default();
    let codebook = config.encoding.codebook(&train_set.classes);

    let workers = Workers::new(available_parallelism()?.get());
    let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
    let (train_samples, test_samples) = (samples(&train_set, &codebook), samples(&test_set, &codebook));
    let run = train(&config, &train_samples, Some(&test_samples), setup, &mut |progress| {
        if let Progress::Epoch(record) = progress
            && let Some(test) = &record.test
        {
            let accuracy = 100.0 * test.accuracy.unwrap_or_default();
            println!("epoch {:2}: loss {:.4}, {accuracy:.2} % of the test digits", record.epoch, test.loss);
        }
        ControlFlow::Continue(())
    })?;

    let seconds: f64 = run.history.seconds_train.iter().sum();
    println!("{:.1} s of training", seconds);
    if let Some(mistake) = run.evaluation.iter().flat_map(|evaluation| &evaluation.mistakes).next() {
        let answer = mistake.answer.as_deref().unwrap_or("no digit");
        println!("the first mistake: test digit {} is {}, read as {answer}", mistake.index, mistake.label);
    }
    let path = std::env::temp_dir().join("digits.safetensors");
    save_model(&path, &run.mlp, &config.to_map())?;
    println!("saved as {}", path.display());
    Ok(())
}

fn samples<'a>(images: &'a LabeledImages, codebook: &'a Codebook) -> Samples<'a, f32> {
    Samples {
        inputs: Inputs::Pixels(images.pixels()),
        targets: Targets::labels(&images.labels, codebook),
        weights: None,
    }
}
