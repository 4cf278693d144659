//! Certificates, redirects and proxies: who is asked, who is trusted.

use std::ffi::OsString;
use std::fs;

use mnist_fetch::{Error, ErrorKind, FetchedSet, Network};

use crate::fixture::{CONTENT, Fixture, HASTY, expect_error};
use crate::server::{Behaviour, Certificate, Proxy, Server};

fn good() -> Vec<Behaviour> {
    vec![Behaviour::Body(CONTENT.to_vec())]
}

/// A fixture whose set is on this server, and what came of fetching it, trusting the server.
fn fetch(server: &Server) -> (Fixture, Result<FetchedSet, Error>) {
    let fixture = Fixture::on(&[server]);
    let fetched = fixture.fetcher().network(fixture.trusting(server)).retry(HASTY).fetch("small");
    (fixture, fetched)
}

#[test]
fn a_file_arrives_over_tls_from_a_server_that_is_trusted_and_from_no_other() {
    let (fixture, fetched) = fetch(&Server::with_tls(good()));
    fetched.expect("it arrives");
    assert_eq!(fixture.small(), CONTENT);

    for kind in [Certificate::OtherHost, Certificate::Expired] {
        let (fixture, fetched) = fetch(&Server::with_certificate(good(), kind));
        expect_error(fetched, ErrorKind::Source, "certificate");
        fixture.assert_nothing_arrived();
    }

    let fixture = Fixture::on(&[&Server::with_tls(good())]);
    let error = expect_error(fixture.fetcher().retry(HASTY).fetch("small"), ErrorKind::Source, "certificate");
    assert!(error.to_string().contains("SSL_CERT_FILE"), "{error}");
    fixture.assert_nothing_arrived();
}

#[test]
fn a_file_of_certificates_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("nothing.pem");
    let network = || Network::from_variables(|name| (name == "SSL_CERT_FILE").then(|| path.clone().into_os_string()));
    let error = expect_error(network(), ErrorKind::Io, "nothing.pem");
    assert_eq!(error.io_error().map(std::io::Error::kind), Some(std::io::ErrorKind::NotFound));
    fs::write(&path, "no certificates").expect("a file");
    let error = expect_error(network(), ErrorKind::Data, "nothing.pem: expected certificates in PEM form");
    assert_eq!(error.path(), Some(path.as_path()));
}

#[test]
fn a_redirect_to_the_file_is_followed() {
    let server = Server::new(good());
    let (fixture, fetched) = fetch(&Server::new(vec![Behaviour::Redirect(format!("{}file.gz", server.address))]));
    fetched.expect("it arrives");
    fixture.assert_arrived();
}

#[test]
fn a_redirect_from_https_to_http_is_not_followed() {
    let plain = Server::new(good());
    let protected = Server::with_tls(vec![Behaviour::Redirect(format!("{}file.gz", plain.address))]);
    let (fixture, fetched) = fetch(&protected);
    expect_error(fetched, ErrorKind::Source, "redirects from https to the unprotected");
    assert_eq!(plain.n_requests(), 0);
    assert_eq!(fixture.names("datasets/small"), [".lock"]);
}

/// Fetches from `server` with the variables of someone behind a proxy.
fn fetch_with(variables: &[(&str, &str)], server: &Server) -> Result<FetchedSet, Error> {
    let fixture = Fixture::on(&[server]);
    let authority = fixture.write("authority.pem", &server.certificate);
    let network = Network::from_variables(|name| match variables.iter().find(|(known, _)| *known == name) {
        Some((_, value)) => Some(OsString::from(value)),
        None if name == "SSL_CERT_FILE" && !server.certificate.is_empty() => Some(authority.clone().into_os_string()),
        None => None,
    });
    fixture.fetcher().network(network.expect("a network")).retry(HASTY).fetch("small")
}

#[test]
fn the_proxy_is_asked_for_its_kind_of_address_and_not_for_hosts_without_one() {
    let (plain, protected) = (Server::new(good()), Server::with_tls(good()));
    let nowhere = "http://127.0.0.1:1";
    for (server, own, other, host) in
        [(&plain, "http_proxy", "https_proxy", "127.0.0.1"), (&protected, "HTTPS_PROXY", "HTTP_PROXY", "localhost")]
    {
        let proxy = Proxy::new();
        fetch_with(&[(own, proxy.address.as_str()), (other, nowhere)], server).expect("it arrives");
        assert_eq!(proxy.requests().len(), 1);
        assert!(proxy.requests()[0].starts_with(&format!("CONNECT {host}:")), "{:?}", proxy.requests());

        let proxy = Proxy::new();
        fetch_with(&[("all_proxy", proxy.address.as_str())], server).expect("it arrives");
        assert_eq!(proxy.requests().len(), 1);

        fetch_with(&[(own, nowhere), ("no_proxy", host)], server).expect("it arrives");
        expect_error(fetch_with(&[(own, nowhere)], server), ErrorKind::Source, "file.gz");
        expect_error(fetch_with(&[(own, "::")], server), ErrorKind::Source, "holds no address of a proxy");
    }
}
