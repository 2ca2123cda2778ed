//! A provider that takes every order at once: it costs as little as can be, and notes when requests arrived.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use memchr::{memchr, memmem};
use tokio::net::TcpListener;

/// One request that arrived.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    pub at: Instant,
    pub orders: usize,
}

pub struct Responder {
    pub address: SocketAddr,
    arrivals: Arc<Mutex<Vec<Arrival>>>,
}

impl Responder {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let arrivals: Arc<Mutex<Vec<Arrival>>> = Arc::default();
        let shared = Arc::clone(&arrivals);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                let arrivals = Arc::clone(&shared);
                tokio::spawn(async move {
                    let service = service_fn(|request| answer(request, &arrivals));
                    // Whoever goes away is gone.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Responder { address, arrivals }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn arrivals(&self) -> Vec<Arrival> {
        self.arrivals.lock().unwrap().clone()
    }

    pub fn forget(&self) {
        self.arrivals.lock().unwrap().clear();
    }

    pub fn orders(&self) -> usize {
        self.arrivals.lock().unwrap().iter().map(|arrival| arrival.orders).sum()
    }
}

async fn answer(
    request: Request<Incoming>,
    arrivals: &Mutex<Vec<Arrival>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let at = Instant::now();
    let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let mut answer = String::with_capacity(body.len() / 8);
    answer.push_str(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><orderImportResponse version=\"0.1\"><responseCode/><orders>",
    );
    let mut orders = 0;
    for number in numbers(&body) {
        orders += 1;
        let _ = write!(
            answer,
            "<order sequence=\"{orders}\"><erpNumber>{number}</erpNumber>\
             <importStatus>INBOX</importStatus><responseCodes/><orderNumber>OT{number}</orderNumber></order>"
        );
    }
    answer.push_str("</orders></orderImportResponse>");
    arrivals.lock().unwrap().push(Arrival { at, orders });
    let response = Response::builder().header("content-type", "application/xml; charset=utf-8");
    Ok(response.body(Full::new(Bytes::from(answer))).unwrap())
}

/// The numbers of the orders in a request.
fn numbers(body: &[u8]) -> impl Iterator<Item = &str> {
    const BEFORE: &[u8] = b"<erpNumber>";
    memmem::find_iter(body, BEFORE).filter_map(|at| {
        let rest = &body[at + BEFORE.len()..];
        std::str::from_utf8(&rest[..memchr(b'<', rest)?]).ok()
    })
}
