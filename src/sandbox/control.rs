//! The control calls, the same for every simulator: `/control/{provider}/books`,
//! `/control/{provider}/holdings`, `/control/{provider}/meter`, `/control/{provider}/faults`,
//! `/control/{provider}/orders/{number}/advance`, `/control/{provider}/callbacks`,
//! `/control/{provider}/callback-url`, `/control/{provider}/life` and `/control/reset` (api.md, "Development and sandbox").

use std::sync::Arc;

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::faults::Fault;
use super::{BookEntry, Called, NotAdvanced, Pace, Stage, Station, find};

type Stations = Arc<[Arc<Station>]>;

pub(super) fn router(stations: Stations) -> Router {
    Router::new()
        .route("/control/{provider}/books", get(books))
        .route("/control/{provider}/holdings", get(holdings))
        .route("/control/{provider}/meter", get(meter))
        .route("/control/{provider}/orders/{number}/advance", post(advance))
        .route("/control/{provider}/callbacks", post(tell))
        .route("/control/{provider}/callback-url", put(call_at))
        .route("/control/{provider}/life", get(life).put(live_so))
        .route("/control/{provider}/faults", get(faults).put(replace_faults).delete(clear_faults))
        .route("/control/reset", post(reset))
        .fallback(unknown_path)
        .with_state(stations)
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
    State(stations): State<Stations>,
    Path(provider): Path<String>,
    query: Result<Query<BooksQuery>, QueryRejection>,
) -> Response {
    let Some(station) = find(&stations, &provider) else {
        return unknown_provider(&stations, &provider);
    };
    match query {
        Ok(Query(BooksQuery { order_number })) => {
            Json(Items { items: station.simulator.books(order_number.as_deref()) }).into_response()
        }
        Err(rejection) => problem(rejection.status(), &rejection.body_text()),
    }
}

