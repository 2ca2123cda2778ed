//! What can be made ready of an exchange before its order is claimed.

use super::Delivery;
use super::account::Opened;
use super::encoded::{Encoded, Prepared};
use super::lane::LaneHandle;
use crate::provider::Outward;
use crate::store::claimed::ClaimedItem;
use crate::store::grounds::RowVersion;

/// An account that was opened, and its batch in the provider's words.
pub struct Ready {
    pub opened: Opened,
    pub outward: &'static dyn Outward,
    pub encoded: Encoded,
}

impl Delivery {
    /// Makes an order ready that may be claimed next, for this version of its account. Nothing where that needs a session,
    /// or cannot be done: who claims it finds out why.
    pub(super) async fn make_ready(
        &self,
        lane: &LaneHandle,
        account_id: &str,
        account_row: RowVersion,
        item: &ClaimedItem,
    ) -> Option<Ready> {
        let opened = self.open_version(account_id, account_row).await.ok()?;
        let outward = opened.provider.outward().filter(|outward| outward.calls().session.is_none())?;
        let prepared = vec![Prepared::of(item, None)];
        let encoded = Encoded::of(lane.endpoint, std::slice::from_ref(item), prepared, outward, &opened);
        Some(Ready { opened, outward, encoded })
    }
}
