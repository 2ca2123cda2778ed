//! Trips: several orders on one vehicle, made by one submission.

use std::num::NonZeroU32;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::idempotency::{self, IdempotencyKey};
use super::outcome::is_taken;
use super::settle::SettledItem;
use super::submit::insert_notices;
use super::{Store, StoreError, happen, orders, outcome, queue};
use crate::canonical::{DocumentType, EventType, Operation, OrderStatus, SubmissionResult};

/// A trip to be kept, with its orders.
pub struct NewTrip<'a> {
    pub trip_id: Uuid,
    pub submission_id: Uuid,
    pub account_id: &'a str,
    pub provider: &'a str,
    pub endpoint: &'a str,
    pub driver_phone: &'a str,
    /// In the order of their places
    pub orders: &'a [NewTripOrder<'a>],
    pub batch_key: &'a str,
    pub notices: &'a [SubmissionResult],
    pub idempotency: &'a IdempotencyKey,
    /// How much may wait for the account
    pub queue_limit: Option<NonZeroU32>,
    /// W3C traceparent of the request that brought it
    pub trace_parent: Option<&'a str>,
}

/// An order of a trip to be kept.
pub struct NewTripOrder<'a> {
    pub order_id: Uuid,
    pub document_type: DocumentType,
    pub order_number: &'a str,
    pub customer_reference: Option<&'a str>,
    /// In JSON
    pub document: &'a str,
}

/// What became of a trip that was to be kept.
#[derive(Debug, PartialEq, Eq)]
pub enum AcceptedTrip {
    New,
    /// The idempotency key was used before; nothing was kept.
    KeyKnown,
    /// The account has orders of these numbers; nothing was kept.
    NumbersTaken(Vec<String>),
    /// As much waits for the account as may; nothing was kept.
    QueueFull,
}

/// A trip as the ledger keeps it.
pub struct StoredTrip {
    pub id: Uuid,
    pub account_id: String,
    pub driver_phone: String,
    pub provider_trip_number: Option<String>,
    pub submission_id: Uuid,
    /// In the order of their places
    pub orders: Vec<StoredTripOrder>,
}

/// An order of a trip.
pub struct StoredTripOrder {
    pub order_id: Uuid,
    pub document: Value,
    pub provider_order_number: Option<String>,
}

impl Store {
    /// Keeps a trip and its orders, and queues its submission: all or nothing.
    pub async fn accept_trip(&self, new: &NewTrip<'_>) -> Result<AcceptedTrip, StoreError> {
        let mut transaction = self.begin().await?;
        if !idempotency::begin(&mut transaction, new.idempotency, new.trip_id, 202).await? {
            return Ok(AcceptedTrip::KeyKnown);
        }
        if queue::is_full(&mut transaction, self.rooms(), new.account_id, new.queue_limit).await? {
            return Ok(AcceptedTrip::QueueFull);
        }
        let taken = insert_orders(&mut transaction, new).await?;
        if !taken.is_empty() {
            return Ok(AcceptedTrip::NumbersTaken(taken));
        }
        let ids: Vec<Uuid> = new.orders.iter().map(|order| order.order_id).collect();
        sqlx::query!(
            r#"with clock as materialized (select onelane_now() as now),
            new_trip as (
                insert into trips (id, account_id, provider, driver_phone, created_at, updated_at)
                select $1, $3, $4, $6, now, now from clock),
            member as (
                insert into trip_orders (trip_id, position, order_id)
                select $1, u.place - 1, u.id from unnest($7::uuid[]) with ordinality as u (id, place)),
            new_submission as (
                insert into submissions (id, order_id, trip_id, account_id, provider, endpoint, operation, batch_key, trace_parent, state, ready,
                    due_at, created_at, updated_at)
                select $2, ($7::uuid[])[1], $1, $3, $4, $5, $8, $9, $11, 'queued', true, now, now, now from clock)
            insert into events (id, type, account_id, order_id, submission_id, data, occurred_at, recorded_at)
            select gen_random_uuid(), $10, $3, o.id, $2,
                jsonb_build_object('orderNumber', o.order_number, 'operation', $8::text, 'state', 'queued', 'status', o.status), now, now
            from orders o, clock where o.id = any($7)"#,
            new.trip_id,
            new.submission_id,
            new.account_id,
            new.provider,
            new.endpoint,
            new.driver_phone,
            &ids,
            <&str>::from(Operation::CreateTrip),
            new.batch_key,
            <&str>::from(EventType::SubmissionQueued),
            new.trace_parent,
        )
        .execute(&mut *transaction)
        .await?;
        insert_notices(&mut transaction, new.submission_id, new.notices).await?;
        transaction.commit().await?;
        self.tell_of_events();
        Ok(AcceptedTrip::New)
    }

