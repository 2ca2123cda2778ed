//! Submissions: one operation on one order at one account, and the states they go through.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is asked of the provider.
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
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Operation {
    Create,
    Amend,
    UpdateCustomFields,
    Cancel,
    CreateTrip,
}

/// Where a submission stands. `accepted`, `partially_accepted`, `rejected`, `dead` and `cancelled` are ends;
/// `in_doubt` is none: evidence, or a person, still decides it.
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
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum SubmissionState {
    Queued,
    Sending,
    Accepted,
    PartiallyAccepted,
    Rejected,
    InDoubt,
    Dead,
    Cancelled,
}

impl SubmissionState {
    /// Whether nothing more happens by itself.
    pub fn is_final(self) -> bool {
        !matches!(self, SubmissionState::Queued | SubmissionState::Sending | SubmissionState::InDoubt)
    }
}

/// Where the transport stands (OTM5 consignment.status).
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
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum OrderStatus {
    /// The provider has not answered yet.
    Pending,
    Rejected,
    Draft,
    Requested,
    Confirmed,
    InTransit,
    Completed,
    Cancelled,
    /// Adopted, and the provider was not asked yet.
    Unknown,
}

/// What an unfinished submission waits for.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum HoldReason {
    RateLimit,
    EarlierSubmission,
    CircuitOpen,
    AccountPaused,
    RetryBackoff,
}
