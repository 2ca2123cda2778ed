//! Changes to an order: PATCH of the whole document or of its custom fields. What is sent is the change on top
//! of what stands and what is queued before it.

use std::num::NonZeroU32;

use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::answering::{Wait, lost_race, queue_full, queued, replayed};
use super::{MOST_LOOKS, changes_too_fast, known_number, seen};
use crate::api::AppState;
use crate::api::auth::Caller;
use crate::api::etag::IfMatch;
use crate::api::params::PreferWait;
use crate::api::patch;
use crate::api::problem::{Kind, Problem};
use crate::api::translating::{Translated, account_of_order, translation_answer};
use crate::canonical::{Operation, Order, OrderStatus, compose_patches, merge_patch};
use crate::delivery::AskError;
use crate::metrics::OPERATIONS_ACCEPTED;
use crate::provider::{Item, OrderReference};
use crate::store::accounts::StoredAccount;
use crate::store::idempotency::IdempotencyKey;
use crate::store::orders::StoredOrder;
use crate::store::submit::{NewSubmission, Submitted};

/// A change that a caller asked for.
pub struct Change<'a> {
    pub order_id: Uuid,
    pub kind: ChangeKind,
    /// RFC 7396
    pub patch: &'a Value,
    pub if_match: &'a IfMatch,
}

/// What a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// Any member
    Document,
    /// Custom fields only
    CustomFields,
}

/// A change that was checked against the order as it is now.
struct CheckedChange {
    stored: StoredOrder,
    operation: Operation,
    /// The patch, with ids for new lines
    patch: Value,
    translated: Translated,
    /// How much may wait for its account
    queue_limit: Option<NonZeroU32>,
}

/// Queues a change and answers.
pub async fn change(
    state: &AppState,
    caller: &Caller,
    change: &Change<'_>,
    prefer: PreferWait,
    key: Option<&IdempotencyKey>,
) -> Result<Response, Problem> {
    // A repetition is answered as the first request was, even if the change would not pass any more.
    if let Some(response) = replayed(state, caller, key).await? {
        return Ok(response);
    }
    for _ in 0..MOST_LOOKS {
        let CheckedChange { stored, operation, patch, translated, queue_limit } = check(state, caller, change).await?;
        let submission_id = Uuid::now_v7();
        let wait = Wait::begin(state, submission_id, prefer);
        let new = NewSubmission {
            submission_id,
            order_id: stored.id,
            checked_version: stored.version,
            endpoint: &translated.lane.endpoint,
            operation,
            change: Some(&patch),
            batch_key: &translated.batch_key,
            notices: &translated.notices,
            idempotency: key,
            queue_limit,
            trace_parent: caller.trace_parent(),
        };
        match state.store.submit(&new).await? {
            Submitted::Queued => {
                OPERATIONS_ACCEPTED.increment([&stored.account_id, operation.into()]);
                state.delivery.wake(&translated.lane);
                return queued(state, caller, stored.id, wait, key, StatusCode::OK, |_| None).await;
            }
            Submitted::KeyKnown => return lost_race(state, caller, key).await,
            Submitted::QueueFull => return Err(queue_full(&stored.account_id)),
            Submitted::OrderChanged => {}
        }
    }
    Err(changes_too_fast())
}

/// Shows what a change would send.
pub async fn preview(state: &AppState, caller: &Caller, change: &Change<'_>) -> Result<Response, Problem> {
    translation_answer(check(state, caller, change).await?.translated)
}

