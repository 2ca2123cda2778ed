//! `POST /v1/trips`

use std::num::NonZeroU32;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{TripView, answer, read};
use crate::api::AppState;
use crate::api::auth::{Caller, Scope};
use crate::api::body::{JsonBody, validate};
use crate::api::idempotency::{IdempotencyHeader, replay};
use crate::api::orders::create::as_kept;
use crate::api::orders::{Wait, mark_replayed, queue_full};
use crate::api::params::{MutationParams, Params, PreferWait};
use crate::api::patch::coherent;
use crate::api::problem::{Kind, Problem, ProblemDocument};
use crate::api::translating::{Translated, account_for, translation_answer};
use crate::canonical::{FieldError, Operation, Order};
use crate::metrics::OPERATIONS_ACCEPTED;
use crate::provider::{Item, Trip};
use crate::store::idempotency::IdempotencyKey;
use crate::store::trips::{AcceptedTrip, NewTrip, NewTripOrder};

/// Several orders for one vehicle.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewTrip)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TripToMake {
    /// Downstream account of all its orders
    #[schema(pattern = "^[a-z0-9][a-z0-9-]{1,62}$")]
    account: String,
    /// Orders as for POST /v1/orders, with or without their account
    #[schema(min_items = 1, max_items = 100, value_type = Vec<Object>)]
    orders: Vec<Value>,
    driver: TripDriver,
}

/// Who drives.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TripDriver {
    /// Mobile number, E.164 preferred
    #[schema(min_length = 1, max_length = 32)]
    phone: String,
}

/// A trip that may be queued.
struct CheckedTrip {
    account: String,
    driver_phone: String,
    orders: Vec<Order>,
    /// In JSON, as they are kept
    documents: Vec<String>,
    translated: Translated,
    /// How much may wait for its account
    queue_limit: Option<NonZeroU32>,
}

