//! Changes to an order: PATCH of the whole document or of its custom fields. What is sent is the change on top
//! of what stands and what is queued before it.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::answering::{lost_race, queued, replayed};
use super::checking::{Checked, Intent, OpenedAccount, account_of_order};
use crate::api::AppState;
use crate::api::auth::Caller;
use crate::api::body::validate;
use crate::api::etag::IfMatch;
use crate::api::params::PreferWait;
use crate::api::problem::{Kind, Problem};
use crate::canonical::{
    FieldError, Operation, Order, OrderStatus, assign_line_ids, check_order, escape_token, merge_patch,
};
use crate::store::idempotency::IdempotencyKey;
use crate::store::orders::StoredOrder;
use crate::store::submit::{NewSubmission, Submitted};

/// Members that identify an order and never change.
const IDENTITY: &[&str] = &["account", "orderNumber", "documentType", "providerOrderNumber"];

/// How often a change is checked anew because the order changed under it.
const MOST_LOOKS: usize = 5;

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
pub struct CheckedChange {
    pub stored: StoredOrder,
    pub account: OpenedAccount,
    pub operation: Operation,
    /// The patch, with ids for new lines
    pub patch: Value,
    /// The document with the change in it
    pub order: Order,
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
        let CheckedChange { stored, account, operation, patch, order } = check(state, caller, change).await?;
        let Checked { lane, batch_key, notices } = account
            .check(&intent(&stored, operation, &order, &patch))
            .map_err(|problem| incomplete(&stored, problem))?;
        let submission_id = Uuid::now_v7();
        let new = NewSubmission {
            submission_id,
            order_id: stored.id,
            checked_version: stored.version,
            endpoint: &lane.endpoint,
            operation,
            change: Some(&patch),
            batch_key: &batch_key,
            notices: &notices,
            idempotency: key,
        };
        match state.store.submit(&new).await? {
            Submitted::Queued => {
                state.delivery.wake(&lane);
                return queued(state, caller, (stored.id, submission_id), prefer, key, StatusCode::OK).await;
            }
            Submitted::KeyKnown => return lost_race(state, caller, key).await,
            Submitted::OrderChanged => {}
        }
    }
    Err(Problem::new(Kind::StateConflict, "The order changes faster than this change can be checked; repeat it."))
}

/// The operation as its provider sees it.
pub fn intent<'a>(stored: &'a StoredOrder, operation: Operation, order: &'a Order, patch: &'a Value) -> Intent<'a> {
    Intent {
        operation,
        order,
        change: Some(patch),
        provider_order_number: stored.provider_order_number.as_deref(),
        adopted: stored.adopted,
    }
}

/// Checks a change against the order as it is now.
pub async fn check(state: &AppState, caller: &Caller, change: &Change<'_>) -> Result<CheckedChange, Problem> {
    let stored = state.store.order(change.order_id).await?.filter(|order| caller.may_use(&order.account_id));
    let stored = stored.ok_or_else(|| Problem::not_found("order"))?;
    change.if_match.require(stored.version)?;
    let operation = operation(&stored, change.kind)?;
    let mut document = stored.document.clone();
    for pending in &stored.pending_changes {
        merge_patch(&mut document, pending);
    }
    check_patch(change, &document)?;
    merge_patch(&mut document, change.patch);
    let mut order: Order = validate(&document)?;
    let errors = check_order(&order);
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    let mut patch = change.patch.clone();
    assign_line_ids(&mut order);
    if let (Some(lines), Some(ordered)) = (patch.get_mut("lines").filter(|lines| lines.is_array()), &order.lines) {
        *lines = serde_json::to_value(ordered)
            .map_err(|error| Problem::new(Kind::Internal, format!("The lines cannot be written: {error}.")))?;
    }
    let account = account_of_order(state, &stored.account_id).await?;
    Ok(CheckedChange { stored, account, operation, patch, order })
}

/// What the change is at the provider: on an order that was never placed, a corrected creation.
fn operation(stored: &StoredOrder, kind: ChangeKind) -> Result<Operation, Problem> {
    let conflict = |detail: &str| Err(Problem::new(Kind::StateConflict, detail));
    if stored.unfinished.contains(&Operation::Cancel) {
        return conflict("The order is being cancelled.");
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

fn check_patch(change: &Change<'_>, document: &Value) -> Result<(), Problem> {
    let Some(members) = change.patch.as_object() else {
        return Err(Problem::invalid(vec![FieldError::new(
            "",
            "validation.invalid_type",
            "must be an object: a merge patch of the order",
            "必须为对象:订单的合并补丁",
        )]));
    };
    if members.is_empty() {
        return Err(Problem::invalid(vec![FieldError::new(
            "",
            "validation.missing",
            "changes nothing",
            "没有任何变更",
        )]));
    }
    if change.kind == ChangeKind::CustomFields {
        return only_custom_fields(members);
    }
    let fixed: Vec<FieldError> = IDENTITY
        .iter()
        .filter(|name| members.get(**name).is_some_and(|value| document.get(**name) != Some(value)))
        .map(|name| {
            FieldError::new(
                format!("/{name}"),
                "translation.field_not_amendable",
                "identifies the order and cannot be changed",
                "为订单标识,不可修改",
            )
        })
        .collect();
    if fixed.is_empty() {
        return Ok(());
    }
    Err(Problem::invalid(fixed).of_kind(Kind::FieldNotAmendable))
}

fn only_custom_fields(members: &Map<String, Value>) -> Result<(), Problem> {
    let others: Vec<FieldError> = members
        .keys()
        .filter(|name| *name != "customFields")
        .map(|name| {
            FieldError::new(
                format!("/{}", escape_token(name)),
                "validation.unknown_member",
                "is no custom field; this call changes customFields only",
                "此接口仅可修改 customFields",
            )
        })
        .collect();
    if others.is_empty() { Ok(()) } else { Err(Problem::invalid(others)) }
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
