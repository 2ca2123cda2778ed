//! `PUT /ws/orderImport`: from the request's head to its answer.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;

use super::answer;
use super::codes;
use super::credentials::{self, Company, NOT_ACCEPTED};
use super::import::{self, CheckedOrder};
use super::request::{self, ImportRequest, Malformed};
use super::{Desk, Ledger, in_china, order_number, rules};
use crate::sandbox::meter::{Admission, MeteredEndpoint};

/// 目前对该接口的调用限制为每个公司每秒最多40个请求
const ENDPOINT: MeteredEndpoint = MeteredEndpoint { name: "orderImport", limit: 40, window: TimeDelta::seconds(1) };

const VERSION: &str = "0.1";

/// 一次请求最多可以导入100条订单
const LARGEST_BATCH: usize = 100;

pub async fn order_import(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    // A request arrives when its head does, if the head says who sends it; else when its document
    // has been read.
    let sender = credentials::from_header(request.headers());
    let admission = sender.map(|company| desk.arrive(company));
    let is_xml = is_xml(request.headers());
    // Read even when the request is refused, or the sender may find its connection reset before
    // it has seen the answer.
    let body = Bytes::from_request(request, &()).await;
    if admission == Some(Admission::Refused) {
        return Refusal::TooManyRequests.into_response();
    }
    let refusal = match body {
        Ok(body) if is_xml => {
            // Parsing 100 orders takes long enough to delay the arrival of other requests.
            let answer = tokio::task::spawn_blocking(move || desk.answer(sender, &body)).await;
            return match answer {
                Ok(Ok(document)) => xml(document),
                Ok(Err(refusal)) => refusal.into_response(),
                Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            };
        }
        Ok(_) => Refusal::NotXml.into_response(),
        Err(rejection) => rejection.into_response(),
    };
    if sender.is_none() {
        desk.arrive(None);
    }
    refusal
}

/// What is not answered in the provider's own form.
enum Refusal {
    TooManyRequests,
    NotXml,
    Malformed(Malformed),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::TooManyRequests => {
                let retry_after = [(header::RETRY_AFTER, "1")];
                let reason = "more than 40 requests in one second\n";
                (StatusCode::TOO_MANY_REQUESTS, retry_after, reason).into_response()
            }
            Self::NotXml => {
                let reason = "the content type is not application/xml in UTF-8\n";
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, reason).into_response()
            }
            Self::Malformed(reason) => (StatusCode::BAD_REQUEST, format!("{reason}\n")).into_response(),
        }
    }
}

impl From<Malformed> for Refusal {
    fn from(reason: Malformed) -> Self {
        Self::Malformed(reason)
    }
}

fn xml(document: String) -> Response {
    ([(header::CONTENT_TYPE, "application/xml")], document).into_response()
}

/// `application/xml` or `text/xml`, with no charset but UTF-8.
fn is_xml(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE);
    let Some(content_type) = content_type.and_then(|it| it.to_str().ok()) else {
        return false;
    };
    let mut parts = content_type.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    let is_xml = ["application/xml", "text/xml"].iter().any(|it| media_type.eq_ignore_ascii_case(it));
    is_xml && parts.all(is_no_other_charset)
}

fn is_no_other_charset(parameter: &str) -> bool {
    match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    }
}

impl Desk {
    fn arrive(&self, company: Company) -> Admission {
        let mut meter = self.meter();
        // Read under the lock, so that times are recorded in their order.
        let now = (self.clock)();
        meter.arrive(ENDPOINT, company.unwrap_or(NOT_ACCEPTED), now)
    }

    /// `sender` is what the Authorization header says, `None` if it leaves it to the document.
    fn answer(&self, sender: Option<Company>, body: &[u8]) -> Result<String, Refusal> {
        let parsed = request::parse(body);
        let request = match &parsed {
            Ok(document) => ImportRequest::read(document),
            Err(reason) => Err(reason.clone()),
        };
        let company = match sender {
            Some(company) => company,
            None => {
                let attributes = request.as_ref().ok().map(ImportRequest::credentials);
                let company = attributes.and_then(|(user, word)| credentials::check(user, word));
                if self.arrive(company) == Admission::Refused {
                    return Err(Refusal::TooManyRequests);
                }
                company
            }
        };
        let request = request?;
        let Some(company) = company else {
            return Ok(answer::refused(codes::AUTHENTICATION_FAILED));
        };
        if request.version() != Some(VERSION) {
            return Ok(answer::refused(codes::UNSUPPORTED_VERSION));
        }
        self.import(company, &request)
    }

    fn import(&self, company: &'static str, request: &ImportRequest) -> Result<String, Refusal> {
        let elements = request.order_elements()?;
        self.meter().batch(ENDPOINT, company, elements.len());
        if elements.len() > LARGEST_BATCH {
            return Ok(answer::refused(codes::TOO_MANY_ORDERS));
        }
        let now = (self.clock)();
        let today = in_china(now).date();
        let orders: Vec<_> = request::read_orders(&elements)?
            .into_iter()
            .map(|incoming| CheckedOrder { findings: rules::check(&incoming.order, today), incoming })
            .collect();

        let mut ledger = self.ledger();
        let Ledger { books, last_serial } = &mut *ledger;
        let mut next_number = || {
            *last_serial += 1;
            order_number(*last_serial, now)
        };
        let settle = |order| import::settle(books, company, order, &mut next_number);
        let answers: Vec<_> = orders.into_iter().map(settle).collect();
        drop(ledger);
        tracing::debug!(orders = answers.len(), "orderImport answered");
        Ok(answer::processed(&answers))
    }
}
