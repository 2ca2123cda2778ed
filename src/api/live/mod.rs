//! What passes straight through to an account's provider: live reads, address books, devices.

pub mod organizations;
pub mod parties;
pub mod provider_orders;
pub mod unbind_devices;

use super::auth::{Caller, Scope};
use super::problem::Problem;
use super::{AppState, visible};
use crate::store::accounts::StoredAccount;

/// The account that the caller may use.
async fn account(state: &AppState, caller: &Caller, scope: Scope, id: &str) -> Result<StoredAccount, Problem> {
    caller.require(scope)?;
    visible::account(state, caller, id).await
}
