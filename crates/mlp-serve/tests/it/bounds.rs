//! How much is too much.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::Fixture;

#[test]
fn heads_and_bodies_that_are_too_long_are_refused() {
    let server = Fixture::new();
    let long = format!("X-Long: {}", "x".repeat(64 << 10));
    assert!([431, 400, 0].contains(&server.request("GET", "", &[&long], b"").status));
    let many: Vec<String> = (0..200).map(|number| format!("X-{number}: 1")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert!([431, 400, 0].contains(&server.request("GET", "", &many, b"").status));
    let path = format!("data/table?run={}", "x".repeat(64 << 10));
    assert!([414, 431, 400, 0].contains(&server.get(&path).status));

    let body = vec![b' '; 65 << 10];
    let reply = server.request("POST", "do/start", &["Content-Type: application/json"], &body);
    assert!([413, 0].contains(&reply.status), "{reply:?}");
    // Announced and not sent: it is refused before it comes.
    let head = format!(
        "POST /{}/do/read HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/octet-stream\r\n\
         Content-Length: 99999999999\r\n\r\n",
        server.token
    );
    assert!(server.send(head.as_bytes()).starts_with("HTTP/1.1 413"));
    // In pieces without an announced length.
    let chunked = format!(
        "POST /{}/do/start HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\n",
        server.token
    );
    let mut bytes = chunked.into_bytes();
    for _ in 0..9 {
        bytes.extend_from_slice(b"2000\r\n");
        bytes.extend(std::iter::repeat_n(b' ', 0x2000));
        bytes.extend_from_slice(b"\r\n");
    }
    let reply = server.send(&bytes);
    assert!(reply.starts_with("HTTP/1.1 413") || reply.is_empty(), "{reply}");
    server.get("").expect(200);
}

#[test]
fn garbage_is_answered_with_a_refusal_or_not_at_all_and_never_ends_the_server() {
    let server = Fixture::new();
    let token = &server.token;
    let pieces: [&[u8]; 8] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"\0\0\0\0\0\0\0\0\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    ];
    for piece in pieces {
        let reply = server.send(piece);
        assert!(reply.is_empty() || reply.starts_with("HTTP/1.1 4"), "{piece:?}: {reply}");
    }
    for body in [
        "",
        "[",
        "null",
        "{\"data\":1}",
        "{\"session\":\"x\",\"order\":{\"do\":\"fly\"}}",
        "\u{0}",
        "{\"data\":\"digits\",\"x\":1}",
    ] {
        for command in ["do/start", "do/session"] {
            let reply = server.request("POST", command, &["Content-Type: application/json"], body.as_bytes());
            assert!([400, 404].contains(&reply.status), "{body}: {reply:?}");
        }
    }
    let kind = ["Content-Type: application/octet-stream"];
    for body in [
        &b"no line"[..],
        b"{}\nx",
        b"{\"question\":{\"models\":[]}}\nx",
        b"{\"width\":0,\"question\":{\"models\":[\"here\"]}}\n",
    ] {
        let reply = server.request("POST", "do/read", &kind, body);
        assert!([400, 404].contains(&reply.status), "{reply:?}");
    }
    assert_eq!(server.get(&format!("events/session/{token}")).status, 404);
    server.get("").expect(200);
}

#[test]
fn pictures_are_bounded_as_for_predict() {
    let server = Fixture::new();
    // A PNG of 30,000 × 30,000 pixels in a few bytes: its head says so, and it is not unpacked.
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    png.extend_from_slice(&30_000_u32.to_be_bytes());
    png.extend_from_slice(&30_000_u32.to_be_bytes());
    png.extend_from_slice(&[8, 0, 0, 0, 0, 0, 0, 0, 0]);
    let body = [b"{\"question\":{\"models\":[\"here\"]}}\n".as_slice(), &png].concat();
    let reply = server.request("POST", "do/read", &["Content-Type: application/octet-stream"], &body).expect(400);
    assert!(reply.body.contains("picture"), "{reply:?}");
    let body = [b"{\"width\":2000,\"question\":{\"models\":[\"here\"]}}\n".as_slice(), &vec![255; 2000 * 20]].concat();
    server.request("POST", "do/read", &["Content-Type: application/octet-stream"], &body).expect(400);
}

#[test]
fn a_head_that_never_ends_is_given_up() {
    let server = Fixture::new();
    let started = Instant::now();
    let mut stream = server.connect();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localh").expect("a beginning");
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    let waited = started.elapsed();
    assert!((Duration::from_secs(5)..Duration::from_secs(25)).contains(&waited), "{waited:?}");
    server.get("").expect(200);
}

#[test]
fn a_training_that_needs_more_memory_than_there_is_to_be_is_refused_and_so_is_what_cannot_be() {
    let server = Fixture::new();
    let start = |config: serde_json::Value| server.post("do/start", &json!({ "data": "digits", "config": config }));
    let reply = start(json!({ "hidden": [40_000, 4_000] })).expect(503);
    assert!(reply.json()["error"].as_str().is_some_and(|text| text.contains("MiB")), "{reply:?}");
    for (config, key) in [
        (json!({ "hidden": [0] }), "hidden"),
        (json!({ "learning_rate": -1 }), "learning_rate"),
        (json!({ "learnig_rate": 1 }), "learning_rate"),
        (json!({ "batch_size": 100_000 }), "batch_size"),
        (json!({ "loss": "softmax-cross-entropy" }), "softmax"),
    ] {
        let reply = start(config).expect(400);
        assert!(reply.json()["error"].as_str().is_some_and(|text| text.contains(key)), "{reply:?}");
    }
    let reply = server.post("do/start", &json!({ "data": "/etc" })).expect(400);
    assert!(reply.body.contains("digits"), "{reply:?}");
}
