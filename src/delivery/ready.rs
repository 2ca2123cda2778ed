//! What can be made ready of an exchange before its order is claimed.

use super::Delivery;
use super::account::Opened;
use super::encoded::{Encoded, Prepared};
use super::lane::LaneHandle;
use crate::provider::Outward;
use crate::store::accept::NewOrder;
use crate::store::grounds::Grounds;

/// An account that was opened, and its batch in the provider's words.
pub struct Ready {
    pub opened: Opened,
    pub outward: &'static dyn Outward,
    pub encoded: Encoded,
}

impl Delivery {
    /// Makes an order ready that may be claimed next, on these grounds. Nothing where anybody would have to
    /// be asked for it, or it cannot be done: who claims it does, and finds out why.
    pub(super) fn make_ready(&self, lane: &LaneHandle, new: &NewOrder, grounds: &Grounds) -> Option<Ready> {
        let stored = self.inner.store.known_account(&new.account_id, grounds.account)?;
        let opened = self.open_stored(&stored).ok()?;
        let outward = opened.provider.outward().filter(|outward| outward.calls().session.is_none())?;
        let item = new.first_attempt();
        let prepared = vec![Prepared::of(&item, None)];
        let encoded = Encoded::of(lane.endpoint, &[item], prepared, outward, &opened);
        Some(Ready { opened, outward, encoded })
    }
}
