//! Further operations on an order that is in the ledger: queued behind what is unfinished, in the order in
//! which they were accepted.

use std::num::NonZeroU32;

use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::idempotency::{self, IdempotencyKey};
use super::outcome::ResultColumns;
use super::settle::SettledItem;
use super::{Store, StoreError, outcome, queue};
use crate::canonical::{EventType, Operation, OrderStatus, Severity, SubmissionResult, SubmissionState};

/// An operation on an order, ready to be queued.
pub struct NewSubmission<'a> {
    pub submission_id: Uuid,
    pub order_id: Uuid,
    /// The version of the order that the operation was checked against
    pub checked_version: i64,
    pub endpoint: &'a str,
    pub operation: Operation,
    /// The merge patch that it adds to the document
    pub change: Option<&'a Value>,
    pub batch_key: &'a str,
    pub notices: &'a [SubmissionResult],
    pub idempotency: Option<&'a IdempotencyKey>,
    /// How much may wait for the account
    pub queue_limit: Option<NonZeroU32>,
    /// W3C traceparent of the request that brought it
    pub trace_parent: Option<&'a str>,
}

/// Operations on one order that may be unfinished at once. A cancellation may come beyond it.
const MOST_UNFINISHED: i64 = 100;

/// What became of an operation that was to be queued.
#[derive(Debug, PartialEq, Eq)]
pub enum Submitted {
    Queued,
    /// The idempotency key was used before; nothing was kept.
    KeyKnown,
    /// The order is another than the one that was checked: look again.
    OrderChanged,
    /// As much waits for the order or its account as may; nothing was kept.
    QueueFull,
}

/// What became of a cancellation within the gateway.
#[derive(Debug, PartialEq, Eq)]
pub enum CancelledHere {
    Done,
    /// The idempotency key was used before; nothing was done.
    KeyKnown,
    /// The order is another than the one that was checked: look again.
    OrderChanged,
    /// Its creation is not queued any more, or may have reached the provider, or the provider told of the order.
    TooLate,
}

impl Store {
    /// Queues an operation on an order.
    pub async fn submit(&self, new: &NewSubmission<'_>) -> Result<Submitted, StoreError> {
        let mut transaction = self.begin().await?;
        if lock_order(&mut transaction, new.order_id).await? != Some(new.checked_version) {
            return Ok(Submitted::OrderChanged);
        }
        if let Some(key) = new.idempotency
            && !idempotency::begin(&mut transaction, key, new.order_id, 202).await?
        {
            return Ok(Submitted::KeyKnown);
        }
        if new.operation != Operation::Cancel && is_full(&mut transaction, self.rooms(), new).await? {
            return Ok(Submitted::QueueFull);
        }
        let status = (new.operation == Operation::Create).then_some(OrderStatus::Pending);
        sqlx::query!(
            r#"with clock as materialized (select onelane_now() as now),
            changed as (
                update orders set version = version + 1, updated_at = now, status = coalesce($7, status)
                from clock where id = $2
                returning id, account_id, provider, order_number, status),
            new_submission as (
                insert into submissions (id, order_id, account_id, provider, endpoint, operation, change, batch_key, trace_parent, state, ready,
                    due_at, created_at, updated_at)
                select $1, id, account_id, provider, $3, $4, $5, $6, $10, 'queued',
                    not exists (select from submissions s where s.order_id = $2 and s.finished_at is null), now, now, now
                from changed, clock)
            insert into events (id, type, account_id, order_id, submission_id, data, occurred_at, recorded_at)
            select $8, $9, account_id, id, $1,
                jsonb_build_object('orderNumber', order_number, 'operation', $4::text, 'state', 'queued', 'status', status), now, now
            from changed, clock"#,
            new.submission_id,
            new.order_id,
            new.endpoint,
            <&str>::from(new.operation),
            new.change,
            new.batch_key,
            status.map(<&str>::from),
            Uuid::now_v7(),
            <&str>::from(EventType::SubmissionQueued),
            new.trace_parent,
        )
        .execute(&mut *transaction)
        .await?;
        insert_notices(&mut transaction, new.submission_id, new.notices).await?;
        transaction.commit().await?;
        self.tell_of_events();
        Ok(Submitted::Queued)
    }

