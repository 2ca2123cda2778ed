//! `POST /v1/orders/batch`

use std::collections::HashMap;
use std::fmt::Write as _;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::accepted::{Candidate, among_others};
use super::answering::{mark_replayed, queue_full};
use super::batch_orders::{BatchOrder, BatchOrders, OrdersBody};
use super::create::{CheckedOrder, check_for, exists, read, read_as_written, set_out};
use super::{in_json, with_submissions};
use crate::api::AppState;
use crate::api::auth::{Caller, Scope};
use crate::api::body::JsonText;
use crate::api::idempotency::{IdempotencyHeader, replay};
use crate::api::params::{MutationParams, Params, PreferWait};
use crate::api::problem::{Kind, Problem, ProblemDocument};
use crate::api::translating::{KnownAccounts, TranslationView};
use crate::api::views::{OrderEnvelope, OrderView};
use crate::canonical::Order;
use crate::metrics::HTTP_REFUSALS;
use crate::provider::{Trace, Written};
use crate::store::accept::{Accepted, AcceptedBatch};

const PATH: &str = "/v1/orders/batch";

/// What became of each order.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the form of the answer, which is written by hand")]
pub struct BatchAnswer {
    /// In the order of the request
    items: Vec<BatchItemSchema>,
}

/// What became of one order.
#[derive(Debug, Serialize)]
pub struct BatchItem {
    index: usize,
    status: u16,
    /// Written apart
    #[serde(skip)]
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
    #[schema(value_type = u32)]
    index: usize,
    /// HTTP status that the order alone would have had
    status: u16,
    /// The order, when it was accepted
    #[schema(nullable = false)]
    order: Option<OrderEnvelope>,
    /// With validateOnly: what would be sent
    #[schema(nullable = false)]
    translation: Option<TranslationView>,
    /// What is wrong with it, when it was not
    #[schema(nullable = false)]
    problem: Option<ProblemDocument>,
}

