//! `POST /v1/orders/batch`

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::answering::{mark_replayed, queue_full};
use super::create::{CheckedOrder, check};
use super::with_submissions;
use crate::api::AppState;
use crate::api::auth::{Caller, Scope};
use crate::api::body::{JsonBody, validate};
use crate::api::idempotency::{IdempotencyHeader, replay};
use crate::api::params::{MutationParams, Params, PreferWait};
use crate::api::problem::{Kind, Problem, ProblemDocument};
use crate::api::translating::TranslationView;
use crate::api::views::{OrderEnvelope, OrderView};
use crate::canonical::Operation;
use crate::metrics::{HTTP_REFUSALS, OPERATIONS_ACCEPTED};
use crate::store::accept::NewOrder;
use crate::store::{self, AcceptedBatch};

const PATH: &str = "/v1/orders/batch";
/// The most orders of one request.
const MOST_ORDERS: usize = 1000;

/// Orders to be created together.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewOrders)]
#[serde(deny_unknown_fields)]
pub struct OrdersBody {
    /// Up to 1,000 canonical orders; each is checked by itself
    #[schema(min_items = 1, value_type = Vec<Value>)]
    orders: Vec<Value>,
}

/// What became of each order.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchAnswer {
    /// In the order of the request
    #[schema(value_type = Vec<BatchItemSchema>)]
    items: Vec<BatchItem>,
}

/// What became of one order.
#[derive(Debug, Serialize)]
pub struct BatchItem {
    index: usize,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<OrderView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    translation: Option<TranslationView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Value>,
}

impl BatchItem {
    fn accepted(index: usize, order: OrderView) -> Self {
        let status = StatusCode::ACCEPTED.as_u16();
        BatchItem { index, status, order: Some(order), translation: None, problem: None }
    }

    fn translated(index: usize, translation: TranslationView) -> Self {
        BatchItem { index, status: 200, order: None, translation: Some(translation), problem: None }
    }

