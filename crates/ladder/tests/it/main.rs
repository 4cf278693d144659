//! The published page is what its findings give, and they say what a climb must say.

use std::fs;
use std::path::Path;

use ladder::document::{FINDINGS, FOLDER, WRONG, files, findings_as_lines};
use ladder::{Findings, RUNGS, TRICKS};

fn published() -> (Findings, std::path::PathBuf) {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let text = fs::read_to_string(docs.join(FOLDER).join(FINDINGS)).expect("the published findings");
    (serde_json::from_str(&text).expect("findings"), docs)
}

#[test]
fn the_published_page_is_what_its_findings_give() {
    let (findings, docs) = published();
    assert!(!findings.is_quick, "only a full run is published");
    let found = fs::read_to_string(docs.join(FOLDER).join(FINDINGS)).expect("the findings");
    assert!(findings_as_lines(&findings) == found, "{FINDINGS}: written differently");
    let files = files(&findings);
    for (name, text) in &files {
        let found = fs::read_to_string(docs.join(name)).unwrap_or_default();
        assert!(found == *text, "{name}: not what the findings give; `cargo xtask climb --so-far --publish` writes it");
    }
    for entry in fs::read_dir(docs.join(FOLDER)).expect("the folder").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_known = files.iter().any(|(path, _)| *path == format!("{FOLDER}/{name}"));
        assert!(is_known || [FINDINGS, WRONG].contains(&name.as_str()), "{name}: belongs to nothing in the page");
    }
}

#[test]
fn the_published_networks_were_trained_and_measured_as_the_page_says() {
    let (findings, _) = published();
    assert_eq!((findings.n_test, findings.data.as_str()), (10_000, "mnist"));
    for trial in &findings.trials {
        let is_tried = TRICKS.iter().any(|trick| trick.sweep.name == trial.sweep);
        assert!(is_tried || RUNGS.iter().any(|rung| rung.sweep.name == trial.sweep), "{}", trial.sweep);
        assert_eq!(trial.is_split, is_tried, "{}: what is tried is measured on images held back", trial.sweep);
        let whole = trial.error() * 100.0;
        assert!((whole - whole.round()).abs() < 1e-6, "{}: a share of 10,000 images", trial.sweep);
    }
    for committee in &findings.committees {
        assert_eq!(committee.n_members, findings.sweep(&committee.sweep).len());
        assert!(committee.n_wrong < 10_000);
    }
}

#[test]
fn what_was_trained_elsewhere_is_told_by_seed_and_what_is_here_is_not_missing() {
    let (findings, _) = published();
    let of_sweep: Vec<_> = findings.sweep("trick-base").into_iter().cloned().collect();
    assert_eq!(findings.missing("trick-base", &of_sweep).count(), 0);
    let missing: Vec<u64> = findings.missing("trick-base", &of_sweep[1..2]).map(|trial| trial.seed).collect();
    assert_eq!(missing, [of_sweep[0].seed, of_sweep[2].seed]);
    assert_eq!(findings.missing("no such sweep", &of_sweep).count(), 0);
}
