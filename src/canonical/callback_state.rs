//! Where a callback stands.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What became of a provider's callback. All but `received` and `waiting` are ends, until a person has it processed
/// again.
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
    strum::VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum CallbackState {
    /// It is kept, and nothing was done with it yet.
    Received,
    /// What it says was told in events.
    Processed,
    /// All that it says was told before.
    Duplicate,
    /// It names an order that the gateway does not know yet.
    Waiting,
    /// Its signature, its time or its form is wrong: a person decides.
    Quarantined,
    /// It says nothing of any order of this gateway.
    Ignored,
}
