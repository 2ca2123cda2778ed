//! What a person decides of a submission that came to no good end: to try it again, or how it ended.

use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::audit::{Act, commit_with};
use super::settle::{SettledItem, SettledTrip};
use super::{Store, StoreError, outcome, submit, word};
use crate::canonical::{EventType, Operation, OrderStatus, Severity, SubmissionResult, SubmissionState};

/// What became of a decision.
#[derive(Debug, PartialEq, Eq)]
pub enum Decided {
    Done,
    /// The submission's state allows no such decision.
    WrongState(SubmissionState),
    /// A later submission of the order has gone out, or a correction of this creation is on its way.
    Overtaken,
    Unknown,
}

/// How a person says that a doubt ended.
pub struct Resolution<'a> {
    pub accepted: bool,
    pub provider_order_number: Option<&'a str>,
    pub reason: &'a str,
    /// Who decided: the id of an API key
    pub decided_by: Uuid,
}

impl Store {
    /// Puts a submission that is dead, rejected or in doubt back into the queue, with all its tries before it.
    pub async fn retry_submission(&self, id: Uuid, act: &Act<'_>) -> Result<Decided, StoreError> {
        let mut transaction = self.begin().await?;
        let Some(order_id) = sqlx::query_scalar!("select order_id from submissions where id = $1", id)
            .fetch_optional(&mut *transaction)
            .await?
        else {
            return Ok(Decided::Unknown);
        };
        submit::lock_order(&mut transaction, order_id).await?;
        let row = sqlx::query!(
            r#"select state, sequence, operation, trip_id,
                   exists (select from submissions later where later.order_id = s.order_id and later.sequence > s.sequence
                           and (later.exchanges > 0 or later.state = 'sending'
                                -- Its correction was sent or will be: an order is made once.
                                or later.operation = s.operation and s.operation = 'create' and later.finished_at is null)) as "overtaken!"
               from submissions s where id = $1 for update"#,
            id,
        )
        .fetch_one(&mut *transaction)
        .await?;
        let state: SubmissionState = word("submissions", "state", id, &row.state)?;
        let operation: Operation = word("submissions", "operation", id, &row.operation)?;
        if !matches!(state, SubmissionState::Dead | SubmissionState::Rejected | SubmissionState::InDoubt) {
            return Ok(Decided::WrongState(state));
        }
        if row.overtaken {
            return Ok(Decided::Overtaken);
        }
        // Bytes of the last attempt may still be on their way until its lease is over.
        sqlx::query!(
            "update submissions s set state = 'queued', attempts = 0, cleared = false, misses = 0, finished_at = null, updated_at = onelane_now(),
                 ready = not exists (select from submissions e where e.order_id = s.order_id and e.sequence < s.sequence and e.finished_at is null),
                 due_at = case when s.may_exist
                     then greatest(onelane_now(), coalesce((select lease_until from exchanges where id = s.exchange_id), onelane_now()))
                     else onelane_now() end
             where id = $1",
            id,
        )
        .execute(&mut *transaction)
        .await?;
        sqlx::query!(
            "update submissions set ready = false
             where order_id = $1 and sequence > $2 and finished_at is null and state = 'queued' and ready",
            order_id,
            row.sequence,
        )
        .execute(&mut *transaction)
        .await?;
        sqlx::query!(
            "with changed as (
                 update orders set version = version + 1, updated_at = onelane_now(),
                     status = case when $3 and not placed then 'pending' else status end
                 where id = $1 or id in (select order_id from trip_orders where trip_id = $7)
                 returning id, account_id, order_number, status, updated_at)
             insert into events (id, type, account_id, order_id, submission_id, data, occurred_at, recorded_at)
             select $4, $5, account_id, id, $2,
                 jsonb_build_object('orderNumber', order_number, 'operation', $6::text, 'state', 'queued', 'status', status), updated_at, updated_at
             from changed where id = $1",
            order_id,
            id,
            matches!(operation, Operation::Create | Operation::CreateTrip),
            Uuid::now_v7(),
            <&str>::from(EventType::SubmissionQueued),
            row.operation,
            row.trip_id,
        )
        .execute(&mut *transaction)
        .await?;
        commit_with(transaction, act, true).await?;
        self.tell_of_events();
        Ok(Decided::Done)
    }

    /// Ends a doubt on a person's word.
    pub async fn resolve_submission(
        &self,
        id: Uuid,
        resolution: &Resolution<'_>,
        act: &Act<'_>,
    ) -> Result<Decided, StoreError> {
        let mut transaction = self.begin().await?;
        let Some(order_id) = sqlx::query_scalar!("select order_id from submissions where id = $1", id)
            .fetch_optional(&mut *transaction)
            .await?
        else {
            return Ok(Decided::Unknown);
        };
        submit::lock_order(&mut transaction, order_id).await?;
        let row = sqlx::query!(
            r#"select s.state, s.operation, s.trip_id, s.change as "change: Json<Value>", o.document
               from submissions s join orders o on o.id = s.order_id where s.id = $1 for update of s"#,
            id,
        )
        .fetch_one(&mut *transaction)
        .await?;
        let state: SubmissionState = word("submissions", "state", id, &row.state)?;
        if state != SubmissionState::InDoubt {
            return Ok(Decided::WrongState(state));
        }
        let operation: Operation = word("submissions", "operation", id, &row.operation)?;
        let state = if resolution.accepted { SubmissionState::Accepted } else { SubmissionState::Rejected };
        let now = sqlx::query_scalar!(
            r#"update submissions set state = $2, ready = false, updated_at = onelane_now(), finished_at = onelane_now(),
                   provider_order_number = coalesce($3, provider_order_number)
               where id = $1 returning finished_at as "finished_at!""#,
            id,
            <&str>::from(state),
            resolution.provider_order_number,
        )
        .fetch_one(&mut *transaction)
        .await?;
        let document = row.change.as_ref().filter(|_| resolution.accepted);
        let document = document.map(|change| outcome::changed(order_id, &row.document, &change.0)).transpose()?;
        let create = matches!(operation, Operation::Create | Operation::CreateTrip);
        let item = SettledItem {
            may_exist: true,
            provider_order_number: resolution.provider_order_number.map(str::to_owned),
            order_status: match (create, resolution.accepted) {
                (true, true) => Some(OrderStatus::Requested),
                (true, false) => Some(OrderStatus::Rejected),
                (false, true) if operation == Operation::Cancel => Some(OrderStatus::Cancelled),
                _ => None,
            },
            order_event: match operation {
                Operation::Create | Operation::CreateTrip => Some(EventType::OrderPlaced),
                Operation::Cancel => Some(EventType::OrderCancelled),
                Operation::Amend | Operation::UpdateCustomFields => None,
            }
            .filter(|_| resolution.accepted),
            document,
            has_change: row.change.is_some(),
            trip: row.trip_id.map(SettledTrip::without_numbers),
            results: vec![resolved(resolution)],
            ..SettledItem::in_state(id, order_id, operation, state)
        };
        outcome::record(&mut transaction, &[item], now).await?;
        commit_with(transaction, act, true).await?;
        self.tell_of_events();
        Ok(Decided::Done)
    }
}

/// The audit trail of a decision.
fn resolved(resolution: &Resolution<'_>) -> SubmissionResult {
    let result = SubmissionResult::gateway(
        "gateway.resolved_by_person",
        Severity::Info,
        false,
        "A person decided how the doubt ended",
        "人工确认结果",
    );
    result.with_raw_message(format!("{} (API key {})", resolution.reason, resolution.decided_by))
}
