//! What a caller may see: what belongs to another account is not there for them.

use uuid::Uuid;

use super::AppState;
use super::auth::Caller;
use super::problem::Problem;
use crate::store::accounts::StoredAccount;
use crate::store::orders::StoredOrder;

/// The account, if the caller's key may use it.
pub async fn account(state: &AppState, caller: &Caller, id: &str) -> Result<StoredAccount, Problem> {
    let account = state.store.account(id).await?.filter(|account| caller.may_use(&account.id));
    account.ok_or_else(|| Problem::not_found("account"))
}

/// The order, if the caller's key may use its account.
pub async fn order(state: &AppState, caller: &Caller, id: Uuid) -> Result<StoredOrder, Problem> {
    let order = state.store.order(id).await?.filter(|order| caller.may_use(&order.account_id));
    order.ok_or_else(|| Problem::not_found("order"))
}
