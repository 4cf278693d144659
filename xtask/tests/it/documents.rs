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
fn who_wants_to_contribute_is_sent_to_files_that_exist() {
    let text = fs::read_to_string(root().join("CONTRIBUTING.md")).expect("the document");
    let quoted = text.split('`').skip(1).step_by(2);
    let is_path = |text: &&str| ["crates/", "xtask/", "docs/"].iter().any(|folder| text.starts_with(folder));
    let paths: Vec<&str> = quoted.filter(is_path).collect();
    assert!(paths.len() > 20, "{paths:?}");
    for path in paths {
        assert!(root().join(path).exists(), "CONTRIBUTING.md: there is no {path}");
    }
}
