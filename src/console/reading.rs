//! What the console reads of the API's answers.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::canonical::{
    CallbackState, DeliveryState, EventType, HoldReason, Operation, OrderStatus, SubmissionResult, SubmissionState,
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
    pub code: String,
    pub detail: String,
    pub detail_zh: String,
}

/// A call of a provider, as lists show it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallbackLine {
    pub id: Uuid,
    pub account: String,
    pub provider: String,
    pub state: CallbackState,
    pub reason: Option<Reason>,
    pub warnings: Vec<Reason>,
    pub events: Vec<TellingEvent>,
    pub size: i64,
    pub received_at: DateTime<Utc>,
    pub processed_at: Option<DateTime<Utc>>,
}

/// An event that tells what a call says.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TellingEvent {
    pub r#type: EventType,
    pub order_id: Option<Uuid>,
}

/// What came with a call of a provider, and what it waits for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallbackDetails {
    pub awaited_orders: Vec<AwaitedOrder>,
    pub headers: Vec<(String, String)>,
    pub body: Option<Content>,
}

/// An order that a call names and nobody knows.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AwaitedOrder {
    pub order_number: Option<String>,
    pub provider_order_number: Option<String>,
}

/// An endpoint that events are delivered to.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookEndpoint {
    pub id: Uuid,
    pub url: String,
    pub description: Option<String>,
    pub types: Option<Vec<String>>,
    pub accounts: Option<Vec<String>>,
    pub enabled: bool,
    pub disabled_at: Option<DateTime<Utc>>,
    pub disabled_reason: Option<String>,
    pub failing_since: Option<DateTime<Utc>>,
    pub previous_secret_until: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// One event on its way to an endpoint.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    pub id: Uuid,
    pub r#type: Option<String>,
    pub state: DeliveryState,
    pub attempts: i32,
    pub next_attempt_at: Option<DateTime<Utc>>,
    pub last_status: Option<i32>,
    pub last_error: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// An account, for filters.
#[derive(Deserialize)]
pub struct Account {
    pub id: String,
}

/// An account with everything that is shown of it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountDetails {
    pub id: String,
    pub provider: String,
    pub display_name: String,
    pub base_url: String,
    pub settings: Value,
    pub throttles: Value,
    pub throttle_group: String,
    pub public_callback_url: Option<String>,
    pub queue_limit: Option<i32>,
    pub callback_url: Option<String>,
    pub previous_callback_url_until: Option<DateTime<Utc>>,
    pub paused: Option<Paused>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Deserialize)]
pub struct Paused {
    pub since: DateTime<Utc>,
    pub reason: String,
}

/// Quota and queue of one interface of an account.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Throttle {
    pub endpoint: String,
    pub limit: u32,
    /// In seconds
    pub window: i64,
    pub burst: u32,
    pub available: u32,
    pub queued: i64,
    pub oldest_queued_at: Option<DateTime<Utc>>,
    pub in_flight: i64,
    pub circuit: Circuit,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub enum Circuit {
    Closed,
    Open,
    HalfOpen,
}

/// What a provider can do and wants to know.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provider {
    pub id: String,
    pub name: String,
    pub operations: Vec<ProviderOperation>,
    pub calls: Vec<ProviderCall>,
    pub credentials_schema: Value,
    pub settings_schema: Value,
}

#[derive(Deserialize)]
pub struct ProviderOperation {
    pub operation: Operation,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProviderCall {
    pub call: String,
    pub document_type: Option<String>,
}

/// What would be sent.
#[derive(Deserialize)]
pub struct Translation {
    pub endpoint: String,
    pub request: TranslatedRequest,
    pub results: Vec<SubmissionResult>,
    pub lineage: Vec<Line>,
    pub dropped: Vec<String>,
}

#[derive(Deserialize)]
pub struct TranslatedRequest {
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// Where a member of an order went.
#[derive(Deserialize)]
pub struct Line {
    pub pointer: String,
    pub target: String,
    pub note: Option<String>,
}