/// Accepts many orders at once.
///
/// A bad one never spoils its neighbours: each is answered by itself, in the order of the request. All that are
/// accepted are accepted in one commit.
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
    body: JsonText,
) -> Result<Response, Problem> {
    caller.require(Scope::OrdersWrite)?;
    let orders = BatchOrders::of(&body)?;
    if params.validate_only {
        return preview(&state, &caller, orders).await;
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
    let mut accounts = KnownAccounts::default();
    let (mut new, mut checked) = (Vec::new(), Vec::new());
    for order in orders {
        let candidate = check(&state, &caller, order, &mut accounts, Trace::of_members())
            .await
            .map(|checked| Candidate::of(checked, None, caller.trace_parent()));
        checked.push(candidate.map(|candidate| {
            let ids = (candidate.new.order_id, candidate.new.submission_id);
            new.push(candidate.new);
            (ids, candidate.checked)
        }));
    }
    let remember = |accepted: &[Accepted]| json!(remembered(&checked, accepted));
    match state.store.accept_orders(&new, Uuid::now_v7(), &key, remember).await? {
        AcceptedBatch::Done(accepted) => Ok(answered(&state, &caller, checked, accepted)),
        AcceptedBatch::KeyKnown => {
            let first = replay(&state.store, &key).await?;
            Ok(mark_replayed(replayed(&state, &caller, first.and_then(|first| first.answer)).await?))
        }
    }
}

/// Checks an order as if it came alone; accounts are looked up once for the whole batch.
async fn check(
    state: &AppState,
    caller: &Caller,
    document: BatchOrder<'_>,
    accounts: &mut KnownAccounts,
    trace: Trace,
) -> Result<CheckedOrder, Problem> {
    if let BatchOrder::AsWritten(tree) = &document
        && let Some(order) = read_as_written(tree)
    {
        let account = accounts.of(state, caller, &order.account).await?;
        return check_for(state, account, order, Written::Tree(tree), trace);
    }
    let document = document.into_value();
    let order = read(&document)?;
    let account = accounts.of(state, caller, &order.account).await?;
    check_for(state, account, order, Written::Value(&document), trace)
}

/// What would be sent of each order. Nothing is stored or sent.
async fn preview(state: &AppState, caller: &Caller, orders: BatchOrders<'_>) -> Result<Response, Problem> {
    let mut accounts = KnownAccounts::default();
    let mut items = Vec::new();
    for (index, order) in orders.enumerate() {
        let checked = check(state, caller, order, &mut accounts, Trace::on()).await;
        items.push(match checked.and_then(|checked| checked.translated.try_into()) {
            Ok(translation) => BatchItem::translated(index, translation),
            Err(problem) => BatchItem::refused(index, problem.to_value(), caller),
        });
    }
    Ok(of_items(items.into_iter()))
}

/// An order that could be kept, with its id and its submission's, or what is wrong with it.
type Checked = Result<((Uuid, Uuid), CheckedOrder), Problem>;

/// What is remembered of each order: its id, or what is wrong with it. A problem is kept as text, since it names members
/// as the caller did, and the ledger's JSON cannot hold U+0000, as a member's name may.
fn remembered(checked: &[Checked], accepted: &[Accepted]) -> Vec<Value> {
    let refused = |problem: &Problem| json!({"problem": problem.to_value().to_string()});
    let mut accepted = accepted.iter();
    checked
        .iter()
        .map(|checked| match checked {
            Ok(((order_id, _), CheckedOrder { order, .. })) => match accepted.next() {
                Some(Accepted::New(_)) => json!({"orderId": order_id}),
                accepted => refused(&not_accepted(order, accepted)),
            },
            Err(problem) => refused(problem),
        })
        .collect()
}

/// Why an order that could be kept was not.
fn not_accepted(order: &Order, accepted: Option<&Accepted>) -> Problem {
    if accepted == Some(&Accepted::QueueFull) { queue_full(&order.account) } else { exists(order, None) }
}

/// The answer to those who brought the orders; what was accepted goes on its way.
fn answered(state: &AppState, caller: &Caller, checked: Vec<Checked>, accepted: Vec<Accepted>) -> Response {
    let mut accepted = accepted.into_iter();
    let item = |(index, checked): (usize, Checked)| match checked {
        Ok((ids, checked)) => match accepted.next() {
            Some(Accepted::New(queued)) => {
                set_out(state, &checked, queued);
                BatchItem::accepted(index, among_others(checked, ids, queued))
            }
            accepted => {
                if accepted == Some(Accepted::QueueFull) {
                    HTTP_REFUSALS.increment(["queue_full"]);
                }
                BatchItem::refused(index, not_accepted(&checked.order, accepted.as_ref()).to_value(), caller)
            }
        },
        Err(problem) => BatchItem::refused(index, problem.to_value(), caller),
    };
    of_items(checked.into_iter().enumerate().map(item))
}

/// The answer that tells what became of each order, in the form of [`BatchAnswer`].
fn of_items(items: impl Iterator<Item = BatchItem>) -> Response {
    match to_json(items) {
        Ok(json) => (StatusCode::MULTI_STATUS, in_json(json)).into_response(),
        Err(error) => Problem::new(Kind::Internal, format!("The answer cannot be written: {error}.")).into_response(),
    }
}

fn to_json(items: impl Iterator<Item = BatchItem>) -> serde_json::Result<String> {
    let mut json = String::from("{\"items\":[");
    for item in items {
        if !json.ends_with('[') {
            json.push(',');
        }
        match &item.order {
            Some(order) => {
                let _ = write!(json, "{{\"index\":{},\"status\":{},\"order\":", item.index, item.status);
                order.write(&mut json)?;
                json.push('}');
            }
            None => json.push_str(&serde_json::to_string(&item)?),
        }
    }
    json.push_str("]}");
    Ok(json)
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
    let items =
        remembered.iter().enumerate().map(|(index, item)| match id_of(item).and_then(|id| orders.remove(&id)) {
            Some(order) => BatchItem::accepted(index, order),
            None => BatchItem::refused(index, problem_of(item), caller),
        });
    Ok(of_items(items))
}

/// What was wrong with an order. Earlier versions kept it as it is.
fn problem_of(item: &Value) -> Value {
    match &item["problem"] {
        Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
        problem => problem.clone(),
    }
}
