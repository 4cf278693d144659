//! Tells three species of iris apart by four lengths: a small table in a file, and a word for each row.
//!
//! ```text
//! cargo run --release -p mlp-train --example iris
//! ```

use std::error::Error;

use mlp_train::ndarray::{Array2, array};
use mlp_train::tabular::{MlpClassifier, stratified_split};

pub(crate) const TABLE: &str = include_str!("data/iris.csv");

fn main() -> Result<(), Box<dyn Error>> {
    let (flowers, species) = read(TABLE)?;
    let split = stratified_split(&flowers, &species, 0.25, 3)?;
    let model = MlpClassifier::fit(&split.train_inputs, &split.train_targets)?;
    let accuracy = model.score(&split.test_inputs, &split.test_targets)?;
    println!("{:.0} % of the flowers that it has not seen are named right", 100.0 * accuracy);

    let flower = array![[6.0, 2.7, 5.1, 1.6]];
    let probabilities = model.predict_proba(&flower)?;
    for (species, probability) in model.classes().iter().zip(&probabilities) {
        println!("  {species:<10} {:>3.0} %", 100.0 * probability);
    }
    Ok(())
}

/// The numbers, one row a flower, and the species of each.
type Flowers<'a> = (Array2<f64>, Vec<&'a str>);

pub(crate) fn read(table: &str) -> Result<Flowers<'_>, Box<dyn Error>> {
    let rows = table.lines().filter(|line| !line.starts_with('#')).skip(1);
    let (numbers, species): (Vec<&str>, Vec<&str>) = rows.filter_map(|row| row.rsplit_once(',')).unzip();
    let numbers = numbers.iter().flat_map(|row| row.split(',')).map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    Ok((Array2::from_shape_vec((species.len(), 4), numbers)?, species))
}
