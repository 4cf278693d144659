//! The promise of equal bits, kept on another processor: an emulated one.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::failure::{Code, Failure};
use crate::output::notice;
use crate::places;

const TARGET: &str = "aarch64-unknown-linux-gnu";
const EMULATOR: &str = "qemu-aarch64";
const LINKER: &str = "aarch64-linux-gnu-gcc";
/// Where Debian's cross compiler has the C library of the other processor.
const SYSTEM_ROOT: &str = "/usr/aarch64-linux-gnu";

/// The tests that train networks and compare the bits of their weights with those that x86-64 computes, on the level that is the
/// same everywhere: package, and which tests of it.
const TESTS: [(&str, &[&str]); 2] = [
    ("mlp-core", &["exactness::trained_weights", "exactness::the_team", "one_by_one"]),
    ("mlp-train", &["determinism", "parity"]),
];

/// Compiles these tests for aarch64, and runs them.
pub(super) fn check(cargo: &Path) -> Result<String, Failure> {
    let missing = missing();
    if !missing.is_empty() {
        return Err(Failure::new(
            Code::Unsuccessful,
            format!(
                "aarch64: expected tools to compile for that processor and to emulate it; these are missing:\n{missing}"
            ),
        ));
    }
    for (package, tests) in TESTS {
        let shown = format!("cargo test --target {TARGET} -p {package} --test it -- {}", tests.join(" "));
        notice(format_args!("aarch64: {shown}"));
        let mut command = Command::new(cargo);
        command.args(["test", "--target", TARGET, "-p", package, "--test", "it", "--"]).args(tests);
        command.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", LINKER);
        command.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", format!("{EMULATOR} -L {SYSTEM_ROOT}"));
        let status = command.current_dir(places::root()).status().map_err(|error| {
            Failure::new(Code::InputOutput, format!("cannot run {shown}: {error}; is cargo installed?"))
        })?;
        if !status.success() {
            let message = format!("aarch64: `{shown}` failed ({status}); what it found is above");
            return Err(Failure::new(Code::Unsuccessful, message));
        }
    }
    Ok("the same bits on an emulated aarch64".to_owned())
}

/// What to install, a line each; empty where everything is there.
fn missing() -> String {
    let runs = |program: &str| {
        let status = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    let library = Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output();
    let library = library.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    [
        (runs(EMULATOR), "qemu-aarch64: `apt-get install qemu-user`"),
        (runs(LINKER), "aarch64-linux-gnu-gcc: `apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross`"),
        (
            !library.is_empty() && Path::new(&library).is_dir(),
            "Rust's library for aarch64: `rustup target add aarch64-unknown-linux-gnu`, or with Debian's rustc `apt-get install \
             libstd-rust-dev:arm64`",
        ),
    ]
    .into_iter()
    .filter(|(is_there, _)| !is_there)
    .map(|(_, advice)| format!("  {advice}\n"))
    .collect::<String>()
    .trim_end()
    .to_owned()
}
