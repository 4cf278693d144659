//! `download` against servers that misbehave: only verified bytes reach the final name.

use std::fs;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::sandbox::{Outcome, Sandbox};
use crate::server::{Behaviour, Server};

const CONTENT: &[u8] = b"the content of the only file of a very small data set";

/// A sandbox whose manifest knows one set, `small`, with one file on `mirrors`.
fn sandbox(mirrors: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    let digest = Sha256::digest(CONTENT);
    let sha256: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    sandbox.write(
        "datasets/manifest.toml",
        format!(
            "[small]\ntitle = \"small\"\nclasses = \"0123456789\"\nmirrors = {mirrors:?}\n\
             files = [{{ name = \"file.gz\", bytes = {}, sha256 = \"{sha256}\" }}]\n",
            CONTENT.len()
        ),
    );
    sandbox
}

/// Downloads from servers that behave like this, in this order, asking each once.
fn download_from(servers: &[&Server]) -> (Sandbox, Outcome) {
    let addresses: Vec<&str> = servers.iter().map(|server| server.address.as_str()).collect();
    let sandbox = sandbox(&addresses);
    let outcome = sandbox.run(["download", "small", "--attempts", "1", "--stall", "1", "--deadline", "3"]);
    (sandbox, outcome)
}

/// Nothing under the final name, and nothing half-finished beside it.
fn assert_nothing_arrived(sandbox: &Sandbox) {
    let names = sandbox.files("datasets/small");
    assert!(names.iter().all(|name| name.ends_with(".lock")), "{names:?}");
}

