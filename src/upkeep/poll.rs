//! Orders of which nothing was heard for a while: their providers are asked, within their token buckets, since what
//! becomes of a callback that was not taken is not documented.

use std::time::Duration;

use super::Upkeep;
use crate::provider;
use crate::store::StoreError;

/// How long nothing is heard of an order until it is asked about.
const SILENCE: Duration = Duration::from_secs(3600);
/// Orders that are asked about in one round.
const ROUND: i64 = 10;

impl Upkeep {
    pub(super) async fn poll_orders(&self) -> Result<(), StoreError> {
        let askable: Vec<&str> = provider::ALL
            .iter()
            .filter(|provider| provider.outward().is_some_and(|outward| !outward.calls().find_orders.is_empty()))
            .map(|provider| provider.profile().id)
            .collect();
        for id in self.store.orders_to_poll(&askable, SILENCE, ROUND).await? {
            let Some(order) = self.store.order(id).await? else { continue };
            // It comes up again after the next silence.
            if let Err(error) = self.delivery.refresh(&order).await {
                tracing::info!(%error, order = %id, account = order.account_id, "an order could not be asked about");
            }
        }
        Ok(())
    }
}
