//! Who holds a folder, and who is refused. A second lock of this process meets the first as another process's would.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use durable_file::lock::{LOCK_NAME, holder, signature};
use durable_file::{FolderLock, LockError};

#[test]
fn a_folder_is_held_by_one_until_it_is_given_back_and_the_second_is_told_by_whom() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(holder(folder.path()), None);
    let first = FolderLock::acquire(folder.path(), "download").expect("it is free");
    assert!(first.is_effective());
    assert_eq!(holder(folder.path()), Some(signature("download")));
    for take in [FolderLock::acquire, FolderLock::share] {
        let error = take(folder.path(), "sweep").expect_err("it is held");
        assert_eq!(
            error.to_string(),
            format!(
                "{} is in use by {}; wait until it has finished, or name another folder",
                folder.path().display(),
                signature("download")
            )
        );
    }
    drop(first);
    assert_eq!(holder(folder.path()), None);
    FolderLock::acquire(folder.path(), "sweep").expect("it is free again");
}

#[test]
fn a_folder_is_shared_by_those_who_share_and_by_nobody_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = FolderLock::share(folder.path(), "sweep").expect("it is free");
    let second = FolderLock::share(folder.path(), "sweep").expect("it is shared");
    assert!(matches!(FolderLock::acquire(folder.path(), "report"), Err(LockError::Busy { .. })));
    assert!(holder(folder.path()).is_some());
    drop((first, second));
    FolderLock::acquire(folder.path(), "report").expect("it is free again");
}

#[test]
fn a_lock_file_that_its_holder_left_behind_is_free() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join(LOCK_NAME), "sweep, process 1 on elsewhere, whose name was longer\n").expect("a file");
    assert_eq!(holder(folder.path()), None);
    let _lock = FolderLock::acquire(folder.path(), "sweep").expect("nobody holds it");
    assert_eq!(holder(folder.path()), Some(signature("sweep")), "nothing of the old name is left");
}

#[test]
fn a_folder_that_is_given_back_within_half_a_second_is_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let lock = FolderLock::acquire(folder.path(), "status").expect("it is free");
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(50));
            drop(lock);
        });
        FolderLock::acquire(folder.path(), "sweep").expect("it is given back in time");
    });
}

#[test]
fn those_who_wait_come_one_after_the_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let (n_inside, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let lock = FolderLock::wait(folder.path(), ".report.lock").expect("a turn");
                    assert_eq!(n_inside.fetch_add(1, SeqCst), 0);
                    n_inside.fetch_sub(1, SeqCst);
                    drop(lock);
                }
                is_over.store(true, SeqCst);
            });
        }
    });
    assert!(is_over.into_inner());
    FolderLock::acquire(folder.path(), "sweep").expect("another file is another lock");
}

#[test]
fn a_folder_that_is_missing_is_an_error_that_names_the_lock_file() {
    let folder = tempfile::tempdir().expect("a folder").path().join("nothing");
    for error in [
        FolderLock::acquire(&folder, "sweep").expect_err("no such folder"),
        FolderLock::wait(&folder, LOCK_NAME).expect_err("no such folder"),
    ] {
        let LockError::Io { action, path, error } = error else { panic!("{error}") };
        assert_eq!((action, path), ("open the lock", folder.join(LOCK_NAME)));
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    }
}
