//! What an observer is told, in which order.

use std::sync::Arc;

use mnist_fetch::{FetchEvent, RetryPolicy};

use crate::fixture::{CONTENT, Fixture};
use crate::server::{Behaviour, ServedFile, Server};

#[test]
fn a_fetch_that_breaks_off_once_is_told_step_by_step() {
    let broken = ServedFile { breaks_after: Some(20), ..ServedFile::new(CONTENT) };
    let server =
        Server::new(vec![Behaviour::File(Arc::new(broken)), Behaviour::File(Arc::new(ServedFile::new(CONTENT)))]);
    let fixture = Fixture::on(&[&server]);
    let mut told = Vec::new();
    let fetched = fixture.fetcher().fetch_with("small", |event| {
        told.push(match event {
            FetchEvent::Started { file, n_total } => format!("started {file} {n_total}"),
            FetchEvent::Trying { place, attempt, .. } => {
                format!("trying {} {attempt}", place == format!("{}file.gz", server.address))
            }
            FetchEvent::Received { n_received, n_total, .. } => format!("received {n_received} of {n_total}"),
            FetchEvent::AttemptFailed { pause, .. } => format!("failed, {pause:?}"),
            FetchEvent::Arrived { file } => format!("arrived {file}"),
            FetchEvent::Ready(file) => format!("ready {} {}", file.n_bytes, file.verified_by),
            other => panic!("{other:?}"),
        });
    });
    fetched.expect("it arrives");
    assert_eq!(
        told,
        [
            "started file.gz 53",
            "trying true 1",
            "received 20 of 53",
            "failed, Some(500ms)",
            "trying true 2",
            "received 53 of 53",
            "arrived file.gz",
            "ready 53 SHA-256",
        ]
    );

    told.clear();
    fixture.fetcher().fetch_with("small", |event| told.push(format!("{event:?}"))).expect("it is here");
    assert!(told.len() == 1 && told[0].starts_with("Ready("), "{told:?}");
}

#[test]
fn the_last_attempt_at_a_source_is_told_without_a_pause() {
    let server = Server::new(vec![Behaviour::Status("503 Service Unavailable")]);
    let fixture = Fixture::on(&[&server, &server]);
    let mut pauses = Vec::new();
    let policy = RetryPolicy { n_attempts: 2, ..RetryPolicy::default() };
    let fetched = fixture.fetcher().retry(policy).fetch_with("small", |event| {
        if let FetchEvent::AttemptFailed { pause, .. } = event {
            pauses.push(pause.is_some());
        }
    });
    assert!(fetched.is_err());
    assert_eq!(pauses, [true, false, true, false]);
}
