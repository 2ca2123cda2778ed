//! Connections: so many at once, encrypted where there is a certificate, given up when nothing moves on them, and ended
//! in order.
//!
//! A request may take as long as it needs. What is bounded here is the time in which nobody asks anything, and the
//! time in which an answer is not read.

mod certificate;
mod origin;

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::serve::Listener;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceBuilder;
use tower_http::metrics::InFlightRequestsLayer;

pub use certificate::{Certificate, CertificateError, CertificateFiles};
pub use origin::{Origin, TrustedProxies};

/// How often an HTTP/2 client is asked whether it is still there, and how long it may take to say so.
const PING: Duration = Duration::from_secs(20);
/// Bytes of a connection that are held before they are read or sent.
const BUFFER: usize = 64 * 1024;
/// Requests at once on one HTTP/2 connection.
const MOST_STREAMS: u32 = 64;

/// What an operator may choose of the connections.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Connections at once; further ones wait in the system's queue
    pub connections: usize,
    /// How long a connection may be open without a whole request head on it
    pub idle: Duration,
    /// How long a client may not read of its answer until it is cut off
    pub unread: Duration,
    /// How long it may take to agree on encryption
    pub handshake: Duration,
    /// Shown to callers, who then must use TLS
    pub certificate: Option<Certificate>,
}

impl Default for ServerOptions {
    /// Longer than proxies keep theirs, so that it is they who close.
    fn default() -> Self {
        ServerOptions {
            connections: 10_000,
            idle: Duration::from_secs(75),
            unread: Duration::from_secs(30),
            handshake: Duration::from_secs(10),
            certificate: None,
        }
    }
}

/// Serves until `closing`; then accepts nothing more, and is done when what was begun has been answered, or at `cut`.
/// Each request has an [`Origin`] among its extensions.
pub async fn serve(
    mut listener: TcpListener,
    app: Router,
    options: ServerOptions,
    closing: CancellationToken,
    cut: CancellationToken,
) {
    let ServerOptions { connections, idle, unread, handshake, certificate } = options;
    let encryption = certificate.map(|certificate| Encryption { acceptor: certificate.acceptor(), handshake });
    let way = Way { http: http(idle), app, encryption, idle, unread, closing: closing.clone(), cut };
    let places = Arc::new(Semaphore::new(connections.min(Semaphore::MAX_PERMITS)));
    let open = TaskTracker::new();
    let accepting = async {
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            // It reports and survives its own failures.
            let (stream, peer) = Listener::accept(&mut listener).await;
            let way = way.clone();
            open.spawn(async move {
                connection(stream, peer, way).await;
                drop(place);
            });
        }
    };
    tokio::select! {
        () = accepting => {}
        () = closing.cancelled() => {}
    }
    drop(listener);
    open.close();
    open.wait().await;
}

/// What every connection goes through.
#[derive(Clone)]
struct Way {
    http: Builder<TokioExecutor>,
    app: Router,
    encryption: Option<Encryption>,
    idle: Duration,
    unread: Duration,
    closing: CancellationToken,
    cut: CancellationToken,
}

#[derive(Clone)]
struct Encryption {
    acceptor: TlsAcceptor,
    handshake: Duration,
}

fn http(idle: Duration) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(idle).max_buf_size(BUFFER);
    let window = u32::try_from(BUFFER).unwrap_or(u32::MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .max_concurrent_streams(MOST_STREAMS)
        .initial_stream_window_size(window)
        .initial_connection_window_size(window * 4)
        .max_send_buf_size(BUFFER);
    builder
}

async fn connection(stream: TcpStream, peer: SocketAddr, way: Way) {
    // Events of a stream are short, and wait for nothing.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection was gone before it was served");
        return;
    }
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(way.unread));
    let origin = Origin { address: peer.ip().to_canonical(), encrypted: way.encryption.is_some() };
    match &way.encryption {
        None => requests(Box::pin(stream), origin, &way).await,
        Some(encryption) => {
            let agreed = tokio::select! {
                agreed = agree(encryption, stream) => agreed,
                () = way.closing.cancelled() => return,
            };
            match agreed {
                Ok(stream) => requests(stream, origin, &way).await,
                Err(error) => tracing::debug!(%error, client = %origin.address, "no encryption was agreed on"),
            }
        }
    }
}

/// What is read from and written to, encrypted or not.
trait Stream: AsyncRead + AsyncWrite + Send {}
impl<S: AsyncRead + AsyncWrite + Send> Stream for S {}

async fn agree(encryption: &Encryption, stream: TimeoutStream<TcpStream>) -> io::Result<Pin<Box<dyn Stream>>> {
    let agreed = tokio::time::timeout(encryption.handshake, encryption.acceptor.accept(Box::pin(stream))).await;
    let stream = agreed.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    Ok(Box::pin(stream))
}

/// Answers the requests of one connection.
async fn requests(stream: Pin<Box<dyn Stream>>, origin: Origin, way: &Way) {
    let Way { http, app, encryption: _, idle, unread: _, closing, cut } = way;
    let idle = *idle;
    let asked = Arc::new(AtomicUsize::new(0));
    let asking = Arc::clone(&asked);
    let (counting, in_flight) = InFlightRequestsLayer::pair();
    let service = ServiceBuilder::new()
        .map_request(move |request: Request<hyper::body::Incoming>| {
            asking.fetch_add(1, Ordering::Relaxed);
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(origin);
            request
        })
        .layer(counting)
        .service(app.clone());
    let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    tokio::pin!(connection);
    // Where HTTP/1 has its own timer, this is for the choice of the protocol before it, and for HTTP/2.
    let unused = async {
        loop {
            let before = asked.load(Ordering::Relaxed);
            tokio::time::sleep(idle).await;
            if in_flight.get() == 0 && asked.load(Ordering::Relaxed) == before {
                return;
            }
        }
    };
    let patience = tokio::select! {
        ended = connection.as_mut() => return note(ended.err()),
        () = unused => Some(idle),
        () = closing.cancelled() => None,
        () = cut.cancelled() => return,
    };
    connection.as_mut().graceful_shutdown();
    let patience = async {
        match patience {
            Some(patience) => tokio::time::sleep(patience).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        ended = connection => note(ended.err()),
        () = patience => {}
        () = cut.cancelled() => {}
    }
}

/// A connection that broke is its client's affair.
fn note(error: Option<Box<dyn std::error::Error + Send + Sync>>) {
    if let Some(error) = error {
        tracing::debug!(%error, "a connection broke");
    }
}
