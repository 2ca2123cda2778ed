//! `POST /v1/orders`

use std::num::NonZeroU32;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

use super::accepted::{self, Candidate};
use super::answer;
use super::answering::{Wait, lost_race, queue_full, queued, replayed};
use crate::api::AppState;
use crate::api::auth::{Caller, PresumedCaller, Scope};
use crate::api::body::{JsonText, if_valid, validate};
use crate::api::idempotency::IdempotencyHeader;
use crate::api::params::{MutationParams, Params, PreferWait};
use crate::api::patch::coherent;
use crate::api::problem::{Kind, Problem, ProblemDocument};
use crate::api::translating::{OpenedAccount, Translated, TranslationView, account_for, translation_answer};
use crate::api::views::OrderEnvelope;
use crate::canonical::{FieldError, HoldReason, Operation, Order};
use crate::delivery::LaneQuota;
use crate::metrics::OPERATIONS_ACCEPTED;
use crate::provider::{Item, Trace, Written};
use crate::store::StoreError;
use crate::store::accept::{Accepted, NewOrder, Queued};
use crate::store::grounds::Grounds;
use crate::tree::Tree;

/// An order that was checked against everything that can be known before it is sent.
pub struct CheckedOrder {
    /// Large, and handed on from step to step
    pub order: Box<Order>,
    /// In JSON, as it is kept
    pub document: Arc<str>,
    pub translated: Translated,
    /// How much may wait for its account
    pub queue_limit: Option<NonZeroU32>,
    /// Of its lane
    pub quota: Option<LaneQuota>,
}

