//! Events as callers see them: CloudEvents 1.0.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::canonical::EventType;
use crate::store::events::StoredEvent;

/// An event (CloudEvents 1.0, structured JSON).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub struct CloudEvent {
    /// `1.0`
    pub specversion: &'static str,
    /// Id of the event; unique, also across sources
    pub id: Uuid,
    /// The account that it is about, as a path of this API; `/v1` for what is about no account
    #[schema(example = "/v1/accounts/acme")]
    pub source: String,
    pub r#type: EventType,
    /// Id of the order that it is about
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub subject: Option<Uuid>,
    /// When it happened, as far as is known
    pub time: DateTime<Utc>,
    /// `application/json`
    pub datacontenttype: &'static str,
    /// The place in a trace of what brought it about (the extension Distributed Tracing, W3C Trace Context)
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]
    pub traceparent: Option<String>,
    #[schema(value_type = Object)]
    pub data: Value,
}

impl From<StoredEvent> for CloudEvent {
    fn from(stored: StoredEvent) -> Self {
        let StoredEvent { id, event_type, account_id, order_id, data, occurred_at, recorded_at: _, trace_parent } =
            stored;
        CloudEvent {
            specversion: "1.0",
            id,
            source: account_id.map_or_else(|| "/v1".to_owned(), |account| format!("/v1/accounts/{account}")),
            r#type: event_type,
            subject: order_id,
            time: occurred_at,
            datacontenttype: "application/json",
            traceparent: trace_parent,
            data,
        }
    }
}
