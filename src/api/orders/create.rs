//! `POST /v1/orders`

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::{answer, read};
use crate::api::AppState;
use crate::api::auth::{Caller, Scope};
use crate::api::body::{JsonBody, validate};
use crate::api::idempotency::{IdempotencyHeader, replay};
use crate::api::params::{NoParams, Params, PreferWait};
use crate::api::problem::{Kind, Problem, ProblemDocument};
use crate::api::views::OrderEnvelope;
use crate::canonical::{Operation, Order, SubmissionResult, SubmissionState, assign_line_ids, check_order};
use crate::delivery::open_account;
use crate::provider::{Item, translate};
use crate::store::accept::{Accepted, NewOrder};
use crate::store::idempotency::IdempotencyKey;
use crate::store::lanes::LaneKey;

/// An order that was checked against everything that can be known before it is sent.
struct Checked {
    order: Order,
    lane: LaneKey,
    batch_key: String,
    notices: Vec<SubmissionResult>,
}

/// Accepts an order and queues it for its provider.
///
/// The order is in the ledger when this answers. With `Prefer: wait=N` the answer waits up to N seconds for
/// the provider's word: 201 then, whatever the word was; else 202.
#[utoipa::path(
    post, path = "/v1/orders", operation_id = "createOrder", tag = "orders",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition of this request safe; kept 72 hours"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: wait up to N seconds, at most 30, for the provider's answer"),
    ),
    request_body(content = Order, description = "The canonical order"),
    responses(
        (status = 201, description = "The submission ended within the wait; its state says how", body = OrderEnvelope, headers(("Location" = String), ("ETag" = String), ("Preference-Applied" = String))),
        (status = 202, description = "Accepted and queued", body = OrderEnvelope, headers(("Location" = String), ("ETag" = String))),
        (status = 400, description = "The request cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope orders:write", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "The order exists, or the first request with this key is still running", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The order is not valid, or the provider cannot carry it", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "The ledger cannot be reached; nothing was accepted", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["orders:write"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    _: Params<NoParams>,
    prefer: PreferWait,
    idempotency: IdempotencyHeader,
    body: JsonBody,
) -> Result<Response, Problem> {
    caller.require(Scope::OrdersWrite)?;
    let key = idempotency.key(&caller, "POST", &body.bytes, prefer);
    let checked = match check(&state, &caller, &body).await {
        Ok(checked) => checked,
        // A repetition is answered as the first request was, even if the order would not pass any more.
        Err(problem) => return replayed(&state, &caller, key.as_ref()).await?.ok_or(problem),
    };
    let (order_id, submission_id) = (Uuid::now_v7(), Uuid::now_v7());
    let document = serde_json::to_value(&checked.order)
        .map_err(|error| Problem::new(Kind::Internal, format!("The order cannot be written: {error}.")))?;
    let accepted = state
        .store
        .accept_order(&NewOrder {
            order_id,
            submission_id,
            account_id: &checked.order.account,
            provider: &checked.lane.provider,
            endpoint: &checked.lane.endpoint,
            document_type: checked.order.document_type(),
            order_number: &checked.order.order_number,
            document: &document,
            batch_key: &checked.batch_key,
            notices: &checked.notices,
            idempotency: key.as_ref(),
        })
        .await?;
    match accepted {
        Accepted::New => {}
        Accepted::KeyKnown => {
            let first = replayed(&state, &caller, key.as_ref()).await?;
            return first.ok_or_else(|| {
                Problem::new(Kind::Unavailable, "The first request with this key vanished; repeat this one.")
            });
        }
        Accepted::NumberTaken => {
            if let Some(key) = &key {
                state.store.finish_request(key, StatusCode::CONFLICT.as_u16()).await?;
            }
            return Err(exists(&state, &checked.order).await?);
        }
    }
    state.delivery.wake(&checked.lane);
    let ended = match prefer.0 {
        Some(patience) => ends_within(&state, submission_id, patience).await?,
        None => false,
    };
    let status = if ended { StatusCode::CREATED } else { StatusCode::ACCEPTED };
    if let (Some(key), Some(_)) = (&key, prefer.0) {
        state.store.finish_request(key, status.as_u16()).await?;
    }
    let mut response = answer(status, &read(&state, &caller, order_id).await?);
    if let Some((name, value)) = prefer.applied().filter(|_| ended) {
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

/// Checks an order against its schema, the rules across members, the account, and what its provider can
/// carry.
async fn check(state: &AppState, caller: &Caller, body: &JsonBody) -> Result<Checked, Problem> {
    let mut order: Order = validate(&body.value)?;
    let errors = check_order(&order);
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    assign_line_ids(&mut order);
    let stored = state.store.account(&order.account).await?.filter(|account| caller.may_use(&account.id));
    let stored = stored.ok_or_else(|| {
        Problem::new(Kind::UnknownAccount, format!("There is no account {} that your key may use.", order.account))
            .with_errors(vec![crate::canonical::FieldError::new(
                "/account",
                "validation.unknown_account",
                "is no account that this key may use",
                "不是该密钥可用的账户",
            )])
    })?;
    let (provider, account) = open_account(&stored, &state.vault).map_err(|error| {
        tracing::error!(%error, account = stored.id, "an account cannot be used");
        Problem::new(Kind::Internal, format!("The account {} cannot be used; the log says why.", stored.id))
    })?;
    let profile = provider.profile();
    let unsupported = |detail: String| Problem::new(Kind::UnsupportedByProvider, detail);
    let Some(outward) = provider.outward() else {
        return Err(unsupported(format!("{} takes no orders; it calls this gateway.", profile.name)));
    };
    let Some(operation) = profile.operation(Operation::Create, order.document_type()) else {
        return Err(unsupported(format!("{} has no {} that could be created.", profile.name, order.document_type())));
    };
    let translation = translate(profile, outward, &account, Item::create(&order));
    if !translation.refusals.is_empty() {
        let only_unsupported =
            translation.refusals.iter().all(|refusal| refusal.code == "translation.unsupported_field");
        let problem = Problem::invalid(translation.refusals);
        return Err(if only_unsupported { problem.of_kind(Kind::UnsupportedByProvider) } else { problem });
    }
    let lane = LaneKey {
        provider: profile.id.to_owned(),
        throttle_group: stored.throttle_group,
        endpoint: operation.endpoint.to_owned(),
    };
    let batch_key = outward.batch_key(Operation::Create, &order);
    Ok(Checked { lane, batch_key, notices: translation.notices, order })
}

/// The answer to a repetition, where the key is known.
async fn replayed(
    state: &AppState,
    caller: &Caller,
    key: Option<&IdempotencyKey>,
) -> Result<Option<Response>, Problem> {
    let Some(key) = key else { return Ok(None) };
    let Some(first) = replay(&state.store, key).await? else { return Ok(None) };
    let status = StatusCode::from_u16(first.status).unwrap_or(StatusCode::ACCEPTED);
    let mut response = match read(state, caller, first.resource_id).await {
        Ok(order) => answer(status, &order),
        // The first request made nothing: its number was taken.
        Err(_) => {
            Problem::new(Kind::OrderExists, "The account had an order of this number when the first request came.")
                .into_response()
        }
    };
    response.headers_mut().insert(HeaderName::from_static("idempotency-replayed"), HeaderValue::from_static("true"));
    Ok(Some(response))
}

async fn exists(state: &AppState, order: &Order) -> Result<Problem, Problem> {
    let id = state.store.order_id(&order.account, order.document_type(), &order.order_number).await?;
    let problem = Problem::new(
        Kind::OrderExists,
        format!("The account {} has an order {} already.", order.account, order.order_number),
    );
    Ok(match id {
        Some(id) => problem.with_order(id),
        None => problem,
    })
}

async fn ends_within(state: &AppState, submission: Uuid, patience: Duration) -> Result<bool, Problem> {
    let state = state.delivery.waiting().for_end(&state.store, submission, patience).await?;
    Ok(state.is_some_and(SubmissionState::is_final))
}
