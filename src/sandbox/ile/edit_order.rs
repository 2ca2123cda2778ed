//! `POST /oms/v1/Order/editOrderByApi`

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::credentials::{self, NOT_ACCEPTED};
use super::members::{Faults, Object};
use super::order::EditedOrder;
use super::{Desk, EDIT_ORDER, NotEdited, answer};

pub async fn edit_order(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    let is_json = is_json(request.headers());
    // Read even when the request is refused, or the sender may find its connection reset before it has
    // seen the answer. Only the body says who sends it.
    let body = match Bytes::from_request(request, &()).await {
        Ok(body) if is_json => body,
        Ok(_) => {
            desk.arrive(NOT_ACCEPTED);
            return (StatusCode::UNSUPPORTED_MEDIA_TYPE, "the content type is not application/json\n").into_response();
        }
        Err(rejection) => {
            desk.arrive(NOT_ACCEPTED);
            return rejection.into_response();
        }
    };
    desk.answer(&body)
}

/// `application/json`, with no charset but UTF-8.
fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let mut parts = content_type.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    let is_no_other_charset = |parameter: &str| match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    };
    media_type.eq_ignore_ascii_case("application/json") && parts.all(is_no_other_charset)
}

impl Desk {
    fn answer(&self, body: &[u8]) -> Response {
        let mut faults = Faults::default();
        let mut request = match Object::parse(body, &mut faults) {
            Ok(request) => request,
            Err(reason) => {
                self.arrive(NOT_ACCEPTED);
                return answer::refused_because(answer::SYSTEM_ERROR, &reason);
            }
        };
        let [user_id, ile_id, sign] =
            ["userId", "ileId", "sign"].map(|name| request.optional_text(name, &mut faults).unwrap_or_default());
        let company = credentials::check(&user_id, &ile_id, &sign);
        self.arrive(company.unwrap_or(NOT_ACCEPTED));
        let Some(company) = company else {
            return answer::refused(answer::UNAUTHORIZED);
        };
        self.meter().batch(EDIT_ORDER, company, 1);
        let order = EditedOrder::read(&mut request, &mut faults);
        request.end(&mut faults);
        let Some(order) = order.filter(|_| faults.is_empty()) else {
            return answer::refused_because(answer::SYSTEM_ERROR, &faults.join("; "));
        };
        let edited = self.ledger().edit(company, order);
        match edited {
            Ok(()) => answer::edited(),
            Err(NotEdited::UnknownOrder) => {
                answer::refused_because(answer::NOT_FOUND, "data.orderNumber is of no order")
            }
            Err(NotEdited::OtherPostcode) => {
                answer::refused_because(answer::SYSTEM_ERROR, "data.consignee.postcode: 收件人邮编不可编辑")
            }
        }
    }
}
