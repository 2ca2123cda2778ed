//! What the end of a submission means for its order and for those who wait: the part that a provider's answer
//! and a person's decision share.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use super::settle::SettledItem;
use super::{StoreError, happen, trips};
use crate::canonical::{EventType, Operation, OrderStatus, Severity, SubmissionResult, SubmissionState, merge_patch};

/// The document with a submission's change in it.
pub(super) fn changed(document: &Value, change: &Value) -> Value {
    let mut changed = document.clone();
    merge_patch(&mut changed, change);
    changed
}

/// Locks the orders, so that nothing is queued behind a submission while it ends.
pub(super) async fn lock_orders(connection: &mut PgConnection, items: &[SettledItem]) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = items.iter().map(|item| item.order_id).collect();
    let trips: Vec<Uuid> = items.iter().filter_map(|item| Some(item.trip.as_ref()?.trip_id)).collect();
    sqlx::query!(
        "select id from orders where id = any($1 || array(select order_id from trip_orders where trip_id = any($2)))
         order by id for update",
        &ids,
        &trips,
    )
    .fetch_all(connection)
    .await?;
    Ok(())
}

/// Records what came of submissions whose own rows are up to date already.
pub(super) async fn record(
    connection: &mut PgConnection,
    items: &[SettledItem],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let told = told_before(connection, items).await?;
    update_orders(connection, items, now).await?;
    trips::settle(connection, items, now).await?;
    replace_results(connection, items, now).await?;
    insert_events(connection, items, &told, now).await?;
    cancel_followers(connection, items, now).await?;
    release_successors(connection, items).await
}

/// Of the orders whose creation or cancellation is to be told, those of which the provider told it before by a
/// callback.
async fn told_before(connection: &mut PgConnection, items: &[SettledItem]) -> Result<HashSet<Uuid>, StoreError> {
    let once = items.iter().filter_map(|item| Some((item.order_id, item.order_event.filter(|it| it.is_told_once())?)));
    let (ids, types): (Vec<Uuid>, Vec<&str>) = once.map(|(id, event)| (id, <&str>::from(event))).unzip();
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    // Only of an order that a callback moved; the others have no such event, and theirs are not looked through. An order
    // that was cancelled here, and then corrected, may be cancelled again.
    let told = sqlx::query_scalar!(
        r#"select o.id from unnest($1::uuid[], $2::text[]) as u (id, type) join orders o on o.id = u.id and o.id = any($1)
           where o.status <> 'pending' and exists (
               select from (
                   select recorded_at from events where order_id = o.id and type = u.type
                   union all
                   select recorded_at from milestones where order_id = o.id and type = u.type) told
               where u.type <> $3 or told.recorded_at >= coalesce(
                   (select max(created_at) from submissions where order_id = o.id and operation = $4), '-infinity'))"#,
        &ids,
        &types as &[&str],
        <&str>::from(EventType::OrderCancelled),
        <&str>::from(Operation::Create),
    )
    .fetch_all(connection)
    .await?;
    Ok(told.into_iter().collect())
}

