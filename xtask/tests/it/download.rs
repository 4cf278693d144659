//! `download` against servers that misbehave: only verified bytes reach the final name.

use std::fs;
use std::io::Write;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use md5::Md5;
use mnist_io::{IdxArray, LabeledImages, synthetic_digits};
use ndarray::Array2;
use sha2::{Digest, Sha256};

use crate::sandbox::{Outcome, Sandbox};
use crate::server::{Behaviour, Certificate, Parts, Proxy, ServedFile, Server};
use crate::waiting::wait_until;

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
    let mut command = sandbox.command(["download", "small", "--attempts", "1", "--stall", "2", "--deadline", "6"]);
    trust(&sandbox, &mut command, servers[0]);
    let outcome = sandbox.outcome(command.output().expect("the program starts"));
    (sandbox, outcome)
}

/// Lets the program trust the certificate of a server, if it has one.
fn trust(sandbox: &Sandbox, command: &mut Command, server: &Server) {
    if !server.certificate.is_empty() {
        command.env("SSL_CERT_FILE", sandbox.write("authority.pem", &server.certificate));
    }
}

/// Nothing under the final name, and nothing half-finished beside it.
fn assert_nothing_arrived(sandbox: &Sandbox) {
    let names = sandbox.files("datasets/small");
    assert!(names.iter().all(|name| name.ends_with(".lock")), "{names:?}");
}

