//! The hand-over to Slurm, as far as nothing is submitted.

use std::num::NonZero;

use mlp_sweep::{ErrorKind, SlurmJob};

use crate::halving::HALVING;
use crate::small::{Place, SMALL, run, sweep};

#[test]
fn a_dry_run_has_every_argument_apart_and_writes_nothing() {
    let place = Place::new();
    // A name that a shell would obey, and that Slurm would read as a pattern.
    let folder = place.folder("a $(touch owned) 100% 'folder'");
    let mut job = SlurmJob::new("/opt/a program");
    job.arguments = vec!["sweep".into(), folder.specification().into(), "--out".into(), folder.path().into()];
    job.arguments.extend(["--threads".into(), "2".into(), "a b; $(touch owned)".into()]);
    job.account = Some("a b".to_owned());
    job.partition = Some("p".to_owned());
    job.time = Some("1:00:00".to_owned());
    job.memory = Some("4G".to_owned());
    job.n_cores = Some(2);
    let sweep = sweep(SMALL, &folder);
    let submission = job.dry_run(&sweep).expect("what would be submitted");
    assert_eq!((submission.job.as_deref(), submission.n_tasks, submission.n_open), (None, 6, 6));
    assert_eq!(submission.script, folder.slurm().join("task.sh"));
    assert!(!folder.path().exists());
    let root = folder.path().parent().expect("a folder").to_string_lossy().into_owned();
    let arguments: Vec<String> =
        submission.arguments.iter().map(|argument| argument.to_string_lossy().replace(&root, "[root]")).collect();
    insta::assert_snapshot!("arguments", arguments.join("\n"));
    assert!(SlurmJob::SCRIPT.contains("exec \"$@\" --shard"));

    // Fewer tasks, where fewer are asked for or fewer trials are left.
    let mut few = job.clone();
    few.n_tasks = NonZero::new(4);
    let few = few.dry_run(&sweep).expect("what would be submitted");
    assert_eq!((few.n_tasks, few.n_open), (4, 6));
    run(&sweep);
    let none = job.dry_run(&sweep).expect("what would be submitted");
    assert_eq!((none.n_tasks, none.n_open), (0, 0));
    let none = job.submit(&sweep, &(), |_| Ok(())).expect("nothing to submit");
    assert_eq!((none.job, none.n_open), (None, 0));
}

#[test]
fn a_sweep_that_compares_all_trials_is_not_handed_over() {
    let place = Place::new();
    let sweep = sweep(HALVING, &place.folder("out"));
    let job = SlurmJob::new("/opt/a program");
    for result in [job.submit(&sweep, &(), |_| Ok(())), job.dry_run(&sweep)] {
        let error = result.expect_err("no parts");
        assert_eq!(error.kind(), ErrorKind::Specification);
        assert!(error.to_string().contains("compares all trials with one another"), "{error}");
    }
    assert!(!sweep.folder().path().exists());
}
