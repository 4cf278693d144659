//! Makes the report of a folder that a training or a sweep wrote, and says how long that took:
//!
//! ```text
//! cargo run --release -p mlp-report --example report_of_folder -- runs/layers-mnist
//! ```

use std::path::PathBuf;
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir =
        std::env::args_os().nth(1).map(PathBuf::from).ok_or("name the folder that a training or a sweep wrote")?;
    let start = Instant::now();
    let input = mlp_report::read_folder(&dir)?;
    let read = start.elapsed();
    let written = mlp_report::write_report(&input, &dir)?;
    let n_bytes = std::fs::metadata(&written.report)?.len();
    println!(
        "{}: {} trials read in {:.2} s, written in {:.2} s, {:.2} MB",
        written.report.display(),
        input.trials.len(),
        read.as_secs_f64(),
        (start.elapsed() - read).as_secs_f64(),
        n_bytes as f64 / 1e6
    );
    for warning in &written.warnings {
        eprintln!("warning: {warning}");
    }
    Ok(())
}
