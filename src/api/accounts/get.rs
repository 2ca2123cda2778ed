//! `GET /v1/accounts/{account}`

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::{AccountView, read};
use crate::api::AppState;
use crate::api::auth::Caller;
use crate::api::params::{NoParams, Params};
use crate::api::problem::{Problem, ProblemDocument};

/// One account, without its credentials.
///
/// Its `ETag`, sent as `If-Match`, guards a change against those of others.
#[utoipa::path(
    get, path = "/v1/accounts/{account}", operation_id = "getAccount", tag = "accounts",
    params(("account" = String, Path, description = "Id of the account")),
    responses(
        (status = 200, description = "The account", body = AccountView, headers(("ETag" = String))),
        (status = 400, description = "There is a query parameter", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope admin", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such account that the key may see", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["admin"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Path(account): Path<String>,
    _: Params<NoParams>,
) -> Result<Response, Problem> {
    let account = AccountView::of(&state, read(&state, &caller, &account).await?).await?;
    Ok(([(header::ETAG, format!("\"{}\"", account.version))], Json(account)).into_response())
}
