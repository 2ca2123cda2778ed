//! What the end of a submission means for its order and for those who wait: the part that a provider's answer
//! and a person's decision share.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::PgConnection;
use strum::VariantArray;
use uuid::Uuid;

use super::settle::SettledItem;
use super::{StoreError, orders, trips};
use crate::canonical::{EventType, Operation, OrderStatus, Severity, SubmissionResult, SubmissionState, merge_patch};

/// The order's document, as the ledger keeps it, with a submission's change in it.
pub(super) fn changed(order_id: Uuid, document: &str, change: &Value) -> Result<Value, StoreError> {
    let mut changed = orders::read_document(order_id, document)?;
    merge_patch(&mut changed, change);
    Ok(changed)
}

/// A statement whose first arguments are those of `record_outcomes`, all but the last.
macro_rules! recording {
    ($words:literal, $columns:ident $(, $more:expr)*) => {
        sqlx::query!(
            $words,
            &$columns.items.submission_ids,
            &$columns.items.order_ids,
            &$columns.items.operations as &[&str],
            &$columns.items.states as &[&str],
            &$columns.items.told_statuses as &[Option<&str>],
            &$columns.items.may_stand_at,
            &$columns.items.told_numbers as &[Option<&str>],
            &$columns.items.documents as &[Option<serde_json::Value>],
            &$columns.items.touch_orders,
            &$columns.items.are_taken,
            &$columns.items.are_whole,
            &$columns.items.are_changed,
            &$columns.items.event_ids,
            &$columns.items.events as &[Option<&str>],
            &$columns.items.order_event_ids,
            &$columns.items.order_events as &[Option<&str>],
            &$columns.items.let_next_go,
            &$columns.results.submission_ids,
            &$columns.results.providers as &[&str],
            &$columns.results.scopes as &[&str],
            &$columns.results.raw_codes as &[&str],
            &$columns.results.raw_messages as &[Option<&str>],
            &$columns.results.codes as &[&str],
            &$columns.results.severities as &[&str],
            &$columns.results.retryable,
            &$columns.results.pointers,
            &$columns.results.messages_zh as &[&str],
            &$columns.results.messages_en as &[&str],
            &$columns.told_once as &[&str]
            $(, $more)*
        )
    };
}
pub(super) use recording;

/// Records what came of submissions whose own rows are up to date already, and whose orders are locked; whether something
/// may go now that waited behind them.
pub(super) async fn record(
    connection: &mut PgConnection,
    items: &[SettledItem],
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let columns = Columns::of(items);
    let recorded = recording!(
        r#"select record_outcomes($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
               $23, $24, $25, $26, $27, $28, $29, $30) as "lets_go!""#,
        columns,
        now
    );
    let lets_go = recorded.fetch_one(&mut *connection).await?.lets_go;
    record_beside(connection, items, now).await?;
    Ok(lets_go)
}

/// The part of it that few have: the other orders of trips, and what waits behind a creation that failed.
pub(super) async fn record_beside(
    connection: &mut PgConnection,
    items: &[SettledItem],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    trips::settle(connection, items, now).await?;
    let failed: Vec<Uuid> = items.iter().filter(|item| is_failed_creation(item)).map(|item| item.order_id).collect();
    if !failed.is_empty() {
        cancel_followers(connection, &failed, now).await?;
    }
    Ok(())
}

/// Items and their results as `record_outcomes` takes them: column by column.
pub(super) struct Columns<'a> {
    pub items: ItemColumns<'a>,
    pub results: ResultColumns<'a>,
    /// The types of events that tell of an order what happens to it once
    pub told_once: Vec<&'static str>,
}

impl<'a> Columns<'a> {
    pub fn of(items: &'a [SettledItem]) -> Self {
        Columns { items: ItemColumns::of(items), results: ResultColumns::of_items(items), told_once: told_once() }
    }
}

#[derive(Default)]
pub(super) struct ItemColumns<'a> {
    pub submission_ids: Vec<Uuid>,
    pub order_ids: Vec<Uuid>,
    pub operations: Vec<&'a str>,
    pub states: Vec<&'a str>,
    pub told_statuses: Vec<Option<&'a str>>,
    /// Where the order may stand for the status to count
    pub may_stand_at: Vec<Value>,
    pub told_numbers: Vec<Option<&'a str>>,
    pub documents: Vec<Option<Value>>,
    pub touch_orders: Vec<bool>,
    pub are_taken: Vec<bool>,
    /// The provider has the whole document now
    pub are_whole: Vec<bool>,
    /// A change that ends is in the document from now on, or out of it
    pub are_changed: Vec<bool>,
    pub event_ids: Vec<Uuid>,
    pub events: Vec<Option<&'a str>>,
    pub order_event_ids: Vec<Uuid>,
    pub order_events: Vec<Option<&'a str>>,
    pub let_next_go: Vec<bool>,
}

impl<'a> ItemColumns<'a> {
    fn of(items: &'a [SettledItem]) -> Self {
        let mut columns = ItemColumns::default();
        for item in items {
            let (ends, taken) = (item.state.is_final(), is_taken(item.state));
            columns.submission_ids.push(item.submission_id);
            columns.order_ids.push(item.order_id);
            columns.operations.push(item.operation.into());
            columns.states.push(item.state.into());
            columns.told_statuses.push(item.order_status.map(Into::into));
            columns.may_stand_at.push(json!(before(item)));
            columns.told_numbers.push(item.provider_order_number.as_deref());
            columns.documents.push(item.document.clone());
            columns.touch_orders.push(ends || item.order_status.is_some() || item.provider_order_number.is_some());
            columns.are_taken.push(taken);
            columns.are_whole.push(taken && matches!(item.operation, Operation::Create | Operation::Amend));
            columns.are_changed.push(item.has_change && ends);
            columns.event_ids.push(Uuid::now_v7());
            columns.events.push(announced(item));
            columns.order_event_ids.push(Uuid::now_v7());
            columns.order_events.push(item.order_event.map(Into::into));
            columns.let_next_go.push(ends && !is_failed_creation(item));
        }
        columns
    }
}

