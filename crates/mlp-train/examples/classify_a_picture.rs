//! Reads the digit in an image: one of 28 × 28 pixels as it is, and a photo after its preparation.
//!
//! ```text
//! cargo run --release -p mlp-train --example classify_a_picture [PHOTO]
//! ```
//!
//! The network is a small one, trained on made-up digits, saved and loaded again. Without a photo one is made up.

use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;

use mlp_train::mlp_core::{Kernel, Workers};
use mlp_train::{Classification, Classifier, Inputs, Samples, SavedModel, Setup, Targets, TrainConfig, train};
use mnist_io::image::{DynamicImage, GrayImage, Luma};
use mnist_io::{LabeledImages, prepare_digit, read_image, synthetic_digits};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::temp_dir().join(format!("classify-a-picture-{}.safetensors", std::process::id()));
    train_and_save(&path)?;
    let mut classifier = Classifier::load(&path)?;
    std::fs::remove_file(&path)?;

    let digits = synthetic_digits(10, 2);
    let pixels: Vec<u8> = digits.images.outer_iter().next().ok_or("no digits")?.iter().copied().collect();
    show("an image of 28 × 28", &classifier.classify(&pixels)?);

    let photo = match std::env::args_os().nth(1) {
        Some(path) => read_image(path)?,
        None => made_up_photo(&pixels),
    };
    let prepared = prepare_digit(&photo)?;
    let pixels: Vec<u8> = prepared.image.iter().copied().collect();
    show("a photo", &classifier.classify(&pixels)?);
    Ok(())
}

pub(crate) fn train_and_save(path: &Path) -> Result<(), Box<dyn Error>> {
    let images: LabeledImages = synthetic_digits(10_000, 0);
    let config = TrainConfig::new().hidden([128]).learning_rate(0.01);
    let codebook = config.encoding.codebook(&images.classes);
    let targets = Targets::labels(&images.labels, &codebook);
    let samples = Samples { inputs: Inputs::Pixels(images.pixels()), targets, weights: None };
    let workers = Workers::new(1);
    let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
    let run = train::<f32>(&config, &samples, None, setup, &mut |_| ControlFlow::Continue(()))?;
    SavedModel::new(run.mlp, config, images.classes.clone()).save(path)?;
    Ok(())
}

/// The digit ten times as large, dark on light paper.
pub(crate) fn made_up_photo(pixels: &[u8]) -> DynamicImage {
    let pixel = |x: u32, y: u32| 235 - pixels[(y / 10 * 28 + x / 10) as usize] / 5 * 4;
    DynamicImage::ImageLuma8(GrayImage::from_fn(280, 280, |x, y| Luma([pixel(x, y)])))
}

fn show(what: &str, answer: &Classification) {
    match &answer.class {
        Some(class) => println!("{what}: {class}"),
        None => println!("{what}: no digit has exactly these bits"),
    }
    for bit in &answer.bits {
        println!("  {} for {:.3}, sure by {:.0} %", u8::from(bit.is_one), bit.output, 100.0 * bit.confidence);
    }
    let candidates: Vec<&str> = answer.ranking.iter().take(3).map(|candidate| candidate.class.as_str()).collect();
    println!("  the nearest codes are those of {}", candidates.join(", "));
}
