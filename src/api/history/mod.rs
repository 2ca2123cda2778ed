//! What happened to an order: its events one by one, and as milestones of its transport.

pub mod events;
pub mod tracking;

use uuid::Uuid;

use super::auth::{Caller, Scope};
use super::problem::Problem;
use super::{AppState, visible};
use crate::store::orders::StoredOrder;

/// The order that the caller may see.
async fn order(state: &AppState, caller: &Caller, id: Uuid) -> Result<StoredOrder, Problem> {
    caller.require(Scope::OrdersRead)?;
    visible::order(state, caller, id).await
}
