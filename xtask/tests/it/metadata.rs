//! The packages of this project, as cargo tells them.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// The project's folder.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What `cargo metadata` says. Cargo reads what is on this machine only: `arguments` say how much of it.
fn metadata(arguments: &[&str]) -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--format-version", "1", "--offline"]).args(arguments).current_dir(root());
    let output = command.output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("metadata")
}

/// The packages of the workspace alone.
pub(crate) fn packages() -> Vec<Value> {
    metadata(&["--no-deps"])["packages"].as_array().expect("packages").clone()
}

/// All packages that are compiled on this machine, and which uses which: `packages` and `resolve`.
pub(crate) fn with_dependencies() -> Value {
    let output = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())).arg("-vV").output();
    let version = String::from_utf8(output.expect("rustc runs").stdout).expect("a version");
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("the host");
    metadata(&["--filter-platform", host])
}

/// The text at `key`.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or("")
}
