//! Many at once, and some who behave badly: the others do not notice.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::Fixture;

const N_TABS: usize = 50;
const N_REQUESTS: usize = 10_000;

/// Bytes of memory that this process, server and all, has now.
#[cfg(target_os = "linux")]
pub(crate) fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    line.split_whitespace().next().and_then(|number| number.parse::<u64>().ok()).expect("a number") << 10
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn memory() -> u64 {
    0
}

/// One request on a connection that stays open; the seconds that it took.
pub(crate) fn ask(stream: &mut TcpStream, server: &Fixture, path: &str) -> Duration {
    let started = Instant::now();
    let head = format!("GET /{}/{path} HTTP/1.1\r\nHost: localhost\r\n\r\n", server.token);
    stream.write_all(head.as_bytes()).expect("a request");
    let mut text = Vec::new();
    let mut buffer = [0; 16 << 10];
    loop {
        let n_read = stream.read(&mut buffer).expect("an answer");
        assert!(n_read > 0, "the connection was closed: {}", String::from_utf8_lossy(&text));
        text.extend_from_slice(&buffer[..n_read]);
        let head = String::from_utf8_lossy(&text);
        let Some((head, body)) = head.split_once("\r\n\r\n") else { continue };
        let length = head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            assert!(head.starts_with("HTTP/1.1 200"), "{head}");
            return started.elapsed();
        }
    }
}

pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[test]
fn fifty_tabs_ten_thousand_requests_a_client_that_never_reads_and_garbage_hold_nobody_up() {
    let server = Fixture::new();
    let server = &server;
    let mut calm = server.connect();
    let alone = median((0..300).map(|_| ask(&mut calm, server, "data/models")).collect());
    let before = memory();
    let (is_over, n_answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (is_over, n_answered) = (&is_over, &n_answered);

    let together = thread::scope(|scope| {
        // Tabs that listen.
        let tabs: Vec<TcpStream> = (0..N_TABS)
            .map(|_| {
                let mut stream = server.connect();
                let head = format!("GET /{}/events/watch HTTP/1.1\r\nHost: localhost\r\n\r\n", server.token);
                stream.write_all(head.as_bytes()).expect("a request");
                let mut first = [0; 64];
                assert!(stream.read(&mut first).expect("an answer") > 0);
                assert!(first.starts_with(b"HTTP/1.1 200"));
                stream
            })
            .collect();
        // One that asks for much and reads nothing.
        scope.spawn(move || {
            let mut stream = server.connect();
            let _ = stream.set_write_timeout(Some(Duration::from_millis(200)));
            let head = format!("GET /{}/report.css HTTP/1.1\r\nHost: localhost\r\n\r\n", server.token);
            while !is_over.load(Ordering::SeqCst) {
                if stream.write_all(head.as_bytes()).is_err() {
                    thread::sleep(Duration::from_millis(20));
                }
            }
        });
        // One that sends garbage.
        scope.spawn(move || {
            while !is_over.load(Ordering::SeqCst) {
                let reply = server.send(b"\xff\xfe\xfd GET / nonsense\r\n\r\n\r\n");
                assert!(reply.is_empty() || reply.starts_with("HTTP/1.1 4"), "{reply}");
            }
        });
        // Many that ask.
        let askers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(move || {
                    let mut stream = server.connect();
                    for _ in 0..N_REQUESTS / 4 {
                        ask(&mut stream, server, "screen.js");
                        n_answered.fetch_add(1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        let mut times = Vec::new();
        while askers.iter().any(|asker| !asker.is_finished()) {
            times.push(ask(&mut calm, server, "data/models"));
        }
        is_over.store(true, Ordering::SeqCst);
        drop(tabs);
        median(times)
    });
    assert_eq!(n_answered.load(Ordering::SeqCst), N_REQUESTS);
    // The clients of this test take most of the processor themselves: what a clock can tell here is that nothing waits.
    assert!(together < alone * 20 + Duration::from_millis(50), "{alone:?} alone, {together:?} with all of them");
    let grown = memory().saturating_sub(before);
    assert!(grown < 64 << 20, "{} MiB more than before", grown >> 20);
    assert_eq!(server.get("data/models").status, 200);
}

#[test]
fn connections_beyond_the_bound_are_closed_and_those_within_it_go_on() {
    let server = Fixture::new();
    let mut first = server.connect();
    ask(&mut first, &server, "screen.js");
    let crowd: Vec<TcpStream> = (0..700).map_while(|_| TcpStream::connect(("127.0.0.1", server.port)).ok()).collect();
    thread::sleep(Duration::from_millis(300));
    ask(&mut first, &server, "screen.js");
    drop(crowd);
    let started = Instant::now();
    while server.get("screen.js").status != 200 {
        assert!(started.elapsed() < Duration::from_secs(20), "there is room again");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn streams_beyond_the_bound_are_refused_in_words_and_there_is_room_again_when_pages_are_closed() {
    let server = Fixture::new();
    let listen = || {
        let mut stream = server.connect();
        let head = format!("GET /{}/events/watch HTTP/1.1\r\nHost: localhost\r\n\r\n", server.token);
        stream.write_all(head.as_bytes()).expect("a request");
        let mut first = [0; 12];
        stream.read_exact(&mut first).expect("an answer");
        (stream, String::from_utf8_lossy(&first).into_owned())
    };
    let listening: Vec<(TcpStream, String)> = (0..256).map(|_| listen()).collect();
    assert!(listening.iter().all(|(_, answer)| answer == "HTTP/1.1 200"), "{listening:?}");
    let refused = server.request("GET", "events/watch", &[], b"").expect(503);
    assert!(refused.body.contains("close some"), "{refused:?}");
    // Everything but listening goes on.
    server.get("data/models").expect(200);
    drop(listening);
    let started = Instant::now();
    while listen().1 != "HTTP/1.1 200" {
        assert!(started.elapsed() < Duration::from_secs(60), "there is room again");
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_client_that_reads_nothing_is_given_up_and_nothing_is_kept_for_it() {
    let server = Fixture::new();
    let before = memory();
    let mut stream = server.connect();
    stream.set_write_timeout(Some(Duration::from_millis(500))).expect("a time limit");
    let head = format!("GET /{}/report.css HTTP/1.1\r\nHost: localhost\r\n\r\n", server.token).repeat(100);
    let started = Instant::now();
    loop {
        match stream.write_all(head.as_bytes()) {
            Err(error) if !matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {
                break;
            }
            _ => {}
        }
        server.get("screen.js").expect(200);
        assert!(started.elapsed() < Duration::from_secs(120), "it is given up");
    }
    let grown = memory().saturating_sub(before);
    assert!(grown < 64 << 20, "{} MiB more than before", grown >> 20);
}
