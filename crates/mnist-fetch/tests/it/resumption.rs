//! What broke off is continued where the server can, and begun anew where it cannot.

use std::fs;
use std::sync::Arc;

use mnist_fetch::ErrorKind;

use crate::fixture::{CONTENT, Fixture, HASTY, expect_error};
use crate::server::{Behaviour, Parts, ServedFile, Server};

/// A server whose first answer breaks off in the middle, and whose later ones are as told.
fn server_that_breaks_off(version: &'static str, parts: Parts) -> Server {
    let broken = ServedFile { breaks_after: Some(20), version, parts, ..ServedFile::new(CONTENT) };
    let good = ServedFile { breaks_after: None, ..broken.clone() };
    Server::new(vec![Behaviour::File(Arc::new(broken)), Behaviour::File(Arc::new(good))])
}

#[test]
fn what_broke_off_is_continued_where_the_server_can() {
    for version in ["ETag: \"1\"", "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT"] {
        let server = server_that_breaks_off(version, Parts::Served);
        let fixture = Fixture::on(&[&server]);
        fixture.fetcher().fetch("small").expect("it arrives");
        assert_eq!((server.n_requests(), server.n_sent()), (2, CONTENT.len()));
        let second = server.requests()[1].to_ascii_lowercase();
        let value = version.split_once(": ").expect("a header").1.to_ascii_lowercase();
        assert!(second.contains("range: bytes=20-\r\n"), "{second}");
        assert!(second.contains(&format!("if-range: {value}\r\n")), "{second}");
        fixture.assert_arrived();
    }
}

#[test]
fn what_broke_off_is_begun_anew_where_the_server_cannot_continue() {
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
        let fixture = Fixture::on(&[&server]);
        fixture.fetcher().fetch("small").unwrap_or_else(|error| panic!("{version} {parts:?}: {error}"));
        assert_eq!(server.n_requests(), n_requests, "{version} {parts:?}");
        assert!(server.n_sent() >= n_sent, "{version} {parts:?}: {} bytes", server.n_sent());
        fixture.assert_arrived();
    }
}

#[test]
fn a_file_that_changed_since_it_was_begun_is_begun_anew() {
    let broken = ServedFile { breaks_after: Some(20), version: "ETag: \"old\"", ..ServedFile::new(&[7; 53]) };
    let server =
        Server::new(vec![Behaviour::File(Arc::new(broken)), Behaviour::File(Arc::new(ServedFile::new(CONTENT)))]);
    let fixture = Fixture::on(&[&server]);
    fixture.fetcher().fetch("small").expect("it arrives");
    assert_eq!(server.n_requests(), 2);
    fixture.assert_arrived();
}

#[test]
fn a_later_fetch_continues_where_the_last_one_gave_up() {
    let broken = ServedFile { breaks_after: Some(20), ..ServedFile::new(CONTENT) };
    let server =
        Server::new(vec![Behaviour::File(Arc::new(broken)), Behaviour::File(Arc::new(ServedFile::new(CONTENT)))]);
    let fixture = Fixture::on(&[&server]);
    expect_error(fixture.fetcher().retry(HASTY).fetch("small"), ErrorKind::Source, "file.gz");
    assert!(!fixture.path("datasets/small/file.gz").exists());
    fixture.fetcher().retry(HASTY).fetch("small").expect("it arrives");
    assert_eq!(server.n_sent(), CONTENT.len());
    fixture.assert_arrived();
}

#[test]
fn a_file_that_had_arrived_when_its_process_was_killed_is_verified_and_not_fetched_again() {
    let server = Server::new(vec![Behaviour::File(Arc::new(ServedFile::new(CONTENT)))]);
    let (fixture, address) = (Fixture::on(&[&server]), &server.address);
    fs::create_dir(fixture.path("datasets/small")).expect("a folder");
    let note = format!("{{\"address\": \"{address}file.gz\", \"validator\": \"1\"}}");
    for (bytes, n_requests) in [(CONTENT.to_vec(), 0), (vec![7; CONTENT.len()], 1)] {
        fixture.write("datasets/small/.file.gz.partial", bytes);
        fixture.write("datasets/small/.file.gz.partial-from", &note);
        fixture.fetcher().fetch("small").expect("it arrives");
        assert_eq!(server.n_requests(), n_requests);
        fixture.assert_arrived();
        fs::remove_file(fixture.path("datasets/small/file.gz")).expect("the file");
    }
}

#[test]
fn what_one_server_began_is_not_continued_at_another() {
    let broken = ServedFile { breaks_after: Some(20), ..ServedFile::new(&[7; 53]) };
    let (first, second) = (
        Server::new(vec![Behaviour::File(Arc::new(broken))]),
        Server::new(vec![Behaviour::File(Arc::new(ServedFile::new(CONTENT)))]),
    );
    let fixture = Fixture::on(&[&first, &second]);
    fixture.fetcher().retry(HASTY).fetch("small").expect("it arrives");
    assert!(!second.requests()[0].to_ascii_lowercase().contains("range:"));
    fixture.assert_arrived();
}