    pub async fn trip(&self, id: Uuid) -> Result<Option<StoredTrip>, StoreError> {
        let row = sqlx::query!(
            "select t.id, t.account_id, t.driver_phone, t.provider_trip_number, s.id as submission_id
             from trips t join submissions s on s.trip_id = t.id where t.id = $1",
            id,
        )
        .fetch_optional(self.pool())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let orders = sqlx::query!(
            r#"select o.id, o.document, o.provider_order_number
               from trip_orders m join orders o on o.id = m.order_id where m.trip_id = $1 order by m.position"#,
            id,
        )
        .fetch_all(self.pool())
        .await?;
        Ok(Some(StoredTrip {
            id: row.id,
            account_id: row.account_id,
            driver_phone: row.driver_phone,
            provider_trip_number: row.provider_trip_number,
            submission_id: row.submission_id,
            orders: orders
                .into_iter()
                .map(|order| {
                    Ok(StoredTripOrder {
                        order_id: order.id,
                        document: orders::read_document(order.id, &order.document)?,
                        provider_order_number: order.provider_order_number,
                    })
                })
                .collect::<Result<_, StoreError>>()?,
        }))
    }
}

/// Keeps the orders; gives the numbers that were taken.
async fn insert_orders(connection: &mut PgConnection, new: &NewTrip<'_>) -> Result<Vec<String>, StoreError> {
    let ids: Vec<Uuid> = new.orders.iter().map(|order| order.order_id).collect();
    let types: Vec<&str> = new.orders.iter().map(|order| order.document_type.into()).collect();
    let numbers: Vec<&str> = new.orders.iter().map(|order| order.order_number).collect();
    let references: Vec<Option<&str>> = new.orders.iter().map(|order| order.customer_reference).collect();
    let documents: Vec<&str> = new.orders.iter().map(|order| order.document).collect();
    Ok(sqlx::query_scalar!(
        r#"with kept as (
               insert into orders (id, account_id, provider, document_type, order_number, customer_reference, document, status, created_at, updated_at)
               select u.id, $6, $7, u.document_type, u.order_number, u.customer_reference, u.document, $8, now, now
               from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
                       as u (id, document_type, order_number, customer_reference, document),
                   onelane_now() as now
               on conflict (account_id, document_type, order_number) do nothing
               returning id)
           select u.order_number as "order_number!" from unnest($1::uuid[], $3::text[]) as u (id, order_number)
           where u.id not in (select id from kept)"#,
        &ids,
        &types as &[&str],
        &numbers as &[&str],
        &references as &[Option<&str>],
        &documents as &[&str],
        new.account_id,
        new.provider,
        <&str>::from(OrderStatus::Pending),
    )
    .fetch_all(connection)
    .await?)
}

/// What the end of a trip's submission means for the trip and for those of its orders that the submission does
/// not name.
pub(super) async fn settle(
    connection: &mut PgConnection,
    items: &[SettledItem],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for item in items {
        let Some(trip) = &item.trip else { continue };
        let numbers: Vec<Option<&str>> = trip.provider_order_numbers.iter().map(Option::as_deref).collect();
        let before: Vec<&str> = outcome::before(item).into_iter().map(Into::into).collect();
        sqlx::query!(
            r#"with numbered as (
                   update trips set provider_trip_number = coalesce($2, provider_trip_number), updated_at = $6 where id = $1),
               changed as (
                   update orders o set status = case when o.status = any($11) then $4 else o.status end,
                       provider_order_number = coalesce(($3::text[])[m.position + 1], o.provider_order_number),
                       placed = o.placed or $5, version = o.version + 1, updated_at = $6
                   from trip_orders m
                   where m.trip_id = $1 and m.position > 0 and o.id = m.order_id and ($4::text is not null or $3::text[] <> '{}')
                   returning o.id, o.account_id, o.order_number, o.provider_order_number, o.status)
               insert into events (id, type, account_id, order_id, submission_id, data, occurred_at, recorded_at)
               select gen_random_uuid(), $7, account_id, id, $8,
                   jsonb_strip_nulls(jsonb_build_object('orderNumber', order_number, 'providerOrderNumber', provider_order_number,
                       'operation', $9::text, 'state', $10::text, 'status', status)), $6, onelane_now()
               from changed
               -- What a callback told before is not told again.
               where $7::text is not null and not exists (select from events e where e.order_id = changed.id and e.type = $7)
                 and not exists (select from milestones m where m.order_id = changed.id and m.type = $7)"#,
            trip.trip_id,
            trip.provider_trip_number,
            &numbers as &[Option<&str>],
            item.order_status.map(<&str>::from),
            is_taken(item.state),
            now,
            item.order_event.map(<&str>::from),
            item.submission_id,
            <&str>::from(item.operation),
            <&str>::from(item.state),
            &before as &[&str],
        )
        .execute(&mut *connection)
        .await?;
        if !numbers.is_empty() {
            wake_waiting_for(connection, trip.trip_id).await?;
        }
    }
    Ok(())
}

/// Has waiting callbacks looked at that name an order of the trip.
async fn wake_waiting_for(connection: &mut PgConnection, trip_id: Uuid) -> Result<(), StoreError> {
    let ids = sqlx::query_scalar!("select order_id from trip_orders where trip_id = $1", trip_id)
        .fetch_all(&mut *connection)
        .await?;
    happen::wake_waiting(connection, &ids).await
}
