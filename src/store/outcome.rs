//! What the end of a submission means for its order and for those who wait: the part that a provider's answer
//! and a person's decision share.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::PgConnection;
use strum::VariantArray;
use uuid::Uuid;

use super::settle::SettledItem;
use super::{StoreError, trips};
use crate::canonical::{EventType, Operation, OrderStatus, Severity, SubmissionResult, SubmissionState, merge_patch};

/// The document with a submission's change in it.
pub(super) fn changed(document: &Value, change: &Value) -> Value {
    let mut changed = document.clone();
    merge_patch(&mut changed, change);
    changed
}

/// Records what came of submissions whose own rows are up to date already, and whose orders are locked; whether something
/// may go now that waited behind them.
pub(super) async fn record(
    connection: &mut PgConnection,
    items: &[SettledItem],
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    trips::settle(connection, items, now).await?;
    let lets_go = record_items(connection, items, now).await?;
    // What waits behind a creation that failed goes with it.
    let failed: Vec<Uuid> = items.iter().filter(|item| is_failed_creation(item)).map(|item| item.order_id).collect();
    if !failed.is_empty() {
        cancel_followers(connection, &failed, now).await?;
    }
    Ok(lets_go)
}

/// All of it but for the other orders of trips: the orders' status, number and document; the results, in the place of
/// those of earlier answers, while notices of the translation stay; one event for each submission that came to an end or
/// into doubt, and one for what happened to its order; what waits next for an order may go; and callbacks that waited for
/// its number are looked at. As in [`accept`](super::accept), the planner is not told how many there are.
#[expect(clippy::too_many_lines, reason = "one statement, and its columns")]
async fn record_items(
    connection: &mut PgConnection,
    items: &[SettledItem],
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let column = ItemColumns::of(items);
    let said = ResultColumns::of(items);
    let lets_go = sqlx::query_scalar!(
        "with item as materialized (
             select u.*, o.account_id, o.order_number, o.status as status_before,
                 case when u.may_stand_at ? o.status then u.told_status else o.status end as status,
                 coalesce(u.told_number, o.provider_order_number) as number
             from unnest((select $1::uuid[]), (select $2::uuid[]), (select $3::text[]), (select $4::text[]), (select $5::text[]),
                     (select $6::jsonb[]), (select $7::text[]), (select $8::jsonb[]), (select $9::bool[]), (select $10::bool[]),
                     (select $11::bool[]), (select $12::bool[]), (select $13::uuid[]), (select $14::text[]), (select $15::uuid[]),
                     (select $16::text[]), (select $17::bool[]))
                 as u (submission_id, order_id, operation, state, told_status, may_stand_at, told_number, document, touches_order,
                     is_taken, is_whole, is_changed, event_id, event, order_event_id, order_event, lets_next_go)
             cross join lateral (
                 select account_id, order_number, status, provider_order_number from orders where id = u.order_id offset 0) o),
         moved as (
             update orders o set status = i.status, provider_order_number = i.number, document = coalesce(i.document, o.document),
                 document_complete = o.document_complete or i.is_whole, placed = o.placed or i.is_taken,
                 version = o.version + case when i.is_changed
                     or (o.status, o.provider_order_number) is distinct from (i.status, i.number) then 1 else 0 end,
                 updated_at = $18
             from item i where o.id = i.order_id and o.id = any((select $2)::uuid[]) and i.touches_order),
         outdated as (delete from results where submission_id = any((select $1)::uuid[]) and not notice),
         said as (
             insert into results (submission_id, provider, scope, raw_code, raw_message, code, severity, retryable, pointers,
                 message_zh, message_en, notice, recorded_at)
             select u.id, u.provider, u.scope, u.raw_code, u.raw_message, u.code, u.severity, u.retryable,
                 array(select jsonb_array_elements_text(u.pointers)), u.message_zh, u.message_en, false, $18
             from unnest((select $19::uuid[]), (select $20::text[]), (select $21::text[]), (select $22::text[]), (select $23::text[]),
                     (select $24::text[]), (select $25::text[]), (select $26::bool[]), (select $27::jsonb[]), (select $28::text[]),
                     (select $29::text[])) with ordinality
                 as u (id, provider, scope, raw_code, raw_message, code, severity, retryable, pointers, message_zh, message_en, place)
             order by u.place),
         -- Against single rows, so that the index gives the next one and no more is read.
         released as (
             update submissions set ready = true
             where id = any(array(
                     select next.id from item i cross join lateral (
                         select id from submissions where order_id = i.order_id and finished_at is null order by sequence limit 1) next
                     where i.lets_next_go))
               and not ready and state = 'queued'
             returning id),
         woken as (
             -- One that is being processed right now is passed over, so that neither waits for the other; it looks again
             -- by itself.
             update callbacks set due_at = onelane_now()
             where id in (
                 select c.id from callbacks c
                 where c.state = 'waiting' and c.id in (
                     select w.callback_id from item i join callback_waits w
                         on w.account_id = i.account_id and w.order_number = i.order_number
                     where i.told_number is not null
                     union all
                     select w.callback_id from item i join callback_waits w
                         on w.account_id = i.account_id and w.provider_order_number = i.number
                     where i.told_number is not null)
                 for update skip locked)),
         told as (
             insert into events (id, type, account_id, order_id, submission_id, data, occurred_at, recorded_at)
             select e.id, e.type, i.account_id, i.order_id, i.submission_id,
                 jsonb_strip_nulls(jsonb_build_object('orderNumber', i.order_number, 'providerOrderNumber', i.number,
                     'operation', i.operation, 'state', i.state, 'status', i.status)), $18, (select onelane_now())
             from item i cross join lateral (
                 select i.event_id, i.event where i.event is not null
                 union all
                 -- What a callback told before is not told again. Only of an order that a callback moved; the others have no
                 -- such event, and theirs are not looked through. An order that was cancelled here, and then corrected, may be
                 -- cancelled again.
                 select i.order_event_id, i.order_event
                 where i.order_event is not null and not (i.order_event = any($30) and i.status_before <> 'pending' and exists (
                     select from (
                         select recorded_at from events where order_id = i.order_id and type = i.order_event
                         union all
                         select recorded_at from milestones where order_id = i.order_id and type = i.order_event) told
                     where i.order_event <> $31 or told.recorded_at >= coalesce(
                         (select max(created_at) from submissions where order_id = i.order_id and operation = $32), '-infinity')))) e (id, type))
         select exists (select from released) as \"lets_go!\"",
        &column.submission_ids,
        &column.order_ids,
        &column.operations as &[&str],
        &column.states as &[&str],
        &column.told_statuses as &[Option<&str>],
        &column.may_stand_at,
        &column.told_numbers as &[Option<&str>],
        &column.documents as &[Option<Value>],
        &column.touch_orders,
        &column.are_taken,
        &column.are_whole,
        &column.are_changed,
        &column.event_ids,
        &column.events as &[Option<&str>],
        &column.order_event_ids,
        &column.order_events as &[Option<&str>],
        &column.let_next_go,
        now,
        &said.submission_ids,
        &said.providers as &[&str],
        &said.scopes as &[&str],
        &said.raw_codes as &[&str],
        &said.raw_messages as &[Option<&str>],
        &said.codes as &[&str],
        &said.severities as &[&str],
        &said.retryable,
        &said.pointers,
        &said.messages_zh as &[&str],
        &said.messages_en as &[&str],
        &told_once() as &[&str],
        <&str>::from(EventType::OrderCancelled),
        <&str>::from(Operation::Create),
    )
    .fetch_one(connection)
    .await?;
    Ok(lets_go)
}

