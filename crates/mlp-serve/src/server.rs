//! The server: accepts connections from this machine, on one thread; what is computed is computed on others.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::limits;
use crate::patient::Patient;
use crate::routes::Desk;
use crate::site::Site;
use crate::token::Token;

/// How soon the server notices that it is to end.
const ATTENTION: Duration = Duration::from_millis(100);
/// How often folders are looked through while somebody watches.
const REFRESH: Duration = Duration::from_millis(700);

/// A server that is bound to a port of this machine, and to nothing that another machine reaches.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    desk: Arc<Desk>,
}

impl Server {
    /// Binds to 127.0.0.1 at `port`; 0 takes any that is free.
    ///
    /// # Errors
    ///
    /// If the port is taken or not allowed.
    pub fn bind(port: u16, token: Token, site: Site) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Server { listener, address, desk: Arc::new(Desk::new(Arc::new(site), token)) })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The address to open, with the token.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/{}/", self.port(), self.desk.token.as_str())
    }

    /// Serves until `stop` is raised.
    ///
    /// # Errors
    ///
    /// If the system refuses threads or the socket.
    pub fn run(self, stop: &AtomicBool) -> io::Result<()> {
        let Server { listener, desk, .. } = self;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .max_blocking_threads(limits::N_COMPUTED + 1)
            .build()?;
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let keeper = thread::Builder::new().name("folders".to_owned());
            keeper.spawn_scoped(scope, || keep_watching(&desk.site, &is_over))?;
            let served = runtime.block_on(accept(listener, &desk, stop));
            is_over.store(true, Ordering::SeqCst);
            desk.site.playground.end();
            // Whatever is still being computed is not waited for.
            runtime.shutdown_timeout(Duration::from_millis(200));
            served
        })
    }
}

/// Reads the folders once, and again as long as somebody watches.
fn keep_watching(site: &Site, is_over: &AtomicBool) {
    let mut is_first = true;
    while !is_over.load(Ordering::SeqCst) {
        if std::mem::take(&mut is_first) || site.is_watched() {
            site.watch.refresh();
        }
        let mut left = REFRESH;
        while !left.is_zero() && !is_over.load(Ordering::SeqCst) {
            thread::sleep(ATTENTION);
            left = left.saturating_sub(ATTENTION);
        }
    }
}

async fn accept(listener: TcpListener, desk: &Arc<Desk>, stop: &AtomicBool) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let room = Arc::new(Semaphore::new(limits::N_CONNECTIONS));
    while !stop.load(Ordering::SeqCst) {
        let stream = match timeout(ATTENTION, listener.accept()).await {
            Err(_) => continue,
            Ok(Ok((stream, _))) => stream,
            Ok(Err(_)) => {
                // Such as too many open files: others may close theirs meanwhile.
                tokio::time::sleep(ATTENTION).await;
                continue;
            }
        };
        // Without room it is closed at once.
        if let Ok(permit) = Arc::clone(&room).try_acquire_owned() {
            let _ = stream.set_nodelay(true);
            tokio::spawn(serve(Patient::new(stream, limits::WRITE_TIME), Arc::clone(desk), permit));
        }
    }
    Ok(())
}

/// One connection, to its end.
fn serve(stream: Patient, desk: Arc<Desk>, permit: OwnedSemaphorePermit) -> impl Future<Output = ()> {
    let service = service_fn(move |request| {
        let desk = Arc::clone(&desk);
        async move { Ok::<_, Infallible>(desk.answer(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::HEAD_TIME)
        .max_buf_size(limits::HEAD)
        .max_headers(limits::N_HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    async move {
        let _permit = permit;
        // A client that breaks off or sends garbage has been answered as far as that was possible.
        let _ = connection.await;
    }
}
