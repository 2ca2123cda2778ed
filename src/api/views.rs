//! What callers see of orders, submissions and attempts. Written apart from the ledger's rows.

use std::fmt::Write as _;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use data_encoding::BASE64;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::problem::{Kind, Problem};
use super::translating::TranslationView;
use crate::canonical::{HoldReason, Operation, Order, OrderStatus, SubmissionResult, SubmissionState, merge_patch};
use crate::store::exchanges::{StoredAttempt, StoredBody};
use crate::store::orders::StoredOrder;
use crate::store::settle::OrderNow;
use crate::store::submissions::StoredSubmission;

/// An order: the canonical document, and where it stands. Serialised as one object; the OpenAPI file joins
/// the document's members with these.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Order)]
#[serde(rename_all = "camelCase")]
pub struct OrderEnvelope {
    /// Id of the order
    pub id: Uuid,
    /// Provider of the account
    pub provider: String,
    /// Where the transport stands
    pub status: OrderStatus,
    /// Rises when document, status or provider number change; the ETag
    pub version: i64,
    /// Whether the gateway knows the whole document
    pub document_complete: bool,
    /// When it was accepted
    pub created_at: DateTime<Utc>,
    /// When it last changed
    pub updated_at: DateTime<Utc>,
    /// The latest submission
    #[schema(required)]
    pub submission: Option<SubmissionView>,
}

/// What a change answers 200 with.
#[derive(Debug, Serialize, ToSchema)]
#[expect(dead_code, reason = "the form of what is answered as the one or the other")]
#[serde(untagged)]
pub enum OrderOrTranslation {
    Order(OrderEnvelope),
    Translation(TranslationView),
}

/// An order with its document, ready to be answered.
#[derive(Debug)]
pub struct OrderView {
    pub envelope: OrderEnvelope,
    document: Document,
}

#[derive(Debug)]
enum Document {
    Read(Box<Order>),
    /// In JSON, as it was kept just now
    Kept(Arc<str>),
}

impl OrderView {
    pub fn of(stored: StoredOrder, submission: Option<SubmissionView>) -> Result<Self, Problem> {
        let StoredOrder {
            id,
            account_id: _,
            provider,
            mut document,
            document_complete,
            status,
            provider_order_number,
            adopted: _,
            placed: _,
            version,
            refreshed_at: _,
            created_at,
            updated_at,
            unfinished: _,
            pending_changes,
        } = stored;
        for change in &pending_changes {
            merge_patch(&mut document, change);
        }
        let mut document: Order = serde_json::from_value(document)
            .map_err(|error| Problem::new(Kind::Internal, format!("The stored order cannot be read: {error}.")))?;
        document.provider_order_number = provider_order_number.or(document.provider_order_number);
        let envelope =
            OrderEnvelope { id, provider, status, version, document_complete, created_at, updated_at, submission };
        Ok(OrderView { envelope, document: Document::Read(Box::new(document)) })
    }

    /// An order that was accepted just now, with its first submission.
    pub fn accepted(document: Arc<str>, submission: SubmissionView) -> Self {
        let envelope = OrderEnvelope {
            id: submission.order_id,
            provider: submission.provider.clone(),
            status: OrderStatus::Pending,
            version: 1,
            document_complete: true,
            created_at: submission.created_at,
            updated_at: submission.created_at,
            submission: Some(submission),
        };
        OrderView { envelope, document: Document::Kept(document) }
    }

    /// An order whose creation, its only submission, was settled just now.
    pub fn settled(document: Box<Order>, now: OrderNow, submission: SubmissionView) -> Self {
        let envelope = OrderEnvelope {
            id: submission.order_id,
            provider: submission.provider.clone(),
            status: now.status,
            version: now.version,
            document_complete: true,
            created_at: submission.created_at,
            updated_at: now.updated_at,
            submission: Some(submission),
        };
        OrderView { envelope, document: Document::Read(document) }
    }

    /// The ETag of the order.
    pub fn etag(&self) -> String {
        format!("\"{}\"", self.envelope.version)
    }
}

