//! What each package needs to be published, and to be compiled by the oldest compiler that it promises.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::metadata::{packages, root, text, with_dependencies};

/// What stays here: the Python package, which is published as a wheel, the claims of one paper, the rungs of a climb,
/// and the program.
const NOT_PUBLISHED: [&str; 4] = ["ladder", "mlp-python", "paper", "xtask"];

/// The packages to be published, each with its folder.
fn published() -> Vec<(Value, PathBuf)> {
    let all = packages().into_iter().filter(|package| package["publish"] != serde_json::json!([]));
    all.map(|package| {
        let folder = Path::new(text(&package, "manifest_path")).parent().expect("a folder").to_owned();
        (package, folder)
    })
    .collect()
}

/// The files that a package would have when it is published.
fn packed(name: &str) -> BTreeSet<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["package", "--list", "--allow-dirty", "--offline", "--package", name]).current_dir(root());
    let output = command.output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("names").lines().map(PathBuf::from).collect()
}

/// The files that a source file takes in as it is compiled, relative to the package.
fn included(source: &Path, code: &str) -> Vec<PathBuf> {
    let folder = source.parent().expect("a folder");
    let after = code.split("include_str!(\"").skip(1).chain(code.split("include_bytes!(\"").skip(1));
    after.map(|rest| normal(&folder.join(rest.split('"').next().expect("a path")))).collect()
}

/// A relative path without `..` where there is a folder to leave.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        let leaves = component == Component::ParentDir && normal.file_name().is_some();
        if leaves {
            normal.pop()
        } else {
            normal.push(component);
            true
        };
    }
    normal
}

#[test]
fn the_program_its_documents_and_the_python_package_stay_here_and_all_else_can_be_published() {
    let published: Vec<String> = published().iter().map(|(package, _)| text(package, "name").to_owned()).collect();
    let here = packages().iter().map(|package| text(package, "name").to_owned()).collect::<Vec<_>>();
    let kept: Vec<&String> = here.iter().filter(|name| !published.contains(name)).collect();
    assert_eq!(kept, NOT_PUBLISHED);
}

#[test]
fn every_published_package_says_what_it_is_and_has_a_page_and_both_licences() {
    for (package, folder) in published() {
        let name = text(&package, "name");
        for key in ["description", "license", "readme", "rust_version"] {
            assert!(!text(&package, key).is_empty(), "{name}: no {key} in Cargo.toml");
        }
        let length = |key: &str| package[key].as_array().expect("a list").len();
        for key in ["keywords", "categories"] {
            assert!((1..=5).contains(&length(key)), "{name}: {} {key}, and a registry takes one to five", length(key));
        }
        for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
            let own =
                fs::read_to_string(folder.join(licence)).unwrap_or_else(|error| panic!("{name}/{licence}: {error}"));
            assert_eq!(
                own,
                fs::read_to_string(root().join(licence)).expect("the project's licence"),
                "{name}/{licence}"
            );
        }
    }
}

#[test]
fn a_published_package_contains_all_that_its_code_takes_in() {
    for (package, folder) in published() {
        let (name, files) = (text(&package, "name"), packed(text(&package, "name")));
        for file in ["README.md", "LICENSE-MIT", "LICENSE-APACHE", "src/lib.rs"] {
            assert!(files.contains(Path::new(file)), "{name}: {file} is not packed");
        }
        for source in files.iter().filter(|file| file.extension().is_some_and(|ending| ending == "rs")) {
            let code = fs::read_to_string(folder.join(source)).expect("a source file");
            for path in included(source, &code) {
                assert!(
                    files.contains(&path),
                    "{name}: {} includes {}, which is not packed",
                    source.display(),
                    path.display()
                );
            }
        }
        let bytes: u64 =
            files.iter().filter_map(|file| fs::metadata(folder.join(file)).ok()).map(|data| data.len()).sum();
        assert!(bytes < 1 << 20, "{name}: {bytes} bytes, more than the megabyte that is reasonable; exclude test data");
    }
}

/// A version of the compiler, `1.89` or `1.89.0`, as numbers that can be compared.
fn version(text: &str) -> Vec<u32> {
    let mut numbers: Vec<u32> = text.split('.').map(|number| number.parse().expect("a number")).collect();
    numbers.resize(3, 0);
    numbers
}

#[test]
fn no_dependency_asks_for_a_newer_compiler_than_the_package_that_brings_it() {
    let metadata = with_dependencies();
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let all: BTreeMap<String, Value> =
        list(&metadata["packages"]).into_iter().map(|package| (text(&package, "id").to_owned(), package)).collect();
    let nodes: BTreeMap<String, Value> =
        list(&metadata["resolve"]["nodes"]).into_iter().map(|node| (text(&node, "id").to_owned(), node)).collect();
    for own in list(&metadata["workspace_members"]) {
        let own = own.as_str().expect("an id");
        let promised = version(text(&all[own], "rust_version"));
        let (mut seen, mut waiting) = (BTreeSet::from([own.to_owned()]), vec![own.to_owned()]);
        while let Some(id) = waiting.pop() {
            let package = &all[&id];
            let needed = package["rust_version"].as_str().unwrap_or("1.0");
            assert!(
                version(needed) <= promised,
                "{} promises Rust {}, and {} {} needs {needed}",
                text(&all[own], "name"),
                text(&all[own], "rust_version"),
                text(package, "name"),
                text(package, "version"),
            );
            for dependency in list(&nodes[&id]["deps"]) {
                // What others use in their tests is not compiled here; what our tests use is.
                let compiled = id == own || list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"] != "dev");
                let next = text(&dependency, "pkg").to_owned();
                if compiled && seen.insert(next.clone()) {
                    waiting.push(next);
                }
            }
        }
    }
}
