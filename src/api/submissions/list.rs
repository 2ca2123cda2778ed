//! `GET /v1/submissions`

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::api::AppState;
use crate::api::auth::{Caller, Scope};
use crate::api::params::{Page, Params, page_limit, read_time_cursor, write_time_cursor};
use crate::api::problem::{Problem, ProblemDocument};
use crate::api::views::SubmissionView;
use crate::canonical::{Operation, SubmissionState};
use crate::store::submissions::SubmissionFilter;

/// Which submissions are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SubmissionsQuery {
    /// Account
    pub account: Option<String>,
    /// Where the submission stands
    pub state: Option<SubmissionState>,
    /// What is asked of the provider
    pub operation: Option<Operation>,
    /// Id of the order
    pub order_id: Option<Uuid>,
    /// Items on a page, 1 to 200
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u16>,
    /// `nextCursor` of the page before
    pub cursor: Option<String>,
}

/// Submissions, newest first.
///
/// By account, state, operation and order: `state=in_doubt` lists what was sent and had no readable answer.
#[utoipa::path(
    get, path = "/v1/submissions", operation_id = "listSubmissions", tag = "submissions",
    params(SubmissionsQuery),
    responses(
        (status = 200, description = "A page of submissions", body = Page<SubmissionView>),
        (status = 400, description = "A parameter cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope orders:read", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["orders:read"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Params(query): Params<SubmissionsQuery>,
) -> Result<Json<Page<SubmissionView>>, Problem> {
    caller.require(Scope::OrdersRead)?;
    let SubmissionsQuery { account, state: wanted, operation, order_id, limit, cursor } = query;
    let limit = page_limit(limit)?;
    let filter = SubmissionFilter {
        account: account.as_deref(),
        state: wanted.map(Into::into),
        operation: operation.map(Into::into),
        order_id,
        allowed: caller.accounts(),
        before: cursor.as_deref().map(read_time_cursor).transpose()?,
        // One more tells whether there is a next page.
        limit: limit + 1,
    };
    let submissions = state.store.submissions(&filter).await?;
    let page = Page::cut(submissions, limit, |last| write_time_cursor(last.created_at, last.id));
    Ok(Json(page.map(|submission| SubmissionView::of(submission, None))))
}
