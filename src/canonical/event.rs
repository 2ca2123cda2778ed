//! Types of the events that the gateway tells its callers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// CloudEvents `type` of an event.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
pub enum EventType {
    /// The provider holds the order.
    #[serde(rename = "order.placed")]
    #[strum(serialize = "order.placed")]
    OrderPlaced,
    /// The provider holds the order as an incomplete draft.
    #[serde(rename = "order.drafted")]
    #[strum(serialize = "order.drafted")]
    OrderDrafted,
    /// The provider released the order to carriers.
    #[serde(rename = "order.released")]
    #[strum(serialize = "order.released")]
    OrderReleased,
    /// The order was given to a carrier or vehicle.
    #[serde(rename = "order.assigned")]
    #[strum(serialize = "order.assigned")]
    OrderAssigned,
    /// The carrier or driver took the order.
    #[serde(rename = "order.confirmed")]
    #[strum(serialize = "order.confirmed")]
    OrderConfirmed,
    /// The goods were loaded.
    #[serde(rename = "transport.picked_up")]
    #[strum(serialize = "transport.picked_up")]
    TransportPickedUp,
    /// The goods were handed to the consignee.
    #[serde(rename = "transport.delivered")]
    #[strum(serialize = "transport.delivered")]
    TransportDelivered,
    /// The order stands at its provider no more.
    #[serde(rename = "order.cancelled")]
    #[strum(serialize = "order.cancelled")]
    OrderCancelled,
    /// The provider holds the order as it was changed.
    #[serde(rename = "order.amended")]
    #[strum(serialize = "order.amended")]
    OrderAmended,
    /// A submission was accepted by the gateway and waits for its turn.
    #[serde(rename = "submission.queued")]
    #[strum(serialize = "submission.queued")]
    SubmissionQueued,
    #[serde(rename = "submission.accepted")]
    #[strum(serialize = "submission.accepted")]
    SubmissionAccepted,
    #[serde(rename = "submission.partially_accepted")]
    #[strum(serialize = "submission.partially_accepted")]
    SubmissionPartiallyAccepted,
    #[serde(rename = "submission.rejected")]
    #[strum(serialize = "submission.rejected")]
    SubmissionRejected,
    /// The answer never came or could not be read; evidence is sought.
    #[serde(rename = "submission.in_doubt")]
    #[strum(serialize = "submission.in_doubt")]
    SubmissionInDoubt,
    /// The retries are used up; a person may retry.
    #[serde(rename = "submission.dead")]
    #[strum(serialize = "submission.dead")]
    SubmissionDead,
    #[serde(rename = "submission.cancelled")]
    #[strum(serialize = "submission.cancelled")]
    SubmissionCancelled,
    /// Nothing goes out for this account until it is resumed.
    #[serde(rename = "account.paused")]
    #[strum(serialize = "account.paused")]
    AccountPaused,
    #[serde(rename = "account.resumed")]
    #[strum(serialize = "account.resumed")]
    AccountResumed,
    /// Nothing is delivered to this webhook endpoint until it is enabled again.
    #[serde(rename = "webhook.endpoint_disabled")]
    #[strum(serialize = "webhook.endpoint_disabled")]
    WebhookEndpointDisabled,
}
