//! From the start of a process to a network that gets so many of the test digits right, ours and PyTorch's in turn.

use std::time::Instant;

use serde::Serialize;
use serde_json::Value;

use crate::bench::whole::{Place, median, records};
use crate::failure::Failure;

/// What it takes to reach one level: medians over seeds, and the worst seed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ToAccuracy {
    /// In percent.
    pub(crate) level: &'static str,
    pub(crate) n_seeds: usize,
    pub(crate) seconds: f64,
    pub(crate) worst_accuracy: f64,
    pub(crate) seconds_torch: Option<f64>,
    pub(crate) worst_accuracy_torch: Option<f64>,
}

/// A share of the test digits, and a quick way to it that was chosen on digits kept back from training; see
/// docs/performance.md.
struct Level {
    name: &'static str,
    n_seeds: usize,
    settings: &'static [&'static str],
}

/// What all of them share.
const COMMON: [&str; 9] = [
    "activation=relu",
    "encoding=one-hot",
    "output_activation=softmax",
    "loss=softmax-cross-entropy",
    "initializer=he-uniform",
    "optimizer=adam",
    "schedule={ name = \"cosine\", warmup = 0 }",
    "batch_size=128",
    "evaluate_train=100",
];

const LEVELS: [Level; 3] = [
    Level { name: "98", n_seeds: 10, settings: &["hidden=[512, 256]", "learning_rate=0.002", "epochs=4"] },
    Level {
        name: "99",
        n_seeds: 3,
        settings: &["hidden=[800, 400]", "learning_rate=0.002", "epochs=10", "augment=ciresan", "precision=bf16"],
    },
    Level {
        name: "99.5",
        n_seeds: 1,
        settings: &[
            "hidden=[1024, 1024, 1024]",
            "learning_rate=0.001",
            "epochs=60",
            "augment=ciresan",
            "precision=bf16",
        ],
    },
];

impl Place<'_> {
    /// All levels; the last takes minutes.
    pub(crate) fn to_accuracies(&self) -> Result<Vec<ToAccuracy>, Failure> {
        LEVELS.iter().map(|level| self.to_accuracy(level)).collect()
    }

    /// How often the bar moves on.
    pub(crate) fn n_runs_to_accuracies(with_peers: bool) -> usize {
        LEVELS.iter().map(|level| level.n_seeds * if with_peers { 2 } else { 1 }).sum()
    }

    fn to_accuracy(&self, level: &Level) -> Result<ToAccuracy, Failure> {
        self.bar.set_message(format!("to {} %", level.name));
        let (mut own, mut torch) = (Vec::new(), Vec::new());
        let (mut worst, mut worst_torch) = (1.0_f64, 1.0_f64);
        for seed in 0..level.n_seeds {
            let folder = self.scratch.join(format!("to-{}-seed-{seed}", level.name));
            let n_threads = self.n_threads.to_string();
            let mut arguments = vec!["train", "--quiet", "--threads", &n_threads];
            let seed_setting = format!("seed={seed}");
            for setting in COMMON.iter().chain(level.settings).copied().chain([seed_setting.as_str()]) {
                arguments.extend(["--set", setting]);
            }
            let started = Instant::now();
            self.own(&arguments, &folder)?;
            own.push(started.elapsed().as_secs_f64());
            self.bar.inc(1);
            for record in records(&folder)? {
                let last = record["epochs"].as_array().and_then(|epochs| epochs.last()).unwrap_or(&Value::Null);
                worst = worst.min(last["test"]["accuracy"].as_f64().unwrap_or(0.0));
            }
            if let Some(python) = self.python {
                let started = Instant::now();
                let arguments =
                    [format!("--level={}", level.name), format!("--seed={seed}"), format!("--threads={n_threads}")];
                if let Some(answer) = python.run("to_accuracy.py", &arguments, self.bar)? {
                    torch.push(started.elapsed().as_secs_f64());
                    worst_torch = worst_torch.min(answer["accuracy"].as_f64().unwrap_or(0.0));
                }
                self.bar.inc(1);
            }
        }
        let has_torch = !torch.is_empty();
        Ok(ToAccuracy {
            level: level.name,
            n_seeds: level.n_seeds,
            seconds: median(own),
            worst_accuracy: worst,
            seconds_torch: has_torch.then(|| median(torch)),
            worst_accuracy_torch: has_torch.then_some(worst_torch),
        })
    }
}

impl ToAccuracy {
    /// Rows of the table.
    pub(crate) fn lines(&self) -> Vec<String> {
        let seeds = if self.n_seeds == 1 { "one seed".to_owned() } else { format!("median of {} seeds", self.n_seeds) };
        let worst = |accuracy: f64| format!("(worst seed {:.2} %)", 100.0 * accuracy);
        let mut lines = vec![format!(
            "a net for {} % of the test digits, from start to end of the process, {seeds} | {} {}",
            self.level,
            shown(self.seconds),
            worst(self.worst_accuracy)
        )];
        lines.extend(self.seconds_torch.map(|torch| {
            format!(
                "the same in PyTorch | {}: {:.1} × ours {}",
                shown(torch),
                torch / self.seconds,
                worst(self.worst_accuracy_torch.unwrap_or(f64::NAN))
            )
        }));
        lines
    }
}

fn shown(seconds: f64) -> String {
    if seconds < 10.0 { format!("{seconds:.2} s") } else { format!("{seconds:.1} s") }
}
