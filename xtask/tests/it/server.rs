//! A server on the loopback that misbehaves as told.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

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
    /// The headers, some bytes of the body, and then nothing more.
    Stall(usize, Vec<u8>),
    /// A byte of the body from time to time.
    Trickle(usize),
    /// Closes at once, so that the client sees a reset or an end.
    Close,
}

/// Runs until the test process ends.
pub(crate) struct Server {
    /// The address of a folder, ending in a slash.
    pub(crate) address: String,
    n_requests: Arc<AtomicUsize>,
}

impl Server {
    /// Answers the first request by the first behaviour and so on; the last one stays.
    pub(crate) fn new(behaviours: Vec<Behaviour>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on the loopback");
        let address = format!("http://{}/folder/", listener.local_addr().expect("an address"));
        let n_requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&n_requests);
        let own_address = address.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let index = counter.fetch_add(1, Ordering::SeqCst).min(behaviours.len() - 1);
                let (behaviour, own_address) = (behaviours[index].clone(), own_address.clone());
                thread::spawn(move || {
                    // A client that hangs up is no trouble of the server.
                    let _ = answer(stream, behaviour, &own_address);
                });
            }
        });
        Server { address, n_requests }
    }

    /// How many connections were made.
    pub(crate) fn n_requests(&self) -> usize {
        self.n_requests.load(Ordering::SeqCst)
    }
}

fn answer(mut stream: TcpStream, behaviour: Behaviour, own_address: &str) -> std::io::Result<()> {
    if matches!(behaviour, Behaviour::Close) {
        return Ok(());
    }
    read_request(&mut stream)?;
    match behaviour {
        Behaviour::Raw(bytes) => stream.write_all(&bytes),
        Behaviour::Status(status) => {
            write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        Behaviour::Body(body) => send(&mut stream, body.len(), &body),
        Behaviour::Announced(length, body) => send(&mut stream, length, &body),
        Behaviour::Redirect(to) => redirect(&mut stream, &to),
        Behaviour::Loop => redirect(&mut stream, own_address),
        Behaviour::EndlessChunks => {
            write!(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
            loop {
                write!(stream, "400\r\n{}\r\n", "x".repeat(0x400))?;
            }
        }
        Behaviour::Silence => {
            thread::sleep(Duration::from_secs(30));
            Ok(())
        }
        Behaviour::Stall(length, body) => {
            send(&mut stream, length, &body)?;
            thread::sleep(Duration::from_secs(30));
            Ok(())
        }
        Behaviour::Trickle(length) => {
            send(&mut stream, length, b"")?;
            loop {
                stream.write_all(b"x")?;
                thread::sleep(Duration::from_millis(100));
            }
        }
        Behaviour::Close => Ok(()),
    }
}

fn send(stream: &mut TcpStream, length: usize, body: &[u8]) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
    stream.write_all(body)?;
    stream.flush()
}

fn redirect(stream: &mut TcpStream, to: &str) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

fn read_request(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte)? == 1 {
        request.push(byte[0]);
    }
    Ok(())
}
