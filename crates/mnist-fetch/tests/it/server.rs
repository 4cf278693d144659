//! A server on the loopback that misbehaves as told, over plain TCP or over TLS with a certificate made for the test.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Behaviour {
    /// Sends these bytes as they are, and closes.
    Raw(Vec<u8>),
    /// A status without a body.
    Status(&'static str),
    /// 200 with this body and its length.
    Body(Vec<u8>),
    /// 200 with a length and a body that may differ.
    Announced(usize, Vec<u8>),
    /// 302 to this address.
    Redirect(String),
    /// 302 to itself.
    Loop,
    /// 200 and chunks without end.
    EndlessChunks,
    /// Takes the request and never answers.
    Silence,
    /// A byte of the headers from time to time.
    SlowHeaders,
    /// Headers without end.
    EndlessHeaders,
    /// The headers, some bytes of the body, and then nothing more.
    Stall(usize, Vec<u8>),
    /// A byte of the body from time to time.
    Trickle(usize),
    /// Closes at once, so that the client sees an end.
    Close,
    /// Breaks the connection off with a reset after some bytes of the body.
    Reset(usize, Vec<u8>),
    /// Like a good server: the file, or the part of it that is asked for, in pieces with pauses between.
    File(Arc<ServedFile>),
}

/// A file that a good server has, and what is wrong with that server all the same.
#[derive(Clone, Debug)]
pub(crate) struct ServedFile {
    pub(crate) content: Vec<u8>,
    /// The header that names its version, such as `ETag: "1"`; empty for none.
    pub(crate) version: &'static str,
    /// Bytes between two pauses, and the pause.
    pub(crate) pace: (usize, Duration),
    /// Breaks off after so many bytes of a body.
    pub(crate) breaks_after: Option<usize>,
    /// How it answers a request for a part.
    pub(crate) parts: Parts,
}

/// How a server answers a request for a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parts {
    /// 206 with the part.
    Served,
    /// 200 with all of it.
    Ignored,
    /// 416.
    Refused,
    /// 206 with the part that begins one byte later.
    Shifted,
    /// 206 with a part of the right length and other bytes.
    Wrong,
    /// 206 of another version.
    OtherVersion,
    /// 206 with a part and no word about which.
    Unsaid,
}

impl ServedFile {
    /// Served without a fault and without a pause.
    pub(crate) fn new(content: &[u8]) -> Self {
        ServedFile {
            content: content.to_vec(),
            version: "ETag: \"1\"",
            pace: (1 << 16, Duration::ZERO),
            breaks_after: None,
            parts: Parts::Served,
        }
    }
}

/// Runs until the test process ends.
pub(crate) struct Server {
    /// The address of a folder, ending in a slash.
    pub(crate) address: String,
    /// The certificate to trust, if it speaks TLS.
    pub(crate) certificate: String,
    n_requests: Arc<AtomicUsize>,
    n_sent: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
}

/// Whom a certificate is for, and whether it is still good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certificate {
    Good,
    OtherHost,
    Expired,
}

impl Server {
    /// Answers the first request by the first behaviour and so on; the last one stays.
    pub(crate) fn new(behaviours: Vec<Behaviour>) -> Self {
        Server::start(behaviours, None)
    }

    /// The same over TLS.
    pub(crate) fn with_tls(behaviours: Vec<Behaviour>) -> Self {
        Server::with_certificate(behaviours, Certificate::Good)
    }

    /// The same over TLS, with a certificate of this kind.
    pub(crate) fn with_certificate(behaviours: Vec<Behaviour>, kind: Certificate) -> Self {
        let host = if kind == Certificate::OtherHost { "elsewhere.example" } else { "localhost" };
        let mut parameters = CertificateParams::new(vec![host.to_owned()]).expect("a name");
        if kind == Certificate::Expired {
            parameters.not_before = rcgen::date_time_ymd(2001, 1, 1);
            parameters.not_after = rcgen::date_time_ymd(2002, 1, 1);
        }
        let key = KeyPair::generate().expect("a key");
        let certificate = parameters.self_signed(&key).expect("a certificate");
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .expect("a certificate with its key");
        let mut server = Server::start(behaviours, Some(Arc::new(config)));
        server.certificate = certificate.pem();
        server
    }

