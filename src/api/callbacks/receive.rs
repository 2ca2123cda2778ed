//! `POST /callbacks/{provider}/{account}/{token}`

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::api::AppState;
use crate::api::bodies::Sender;
use crate::api::completing::InAnotherForm;
use crate::api::problem::{Kind, Problem, ProblemDocument};
use crate::callback::MOST_BODY_BYTES;
use crate::provider::CallbackReply;
use crate::telemetry::TraceParent;

/// Where a provider calls an account.
///
/// The path is the account's `callbackUrl`; its last part is a secret. The call is kept as it came before anything else
/// is done with it, and answered in the provider's own form.
#[utoipa::path(
    post, path = "/callbacks/{provider}/{account}/{token}", operation_id = "receiveCallback", tag = "callbacks",
    params(
        ("provider" = String, Path, description = "Id of the provider"),
        ("account" = String, Path, description = "Id of the account"),
        ("token" = String, Path, description = "The secret of the account's callback path"),
    ),
    request_body(content = String, content_type = "*/*", description = "As the provider's document says; at most 1 MiB"),
    responses(
        (status = 200, description = "The call was taken, or refused, in the provider's own form", body = String, content_type = "*/*"),
        (status = 400, description = "The body did not arrive whole", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is nothing at this path", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "The body is longer than 1 MiB", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "The ledger cannot be reached; nothing was kept", body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn handler(
    State(state): State<AppState>,
    Path((provider, account, token)): Path<(String, String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let place = head.extensions.get::<TraceParent>().copied();
    let door = state.callbacks.open_door(&provider, &account, &token).await?;
    let door = door.ok_or_else(|| Problem::new(Kind::NotFound, "There is nothing at this path."))?;
    let (body, _held) = state.bodies.read(&head.headers, body, MOST_BODY_BYTES, Sender::Provider).await?;
    let reply = state.callbacks.receive(&door, pairs(&head.headers), body.into(), place).await?;
    Ok(answer(reply))
}

fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect()
}

fn answer(reply: CallbackReply) -> Response {
    let CallbackReply { status, content_type, body } = reply;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let mut response = (status, [(header::CONTENT_TYPE, content_type)], body).into_response();
    response.extensions_mut().insert(InAnotherForm);
    response
}