    /// `problem` is what an order alone would be answered, but for where and when it was asked.
    fn refused(index: usize, mut problem: Value, caller: &Caller) -> Self {
        problem["instance"] = json!(PATH);
        problem["requestId"] = json!(caller.request_id());
        let status = problem["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(500);
        BatchItem { index, status, order: None, translation: None, problem: Some(problem) }
    }
}

/// The form of [`BatchItem`] in the OpenAPI file.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BatchItem)]
pub struct BatchItemSchema {
    /// Place in the request, from 0
    index: usize,
    /// HTTP status that the order alone would have had
    status: u16,
    /// The order, when it was accepted
    order: Option<OrderEnvelope>,
    /// With validateOnly: what would be sent
    translation: Option<TranslationView>,
    /// What is wrong with it, when it was not
    problem: Option<ProblemDocument>,
}

/// Accepts many orders at once. A bad one never spoils its neighbours.
#[utoipa::path(
    post, path = "/v1/orders/batch", operation_id = "createOrders", tag = "orders",
    params(
        MutationParams,
        ("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,255}$", description = "Required unless validateOnly; makes a repetition of this request safe; kept 72 hours"),
    ),
    request_body(content = OrdersBody),
    responses(
        (status = 207, description = "What became of each order", body = BatchAnswer),
        (status = 400, description = "The request cannot be read, or has no Idempotency-Key", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope orders:write", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "The first request with this key is still running", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large, or holds more than 1,000 orders", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The body is no batch, or the key was used with another one", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["orders:write"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Params(params): Params<MutationParams>,
    idempotency: IdempotencyHeader,
    mut body: JsonBody,
) -> Result<Response, Problem> {
    caller.require(Scope::OrdersWrite)?;
    if params.validate_only {
        return preview(&state, &caller, &orders_of(&body.value)?).await;
    }
    let key = idempotency.key(&caller, "POST", &body.bytes, PreferWait(None)).ok_or_else(|| {
        Problem::new(
            Kind::IdempotencyKeyMissing,
            "A batch needs an Idempotency-Key: without one, an answer that gets lost could not be asked for again.",
        )
    })?;
    if let Some(first) = replay(&state.store, &key).await? {
        return Ok(mark_replayed(replayed(&state, &caller, first.answer).await?));
    }
    let orders = orders_of(&body.value)?;
    // A large batch is not held in more copies than it must be.
    body.value = Value::Null;
    let mut checked = Vec::with_capacity(orders.len());
    for order in orders {
        checked.push(check(&state, &caller, &order).await.and_then(Candidate::of));
    }
    let candidates: Vec<&Candidate> = checked.iter().filter_map(|checked| checked.as_ref().ok()).collect();
    let new: Vec<NewOrder<'_>> =
        candidates.iter().map(|candidate| candidate.new_order(caller.trace_parent())).collect();
    let answer = |items: &[store::BatchItem]| json!(remembered(&checked, items));
    match state.store.accept_orders(&new, Uuid::now_v7(), &key, answer).await? {
        AcceptedBatch::Done(items) => {
            for (candidate, item) in candidates.iter().zip(&items) {
                match item {
                    store::BatchItem::Kept => {
                        let account = candidate.checked.order.account.as_str();
                        OPERATIONS_ACCEPTED.increment([account, Operation::Create.into()]);
                        state.delivery.wake(&candidate.checked.translated.lane);
                    }
                    store::BatchItem::QueueFull => HTTP_REFUSALS.increment(["queue_full"]),
                    store::BatchItem::NumberTaken => {}
                }
            }
            replayed(&state, &caller, Some(json!(remembered(&checked, &items)))).await
        }
        AcceptedBatch::KeyKnown => {
            let first = replay(&state.store, &key).await?;
            Ok(mark_replayed(replayed(&state, &caller, first.and_then(|first| first.answer)).await?))
        }
    }
}

fn orders_of(body: &Value) -> Result<Vec<Value>, Problem> {
    let OrdersBody { orders } = validate(body)?;
    if orders.len() > MOST_ORDERS {
        return Err(Problem::new(
            Kind::BatchTooLarge,
            format!("A batch holds at most {MOST_ORDERS} orders; this one holds {}.", orders.len()),
        ));
    }
    Ok(orders)
}

/// What would be sent of each order. Nothing is stored or sent.
async fn preview(state: &AppState, caller: &Caller, orders: &[Value]) -> Result<Response, Problem> {
    let mut items = Vec::with_capacity(orders.len());
    for (index, order) in orders.iter().enumerate() {
        items.push(match check(state, caller, order).await {
            Ok(checked) => BatchItem::translated(index, checked.translated.into()),
            Err(problem) => BatchItem::refused(index, problem.to_value(), caller),
        });
    }
    Ok((StatusCode::MULTI_STATUS, Json(BatchAnswer { items })).into_response())
}

/// An order that may be kept.
struct Candidate {
    order_id: Uuid,
    submission_id: Uuid,
    document: Value,
    checked: CheckedOrder,
}

impl Candidate {
    fn of(checked: CheckedOrder) -> Result<Self, Problem> {
        let document = serde_json::to_value(&checked.order)
            .map_err(|error| Problem::new(Kind::Internal, format!("The order cannot be written: {error}.")))?;
        Ok(Candidate { order_id: Uuid::now_v7(), submission_id: Uuid::now_v7(), document, checked })
    }

    fn new_order<'a>(&'a self, trace_parent: Option<&'a str>) -> NewOrder<'a> {
        let CheckedOrder { order, translated, queue_limit } = &self.checked;
        NewOrder {
            order_id: self.order_id,
            submission_id: self.submission_id,
            account_id: &order.account,
            provider: &translated.lane.provider,
            endpoint: &translated.lane.endpoint,
            document_type: order.document_type(),
            order_number: &order.order_number,
            document: &self.document,
            batch_key: &translated.batch_key,
            notices: &translated.notices,
            idempotency: None,
            queue_limit: *queue_limit,
            trace_parent,
        }
    }
}

/// What is remembered of each order: its id, or what is wrong with it.
fn remembered(checked: &[Result<Candidate, Problem>], items: &[store::BatchItem]) -> Vec<Value> {
    let mut items = items.iter();
    checked
        .iter()
        .map(|checked| match checked {
            Ok(Candidate { order_id, checked: CheckedOrder { order, .. }, .. }) => match items.next() {
                Some(store::BatchItem::Kept) => json!({"orderId": order_id}),
                Some(store::BatchItem::QueueFull) => json!({"problem": queue_full(&order.account).to_value()}),
                Some(store::BatchItem::NumberTaken) | None => {
                    let detail = format!("The account {} has an order {} already.", order.account, order.order_number);
                    json!({"problem": Problem::new(Kind::OrderExists, detail).to_value()})
                }
            },
            Err(problem) => json!({"problem": problem.to_value()}),
        })
        .collect()
}

/// The answer from what is remembered, with the orders as they are now.
async fn replayed(state: &AppState, caller: &Caller, answer: Option<Value>) -> Result<Response, Problem> {
    let remembered = answer.and_then(|answer| answer.as_array().cloned()).unwrap_or_default();
    let id_of = |item: &Value| item["orderId"].as_str().and_then(|id| id.parse::<Uuid>().ok());
    let ids: Vec<Uuid> = remembered.iter().filter_map(id_of).collect();
    let mut orders = state.store.orders_by_id(&ids).await?;
    orders.retain(|order| caller.may_use(&order.account_id));
    let views = with_submissions(state, orders).await?;
    let mut orders: HashMap<Uuid, OrderView> = views.into_iter().map(|order| (order.envelope.id, order)).collect();
    let items = remembered
        .iter()
        .enumerate()
        .map(|(index, item)| match id_of(item).and_then(|id| orders.remove(&id)) {
            Some(order) => BatchItem::accepted(index, order),
            None => BatchItem::refused(index, item["problem"].clone(), caller),
        })
        .collect();
    Ok((StatusCode::MULTI_STATUS, Json(BatchAnswer { items })).into_response())
}
