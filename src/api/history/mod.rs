//! What happened to an order: its events one by one, and as milestones of its transport.

pub mod events;
pub mod tracking;

use uuid::Uuid;

use super::AppState;
use super::auth::{Caller, Scope};
use super::problem::Problem;
use crate::store::orders::StoredOrder;

/// The order that the caller may see.
async fn order(state: &AppState, caller: &Caller, id: Uuid) -> Result<StoredOrder, Problem> {
    caller.require(Scope::OrdersRead)?;
    let order = state.store.order(id).await?.filter(|order| caller.may_use(&order.account_id));
    order.ok_or_else(|| Problem::not_found("order"))
}
