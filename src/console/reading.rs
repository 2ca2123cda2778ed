//! What the console reads of the API's answers.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::canonical::{
    CallbackState, EventType, HoldReason, Operation, OrderStatus, SubmissionResult, SubmissionState,
};

/// A page of a list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next_cursor: Option<String>,
}

/// An order, as far as lists and headings show it.
#[expect(clippy::struct_field_names, reason = "named as the API names its members")]
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    pub id: Uuid,
    pub account: String,
    pub provider: String,
    pub order_number: String,
    pub customer_reference: Option<String>,
    pub provider_order_number: Option<String>,
    pub status: OrderStatus,
    pub version: i64,
    pub document_complete: bool,
    pub ship_from: Option<Stop>,
    pub ship_to: Option<Stop>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub submission: Option<Submission>,
}

/// Where something goes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stop {
    pub company_name: Option<String>,
    pub address: Option<Address>,
}

#[derive(Deserialize)]
pub struct Address {
    pub region: Option<String>,
    pub city: Option<String>,
}

impl Stop {
    /// Company and city, as far as they are known.
    pub fn place(&self) -> String {
        let city = self.address.as_ref().and_then(|address| address.city.as_deref().or(address.region.as_deref()));
        let parts: Vec<&str> = [self.company_name.as_deref(), city].into_iter().flatten().collect();
        parts.join(", ")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Submission {
    pub id: Uuid,
    pub order_id: Uuid,
    pub account: String,
    pub operation: Operation,
    pub endpoint: String,
    pub state: SubmissionState,
    pub provider_order_number: Option<String>,
    pub results: Vec<SubmissionResult>,
    pub attempts: i32,
    pub next_attempt_at: Option<DateTime<Utc>>,
    pub held_by: Option<HoldReason>,
    pub estimated_dispatch_at: Option<DateTime<Utc>>,
    pub may_exist: bool,
    pub created_at: DateTime<Utc>,
}

#[derive(Deserialize)]
pub struct Attempts {
    pub items: Vec<Attempt>,
    pub removed: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    pub number: i32,
    pub batch_size: i32,
    pub endpoint: String,
    pub outcome: Option<SubmissionState>,
    pub request: Option<Sent>,
    pub response: Option<Answered>,
    pub error: Option<String>,
    pub claimed_at: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
    pub answered_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
pub struct Sent {
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<Content>,
}

#[derive(Deserialize)]
pub struct Answered {
    pub status: i32,
    pub headers: Vec<(String, String)>,
    pub body: Option<Content>,
}

/// A body to the byte.
#[expect(clippy::struct_field_names, reason = "named as the API names its members")]
#[derive(Deserialize)]
pub struct Content {
    pub content: String,
    pub encoding: Encoding,
    pub size: i64,
    pub truncated: bool,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    Text,
    Base64,
}

/// An event of an order.
#[derive(Deserialize)]
pub struct Event {
    pub r#type: EventType,
    pub time: DateTime<Utc>,
    pub data: Value,
}

/// A call of a provider.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Callback {
    pub id: Uuid,
    pub state: CallbackState,
    pub reason: Option<Reason>,
    pub received_at: DateTime<Utc>,
    pub headers: Vec<(String, String)>,
    pub body: Option<Content>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    pub detail: String,
    pub detail_zh: String,
}

/// An account, for filters.
#[derive(Deserialize)]
pub struct Account {
    pub id: String,
}
