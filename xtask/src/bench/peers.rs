//! Other systems on the same work: the programs in `xtask/peers`, run with a Python that has them.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use indicatif::ProgressBar;
use mlp_train::Precision;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bench::case::{Case, Work};
use crate::failure::{Code, Failure};
use crate::output::notice;

/// Where the programs are.
pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(name)
}

/// What was measured of a peer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PeerMeasured {
    #[serde(default)]
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) seconds: f64,
    pub(crate) peak_mib: f64,
    /// [`Measured::error`](crate::bench::case::Measured::error).
    pub(crate) error: f64,
}

/// A Python and the data that its programs read.
pub(crate) struct Python<'a> {
    pub(crate) program: &'a Path,
    pub(crate) data: &'a Path,
    /// The programs that lack a package, each with its peer: they are not asked again.
    missing: RefCell<Vec<String>>,
}

impl<'a> Python<'a> {
    pub(crate) fn new(program: &'a Path, data: &'a Path) -> Self {
        Python { program, data, missing: RefCell::new(Vec::new()) }
    }

    /// The peers in f32, for wide networks the fast ones; PyTorch in bf16 is shown beside them at large batches, and counts
    /// where we compute in it as well.
    pub(crate) fn peers(case: &Case) -> &'static [&'static str] {
        match (case.work, case.precision, case.batch_size) {
            (Work::Classes, Precision::Bf16, _) => &["torch", "jax", "torch-bf16"],
            (Work::Classes, _, _) => &["torch", "jax"],
            (Work::Codes, _, 512) => &["torch", "jax", "numpy", "torch-bf16"],
            (Work::Codes, _, _) => &["torch", "jax", "numpy"],
        }
    }

    /// One peer on one case; none where its package is not installed.
    pub(crate) fn measure(
        &self,
        peer: &str,
        case: &Case,
        n_threads: usize,
        bar: &ProgressBar,
    ) -> Result<Option<PeerMeasured>, Failure> {
        let sizes: Vec<String> = case.sizes().iter().map(ToString::to_string).collect();
        let n_threads = if case.one_core { 1 } else { n_threads };
        let arguments = [
            peer.to_owned(),
            format!("--sizes={}", sizes.join(",")),
            format!("--batch={}", case.batch_size),
            format!("--samples={}", case.n_samples_peers),
            format!("--precision={}", case.precision.kept().name()),
            format!("--threads={n_threads}"),
            format!("--work={}", if case.work == Work::Codes { "codes" } else { "classes" }),
        ];
        let Some(answer) = self.run("epoch.py", &arguments, bar)? else { return Ok(None) };
        let measured: PeerMeasured = serde_json::from_value(answer)
            .map_err(|error| Failure::new(Code::InputOutput, format!("what epoch.py {peer} printed: {error}")))?;
        Ok(Some(PeerMeasured { name: peer.to_owned(), ..measured }))
    }

    /// What a program prints; none, with one notice beside `bar`, where a package is missing.
    pub(crate) fn run(&self, name: &str, arguments: &[String], bar: &ProgressBar) -> Result<Option<Value>, Failure> {
        let peer = arguments.first().filter(|first| !first.starts_with("--"));
        let peer = peer.map_or_else(|| name.to_owned(), |peer| format!("{name} {peer}"));
        if self.missing.borrow().contains(&peer) {
            return Ok(None);
        }
        let shown = format!("{} {name} {}", self.program.display(), arguments.join(" "));
        let output = Command::new(self.program)
            .arg(script(name))
            .arg("--data")
            .arg(self.data)
            .args(arguments)
            .stderr(Stdio::piped())
            .output()
            .map_err(|error| {
                let hint = "name a Python with --python, or leave the peers out with --no-peers";
                Failure::new(Code::InputOutput, format!("cannot run {}: {error}; {hint}", self.program.display()))
            })?;
        let line = String::from_utf8_lossy(&output.stdout);
        let answer: Option<Value> = line.lines().last().and_then(|line| serde_json::from_str(line).ok());
        match answer {
            Some(answer) if answer.get("missing").is_some() => {
                bar.suspend(|| notice(format_args!("left out: {peer}: this Python has no {}", answer["missing"])));
                self.missing.borrow_mut().push(peer);
                Ok(None)
            }
            Some(answer) if output.status.success() => Ok(Some(answer)),
            _ => {
                let errors = String::from_utf8_lossy(&output.stderr);
                let last = errors.lines().last().unwrap_or("it said nothing");
                Err(Failure::new(Code::InputOutput, format!("{shown}: {}: {last}", output.status)))
            }
        }
    }
}
