//! Accepting many orders at once: all of them in one commit, together with the answer that a repetition of
//! the request gets.

use serde_json::Value;
use uuid::Uuid;

use super::accept::NewOrder;
use super::idempotency::{self, IdempotencyKey};
use super::{Store, StoreError, submit};
use crate::canonical::{EventType, Operation};

/// What became of a batch.
#[derive(Debug)]
pub enum AcceptedBatch {
    /// Which of the orders are in the ledger now; the others' numbers were taken. One for each order.
    Kept(Vec<bool>),
    /// The idempotency key was used before; nothing was kept.
    KeyKnown,
}

impl Store {
    /// Keeps orders and queues their submissions. `answer` makes of what was kept the answer that a
    /// repetition is given.
    pub async fn accept_orders(
        &self,
        orders: &[NewOrder<'_>],
        batch_id: Uuid,
        key: &IdempotencyKey,
        answer: impl FnOnce(&[bool]) -> Value,
    ) -> Result<AcceptedBatch, StoreError> {
        let mut transaction = self.pool().begin().await?;
        if !idempotency::begin(&mut transaction, key, batch_id, 207).await? {
            return Ok(AcceptedBatch::KeyKnown);
        }
        let ids: Vec<Uuid> = orders.iter().map(|order| order.order_id).collect();
        let submission_ids: Vec<Uuid> = orders.iter().map(|order| order.submission_id).collect();
        let event_ids: Vec<Uuid> = orders.iter().map(|_| Uuid::now_v7()).collect();
        let column = |read: fn(&NewOrder<'_>) -> String| orders.iter().map(read).collect::<Vec<String>>();
        let documents: Vec<Value> = orders.iter().map(|order| order.document.clone()).collect();
        let kept = sqlx::query_scalar!(
            r#"with clock as materialized (select onelane_now() as now),
            given as (
                select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                    $9::jsonb[], $10::uuid[]) with ordinality
                    as g (order_id, submission_id, account_id, provider, endpoint, document_type, order_number, batch_key, document, event_id, place)),
            new_order as (
                insert into orders (id, account_id, provider, document_type, order_number, document, status, created_at, updated_at)
                select order_id, account_id, provider, document_type, order_number, document, 'pending', now, now
                from given, clock order by place
                on conflict (account_id, document_type, order_number) do nothing
                returning id),
            new_submission as (
                insert into submissions (id, order_id, account_id, provider, endpoint, operation, batch_key, state, ready, due_at, created_at, updated_at)
                select g.submission_id, g.order_id, g.account_id, g.provider, g.endpoint, $11, g.batch_key, 'queued', true, now, now, now
                from given g join new_order on new_order.id = g.order_id, clock order by g.place),
            event as (
                insert into events (id, type, account_id, order_id, submission_id, data, occurred_at, recorded_at)
                select g.event_id, $12, g.account_id, g.order_id, g.submission_id,
                    jsonb_build_object('orderNumber', g.order_number, 'operation', $11::text, 'state', 'queued'), now, now
                from given g join new_order on new_order.id = g.order_id, clock)
            select id from new_order"#,
            &ids,
            &submission_ids,
            &column(|order| order.account_id.to_owned()),
            &column(|order| order.provider.to_owned()),
            &column(|order| order.endpoint.to_owned()),
            &column(|order| order.document_type.to_string()),
            &column(|order| order.order_number.to_owned()),
            &column(|order| order.batch_key.to_owned()),
            &documents,
            &event_ids,
            <&str>::from(Operation::Create),
            <&str>::from(EventType::SubmissionQueued),
        )
        .fetch_all(&mut *transaction)
        .await?;
        let kept: std::collections::HashSet<Uuid> = kept.into_iter().collect();
        let kept: Vec<bool> = ids.iter().map(|id| kept.contains(id)).collect();
        for (order, _) in orders.iter().zip(&kept).filter(|(order, kept)| **kept && !order.notices.is_empty()) {
            submit::insert_notices(&mut transaction, order.submission_id, order.notices).await?;
        }
        idempotency::keep_answer(&mut transaction, key, &answer(&kept)).await?;
        transaction.commit().await?;
        self.tell_of_events();
        Ok(AcceptedBatch::Kept(kept))
    }
}
