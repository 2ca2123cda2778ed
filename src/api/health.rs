//! Whether the process lives, and whether it can take work.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::AppState;
use super::problem::{Kind, Problem, ProblemDocument};

/// How the process does.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`
    pub status: &'static str,
}

/// The process lives.
#[utoipa::path(get, path = "/healthz", operation_id = "getHealth", tag = "health", responses((status = 200, description = "The process lives", body = Health)))]
pub async fn live() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// The process can take work: the database answers and its schema is the expected one.
#[utoipa::path(get, path = "/readyz", operation_id = "getReadiness", tag = "health", responses(
    (status = 200, description = "Work is taken", body = Health),
    (status = 503, description = "The database cannot be reached or is not migrated", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn ready(State(state): State<AppState>) -> Result<Json<Health>, Problem> {
    if state.store.is_ready().await? {
        Ok(Json(Health { status: "ok" }))
    } else {
        Err(Problem::new(Kind::Unavailable, "The database's schema is not the one that this version expects."))
    }
}