/// Checks a change against the order as it is now.
async fn check(state: &AppState, caller: &Caller, change: &Change<'_>) -> Result<CheckedChange, Problem> {
    let stored = seen(state, caller, change.order_id, change.if_match).await?;
    let operation = operation(&stored, change.kind)?;
    let mut document = stored.document.clone();
    for pending in &stored.pending_changes {
        merge_patch(&mut document, pending);
    }
    patch::check(operation, change.patch, &document)?;
    let account = account_of_order(state, &stored.account_id).await?;
    let read = |document: &Value| {
        Order::deserialize(document)
            .map_err(|error| Problem::new(Kind::Internal, format!("The stored order cannot be read: {error}.")))
    };
    let fetched = if stored.document_complete || !account.takes_whole(operation, &read(&document)?) {
        None
    } else {
        fetch(state, &account.stored, &stored, &read(&document)?).await?
    };
    if let Some(fetched) = &fetched {
        merge_patch(&mut document, fetched);
    }
    let (order, mut patch) = patch::apply(&document, change.patch)?;
    let whole_known = stored.document_complete || fetched.is_some();
    if let Some(fetched) = fetched {
        // What was fetched goes with the change: the provider takes it only as a whole.
        patch = compose_patches(fetched, &patch);
    }
    let standing = whole_known.then(|| read(&document)).transpose()?;
    let translated = account
        .translate(Item {
            operation,
            change: Some(&patch),
            standing: standing.as_ref(),
            provider_order_number: known_number(&stored),
            adopted: stored.adopted,
            ..Item::create(&order)
        })
        .map_err(|problem| incomplete(&stored, problem))?;
    Ok(CheckedChange { stored, operation, patch, translated, queue_limit: account.queue_limit(state) })
}

/// The whole document as the provider holds it, where the provider can be asked.
async fn fetch(
    state: &AppState,
    account: &StoredAccount,
    stored: &StoredOrder,
    order: &Order,
) -> Result<Option<Value>, Problem> {
    let reference = OrderReference::of(order, stored.provider_order_number.as_deref(), stored.adopted);
    let document_type = order.document_type();
    let found = state.delivery.ask(&account.id, |calls| calls.lookup(document_type), &reference).await;
    match found.map(|orders| orders.into_iter().next()) {
        Ok(Some(found)) => Ok(Some(patch::without_identity(&found.order))),
        Err(AskError::Unsupported) => Ok(None),
        Ok(None) => Err(unknown_state("the provider does not know it")),
        Err(error) => Err(unknown_state(&format!("the provider could not be asked ({error})"))),
    }
}

fn unknown_state(why: &str) -> Problem {
    Problem::new(
        Kind::IncompleteProviderState,
        format!(
            "The order was adopted and its whole document is not known, the provider takes changes only as a whole, and {why}."
        ),
    )
}

/// What the change is at the provider: on an order that was never placed, a corrected creation.
fn operation(stored: &StoredOrder, kind: ChangeKind) -> Result<Operation, Problem> {
    let conflict = |detail: &str| Err(Problem::new(Kind::StateConflict, detail));
    if stored.unfinished.contains(&Operation::Cancel) {
        return conflict("The order is being cancelled.");
    }
    if stored.unfinished.contains(&Operation::CreateTrip) {
        return conflict("The order goes out with a trip that the provider has not answered yet.");
    }
    if stored.placed && stored.status == OrderStatus::Cancelled {
        return conflict("The order is cancelled at the provider.");
    }
    let exists_or_will = stored.placed || stored.unfinished.contains(&Operation::Create);
    match kind {
        ChangeKind::Document if exists_or_will => Ok(Operation::Amend),
        ChangeKind::Document => Ok(Operation::Create),
        ChangeKind::CustomFields if exists_or_will => Ok(Operation::UpdateCustomFields),
        ChangeKind::CustomFields => conflict(
            "The order was never placed; PATCH /v1/orders/{id} queues a corrected creation, custom fields included.",
        ),
    }
}

/// What the provider misses in an order that was adopted without its whole document is no fault of the change.
fn incomplete(stored: &StoredOrder, problem: Problem) -> Problem {
    if stored.document_complete || !problem.lacks_members() {
        return problem;
    }
    problem.of_kind(Kind::IncompleteProviderState).with_detail(
        "The order was adopted and its whole document is not known, but the provider takes changes only as a whole. \
         Name the missing members in the patch.",
    )
}
