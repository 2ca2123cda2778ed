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
