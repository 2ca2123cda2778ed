//! From an operation in the ledger to the answer: `Prefer: wait`, replays, the order as it is now.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::{answer, read};
use crate::api::AppState;
use crate::api::auth::Caller;
use crate::api::idempotency::replay;
use crate::api::params::PreferWait;
use crate::api::problem::{Kind, Problem};
use crate::api::views::OrderView;
use crate::delivery::{EndedCreation, Waited, Waiter};
use crate::store::idempotency::IdempotencyKey;

/// Answers a request that queued a submission: `ended` when the submission ends within the caller's wait, else
/// 202. `known` is the order as far as it is known without reading it.
pub async fn queued(
    state: &AppState,
    caller: &Caller,
    order_id: Uuid,
    wait: Wait<'_>,
    key: Option<&IdempotencyKey>,
    ended: StatusCode,
    known: impl FnOnce(EndedCreation) -> Option<OrderView>,
) -> Result<Response, Problem> {
    let prefer = wait.prefer;
    let waited = wait.end(state).await?;
    let has_ended = waited.has_ended();
    let known = if let Waited::Ended(Some(creation)) = waited { known(creation) } else { None };
    let status = if has_ended { ended } else { StatusCode::ACCEPTED };
    if let (Some(key), Some(_)) = (key, prefer.0) {
        state.store.finish_request(key, status.as_u16(), order_id).await?;
    }
    let order = match known {
        Some(order) => order,
        None => read(state, caller, order_id).await?,
    };
    let mut response = answer(status, &order);
    if let Some((name, value)) = prefer.applied().filter(|_| has_ended) {
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

/// A caller who may want to wait for the end of a submission, from before it is in the ledger.
pub struct Wait<'a> {
    prefer: PreferWait,
    waiter: Option<Waiter<'a>>,
}

impl<'a> Wait<'a> {
    pub fn begin(state: &'a AppState, submission_id: Uuid, prefer: PreferWait) -> Self {
        Wait { prefer, waiter: prefer.0.map(|_| state.delivery.waiting().begin(submission_id)) }
    }

    /// Whether the submission, which is in the ledger now, ends within the caller's wait.
    pub async fn end(self, state: &AppState) -> Result<Waited, Problem> {
        let (Some(patience), Some(waiter)) = (self.prefer.0, self.waiter) else { return Ok(Waited::InVain) };
        Ok(waiter.end(&state.store, patience, false).await?)
    }
}

/// The answer to a repetition, where the key is known: the first status, and the order as it is now.
pub async fn replayed(
    state: &AppState,
    caller: &Caller,
    key: Option<&IdempotencyKey>,
) -> Result<Option<Response>, Problem> {
    let Some(key) = key else { return Ok(None) };
    let Some(first) = replay(&state.store, key).await? else { return Ok(None) };
    let status = StatusCode::from_u16(first.status).unwrap_or(StatusCode::ACCEPTED);
    let response = if status == StatusCode::CONFLICT {
        Problem::new(Kind::OrderExists, "The account had an order of this number when the first request came.")
            .with_order(first.resource_id)
            .into_response()
    } else {
        answer(status, &read(state, caller, first.resource_id).await?)
    };
    Ok(Some(mark_replayed(response)))
}

/// The answer when an insertion found the key taken by a request that ran at the same time.
pub async fn lost_race(state: &AppState, caller: &Caller, key: Option<&IdempotencyKey>) -> Result<Response, Problem> {
    replayed(state, caller, key)
        .await?
        .ok_or_else(|| Problem::new(Kind::Unavailable, "The first request with this key vanished; repeat this one."))
}

/// When somebody may come again for whose order there was no room.
const ROOM_AGAIN: Duration = Duration::from_secs(5);

/// As much waits for the account as may.
pub fn queue_full(account: &str) -> Problem {
    let detail =
        format!("As much waits for the account {account} as may, and this was not accepted; send it again later.");
    Problem::new(Kind::QueueFull, detail).with_retry_after(ROOM_AGAIN)
}

pub fn mark_replayed(mut response: Response) -> Response {
    response.headers_mut().insert(HeaderName::from_static("idempotency-replayed"), HeaderValue::from_static("true"));
    response
}
