//! All figures, and the tables that a person reads.

use std::fmt::Write as _;

use serde::Serialize;

use crate::bench::case::{Case, Measured, find};
use crate::bench::estimators::Estimators;
use crate::bench::machine::Machine;
use crate::bench::peers::PeerMeasured;
use crate::bench::to_accuracy::ToAccuracy;
use crate::bench::whole::Whole;
use crate::failure::Failure;
use mlp_results::text::{counted, thousands};

/// All figures.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) machine: Machine,
    pub(crate) rows: Vec<Row>,
    /// Our seconds on the other instruction sets.
    pub(crate) kernels: Vec<KernelRow>,
    /// Our seconds with numbers that could slow a processor down.
    pub(crate) troubled: Vec<TroubledRow>,
    pub(crate) whole: Option<Whole>,
    /// The Python package beside scikit-learn.
    pub(crate) estimators: Option<Estimators>,
}

/// A case, ours and the peers'.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) case: &'static str,
    pub(crate) title: &'static str,
    pub(crate) own: Measured,
    pub(crate) peers: Vec<PeerMeasured>,
    /// Seconds of the best peer in the same precision, divided by ours.
    pub(crate) ratio: Option<f64>,
    /// 10⁹ operations a second, counting what is left out because it is zero.
    pub(crate) dense_rate: f64,
    /// Of the peak of multiply-adds on as many cores.
    pub(crate) fraction_of_peak: f64,
}

/// A case on one instruction set.
#[derive(Debug, Serialize)]
pub(crate) struct KernelRow {
    pub(crate) kernel: &'static str,
    pub(crate) case: &'static str,
    pub(crate) seconds: f64,
}

/// A case with numbers that could slow a processor down.
#[derive(Debug, Serialize)]
pub(crate) struct TroubledRow {
    pub(crate) case: &'static str,
    pub(crate) seconds: f64,
    /// Seconds with ordinary numbers.
    pub(crate) seconds_ordinary: f64,
}

impl Machine {
    /// The machine in a line.
    pub(crate) fn line(&self) -> String {
        format!(
            "{}, {} threads, {}, {}. Multiply-adds in registers: {:.0} GFLOP/s on one thread, {:.0} on \
             all; in bf16 {:.0} and {:.0}.",
            self.processor,
            self.n_threads,
            self.system,
            self.kernel,
            self.peak_one,
            self.peak_all,
            self.bf16_peak_one,
            self.bf16_peak_all
        )
    }
}

impl Row {
    /// The seconds in a line, as they come.
    pub(crate) fn line(&self) -> String {
        let peers = self.peers.iter().map(|peer| format!(", {} {}", peer.name, seconds(peer.seconds)));
        let ratio = self.ratio.map_or_else(String::new, |ratio| format!("; best peer ÷ ours {ratio:.1}"));
        format!("{}: {}{}{ratio}", self.title, seconds(self.own.seconds), peers.collect::<String>())
    }
}

impl KernelRow {
    /// The seconds in a line, as they come.
    pub(crate) fn line(&self) -> String {
        format!("{}, {}: {}", self.case, self.kernel, seconds(self.seconds))
    }
}

impl TroubledRow {
    /// The seconds in a line, as they come.
    pub(crate) fn line(&self) -> String {
        format!("{}: {}, {} with ordinary numbers", self.case, seconds(self.seconds), seconds(self.seconds_ordinary))
    }
}

impl Figures {
    /// Every figure with all its digits.
    pub(crate) fn json(&self) -> Result<String, Failure> {
        serde_json::to_string_pretty(self).map_err(|error| Failure::data(error.to_string()))
    }

