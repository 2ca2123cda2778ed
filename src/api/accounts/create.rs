//! `POST /v1/accounts`

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::AccountView;
use super::checking::{NewAccountBody, prepare};
use crate::api::AppState;
use crate::api::auth::{Caller, Scope};
use crate::api::body::{JsonBody, validate};
use crate::api::params::{NoParams, Params};
use crate::api::problem::{Kind, Problem, ProblemDocument};
use crate::canonical::Action;

/// Adds an account.
///
/// `credentials` and `settings` are checked against the schemas that `GET /v1/providers/{provider}` shows, and the
/// credentials are sealed.
#[utoipa::path(
    post, path = "/v1/accounts", operation_id = "createAccount", tag = "accounts",
    request_body(content = NewAccountBody),
    responses(
        (status = 201, description = "The account", body = AccountView, headers(("Location" = String), ("ETag" = String))),
        (status = 400, description = "The request cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope admin", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "There is an account of this id", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The account is not valid", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["admin"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    _: Params<NoParams>,
    body: JsonBody,
) -> Result<Response, Problem> {
    caller.require(Scope::Admin)?;
    let body: NewAccountBody = validate(&body.value)?;
    if !caller.may_use(&body.id) {
        return Err(Problem::new(Kind::Forbidden, "Your key is limited to other accounts."));
    }
    let id = body.id.clone();
    let account = prepare(&state, body)?;
    let chosen = json!({"provider": account.provider, "baseUrl": account.base_url});
    if !state.store.add_account(&account, &caller.act(Action::CreateAccount, &id, Some(&id), chosen)).await? {
        return Err(Problem::new(Kind::AccountExists, format!("There is an account {id} already.")));
    }
    let account = AccountView::of(&state, super::read(&state, &caller, &id).await?).await?;
    let headers =
        [(header::LOCATION, format!("/v1/accounts/{id}")), (header::ETAG, format!("\"{}\"", account.version))];
    Ok((StatusCode::CREATED, headers, Json(account)).into_response())
}
