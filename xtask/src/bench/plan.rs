//! What is measured, in which order; each figure is kept as soon as it is there.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use indicatif::ProgressBar;
use mlp_core::Kernel;
use mlp_train::Precision;

use crate::bench::case::{CASES, Case, Measured, TROUBLED};
use crate::bench::estimators::Estimators;
use crate::bench::machine::Machine;
use crate::bench::peers::{PeerMeasured, Python};
use crate::bench::table::{Figures, KernelRow, Row, TroubledRow};
use crate::bench::whole::Place;
use crate::failure::{Code, Failure};
use crate::options::team;
use crate::output::notice;
use crate::progress::Progress;

/// A bench as it was asked for.
pub(crate) struct Plan<'a> {
    pub(crate) data: &'a Path,
    pub(crate) kernel: Kernel,
    pub(crate) n_threads: usize,
    /// None if peers are left out.
    pub(crate) python: Option<&'a Python<'a>>,
    pub(crate) is_full: bool,
    /// The folder of `bench.md` and `bench.json`.
    pub(crate) out: Option<&'a Path>,
    pub(crate) is_quiet: bool,
}

/// The cases that are measured on every instruction set.
const CASES_OF_KERNELS: [&str; 3] = ["batch-1", "batch-128", "one-core"];
/// Runs of each of them, and of each pair of ordinary and troubled numbers.
const N_RUNS_OF_KERNELS: usize = 3;
const N_RUNS_OF_TROUBLED: usize = 6;

