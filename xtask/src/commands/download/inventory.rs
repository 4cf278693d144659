//! What is here: `download --list` and `download --verify`.

use std::path::Path;

use mnist_fetch::{DataSet, FileStatus, HashKind};

use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::places;
use crate::table::wrapped;
use mlp_results::text::thousands;

/// Says what a set is, and whether it is here.
pub(super) fn list(set: &DataSet, datasets: &Path, output: &mut Output) {
    let name = &set.name;
    let state = if set.is_present(&datasets.join(name)) { "downloaded" } else { "not downloaded" };
    let size = format!("{:.1} MB", set.n_bytes() as f64 / 1e6);
    let shared = set.archive_name().map_or(String::new(), |archive| format!(", shared by all of {archive}"));
    output.line(format_args!("{name:<16}{state:<16}{size}{shared}"));
    let mut say = |line: String| output.line(wrapped("", &line, 16));
    say(set.title.clone());
    if let Some((train, test)) = set.counts {
        say(format!("{} training and {} test images", thousands(train as u64), thousands(test as u64)));
    }
    say(format!("classes {}", mnist_io::classes_in_a_line(&set.classes)));
    if !set.class_names.is_empty() {
        say(format!("that is {}", set.class_names.join(", ")));
    }
    for (key, text) in [("licence", &set.licence), ("cite", &set.citation)] {
        if !text.is_empty() {
            say(format!("{key}: {text}"));
        }
    }
    if let Some(published) = &set.unproved {
        say(format!("length and hash as published by {published}; not yet computed by this project"));
    }
}

/// Checks every file of the sets, and fails with all that is wrong.
pub(super) fn verify(sets: &[&DataSet], datasets: &Path, output: &mut Output) -> Result<(), Failure> {
    if sets.is_empty() {
        output.line(format_args!("no data set is in {}", places::shown(datasets)));
    }
    let (mut wrong, mut names) = (Vec::new(), Vec::new());
    for set in sets {
        let n_before = wrong.len();
        for report in set.verify(&datasets.join(&set.name)) {
            let report = report?;
            match report.status {
                FileStatus::Verified => {
                    report_file(&report.path, report.n_bytes, "verified", report.verified_by, output);
                }
                FileStatus::Missing => wrong.push(format!("{} is missing", report.path.display())),
                FileStatus::Damaged(how) => wrong.push(format!("{} {how}", report.path.display())),
            }
        }
        if wrong.len() > n_before {
            names.push(set.name.as_str());
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let (wrong, names) = (wrong.join("\n"), names.join(" "));
    Err(Failure::new(Code::Network, format!("{wrong}\nrun `cargo xtask download {names}` to fetch what is wrong")))
}

/// Says that a file is in its place.
pub(super) fn report_file(path: &Path, n_bytes: u64, said: &str, verified_by: HashKind, output: &mut Output) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Said only where it is less than it should be.
    let by_what = if verified_by == HashKind::Md5 { " by MD5" } else { "" };
    output.line(format_args!("{name:<28}{:>12} bytes  {said}{by_what}", thousands(n_bytes)));
}
