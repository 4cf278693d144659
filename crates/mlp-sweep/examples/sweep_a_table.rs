//! A sweep over numbers that are no images: which width tells the points inside a ring from those outside, over three seeds.
//!
//! `cargo run --release -p mlp-sweep --example sweep_a_table runs/ring` keeps the results.

use std::path::Path;

use mlp_core::ndarray::Array2;
use mlp_sweep::mlp_results::{Overview, RunFolder};
use mlp_sweep::{Dataset, Result, RunOptions, Sweep, SweepSpec, Table, TableTargets};

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "runs/ring".to_owned());
    print!("{}", widths(Path::new(&folder))?);
    Ok(())
}

/// Points of a grid over the square from -1 to 1, and for each whether it lies inside the circle of half its area.
fn points(n_side: usize) -> Table {
    let place = |index: usize| 2.0 * (index as f64 + 0.5) / n_side as f64 - 1.0;
    let inputs = Array2::from_shape_fn((n_side * n_side, 2), |(row, column)| {
        place(if column == 0 { row / n_side } else { row % n_side })
    });
    let is_inside = |x: f64, y: f64| x * x + y * y < 2.0 / std::f64::consts::PI;
    let labels = inputs.rows().into_iter().map(|row| u8::from(is_inside(row[0], row[1]))).collect();
    Table {
        inputs,
        targets: TableTargets::Classes { labels, classes: ["outside", "inside"].map(String::from).to_vec() },
    }
}

pub(crate) fn widths(folder: &Path) -> Result<String> {
    let spec = SweepSpec::from_toml(
        "activation = \"tanh\"\nencoding = \"one-hot\"\noutput_activation = \"softmax\"\nloss = \"softmax-cross-entropy\"\n\
         learning_rate = 0.01\nepochs = 40\n[sweep]\nhidden = [[2], [4], [16]]\nseed = [0, 1, 2]\n",
    )?;
    let data = Dataset::tables("ring", points(24), points(17))?;
    Sweep::new(spec, data, folder)?.run(&RunOptions::default(), &())?;

    let results = RunFolder::new(folder).read()?;
    let overview = Overview::new(&results.trials);
    let line = |label: &str, mean: Option<f64>| {
        format!("{label:<12} {}\n", mean.map_or("no result".to_owned(), |mean| overview.metric.format(mean)))
    };
    Ok(overview.cells.iter().map(|cell| line(&cell.label, cell.mean())).collect())
}
