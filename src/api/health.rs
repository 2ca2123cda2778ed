//! Whether the process lives, and whether it can take work.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::AppState;
use super::problem::{Kind, Problem, ProblemDocument};
use crate::store::within;

/// How the process does.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`
    pub status: &'static str,
    /// What an operator should know
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub detail: Option<String>,
}

/// Tells that the process lives.
///
/// It says nothing of the database: where that is away, a restart would not help. Needs no API key.
#[utoipa::path(get, path = "/healthz", operation_id = "getHealth", tag = "health", responses((status = 200, description = "The process lives", body = Health)))]
pub async fn live() -> Json<Health> {
    Json(Health { status: "ok", detail: None })
}

/// Tells whether the process can take work.
///
/// It can when the database answers, its schema has all that this version needs, and the gateway is not about to end. A
/// newer schema is no reason not to: while an upgrade goes on, gateways of the version before go on serving. Needs no
/// API key.
#[utoipa::path(get, path = "/readyz", operation_id = "getReadiness", tag = "health", responses(
    (status = 200, description = "Work is taken", body = Health),
    (status = 503, description = "The database cannot be reached, its schema is not one that this version can serve on, or the gateway is about to end", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn ready(State(state): State<AppState>) -> Result<Json<Health>, Problem> {
    if state.stopping.is_cancelled() {
        return Err(Problem::new(Kind::Unavailable, "The gateway is about to end."));
    }
    let schema = within(state.store.schema()).await?;
    if !schema.may_serve() {
        return Err(Problem::new(Kind::Unavailable, format!("This gateway cannot take work: {schema}.")));
    }
    Ok(Json(Health { status: "ok", detail: (!schema.may_start()).then(|| schema.to_string()) }))
}