    fn start(behaviours: Vec<Behaviour>, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on the loopback");
        let port = listener.local_addr().expect("an address").port();
        let address = match tls {
            Some(_) => format!("https://localhost:{port}/folder/"),
            None => format!("http://127.0.0.1:{port}/folder/"),
        };
        let (n_requests, n_sent) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let server = Server {
            address: address.clone(),
            certificate: String::new(),
            n_requests: Arc::clone(&n_requests),
            n_sent: Arc::clone(&n_sent),
            requests: Arc::clone(&requests),
        };
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let index = n_requests.fetch_add(1, Ordering::SeqCst).min(behaviours.len() - 1);
                let exchange = Exchange {
                    behaviour: behaviours[index].clone(),
                    own_address: address.clone(),
                    n_sent: Arc::clone(&n_sent),
                    requests: Arc::clone(&requests),
                };
                let tls = tls.clone();
                thread::spawn(move || {
                    // A client that hangs up is no trouble of the server.
                    let _ = exchange.serve(stream, tls);
                });
            }
        });
        server
    }

    /// How many connections were made.
    pub(crate) fn n_requests(&self) -> usize {
        self.n_requests.load(Ordering::SeqCst)
    }

    /// How many bytes of files have been sent.
    pub(crate) fn n_sent(&self) -> usize {
        self.n_sent.load(Ordering::SeqCst)
    }

    /// The requests so far, with their headers.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no thread of the server panics").clone()
    }
}

/// One connection.
struct Exchange {
    behaviour: Behaviour,
    own_address: String,
    n_sent: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Exchange {
    fn serve(&self, stream: TcpStream, tls: Option<Arc<ServerConfig>>) -> io::Result<()> {
        if matches!(self.behaviour, Behaviour::Close) {
            return Ok(());
        }
        // What is sent after a pause must not wait for more.
        stream.set_nodelay(true)?;
        match tls {
            None => {
                let mut stream = stream;
                self.answer(&mut stream)
            }
            Some(config) => {
                let connection = ServerConnection::new(config).map_err(io::Error::other)?;
                let mut encrypted = StreamOwned::new(connection, stream);
                self.answer(&mut encrypted)?;
                if !matches!(self.behaviour, Behaviour::Reset(..)) {
                    encrypted.conn.send_close_notify();
                }
                encrypted.flush()
            }
        }
    }

    fn answer(&self, stream: &mut (impl Read + Write)) -> io::Result<()> {
        if let Behaviour::Reset(length, body) = &self.behaviour {
            // A socket that is closed with input unread answers with a reset. TLS has read its input, and there the
            // connection ends without a word of farewell.
            stream.read_exact(&mut [0])?;
            send(stream, *length, body)?;
            thread::sleep(Duration::from_millis(100));
            return Ok(());
        }
        let request = read_request(stream)?;
        self.requests.lock().expect("no thread of the server panics").push(request.clone());
        match &self.behaviour {
            Behaviour::Raw(bytes) => stream.write_all(bytes)?,
            Behaviour::Status(status) => {
                write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
            }
            Behaviour::Body(body) => send(stream, body.len(), body)?,
            Behaviour::Announced(length, body) => send(stream, *length, body)?,
            Behaviour::Redirect(to) => redirect(stream, to)?,
            Behaviour::Loop => redirect(stream, &self.own_address)?,
            Behaviour::EndlessChunks => {
                write!(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
                loop {
                    write!(stream, "400\r\n{}\r\n", "x".repeat(0x400))?;
                }
            }
            Behaviour::EndlessHeaders => {
                write!(stream, "HTTP/1.1 200 OK\r\n")?;
                loop {
                    write!(stream, "X-More: {}\r\n", "x".repeat(0x400))?;
                }
            }
            Behaviour::Silence => thread::sleep(Duration::from_secs(60)),
            Behaviour::Stall(length, body) => {
                send(stream, *length, body)?;
                thread::sleep(Duration::from_secs(60));
            }
            Behaviour::SlowHeaders => {
                for byte in b"HTTP/1.1 200 OK\r\nX-Slow: ".iter().chain(std::iter::repeat(&b'x')) {
                    stream.write_all(&[*byte])?;
                    stream.flush()?;
                    thread::sleep(Duration::from_millis(100));
                }
            }
            Behaviour::Trickle(length) => {
                send(stream, *length, b"")?;
                loop {
                    stream.write_all(b"x")?;
                    stream.flush()?;
                    thread::sleep(Duration::from_millis(200));
                }
            }
            Behaviour::Reset(..) | Behaviour::Close => {}
            Behaviour::File(file) => self.send_file(stream, file, &request)?,
        }
        stream.flush()
    }

    fn send_file(&self, stream: &mut impl Write, file: &ServedFile, request: &str) -> io::Result<()> {
        let content = &file.content;
        let asked = request.lines().find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("range: bytes=")?.strip_suffix('-')?.parse::<usize>().ok()
        });
        let condition = request
            .lines()
            .find_map(|line| line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("if-range")));
        let is_same = condition.is_none_or(|(_, value)| file.version.ends_with(value));
        let version = if file.version.is_empty() { String::new() } else { format!("{}\r\n", file.version) };
        let part = asked.filter(|start| is_same && *start < content.len() && file.parts != Parts::Ignored);
        let Some(start) = part else {
            write!(
                stream,
                "HTTP/1.1 200 OK\r\n{version}Content-Length: {}\r\nConnection: close\r\n\r\n",
                content.len()
            )?;
            return self.send_paced(stream, file, content);
        };
        let wrong: Vec<u8> = content.iter().map(|byte| byte ^ 1).collect();
        let (from, version, body) = match file.parts {
            Parts::Refused => {
                let total = content.len();
                return write!(
                    stream,
                    "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */{total}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                );
            }
            Parts::Shifted => (start + 1, version, &content[start + 1..]),
            Parts::Wrong => (start, version, &wrong[start..]),
            Parts::OtherVersion => (start, "ETag: \"other\"\r\n".to_owned(), &content[start..]),
            _ => (start, version, &content[start..]),
        };
        let range = match file.parts {
            Parts::Unsaid => String::new(),
            _ => format!("Content-Range: bytes {from}-{}/{}\r\n", content.len() - 1, content.len()),
        };
        let length = body.len();
        write!(
            stream,
            "HTTP/1.1 206 Partial Content\r\n{version}{range}Content-Length: {length}\r\nConnection: close\r\n\r\n"
        )?;
        self.send_paced(stream, file, body)
    }

