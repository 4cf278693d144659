//! `bench`: seconds of an epoch beside other systems, and beside what the processor can do.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use mlp_core::Kernel;
use mnist_io::LabeledImages;
use serde::Serialize;

use crate::bench::case::{CASES, Case, Measured, TROUBLED, find};
use crate::bench::machine::Machine;
use crate::bench::peers::{PeerMeasured, Python};
use crate::bench::whole::{Place, Whole};
use crate::failure::{Code, Failure};
use crate::options::{MachineOptions, StyleOptions, team};
use crate::output::{Output, notice};
use crate::places;

const NOTES: &str = "\
Every figure is the best of some runs, ours and the peers' in turn, each in a process of its
own. Leave the machine alone meanwhile. Peers are measured where their Python packages are:
pip install torch jax numpy scikit-learn.

Examples:
  cargo xtask bench                           the table of epochs, some minutes
  cargo xtask bench --full --out bench        everything, with bench/bench.md and bench/bench.json
  cargo xtask bench --python venv/bin/python  peers from a virtual environment
  cargo xtask bench --no-peers --kernel avx2  without peers, on another instruction set
  cargo xtask bench --case batch-128          one case alone: a line of JSON";

/// Seconds of an epoch, beside other systems and what the processor can do
#[derive(Args, Debug)]
#[command(after_help = NOTES)]
pub(crate) struct Bench {
    /// More runs of each, every instruction set, and whole commands: sweep, predict, the time to 98 %
    #[arg(long)]
    full: bool,
    /// The Python that has the peers' packages
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: PathBuf,
    /// Only our own figures
    #[arg(long)]
    no_peers: bool,
    /// One case alone, in this process, as a line of JSON: batch-1, batch-32, batch-128, batch-512, one-core, f64, narrow
    #[arg(long, value_name = "NAME", hide_possible_values = true)]
    case: Option<String>,
    /// Also write the table and the figures, as bench.md and bench.json, into this folder
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Folder with the four files of MNIST [default: datasets/mnist]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    #[command(flatten)]
    machine: MachineOptions,
    #[command(flatten)]
    style: StyleOptions,
}

/// All figures.
#[derive(Debug, Serialize)]
struct Figures {
    machine: Machine,
    rows: Vec<Row>,
    /// Our seconds on the other instruction sets.
    kernels: Vec<KernelRow>,
    /// Our seconds with numbers that could slow a processor down.
    troubled: Vec<TroubledRow>,
    whole: Option<Whole>,
}

#[derive(Debug, Serialize)]
struct Row {
    case: &'static str,
    title: &'static str,
    own: Measured,
    peers: Vec<PeerMeasured>,
    /// Seconds of the best peer in the same precision, divided by ours.
    ratio: Option<f64>,
    /// 10⁹ operations a second, counting what is left out because it is zero.
    dense_rate: f64,
    /// Of the peak of multiply-adds on as many cores.
    fraction_of_peak: f64,
}

#[derive(Debug, Serialize)]
struct KernelRow {
    kernel: &'static str,
    case: &'static str,
    seconds: f64,
}

#[derive(Debug, Serialize)]
struct TroubledRow {
    case: &'static str,
    seconds: f64,
    /// Seconds with ordinary numbers.
    seconds_ordinary: f64,
}

/// Runs the command.
pub(crate) fn run(arguments: &Bench, output: &mut Output) -> Result<(), Failure> {
    let kernel = arguments.machine.kernel()?;
    let data = arguments.data.clone().unwrap_or_else(|| places::datasets().join("mnist"));
    if let Some(name) = &arguments.case {
        let case = find(name).ok_or_else(|| {
            let names: Vec<_> = CASES.iter().chain(&TROUBLED).map(|case| case.name).collect();
            Failure::configuration(format!("--case {name}: there is no such case; there are {}", names.join(", ")))
        })?;
        let measured = case.measure(&load(&data)?.0, arguments.machine.n_threads(), kernel)?;
        output.line(serde_json::to_string(&measured).map_err(|error| Failure::data(error.to_string()))?);
        return Ok(());
    }
    load(&data)?;
    let figures = arguments.measure(&data, kernel)?;
    let json = serde_json::to_string_pretty(&figures).map_err(|error| Failure::data(error.to_string()))?;
    let table = figures.markdown();
    if let Some(folder) = &arguments.out {
        std::fs::create_dir_all(folder).map_err(|error| Failure::io("create", folder, &error))?;
        for (name, text) in [("bench.json", &json), ("bench.md", &table)] {
            let path = folder.join(name);
            std::fs::write(&path, text).map_err(|error| Failure::io("write", &path, &error))?;
        }
    }
    output.text(if arguments.style.json { &json } else { &table });
    Ok(())
}

