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
    /// The order was given to another driver or vehicle.
    #[serde(rename = "order.reassigned")]
    #[strum(serialize = "order.reassigned")]
    OrderReassigned,
    /// The goods were loaded.
    #[serde(rename = "transport.picked_up")]
    #[strum(serialize = "transport.picked_up")]
    TransportPickedUp,
    /// The goods were handed to the consignee.
    #[serde(rename = "transport.delivered")]
    #[strum(serialize = "transport.delivered")]
    TransportDelivered,
    /// The goods were signed for at the end of a part of the way; others are still to come.
    #[serde(rename = "transport.leg_delivered")]
    #[strum(serialize = "transport.leg_delivered")]
    TransportLegDelivered,
    /// Something went wrong on the way; the event says at which stage and by whose account.
    #[serde(rename = "transport.exception")]
    #[strum(serialize = "transport.exception")]
    TransportException,
    /// Words on where the goods are, for people.
    #[serde(rename = "transport.tracking_note")]
    #[strum(serialize = "transport.tracking_note")]
    TransportTrackingNote,
    /// The order stands at its provider no more.
    #[serde(rename = "order.cancelled")]
    #[strum(serialize = "order.cancelled")]
    OrderCancelled,
    /// The provider holds the order as it was changed.
    #[serde(rename = "order.amended")]
    #[strum(serialize = "order.amended")]
    OrderAmended,
    /// The order goes on a vehicle that is named.
    #[serde(rename = "trip.assigned")]
    #[strum(serialize = "trip.assigned")]
    TripAssigned,
    /// The trip that carries the order changed.
    #[serde(rename = "trip.updated")]
    #[strum(serialize = "trip.updated")]
    TripUpdated,
    /// The trip that carried the order is off; the order itself stands.
    #[serde(rename = "trip.cancelled")]
    #[strum(serialize = "trip.cancelled")]
    TripCancelled,
    /// The order's waybill was printed.
    #[serde(rename = "document.waybill_printed")]
    #[strum(serialize = "document.waybill_printed")]
    DocumentWaybillPrinted,
    /// The labels of the order's waybill were printed.
    #[serde(rename = "document.label_printed")]
    #[strum(serialize = "document.label_printed")]
    DocumentLabelPrinted,
    /// A tracking device of the order reported where it is, and what it measures.
    #[serde(rename = "position.updated")]
    #[strum(serialize = "position.updated")]
    PositionUpdated,
    /// A warehouse received goods of the order: all of them, or a part.
    #[serde(rename = "warehouse.receipt_confirmed")]
    #[strum(serialize = "warehouse.receipt_confirmed")]
    WarehouseReceiptConfirmed,
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
    /// A callback was not accepted and is kept for a person: its signature, its time or its form is wrong.
    #[serde(rename = "callback.quarantined")]
    #[strum(serialize = "callback.quarantined")]
    CallbackQuarantined,
    /// Nothing is delivered to this webhook endpoint until it is enabled again.
    #[serde(rename = "webhook.endpoint_disabled")]
    #[strum(serialize = "webhook.endpoint_disabled")]
    WebhookEndpointDisabled,
}

impl EventType {
    /// Whether it happens to an order once, whoever tells it: the answer to what the gateway asked for, or a provider
    /// that calls.
    pub fn is_told_once(self) -> bool {
        matches!(self, EventType::OrderPlaced | EventType::OrderCancelled)
    }
}
