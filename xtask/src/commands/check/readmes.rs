//! The examples of the READMEs, compiled as a reader would: in packages outside this workspace, with the dependencies that the
//! README names and no others.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use mlp_results::text::counted;

use crate::failure::{Code, Failure};
use crate::places;

/// The Rust of a README, and what it says to put into `Cargo.toml`.
struct Readme {
    package: String,
    dependencies: String,
    examples: Vec<String>,
}

/// Writes a workspace of packages into `folder`, one for each README with Rust in it, and has cargo check it.
pub(super) fn check(cargo: &Path, folder: &Path) -> Result<String, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(Code::InputOutput, format!("{}: cannot write the examples: {error}", folder.display()))
    };
    let readmes = read_all()?;
    let n_examples: usize = readmes.iter().map(|readme| readme.examples.len()).sum();
    write_all(folder, &readmes).map_err(failed)?;
    // Beside everything else that was built, and of the versions that are tested here.
    let target = places::root().join("target/readmes");
    let mut command = Command::new(cargo);
    command.args(["check", "--offline", "--quiet", "--workspace", "--bins"]).arg("--target-dir").arg(target);
    command.current_dir(folder).env_remove("CARGO_TARGET_DIR");
    let status = command.status().map_err(|error| {
        Failure::new(Code::InputOutput, format!("cannot run cargo check: {error}; is cargo installed?"))
    })?;
    if !status.success() {
        let message = "readmes: an example does not compile outside the workspace, with the dependencies that its README names \
                       alone; what was found is above";
        return Err(Failure::new(Code::Unsuccessful, message));
    }
    Ok(format!("{} of {}", counted(n_examples, "example"), counted(readmes.len(), "README")))
}

/// The READMEs of the crates that have Rust in them.
fn read_all() -> Result<Vec<Readme>, Failure> {
    let crates = places::root().join("crates");
    let cannot_read = |path: &Path, error: std::io::Error| {
        Failure::new(Code::InputOutput, format!("{}: cannot read it: {error}", path.display()))
    };
    let entries = fs::read_dir(&crates).map_err(|error| cannot_read(&crates, error))?;
    let mut folders: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.sort();
    let mut readmes = Vec::new();
    for folder in folders {
        let path = folder.join("README.md");
        let text = fs::read_to_string(&path).map_err(|error| cannot_read(&path, error))?;
        let package = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let examples: Vec<String> = blocks(&text, "rust").map(|code| program(&code)).collect();
        if examples.is_empty() {
            continue;
        }
        let Some(dependencies) = blocks(&text, "toml").find(|block| block.starts_with("[dependencies]")) else {
            let message = format!("{}: expected a block of TOML with [dependencies], found none", path.display());
            return Err(Failure::new(Code::Unsuccessful, message));
        };
        readmes.push(Readme { package, dependencies, examples });
    }
    Ok(readmes)
}

/// The fenced blocks of a language, `no_run` or not.
fn blocks(text: &str, language: &str) -> impl Iterator<Item = String> {
    let (plain, not_run) = (format!("```{language}"), format!("```{language},no_run"));
    let mut lines = text.lines();
    std::iter::from_fn(move || {
        lines.by_ref().find(|line| *line == plain || *line == not_run)?;
        Some(lines.by_ref().take_while(|line| *line != "```").map(|line| line.to_owned() + "\n").collect())
    })
    .collect::<Vec<String>>()
    .into_iter()
}

/// A program of an example, as the documentation's tests make one.
fn program(example: &str) -> String {
    let code: String = example.lines().map(|line| line.strip_prefix("# ").unwrap_or(line).to_owned() + "\n").collect();
    if code.contains("fn main()") {
        return code;
    }
    // What an example ends with says what its function returns.
    match code.trim_end().rsplit_once("Ok::<(), ").and_then(|(_, rest)| rest.strip_suffix(">(())")) {
        Some(error) => format!("fn main() -> std::result::Result<(), {error}> {{\n{code}}}\n"),
        None => format!("fn main() {{\n{code}}}\n"),
    }
}

fn write_all(folder: &Path, readmes: &[Readme]) -> std::io::Result<()> {
    let root = places::root().canonicalize()?;
    let mut members = String::new();
    for readme in readmes {
        let package = folder.join(&readme.package);
        fs::create_dir_all(package.join("src/bin"))?;
        let crates = format!("path = \"{}/", root.join("crates").display());
        let dependencies = readme.dependencies.replace("path = \"crates/", &crates);
        let name = format!("readme-of-{}", readme.package);
        let manifest =
            format!("[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n{dependencies}");
        fs::write(package.join("Cargo.toml"), manifest)?;
        for (number, example) in readme.examples.iter().enumerate() {
            fs::write(package.join(format!("src/bin/{}-{number}.rs", readme.package)), example)?;
        }
        let _ = write!(members, "\"{}\", ", readme.package);
    }
    fs::write(folder.join("Cargo.toml"), format!("[workspace]\nresolver = \"3\"\nmembers = [{members}]\n"))?;
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).map(drop)
}
