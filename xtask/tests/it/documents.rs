//! The documents name files that exist.

use std::fs;
use std::path::{Path, PathBuf};

use crate::metadata::root;

/// The documents of the project and of its packages.
fn documents() -> Vec<PathBuf> {
    let mut folders = vec![root(), root().join("docs"), root().join("datasets")];
    folders.extend(fs::read_dir(root().join("crates")).expect("crates").map(|entry| entry.expect("an entry").path()));
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).expect("a folder"));
    let files = files.map(|entry| entry.expect("an entry").path());
    let mut documents: Vec<PathBuf> =
        files.filter(|file| file.extension().is_some_and(|ending| ending == "md")).collect();
    documents.sort();
    documents
}

/// Where the links of a text lead, those to the web and within the page left out, and blocks of code, which have none.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let prose = text.split("```").step_by(2);
    let targets = prose.flat_map(|prose| prose.split("](").skip(1)).filter_map(|rest| rest.split(')').next());
    let files = targets.map(|target| target.split('#').next().unwrap_or(""));
    files.filter(|file| !file.is_empty() && !file.contains("://") && !file.contains(char::is_whitespace))
}

#[test]
fn links_between_documents_lead_somewhere() {
    let documents = documents();
    assert!(documents.len() > 12, "{documents:?}");
    for document in documents {
        let text = fs::read_to_string(&document).expect("a document");
        let folder = document.parent().unwrap_or(Path::new("."));
        for link in links(&text) {
            assert!(folder.join(link).exists(), "{}: there is no {link}", document.display());
        }
    }
}

#[test]
fn paths_in_the_documents_exist() {
    let mut n_paths = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).expect("a document");
        let quoted = text.split('`').skip(1).step_by(2);
        for path in quoted.filter(|quoted| !quoted.contains(char::is_whitespace)) {
            let is_below_root = ["crates/", "xtask/", "docs/"].iter().any(|folder| path.starts_with(folder));
            // The map of the architecture leaves the folder of the libraries out.
            let is_in_library = path.split_once('/').is_some_and(|(name, rest)| {
                root().join("crates").join(name).is_dir()
                    && rest.split('/').any(|part| part == "src" || part == "presets")
            });
            if is_below_root || is_in_library {
                let file = if is_in_library { root().join("crates").join(path) } else { root().join(path) };
                assert!(file.exists(), "{}: there is no {path}", document.display());
                n_paths += 1;
            }
        }
    }
    assert!(n_paths > 40, "{n_paths}");
}

/// The text of every test of a package.
fn tests_of(package: &str) -> String {
    let package = if package == "xtask" { root().join(package) } else { root().join("crates").join(package) };
    let mut text = String::new();
    let mut folders = vec![package.join("src"), package.join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                text.push_str(&fs::read_to_string(path).expect("a file"));
            }
        }
    }
    text
}

#[test]
fn tests_that_the_documents_name_are_in_the_package_that_they_name() {
    let mut n_commands = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).expect("a document");
        for command in text.split('`').filter_map(|quoted| quoted.strip_prefix("cargo test -p ")) {
            let words: Vec<&str> = command.split_whitespace().take_while(|word| *word != "--").collect();
            let [package, options @ ..] = words.as_slice() else { panic!("{}: {command}", document.display()) };
            let filter = options.last().filter(|word| **word != "it");
            let tests = tests_of(package);
            assert!(tests.contains("#[test]"), "{}: {package} has no tests", document.display());
            if let Some(filter) = filter {
                let named = tests.lines().any(|line| {
                    let line = line.trim_start();
                    (line.starts_with("fn ") || line.starts_with("mod ")) && line.contains(filter)
                });
                assert!(named, "{}: {package} has no test called {filter}", document.display());
            }
            n_commands += 1;
        }
    }
    assert!(n_commands > 25, "{n_commands}");
}
