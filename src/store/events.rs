//! Reading the events of an order.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::{Store, StoreError, word};
use crate::canonical::EventType;

/// An event as the ledger keeps it.
pub struct StoredEvent {
    pub id: Uuid,
    pub event_type: EventType,
    /// Nothing for what is about no account
    pub account_id: Option<String>,
    pub order_id: Option<Uuid>,
    pub data: Value,
    /// When it happened, as far as is known
    pub occurred_at: DateTime<Utc>,
    /// When it was written
    pub recorded_at: DateTime<Utc>,
    /// W3C traceparent of what brought it about, as far as is known
    pub trace_parent: Option<String>,
}

/// An event as its row holds it.
pub(super) struct EventRow {
    pub id: Uuid,
    pub event_type: String,
    pub account_id: Option<String>,
    pub order_id: Option<Uuid>,
    pub data: Json<Value>,
    pub occurred_at: DateTime<Utc>,
    pub recorded_at: DateTime<Utc>,
    pub trace_parent: Option<String>,
}

impl TryFrom<EventRow> for StoredEvent {
    type Error = StoreError;

    fn try_from(row: EventRow) -> Result<Self, StoreError> {
        let EventRow { id, event_type, account_id, order_id, data, occurred_at, recorded_at, trace_parent } = row;
        Ok(StoredEvent {
            event_type: word("events", "type", id, &event_type)?,
            id,
            account_id,
            order_id,
            data: data.0,
            occurred_at,
            recorded_at,
            trace_parent,
        })
    }
}

impl Store {
    /// The events of an order as they were written one after another, those after `after` (written at, id).
    pub async fn events_of_order(
        &self,
        order_id: Uuid,
        after: Option<(DateTime<Utc>, Uuid)>,
        limit: i64,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let rows = sqlx::query_as!(
            EventRow,
            r#"select e.id, e.type as event_type, e.account_id, e.order_id, e.data as "data: Json<Value>", e.occurred_at, e.recorded_at,
                   coalesce(e.trace_parent, s.trace_parent) as trace_parent
               from events e left join submissions s on s.id = e.submission_id
               where e.order_id = $1 and ($2::timestamptz is null or (e.recorded_at, e.id) > ($2, $3::uuid))
               order by e.recorded_at, e.id limit $4"#,
            order_id,
            after.map(|(recorded_at, _)| recorded_at),
            after.map(|(_, id)| id),
            limit,
        )
        .fetch_all(self.pool())
        .await?;
        rows.into_iter().map(StoredEvent::try_from).collect()
    }

    /// What happened to an order and its transport, in the order in which it happened. Of events that are not kept any
    /// more there is the last one of each type, without data.
    pub async fn milestones(&self, order_id: Uuid) -> Result<Vec<StoredEvent>, StoreError> {
        let rows = sqlx::query_as!(
            EventRow,
            r#"select id as "id!", type as "event_type!", account_id, order_id, data as "data!: Json<Value>",
                   occurred_at as "occurred_at!", recorded_at as "recorded_at!", null::text as trace_parent
               from (
                   select id, type, account_id, order_id, data, occurred_at, recorded_at from events
                   where order_id = $1 and (starts_with(type, 'order.') or starts_with(type, 'transport.'))
                   union all
                   select event_id, type, null, order_id, '{}', occurred_at, recorded_at from milestones where order_id = $1) told
               order by occurred_at, recorded_at, id"#,
            order_id,
        )
        .fetch_all(self.pool())
        .await?;
        rows.into_iter().map(StoredEvent::try_from).collect()
    }
}