/// Items as the statement takes them: column by column.
#[derive(Default)]
struct ItemColumns<'a> {
    submission_ids: Vec<Uuid>,
    order_ids: Vec<Uuid>,
    operations: Vec<&'a str>,
    states: Vec<&'a str>,
    told_statuses: Vec<Option<&'a str>>,
    /// Where the order may stand for the status to count
    may_stand_at: Vec<Value>,
    told_numbers: Vec<Option<&'a str>>,
    documents: Vec<Option<Value>>,
    touch_orders: Vec<bool>,
    are_taken: Vec<bool>,
    /// The provider has the whole document now
    are_whole: Vec<bool>,
    /// A change that ends is in the document from now on, or out of it
    are_changed: Vec<bool>,
    event_ids: Vec<Uuid>,
    events: Vec<Option<&'a str>>,
    order_event_ids: Vec<Uuid>,
    order_events: Vec<Option<&'a str>>,
    let_next_go: Vec<bool>,
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
            columns.events.push(event_of(item.state).filter(|_| item.announce).map(Into::into));
            columns.order_event_ids.push(Uuid::now_v7());
            columns.order_events.push(item.order_event.map(Into::into));
            columns.let_next_go.push(ends && !is_failed_creation(item));
        }
        columns
    }
}

/// Results likewise. Arrays of arrays are rectangles in SQL; pointers go as JSON and become lists there.
#[derive(Default)]
struct ResultColumns<'a> {
    submission_ids: Vec<Uuid>,
    providers: Vec<&'a str>,
    scopes: Vec<&'a str>,
    raw_codes: Vec<&'a str>,
    raw_messages: Vec<Option<&'a str>>,
    codes: Vec<&'a str>,
    severities: Vec<&'a str>,
    retryable: Vec<bool>,
    pointers: Vec<Value>,
    messages_zh: Vec<&'a str>,
    messages_en: Vec<&'a str>,
}

impl<'a> ResultColumns<'a> {
    fn of(items: &'a [SettledItem]) -> Self {
        let mut columns = ResultColumns::default();
        for (id, result) in items.iter().flat_map(|item| item.results.iter().map(|result| (item.submission_id, result)))
        {
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

/// The types of events that tell of an order what happens to it once.
fn told_once() -> Vec<&'static str> {
    EventType::VARIANTS.iter().filter(|event| event.is_told_once()).map(Into::into).collect()
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

fn is_failed_creation(item: &SettledItem) -> bool {
    item.operation == Operation::Create && item.state.is_final() && !is_taken(item.state)
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
