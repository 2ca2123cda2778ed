//! The layer around a simulator's router: lets a request through, or does to it and to its answer
//! what a fault says.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::connect_info::ConnectInfo;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};
use tokio_util::io::ReaderStream;

use super::{Fault, ItemChange, Kind, Overrule, distort};
use crate::sandbox::Station;
use crate::sandbox::connection::{Cut, Line};

/// Beyond what any simulator takes.
const BODY_LIMIT: usize = 64 * 1024 * 1024;

pub async fn strike(State(station): State<Arc<Station>>, mut request: Request, next: Next) -> Response {
    let Station { simulator, faults, caller: _, life: _ } = &*station;
    let path = request.uri().path();
    let Some(endpoint) = simulator.endpoints().iter().find(|it| it.path == path) else {
        return next.run(request).await;
    };
    let endpoint = endpoint.name;
    let mut order_numbers = Vec::new();
    if faults.asks_for_orders(endpoint) {
        let (parts, body) = request.into_parts();
        let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
            return StatusCode::PAYLOAD_TOO_LARGE.into_response();
        };
        order_numbers = simulator.order_numbers(endpoint, &body);
        request = Request::from_parts(parts, body.into());
    }
    let Some(fault) = faults.draw(&**simulator, endpoint, &order_numbers) else {
        return next.run(request).await;
    };
    tracing::debug!(endpoint, kind = ?fault.kind, "a fault strikes");

    let line = request.extensions().get::<ConnectInfo<Line>>().map(|it| it.0.clone());
    if let Some(overrule) = overrule(&fault) {
        request.extensions_mut().insert(overrule);
    }
    if fault.kind == (Kind::SessionKilled {})
        && let Some(sessions) = simulator.sessions(endpoint)
    {
        sessions.end(request.uri(), request.headers());
    }
    let answer = if fault.kind.is_processed() {
        next.run(request).await
    } else {
        simulator.arrive(endpoint, request.uri(), request.headers());
        if fault.kind != (Kind::ResetBeforeRead {}) {
            // A sender that is still writing may never see an answer.
            let _ = to_bytes(request.into_body(), BODY_LIMIT).await;
        }
        Response::default()
    };
    tokio::time::sleep(Duration::from_millis(fault.delay_ms)).await;
    let struck = Struck { station: &station, endpoint, fault: &fault, line };
    struck.answer(answer).await
}

fn overrule(fault: &Fault) -> Option<Overrule> {
    let Kind::ItemCode { code, status, commit } = &fault.kind else {
        return None;
    };
    let order_number = fault.order_number.clone();
    Some(Overrule { code: code.clone(), status: status.clone(), order_number, commit: *commit })
}

struct Struck<'a> {
    station: &'a Station,
    endpoint: &'static str,
    fault: &'a Fault,
    line: Option<Line>,
}

