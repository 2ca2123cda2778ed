//! States of deliveries to webhook endpoints.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where the delivery of an event to a webhook endpoint stands.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DeliveryState {
    /// It is tried, or waits for its next try.
    Pending,
    /// The endpoint answered 2xx.
    Delivered,
    /// Its tries are used up.
    Dead,
}
