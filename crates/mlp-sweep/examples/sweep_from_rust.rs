//! Which learning rate is best, over three seeds each, on digits that need no download.
//!
//! `cargo run -p mlp-sweep --example sweep_from_rust runs/rates` keeps the results; run it again, and nothing is computed twice.

use std::path::Path;

use mlp_sweep::mlp_results::{Overview, RunFolder};
use mlp_sweep::{Dataset, Event, Result, RunOptions, Sweep, SweepSpec};
use mnist_io::synthetic_digits;

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "runs/rates".to_owned());
    println!("{}", best_rate(Path::new(&folder))?);
    Ok(())
}

pub(crate) fn best_rate(folder: &Path) -> Result<String> {
    let spec = SweepSpec::from_toml("hidden = [16]\nepochs = 5\n")?;
    let spec = spec.vary("learning_rate", [0.001, 0.01, 0.1])?.vary("seed", 0..3)?;
    let data = Dataset::images("digits", synthetic_digits(300, 0), synthetic_digits(200, 1))?.synthetic();
    Sweep::new(spec, data, folder)?.run(&RunOptions::default(), &|event: Event<'_>| {
        if let Event::Finished { trial, record } = event {
            println!("{}: {:?}", trial.label(), record.status);
        }
    })?;

    let results = RunFolder::new(folder).read()?;
    let overview = Overview::new(&results.trials);
    let (best, metric) = (&overview.cells[0], overview.metric);
    let mean = best.mean().map_or_else(|| "no result".to_owned(), |mean| metric.format(mean));
    // Seeds that agree by chance, or of which some do not learn at all, have no interval.
    let interval =
        best.interval().map_or_else(String::new, |interval| format!(" ± {}", metric.format(interval.half_width)));
    Ok(format!("best learning rate: {}, {mean}{interval} over {} seeds", best.label, best.scores.len()))
}