/// What a server does wrong, and the reason that the user is given. Over TLS some reasons read differently; then the
/// second text is expected.
fn faults() -> Vec<(Behaviour, &'static str)> {
    let length = CONTENT.len();
    let mut wrong = CONTENT.to_vec();
    wrong[3] ^= 1;
    let html = b"  <!DOCTYPE html><html>Please log in</html>".to_vec();
    let mut longer = CONTENT.to_vec();
    longer.extend_from_slice(b"!");
    let no_length = [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".as_slice(), longer.as_slice()].concat();
    let short_without_length = [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".as_slice(), &CONTENT[..20]].concat();
    let html_page =
        [b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n".as_slice(), &html].concat();
    let chunked = |rest: &str| {
        Behaviour::Raw(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{rest}").into_bytes())
    };
    vec![
        (Behaviour::Status("404 Not Found"), "the server answered 404 Not Found"),
        (Behaviour::Status("403 Forbidden"), "the server answered 403 Forbidden"),
        (Behaviour::Status("407 Proxy Authentication Required"), "the server answered 407"),
        (Behaviour::Status("410 Gone"), "the server answered 410 Gone"),
        (Behaviour::Status("429 Too Many Requests"), "the server answered 429"),
        (Behaviour::Status("500 Internal Server Error"), "the server answered 500"),
        (Behaviour::Status("503 Service Unavailable"), "the server answered 503"),
        (Behaviour::Status("204 No Content"), "the server answered 204"),
        (Behaviour::Status("206 Partial Content"), "the server answered 206"),
        (Behaviour::Status("200 OK"), "ended after 0 of 53 bytes"),
        (Behaviour::Loop, "redirects more than 5 times"),
        (Behaviour::Redirect("ftp://127.0.0.1/file".to_owned()), "file.gz: "),
        (Behaviour::Announced(length, CONTENT[..20].to_vec()), "file.gz: "),
        (Behaviour::Body(CONTENT[..20].to_vec()), "announces 20 bytes, expected 53"),
        (Behaviour::Body(longer), "announces 54 bytes, expected 53"),
        (Behaviour::Announced(1 << 62, Vec::new()), "announces 4611686018427387904 bytes, expected 53"),
        (Behaviour::Raw(no_length), "delivers more than the 53 bytes expected"),
        (Behaviour::Raw(short_without_length), "ended after 20 of 53 bytes"),
        (Behaviour::EndlessChunks, "delivers more than the 53 bytes expected"),
        (chunked("zz\r\n"), "file.gz: "),
        (chunked("5\r\nabc"), "file.gz: "),
        (chunked("ffffffffffffffff\r\nabc"), "file.gz: "),
        (chunked("0\r\n\r\n"), "ended after 0 of 53 bytes"),
        (Behaviour::Body(wrong), "delivers other content: SHA-256"),
        (Behaviour::Raw(html_page), "an HTML page"),
        (Behaviour::Announced(length, html), "an HTML page"),
        (Behaviour::Silence, "not a byte for 2 s"),
        (Behaviour::SlowHeaders, "not within the deadline"),
        (Behaviour::EndlessHeaders, "file.gz: "),
        (Behaviour::Stall(length, CONTENT[..20].to_vec()), "not a byte for 2 s"),
        (Behaviour::Trickle(1_000_000), "announces 1000000 bytes"),
        (Behaviour::Trickle(length), "not within the deadline"),
        (Behaviour::Close, "file.gz: "),
        (Behaviour::Reset(length, CONTENT[..20].to_vec()), "file.gz: "),
        (Behaviour::Raw(b"SSH-2.0-OpenSSH\r\n".to_vec()), "file.gz: "),
        (Behaviour::Raw(vec![b'x'; 1 << 20]), "file.gz: "),
        (Behaviour::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n".to_vec()), "file.gz: "),
        (Behaviour::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 53\r\nContent-Length: 99\r\n\r\n".to_vec()), "file.gz: "),
        (
            Behaviour::Raw(b"HTTP/1.1 200 OK\r\nLocation: \xff\xfe\r\nContent-Encoding: gzip\r\n\r\nabc".to_vec()),
            "file.gz: ",
        ),
    ]
}

/// Each fault ends with code 4 and its reason, in time, and leaves nothing.
fn each_fault_is_told_and_leaves_nothing(start: fn(Vec<Behaviour>) -> Server) {
    for some in faults().chunks(8) {
        std::thread::scope(|scope| {
            for (behaviour, reason) in some {
                scope.spawn(move || {
                    let server = start(vec![behaviour.clone()]);
                    let started = Instant::now();
                    let (sandbox, outcome) = download_from(&[&server]);
                    assert_eq!(outcome.code, 4, "{behaviour:?}: {outcome:#?}");
                    let outcome = outcome.expect_error(reason).expect_error("no source delivered the 53 bytes");
                    assert!(!outcome.stderr.contains("panicked") && outcome.stdout.is_empty(), "{outcome:#?}");
                    assert_nothing_arrived(&sandbox);
                    let name: String = format!("{behaviour:?}").chars().take(40).collect();
                    println!("{name} ended after {:.1} s, the deadline is 6 s", started.elapsed().as_secs_f64());
                });
            }
        });
    }
}

#[test]
fn each_fault_of_a_server_is_code_4_with_its_reason_and_leaves_nothing() {
    each_fault_is_told_and_leaves_nothing(Server::new);
}

#[test]
fn each_fault_of_a_server_over_tls_is_code_4_with_its_reason_and_leaves_nothing() {
    each_fault_is_told_and_leaves_nothing(Server::with_tls);
}

#[test]
fn a_file_arrives_over_tls_from_a_server_that_is_trusted_and_from_no_other() {
    let (sandbox, outcome) = download_from(&[&Server::with_tls(vec![Behaviour::Body(CONTENT.to_vec())])]);
    outcome.expect_code(0);
    assert_eq!(fs::read(sandbox.path("datasets/small/file.gz")).expect("the file"), CONTENT);

    for kind in [Certificate::OtherHost, Certificate::Expired] {
        let server = Server::with_certificate(vec![Behaviour::Body(CONTENT.to_vec())], kind);
        let (sandbox, outcome) = download_from(&[&server]);
        outcome.expect_code(4).expect_error("certificate");
        assert_nothing_arrived(&sandbox);
    }

    let unknown = Server::with_tls(vec![Behaviour::Body(CONTENT.to_vec())]);
    let sandbox = self::sandbox(&[&unknown.address]);
    let outcome = sandbox.run(["download", "small", "--attempts", "1"]).expect_code(4);
    outcome.expect_error("certificate").expect_error("SSL_CERT_FILE");
    assert_nothing_arrived(&sandbox);
}

#[test]
fn a_file_of_certificates_that_cannot_be_used_is_named() {
    let sandbox = sandbox(&["https://localhost:1/"]);
    let mut command = sandbox.command(["download", "small"]);
    command.env("SSL_CERT_FILE", sandbox.write("nothing.pem", "no certificates"));
    let outcome = sandbox.outcome(command.output().expect("the program starts"));
    outcome.expect_code(3).expect_error("nothing.pem: expected certificates in PEM form");
}

#[test]
fn a_redirect_from_https_to_http_is_not_followed() {
    let plain = Server::new(vec![Behaviour::Body(CONTENT.to_vec())]);
    let protected = Server::with_tls(vec![Behaviour::Redirect(format!("{}file.gz", plain.address))]);
    let (sandbox, outcome) = download_from(&[&protected]);
    outcome.expect_code(4).expect_error("redirects from https to the unprotected");
    assert_eq!(plain.n_requests(), 0);
    assert_nothing_arrived(&sandbox);
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
    sandbox.run(["download", "small", "--attempts", "3"]).expect_code(0);
    assert_eq!(server.n_requests(), 3);
    sandbox.run(["download", "--verify"]).expect_code(0);
}

#[test]
fn what_will_not_change_is_not_asked_again() {
    let server = Server::new(vec![Behaviour::Status("404 Not Found")]);
    let sandbox = sandbox(&[&server.address]);
    sandbox.run(["download", "small", "--attempts", "4"]).expect_code(4);
    assert_eq!(server.n_requests(), 1);
}

/// A 429 that asks for a pause of so many seconds.
fn busy_for(seconds: u32) -> Behaviour {
    let head = format!("HTTP/1.1 429 Too Many Requests\r\nRetry-After: {seconds}\r\nContent-Length: 0\r\n\r\n");
    Behaviour::Raw(head.into_bytes())
}

#[test]
fn a_pause_of_up_to_ten_seconds_is_waited_for_and_a_longer_one_is_not() {
    let server = Server::new(vec![busy_for(2), Behaviour::Body(CONTENT.to_vec())]);
    let (sandbox, started) = (sandbox(&[&server.address]), Instant::now());
    sandbox.run(["download", "small"]).expect_code(0);
    assert!(started.elapsed() >= Duration::from_secs(2), "{:?}", started.elapsed());

    let (busy, good) = (Server::new(vec![busy_for(3600)]), Server::new(vec![Behaviour::Body(CONTENT.to_vec())]));
    let alone = self::sandbox(&[&busy.address]);
    let outcome = alone.run(["download", "small"]).expect_code(4);
    outcome.expect_error("429 Too Many Requests").expect_error("asks for a pause of 3600 s");
    assert_eq!(busy.n_requests(), 1);
    self::sandbox(&[&busy.address, &good.address]).run(["download", "small"]).expect_code(0);
}

#[test]
fn a_pause_beyond_the_deadline_is_not_waited_for() {
    let server = Server::new(vec![busy_for(9)]);
    let sandbox = sandbox(&[&server.address]);
    let outcome = sandbox.run(["download", "small", "--deadline", "5"]).expect_code(4);
    outcome.expect_error("429 Too Many Requests").expect_error("leaves no time for another");
}

#[test]
fn pauses_between_attempts_grow() {
    let server = Server::new(vec![Behaviour::Status("503 Service Unavailable")]);
    let (sandbox, started) = (sandbox(&[&server.address]), Instant::now());
    let outcome = sandbox.run(["download", "small"]).expect_code(4);
    outcome.expect_error("503 Service Unavailable (4 attempts)");
    assert_eq!(server.n_requests(), 4);
    assert!(started.elapsed() >= Duration::from_millis(500 + 1000 + 2000), "{:?}", started.elapsed());
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
        .run(["download", "small", "--attempts", "1", "--deadline", "20"])
        .expect_code(4)
        .expect_error("no-such-host.invalid")
        .expect_error("no such host (is there a network?)");
    // What was asked for and did not come is no set that is here.
    let outcome = sandbox.run(["download", "--verify"]).expect_code(0);
    assert!(outcome.stdout.starts_with("no data set is in"), "{}", outcome.stdout);
    sandbox.run(["download", "small", "--verify"]).expect_code(4).expect_error("file.gz is missing");
}

#[test]
fn a_file_that_is_here_is_verified_and_not_fetched_again() {
    let server = Server::new(vec![Behaviour::Body(CONTENT.to_vec())]);
    let sandbox = sandbox(&[&server.address]);
    sandbox.run(["download", "small"]).expect_code(0);
    let outcome = sandbox.run(["download", "small"]).expect_code(0);
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
    sandbox.run(["download", "small", "--from", &bad.address, "--attempts", "1"]).expect_code(4);
    assert_eq!(fs::read(sandbox.path("datasets/small/file.gz")).expect("the old file"), b"damaged");
    let good = Server::new(vec![Behaviour::Body(CONTENT.to_vec())]);
    let outcome = sandbox.run(["download", "small", "--from", &good.address]).expect_code(0);
    assert!(outcome.stdout.contains("was damaged, replaced, verified"));
    assert_eq!(fs::read(sandbox.path("datasets/small/file.gz")).expect("the new file"), CONTENT);
}

#[test]
fn files_are_taken_from_a_folder_and_verified_there_too() {
    let sandbox = sandbox(&[]);
    fs::create_dir(sandbox.path("my stick")).expect("a folder");
    sandbox.run(["download", "small", "--from", "my stick"]).expect_code(4).expect_error("my stick/file.gz");
    sandbox.write("my stick/file.gz", vec![0; CONTENT.len()]);
    sandbox.run(["download", "small", "--from", "my stick"]).expect_code(4).expect_error("has SHA-256");
    sandbox.write("my stick/file.gz", CONTENT);
    sandbox.run(["download", "small", "--from", "my stick"]).expect_code(0);
    sandbox.run(["download", "small", "--from", "no stick"]).expect_code(2).expect_error("no such folder or file");
}

#[test]
fn unknown_sets_and_hostile_names_are_refused() {
    let sandbox = sandbox(&[]);
    sandbox.run(["download", "smal"]).expect_code(2).expect_error("did you mean \"small\"?");
    let hash = "0".repeat(64);
    sandbox.write(
        "datasets/manifest.toml",
        format!(
            "[evil]\ntitle=\"\"\nclasses=\"01\"\nmirrors=[]\nfiles=[{{name=\"../../x\", bytes=1, sha256=\"{hash}\"}}]"
        ),
    );
    sandbox.run(["download"]).expect_code(3).expect_error("is no plain name");
}

#[test]
fn a_second_download_of_the_same_set_ends_with_code_6_and_names_the_first() {
    let server = Server::new(vec![Behaviour::Stall(CONTENT.len(), CONTENT[..20].to_vec())]);
    let sandbox = sandbox(&[&server.address]);
    let mut first = sandbox.command(["download", "small"]).spawn().expect("the program starts");
    wait_until(&mut first, "a request", || server.n_requests() > 0);
    let outcome = sandbox.run(["download", "small"]).expect_code(6);
    outcome.expect_error(&format!("in use by download, process {}", first.id()));
    // A killed download leaves nothing under the final name, and no lock.
    first.kill().expect("a kill");
    first.wait().expect("an end");
    assert!(!sandbox.path("datasets/small/file.gz").exists());
    let good = Server::new(vec![Behaviour::Body(CONTENT.to_vec())]);
    sandbox.run(["download", "small", "--from", &good.address]).expect_code(0);
    assert_eq!(sandbox.files("datasets/small").len(), 2, "{:?}", sandbox.files("datasets/small"));
}

/// A server whose first answer breaks off in the middle, and whose later ones are as told.
fn server_that_breaks_off(version: &'static str, parts: Parts) -> Server {
    let broken = ServedFile { breaks_after: Some(20), version, parts, ..ServedFile::new(CONTENT) };
    let good = ServedFile { breaks_after: None, ..broken.clone() };
    Server::new(vec![Behaviour::File(Arc::new(broken)), Behaviour::File(Arc::new(good))])
}

#[test]
fn what_broke_off_is_gone_on_with_where_the_server_can() {
    for version in ["ETag: \"1\"", "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT"] {
        let server = server_that_breaks_off(version, Parts::Served);
        let sandbox = sandbox(&[&server.address]);
        sandbox.run(["download", "small"]).expect_code(0);
        assert_eq!((server.n_requests(), server.n_sent()), (2, CONTENT.len()));
        let second = server.requests()[1].to_ascii_lowercase();
        let value = version.split_once(": ").expect("a header").1.to_ascii_lowercase();
        assert!(second.contains("range: bytes=20-\r\n"), "{second}");
        assert!(second.contains(&format!("if-range: {value}\r\n")), "{second}");
        assert_eq!(sandbox.files("datasets/small").len(), 2, "{:?}", sandbox.files("datasets/small"));
    }
}

#[test]
fn what_broke_off_is_begun_anew_where_the_server_cannot_go_on() {
    let etag = "ETag: \"1\"";
    let all = CONTENT.len();
    // The version or the answer to a request for a part, how many requests there are, and how many bytes are sent.
    for (version, parts, n_requests, n_sent) in [
        ("", Parts::Served, 2, 20 + all),
        ("ETag: W/\"1\"", Parts::Served, 2, 20 + all),
        (etag, Parts::Ignored, 2, 20 + all),
        (etag, Parts::Refused, 3, 20 + all),
        (etag, Parts::Unsaid, 3, 20 + all),
        (etag, Parts::Shifted, 3, 20 + all),
        (etag, Parts::OtherVersion, 3, 20 + all),
        (etag, Parts::Wrong, 3, 20 + all),
    ] {
        let server = server_that_breaks_off(version, parts);
        let sandbox = sandbox(&[&server.address]);
        let outcome = sandbox.run(["download", "small"]);
        assert_eq!(outcome.code, 0, "{version} {parts:?}: {outcome:#?}");
        assert_eq!(server.n_requests(), n_requests, "{version} {parts:?}");
        assert!(server.n_sent() >= n_sent, "{version} {parts:?}: {} bytes", server.n_sent());
        assert_eq!(fs::read(sandbox.path("datasets/small/file.gz")).expect("the file"), CONTENT, "{parts:?}");
        assert_eq!(sandbox.files("datasets/small").len(), 2, "{:?}", sandbox.files("datasets/small"));
    }
}

#[test]
fn a_file_that_changed_since_it_was_begun_is_begun_anew() {
    let broken = ServedFile { breaks_after: Some(20), version: "ETag: \"old\"", ..ServedFile::new(&[7; 53]) };
    let server =
        Server::new(vec![Behaviour::File(Arc::new(broken)), Behaviour::File(Arc::new(ServedFile::new(CONTENT)))]);
    let sandbox = sandbox(&[&server.address]);
    sandbox.run(["download", "small"]).expect_code(0);
    assert_eq!(server.n_requests(), 2);
    assert_eq!(fs::read(sandbox.path("datasets/small/file.gz")).expect("the file"), CONTENT);
}

#[test]
fn a_later_run_goes_on_where_the_last_one_gave_up() {
    let broken = ServedFile { breaks_after: Some(20), ..ServedFile::new(CONTENT) };
    let server =
        Server::new(vec![Behaviour::File(Arc::new(broken)), Behaviour::File(Arc::new(ServedFile::new(CONTENT)))]);
    let sandbox = sandbox(&[&server.address]);
    sandbox.run(["download", "small", "--attempts", "1"]).expect_code(4);
    assert!(!sandbox.path("datasets/small/file.gz").exists());
    sandbox.run(["download", "small", "--attempts", "1"]).expect_code(0);
    assert_eq!(server.n_sent(), CONTENT.len());
    assert_eq!(sandbox.files("datasets/small").len(), 2, "{:?}", sandbox.files("datasets/small"));
}

#[test]
fn a_file_that_had_arrived_when_its_process_was_killed_is_verified_and_not_fetched_again() {
    let server = Server::new(vec![Behaviour::File(Arc::new(ServedFile::new(CONTENT)))]);
    let (sandbox, address) = (sandbox(&[&server.address]), &server.address);
    fs::create_dir(sandbox.path("datasets/small")).expect("a folder");
    let note = format!("{{\"address\": \"{address}file.gz\", \"validator\": \"1\"}}");
    for (bytes, n_requests) in [(CONTENT.to_vec(), 0), (vec![7; CONTENT.len()], 1)] {
        sandbox.write("datasets/small/.file.gz.partial", bytes);
        sandbox.write("datasets/small/.file.gz.partial-from", &note);
        sandbox.run(["download", "small"]).expect_code(0);
        assert_eq!(server.n_requests(), n_requests);
        assert_eq!(fs::read(sandbox.path("datasets/small/file.gz")).expect("the file"), CONTENT);
        assert_eq!(sandbox.files("datasets/small").len(), 2, "{:?}", sandbox.files("datasets/small"));
        fs::remove_file(sandbox.path("datasets/small/file.gz")).expect("the file");
    }
}

#[test]
fn what_one_server_began_is_not_gone_on_with_at_another() {
    let broken = ServedFile { breaks_after: Some(20), ..ServedFile::new(&[7; 53]) };
    let (first, second) = (
        Server::new(vec![Behaviour::File(Arc::new(broken))]),
        Server::new(vec![Behaviour::File(Arc::new(ServedFile::new(CONTENT)))]),
    );
    let sandbox = sandbox(&[&first.address, &second.address]);
    sandbox.run(["download", "small", "--attempts", "1"]).expect_code(0);
    assert!(!second.requests()[0].to_ascii_lowercase().contains("range:"));
    assert_eq!(fs::read(sandbox.path("datasets/small/file.gz")).expect("the file"), CONTENT);
}

/// Calls the program with the environment of someone behind a proxy.
fn run_with(sandbox: &Sandbox, variables: &[(&str, &str)], server: &Server) -> Outcome {
    let mut command = sandbox.command(["download", "small", "--attempts", "1", "--stall", "5"]);
    command.envs(variables.iter().copied());
    trust(sandbox, &mut command, server);
    sandbox.outcome(command.output().expect("the program starts"))
}

#[test]
fn the_proxy_of_the_environment_is_asked_for_its_kind_of_address_and_not_for_hosts_without_one() {
    let plain = Server::new(vec![Behaviour::Body(CONTENT.to_vec())]);
    let protected = Server::with_tls(vec![Behaviour::Body(CONTENT.to_vec())]);
    let nowhere = "http://127.0.0.1:1";
    for (server, own, other, host) in
        [(&plain, "http_proxy", "https_proxy", "127.0.0.1"), (&protected, "HTTPS_PROXY", "HTTP_PROXY", "localhost")]
    {
        let proxy = Proxy::new();
        let variables = [(own, proxy.address.as_str()), (other, nowhere)];
        run_with(&sandbox(&[&server.address]), &variables, server).expect_code(0);
        assert_eq!(proxy.requests().len(), 1);
        assert!(proxy.requests()[0].starts_with(&format!("CONNECT {host}:")), "{:?}", proxy.requests());

        let proxy = Proxy::new();
        run_with(&sandbox(&[&server.address]), &[("all_proxy", proxy.address.as_str())], server).expect_code(0);
        assert_eq!(proxy.requests().len(), 1);

        let direct = [(own, nowhere), ("no_proxy", host)];
        run_with(&sandbox(&[&server.address]), &direct, server).expect_code(0);
        run_with(&sandbox(&[&server.address]), &[(own, nowhere)], server).expect_code(4);
        run_with(&sandbox(&[&server.address]), &[(own, "::")], server)
            .expect_code(4)
            .expect_error("holds no address of a proxy");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_code_5() {
    let server = Server::new(vec![Behaviour::Body(CONTENT.to_vec())]);
    let sandbox = sandbox(&[&server.address]);
    // A file where the folder should be stops everybody, even the superuser.
    sandbox.write("datasets/small", "in the way");
    sandbox.run(["download", "small"]).expect_code(5).expect_error("cannot create the folder");
    assert_eq!(server.n_requests(), 0);
}

#[test]
fn one_file_is_recognised_by_its_content_whatever_its_name() {
    let sandbox = sandbox(&[]);
    let named = sandbox.write("some file", CONTENT);
    sandbox.run(["download", "small", "--from", named.to_str().expect("UTF-8")]).expect_code(0);
    assert_eq!(fs::read(sandbox.path("datasets/small/file.gz")).expect("the file"), CONTENT);
    let other = sandbox.write("other file", "something else");
    fs::remove_file(sandbox.path("datasets/small/file.gz")).expect("a file");
    let outcome = sandbox.run(["download", "small", "--from", other.to_str().expect("UTF-8")]).expect_code(4);
    outcome.expect_error("expected one of the files file.gz, found none of them");
}

#[test]
fn a_set_of_ones_own_stands_in_a_file_of_its_own() {
    let server = Server::new(vec![Behaviour::Body(CONTENT.to_vec())]);
    let own = sandbox(&[&server.address]);
    let text = fs::read_to_string(own.path("datasets/manifest.toml")).expect("the manifest");
    let sandbox = Sandbox::new();
    sandbox.write("datasets/own.toml", &text);
    let listed = sandbox.run(["download", "--list"]).expect_code(0).stdout;
    assert!(listed.contains("small ") && listed.contains("emnist-letters"), "{listed}");
    sandbox.run(["download", "small"]).expect_code(0);
    sandbox.write("datasets/own.toml", text.replace("[small]", "[mnist]"));
    sandbox.run(["download", "--list"]).expect_code(3).expect_error("[mnist] stands in manifest.toml already");
    sandbox.write("datasets/own.toml", text.replace("bytes", "byte"));
    sandbox.run(["download", "--list"]).expect_code(3).expect_error("own.toml: TOML parse error at line 5");
}

#[test]
fn a_file_that_was_unpacked_or_packed_anew_on_its_way_is_known_by_its_content() {
    let pack = |level| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(level));
        encoder.write_all(&[CONTENT, CONTENT].concat()).expect("bytes");
        encoder.finish().expect("bytes")
    };
    let sha256 = |bytes: &[u8]| Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (published, content) = (pack(9), [CONTENT, CONTENT].concat());
    let sandbox = Sandbox::new();
    sandbox.write(
        "datasets/manifest.toml",
        format!(
            "[small]\ntitle = \"small\"\nclasses = \"0123456789\"\nmirrors = []\nfiles = [{{ name = \"file.gz\", \
             bytes = {}, sha256 = \"{}\", content_sha256 = \"{}\" }}]\n",
            published.len(),
            sha256(&published),
            sha256(&content)
        ),
    );
    fs::create_dir(sandbox.path("stick")).expect("a folder");
    let target = sandbox.path("datasets/small/file.gz");
    let mut damaged = pack(1);
    damaged[20] ^= 4;
    for (name, bytes, code) in [
        ("file", content.clone(), 0),
        ("file.gz", content, 0),
        ("file.gz", pack(0), 0),
        ("file.gz", published, 0),
        ("file.gz", damaged, 4),
        ("file.gz", CONTENT.to_vec(), 4),
    ] {
        sandbox.write(&format!("stick/{name}"), &bytes);
        sandbox.run(["download", "small", "--from", "stick"]).expect_code(code);
        if code == 0 {
            sandbox.run(["download", "small", "--verify"]).expect_code(0);
            assert_eq!(fs::read(&target).expect("the file"), bytes);
            fs::remove_file(&target).expect("the file");
        }
        fs::remove_file(sandbox.path("stick").join(name)).expect("a file");
        assert!(!target.exists());
    }
}

#[test]
fn a_set_published_under_other_names_with_md5_and_tables_of_labels_becomes_one_like_mnist() {
    let digits = [synthetic_digits(30, 1), synthetic_digits(20, 2)];
    let server_folder = Sandbox::new();
    fs::create_dir(server_folder.path("q")).expect("a folder");
    let mut files = String::new();
    for (set, (part, name)) in digits.iter().zip([("train", "train"), ("test", "t10k")]) {
        let table = Array2::from_shape_fn((set.len(), 8), |(row, column)| match column {
            0 => i32::from(set.labels[row]),
            column => 1000 * column as i32 + row as i32,
        });
        let arrays = [
            ("images-idx3-ubyte.gz", IdxArray::U8(set.images.clone().into_dyn()), "images-idx3-ubyte.gz"),
            ("labels-idx2-int.gz", IdxArray::I32(table.into_dyn()), "labels-idx1-ubyte.gz"),
        ];
        for (ending, array, local) in arrays {
            let mut bytes = Vec::new();
            array.write_gzip_to(&mut bytes).expect("bytes");
            server_folder.write(&format!("q/q-{part}-{ending}"), &bytes);
            let md5: String = Md5::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            files += &format!(
                "\n[[q.files]]\nname = \"{name}-{local}\"\npublished = \"q-{part}-{ending}\"\nbytes_max = 100000\n\
                 md5 = \"{md5}\"\n"
            );
        }
    }
    let sandbox = Sandbox::new();
    sandbox.write(
        "datasets/manifest.toml",
        format!(
            "[q]\ntitle = \"q\"\nclasses = \"0123456789\"\ntrain = 30\ntest = 20\nlabel_column = 0\nmirrors = []\n{files}"
        ),
    );
    let from = server_folder.path("q");
    let arguments = ["download", "q", "--from", from.to_str().expect("UTF-8")];
    let outcome = sandbox.run(arguments).expect_code(0);
    assert_eq!(outcome.stdout.matches("by MD5").count(), 2, "{}", outcome.stdout);
    let (train, test) = LabeledImages::load_folder(sandbox.path("datasets/q")).expect("a set");
    assert_eq!([train, test], digits);
    assert_eq!(sandbox.run(arguments).expect_code(0).stdout.matches("already here").count(), 4);
    // Four files, the lock, and the hashes of what was converted.
    assert_eq!(sandbox.files("datasets/q").len(), 6, "{:?}", sandbox.files("datasets/q"));

    let labels = server_folder.path("q/q-train-labels-idx2-int.gz");
    let mut damaged = fs::read(&labels).expect("a file");
    damaged[30] ^= 1;
    fs::write(&labels, damaged).expect("a file");
    fs::remove_file(sandbox.path("datasets/q/train-labels-idx1-ubyte.gz")).expect("a file");
    sandbox.run(arguments).expect_code(4).expect_error("has MD5");
}
