//! `GET /v1/accounts/{account}/organizations`

use axum::Json;
use axum::extract::{Path, State};

use super::account;
use crate::api::AppState;
use crate::api::asking::ask;
use crate::api::auth::{Caller, Scope};
use crate::api::params::{NoParams, Page, Params};
use crate::api::problem::{Problem, ProblemDocument};
use crate::provider::Organization;

/// The account's own organisation units.
///
/// As its provider has them now. `branch` of an order names one.
#[utoipa::path(
    get, path = "/v1/accounts/{account}/organizations", operation_id = "listOrganizations", tag = "accounts",
    params(("account" = String, Path, description = "Id of the account")),
    responses(
        (status = 200, description = "The organisation units", body = Page<Organization>),
        (status = 400, description = "A parameter cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope orders:read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such account that the key may see", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The provider has no organisation units", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "The quota at the provider is used up for now", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 502, description = "The provider refused, or was not understood", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 504, description = "The provider did not answer in time", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["orders:read"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    _: Params<NoParams>,
) -> Result<Json<Page<Organization>>, Problem> {
    let account = account(&state, &caller, Scope::OrdersRead, &id).await?;
    let items = ask(&state, &account, "list organisation units", |calls| calls.organizations.as_ref(), &()).await?;
    Ok(Json(Page { items, next_cursor: None }))
}
