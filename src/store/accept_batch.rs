//! Accepting many orders at once: all of them in one commit, together with the answer that a repetition of
//! the request gets.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;
use uuid::Uuid;

use super::accept::NewOrder;
use super::idempotency::{self, IdempotencyKey};
use super::{Store, StoreError, submit};
use crate::canonical::{EventType, Operation};

/// What became of a batch.
#[derive(Debug)]
pub enum AcceptedBatch {
    /// What became of each order.
    Done(Vec<BatchItem>),
    /// The idempotency key was used before; nothing was kept.
    KeyKnown,
}

/// What became of one order of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchItem {
    /// It is in the ledger and queued.
    Kept,
    /// The account has an order of this number.
    NumberTaken,
    /// As much waits for the account as may.
    QueueFull,
}

impl Store {
    /// Keeps orders and queues their submissions. `answer` makes of what was kept the answer that a
    /// repetition is given.
    pub async fn accept_orders(
        &self,
        orders: &[NewOrder<'_>],
        batch_id: Uuid,
        key: &IdempotencyKey,
        answer: impl FnOnce(&[BatchItem]) -> Value,
    ) -> Result<AcceptedBatch, StoreError> {
        let mut transaction = self.begin().await?;
        if !idempotency::begin(&mut transaction, key, batch_id, 207).await? {
            return Ok(AcceptedBatch::KeyKnown);
        }
        let ids: Vec<Uuid> = orders.iter().map(|order| order.order_id).collect();
        let submission_ids: Vec<Uuid> = orders.iter().map(|order| order.submission_id).collect();
        let event_ids: Vec<Uuid> = orders.iter().map(|_| Uuid::now_v7()).collect();
        let column = |read: fn(&NewOrder<'_>) -> String| orders.iter().map(read).collect::<Vec<String>>();
        let trace_parents: Vec<Option<&str>> = orders.iter().map(|order| order.trace_parent).collect();
        let documents: Vec<&Value> = orders.iter().map(|order| order.document).collect();
        let limits: BTreeMap<&str, i64> =
            orders.iter().filter_map(|order| Some((order.account_id, order.queue_limit?.get().into()))).collect();
        let limited: Vec<&str> = limits.keys().copied().collect();
        let limits: Vec<i64> = limits.into_values().collect();
        let found = sqlx::query!(
            r#"with clock as materialized (select onelane_now() as now),
            given as (
                select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                    $9::jsonb[], $10::uuid[], $15::text[]) with ordinality
                    as g (order_id, submission_id, account_id, provider, endpoint, document_type, order_number, batch_key, document, event_id,
                        trace_parent, place)),
            room as materialized (
                select l.account_id, l.most - (
                    select count(*) from (
                        select from submissions s
                        where s.account_id = l.account_id and s.ready and s.state in ('queued', 'in_doubt') limit l.most) w) as places
                from unnest($13::text[], $14::bigint[]) as l (account_id, most)),
            candidate as (
                -- What the ledger has, or the batch has before, takes no place.
                select g.account_id, g.order_id, g.place,
                    row_number() over (partition by g.account_id, g.document_type, g.order_number order by g.place) = 1
                    and not exists (
                        select from orders o where o.account_id = g.account_id and o.document_type = g.document_type
                          and o.order_number = g.order_number) as is_new
                from given g join room on room.account_id = g.account_id),
            full_queue as materialized (
                select c.order_id from (
                    select account_id, order_id, is_new,
                        count(*) filter (where is_new) over (partition by account_id order by place) as nth
                    from candidate) c
                join room on room.account_id = c.account_id
                where c.is_new and c.nth > room.places),
            new_order as (
                insert into orders (id, account_id, provider, document_type, order_number, document, status, created_at, updated_at)
                select order_id, account_id, provider, document_type, order_number, document, 'pending', now, now
                from given, clock where order_id not in (select order_id from full_queue) order by place
                on conflict (account_id, document_type, order_number) do nothing
                returning id),
            new_submission as (
                insert into submissions (id, order_id, account_id, provider, endpoint, operation, batch_key, trace_parent, state, ready, due_at, created_at, updated_at)
                select g.submission_id, g.order_id, g.account_id, g.provider, g.endpoint, $11, g.batch_key, g.trace_parent, 'queued', true, now, now, now
                from given g join new_order on new_order.id = g.order_id, clock order by g.place),
            event as (
                insert into events (id, type, account_id, order_id, submission_id, data, occurred_at, recorded_at)
                select g.event_id, $12, g.account_id, g.order_id, g.submission_id,
                    jsonb_build_object('orderNumber', g.order_number, 'operation', $11::text, 'state', 'queued'), now, now
                from given g join new_order on new_order.id = g.order_id, clock)
            select id as "id!", false as "queue_full!" from new_order
            union all select order_id, true from full_queue"#,
            &ids,
            &submission_ids,
            &column(|order| order.account_id.to_owned()),
            &column(|order| order.provider.to_owned()),
            &column(|order| order.endpoint.to_owned()),
            &column(|order| order.document_type.to_string()),
            &column(|order| order.order_number.to_owned()),
            &column(|order| order.batch_key.to_owned()),
            &documents as &[&Value],
            &event_ids,
            <&str>::from(Operation::Create),
            <&str>::from(EventType::SubmissionQueued),
            &limited as &[&str],
            &limits,
            &trace_parents as &[Option<&str>],
        )
        .fetch_all(&mut *transaction)
        .await?;
        let found: HashMap<Uuid, bool> = found.into_iter().map(|row| (row.id, row.queue_full)).collect();
        let items: Vec<BatchItem> = ids
            .iter()
            .map(|id| match found.get(id) {
                Some(false) => BatchItem::Kept,
                Some(true) => BatchItem::QueueFull,
                None => BatchItem::NumberTaken,
            })
            .collect();
        for (order, item) in orders.iter().zip(&items) {
            if *item == BatchItem::Kept && !order.notices.is_empty() {
                submit::insert_notices(&mut transaction, order.submission_id, order.notices).await?;
            }
        }
        idempotency::keep_answer(&mut transaction, key, &answer(&items)).await?;
        transaction.commit().await?;
        self.tell_of_events();
        Ok(AcceptedBatch::Done(items))
    }
}