    /// Cancels an order whose creation is still queued and never went out; with it all that waits behind.
    pub async fn cancel_here(
        &self,
        order_id: Uuid,
        checked_version: i64,
        key: Option<&IdempotencyKey>,
    ) -> Result<CancelledHere, StoreError> {
        let mut transaction = self.begin().await?;
        if lock_order(&mut transaction, order_id).await? != Some(checked_version) {
            return Ok(CancelledHere::OrderChanged);
        }
        if let Some(key) = key
            && !idempotency::begin(&mut transaction, key, order_id, 200).await?
        {
            return Ok(CancelledHere::KeyKnown);
        }
        let Some(row) = sqlx::query!(
            // What the provider told of meanwhile stands there, whatever it said to the creation.
            r#"update submissions set state = 'cancelled', ready = false, updated_at = onelane_now(), finished_at = onelane_now()
               where order_id = $1 and operation = $2 and state = 'queued' and not may_exist
                 and not exists (select from orders where id = $1 and placed)
               returning id, finished_at as "finished_at!", change is not null as "has_change!""#,
            order_id,
            <&str>::from(Operation::Create),
        )
        .fetch_optional(&mut *transaction)
        .await?
        else {
            return Ok(CancelledHere::TooLate);
        };
        let result = SubmissionResult::gateway(
            "gateway.cancelled_by_caller",
            Severity::Info,
            false,
            "Cancelled before it went out; never sent",
            "发送前已取消,未发送",
        );
        let item = SettledItem {
            order_status: Some(OrderStatus::Cancelled),
            order_event: Some(EventType::OrderCancelled),
            has_change: row.has_change,
            results: vec![result],
            ..SettledItem::in_state(row.id, order_id, Operation::Create, SubmissionState::Cancelled)
        };
        outcome::record(&mut transaction, &[item], row.finished_at).await?;
        transaction.commit().await?;
        self.tell_of_events();
        Ok(CancelledHere::Done)
    }
}

/// Whether as much waits for the order, whose row is locked, or for its account as may.
async fn is_full(
    connection: &mut PgConnection,
    rooms: &queue::Rooms,
    new: &NewSubmission<'_>,
) -> Result<bool, StoreError> {
    let row = sqlx::query!(
        r#"select account_id, (
               select count(*) from (
                   select from submissions where order_id = $1 and finished_at is null limit $2) w) >= $2 as "is_full!"
           from orders where id = $1"#,
        new.order_id,
        MOST_UNFINISHED,
    )
    .fetch_one(&mut *connection)
    .await?;
    Ok(row.is_full || queue::is_full(connection, rooms, &row.account_id, new.queue_limit).await?)
}

/// Locks an order and gives its version, if it is there.
pub(super) async fn lock_order(connection: &mut PgConnection, order_id: Uuid) -> Result<Option<i64>, StoreError> {
    Ok(sqlx::query_scalar!("select version from orders where id = $1 for update", order_id)
        .fetch_optional(connection)
        .await?)
}

/// What the caller should know of how an operation was translated.
pub(super) async fn insert_notices(
    connection: &mut PgConnection,
    submission_id: Uuid,
    notices: &[SubmissionResult],
) -> Result<(), StoreError> {
    if notices.is_empty() {
        return Ok(());
    }
    let notices = ResultColumns::of(notices.iter().map(|notice| (submission_id, notice)));
    sqlx::query!(
        "insert into results (submission_id, provider, scope, raw_code, code, severity, retryable, pointers, message_zh, message_en, notice, recorded_at)
         select $1, n.provider, n.scope, n.code, n.code, n.severity, false, array(select jsonb_array_elements_text(n.pointers)),
             n.message_zh, n.message_en, true, onelane_now()
         from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::text[], $8::text[]) with ordinality
             as n (provider, scope, code, severity, pointers, message_zh, message_en, place)
         order by n.place",
        submission_id,
        &notices.providers as &[&str],
        &notices.scopes as &[&str],
        &notices.codes as &[&str],
        &notices.severities as &[&str],
        &notices.pointers,
        &notices.messages_zh as &[&str],
        &notices.messages_en as &[&str],
    )
    .execute(connection)
    .await?;
    Ok(())
}
