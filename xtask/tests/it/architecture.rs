//! What docs/architecture.md says of who uses whom, and what a library never does.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use crate::metadata::{packages, root, text};

type Uses = BTreeMap<String, BTreeSet<String>>;

/// The names between backticks.
fn quoted(text: &str) -> BTreeSet<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The table of the document: each package, and those of the others that it may use.
fn allowed() -> Uses {
    let document = fs::read_to_string(root().join("docs/architecture.md")).expect("the document");
    let rows = document.lines().skip_while(|line| !line.starts_with("| package | uses")).skip(2);
    let cells: Vec<Vec<&str>> =
        rows.take_while(|line| line.starts_with('|')).map(|line| line.split('|').map(str::trim).collect()).collect();
    cells.iter().map(|row| (quoted(row[1]).pop_first().expect("a package's name"), quoted(row[2]))).collect()
}

/// What each package asks for among the others: for its library or program, or with `for_tests` in its tests, examples and
/// benches as well.
fn asked_for(packages: &[Value], for_tests: bool) -> Uses {
    let names: BTreeSet<&str> = packages.iter().map(|package| text(package, "name")).collect();
    let uses = |package: &Value| {
        let dependencies = package["dependencies"].as_array().expect("dependencies").iter();
        dependencies
            .filter(|dependency| for_tests || dependency["kind"] != "dev")
            .map(|dependency| text(dependency, "name").to_owned())
            .filter(|name| names.contains(name.as_str()))
            .collect()
    };
    packages.iter().map(|package| (text(package, "name").to_owned(), uses(package))).collect()
}

#[test]
fn packages_use_those_that_the_architecture_names() {
    let (allowed, asked_for) = (allowed(), asked_for(&packages(), false));
    let names = |uses: &Uses| uses.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&asked_for), names(&allowed), "the packages, and those in the table of docs/architecture.md");
    for (name, uses) in &asked_for {
        assert_eq!(uses, &allowed[name], "what {name} uses, and what docs/architecture.md says that it uses");
    }
}

#[test]
fn what_tests_use_closes_no_circle() {
    // Publishing a package needs all that it names to be there before it, what its tests use included.
    let mut left = asked_for(&packages(), true);
    while !left.is_empty() {
        let free: Vec<String> = left
            .iter()
            .filter(|(name, uses)| uses.iter().all(|used| used == *name || !left.contains_key(used)))
            .map(|(name, _)| name.clone())
            .collect();
        assert!(!free.is_empty(), "each of these waits for another: {left:?}");
        left.retain(|name, _| !free.contains(name));
    }
}

#[test]
fn the_terminal_is_for_the_program_alone() {
    for package in packages().iter().filter(|package| text(package, "name") != "xtask") {
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let name = text(dependency, "name");
            let is_terminal = ["clap", "indicatif", "signal-hook"].contains(&name);
            assert!(!is_terminal, "{} asks for {name}, which is for xtask alone", text(package, "name"));
        }
    }
}

#[test]
fn every_library_has_the_lint_against_printing_and_ending_the_program() {
    const LINT: &str = "#![warn(clippy::print_stdout, clippy::print_stderr, clippy::exit)]";
    for package in packages().iter().filter(|package| text(package, "name") != "xtask") {
        let library = root().join("crates").join(text(package, "name")).join("src/lib.rs");
        let code = fs::read_to_string(&library).expect("a library in the folder of its name");
        assert!(code.lines().any(|line| line == LINT), "{}: expected the line {LINT}", library.display());
    }
}