fn load(folder: &Path) -> Result<(LabeledImages, LabeledImages), Failure> {
    LabeledImages::load_folder(folder).map_err(|error| {
        let failure = crate::data::failure(&error);
        Failure::new(failure.code, format!("{failure}; bench measures on MNIST: cargo xtask download mnist, or --data"))
    })
}

impl Bench {
    fn measure(&self, data: &Path, kernel: Kernel) -> Result<Figures, Failure> {
        let python = Python { program: &self.python, data };
        let python = (!self.no_peers).then_some(&python);
        let n_threads = self.machine.n_threads();
        let machine = Machine::describe(kernel, &team(n_threads)?);
        let mut rows = Vec::new();
        for case in &CASES {
            if !self.style.quiet {
                notice(case.title);
            }
            rows.push(self.row(case, data, kernel, &machine, python)?);
        }
        let (mut kernels, mut troubled, mut whole) = (Vec::new(), Vec::new(), None);
        if self.full {
            for other in Kernel::ALL.into_iter().filter(|other| other.is_supported()) {
                for case in CASES.iter().filter(|case| ["batch-1", "batch-128", "one-core"].contains(&case.name)) {
                    let measured = best_of(3, || own(case, data, n_threads, other))?;
                    kernels.push(KernelRow { kernel: other.name(), case: case.title, seconds: measured.seconds });
                }
            }
            for (ordinary, case) in TROUBLED.iter().step_by(2).zip(TROUBLED.iter().skip(1).step_by(2)) {
                if !self.style.quiet {
                    notice(case.title);
                }
                let (mut seconds, mut seconds_ordinary) = (f64::INFINITY, f64::INFINITY);
                for _ in 0..6 {
                    seconds_ordinary = seconds_ordinary.min(own(ordinary, data, n_threads, kernel)?.seconds);
                    seconds = seconds.min(own(case, data, n_threads, kernel)?.seconds);
                }
                troubled.push(TroubledRow { case: case.title, seconds, seconds_ordinary });
            }
            let scratch = std::env::temp_dir().join(format!("mlp-bench-{}", std::process::id()));
            std::fs::create_dir_all(&scratch).map_err(|error| Failure::io("create", &scratch, &error))?;
            let measured = Place { data, scratch: &scratch, python, n_threads, is_quiet: self.style.quiet }.measure();
            std::fs::remove_dir_all(&scratch).map_err(|error| Failure::io("remove", &scratch, &error))?;
            whole = Some(measured?);
        }
        Ok(Figures { machine, rows, kernels, troubled, whole })
    }