#[test]
fn each_fault_of_a_server_is_code_4_with_its_reason_and_leaves_nothing() {
    let length = CONTENT.len();
    let mut wrong = CONTENT.to_vec();
    wrong[3] ^= 1;
    let html = b"  <!DOCTYPE html><html>Please log in</html>".to_vec();
    let mut longer = CONTENT.to_vec();
    longer.extend_from_slice(b"!");
    let no_length = [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".as_slice(), longer.as_slice()].concat();
    let html_page =
        [b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n".as_slice(), &html].concat();
    let faults: Vec<(Behaviour, &str)> = vec![
        (Behaviour::Status("404 Not Found"), "the server answered 404 Not Found"),
        (Behaviour::Status("403 Forbidden"), "the server answered 403 Forbidden"),
        (Behaviour::Status("429 Too Many Requests"), "the server answered 429"),
        (Behaviour::Status("500 Internal Server Error"), "the server answered 500"),
        (Behaviour::Status("503 Service Unavailable"), "the server answered 503"),
        (Behaviour::Status("204 No Content"), "the server answered 204"),
        (Behaviour::Loop, "redirects more than 5 times"),
        (Behaviour::Redirect("ftp://127.0.0.1/file".to_owned()), "file.gz: "),
        (Behaviour::Announced(length, CONTENT[..20].to_vec()), "file.gz: "),
        (Behaviour::Body(CONTENT[..20].to_vec()), "announces 20 bytes, expected 53"),
        (Behaviour::Body(longer), "announces 54 bytes, expected 53"),
        (Behaviour::Raw(no_length), "delivers more than the 53 bytes expected"),
        (Behaviour::EndlessChunks, "delivers more than the 53 bytes expected"),
        (Behaviour::Body(wrong), "delivers other content: SHA-256"),
        (Behaviour::Raw(html_page), "an HTML page"),
        (Behaviour::Announced(length, html), "an HTML page"),
        (Behaviour::Silence, "not a byte for 1 s"),
        (Behaviour::Stall(length, CONTENT[..20].to_vec()), "not a byte for 1 s"),
        (Behaviour::Trickle(1_000_000), "announces 1000000 bytes"),
        (Behaviour::Trickle(length), "not within the deadline"),
        (Behaviour::Close, "file.gz: "),
        (Behaviour::Raw(b"SSH-2.0-OpenSSH\r\n".to_vec()), "file.gz: "),
        (Behaviour::Raw(vec![b'x'; 1 << 20]), "file.gz: "),
        (Behaviour::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n".to_vec()), "file.gz: "),
        (Behaviour::Raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_vec()), "file.gz: "),
    ];
    let started = Instant::now();
    std::thread::scope(|scope| {
        for (behaviour, reason) in faults {
            scope.spawn(move || {
                let server = Server::new(vec![behaviour.clone()]);
                let (sandbox, outcome) = download_from(&[&server]);
                assert_eq!(outcome.code, 4, "{behaviour:?}: {outcome:#?}");
                let outcome = outcome.expect_error(reason).expect_error("no source delivered the 53 bytes");
                assert!(!outcome.stderr.contains("panicked") && outcome.stdout.is_empty(), "{outcome:#?}");
                assert_nothing_arrived(&sandbox);
            });
        }
    });
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
}

#[test]
fn the_second_mirror_is_asked_when_the_first_is_bad() {
    let bad = Server::new(vec![Behaviour::Status("404 Not Found")]);
    let good = Server::new(vec![Behaviour::Body(CONTENT.to_vec())]);
    let (sandbox, outcome) = download_from(&[&bad, &good]);
    let outcome = outcome.expect_code(0);
    assert!(outcome.stdout.contains("downloaded, verified"));
    assert_eq!(fs::read(sandbox.path("datasets/small/file.gz")).expect("the file"), CONTENT);
}

#[test]
fn the_reason_of_every_mirror_is_told() {
    let gone = Server::new(vec![Behaviour::Status("404 Not Found")]);
    let other = Server::new(vec![Behaviour::Body(vec![0; CONTENT.len()])]);
    let (_, outcome) = download_from(&[&gone, &other]);
    outcome.expect_code(4).expect_error("404 Not Found").expect_error("delivers other content").expect_error("--from");
}

#[test]
fn a_server_that_recovers_is_asked_again() {
    let server = Server::new(vec![
        Behaviour::Status("503 Service Unavailable"),
        Behaviour::Close,
        Behaviour::Body(CONTENT.to_vec()),
    ]);
    let sandbox = sandbox(&[&server.address]);
    sandbox.run(["download", "--attempts", "3"]).expect_code(0);
    assert_eq!(server.n_requests(), 3);
    sandbox.run(["download", "--verify"]).expect_code(0);
}

#[test]
fn what_will_not_change_is_not_asked_again() {
    let server = Server::new(vec![Behaviour::Status("404 Not Found")]);
    let sandbox = sandbox(&[&server.address]);
    sandbox.run(["download", "--attempts", "4"]).expect_code(4);
    assert_eq!(server.n_requests(), 1);
}

#[test]
fn a_retry_after_beyond_the_deadline_is_not_waited_for() {
    let busy = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n".to_vec();
    let server = Server::new(vec![Behaviour::Raw(busy)]);
    let sandbox = sandbox(&[&server.address]);
    let started = Instant::now();
    let outcome = sandbox.run(["download", "--deadline", "5"]).expect_code(4);
    outcome.expect_error("429 Too Many Requests").expect_error("leaves no time for another");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_redirect_to_the_file_is_followed() {
    let good = Server::new(vec![Behaviour::Body(CONTENT.to_vec())]);
    let first = Server::new(vec![Behaviour::Redirect(format!("{}file.gz", good.address))]);
    let (_, outcome) = download_from(&[&first]);
    outcome.expect_code(0);
}

#[test]
fn no_such_host_is_code_4() {
    let sandbox = sandbox(&["http://no-such-host.invalid/"]);
    sandbox
        .run(["download", "--attempts", "1", "--deadline", "20"])
        .expect_code(4)
        .expect_error("no-such-host.invalid");
}

#[test]
fn a_file_that_is_here_is_verified_and_not_fetched_again() {
    let server = Server::new(vec![Behaviour::Body(CONTENT.to_vec())]);
    let sandbox = sandbox(&[&server.address]);
    sandbox.run(["download"]).expect_code(0);
    let outcome = sandbox.run(["download"]).expect_code(0);
    assert!(outcome.stdout.contains("already here, verified"));
    assert_eq!(server.n_requests(), 1);
}

#[test]
fn a_damaged_file_stays_until_a_verified_one_replaces_it() {
    let sandbox = sandbox(&[]);
    fs::create_dir(sandbox.path("datasets/small")).expect("a folder");
    sandbox.write("datasets/small/file.gz", "damaged");
    sandbox.run(["download", "--verify"]).expect_code(4).expect_error("has 7 bytes, expected 53");
    let bad = Server::new(vec![Behaviour::Body(vec![0; CONTENT.len()])]);
    sandbox.run(["download", "--from", &bad.address, "--attempts", "1"]).expect_code(4);
    assert_eq!(fs::read(sandbox.path("datasets/small/file.gz")).expect("the old file"), b"damaged");
    let good = Server::new(vec![Behaviour::Body(CONTENT.to_vec())]);
    let outcome = sandbox.run(["download", "--from", &good.address]).expect_code(0);
    assert!(outcome.stdout.contains("was damaged, replaced, verified"));
    assert_eq!(fs::read(sandbox.path("datasets/small/file.gz")).expect("the new file"), CONTENT);
}

#[test]
fn files_are_taken_from_a_folder_and_verified_there_too() {
    let sandbox = sandbox(&[]);
    fs::create_dir(sandbox.path("my stick")).expect("a folder");
    sandbox.run(["download", "--from", "my stick"]).expect_code(4).expect_error("my stick/file.gz");
    sandbox.write("my stick/file.gz", vec![0; CONTENT.len()]);
    sandbox.run(["download", "--from", "my stick"]).expect_code(4).expect_error("delivers other content");
    sandbox.write("my stick/file.gz", CONTENT);
    sandbox.run(["download", "--from", "my stick"]).expect_code(0);
    sandbox.run(["download", "--from", "no stick"]).expect_code(2).expect_error("no such folder");
}

#[test]
fn unknown_sets_and_hostile_names_are_refused() {
    let sandbox = sandbox(&[]);
    sandbox.run(["download", "smal"]).expect_code(2).expect_error("did you mean \"small\"?");
    let hash = "0".repeat(64);
    sandbox.write(
        "datasets/manifest.toml",
        format!(
            "[evil]\ntitle=\"\"\nclasses=\"\"\nmirrors=[]\nfiles=[{{name=\"../../x\", bytes=1, sha256=\"{hash}\"}}]"
        ),
    );
    sandbox.run(["download"]).expect_code(3).expect_error("is no plain name");
}

#[test]
fn a_second_download_of_the_same_set_ends_with_code_6_and_names_the_first() {
    let server = Server::new(vec![Behaviour::Stall(CONTENT.len(), CONTENT[..20].to_vec())]);
    let sandbox = sandbox(&[&server.address]);
    let mut first = sandbox.command(["download"]).spawn().expect("the program starts");
    let started = Instant::now();
    while server.n_requests() == 0 && started.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(20));
    }
    let outcome = sandbox.run(["download"]).expect_code(6);
    outcome.expect_error(&format!("in use by download, process {}", first.id()));
    // A killed download leaves nothing under the final name, and no lock.
    first.kill().expect("a kill");
    first.wait().expect("an end");
    assert!(!sandbox.path("datasets/small/file.gz").exists());
    let good = Server::new(vec![Behaviour::Body(CONTENT.to_vec())]);
    sandbox.run(["download", "--from", &good.address]).expect_code(0);
    assert_eq!(sandbox.files("datasets/small").len(), 2, "{:?}", sandbox.files("datasets/small"));
}
