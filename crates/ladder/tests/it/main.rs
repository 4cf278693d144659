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
fn what_was_published_is_kept_where_nothing_is_known_here() {
    let (published, _) = published();
    let sweep = &published.committees[0].sweep;
    let trials: Vec<_> = published.sweep(sweep).into_iter().cloned().collect();
    let mut own = trials[1].clone();
    own.seconds += 1.0;
    let mut findings = Findings::default();
    findings.add(sweep, vec![own.clone()], &published, |_| true);
    assert_eq!(findings.trials.iter().map(|trial| trial.seed).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert_eq!((&findings.trials[0], &findings.trials[1]), (&trials[0], &own));
    assert_eq!(findings.committees, published.committees[..1]);
    // What is planned no more is left out, and so is what it answered with the others.
    let mut findings = Findings::default();
    findings.add(sweep, vec![own.clone()], &published, |trial| trial.seed != 0);
    assert_eq!((findings.trials.len(), findings.committees.len()), (4, 0));
    let mut findings = Findings::default();
    findings.add(sweep, vec![own.clone()], &Findings::default(), |_| true);
    assert_eq!((findings.trials, findings.committees.len()), (vec![own], 0));
}
