//! How far an order has come, in words that are no provider's, for `POST
//! /control/{provider}/orders/{number}/advance`.

use serde::Deserialize;
use thiserror::Error;

/// In the order in which an order comes to them, but for the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Handed to whoever carries it.
    Placed,
    /// The carrier or the driver has agreed.
    Confirmed,
    PickedUp,
    Delivered,
    /// By the provider's people, from any stage at which they could.
    Cancelled,
}

/// Why an order did not come to a stage.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotAdvanced {
    #[error("there is no order with the number {0:?}")]
    UnknownOrder(String),
    #[error("{0} orders have the number {1:?}; take the provider's")]
    Ambiguous(usize, String),
    /// Where the order stands, there is no way to that stage.
    #[error("{0}")]
    NoWay(String),
    /// No order of this provider ever comes to that stage.
    #[error("{0}")]
    Unsupported(String),
}