impl OrderView {
    /// Appends it in JSON.
    pub fn write(&self, json: &mut String) -> serde_json::Result<()> {
        match &self.document {
            Document::Read(document) => json.push_str(&serde_json::to_string(&self.joined(document))?),
            Document::Kept(document) => {
                let standing = serde_json::to_string(&self.standing())?;
                // Objects with members, both.
                let members = |object: &str| object.len() - 1;
                json.reserve(document.len() + standing.len() + 50);
                let _ = write!(json, "{{\"id\":\"{}\",", self.envelope.id);
                json.push_str(&document[1..members(document)]);
                json.push(',');
                json.push_str(&standing[1..]);
            }
        }
        Ok(())
    }

    fn joined<'a>(&'a self, document: &'a Order) -> Joined<'a> {
        Joined { id: self.envelope.id, document, standing: self.standing() }
    }

    fn standing(&self) -> Standing<'_> {
        let OrderEnvelope { id: _, provider, status, version, document_complete, created_at, updated_at, submission } =
            &self.envelope;
        Standing {
            provider,
            status: *status,
            version: *version,
            document_complete: *document_complete,
            created_at: *created_at,
            updated_at: *updated_at,
            submission,
        }
    }
}

impl Serialize for OrderView {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.document {
            Document::Read(document) => self.joined(document).serialize(serializer),
            Document::Kept(_) => {
                let mut json = String::new();
                self.write(&mut json).map_err(serde::ser::Error::custom)?;
                RawValue::from_string(json).map_err(serde::ser::Error::custom)?.serialize(serializer)
            }
        }
    }
}

/// The id first, then the document, then where it stands.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Joined<'a> {
    id: Uuid,
    #[serde(flatten)]
    document: &'a Order,
    #[serde(flatten)]
    standing: Standing<'a>,
}

/// What an answer tells of an order behind its document.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Standing<'a> {
    provider: &'a str,
    status: OrderStatus,
    version: i64,
    document_complete: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    submission: &'a Option<SubmissionView>,
}

/// One operation on one order, and what came of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Submission)]
#[serde(rename_all = "camelCase")]
pub struct SubmissionView {
    /// Id of the submission
    pub id: Uuid,
    pub order_id: Uuid,
    pub account: String,
    pub provider: String,
    pub operation: Operation,
    /// The provider's interface that carries it
    pub endpoint: String,
    pub state: SubmissionState,
    /// The number that the provider's answer gave
    #[schema(required)]
    pub provider_order_number: Option<String>,
    /// What the provider and the gateway said
    pub results: Vec<SubmissionResult>,
    /// Tries so far
    pub attempts: i32,
    /// When it is tried again, while it waits for that
    #[schema(required)]
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// What it waits for
    #[schema(required)]
    pub held_by: Option<HoldReason>,
    /// When it will probably go out, as far as the queue before it tells
    #[schema(required)]
    pub estimated_dispatch_at: Option<DateTime<Utc>>,
    /// Whether an earlier attempt without a readable answer may have reached the provider
    pub may_exist: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl SubmissionView {
    pub fn of(stored: StoredSubmission, estimated_dispatch_at: Option<DateTime<Utc>>) -> Self {
        let StoredSubmission {
            id,
            order_id,
            account_id,
            provider,
            endpoint,
            operation,
            state,
            provider_order_number,
            attempts,
            may_exist,
            ready,
            due_at,
            held_by,
            lane_free_at: _,
            created_at,
            updated_at,
            results,
        } = stored;
        let retries = ready && (attempts > 0 || held_by == Some(HoldReason::RetryBackoff));
        let waits = matches!(state, SubmissionState::Queued | SubmissionState::InDoubt);
        SubmissionView {
            id,
            order_id,
            account: account_id,
            provider,
            operation,
            endpoint,
            state,
            provider_order_number,
            results,
            attempts,
            next_attempt_at: (waits && retries).then_some(due_at),
            held_by,
            estimated_dispatch_at,
            may_exist,
            created_at,
            updated_at,
        }
    }
}

/// One exchange with the provider that carried a submission, secrets masked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Attempt)]
#[serde(rename_all = "camelCase")]
pub struct AttemptView {
    /// 1, 2, … of this submission
    pub number: i32,
    /// Id of the exchange, which may carry several submissions
    pub exchange_id: Uuid,
    /// Place of this submission in the exchange, from 1
    pub position: i32,
    /// Submissions that the exchange carried
    pub batch_size: i32,
    pub endpoint: String,
    /// The submission's state after it; null while it is under way
    #[schema(required)]
    pub outcome: Option<String>,
    /// What was sent; null when nothing was
    #[schema(required)]
    pub request: Option<RequestView>,
    /// What came back; null when nothing did
    #[schema(required)]
    pub response: Option<ResponseView>,
    /// What went wrong on the way
    #[schema(required)]
    pub error: Option<String>,
    /// When the batch was claimed
    pub claimed_at: DateTime<Utc>,
    /// Just before the first byte left
    #[schema(required)]
    pub sent_at: Option<DateTime<Utc>>,
    /// After the last byte of the answer
    #[schema(required)]
    pub answered_at: Option<DateTime<Utc>>,
}

/// A request as it was sent, secrets masked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AttemptRequest)]
#[serde(rename_all = "camelCase")]
pub struct RequestView {
    pub method: String,
    pub url: String,
    /// Pairs of name and value
    pub headers: Vec<(String, String)>,
    /// Null once it was dropped by age
    #[schema(required)]
    pub body: Option<BodyView>,
}

/// An answer as it was received.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AttemptResponse)]
#[serde(rename_all = "camelCase")]
pub struct ResponseView {
    /// HTTP status
    pub status: i32,
    /// Pairs of name and value
    pub headers: Vec<(String, String)>,
    /// Null once it was dropped by age
    #[schema(required)]
    pub body: Option<BodyView>,
}

/// A body to the byte.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AttemptBody)]
#[serde(rename_all = "camelCase")]
pub struct BodyView {
    /// The text, or base64 where the bytes are no UTF-8
    pub content: String,
    pub encoding: BodyEncoding,
    /// Bytes that were sent or received
    pub size: i64,
    /// Whether only the beginning is kept
    pub truncated: bool,
}

/// How a body is written.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BodyEncoding {
    Text,
    Base64,
}

