//! `POST /callbacks/{provider}/{account}/{token}`

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::api::AppState;
use crate::api::problem::{InAnotherForm, Kind, Problem, ProblemDocument};
use crate::callback::MOST_BODY_BYTES;
use crate::provider::CallbackReply;

/// Where a provider calls an account. The path is the account's `callbackUrl`; its last part is a secret.
///
/// The call is kept as it came before anything else is done with it, and answered in the provider's own form.
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
    let headers = pairs(request.headers());
    if declared_length(request.headers()).is_some_and(|length| length > MOST_BODY_BYTES) {
        return Err(too_large());
    }
    let door = state.callbacks.open_door(&provider, &account, &token).await?;
    let door = door.ok_or_else(|| Problem::new(Kind::NotFound, "There is nothing at this path."))?;
    let body = read_bounded(request).await?;
    let reply = state.callbacks.receive(&door, headers, body).await?;
    Ok(answer(reply))
}

fn declared_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn read_bounded(mut request: Request) -> Result<Vec<u8>, Problem> {
    DefaultBodyLimit::max(MOST_BODY_BYTES).apply(&mut request);
    Bytes::from_request(request, &()).await.map(Vec::from).map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        _ => Problem::new(Kind::MalformedRequest, "The body did not arrive whole."),
    })
}

fn too_large() -> Problem {
    Problem::new(Kind::BodyTooLarge, format!("A callback has at most {MOST_BODY_BYTES} bytes."))
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