impl Plan<'_> {
    /// All figures. What has been measured when it fails or is stopped stands in the folder.
    pub(crate) fn measure(&self) -> Result<Figures, Failure> {
        let progress = Progress::new(self.is_quiet);
        let bar = progress.steps("", self.n_runs() as u64);
        bar.enable_steady_tick(Duration::from_secs(1));
        let tell = |line: &str| {
            if !self.is_quiet {
                progress.suspend(|| notice(line));
            }
        };
        let machine = Machine::describe(self.kernel, &team(self.n_threads)?);
        let mut figures = Figures {
            machine,
            rows: Vec::new(),
            kernels: Vec::new(),
            troubled: Vec::new(),
            whole: None,
            estimators: None,
        };
        tell(&figures.machine.line());
        for case in &CASES {
            let row = self.row(case, &figures.machine, &bar)?;
            tell(&row.line());
            figures.rows.push(row);
            self.keep(&figures)?;
        }
        if self.is_full {
            for kernel in Kernel::ALL.into_iter().filter(|kernel| kernel.is_supported()) {
                for case in CASES.iter().filter(|case| CASES_OF_KERNELS.contains(&case.name)) {
                    let row = self.kernel_row(case, kernel, &bar)?;
                    tell(&row.line());
                    figures.kernels.push(row);
                }
            }
            self.keep(&figures)?;
            for pair in TROUBLED.chunks(2) {
                let row = self.troubled_row(&pair[0], &pair[1], &bar)?;
                tell(&row.line());
                figures.troubled.push(row);
            }
            self.keep(&figures)?;
            let scratch = std::env::temp_dir().join(format!("mlp-bench-{}", std::process::id()));
            std::fs::create_dir_all(&scratch).map_err(|error| Failure::io("create", &scratch, &error))?;
            let place =
                Place { data: self.data, scratch: &scratch, python: self.python, n_threads: self.n_threads, bar: &bar };
            let measured = place.measure();
            std::fs::remove_dir_all(&scratch).map_err(|error| Failure::io("remove", &scratch, &error))?;
            figures.whole = Some(measured?);
            self.keep(&figures)?;
            if let Some(python) = self.python {
                figures.estimators = Estimators::measure(python, &bar)?;
                bar.inc(1);
                self.keep(&figures)?;
            }
        }
        bar.finish_and_clear();
        Ok(figures)
    }

    /// Processes, or runs of one command, of which the bar tells.
    fn n_runs(&self) -> usize {
        let n_peers = |case| if self.python.is_some() { Python::peers(case).len() } else { 0 };
        let of_rows: usize = CASES.iter().map(|case| self.n_rounds() * (1 + n_peers(case))).sum();
        if !self.is_full {
            return of_rows;
        }
        let n_kernels = Kernel::ALL.into_iter().filter(|kernel| kernel.is_supported()).count();
        of_rows
            + n_kernels * CASES_OF_KERNELS.len() * N_RUNS_OF_KERNELS
            + TROUBLED.len() * N_RUNS_OF_TROUBLED
            + Place::n_runs(self.python.is_some())
            + usize::from(self.python.is_some())
    }

    fn n_rounds(&self) -> usize {
        if self.is_full { 6 } else { 2 }
    }

    /// Writes what has been measured so far, if there is a folder for it.
    fn keep(&self, figures: &Figures) -> Result<(), Failure> {
        let Some(folder) = self.out else { return Ok(()) };
        std::fs::create_dir_all(folder).map_err(|error| Failure::io("create", folder, &error))?;
        for (name, text) in [("bench.json", figures.json()?), ("bench.md", figures.markdown())] {
            let path = folder.join(name);
            std::fs::write(&path, text).map_err(|error| Failure::io("write", &path, &error))?;
        }
        Ok(())
    }

    /// One case, ours and the peers' in turn, so that a slow minute of the machine meets all of them.
    fn row(&self, case: &Case, machine: &Machine, bar: &ProgressBar) -> Result<Row, Failure> {
        let mut best: Option<Measured> = None;
        let mut peers: Vec<PeerMeasured> = Vec::new();
        for _ in 0..self.n_rounds() {
            bar.set_message(case.title);
            let measured = self.own(case, self.kernel)?;
            bar.inc(1);
            best = Some(best.map_or(measured.clone(), |best| better(best, measured)));
            let Some(python) = self.python else { continue };
            for peer in Python::peers(case) {
                bar.set_message(format!("{}, {peer}", case.title));
                let measured = python.measure(peer, case, machine.n_threads, bar)?;
                bar.inc(1);
                let Some(measured) = measured else { continue };
                match peers.iter_mut().find(|known| known.name == measured.name) {
                    Some(known) if known.seconds <= measured.seconds => {}
                    Some(known) => *known = measured,
                    None => peers.push(measured),
                }
            }
        }
        let own = best.ok_or_else(|| Failure::new(Code::Unsuccessful, "nothing was measured"))?;
        // In bf16 against the best in any precision.
        let is_bf16 = case.precision == Precision::Bf16;
        let comparable = peers.iter().filter(|peer| is_bf16 || !peer.name.ends_with("bf16"));
        let best_peer = comparable.map(|peer| peer.seconds).fold(f64::INFINITY, f64::min);
        let dense_rate = case.dense_operations() / own.seconds / 1e9;
        let peak = match (case.one_core, is_bf16) {
            (true, false) => machine.peak_one,
            (false, false) => machine.peak_all,
            (true, true) => machine.bf16_peak_one,
            (false, true) => machine.bf16_peak_all,
        };
        // Half as many numbers fit into a vector of doubles.
        let peak = peak / (case.precision.n_bytes() as f64 / 4.0);
        Ok(Row {
            case: case.name,
            title: case.title,
            ratio: best_peer.is_finite().then(|| best_peer / own.seconds),
            own,
            peers,
            dense_rate,
            fraction_of_peak: dense_rate / peak,
        })
    }

    fn kernel_row(&self, case: &Case, kernel: Kernel, bar: &ProgressBar) -> Result<KernelRow, Failure> {
        bar.set_message(format!("{}, {}", case.title, kernel.name()));
        let mut seconds = f64::INFINITY;
        for _ in 0..N_RUNS_OF_KERNELS {
            seconds = seconds.min(self.own(case, kernel)?.seconds);
            bar.inc(1);
        }
        Ok(KernelRow { kernel: kernel.name(), case: case.title, seconds })
    }

    /// A network and one with ordinary numbers, in turn.
    fn troubled_row(&self, ordinary: &Case, case: &Case, bar: &ProgressBar) -> Result<TroubledRow, Failure> {
        bar.set_message(case.title);
        let (mut seconds, mut seconds_ordinary) = (f64::INFINITY, f64::INFINITY);
        for _ in 0..N_RUNS_OF_TROUBLED {
            seconds_ordinary = seconds_ordinary.min(self.own(ordinary, self.kernel)?.seconds);
            seconds = seconds.min(self.own(case, self.kernel)?.seconds);
            bar.inc(2);
        }
        Ok(TroubledRow { case: case.title, seconds, seconds_ordinary })
    }

    /// A case of ours in a process of its own, on one core where the case asks for it.
    fn own(&self, case: &Case, kernel: Kernel) -> Result<Measured, Failure> {
        let program = std::env::current_exe()
            .map_err(|error| Failure::new(Code::InputOutput, format!("cannot find this program: {error}")))?;
        let mut command = if case.one_core && cfg!(target_os = "linux") {
            let mut command = Command::new("taskset");
            command.args(["-c", "0"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        let n_threads = if case.one_core { 1 } else { self.n_threads };
        command.args(["bench", "--case", case.name, "--kernel", kernel.name(), "--threads", &n_threads.to_string()]);
        let answer = command
            .arg("--data")
            .arg(self.data)
            .output()
            .map_err(|error| Failure::new(Code::InputOutput, format!("cannot run {command:?}: {error}")))?;
        serde_json::from_slice(&answer.stdout).map_err(|_| {
            let errors = String::from_utf8_lossy(&answer.stderr);
            Failure::new(Code::Unsuccessful, format!("{command:?} ended with {}: {}", answer.status, errors.trim_end()))
        })
    }
}

fn better(one: Measured, other: Measured) -> Measured {
    let seconds_evaluate = one.seconds_evaluate.min(other.seconds_evaluate);
    Measured { seconds_evaluate, ..if one.seconds <= other.seconds { one } else { other } }
}