async fn holdings(State(stations): State<Stations>, Path(provider): Path<String>) -> Response {
    match find(&stations, &provider) {
        Some(station) => Json(station.simulator.holdings()).into_response(),
        None => unknown_provider(&stations, &provider),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    to: Stage,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AdvancedOrder {
    #[serde(flatten)]
    entry: BookEntry,
    called_back: Vec<Called>,
}

/// The order as it is in the books then, and who was called about it.
async fn advance(
    State(stations): State<Stations>,
    Path((provider, number)): Path<(String, String)>,
    advance: Result<Json<Advance>, JsonRejection>,
) -> Response {
    let Some(station) = find(&stations, &provider) else {
        return unknown_provider(&stations, &provider);
    };
    let to = match advance {
        Ok(Json(Advance { to })) => to,
        Err(rejection) => return problem(rejection.status(), &rejection.body_text()),
    };
    match station.simulator.advance(&number, to) {
        Ok(entry) => {
            let called_back = station.call(station.due()).await;
            Json(AdvancedOrder { entry, called_back }).into_response()
        }
        Err(reason) => {
            let status = match &reason {
                NotAdvanced::UnknownOrder(_) => StatusCode::NOT_FOUND,
                NotAdvanced::Ambiguous(..) | NotAdvanced::NoWay(_) => StatusCode::CONFLICT,
                NotAdvanced::Unsupported(_) => StatusCode::UNPROCESSABLE_ENTITY,
            };
            problem(status, &reason.to_string())
        }
    }
}

/// Makes the calls back that the body asks for; what it may ask for is the simulator's own.
async fn tell(
    State(stations): State<Stations>,
    Path(provider): Path<String>,
    asked: Result<Json<Value>, JsonRejection>,
) -> Response {
    let Some(station) = find(&stations, &provider) else {
        return unknown_provider(&stations, &provider);
    };
    let asked = match asked {
        Ok(Json(asked)) => asked,
        Err(rejection) => return problem(rejection.status(), &rejection.body_text()),
    };
    let Some(calling) = station.simulator.calling() else {
        return problem(StatusCode::UNPROCESSABLE_ENTITY, &format!("{provider} calls nobody back"));
    };
    match calling.tell(asked) {
        Ok(()) => Json(Items { items: station.call(station.due()).await }).into_response(),
        Err(reason) => problem(StatusCode::UNPROCESSABLE_ENTITY, &reason),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CallbackUrl {
    callback_url: String,
}

async fn call_at(
    State(stations): State<Stations>,
    Path(provider): Path<String>,
    told: Result<Json<CallbackUrl>, JsonRejection>,
) -> Response {
    let Some(station) = find(&stations, &provider) else {
        return unknown_provider(&stations, &provider);
    };
    match (told, station.simulator.calling()) {
        (Ok(Json(CallbackUrl { callback_url })), Some(calling)) => {
            calling.call_at(&callback_url);
            StatusCode::NO_CONTENT.into_response()
        }
        (Ok(_), None) => problem(StatusCode::UNPROCESSABLE_ENTITY, &format!("{provider} calls nobody back")),
        (Err(rejection), _) => problem(rejection.status(), &rejection.body_text()),
    }
}

async fn life(State(stations): State<Stations>, Path(provider): Path<String>) -> Response {
    match find(&stations, &provider) {
        Some(station) => Json(station.life.pace()).into_response(),
        None => unknown_provider(&stations, &provider),
    }
}

/// How orders go on by themselves from now on; what is absent is 0.
async fn live_so(
    State(stations): State<Stations>,
    Path(provider): Path<String>,
    pace: Result<Json<Pace>, JsonRejection>,
) -> Response {
    let Some(station) = find(&stations, &provider) else {
        return unknown_provider(&stations, &provider);
    };
    let pace = match pace {
        Ok(Json(pace)) => pace,
        Err(rejection) => return problem(rejection.status(), &rejection.body_text()),
    };
    if station.simulator.calling().is_none() {
        let detail = format!("orders of {provider} have no stages, and it calls nobody back");
        return problem(StatusCode::UNPROCESSABLE_ENTITY, &detail);
    }
    match pace.check() {
        Ok(()) => {
            station.life.set_pace(pace);
            Json(pace).into_response()
        }
        Err(reason) => problem(StatusCode::UNPROCESSABLE_ENTITY, &reason),
    }
}

async fn meter(State(stations): State<Stations>, Path(provider): Path<String>) -> Response {
    match find(&stations, &provider) {
        Some(station) => Json(Items { items: station.simulator.meter() }).into_response(),
        None => unknown_provider(&stations, &provider),
    }
}

async fn faults(State(stations): State<Stations>, Path(provider): Path<String>) -> Response {
    match find(&stations, &provider) {
        Some(station) => Json(Items { items: station.faults.shown() }).into_response(),
        None => unknown_provider(&stations, &provider),
    }
}

/// All of the list or none of it: what was there before stays if one fault cannot be read.
async fn replace_faults(
    State(stations): State<Stations>,
    Path(provider): Path<String>,
    list: Result<Json<Vec<Value>>, JsonRejection>,
) -> Response {
    let Some(station) = find(&stations, &provider) else {
        return unknown_provider(&stations, &provider);
    };
    let Json(list) = match list {
        Ok(list) => list,
        Err(rejection) => return problem(rejection.status(), &rejection.body_text()),
    };
    let read =
        |(index, given)| Fault::read(given, &*station.simulator).map_err(|reason| format!("faults[{index}]: {reason}"));
    match list.into_iter().enumerate().map(read).collect() {
        Ok(read) => {
            station.faults.replace(read);
            Json(Items { items: station.faults.shown() }).into_response()
        }
        Err(reason) => problem(StatusCode::UNPROCESSABLE_ENTITY, &reason),
    }
}

async fn clear_faults(State(stations): State<Stations>, Path(provider): Path<String>) -> Response {
    match find(&stations, &provider) {
        Some(station) => {
            station.faults.replace(Vec::new());
            StatusCode::NO_CONTENT.into_response()
        }
        None => unknown_provider(&stations, &provider),
    }
}

async fn reset(State(stations): State<Stations>) -> Response {
    for station in stations.iter() {
        station.simulator.reset();
        station.faults.replace(Vec::new());
        station.caller.forget();
        station.life.forget();
    }
    Json(json!({ "reset": ids(&stations) })).into_response()
}

async fn unknown_path(uri: Uri) -> Response {
    let detail = format!("the sandbox has nothing at {}", uri.path());
    problem(StatusCode::NOT_FOUND, &detail)
}

fn unknown_provider(stations: &Stations, provider: &str) -> Response {
    let known = ids(stations).join(", ");
    let detail = format!("the sandbox simulates {known}, and no provider {provider:?}");
    problem(StatusCode::NOT_FOUND, &detail)
}

fn ids(stations: &Stations) -> Vec<&'static str> {
    stations.iter().map(|it| it.simulator.id()).collect()
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
