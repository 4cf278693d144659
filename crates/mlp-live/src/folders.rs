//! The folders that were named, and what lies in them: nothing else is ever read.

use std::fs;
use std::path::{Path, PathBuf};

use mlp_results::RunFolder;

use crate::error::{Error, ErrorKind, Result};

/// How deep folders of results are looked for below a folder that was named.
const DEPTH: usize = 3;
/// How many folders of results are shown at most.
const N_RUNS_MAX: usize = 400;

/// The folders that were named by whoever started the program. A path from anywhere else leads out of them by no way: not by
/// `..`, and not by a symbolic link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folders {
    /// As they are, without links.
    roots: Vec<PathBuf>,
}

impl Folders {
    /// The folders at these paths.
    ///
    /// # Errors
    ///
    /// If one of them is no folder that can be read.
    pub fn new(named: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<Self> {
        let mut roots: Vec<PathBuf> = Vec::new();
        for path in named {
            let path = path.as_ref();
            let failed = |found: String| {
                let advice = "name a folder that `train` or `sweep` wrote, or one that holds such folders";
                Error::new(
                    ErrorKind::Io,
                    format!("{}: expected a folder of results, found {found}; {advice}", path.display()),
                )
            };
            let root = path.canonicalize().map_err(|error| failed(format!("none ({error})")))?;
            if !root.is_dir() {
                return Err(failed("a file".to_owned()));
            }
            if !roots.contains(&root) {
                roots.push(root);
            }
        }
        Ok(Folders { roots })
    }

    /// The path itself, without links, if it is there and lies in one of the folders.
    pub fn admit(&self, path: &Path) -> Option<PathBuf> {
        let real = path.canonicalize().ok()?;
        self.roots.iter().any(|root| real.starts_with(root)).then_some(real)
    }

    /// What this folder of results is called among those below, if it is one of them.
    pub fn name(&self, folder: &Path) -> Option<String> {
        let real = self.admit(folder)?;
        self.runs().into_iter().find(|(_, run)| run.path() == real).map(|(name, _)| name)
    }

    /// The folders of results that were named or lie in those that were, by name; with each, what to call it.
    pub fn runs(&self) -> Vec<(String, RunFolder)> {
        let mut found = Vec::new();
        for root in &self.roots {
            let parent = root.parent().unwrap_or(root);
            self.search(root, parent, DEPTH, &mut found);
        }
        found.truncate(N_RUNS_MAX);
        found
    }

    fn search(&self, folder: &Path, base: &Path, depth: usize, found: &mut Vec<(String, RunFolder)>) {
        let run = RunFolder::new(folder);
        if run.trials().is_dir() || run.specification().is_file() {
            let name = folder.strip_prefix(base).unwrap_or(folder).display().to_string();
            let is_known = found.iter().any(|(_, other)| other == &run);
            if !is_known {
                found.push((name, run));
            }
            return;
        }
        if depth == 0 || found.len() >= N_RUNS_MAX {
            return;
        }
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut inner: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
            .filter_map(|path| self.admit(&path))
            .collect();
        inner.sort();
        inner.iter().for_each(|path| self.search(path, base, depth - 1, found));
    }
}
