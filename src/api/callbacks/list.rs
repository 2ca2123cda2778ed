//! `GET /v1/callbacks`

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::CallbackView;
use crate::api::AppState;
use crate::api::auth::{Caller, Scope};
use crate::api::params::{Page, Params, page_limit, read_time_cursor, write_time_cursor};
use crate::api::problem::{Problem, ProblemDocument};
use crate::canonical::CallbackState;
use crate::store::callbacks::CallbackFilter;

/// Which callbacks are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CallbacksQuery {
    /// Account
    pub account: Option<String>,
    /// Where the callback stands
    pub state: Option<CallbackState>,
    /// Items on a page, 1 to 200
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u16>,
    /// `nextCursor` of the page before
    pub cursor: Option<String>,
}

/// What providers called, newest first.
///
/// By state and account: `state=quarantined` lists what was not accepted and waits for a person.
#[utoipa::path(
    get, path = "/v1/callbacks", operation_id = "listCallbacks", tag = "callbacks",
    params(CallbacksQuery),
    responses(
        (status = 200, description = "A page of callbacks", body = Page<CallbackView>),
        (status = 400, description = "A parameter cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope admin", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["admin"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Params(query): Params<CallbacksQuery>,
) -> Result<Json<Page<CallbackView>>, Problem> {
    caller.require(Scope::Admin)?;
    let CallbacksQuery { account, state: wanted, limit, cursor } = query;
    let limit = page_limit(limit)?;
    let filter = CallbackFilter {
        account: account.as_deref(),
        state: wanted.map(Into::into),
        allowed: caller.accounts(),
        before: cursor.as_deref().map(read_time_cursor).transpose()?,
        // One more tells whether there is a next page.
        limit: limit + 1,
    };
    let callbacks = state.store.callbacks(&filter).await?;
    let page = Page::cut(callbacks, limit, |last| write_time_cursor(last.received_at, last.id));
    Ok(Json(page.map(CallbackView::from)))
}
