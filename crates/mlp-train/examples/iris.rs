//! Tells three species of iris apart by four lengths: a small table in a file, and a class for each row.
//!
//! ```text
//! cargo run --release -p mlp-train --example iris
//! ```

use std::error::Error;
use std::ops::ControlFlow;

use mlp_train::mlp_core::{Activation, Kernel, Loss, Workers};
use mlp_train::ndarray::{Array2, Axis};
use mlp_train::{
    Classifier, Inputs, Optimizer, Samples, SavedModel, Setup, TargetEncoding, Targets, TrainConfig, train,
};

const TABLE: &str = include_str!("data/iris.csv");
/// One character for each class; a species is long to write.
const CLASSES: [char; 3] = ['s', 'c', 'v'];

fn main() -> Result<(), Box<dyn Error>> {
    let accuracy = learn()?;
    println!("{:.0} % of the flowers that it has not seen are named right", 100.0 * accuracy);
    Ok(())
}

/// Trains on two flowers in three, and returns the fraction of the others that are named right.
pub(crate) fn learn() -> Result<f64, Box<dyn Error>> {
    let (flowers, labels) = read(TABLE)?;
    let is_test = |row: &usize| row % 3 == 2;
    let (test_rows, train_rows): (Vec<usize>, Vec<usize>) = (0..labels.len()).partition(is_test);

    // Columns of like size are learnt faster: each is shifted and scaled by its mean and deviation among those trained on.
    let train_flowers = flowers.select(Axis(0), &train_rows);
    let mean = train_flowers.mean_axis(Axis(0)).ok_or("no flowers")?;
    let scaled = (flowers - mean) / train_flowers.std_axis(Axis(0), 0.0);

    let config = TrainConfig::new()
        .hidden([8])
        .activation([Activation::Tanh])
        .encoding(TargetEncoding::OneHot)
        .output_activation(Activation::Softmax)
        .loss(Loss::SoftmaxCrossEntropy)
        .optimizer(Optimizer::ADAM)
        .learning_rate(0.02)
        .batch_size(10)
        .epochs(60);
    let codebook = config.encoding.codebook(&CLASSES);
    let inputs = scaled.select(Axis(0), &train_rows).mapv(|value| value as f32);
    let train_labels: Vec<u8> = train_rows.iter().map(|&row| labels[row]).collect();
    let targets = Targets::Labels { labels: &train_labels, codebook: &codebook };
    let samples = Samples { inputs: Inputs::Values(inputs.view()), targets };

    let workers = Workers::new(1);
    let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
    let run = train(&config, &samples, None, setup, &mut |_| ControlFlow::Continue(()))?;

    let mut classifier = Classifier::new(&SavedModel::new(run.mlp, config, CLASSES.to_vec()))?;
    let answers = classifier.classify_rows(scaled.select(Axis(0), &test_rows).view())?;
    let is_right =
        |(answer, &row): (&mlp_train::Classification, &usize)| answer.nearest() == CLASSES[usize::from(labels[row])];
    let n_right = answers.iter().zip(&test_rows).filter(|&pair| is_right(pair)).count();
    Ok(n_right as f64 / test_rows.len() as f64)
}

/// The numbers of the table, one row a flower, and the index of the species of each.
fn read(table: &str) -> Result<(Array2<f64>, Vec<u8>), Box<dyn Error>> {
    let (mut numbers, mut labels) = (Vec::new(), Vec::new());
    for line in table.lines().filter(|line| !line.starts_with('#')).skip(1) {
        let (columns, species) = line.rsplit_once(',').ok_or("a line without columns")?;
        for column in columns.split(',') {
            numbers.push(column.parse::<f64>()?);
        }
        let species = ["setosa", "versicolor", "virginica"].iter().position(|&known| known == species);
        labels.push(species.ok_or("an unknown species")? as u8);
    }
    Ok((Array2::from_shape_vec((labels.len(), 4), numbers)?, labels))
}
