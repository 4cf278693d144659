//! `check`: what must pass before a change is accepted.

mod aarch64;
mod readmes;

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use clap::Args;

use crate::failure::{Code, Failure};
use crate::output::{Output, notice};
use crate::places;
use mlp_results::text::duration;

const NOTES: &str = "\
Steps: cargo fmt --check; cargo clippy --workspace --all-targets -- -D warnings; cargo test --workspace;
cargo doc --workspace --no-deps with warnings as errors; the examples of all READMEs, each in a package
outside the workspace with the dependencies that its README names. With --long, then the tests that take minutes:
the sigmoid of every one of the 2^32 floats, and 500 kills at random over sweeps of 64 trials; then a
minute of random files for each target in fuzz/, where cargo-fuzz is installed. With --slurm, then a real
job array through a Slurm of two nodes, which xtask/tests/slurm/two-nodes.sh sets up in a temporary folder
and takes down again; it needs Debian's packages slurm-wlm and munge, and root. With --aarch64, then the
tests that compare bits, compiled for that processor and emulated; it needs Debian's packages qemu-user
and gcc-aarch64-linux-gnu, and Rust's library for it, and says what is missing. --only runs a single step.
The first step that fails ends the check with code 7.

Examples:
  cargo xtask check
  cargo xtask check --only aarch64
      the same bits on another processor
  cargo xtask check --only readmes";

/// Format, lints, tests and documentation of the whole workspace, as CI runs them
#[derive(Args, Debug)]
#[command(after_help = NOTES)]
pub(crate) struct Check {
    /// Also the tests that take minutes
    #[arg(long)]
    long: bool,
    /// Also a job array through a Slurm of two nodes, set up for it
    #[arg(long)]
    slurm: bool,
    /// Also the tests that compare bits, on an emulated aarch64
    #[arg(long)]
    aarch64: bool,
    /// Only this step
    #[arg(long, value_name = "STEP", value_parser = ONLY, conflicts_with_all = ["long", "slurm", "aarch64"])]
    only: Option<String>,
}

/// The steps that can be run alone.
const ONLY: [&str; 8] = ["format", "lints", "tests", "documentation", "readmes", "long", "slurm", "aarch64"];

struct Step {
    name: &'static str,
    arguments: &'static [&'static str],
    /// An environment variable to set.
    variable: Option<(&'static str, &'static str)>,
}

const STEPS: [Step; 4] = [
    Step { name: "format", arguments: &["fmt", "--all", "--check"], variable: None },
    Step {
        name: "lints",
        arguments: &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
        variable: None,
    },
    Step { name: "tests", arguments: &["test", "--workspace"], variable: None },
    Step {
        name: "documentation",
        arguments: &["doc", "--workspace", "--no-deps"],
        variable: Some(("RUSTDOCFLAGS", "-D warnings")),
    },
];

const LONG: Step = Step {
    name: "long tests",
    arguments: &["test", "--release", "--workspace", "--", "--ignored", "--nocapture"],
    variable: None,
};

/// Runs the command.
pub(crate) fn run(arguments: &Check, output: &mut Output) -> Result<(), Failure> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let cargo = Path::new(&cargo);
    let wanted = |name: &str, is_asked_for: bool| match &arguments.only {
        Some(only) => only == name,
        None => is_asked_for,
    };
    for step in STEPS.iter().filter(|step| wanted(step.name, true)) {
        step.run(cargo, output)?;
    }
    if wanted("readmes", true) {
        let folder = tempfile::tempdir().map_err(|error| {
            Failure::new(
                Code::InputOutput,
                format!("cannot make a temporary folder for the READMEs' examples: {error}"),
            )
        })?;
        timed("readmes", output, || readmes::check(cargo, folder.path()))?;
    }
    if wanted("long", arguments.long) {
        LONG.run(cargo, output)?;
        fuzz(output)?;
    }
    if wanted("slurm", arguments.slurm) {
        check_slurm(output)?;
    }
    if wanted("aarch64", arguments.aarch64) {
        timed("aarch64", output, || aarch64::check(cargo))?;
    }
    Ok(())
}

/// Runs a step that says itself what it found.
fn timed(name: &str, output: &mut Output, step: impl FnOnce() -> Result<String, Failure>) -> Result<(), Failure> {
    notice(format_args!("{name}"));
    let started = Instant::now();
    let found = step()?;
    output.line(format_args!("{name:<14} passed in {}: {found}", duration(started.elapsed().as_secs_f64())));
    Ok(())
}