/// Creates several orders and puts them on one vehicle.
///
/// In one submission: all of it is accepted, or nothing.
#[utoipa::path(
    post, path = "/v1/trips", operation_id = "createTrip", tag = "trips",
    params(
        MutationParams,
        ("Idempotency-Key" = String, Header, pattern = "^[!-~]{1,255}$", description = "Required; makes a repetition of this request safe; kept 72 hours"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: wait up to N seconds, at most 30, for the provider's answer"),
    ),
    request_body(content = TripToMake),
    responses(
        (status = 200, description = "With validateOnly: what would be sent", body = crate::api::translating::TranslationView),
        (status = 201, description = "The provider answered within the wait", body = TripView, headers(("Location" = String))),
        (status = 202, description = "Accepted and queued", body = TripView, headers(("Location" = String))),
        (status = 400, description = "The request cannot be read, or has no Idempotency-Key", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope orders:write", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "The account has orders of these numbers, or the first request with this key is still running", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The trip is not valid, or the provider cannot carry it", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "Too much waits for the account; nothing was accepted", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["orders:write"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Params(params): Params<MutationParams>,
    prefer: PreferWait,
    idempotency: IdempotencyHeader,
    body: JsonBody,
) -> Result<Response, Problem> {
    caller.require(Scope::OrdersWrite)?;
    if params.validate_only {
        return translation_answer(check(&state, &caller, &body.value).await?.translated);
    }
    let key = idempotency.key(&caller, "POST", &body.text.bytes, prefer).ok_or_else(|| {
        Problem::new(
            Kind::IdempotencyKeyMissing,
            "A trip needs an Idempotency-Key: without one, an answer that gets lost could not be asked for again.",
        )
    })?;
    if let Some(response) = replayed(&state, &caller, &key).await? {
        return Ok(response);
    }
    let CheckedTrip { account, driver_phone, orders, documents, translated, queue_limit } =
        check(&state, &caller, &body.value).await?;
    let (trip_id, submission_id) = (Uuid::now_v7(), Uuid::now_v7());
    let members: Vec<NewTripOrder<'_>> = orders
        .iter()
        .zip(&documents)
        .map(|(order, document)| NewTripOrder {
            order_id: Uuid::now_v7(),
            document_type: order.document_type(),
            order_number: &order.order_number,
            customer_reference: order.customer_reference.as_deref(),
            document,
        })
        .collect();
    let new = NewTrip {
        trip_id,
        submission_id,
        account_id: &account,
        provider: &translated.lane.provider,
        endpoint: &translated.lane.endpoint,
        driver_phone: &driver_phone,
        orders: &members,
        batch_key: &translated.batch_key,
        notices: &translated.notices,
        idempotency: &key,
        queue_limit,
        trace_parent: caller.trace_parent(),
    };
    let wait = Wait::begin(&state, submission_id, prefer);
    match state.store.accept_trip(&new).await? {
        AcceptedTrip::New => OPERATIONS_ACCEPTED.increment([&account, Operation::CreateTrip.into()]),
        AcceptedTrip::KeyKnown => {
            return replayed(&state, &caller, &key).await?.ok_or_else(|| {
                Problem::new(Kind::Unavailable, "The first request with this key vanished; repeat this one.")
            });
        }
        AcceptedTrip::QueueFull => return Err(queue_full(&account)),
        AcceptedTrip::NumbersTaken(numbers) => return Err(taken(&orders, &numbers)),
    }
    state.delivery.wake(&translated.lane);
    let ended = wait.end(&state).await?.has_ended();
    let status = if ended { StatusCode::CREATED } else { StatusCode::ACCEPTED };
    if prefer.0.is_some() {
        state.store.finish_request(&key, status.as_u16(), trip_id).await?;
    }
    let mut response = answer(status, &read(&state, &caller, trip_id).await?);
    if let Some((name, value)) = prefer.applied().filter(|_| ended) {
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

/// The answer to a repetition, where the key is known.
async fn replayed(state: &AppState, caller: &Caller, key: &IdempotencyKey) -> Result<Option<Response>, Problem> {
    let Some(first) = replay(&state.store, key).await? else { return Ok(None) };
    let status = StatusCode::from_u16(first.status).unwrap_or(StatusCode::ACCEPTED);
    Ok(Some(mark_replayed(answer(status, &read(state, caller, first.resource_id).await?))))
}

/// Checks a trip with all its orders. Pointers are into the body.
async fn check(state: &AppState, caller: &Caller, body: &Value) -> Result<CheckedTrip, Problem> {
    let TripToMake { account, orders: given, driver } = validate(body)?;
    let opened = account_for(state, caller, &account).await?;
    let mut errors = Vec::new();
    let mut orders: Vec<Order> = Vec::with_capacity(given.len());
    for (index, document) in given.into_iter().enumerate() {
        match member(&account, document) {
            Ok(order) if orders.iter().any(|other| other.order_number == order.order_number) => {
                errors.push(FieldError::new(
                    format!("/orders/{index}/orderNumber"),
                    "validation.duplicate",
                    "stands on another order of the trip, too",
                    "与同车次其他订单的订单号重复",
                ));
            }
            Ok(order) => orders.push(order),
            Err(problem) => errors.extend(problem.below(&format!("/orders/{index}")).into_errors()),
        }
    }
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    let translated = match orders.first() {
        Some(first) => opened.translate(Item {
            operation: Operation::CreateTrip,
            trip: Some(Trip { orders: &orders, driver_phone: &driver.phone }),
            ..Item::create(first)
        })?,
        None => return Err(Problem::new(Kind::ValidationFailed, "A trip needs at least one order.")),
    };
    let documents = orders.iter().map(as_kept).collect::<Result<_, _>>()?;
    let queue_limit = opened.queue_limit(state);
    Ok(CheckedTrip { account, driver_phone: driver.phone, orders, documents, translated, queue_limit })
}

/// One order of the trip, for the trip's account.
fn member(account: &str, mut document: Value) -> Result<Order, Problem> {
    if let Some(members) = document.as_object_mut() {
        members.entry("account").or_insert_with(|| json!(account));
    }
    let order: Order = validate(&document)?;
    let mut errors = Vec::new();
    if order.account != account {
        errors.push(FieldError::new(
            "/account",
            "validation.inconsistent",
            "must be absent, or the trip's account",
            "必须为空或与车次账户一致",
        ));
    }
    if order.provider_order_number.is_some() {
        errors.push(FieldError::new(
            "/providerOrderNumber",
            "validation.read_only",
            "is assigned by the provider",
            "由目标系统分配",
        ));
    }
    if errors.is_empty() { coherent(order) } else { Err(Problem::invalid(errors)) }
}

/// Which of the trip's orders have numbers that the account has already.
fn taken(orders: &[Order], numbers: &[String]) -> Problem {
    let errors =
        orders.iter().enumerate().filter(|(_, order)| numbers.contains(&order.order_number)).map(|(index, _)| {
            FieldError::new(
                format!("/orders/{index}/orderNumber"),
                "duplicate.order_number",
                "is the number of an order that the account has already",
                "该账户已存在相同订单号",
            )
        });
    Problem::new(Kind::OrderExists, "The account has orders of these numbers already; nothing was accepted.")
        .with_errors(errors.collect())
}
