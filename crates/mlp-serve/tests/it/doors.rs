//! Who is not let in.

use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use serde_json::json;

use crate::client::Fixture;

#[test]
fn without_the_token_nothing_is_answered() {
    let server = Fixture::new();
    let wrong = "0".repeat(server.token.len());
    let cut = &server.token[..server.token.len() - 1];
    for path in ["/", "/draw", "/data/models", "/favicon.ico", &format!("/{wrong}/"), &format!("/{cut}/"), "//", "/../"]
    {
        let reply = server.request_to("GET", path, &[], b"").expect(403);
        assert!(reply.json()["error"].as_str().is_some_and(|text| text.contains("token")), "{path}");
        assert!(!reply.body.contains(&server.token) && !reply.head.contains(&server.token), "{path}");
    }
    server.get("").expect(200);
}

#[test]
fn a_host_that_is_another_machines_is_refused_even_with_the_token() {
    let server = Fixture::new();
    for host in ["Host: example.org", "Host: 127.0.0.1.example.org", "Host: 10.0.0.1:80", "Host: ", "Host: localhost:x"]
    {
        server.request("GET", "", &[host], b"").expect(421);
    }
    server.request("GET", "", &["Host: localhost", "Host: example.org"], b"").expect(421);
    // A tunnel has another port, and its own name for this machine.
    for host in ["Host: localhost:9999", "Host: 127.0.0.1", "Host: [::1]:80"] {
        server.request("GET", "", &[host], b"").expect(200);
    }
}

#[test]
fn a_page_of_another_origin_is_refused_even_with_the_token() {
    let server = Fixture::new();
    let own = format!("Origin: http://127.0.0.1:{}", server.port);
    for origin in
        ["Origin: https://example.org", "Origin: null", "Origin: http://127.0.0.1:1", "Origin: http://localhost"]
    {
        for (method, path) in [("GET", "data/models"), ("POST", "do/train-quickly"), ("GET", "events/watch")] {
            server.request(method, path, &[origin, "Content-Type: application/json"], b"{}").expect(403);
        }
    }
    server.request("GET", "data/models", &[&own], b"").expect(200);
    server.request("GET", "data/models", &[&own, "Origin: https://example.org"], b"").expect(403);
    for site in ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site"] {
        server.request("GET", "", &[site], b"").expect(403);
    }
    for site in ["Sec-Fetch-Site: none", "Sec-Fetch-Site: same-origin"] {
        server.request("GET", "", &[site], b"").expect(200);
    }
}

#[test]
fn nothing_is_shared_with_other_origins_and_the_page_runs_its_own_scripts_only() {
    let server = Fixture::new();
    for path in ["", "draw", "playground", "watch", "screen.js", "report.css", "data/models", "nowhere"] {
        let head = server.get(path).head;
        assert!(!head.contains("access-control"), "{path}: {head}");
        for line in [
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "cache-control: no-store",
            "cross-origin-resource-policy: same-origin",
        ] {
            assert!(head.contains(line), "{path}: {line}: {head}");
        }
        let policy = head.lines().find_map(|line| line.strip_prefix("content-security-policy: ")).expect("a policy");
        for part in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
    }
    // Being asked first, as browsers do for what a page of another site may not send, is answered by a refusal.
    let ask = ["Origin: https://example.org", "Access-Control-Request-Method: POST"];
    server.request("OPTIONS", "do/start", &ask, b"").expect(405);
}

#[test]
fn what_a_form_of_another_site_could_send_is_no_command() {
    let server = Fixture::new();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let kind = format!("Content-Type: {kind}");
        server.request("POST", "do/train-quickly", &[&kind], b"{}").expect(415);
        server.request("POST", "do/read", &[&kind], b"{}").expect(415);
    }
    server.request("POST", "do/start", &[], b"{}").expect(415);
    for method in ["PUT", "DELETE", "PATCH", "HEAD", "TRACE", "CONNECT"] {
        let reply = server.request(method, "data/models", &[], b"");
        assert!(reply.status == 405 || reply.status == 400, "{method}: {reply:?}");
    }
}

#[test]
fn the_pages_hold_no_script_or_style_in_themselves_and_nothing_from_elsewhere() {
    let server = Fixture::new();
    for path in ["draw", "playground", "watch"] {
        let page = server.get(path).expect(200).body;
        for part in [" style=", " onclick=", "<style", "//cdn", "https://", "http://"] {
            assert!(!page.contains(part), "{path}: {part}");
        }
        let files = page.split("src=\"").skip(1).chain(page.split("href=\"").skip(1));
        let files = files.map(|rest| rest.split('"').next().expect("a name")).filter(|name| name.ends_with("s"));
        for file in files.filter(|name| name.contains('.')) {
            server.get(file).expect(200);
        }
        assert!(page.contains("<script ") && !page.contains("<script>"), "{path}");
    }
}

#[test]
fn it_is_bound_to_this_machine_alone() {
    let server = Fixture::new();
    // The address by which others reach this machine, where there is one; nothing is sent.
    let outward = UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
        socket.connect("192.0.2.1:9")?;
        Ok(socket.local_addr()?.ip())
    });
    let Ok(outward) = outward else { return };
    if outward.is_loopback() || matches!(outward, IpAddr::V4(address) if address.is_unspecified()) {
        return;
    }
    let address = SocketAddr::new(outward, server.port);
    assert!(TcpStream::connect_timeout(&address, Duration::from_secs(2)).is_err(), "{address} answers");
}

#[cfg(unix)]
#[test]
fn no_path_and_no_link_leads_out_of_the_folders_that_were_named() {
    use crate::client::link;
    let server = Fixture::new();
    let outside = server.folder.path().join("outside");
    std::fs::create_dir_all(outside.join("trials")).expect("folders");
    std::fs::write(outside.join("secret.txt"), "a secret").expect("a file");
    // A folder of results outside, linked to from inside; and a run inside whose records are links to the outside.
    link(&outside, &server.runs().join("linked"));
    let inside = server.runs().join("inside");
    std::fs::create_dir_all(inside.join("trials")).expect("folders");
    link(&outside.join("secret.txt"), &inside.join("trials/abc.json"));
    link(&outside.join("secret.txt"), &inside.join("spec.toml"));
    link(&outside, &inside.join("models"));
    let started = std::time::Instant::now();
    while server.get("data/models").json()["folders"] != json!(1) {
        assert!(started.elapsed().as_secs() < 30, "{:?}", server.get("data/models"));
        std::thread::sleep(Duration::from_millis(50));
    }
    server.get("data/table?run=runs%2Flinked&since=0").expect(404);
    let table = server.get("data/table?run=runs%2Finside&since=0").expect(200);
    assert_eq!(table.json()["rows"], json!([]), "{table:?}");
    assert!(!table.body.contains("secret"));
    for run in ["..", "%2e%2e%2foutside", "/etc", "runs/../outside", "runs%2finside%2f..%2f..%2foutside"] {
        for path in ["data/table", "data/report"] {
            server.get(&format!("{path}?run={run}")).expect(404);
        }
    }
    for path in ["../secret.txt", "%2e%2e/secret.txt", "draw/../../secret.txt", "/etc/passwd"] {
        let reply = server.get(path);
        assert!([403, 404].contains(&reply.status) && !reply.body.contains("secret"), "{path}: {reply:?}");
    }
}
