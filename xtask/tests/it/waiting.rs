//! Waiting for what a process in the sandbox does, and stopping it on the way.

use std::fs;
#[cfg(unix)]
use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

use crate::sandbox::Sandbox;

/// Longer than anything takes on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(240);

/// Waits until `is_there`, or until the process has ended.
pub(crate) fn wait_until(child: &mut Child, what: &str, mut is_there: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_there() && child.try_wait().expect("a state").is_none() {
        assert!(started.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Waits until `child` itself runs a trial, by which time it listens to signals; or until it has ended.
pub(crate) fn wait_until_running(sandbox: &Sandbox, out: &str, child: &mut Child) {
    let own = format!("process {} ", child.id());
    wait_until(child, "a running trial", || {
        let files = sandbox.files(&format!("{out}/running")).into_iter();
        files.filter_map(|file| fs::read_to_string(file).ok()).any(|text| text.contains(&own))
    });
}

/// Waits until there is a file in `folder` that has its final name, or until `child` has ended.
#[cfg(unix)]
pub(crate) fn wait_for_file(sandbox: &Sandbox, folder: &str, child: &mut Child) {
    wait_until(child, folder, || !finished_files(sandbox, folder).is_empty());
}

/// The files of a folder without those that are still being written.
#[cfg(unix)]
fn finished_files(sandbox: &Sandbox, folder: &str) -> Vec<PathBuf> {
    let is_finished = |file: &PathBuf| !file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    sandbox.files(folder).into_iter().filter(is_finished).collect()
}

/// Sends a signal.
#[cfg(unix)]
pub(crate) fn signal(child: &Child, name: &str) {
    let kill = std::process::Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status();
    assert!(kill.expect("kill runs").success());
}

/// Suspends a process and waits until it stands still; false if it has ended before.
#[cfg(target_os = "linux")]
pub(crate) fn suspend(child: &mut Child) -> bool {
    signal(child, "STOP");
    let stat = format!("/proc/{}/stat", child.id());
    let is_still =
        || fs::read_to_string(&stat).is_ok_and(|text| text.rsplit(')').next().unwrap_or("").starts_with(" T"));
    wait_until(child, "a process that stands still", is_still);
    is_still()
}
