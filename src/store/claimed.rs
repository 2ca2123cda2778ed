//! What a claim took: submissions that go in one request, and their orders.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

use super::grounds::RowVersion;
use super::{Store, StoreError};
use crate::canonical::{Operation, merge_patch};

/// Submissions of one account that go in one request.
pub struct ClaimedBatch<Order = ClaimedOrder> {
    pub exchange_id: Uuid,
    pub account_id: String,
    /// Of the account as it was claimed for
    pub account_row: RowVersion,
    /// From the booking until the request may leave
    pub wait: Duration,
    /// From the booking until its slot, from which the bucket counts: it may leave before, and little after
    pub slot: Duration,
    /// When the ledger booked, on this process's clock, at the latest: a wait that is counted from here is never too
    /// short
    pub booked: tokio::time::Instant,
    /// How long before `booked` that may have been
    pub lag: Duration,
    /// What it holds may stand at the provider, and evidence did not clear it
    pub doubtful: bool,
    /// More of the lane may be due
    pub more: bool,
    pub items: Vec<ClaimedItem<Order>>,
}

impl ClaimedBatch<Option<ClaimedOrder>> {
    /// The same with those orders that did not come along.
    fn with_orders(self, mut read: HashMap<Uuid, ClaimedOrder>) -> Result<ClaimedBatch, StoreError> {
        let items = self.items.into_iter().map(|item| {
            let order = item.order.or_else(|| read.remove(&item.order_id));
            let missing = || StoreError::inconsistent("orders", "id", item.order_id, "is not there");
            let order = order.ok_or_else(missing)?;
            Ok(ClaimedItem {
                order,
                submission_id: item.submission_id,
                order_id: item.order_id,
                trip_id: item.trip_id,
                operation: item.operation,
                change: item.change,
                may_exist: item.may_exist,
                doubted: item.doubted,
                cleared: item.cleared,
                misses: item.misses,
                attempts: item.attempts,
                trace_parent: item.trace_parent,
                age: item.age,
            })
        });
        Ok(ClaimedBatch {
            items: items.collect::<Result<_, StoreError>>()?,
            exchange_id: self.exchange_id,
            account_id: self.account_id,
            account_row: self.account_row,
            wait: self.wait,
            slot: self.slot,
            booked: self.booked,
            lag: self.lag,
            doubtful: self.doubtful,
            more: self.more,
        })
    }
}

/// A claimed submission.
pub struct ClaimedItem<Order = ClaimedOrder> {
    pub submission_id: Uuid,
    pub order_id: Uuid,
    /// For `create_trip`
    pub trip_id: Option<Uuid>,
    pub operation: Operation,
    pub order: Order,
    /// The submission's own change to it
    pub change: Option<Value>,
    /// An earlier attempt may have reached the provider
    pub may_exist: bool,
    /// An attempt was in doubt before, and that was told
    pub doubted: bool,
    /// Evidence allows to send it again although it may exist
    pub cleared: bool,
    /// Questions in a row at which the provider did not have it; below zero when the last answer was unclear
    pub misses: i32,
    /// Tries, this one included
    pub attempts: i32,
    /// W3C traceparent of the request that brought it
    pub trace_parent: Option<String>,
    /// From its acceptance to the claim
    pub age: Duration,
}

/// The order of a claimed submission. It stays as it is until the submission is settled, but for what the provider tells
/// by itself.
pub struct ClaimedOrder {
    /// As last confirmed, or as created; in JSON
    pub document: String,
    pub document_complete: bool,
    pub provider_order_number: Option<String>,
    /// It was made outside the gateway
    pub adopted: bool,
}

impl ClaimedItem {
    /// The order with the submission's change in it.
    pub fn changed_document(&self) -> serde_json::Result<Value> {
        let mut document = serde_json::from_str(&self.order.document)?;
        if let Some(change) = &self.change {
            merge_patch(&mut document, change);
        }
        Ok(document)
    }
}

impl Store {
    /// The batch with its orders, which are read where they did not come with the claim.
    pub async fn orders_of_batch(&self, batch: ClaimedBatch<Option<ClaimedOrder>>) -> Result<ClaimedBatch, StoreError> {
        let unread: Vec<Uuid> =
            batch.items.iter().filter(|item| item.order.is_none()).map(|item| item.order_id).collect();
        let read = self.claimed_orders(&unread).await?;
        batch.with_orders(read)
    }

    async fn claimed_orders(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, ClaimedOrder>, StoreError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = sqlx::query!(
            r#"select id, document, document_complete, provider_order_number, adopted
               from orders where id = any($1)"#,
            ids,
        )
        .fetch_all(self.pool())
        .await?;
        let orders = rows.into_iter().map(|row| {
            let order = ClaimedOrder {
                document: row.document,
                document_complete: row.document_complete,
                provider_order_number: row.provider_order_number,
                adopted: row.adopted,
            };
            (row.id, order)
        });
        Ok(orders.collect())
    }
}