impl Struck<'_> {
    /// What is sent in place of `answer`, which is empty if there was none.
    async fn answer(&self, answer: Response) -> Response {
        match &self.fault.kind {
            Kind::ResetBeforeRead {} => self.cut(Cut::Reset),
            Kind::CommitThenDrop {} | Kind::Silence { .. } => self.cut(Cut::Close),
            Kind::HalfAnswer {} => self.half(answer).await,
            Kind::TruncatedBody {} => with_body(answer, |body| body.slice(..body.len() / 2)).await,
            Kind::DoctypeBomb {} => with_body(answer, |body| distort::with_doctype(&body).into()).await,
            Kind::EntityBomb {} => with_body(answer, |body| distort::with_entity_bomb(&body).into()).await,
            Kind::WrongEncoding {} => with_body(answer, |body| distort::as_if_gbk(&body).into()).await,
            Kind::HugeAnswer { bytes } => huge(answer, *bytes).await,
            Kind::GzipBomb { bytes } => packed(answer, *bytes).await,
            Kind::Redirect { location } => {
                // The one that has a sender repeat method and body.
                (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, location.clone())]).into_response()
            }
            Kind::Html { status, commit: _ } => (*status, Html(distort::html_page(*status))).into_response(),
            Kind::Status { status, retry_after_seconds, commit: _ } => bare_status(*status, *retry_after_seconds),
            Kind::ReplaceBody { body, status, content_type, commit: _ } => {
                let content_type = content_type.clone().unwrap_or_else(|| guess_content_type(body));
                (*status, [(header::CONTENT_TYPE, content_type)], body.clone()).into_response()
            }
            Kind::AnswerCode { code, commit: _ } => {
                self.station.simulator.refusal(self.endpoint, code).unwrap_or(answer)
            }
            Kind::ItemMissing {} => self.change(answer, ItemChange::Missing).await,
            Kind::ItemUnasked {} => self.change(answer, ItemChange::Unasked).await,
            Kind::ItemTwice {} => self.change(answer, ItemChange::Twice).await,
            Kind::ItemCode { .. }
            | Kind::Slow {}
            | Kind::SessionKilled {}
            | Kind::CallbackDuplicate {}
            | Kind::CallbackForged {}
            | Kind::CallbackDisorder {} => answer,
        }
    }

    async fn change(&self, answer: Response, change: ItemChange) -> Response {
        let Some(items) = self.station.simulator.items(self.endpoint) else {
            return answer;
        };
        let order_number = self.fault.order_number.as_deref();
        with_body(answer, |body| match items.change(&body, change, order_number) {
            Some(changed) => changed.into(),
            // No orders in it: a refusal as a whole.
            None => body,
        })
        .await
    }

    /// Ends the connection. What is returned is never sent.
    fn cut(&self, cut: Cut) -> Response {
        match &self.line {
            Some(line) => {
                line.cut(cut);
                Response::default()
            }
            None => Response::new(Body::from_stream(ReaderStream::new(EndOfLine(None)))),
        }
    }

    async fn half(&self, answer: Response) -> Response {
        let (mut parts, body) = taken_apart(answer).await;
        parts.headers.insert(header::CONTENT_LENGTH, body.len().into());
        let half = io::Cursor::new(body.slice(..body.len() / 2));
        let half = half.chain(EndOfLine(self.line.clone()));
        Response::from_parts(parts, Body::from_stream(ReaderStream::new(half)))
    }
}

/// The end of a body that is not to be finished: asks for the connection to be cut and is never
/// ready again. Without a connection, in process, the body fails instead.
struct EndOfLine(Option<Line>);

impl AsyncRead for EndOfLine {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &self.0 {
            Some(line) => {
                line.cut(Cut::CloseAfterWritten);
                Poll::Pending
            }
            None => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
        }
    }
}

async fn taken_apart(answer: Response) -> (axum::http::response::Parts, Bytes) {
    let (mut parts, body) = answer.into_parts();
    // A simulator's answers are in memory already: reading one cannot fail.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.remove(header::CONTENT_LENGTH);
    (parts, body)
}

async fn with_body(answer: Response, change: impl FnOnce(Bytes) -> Bytes) -> Response {
    let (parts, body) = taken_apart(answer).await;
    Response::from_parts(parts, change(body).into())
}

/// White space may follow the root of an XML document, and a value in JSON: who reads it all finds
/// an answer in order.
async fn huge(answer: Response, bytes: u64) -> Response {
    let (parts, body) = taken_apart(answer).await;
    let padding = bytes.saturating_sub(body.len() as u64);
    let body = io::Cursor::new(body).chain(tokio::io::repeat(b' ').take(padding));
    Response::from_parts(parts, Body::from_stream(ReaderStream::with_capacity(body, 64 * 1024)))
}

/// The same, compressed a thousand times over.
async fn packed(answer: Response, bytes: u64) -> Response {
    let (mut parts, body) = taken_apart(answer).await;
    let padding = io::Read::take(io::repeat(b' '), bytes.saturating_sub(body.len() as u64));
    let pack = move || {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        io::copy(&mut io::Read::chain(&*body, padding), &mut packed)?;
        packed.finish()
    };
    // Into memory, which takes what is written.
    let packed = tokio::task::spawn_blocking(pack).await.map_err(io::Error::from).flatten().unwrap_or_default();
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    Response::from_parts(parts, packed.into())
}

fn bare_status(status: StatusCode, retry_after_seconds: Option<u64>) -> Response {
    let mut answer = (status, format!("{status}\n")).into_response();
    if let Some(seconds) = retry_after_seconds {
        answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    answer
}

fn guess_content_type(body: &str) -> HeaderValue {
    HeaderValue::from_static(match body.trim_start().as_bytes().first() {
        Some(b'<') => "application/xml",
        Some(b'{' | b'[') => "application/json",
        _ => "text/plain; charset=utf-8",
    })
}
