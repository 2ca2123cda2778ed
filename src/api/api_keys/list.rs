//! `GET /v1/api-keys`

use axum::Json;
use axum::extract::State;
use uuid::Uuid;

use super::ApiKeyView;
use crate::api::AppState;
use crate::api::auth::{Caller, Scope};
use crate::api::params::{Page, Paging, Params, page_limit, read_cursor_of, write_cursor};
use crate::api::problem::{Problem, ProblemDocument};

/// All API keys, oldest first.
///
/// Without the keys themselves, which are shown once. Those that were revoked or have expired are among them.
#[utoipa::path(
    get, path = "/v1/api-keys", operation_id = "listApiKeys", tag = "api keys",
    params(Paging),
    responses(
        (status = 200, description = "A page of keys", body = Page<ApiKeyView>),
        (status = 400, description = "A parameter cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope admin, or is limited to accounts", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["admin"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<ApiKeyView>>, Problem> {
    caller.require(Scope::Admin)?;
    super::require_all_accounts(&caller)?;
    let limit = page_limit(paging.limit)?;
    let after = read_cursor_of(paging.cursor.as_deref())?.unwrap_or(Uuid::nil());
    let keys = state.store.api_keys(after, limit + 1).await?;
    let page = Page::cut(keys, limit, |last| write_cursor(&last.id.to_string()));
    Ok(Json(page.map(ApiKeyView::from)))
}