/// Accepts an order and queues it for its provider.
///
/// The order is in the ledger when this answers. With `Prefer: wait=N` the answer waits up to N seconds for
/// the provider's word: 201 then, whatever the word was; else 202.
#[utoipa::path(
    post, path = "/v1/orders", operation_id = "createOrder", tag = "orders",
    params(
        MutationParams,
        ("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,255}$", description = "Makes a repetition of this request safe; kept 72 hours"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: wait up to N seconds, at most 30, for the provider's answer"),
    ),
    request_body(content = Order, description = "The canonical order"),
    responses(
        (status = 200, description = "With validateOnly: what would be sent", body = TranslationView),
        (status = 201, description = "The submission ended within the wait; its state says how", body = OrderEnvelope, headers(("Location" = String), ("ETag" = String), ("Preference-Applied" = String))),
        (status = 202, description = "Accepted and queued", body = OrderEnvelope, headers(("Location" = String), ("ETag" = String))),
        (status = 400, description = "The request cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope orders:write", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "The order exists, or the first request with this key is still running", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The order is not valid, or the provider cannot carry it", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "Too much waits for the account; nothing was accepted", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "The ledger cannot be reached; nothing was accepted", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["orders:write"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    presumed: PresumedCaller,
    Params(params): Params<MutationParams>,
    prefer: PreferWait,
    idempotency: IdempotencyHeader,
    body: JsonText,
) -> Result<Response, Problem> {
    if !params.validate_only
        && let Some((checked, grounds)) = check_presumed(&state, &presumed, &body.bytes)
    {
        let caller = &presumed.caller;
        let key = idempotency.key(caller, "POST", &body.bytes, prefer);
        let candidate = Candidate::of(checked, key, caller.trace_parent()).on(grounds);
        if let Some(answer) = keep(&state, caller, candidate, prefer).await? {
            return Ok(answer);
        }
    }
    // What few requests need, so that the others do not carry it along.
    Box::pin(looked_up(state, presumed, params, prefer, idempotency, body)).await
}

/// The same for an order whose key or account is not known from a moment ago, or that is not as usual.
async fn looked_up(
    state: AppState,
    presumed: PresumedCaller,
    params: MutationParams,
    prefer: PreferWait,
    idempotency: IdempotencyHeader,
    body: JsonText,
) -> Result<Response, Problem> {
    let document = body.value()?;
    let caller = presumed.certain(&state).await?;
    caller.require(Scope::OrdersWrite)?;
    if params.validate_only {
        return translation_answer(check(&state, &caller, &document, Trace::on()).await?.translated);
    }
    let key = idempotency.key(&caller, "POST", &body.bytes, prefer);
    let checked = match check(&state, &caller, &document, Trace::of_members()).await {
        Ok(checked) => checked,
        // A repetition is answered as the first request was, even if the order would not pass any more.
        Err(problem) => return replayed(&state, &caller, key.as_ref()).await?.ok_or(problem),
    };
    let candidate = Candidate::of(checked, key, caller.trace_parent());
    let answer = keep(&state, &caller, candidate, prefer).await?;
    answer.ok_or_else(|| Problem::new(Kind::Internal, "The order was checked against nothing, and that was outdated."))
}

/// Keeps an order and answers its caller; nothing when what it was checked against does not stand any more.
async fn keep(
    state: &AppState,
    caller: &Caller,
    candidate: Candidate,
    prefer: PreferWait,
) -> Result<Option<Response>, Problem> {
    let Candidate { new, checked } = candidate;
    let (ids, key) = ((new.order_id, new.submission_id), new.idempotency.clone());
    let wait = Wait::begin(state, new.submission_id, prefer);
    let queued_now = match accept(state, new, &checked, prefer).await? {
        Accepted::New(queued) => queued,
        Accepted::Outdated => return Ok(None),
        Accepted::KeyKnown => return lost_race(state, caller, key.as_ref()).await.map(Some),
        Accepted::QueueFull => {
            let full = queue_full(&checked.order.account);
            return replayed(state, caller, key.as_ref()).await?.ok_or(full).map(Some);
        }
        Accepted::NumberTaken => {
            let order = &checked.order;
            let known = state.store.order_id(&order.account, order.document_type(), &order.order_number).await?;
            if let (Some(key), Some(known)) = (&key, known) {
                state.store.finish_request(key, StatusCode::CONFLICT.as_u16(), known).await?;
            }
            return Err(exists(order, known));
        }
    };
    if prefer.0.is_none() {
        let order = accepted::alone(state, checked, ids, queued_now).await?;
        return Ok(Some(answer(StatusCode::ACCEPTED, &order)));
    }
    let known = |ended| Some(accepted::and_ended(checked, ids, queued_now, ended));
    queued(state, caller, ids.0, wait, key.as_ref(), StatusCode::CREATED, known).await.map(Some)
}

/// Accepts an order and has it set out: at once, if its caller waits and its lane has nothing else to do.
async fn accept(
    state: &AppState,
    new: NewOrder,
    checked: &CheckedOrder,
    prefer: PreferWait,
) -> Result<Accepted, StoreError> {
    if let (Some(_), Some(quota)) = (prefer.0, &checked.quota)
        && let Some(accepted) = state.delivery.keep_and_send(&new, &checked.translated.lane, quota).await?
    {
        if matches!(accepted, Accepted::New(_)) {
            count(checked);
        }
        return Ok(accepted);
    }
    let accepted = state.store.accept_order(new).await?;
    if let Accepted::New(queued) = accepted {
        set_out(state, checked, queued);
    }
    Ok(accepted)
}

/// Counts an order that was accepted and has its lane look for it; whoever resumes an account does so for what waits.
pub fn set_out(state: &AppState, checked: &CheckedOrder, queued: Queued) {
    count(checked);
    if queued.held_by != Some(HoldReason::AccountPaused) {
        state.delivery.wake(&checked.translated.lane);
    }
}

fn count(checked: &CheckedOrder) {
    OPERATIONS_ACCEPTED.increment([&checked.order.account, Operation::Create.into()]);
}

/// Checks an order against a key and an account as they were a moment ago. Nothing when they are not known or it does
/// not pass: what its caller hears of that must be true now.
fn check_presumed(state: &AppState, presumed: &PresumedCaller, text: &[u8]) -> Option<(CheckedOrder, Grounds)> {
    let caller = &presumed.caller;
    caller.require(Scope::OrdersWrite).ok()?;
    let document = Tree::read(text)?;
    let order = read_as_written(&document)?;
    let account = state.remembered.accounts.get(&order.account, Instant::now())?;
    if !caller.may_use(&account.stored.id) {
        return None;
    }
    let grounds = presumed.grounds(&account.stored);
    Some((check_for(state, &account, order, Written::Tree(&document), Trace::of_members()).ok()?, grounds))
}

/// Checks an order against its schema, the rules across members, the account, and what its provider can
/// carry.
pub async fn check(state: &AppState, caller: &Caller, document: &Value, trace: Trace) -> Result<CheckedOrder, Problem> {
    let order = read(document)?;
    let account = account_for(state, caller, &order.account).await?;
    check_for(state, &account, order, Written::Value(document), trace)
}

/// The same where the account is known and the order was read from its document.
pub fn check_for(
    state: &AppState,
    account: &OpenedAccount,
    order: Box<Order>,
    written: Written<'_>,
    trace: Trace,
) -> Result<CheckedOrder, Problem> {
    let translated = account.translate_with(Item::create(&order), trace, Some(written))?;
    let quota = account.quota(&translated.lane.endpoint);
    let document = as_kept(&order)?.into();
    Ok(CheckedOrder { queue_limit: account.queue_limit(state), quota, document, order, translated })
}

/// An order in JSON, as the ledger keeps it.
pub fn as_kept(order: &Order) -> Result<String, Problem> {
    serde_json::to_string(order)
        .map_err(|error| Problem::new(Kind::Internal, format!("The order cannot be written: {error}.")))
}

/// Reads an order that is to be made, or says what is wrong with it, whoever its provider is.
pub fn read(document: &Value) -> Result<Box<Order>, Problem> {
    to_be_made(Box::new(validate(document)?))
}

/// The same of an order as it was written; nothing where something is wrong with it, or it is unusual.
pub fn read_as_written(document: &Tree<'_>) -> Option<Box<Order>> {
    to_be_made(Box::new(if_valid(document)?)).ok()
}

fn to_be_made(order: Box<Order>) -> Result<Box<Order>, Problem> {
    if order.provider_order_number.is_some() {
        return Err(Problem::invalid(vec![FieldError::new(
            "/providerOrderNumber",
            "validation.read_only",
            "is assigned by the provider; an order that has one already is adopted with POST /v1/orders/adopt",
            "由目标系统分配;已存在的订单请使用 POST /v1/orders/adopt",
        )]));
    }
    coherent(order)
}

/// The account has an order of this number.
pub fn exists(order: &Order, known: Option<Uuid>) -> Problem {
    let problem = Problem::new(
        Kind::OrderExists,
        format!("The account {} has an order {} already.", order.account, order.order_number),
    );
    match known {
        Some(id) => problem.with_order(id),
        None => problem,
    }
}