    /// One case, ours and the peers' in turn, so that a slow minute of the machine meets all of them.
    fn row(
        &self,
        case: &Case,
        data: &Path,
        kernel: Kernel,
        machine: &Machine,
        python: Option<&Python<'_>>,
    ) -> Result<Row, Failure> {
        let mut best: Option<Measured> = None;
        let mut peers: Vec<PeerMeasured> = Vec::new();
        for _ in 0..if self.full { 6 } else { 2 } {
            let measured = own(case, data, machine.n_threads, kernel)?;
            best = Some(best.map_or(measured.clone(), |best| better(best, measured)));
            for peer in python.iter().flat_map(|_| Python::peers(case)) {
                let Some(measured) = python.map_or(Ok(None), |python| python.measure(peer, case, machine.n_threads))?
                else {
                    continue;
                };
                match peers.iter_mut().find(|known| known.name == measured.name) {
                    Some(known) if known.seconds <= measured.seconds => {}
                    Some(known) => *known = measured,
                    None => peers.push(measured),
                }
            }
        }
        let own = best.ok_or_else(|| Failure::new(Code::Unsuccessful, "nothing was measured"))?;
        let same_precision = peers.iter().filter(|peer| !peer.name.ends_with("bf16"));
        let best_peer = same_precision.map(|peer| peer.seconds).fold(f64::INFINITY, f64::min);
        let dense_rate = case.dense_operations() / own.seconds / 1e9;
        let peak = if case.one_core { machine.peak_one } else { machine.peak_all };
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
}

/// A case of ours in a process of its own, on one core where the case asks for it.
fn own(case: &Case, data: &Path, n_threads: usize, kernel: Kernel) -> Result<Measured, Failure> {
    let program = std::env::current_exe()
        .map_err(|error| Failure::new(Code::InputOutput, format!("cannot find this program: {error}")))?;
    let mut command = if case.one_core && cfg!(target_os = "linux") {
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    let n_threads = if case.one_core { 1 } else { n_threads };
    command.args(["bench", "--case", case.name, "--kernel", kernel.name(), "--threads", &n_threads.to_string()]);
    let answer = command
        .arg("--data")
        .arg(data)
        .output()
        .map_err(|error| Failure::new(Code::InputOutput, format!("cannot run {command:?}: {error}")))?;
    serde_json::from_slice(&answer.stdout).map_err(|_| {
        let errors = String::from_utf8_lossy(&answer.stderr);
        Failure::new(Code::Unsuccessful, format!("{command:?} ended with {}: {}", answer.status, errors.trim_end()))
    })
}

fn better(one: Measured, other: Measured) -> Measured {
    let seconds_evaluate = one.seconds_evaluate.min(other.seconds_evaluate);
    Measured { seconds_evaluate, ..if one.seconds <= other.seconds { one } else { other } }
}

fn best_of(n: usize, mut measure: impl FnMut() -> Result<Measured, Failure>) -> Result<Measured, Failure> {
    let mut best = measure()?;
    for _ in 1..n {
        best = better(best, measure()?);
    }
    Ok(best)
}

impl Figures {
    fn markdown(&self) -> String {
        let mut text = String::new();
        let machine = &self.machine;
        // Writing into a string cannot fail.
        let _ = writeln!(
            text,
            "{}, {} threads, {}, {}. Multiply-adds in registers: {:.0} GFLOP/s on one thread, {:.0} on all.\n",
            machine.processor, machine.n_threads, machine.system, machine.kernel, machine.peak_one, machine.peak_all
        );
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
        text
    }
}

impl Whole {
    fn write(&self, text: &mut String) {
        let sweep = &self.sweep;
        let lines = [
            format!("reading MNIST from four gzip files | {:.0} ms", 1000.0 * self.seconds_load),
            format!("`predict` on one picture, as a process | {:.0} ms", 1000.0 * self.seconds_predict),
            format!(
                "16 trials on two threads, from start to end of the process | {}: {:.2} × half of the {} that they train and measure alone on one",
                seconds(sweep.seconds),
                sweep.seconds / (sweep.seconds_alone / 2.0),
                seconds(sweep.seconds_alone)
            ),
            sweep.seconds_grid_search.map_or_else(String::new, |grid| {
                format!(
                    "the same grid in GridSearchCV, the search alone | {}: {:.1} × ours",
                    seconds(grid),
                    grid / sweep.seconds
                )
            }),
            format!(
                "a net for 98 % of the test digits, from start to end of the process, median of {} seeds | {} (worst seed {:.2} %)",
                self.to_98.n_seeds,
                seconds(self.to_98.seconds),
                100.0 * self.to_98.worst_accuracy
            ),
            self.to_98.seconds_torch.map_or_else(String::new, |torch| {
                format!(
                    "the same in PyTorch | {}: {:.1} × ours (worst seed {:.2} %)",
                    seconds(torch),
                    torch / self.to_98.seconds,
                    100.0 * self.to_98.worst_accuracy_torch.unwrap_or(f64::NAN)
                )
            }),
        ];
        let _ = writeln!(text, "\n| | |\n|---|---|");
        for line in lines.iter().filter(|line| !line.is_empty()) {
            let _ = writeln!(text, "| {line} |");
        }
    }
}

fn seconds(seconds: f64) -> String {
    if seconds < 10.0 { format!("{seconds:.2} s") } else { format!("{seconds:.1} s") }
}
