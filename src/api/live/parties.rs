//! `PUT /v1/accounts/{account}/parties`

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::account;
use crate::api::AppState;
use crate::api::asking::ask;
use crate::api::auth::{Caller, Scope};
use crate::api::body::{JsonBody, validate};
use crate::api::params::{NoParams, Params};
use crate::api::problem::{Problem, ProblemDocument};
use crate::provider::Party;

/// Consignors and consignees for the provider's address book.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Parties {
    #[schema(min_items = 1, max_items = 100)]
    parties: Vec<Party>,
}

/// Adds consignors and consignees to the provider's address book.
///
/// Or updates them: a party is known by its role and phone. The provider is asked at once; the call may be repeated.
#[utoipa::path(
    put, path = "/v1/accounts/{account}/parties", operation_id = "putParties", tag = "accounts",
    params(("account" = String, Path, description = "Id of the account")),
    request_body(content = Parties),
    responses(
        (status = 204, description = "They are in the address book"),
        (status = 400, description = "A parameter cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope orders:write", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such account that the key may see", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The body is not valid, or the provider has no address book", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "The quota at the provider is used up for now", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 502, description = "The provider refused, or was not understood", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 504, description = "The provider did not answer in time", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["orders:write"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    _: Params<NoParams>,
    body: JsonBody,
) -> Result<StatusCode, Problem> {
    let account = account(&state, &caller, Scope::OrdersWrite, &id).await?;
    let Parties { parties } = validate(&body.value)?;
    ask(&state, &account, "keep parties", |calls| calls.put_parties.as_ref(), &parties).await?;
    Ok(StatusCode::NO_CONTENT)
}
