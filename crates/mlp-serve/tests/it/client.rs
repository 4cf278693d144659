//! A server in this process, and a client that sends what it likes.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mlp_live::mlp_sweep::Dataset;
use mlp_live::{DataSource, Draw, Folders, Playground, PlaygroundOptions, Watch};
use mlp_serve::{Server, Site, Token};
use mnist_io::synthetic_digits;
use serde_json::Value;
use tempfile::TempDir;

/// A server with the digits of a few classes, over a folder of its own.
pub(crate) struct Fixture {
    pub(crate) folder: TempDir,
    pub(crate) port: u16,
    pub(crate) token: String,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

/// What was sent back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

pub(crate) fn digits() -> Arc<DataSource> {
    Arc::new(DataSource::new("digits", || {
        let data = Dataset::images("digits", synthetic_digits(400, 0), synthetic_digits(100, 1));
        data.map(Dataset::synthetic).map_err(|error| error.to_string())
    }))
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let runs = folder.path().join("runs");
        std::fs::create_dir(&runs).expect("a folder");
        let watch = Arc::new(Watch::new(Folders::new([&runs]).expect("a folder")));
        let draw = Draw::new(Arc::clone(&watch), vec![digits()], 1, |_| false);
        let options = PlaygroundOptions { runs: Some(runs), memory: Some(1 << 30), ..PlaygroundOptions::default() };
        let site = Site::new(draw, Playground::new(vec![digits()], options), watch);
        let token = Token::random().expect("random numbers");
        let text = token.as_str().to_owned();
        let server = Server::bind(0, token, site).expect("a port");
        let port = server.port();
        assert_eq!(server.url(), format!("http://127.0.0.1:{port}/{text}/"));
        let stop = Arc::new(AtomicBool::new(false));
        let raised = Arc::clone(&stop);
        let thread = Some(thread::spawn(move || server.run(&raised)));
        Fixture { folder, port, token: text, stop, thread }
    }

    pub(crate) fn runs(&self) -> std::path::PathBuf {
        self.folder.path().join("runs")
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time limit");
        stream
    }

    /// Sends these bytes and reads to the end.
    pub(crate) fn send(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        // A server that refuses may close before it has read everything.
        let _ = stream.write_all(bytes);
        let mut text = Vec::new();
        let _ = stream.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    }

    /// A request with these header lines; `path` is behind the token.
    pub(crate) fn request(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Reply {
        self.request_to(method, &format!("/{}/{path}", self.token), headers, body)
    }

    /// The same to any path; a `Host` is added where there is none.
    pub(crate) fn request_to(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Reply {
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        if !headers.iter().any(|line| line.starts_with("Host:")) {
            head.push_str(&format!("Host: 127.0.0.1:{}\r\n", self.port));
        }
        headers.iter().for_each(|line| head.push_str(&format!("{line}\r\n")));
        Reply::parse(&self.send(&[head.as_bytes(), b"\r\n", body].concat()))
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.request("GET", path, &[], b"")
    }

    pub(crate) fn post(&self, path: &str, value: &Value) -> Reply {
        self.request("POST", path, &["Content-Type: application/json"], value.to_string().as_bytes())
    }

    /// The state of a session, once `is_right` says so of it.
    pub(crate) fn session(&self, id: &str, is_right: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let state = self.get(&format!("data/session?id={id}")).json();
            if is_right(&state) {
                return state;
            }
            assert!(started.elapsed() < Duration::from_secs(120), "{state:#}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let ended = self.thread.take().expect("a thread").join();
        if !thread::panicking() {
            ended.expect("no panic").expect("it served to the end");
        }
    }
}

impl Reply {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        Reply { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Links are what some of the tests are about.
#[cfg(unix)]
pub(crate) fn link(to: &Path, at: &Path) {
    std::os::unix::fs::symlink(to, at).expect("a link");
}