impl Step {
    fn run(&self, cargo: &Path, output: &mut Output) -> Result<(), Failure> {
        let shown = format!("cargo {}", self.arguments.join(" "));
        notice(format_args!("{}: {shown}", self.name));
        let started = Instant::now();
        let status =
            Command::new(cargo).args(self.arguments).envs(self.variable).current_dir(places::root()).status().map_err(
                |error| Failure::new(Code::InputOutput, format!("cannot run {shown}: {error}; is cargo installed?")),
            )?;
        let took = duration(started.elapsed().as_secs_f64());
        if !status.success() {
            return Err(Failure::new(
                Code::Unsuccessful,
                format!("{}: `{shown}` failed after {took} ({status}); what it found is above", self.name),
            ));
        }
        output.line(format_args!("{:<14} passed in {took}", self.name));
        Ok(())
    }
}

/// The targets of `fuzz/`, a minute each.
const FUZZ_TARGETS: [&str; 8] = ["idx", "gzip", "image_file", "onnx", "picture", "csv", "npz", "parquet"];
/// What no random bytes become begins with whole files.
const WHOLE_FILES: [(&str, &str); 1] = [("parquet", "crates/mnist-io/tests/data")];

/// Throws random files at what reads files. It needs the nightly compiler and cargo-fuzz, which nobody needs for anything
/// else: without them it says so and is left out.
fn fuzz(output: &mut Output) -> Result<(), Failure> {
    // By way of rustup, as a cargo that runs already is bound to its own compiler.
    let nightly = |arguments: &[&str]| {
        let mut command = Command::new("rustup");
        command.args(["run", "nightly", "cargo", "fuzz"]).args(arguments).current_dir(places::root());
        for variable in ["CARGO", "RUSTUP_TOOLCHAIN", "CARGO_TARGET_DIR"] {
            command.env_remove(variable);
        }
        command
    };
    let version = nightly(&["--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !version.is_ok_and(|status| status.success()) {
        output.line(
            "fuzzing        left out: `rustup toolchain install nightly && cargo install cargo-fuzz` makes it possible",
        );
        return Ok(());
    }
    for target in FUZZ_TARGETS {
        let whole = WHOLE_FILES.into_iter().find_map(|(of, folder)| (of == target).then_some(folder));
        let corpus = format!("fuzz/corpus/{target}");
        fs::create_dir_all(places::root().join(&corpus)).map_err(|error| {
            Failure::new(Code::InputOutput, format!("{corpus}: cannot be made: {error}; make room for it"))
        })?;
        let length = if whole.is_some() { "-max_len=16384" } else { "-max_len=1024" };
        // A picture of 64 million pixels is taken, and takes its memory.
        let memory = if target == "image_file" { "-rss_limit_mb=1024" } else { "-rss_limit_mb=256" };
        let limits = ["--", "-max_total_time=60", memory, "-timeout=10", length];
        // Without the address sanitizer, whose own memory would count: mnist-io and mlp-onnx have no unsafe code.
        let arguments: Vec<&str> =
            ["run", "--sanitizer", "none", target, &corpus].into_iter().chain(whole).chain(limits).collect();
        notice(format_args!("fuzzing: cargo +nightly fuzz {}", arguments.join(" ")));
        let started = Instant::now();
        let status = nightly(&arguments).status().map_err(|error| {
            Failure::new(Code::InputOutput, format!("cannot run rustup: {error}; is it still installed?"))
        })?;
        let took = duration(started.elapsed().as_secs_f64());
        if !status.success() {
            return Err(Failure::new(
                Code::Unsuccessful,
                format!("fuzzing: {target} failed after {took} ({status}); the input is in fuzz/artifacts/{target}"),
            ));
        }
        output.line(format_args!("fuzzing {target:<10} passed in {took}"));
    }
    Ok(())
}

/// Runs a job array with this very program through a Slurm of its own.
fn check_slurm(output: &mut Output) -> Result<(), Failure> {
    let script = places::root().join("xtask/tests/slurm/two-nodes.sh");
    let failed = |error: std::io::Error| {
        Failure::new(Code::InputOutput, format!("cannot run {}: {error}; is bash installed?", script.display()))
    };
    notice(format_args!("slurm: {}", script.display()));
    let started = Instant::now();
    let program = std::env::current_exe().map_err(failed)?;
    let status = Command::new("bash").arg(&script).arg(program).status().map_err(failed)?;
    let took = duration(started.elapsed().as_secs_f64());
    if !status.success() {
        return Err(Failure::new(
            Code::Unsuccessful,
            format!("slurm: {} failed after {took} ({status}); what it found is above", script.display()),
        ));
    }
    output.line(format_args!("{:<14} passed in {took}", "slurm"));
    Ok(())
}
