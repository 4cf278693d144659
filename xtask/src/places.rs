//! Where things are: the root of the project with its `datasets/` and `runs/`, from whatever folder one calls.

use std::env;
use std::path::{Path, PathBuf};

/// The folder that holds `datasets/` and `runs/`.
///
/// Under `cargo xtask` it is the parent of this package; for a program called by its path, the nearest folder above the
/// current one with a `datasets/manifest.toml`, and otherwise the current folder.
pub(crate) fn root() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    if let Some(root) = package.as_deref().and_then(Path::parent) {
        return root.to_path_buf();
    }
    let current = env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    current
        .ancestors()
        .find(|folder| folder.join("datasets/manifest.toml").is_file())
        .unwrap_or(Path::new("."))
        .to_path_buf()
}

/// Folders of the data sets.
pub(crate) fn datasets() -> PathBuf {
    root().join("datasets")
}

/// Folders of results.
pub(crate) fn runs() -> PathBuf {
    root().join("runs")
}

/// `path` as one would type it here: relative where it lies below the current folder.
pub(crate) fn shown(path: &Path) -> String {
    let current = env::current_dir().unwrap_or_default();
    match path.strip_prefix(&current) {
        Ok(below) if !below.as_os_str().is_empty() => below.display().to_string(),
        _ => path.display().to_string(),
    }
}
