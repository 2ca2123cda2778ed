//! `GET /v1/audit-log`

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::AppState;
use super::auth::{Caller, Scope};
use super::params::{Page, Params, page_limit, read_time_cursor, write_time_cursor};
use super::problem::{Problem, ProblemDocument};
use crate::canonical::Action;
use crate::store::audit::{AuditFilter, StoredAct};

/// Which entries are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditLogQuery {
    /// Account that the act concerns
    pub account: Option<String>,
    /// What was done
    pub action: Option<Action>,
    /// Id of the API key that did it
    pub key_id: Option<Uuid>,
    /// Items on a page, 1 to 200
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u16>,
    /// `nextCursor` of the page before
    pub cursor: Option<String>,
}

/// Who administered what, and when. Entries are never changed and never removed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntryView {
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub actor: ActorView,
    pub action: Action,
    /// What was acted on: its id
    pub object: String,
    /// The account that it concerns
    #[schema(required)]
    pub account: Option<String>,
    /// What was chosen, without any secret
    #[schema(value_type = Object)]
    pub details: Value,
    /// `x-request-id` of the request
    #[schema(required)]
    pub request_id: Option<String>,
    /// IP address from which the request came
    #[schema(required)]
    pub address: Option<String>,
}

/// Who acted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Actor)]
#[serde(rename_all = "camelCase")]
pub struct ActorView {
    /// `api_key`; `environment`, whoever set a variable of the gateway; or `command_line`
    #[schema(pattern = "^(api_key|environment|command_line)$")]
    pub kind: String,
    /// Id of the API key
    #[schema(required)]
    pub key_id: Option<Uuid>,
    /// Name of the API key at that time, of the variable, or of the command
    pub name: String,
}

impl From<StoredAct> for AuditEntryView {
    fn from(stored: StoredAct) -> Self {
        let StoredAct { id, at, actor, key_id, actor_name, action, object, account_id, details, request_id, address } =
            stored;
        let actor = ActorView { kind: actor, key_id, name: actor_name };
        AuditEntryView { id, at, actor, action, object, account: account_id, details, request_id, address }
    }
}

/// Every administrative act, newest first.
///
/// Written in the commit of the act, and never changed. A key that is limited to accounts sees what concerns these.
#[utoipa::path(
    get, path = "/v1/audit-log", operation_id = "listAuditLog", tag = "audit log",
    params(AuditLogQuery),
    responses(
        (status = 200, description = "A page of entries", body = Page<AuditEntryView>),
        (status = 400, description = "A parameter cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope admin", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["admin"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Params(query): Params<AuditLogQuery>,
) -> Result<Json<Page<AuditEntryView>>, Problem> {
    caller.require(Scope::Admin)?;
    let AuditLogQuery { account, action, key_id, limit, cursor } = query;
    let limit = page_limit(limit)?;
    let filter = AuditFilter {
        account: account.as_deref(),
        action,
        key_id,
        allowed: caller.accounts(),
        before: cursor.as_deref().map(read_time_cursor).transpose()?,
        // One more tells whether there is a next page.
        limit: limit + 1,
    };
    let entries = state.store.audit_log(&filter).await?;
    let page = Page::cut(entries, limit, |last| write_time_cursor(last.at, last.id));
    Ok(Json(page.map(AuditEntryView::from)))
}
