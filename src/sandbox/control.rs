//! The control calls, the same for every simulator: `/control/{provider}/books`,
//! `/control/{provider}/meter` and `/control/reset` (api.md, "Development and sandbox").

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Simulator, find};

type Simulators = Arc<[Arc<dyn Simulator>]>;

pub(super) fn router(simulators: Simulators) -> Router {
    Router::new()
        .route("/control/{provider}/books", get(books))
        .route("/control/{provider}/meter", get(meter))
        .route("/control/reset", post(reset))
        .fallback(unknown_path)
        .with_state(simulators)
}

#[derive(Serialize)]
struct Items<T> {
    items: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BooksQuery {
    order_number: Option<String>,
}

async fn books(
    State(simulators): State<Simulators>,
    Path(provider): Path<String>,
    query: Result<Query<BooksQuery>, QueryRejection>,
) -> Response {
    let Some(simulator) = find(&simulators, &provider) else {
        return unknown_provider(&simulators, &provider);
    };
    match query {
        Ok(Query(BooksQuery { order_number })) => {
            Json(Items { items: simulator.books(order_number.as_deref()) }).into_response()
        }
        Err(rejection) => problem(rejection.status(), &rejection.body_text()),
    }
}

async fn meter(State(simulators): State<Simulators>, Path(provider): Path<String>) -> Response {
    match find(&simulators, &provider) {
        Some(simulator) => Json(Items { items: simulator.meter() }).into_response(),
        None => unknown_provider(&simulators, &provider),
    }
}

async fn reset(State(simulators): State<Simulators>) -> Response {
    for simulator in simulators.iter() {
        simulator.reset();
    }
    Json(json!({ "reset": ids(&simulators) })).into_response()
}

async fn unknown_path(uri: Uri) -> Response {
    let detail = format!("the sandbox has nothing at {}", uri.path());
    problem(StatusCode::NOT_FOUND, &detail)
}

fn unknown_provider(simulators: &Simulators, provider: &str) -> Response {
    let known = ids(simulators).join(", ");
    let detail = format!("the sandbox simulates {known}, and no provider {provider:?}");
    problem(StatusCode::NOT_FOUND, &detail)
}

fn ids(simulators: &Simulators) -> Vec<&'static str> {
    simulators.iter().map(|it| it.id()).collect()
}

/// An error of the control calls, in the form that the gateway uses too (RFC 9457).
fn problem(status: StatusCode, detail: &str) -> Response {
    let body = json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": detail,
    });
    let content_type = [(header::CONTENT_TYPE, "application/problem+json")];
    (status, content_type, Json(body)).into_response()
}