impl From<StoredBody> for BodyView {
    fn from(stored: StoredBody) -> Self {
        let StoredBody { content, size, truncated } = stored;
        let (content, encoding) = match String::from_utf8(content) {
            Ok(text) => (text, BodyEncoding::Text),
            Err(error) => (BASE64.encode(error.as_bytes()), BodyEncoding::Base64),
        };
        BodyView { content, encoding, size, truncated }
    }
}

impl From<StoredAttempt> for AttemptView {
    fn from(stored: StoredAttempt) -> Self {
        let StoredAttempt {
            number,
            exchange_id,
            position,
            items,
            outcome,
            endpoint,
            method,
            url,
            request_headers,
            request_body,
            response_status,
            response_headers,
            response_body,
            error,
            claimed_at,
            sent_at,
            answered_at,
        } = stored;
        let headers =
            |value: Option<Value>| value.and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default();
        AttemptView {
            number,
            exchange_id,
            position,
            batch_size: items,
            endpoint,
            outcome,
            request: method.zip(url).map(|(method, url)| RequestView {
                method,
                url,
                headers: headers(request_headers),
                body: request_body.map(BodyView::from),
            }),
            response: response_status.map(|status| ResponseView {
                status,
                headers: headers(response_headers),
                body: response_body.map(BodyView::from),
            }),
            error,
            claimed_at,
            sent_at,
            answered_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_order_looks_the_same_whether_it_was_kept_just_now_or_read() {
        let document = json!({
            "account": "a", "orderNumber": "SO \"1\"", "shipFrom": {"companyName": "杭州"},
            "lines": [{"quantity": 1.50}], "customFields": {"text1": null},
        });
        let order: Order = serde_json::from_value(document).unwrap();
        let at = DateTime::UNIX_EPOCH;
        let envelope = || OrderEnvelope {
            id: Uuid::nil(),
            provider: "any".to_owned(),
            status: OrderStatus::Pending,
            version: 1,
            document_complete: true,
            created_at: at,
            updated_at: at,
            submission: None,
        };
        let kept = serde_json::to_string(&order).unwrap();
        let kept = OrderView { envelope: envelope(), document: Document::Kept(kept.into()) };
        let read = OrderView { envelope: envelope(), document: Document::Read(Box::new(order)) };
        let written = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::to_string(&kept).unwrap(), written);
        for view in [kept, read] {
            let mut json = String::new();
            view.write(&mut json).unwrap();
            assert_eq!(json, written);
        }
    }
}
