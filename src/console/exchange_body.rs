//! What was sent and received, to the byte, as a download.

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64;

use super::failure::Failure;
use super::reading::{Attempts, Callback, Content, Encoding};
use super::submissions::checked;
use super::visitor::Visitor;

/// `GET /console/submissions/{id}/attempts/{number}/{direction}`
pub async fn download(
    visitor: Visitor,
    Path((id, number, direction)): Path<(String, String, String)>,
) -> Result<Response, Failure> {
    let id = checked(&id)?;
    let attempts: Attempts = visitor.get(&format!("/v1/submissions/{id}/attempts")).await?;
    let number: i32 = number.parse().map_err(|_| Failure::NotFound)?;
    let attempt = attempts.items.into_iter().find(|attempt| attempt.number == number).ok_or(Failure::NotFound)?;
    let body = match direction.as_str() {
        "request" => attempt.request.and_then(|request| request.body),
        "response" => attempt.response.and_then(|response| response.body),
        _ => None,
    };
    file(body, &format!("{id}-{number}-{direction}"))
}

/// `GET /console/callbacks/{id}/body`
pub async fn of_callback(visitor: Visitor, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = checked(&id)?;
    let callback: Callback = visitor.get(&format!("/v1/callbacks/{id}")).await?;
    file(callback.body, &id.to_string())
}

/// `GET /console/orders/{id}/document`: the order as the API answers it.
pub async fn of_order(visitor: Visitor, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = checked(&id)?;
    let order: serde_json::Value = visitor.get(&format!("/v1/orders/{id}")).await?;
    let text = serde_json::to_string_pretty(&order).map_err(|_| Failure::Broken)?;
    let size = i64::try_from(text.len()).unwrap_or(i64::MAX);
    file(Some(Content { content: text, encoding: Encoding::Text, size, truncated: false }), &id.to_string())
}

/// Never shown by the browser itself: a provider's HTML is no page of ours.
fn file(body: Option<Content>, name: &str) -> Result<Response, Failure> {
    let body = body.ok_or(Failure::NotFound)?;
    let bytes = match body.encoding {
        Encoding::Text => body.content.into_bytes(),
        Encoding::Base64 => BASE64.decode(body.content.as_bytes()).map_err(|_| Failure::Broken)?,
    };
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.txt\"")),
    ];
    Ok((headers, bytes).into_response())
}
