//! Listening, and what one client may take: so many connections, so much time, so much memory.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

use super::answer::{self, House};
use super::{Site, Tls};
use crate::api::console::Console;

/// How many connections there are at the same time; more wait to be accepted.
const CONNECTIONS: u32 = 256;
/// How many requests are worked on at the same time.
const WORKERS: usize = 32;
/// How long a client may take to send the head of a request, and to say nothing between two.
const HEAD: Duration = Duration::from_secs(15);
/// How long a client may take to agree on TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a connection lives, whatever is sent on it.
const LIFETIME: Duration = Duration::from_secs(600);
/// How long requests that have begun may take once the door closes.
const GRACE: Duration = Duration::from_secs(10);
/// The largest head of a request, bytes.
const LARGEST_HEAD: usize = 64 * 1024;
/// The most headers of a request.
const MOST_HEADERS: usize = 64;
/// How long to wait after the system gave no connection, for example because files are used up.
const PAUSE: Duration = Duration::from_millis(200);

/// Closes a door. Can be used from any thread, and from several.
#[derive(Debug, Clone)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Default for Stop {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Stop {
    /// Closes the door: what has begun is answered, nothing new begins.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

/// An address that is listened on.
pub struct Door {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<Tls>,
}

impl Door {
    /// Listens; nobody is answered before [`Door::serve`].
    ///
    /// # Errors
    /// As the system gives them.
    pub fn listen(address: SocketAddr, tls: Option<Tls>) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, tls })
    }

    /// Where it listens: with the port that the system gave where none was asked for.
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme(), self.address)
    }

    fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Answers until it is stopped.
    ///
    /// # Errors
    /// The system gives no threads.
    pub fn serve(self, site: Site, stop: &Stop) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(WORKERS)
            .thread_name("http")
            .enable_all()
            .build()?;
        let served = runtime.block_on(self.accept(site, stop.0.subscribe()));
        runtime.shutdown_timeout(GRACE);
        served
    }

    async fn accept(self, site: Site, mut stop: watch::Receiver<bool>) -> io::Result<()> {
        let (scheme, loopback) = (self.scheme(), self.address.ip().is_loopback());
        let console = Console::new(Arc::clone(&site.service), site.credentials.clone());
        let house = Arc::new(House { site, console: Arc::new(console), scheme, loopback });
        let listener = tokio::net::TcpListener::from_std(self.listener)?;
        let slots = Arc::new(Semaphore::new(CONNECTIONS as usize));
        loop {
            let accepted = async {
                let slot = Arc::clone(&slots).acquire_owned().await;
                (slot, listener.accept().await)
            };
            let (slot, accepted) = tokio::select! {
                accepted = accepted => accepted,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            let Ok((socket, _)) = accepted else {
                sleep(PAUSE).await;
                continue;
            };
            let (house, tls, stop) = (Arc::clone(&house), self.tls.clone(), stop.clone());
            tokio::spawn(async move {
                greet(house, tls, socket, stop).await;
                drop(slot);
            });
        }
        drop(listener);
        // Whoever is slower than this is not waited for.
        let _ = timeout(GRACE, slots.acquire_many(CONNECTIONS)).await;
        Ok(())
    }
}

async fn greet(
    house: Arc<House>,
    tls: Option<Tls>,
    socket: TcpStream,
    stop: watch::Receiver<bool>,
) {
    // Small answers are sent at once.
    let _ = socket.set_nodelay(true);
    match tls {
        None => converse(house, socket, stop).await,
        Some(Tls(acceptor)) => {
            if let Ok(Ok(stream)) = timeout(HANDSHAKE, acceptor.accept(socket)).await {
                converse(house, stream, stop).await;
            }
        }
    }
}

async fn converse<S>(house: Arc<House>, stream: S, mut stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(|request| {
        let house = Arc::clone(&house);
        async move { Ok::<_, Infallible>(answer::answer(house, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(LARGEST_HEAD)
        .max_headers(MOST_HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // How a connection ends is the client's affair.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stop.wait_for(|stop| *stop) => {}
        () = sleep(LIFETIME) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(GRACE, connection).await;
}
