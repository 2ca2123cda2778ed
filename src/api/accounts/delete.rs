//! `DELETE /v1/accounts/{account}`

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::json;

use super::read;
use crate::api::AppState;
use crate::api::auth::Caller;
use crate::api::etag::IfMatch;
use crate::api::params::{NoParams, Params};
use crate::api::problem::{Kind, Problem, ProblemDocument};
use crate::canonical::Action;
use crate::store::accounts::Deleted;

/// Deletes an account with its credentials.
///
/// Its orders and their history stay. While something of it is unfinished, it is not deleted.
#[utoipa::path(
    delete, path = "/v1/accounts/{account}", operation_id = "deleteAccount", tag = "accounts",
    params(
        ("account" = String, Path, description = "Id of the account"),
        ("If-Match" = Option<String>, Header, pattern = r#"^(\*|(W/)?"[^",]*"( *, *(W/)?"[^",]*")*)$"#, description = "The ETag that the caller has seen; 412 when the account changed meanwhile"),
    ),
    responses(
        (status = 204, description = "The account is gone"),
        (status = 400, description = "The request cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope admin", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such account that the key may see", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "The account has unfinished submissions", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 412, description = "The account changed meanwhile", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["admin"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    _: Params<NoParams>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let stored = read(&state, &caller, &id).await?;
    if_match.require(stored.version)?;
    // Without If-Match whatever it became meanwhile is meant, too.
    let version = (if_match != IfMatch::Any).then_some(stored.version);
    let act = caller.act(Action::DeleteAccount, &id, Some(&id), json!({"provider": stored.provider}));
    match state.store.delete_account(&id, version, &act).await? {
        Deleted::Done => {
            tracing::info!(account = id, by = %caller.key_id, "account deleted");
            Ok(StatusCode::NO_CONTENT)
        }
        Deleted::Unknown => Err(Problem::not_found("account")),
        Deleted::OtherVersion => {
            Err(Problem::new(Kind::PreconditionFailed, "It was changed meanwhile. Read it again, then decide."))
        }
        Deleted::Unfinished => Err(Problem::new(
            Kind::StateConflict,
            format!("The account {id} has unfinished submissions; see GET /v1/submissions?account={id}."),
        )),
    }
}
