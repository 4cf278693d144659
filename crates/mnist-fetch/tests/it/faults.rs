//! Each fault of a server is told, in time, and leaves nothing.

use std::time::Instant;

use mnist_fetch::ErrorKind;

use crate::fixture::{CONTENT, Fixture, HASTY, expect_error};
use crate::server::{Behaviour, Server};

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

/// Each fault is told with its reason, in time, and leaves nothing.
fn each_fault_is_told_and_leaves_nothing(start: fn(Vec<Behaviour>) -> Server) {
    for some in faults().chunks(8) {
        std::thread::scope(|scope| {
            for (behaviour, reason) in some {
                scope.spawn(move || {
                    let server = start(vec![behaviour.clone()]);
                    let fixture = Fixture::on(&[&server]);
                    let started = Instant::now();
                    let fetcher = fixture.fetcher().network(fixture.trusting(&server)).retry(HASTY);
                    let fetched = fetcher.fetch("small");
                    let seconds = started.elapsed().as_secs_f64();
                    let error = expect_error(fetched, ErrorKind::Source, reason);
                    assert!(error.to_string().contains("no source delivered the 53 bytes"), "{error}");
                    assert_eq!(error.failed_sources().len(), 1, "{error}");
                    fixture.assert_nothing_arrived();
                    let name: String = format!("{behaviour:?}").chars().take(40).collect();
                    println!("{name} ended after {seconds:.1} s, the deadline is 6 s");
                });
            }
        });
    }
}

#[test]
fn each_fault_of_a_server_is_told_with_its_reason_and_leaves_nothing() {
    each_fault_is_told_and_leaves_nothing(Server::new);
}

#[test]
fn each_fault_of_a_server_over_tls_is_told_with_its_reason_and_leaves_nothing() {
    each_fault_is_told_and_leaves_nothing(Server::with_tls);
}
