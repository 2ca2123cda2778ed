//! `POST /v1/accounts/{account}/rotate-callback-token`

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use super::{AccountView, read};
use crate::api::AppState;
use crate::api::auth::Caller;
use crate::api::params::Params;
use crate::api::problem::{Kind, Problem, ProblemDocument};
use crate::callback::{DoorError, Rotated};
use crate::canonical::Action;
use crate::provider;

/// How long the old path is called at, where nobody says.
const USUAL_OVERLAP: u32 = 24;
/// 90 days: providers whose people are told where to call need time.
const LONGEST_OVERLAP: u32 = 2160;

/// How a callback token is replaced.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Overlap {
    /// For how many hours calls at the old path are taken; 0 ends it at once
    #[param(minimum = 0, maximum = 2160, default = 24)]
    overlap_hours: Option<u32>,
}

/// Gives the account another callback path.
///
/// Calls at the old one are taken for `overlapHours`, so that whoever calls may change over at any time of them; one
/// that is still older ends at once. What the gateway subscribed at the provider is moved to the new path by itself;
/// a provider without subscriptions has to be told.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/rotate-callback-token", operation_id = "rotateCallbackToken", tag = "accounts",
    params(("account" = String, Path, description = "Id of the account"), Overlap),
    responses(
        (status = 200, description = "The account, with its new callbackUrl", body = AccountView, headers(("ETag" = String))),
        (status = 400, description = "A parameter cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope admin", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such account that the key may see", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The provider does not call", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["admin"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    Params(Overlap { overlap_hours }): Params<Overlap>,
) -> Result<Response, Problem> {
    let account = read(&state, &caller, &id).await?;
    let hours = overlap_hours.unwrap_or(USUAL_OVERLAP);
    if hours > LONGEST_OVERLAP {
        return Err(Problem::new(
            Kind::MalformedRequest,
            format!("overlapHours must lie between 0 and {LONGEST_OVERLAP}."),
        ));
    }
    let act = caller.act(Action::RotateCallbackToken, &id, Some(&id), json!({"overlapHours": hours}));
    match state.callbacks.rotate_token(&account, Duration::from_secs(u64::from(hours) * 3600), &act).await {
        Ok(Rotated::Done) => {}
        Ok(Rotated::Unknown) => return Err(Problem::not_found("account")),
        Ok(Rotated::NotCalled) => {
            let name = provider::find(&account.provider).map_or("The provider", |found| found.profile().name);
            return Err(Problem::new(Kind::UnsupportedByProvider, format!("{name} does not call.")));
        }
        Err(DoorError::Store(error)) => return Err(error.into()),
        Err(error @ DoorError::Vault(_)) => {
            tracing::error!(%error, account = id, "no callback token can be made");
            return Err(Problem::new(Kind::Internal, "No new path can be made; the log says why."));
        }
    }
    tracing::info!(account = id, overlap_hours = hours, by = %caller.key_id, "callback token of an account rotated");
    let account = AccountView::of(&state, read(&state, &caller, &id).await?).await?;
    Ok(([(header::ETAG, format!("\"{}\"", account.version))], Json(account)).into_response())
}
