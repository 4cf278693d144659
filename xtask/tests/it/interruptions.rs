//! `download` when it is killed, when the disk is full, and when two run at once.

use std::fs;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::sandbox::Sandbox;
use crate::server::{Behaviour, ServedFile, Server};

/// Noise that every test has the same of.
fn noise(n_bytes: usize) -> Vec<u8> {
    let mut state = 1;
    (0..n_bytes).map(|_| (next(&mut state) >> 56) as u8).collect()
}

/// The next number of a generator that needs nothing but arithmetic (Steele, Lea and Flood 2014, SplitMix).
pub(crate) fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A sandbox whose only set has one file, on this server.
fn sandbox_of(content: &[u8], server: &Server) -> Sandbox {
    let sandbox = Sandbox::new();
    let sha256 = hex::encode(Sha256::digest(content));
    sandbox.write(
        "datasets/manifest.toml",
        format!(
            "[large]\ntitle = \"large\"\nclasses = \"0123456789\"\nmirrors = [\"{}\"]\n\
             files = [{{ name = \"file.gz\", bytes = {}, sha256 = \"{sha256}\" }}]\n",
            server.address,
            content.len()
        ),
    );
    sandbox
}

/// Begins a download whose words nobody needs.
fn start(sandbox: &Sandbox) -> Child {
    let mut command = sandbox.command(["download", "large", "--quiet"]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts")
}

#[test]
fn a_hundred_kills_at_random_moments_leave_nothing_unverified_under_the_final_name() {
    let content = noise(400_000);
    let pace = (4096, Duration::from_millis(1));
    let server = Server::new(vec![Behaviour::File(Arc::new(ServedFile { pace, ..ServedFile::new(&content) }))]);
    let sandbox = sandbox_of(&content, &server);
    let target = sandbox.path("datasets/large/file.gz");
    let (mut random, mut n_kills, mut n_finished) = (7, 0, 0);
    while n_kills < 100 {
        assert!(n_finished < 5000, "only {n_kills} of so many runs could be killed");
        let mut process = start(&sandbox);
        // Half of the kills come at any time, half after any number of bytes.
        if next(&mut random).is_multiple_of(2) {
            std::thread::sleep(Duration::from_micros(next(&mut random) % 80_000));
        } else {
            let enough = server.n_sent() + (next(&mut random) % 200_000) as usize;
            while server.n_sent() < enough && process.try_wait().expect("a state").is_none() {
                std::thread::sleep(Duration::from_micros(100));
            }
        }
        match process.try_wait().expect("a state") {
            None => {
                process.kill().expect("a kill");
                process.wait().expect("an end");
                n_kills += 1;
            }
            Some(status) => assert!(status.success(), "{status}"),
        }
        if let Ok(found) = fs::read(&target) {
            assert!(found == content, "other bytes under the final name after {n_kills} kills");
            fs::remove_file(&target).expect("a file");
            n_finished += 1;
        }
    }
    sandbox.run(["download", "large"]).expect_code(0);
    assert!(fs::read(&target).expect("the file") == content);
    let names = sandbox.files("datasets/large");
    assert_eq!(names.len(), 2, "only the file and the lock are left: {names:?}");
    let n_resumed = server.requests().iter().filter(|request| request.to_ascii_lowercase().contains("range:")).count();
    assert!(n_resumed > 0, "no run went on with what another had begun");
    println!("100 kills, {n_resumed} runs went on where another ended, {} files arrived", n_finished + 1);
}

/// Runs the program with a disk of so many kibibytes mounted on a folder, and lists what is in the folder afterwards;
/// `None` where this machine lets nobody mount, which is an error where `CI` is set.
#[cfg(target_os = "linux")]
pub(crate) fn run_on_small_disk(
    sandbox: &Sandbox,
    folder: &str,
    kibibytes: u32,
    arguments: &[&str],
) -> Option<crate::sandbox::Outcome> {
    let mount = format!("mount -t tmpfs -o size={kibibytes}k tmpfs \"{folder}\"");
    let inner = format!("{mount} || exit 99; \"$@\"; code=$?; echo left: $(ls -A \"{folder}\"); exit $code");
    let script = format!("exec unshare --user --map-root-user --mount sh -c '{inner}' sh \"$@\"");
    let script = script.replace("--user --map-root-user ", if is_superuser() { "" } else { "--user --map-root-user " });
    fs::create_dir_all(sandbox.path(folder)).expect("a folder");
    let outcome = sandbox.run_in_shell(&script, arguments);
    if matches!(outcome.code, 99 | 1 | 127) {
        let may_be_skipped = std::env::var_os("CI").is_none();
        assert!(may_be_skipped, "this machine lets nobody mount, and nothing is skipped where CI is set: {outcome:#?}");
        eprintln!("SKIPPED: a full disk cannot be tried, as this machine lets nobody mount: {}", outcome.stderr);
        return None;
    }
    Some(outcome)
}

#[cfg(target_os = "linux")]
fn is_superuser() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:\t0\t"))
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_code_5_and_leaves_nothing() {
    let content = noise(400_000);
    for file in [ServedFile::new(&content), ServedFile { version: "", ..ServedFile::new(&content) }] {
        let server = Server::new(vec![Behaviour::File(Arc::new(file))]);
        let sandbox = sandbox_of(&content, &server);
        let Some(outcome) = run_on_small_disk(&sandbox, "datasets/large", 64, &["download", "large"]) else { return };
        let outcome = outcome.expect_code(5).expect_error("No space left on device").expect_error("free some space");
        assert_eq!(outcome.stdout.trim(), "left: .lock", "{outcome:#?}");
        assert_eq!(server.n_requests(), 1, "no other attempt helps a full disk");
    }
}

#[test]
fn two_downloads_at_once_end_with_one_whole_file() {
    let content = noise(200_000);
    let pace = (4096, Duration::from_millis(2));
    let server = Server::new(vec![Behaviour::File(Arc::new(ServedFile { pace, ..ServedFile::new(&content) }))]);
    let sandbox = sandbox_of(&content, &server);
    let start = || start(&sandbox);
    let mut codes: Vec<Option<i32>> =
        [start(), start(), start()].into_iter().map(|mut process| process.wait().expect("an end").code()).collect();
    codes.sort();
    // One brings it; the others are refused meanwhile, or come late enough to find it there.
    assert!(codes[0] == Some(0) && codes.iter().all(|code| matches!(code, Some(0 | 6))), "{codes:?}");
    assert!(fs::read(sandbox.path("datasets/large/file.gz")).expect("the file") == content);
    assert_eq!(server.n_requests(), 1);
}
