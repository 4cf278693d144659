//! The real thing.

use std::env;
use std::io::{Write, stderr};
use std::path::PathBuf;

use mlp_train::{Codebook, Inputs, Samples, Schedule, TargetEncoding, Targets, TrainConfig, Trainable};
use mnist_io::LabeledImages;

use crate::problems::run;

/// The folder with the files of MNIST: `$MNIST_DIR`, or `datasets/mnist` of the workspace.
fn mnist() -> Option<(LabeledImages, LabeledImages)> {
    let default = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../datasets/mnist");
    let folder = env::var_os("MNIST_DIR").map_or_else(default, PathBuf::from);
    match LabeledImages::load_folder(&folder) {
        Ok(sets) => Some(sets),
        Err(error) if env::var("CI").as_deref() == Ok("true") => panic!("MNIST is needed: {error}"),
        Err(error) => {
            // Straight to the terminal: the test harness would swallow what `eprintln!` writes.
            let _ = writeln!(stderr(), "SKIPPED: real MNIST is needed: {error}");
            None
        }
    }
}

fn samples<'a, F: Trainable>(images: &'a LabeledImages, codebook: &'a Codebook) -> Samples<'a, F> {
    Samples {
        inputs: Inputs::Pixels(images.pixels()),
        targets: Targets::labels(&images.labels, codebook),
        weights: None,
    }
}

#[test]
fn one_epoch_reads_nine_digits_in_ten() {
    let Some((train, test)) = mnist() else { return };
    let codebook = TargetEncoding::Ascii.codebook(&train.classes);
    let config = TrainConfig::new().hidden([128]).epochs(1).schedule(Schedule::Constant);
    let run = run::<f32>(&config, &samples(&train, &codebook), Some(&samples(&test, &codebook)));
    let metrics = run.evaluation.unwrap().metrics;
    eprintln!("{metrics:?} after {:.2} s", run.history.seconds_train[0]);
    assert!(metrics.exact_accuracy.unwrap() > 0.9, "{metrics:?}");
}
