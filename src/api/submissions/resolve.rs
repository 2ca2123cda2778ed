//! `POST /v1/submissions/{id}/resolve`

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{lane_of, outcome_of, read, view};
use crate::api::AppState;
use crate::api::auth::{Caller, Scope};
use crate::api::body::{JsonBody, validate};
use crate::api::params::{Id, NoParams, Params};
use crate::api::problem::{Problem, ProblemDocument};
use crate::api::views::SubmissionView;
use crate::canonical::Action;
use crate::store::decide::Resolution;

/// How a doubt ended, as a person found out.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Resolution)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResolutionBody {
    state: ResolvedState,
    /// The number that the provider gave the order
    #[schema(min_length = 1, max_length = 64)]
    provider_order_number: Option<String>,
    /// How that was found out; kept in the audit trail
    #[schema(min_length = 1, max_length = 1000)]
    reason: String,
}

/// How a doubt may end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResolvedState {
    /// The provider has done it.
    Accepted,
    /// The provider has not done it.
    Rejected,
}

/// Ends a doubt on a person's word.
///
/// Nothing is sent. Who said it, and why, is kept among the submission's results.
#[utoipa::path(
    post, path = "/v1/submissions/{id}/resolve", operation_id = "resolveSubmission", tag = "submissions",
    params(("id" = uuid::Uuid, Path, description = "Id of the submission")),
    request_body(content = ResolutionBody),
    responses(
        (status = 200, description = "The submission, ended", body = SubmissionView),
        (status = 400, description = "The request cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope orders:write", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such submission that the key may see", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "The submission is not in doubt", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The body is no decision", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["orders:write"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id,
    _: Params<NoParams>,
    body: JsonBody,
) -> Result<Json<SubmissionView>, Problem> {
    caller.require(Scope::OrdersWrite)?;
    let submission = read(&state, &caller, id).await?;
    let ResolutionBody { state: resolved, provider_order_number, reason } = validate(&body.value)?;
    let resolution = Resolution {
        accepted: resolved == ResolvedState::Accepted,
        provider_order_number: provider_order_number.as_deref(),
        reason: &reason,
        decided_by: caller.key_id,
    };
    let chosen =
        json!({"accepted": resolution.accepted, "providerOrderNumber": provider_order_number, "reason": reason});
    let act = caller.act(Action::ResolveSubmission, id, Some(&submission.account_id), chosen);
    outcome_of(&state.store.resolve_submission(id, &resolution, &act).await?)?;
    tracing::info!(submission = %id, by = %caller.key_id, state = ?resolved, reason, "a person resolved a doubt");
    state.delivery.waiting().settled(std::iter::once(id));
    // What waited behind it may go now.
    if let Some(lane) = lane_of(&state, &submission).await? {
        state.delivery.wake(&lane);
    }
    Ok(Json(view(&state, read(&state, &caller, id).await?).await?))
}
