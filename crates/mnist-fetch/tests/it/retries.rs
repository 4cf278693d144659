//! Which source is asked, how often, and after how long.

use std::time::{Duration, Instant};

use mnist_fetch::{ErrorKind, RetryPolicy};

use crate::fixture::{CONTENT, Fixture, HASTY, expect_error};
use crate::server::{Behaviour, Server};

fn good() -> Server {
    Server::new(vec![Behaviour::Body(CONTENT.to_vec())])
}

#[test]
fn the_second_mirror_is_asked_when_the_first_is_bad() {
    let bad = Server::new(vec![Behaviour::Status("404 Not Found")]);
    let fixture = Fixture::on(&[&bad, &good()]);
    fixture.fetcher().retry(HASTY).fetch("small").expect("it arrives");
    fixture.assert_arrived();
}

#[test]
fn the_reason_of_every_mirror_is_told() {
    let gone = Server::new(vec![Behaviour::Status("404 Not Found")]);
    let other = Server::new(vec![Behaviour::Body(vec![0; CONTENT.len()])]);
    let fixture = Fixture::on(&[&gone, &other]);
    let error = expect_error(fixture.fetcher().retry(HASTY).fetch("small"), ErrorKind::Source, "404 Not Found");
    let [first, second] = error.failed_sources() else { panic!("{error}") };
    assert_eq!(first.place, format!("{}file.gz", gone.address));
    assert_eq!(first.reason, "the server answered 404 Not Found");
    assert!(second.reason.starts_with("delivers other content: SHA-256"), "{}", second.reason);
    let text = error.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert_eq!(lines[2], format!("  {}: {}", second.place, second.reason));
    assert_eq!(lines[3], "check the network, or take the file from elsewhere");
}

#[test]
fn a_server_that_recovers_is_asked_again() {
    let server = Server::new(vec![
        Behaviour::Status("503 Service Unavailable"),
        Behaviour::Close,
        Behaviour::Body(CONTENT.to_vec()),
    ]);
    let fixture = Fixture::on(&[&server]);
    fixture
        .fetcher()
        .retry(RetryPolicy { n_attempts: 3, ..RetryPolicy::default() })
        .fetch("small")
        .expect("it arrives");
    assert_eq!(server.n_requests(), 3);
    fixture.assert_arrived();
}

#[test]
fn what_will_not_change_is_not_asked_again() {
    let server = Server::new(vec![Behaviour::Status("404 Not Found")]);
    expect_error(Fixture::on(&[&server]).fetcher().fetch("small"), ErrorKind::Source, "404 Not Found");
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
    let (fixture, started) = (Fixture::on(&[&server]), Instant::now());
    fixture.fetcher().fetch("small").expect("it arrives");
    assert!(started.elapsed() >= Duration::from_secs(2), "{:?}", started.elapsed());

    let busy = Server::new(vec![busy_for(3600)]);
    let error =
        expect_error(Fixture::on(&[&busy]).fetcher().fetch("small"), ErrorKind::Source, "429 Too Many Requests");
    assert!(error.to_string().contains("asks for a pause of 3600 s"), "{error}");
    assert_eq!(busy.n_requests(), 1);
    Fixture::on(&[&busy, &good()]).fetcher().fetch("small").expect("it arrives");
}

#[test]
fn a_pause_beyond_the_deadline_is_not_waited_for() {
    let fixture = Fixture::on(&[&Server::new(vec![busy_for(9)])]);
    let policy = RetryPolicy { deadline: Some(Duration::from_secs(5)), ..RetryPolicy::default() };
    let error =
        expect_error(fixture.fetcher().retry(policy).fetch("small"), ErrorKind::Source, "429 Too Many Requests");
    assert!(error.to_string().contains("leaves no time for another"), "{error}");
}

#[test]
fn pauses_between_attempts_grow() {
    let server = Server::new(vec![Behaviour::Status("503 Service Unavailable")]);
    let (fixture, started) = (Fixture::on(&[&server]), Instant::now());
    expect_error(fixture.fetcher().fetch("small"), ErrorKind::Source, "503 Service Unavailable (4 attempts)");
    assert_eq!(server.n_requests(), 4);
    assert!(started.elapsed() >= Duration::from_millis(500 + 1000 + 2000), "{:?}", started.elapsed());
}

#[test]
fn a_host_that_does_not_exist_is_told_with_a_question_about_the_network() {
    let fixture = Fixture::new(&["http://no-such-host.invalid/"]);
    let policy = RetryPolicy { deadline: Some(Duration::from_secs(20)), ..HASTY };
    let error = expect_error(fixture.fetcher().retry(policy).fetch("small"), ErrorKind::Source, "no-such-host.invalid");
    assert!(error.to_string().contains("no such host (is there a network?)"), "{error}");
}
