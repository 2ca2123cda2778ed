//! What the operations have alike: from a request's head to its answer, and how they are counted.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use roxmltree::Node;

use super::credentials::{self, Company, NOT_ACCEPTED};
use super::request::{self, Malformed, OrdersRequest, RequestForm};
use super::{Desk, answer, codes};
use crate::sandbox::faults::Overrule;
use crate::sandbox::meter::{Admission, MeteredEndpoint};

const VERSION: &str = "0.1";

/// An operation on orders.
pub struct Service {
    pub path: &'static str,
    pub endpoint: MeteredEndpoint,
    pub request: RequestForm,
    pub answer_root: &'static str,
    pub largest_batch: usize,
    /// Does what is asked with the orders of an admitted request, and answers it.
    pub process: Process,
}

/// Of this company, with what a fault says about the orders.
type Process = fn(&Desk, &'static str, &[Node<'_, '_>], Option<&Overrule>) -> Result<String, Malformed>;

pub async fn answer(desk: Arc<Desk>, service: &'static Service, mut request: Request) -> Response {
    let overrule = request.extensions_mut().remove::<Overrule>();
    // A request arrives when its head does, if the head says who sends it; else when its document
    // has been read.
    let sender = credentials::from_header(request.headers());
    let admission = sender.map(|company| desk.arrive(service, company));
    let is_xml = is_xml(request.headers());
    // Read even when the request is refused, or the sender may find its connection reset before
    // it has seen the answer.
    let body = Bytes::from_request(request, &()).await;
    if admission == Some(Admission::Refused) {
        return Refusal::TooManyRequests(service).into_response();
    }
    let refusal = match body {
        Ok(body) if is_xml => {
            // Parsing 100 orders takes long enough to delay the arrival of other requests.
            let answering = move || desk.answer(service, sender, &body, overrule.as_ref());
            return match tokio::task::spawn_blocking(answering).await {
                Ok(Ok(document)) => xml(document),
                Ok(Err(refusal)) => refusal.into_response(),
                Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            };
        }
        Ok(_) => Refusal::NotXml.into_response(),
        Err(rejection) => rejection.into_response(),
    };
    if sender.is_none() {
        desk.arrive(service, None);
    }
    refusal
}

/// What is not answered in the provider's own form.
enum Refusal {
    TooManyRequests(&'static Service),
    NotXml,
    Malformed(Malformed),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::TooManyRequests(service) => {
                let retry_after = [(header::RETRY_AFTER, "1")];
                let limit = service.endpoint.limit.unwrap_or_default();
                let reason = format!("more than {limit} requests in one second\n");
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

pub fn xml(document: String) -> Response {
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
    pub fn arrive(&self, service: &Service, company: Company) -> Admission {
        let mut meter = self.meter();
        // Read under the lock, so that times are recorded in their order.
        let now = (self.clock)();
        meter.arrive(service.endpoint, company.unwrap_or(NOT_ACCEPTED), now)
    }

    /// `sender` is what the Authorization header says, `None` if it leaves it to the document.
    fn answer(
        &self,
        service: &'static Service,
        sender: Option<Company>,
        body: &[u8],
        overrule: Option<&Overrule>,
    ) -> Result<String, Refusal> {
        let parsed = request::parse(body);
        let request = match &parsed {
            Ok(document) => OrdersRequest::read(document, &service.request),
            Err(reason) => Err(reason.clone()),
        };
        let company = if let Some(company) = sender {
            company
        } else {
            let attributes = request.as_ref().ok().map(OrdersRequest::credentials);
            let company = attributes.and_then(|(user, word)| credentials::check(user, word));
            if self.arrive(service, company) == Admission::Refused {
                return Err(Refusal::TooManyRequests(service));
            }
            company
        };
        let request = request?;
        let refused = |code| Ok(answer::refused(service.answer_root, code));
        let Some(company) = company else {
            return refused(codes::AUTHENTICATION_FAILED);
        };
        if request.version() != Some(VERSION) {
            return refused(codes::UNSUPPORTED_VERSION);
        }
        let orders = request.order_elements()?;
        self.meter().batch(service.endpoint, company, orders.len());
        if orders.len() > service.largest_batch {
            return refused(codes::TOO_MANY_ORDERS);
        }
        Ok((service.process)(self, company, &orders, overrule)?)
    }
}