    fn send_paced(&self, stream: &mut impl Write, file: &ServedFile, body: &[u8]) -> io::Result<()> {
        let (piece, pause) = file.pace;
        let body = &body[..file.breaks_after.unwrap_or(body.len()).min(body.len())];
        for bytes in body.chunks(piece) {
            stream.write_all(bytes)?;
            stream.flush()?;
            self.n_sent.fetch_add(bytes.len(), Ordering::SeqCst);
            thread::sleep(pause);
        }
        Ok(())
    }
}

/// A proxy that passes on what it is asked to connect to.
pub(crate) struct Proxy {
    /// Its address, without a path.
    pub(crate) address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on the loopback");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let seen = Arc::clone(&seen);
                thread::spawn(move || {
                    let _ = pass_on(stream, &seen);
                });
            }
        });
        Proxy { address, requests }
    }

    /// What it was asked to connect to.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no thread of the proxy panics").clone()
    }
}

fn pass_on(mut client: TcpStream, seen: &Mutex<Vec<String>>) -> io::Result<()> {
    let request = read_request(&mut client)?;
    seen.lock().expect("no thread of the proxy panics").push(request.clone());
    let target = request.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    // Whatever name the target has, only the loopback is reached.
    let port = target.rsplit(':').next().unwrap_or_default();
    let mut server = TcpStream::connect(format!("127.0.0.1:{port}"))?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || io::copy(&mut from_client, &mut to_server));
    io::copy(&mut server, &mut client)?;
    client.shutdown(std::net::Shutdown::Both)
}

fn send(stream: &mut impl Write, length: usize, body: &[u8]) -> io::Result<()> {
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
    stream.write_all(body)?;
    stream.flush()
}

fn redirect(stream: &mut impl Write, to: &str) -> io::Result<()> {
    write!(stream, "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

fn read_request(stream: &mut impl Read) -> io::Result<String> {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte)? == 1 {
        request.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&request).into_owned())
}