    /// The tables, in Markdown.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{}\n", self.machine.line());
        let _ = writeln!(
            text,
            "Seconds for an epoch of 60,000 digits, the best of some runs:\n\n\
             | | ours | PyTorch | JAX | NumPy | PyTorch, bf16 | best peer ÷ ours | of the peak | MiB | measuring 10,000 |\n\
             |---|---|---|---|---|---|---|---|---|---|"
        );
        for row in &self.rows {
            let peer = |name: &str| {
                let peer = row.peers.iter().find(|peer| peer.name == name);
                peer.map_or_else(String::new, |peer| seconds(peer.seconds))
            };
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {} | {:.0} % | {} | {:.0} ms |",
                row.title,
                seconds(row.own.seconds),
                peer("torch"),
                peer("jax"),
                peer("numpy"),
                peer("torch-bf16"),
                row.ratio.map_or_else(String::new, |ratio| format!("{ratio:.1}")),
                100.0 * row.fraction_of_peak,
                row.own.peak_mib.map_or_else(String::new, |peak| format!("{peak:.0}")),
                1000.0 * row.own.seconds_evaluate,
            );
        }
        // Where the peers have fewer samples, they cannot have learnt as much.
        let alike = |row: &&Row| !row.peers.is_empty() && find(row.case).is_some_and(Case::has_all_samples);
        let rows: Vec<&Row> = self.rows.iter().filter(alike).collect();
        if !rows.is_empty() {
            let _ = writeln!(
                text,
                "\n| mean squared error after three epochs | ours | PyTorch | JAX | NumPy |\n|---|---|---|---|---|"
            );
        }
        for row in rows {
            let peer = |name: &str| {
                let peer = row.peers.iter().find(|peer| peer.name == name);
                peer.map_or_else(String::new, |peer| format!("{:.3}", peer.error))
            };
            let (torch, jax, numpy) = (peer("torch"), peer("jax"), peer("numpy"));
            let _ = writeln!(text, "| {} | {:.3} | {torch} | {jax} | {numpy} |", row.title, row.own.error);
        }
        if !self.kernels.is_empty() {
            let _ = writeln!(text, "\n| instructions | case | seconds |\n|---|---|---|");
            for row in &self.kernels {
                let _ = writeln!(text, "| {} | {} | {} |", row.kernel, row.case, seconds(row.seconds));
            }
        }
        if !self.troubled.is_empty() {
            let _ = writeln!(text, "\n| | seconds | with ordinary numbers | ratio |\n|---|---|---|---|");
            for row in &self.troubled {
                let ratio = row.seconds / row.seconds_ordinary;
                let _ = writeln!(
                    text,
                    "| {} | {} | {} | {ratio:.2} |",
                    row.case,
                    seconds(row.seconds),
                    seconds(row.seconds_ordinary)
                );
            }
        }
        if let Some(whole) = &self.whole {
            whole.write(&mut text);
        }
        if let Some(estimators) = &self.estimators {
            let _ = write!(text, "\n{}", estimators.markdown());
        }
        text
    }
}

impl Whole {
    fn write(&self, text: &mut String) {
        let mut lines = vec![
            format!("reading MNIST from four gzip files | {:.0} ms", 1000.0 * self.seconds_load),
            format!("`predict` on one picture, as a process | {:.0} ms", 1000.0 * self.seconds_predict),
        ];
        for sweep in &self.sweeps {
            lines.push(format!(
                "16 trials of {} digits, {} each, on two threads, from start to end of the process | {}: {:.2} × half of the {} that they train and measure alone on one",
                thousands(sweep.n_digits as u64),
                counted(sweep.n_epochs, "epoch"),
                seconds(sweep.seconds),
                sweep.seconds / (sweep.seconds_alone / 2.0),
                seconds(sweep.seconds_alone)
            ));
            lines.extend(sweep.seconds_grid_search.map(|grid| {
                format!(
                    "the same grid in GridSearchCV, the search alone | {}: {:.1} × ours",
                    seconds(grid),
                    grid / sweep.seconds
                )
            }));
        }
        lines.extend(self.to_accuracies.iter().flat_map(ToAccuracy::lines));
        let _ = writeln!(text, "\n| | |\n|---|---|");
        for line in lines.iter().filter(|line| !line.is_empty()) {
            let _ = writeln!(text, "| {line} |");
        }
    }
}

fn seconds(seconds: f64) -> String {
    if seconds < 10.0 { format!("{seconds:.2} s") } else { format!("{seconds:.1} s") }
}
