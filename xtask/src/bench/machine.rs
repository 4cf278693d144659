//! The machine, and what it can do at most.

use std::time::Instant;

use mlp_core::{Kernel, Workers, bf16_multiply_adds_in_registers, multiply_adds_in_registers};
use serde::Serialize;

/// What figures depend on.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) n_threads: usize,
    pub(crate) kernel: &'static str,
    pub(crate) system: String,
    /// Multiply-adds in registers, counted as two operations, on one thread and on all: 10⁹ a second.
    pub(crate) peak_one: f64,
    pub(crate) peak_all: f64,
    /// The same with factors in bf16.
    pub(crate) bf16_peak_one: f64,
    pub(crate) bf16_peak_all: f64,
}

impl Machine {
    pub(crate) fn describe(kernel: Kernel, workers: &Workers) -> Machine {
        Machine {
            processor: processor(),
            n_threads: workers.n_threads(),
            kernel: kernel.name(),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            peak_one: peak(&Workers::new(1), |n| multiply_adds_in_registers::<f32>(kernel, n)),
            peak_all: peak(workers, |n| multiply_adds_in_registers::<f32>(kernel, n)),
            bf16_peak_one: peak(&Workers::new(1), |n| bf16_multiply_adds_in_registers(kernel, n)),
            bf16_peak_all: peak(workers, |n| bf16_multiply_adds_in_registers(kernel, n)),
        }
    }
}

/// The best of some tries, as the other figures are.
fn peak(workers: &Workers, rounds: impl Fn(usize) -> u64 + Sync) -> f64 {
    let mut best = 0.0_f64;
    for _ in 0..20 {
        let mut counts = vec![0_u64; workers.n_threads()];
        let started = Instant::now();
        workers.for_each(&mut counts, |_, count| *count = rounds(1_000_000));
        best = best.max(2.0 * counts.iter().sum::<u64>() as f64 / started.elapsed().as_secs_f64());
    }
    best / 1e9
}

fn processor() -> String {
    let information = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = information.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    name.map_or_else(|| "processor of unknown name".to_owned(), |(_, name)| name.trim().to_owned())
}