/// Results likewise. Arrays of arrays are rectangles in SQL; pointers go as JSON and become lists there.
#[derive(Default)]
pub(super) struct ResultColumns<'a> {
    pub submission_ids: Vec<Uuid>,
    pub providers: Vec<&'a str>,
    pub scopes: Vec<&'a str>,
    pub raw_codes: Vec<&'a str>,
    pub raw_messages: Vec<Option<&'a str>>,
    pub codes: Vec<&'a str>,
    pub severities: Vec<&'a str>,
    pub retryable: Vec<bool>,
    pub pointers: Vec<Value>,
    pub messages_zh: Vec<&'a str>,
    pub messages_en: Vec<&'a str>,
}

impl<'a> ResultColumns<'a> {
    pub fn of_items(items: &'a [SettledItem]) -> Self {
        Self::of(items.iter().flat_map(|item| item.results.iter().map(|result| (item.submission_id, result))))
    }

    /// Of results, or notices, each with its submission.
    pub fn of(results: impl Iterator<Item = (Uuid, &'a SubmissionResult)>) -> Self {
        let mut columns = ResultColumns::default();
        for (id, result) in results {
            columns.submission_ids.push(id);
            columns.providers.push(&result.provider);
            columns.scopes.push(&result.scope);
            columns.raw_codes.push(&result.raw_code);
            columns.raw_messages.push(result.raw_message.as_deref());
            columns.codes.push(&result.code);
            columns.severities.push(result.severity.into());
            columns.retryable.push(result.retryable);
            columns.pointers.push(json!(result.pointers));
            columns.messages_zh.push(&result.message_zh);
            columns.messages_en.push(&result.message_en);
        }
        columns
    }
}

/// Where an order may stand for the answer to move it.
///
/// The answer to a creation may come after callbacks that tell of what happened since, so it moves the order forward
/// only. Any other answer says how the order stands now.
pub(super) fn before(item: &SettledItem) -> Vec<OrderStatus> {
    let Some(status) = item.order_status else { return Vec::new() };
    match item.operation {
        Operation::Create | Operation::CreateTrip => OrderStatus::before(status, OrderStatus::may_become),
        _ => OrderStatus::before(status, OrderStatus::may_be_found),
    }
}

pub(super) fn is_taken(state: SubmissionState) -> bool {
    matches!(state, SubmissionState::Accepted | SubmissionState::PartiallyAccepted)
}

/// Its end means something for more than itself and its order.
pub(super) fn reaches_others(item: &SettledItem) -> bool {
    item.trip.is_some() || is_failed_creation(item)
}

fn is_failed_creation(item: &SettledItem) -> bool {
    item.operation == Operation::Create && item.state.is_final() && !is_taken(item.state)
}

/// The types of events that tell of an order what happens to it once.
pub(super) fn told_once() -> Vec<&'static str> {
    EventType::VARIANTS.iter().filter(|event| event.is_told_once()).map(Into::into).collect()
}

/// The event that tells callers of the state of a submission, unless it is no news.
pub(super) fn announced(item: &SettledItem) -> Option<&'static str> {
    event_of(item.state).filter(|_| item.announce).map(Into::into)
}

/// The event that tells of a state, for the states that callers are told of.
pub fn event_of(state: SubmissionState) -> Option<EventType> {
    match state {
        SubmissionState::Accepted => Some(EventType::SubmissionAccepted),
        SubmissionState::PartiallyAccepted => Some(EventType::SubmissionPartiallyAccepted),
        SubmissionState::Rejected => Some(EventType::SubmissionRejected),
        SubmissionState::InDoubt => Some(EventType::SubmissionInDoubt),
        SubmissionState::Dead => Some(EventType::SubmissionDead),
        SubmissionState::Cancelled => Some(EventType::SubmissionCancelled),
        SubmissionState::Queued | SubmissionState::Sending => None,
    }
}

/// What waits behind a creation that failed has no order to change: it is cancelled.
async fn cancel_followers(
    connection: &mut PgConnection,
    failed: &[Uuid],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let result = SubmissionResult::gateway(
        "gateway.predecessor_failed",
        Severity::Error,
        false,
        "The creation of the order failed; nothing to change",
        "订单创建失败,后续操作已取消",
    );
    sqlx::query!(
        "with cancelled as (
             update submissions set state = 'cancelled', ready = false, updated_at = $2, finished_at = $2
             where order_id = any($1) and finished_at is null and state = 'queued'
             returning id, order_id, account_id, operation),
         result as (
             insert into results (submission_id, provider, scope, raw_code, code, severity, retryable, pointers, message_zh, message_en, notice, recorded_at)
             select id, $3, $3, $4, $4, $5, false, '{}', $6, $7, false, $2 from cancelled)
         insert into events (id, type, account_id, order_id, submission_id, data, occurred_at, recorded_at)
         select gen_random_uuid(), $8, c.account_id, c.order_id, c.id,
             jsonb_build_object('orderNumber', o.order_number, 'operation', c.operation, 'state', 'cancelled', 'status', o.status), $2,
             (select onelane_now())
         from cancelled c join orders o on o.id = c.order_id",
        failed,
        now,
        result.provider,
        result.code,
        <&str>::from(result.severity),
        result.message_zh,
        result.message_en,
        <&str>::from(EventType::SubmissionCancelled),
    )
    .execute(connection)
    .await?;
    Ok(())
}