/// What became of the orders themselves: status, the provider's number, the document.
async fn update_orders(
    connection: &mut PgConnection,
    items: &[SettledItem],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let ended: Vec<&SettledItem> = items
        .iter()
        .filter(|item| item.state.is_final() || item.order_status.is_some() || item.provider_order_number.is_some())
        .collect();
    if ended.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = ended.iter().map(|item| item.order_id).collect();
    let statuses: Vec<Option<&str>> = ended.iter().map(|item| item.order_status.map(Into::into)).collect();
    let from: Vec<Value> = ended.iter().map(|item| json!(before(item))).collect();
    let numbers: Vec<Option<&str>> = ended.iter().map(|item| item.provider_order_number.as_deref()).collect();
    let documents: Vec<Option<Value>> = ended.iter().map(|item| item.document.clone()).collect();
    let taken: Vec<bool> = ended.iter().map(|item| is_taken(item.state)).collect();
    let whole: Vec<bool> = ended
        .iter()
        .map(|item| is_taken(item.state) && matches!(item.operation, Operation::Create | Operation::Amend))
        .collect();
    // A change that ends is in the document from now on, or out of it.
    let changed: Vec<bool> = ended.iter().map(|item| item.has_change && item.state.is_final()).collect();
    sqlx::query!(
        "update orders o set status = coalesce(u.status, o.status),
             provider_order_number = coalesce(u.number, o.provider_order_number),
             document = coalesce(u.document, o.document),
             document_complete = o.document_complete or u.whole,
             placed = o.placed or u.taken,
             version = o.version + case when u.changed
                 or (o.status, o.provider_order_number) is distinct from (coalesce(u.status, o.status), coalesce(u.number, o.provider_order_number))
                 then 1 else 0 end,
             updated_at = $8
         from (
             select n.id, case when n.before ? p.status then n.status end as status, n.number, n.document, n.taken, n.whole, n.changed
             from unnest($1::uuid[], $2::text[], $9::jsonb[], $3::text[], $4::jsonb[], $5::bool[], $6::bool[], $7::bool[])
                 as n (id, status, before, number, document, taken, whole, changed)
             join orders p on p.id = n.id and p.id = any($1)) u
         where o.id = u.id and o.id = any($1)",
        &ids,
        &statuses as &[Option<&str>],
        &numbers as &[Option<&str>],
        &documents as &[Option<Value>],
        &taken,
        &whole,
        &changed,
        now,
        &from,
    )
    .execute(&mut *connection)
    .await?;
    let numbered: Vec<Uuid> =
        ended.iter().filter(|item| item.provider_order_number.is_some()).map(|item| item.order_id).collect();
    if numbered.is_empty() { Ok(()) } else { happen::wake_waiting(connection, &numbered).await }
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

/// Puts what this answer said in the place of what earlier answers said; notices of the translation stay.
async fn replace_results(
    connection: &mut PgConnection,
    items: &[SettledItem],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let retried: Vec<Uuid> = items.iter().map(|item| item.submission_id).collect();
    sqlx::query!("delete from results where submission_id = any($1) and not notice", &retried)
        .execute(&mut *connection)
        .await?;
    let rows: Vec<(Uuid, &SubmissionResult)> =
        items.iter().flat_map(|item| item.results.iter().map(|result| (item.submission_id, result))).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let column = |read: fn(&SubmissionResult) -> &str| rows.iter().map(|(_, result)| read(result)).collect::<Vec<_>>();
    // Arrays of arrays are rectangles in SQL; pointers go as JSON and come back as lists.
    let pointers: Vec<Value> = rows.iter().map(|(_, result)| json!(result.pointers)).collect();
    let ids: Vec<Uuid> = rows.iter().map(|(id, _)| *id).collect();
    let raw_messages: Vec<Option<&str>> = rows.iter().map(|(_, result)| result.raw_message.as_deref()).collect();
    let severities: Vec<&str> = rows.iter().map(|(_, result)| result.severity.into()).collect();
    let retryable: Vec<bool> = rows.iter().map(|(_, result)| result.retryable).collect();
    sqlx::query!(
        "insert into results (submission_id, provider, scope, raw_code, raw_message, code, severity, retryable, pointers,
             message_zh, message_en, notice, recorded_at)
         select u.id, u.provider, u.scope, u.raw_code, u.raw_message, u.code, u.severity, u.retryable,
             array(select jsonb_array_elements_text(u.pointers)), u.message_zh, u.message_en, false, $12
         from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bool[], $9::jsonb[],
             $10::text[], $11::text[]) with ordinality
             as u (id, provider, scope, raw_code, raw_message, code, severity, retryable, pointers, message_zh, message_en, place)
         order by u.place",
        &ids,
        &column(|result| &result.provider) as &[&str],
        &column(|result| &result.scope) as &[&str],
        &column(|result| &result.raw_code) as &[&str],
        &raw_messages as &[Option<&str>],
        &column(|result| &result.code) as &[&str],
        &severities as &[&str],
        &retryable,
        &pointers,
        &column(|result| &result.message_zh) as &[&str],
        &column(|result| &result.message_en) as &[&str],
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// One event for each submission that came to an end or into doubt, and one for what happened to the order.
async fn insert_events(
    connection: &mut PgConnection,
    items: &[SettledItem],
    told_before: &HashSet<Uuid>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut types: Vec<&str> = Vec::new();
    let mut order_ids = Vec::new();
    let mut submission_ids = Vec::new();
    for item in items {
        let of_submission = event_of(item.state).filter(|_| item.announce);
        let of_order = item.order_event.filter(|_| !told_before.contains(&item.order_id));
        for event in [of_submission, of_order].into_iter().flatten() {
            types.push(event.into());
            order_ids.push(item.order_id);
            submission_ids.push(item.submission_id);
        }
    }
    if types.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = types.iter().map(|_| Uuid::now_v7()).collect();
    sqlx::query!(
        "insert into events (id, type, account_id, order_id, submission_id, data, occurred_at, recorded_at)
         select u.id, u.type, o.account_id, o.id, s.id,
             jsonb_strip_nulls(jsonb_build_object('orderNumber', o.order_number, 'providerOrderNumber', o.provider_order_number,
                 'operation', s.operation, 'state', s.state, 'status', o.status)), $5, (select onelane_now())
         from unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[]) as u (id, type, order_id, submission_id)
         join orders o on o.id = u.order_id and o.id = any($3)
         join submissions s on s.id = u.submission_id and s.id = any($4)",
        &ids,
        &types as &[&str],
        &order_ids,
        &submission_ids,
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
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

/// What waits behind a create that failed has no order to change: it is cancelled.
async fn cancel_followers(
    connection: &mut PgConnection,
    items: &[SettledItem],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let failed: Vec<Uuid> = items
        .iter()
        .filter(|item| item.operation == Operation::Create && item.state.is_final() && !is_taken(item.state))
        .map(|item| item.order_id)
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
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
        &failed,
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

/// Lets the next submission of each finished one's order go.
async fn release_successors(connection: &mut PgConnection, items: &[SettledItem]) -> Result<(), StoreError> {
    let finished: Vec<Uuid> = items.iter().filter(|item| item.state.is_final()).map(|item| item.order_id).collect();
    sqlx::query!(
        "update submissions set ready = true
         where id = any(array(
             select next.id from unnest($1::uuid[]) as finished (order_id)
             cross join lateral (
                 select id from submissions where order_id = finished.order_id and finished_at is null order by sequence limit 1) next))
           and not ready and state = 'queued'",
        &finished,
    )
    .execute(connection)
    .await?;
    Ok(())
}
