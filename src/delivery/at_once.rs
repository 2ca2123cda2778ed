//! Sending an order as it is kept: the quick way for one whose caller waits, where its lane rests.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Delivery;
use super::exchange::Going;
use super::lane::{LaneHandle, LaneQuota};
use crate::store::accept::{Accepted, NewOrder};
use crate::store::at_once::KeptAtOnce;
use crate::store::grounds::Grounds;
use crate::store::lanes::LaneKey;
use crate::store::{StoreError, within};

impl Delivery {
    /// Keeps an order and sends it at once, whoever is gone meanwhile; gives what became of it when it is kept. Nothing
    /// where its lane does not rest or something else stands in the way: then nothing was kept. The quota is that of its
    /// account.
    pub async fn keep_and_send(
        &self,
        new: &NewOrder,
        lane: &LaneKey,
        quota: &LaneQuota,
    ) -> Result<Option<Accepted>, StoreError> {
        let (Some(grounds), Some(lane)) = (new.grounds, self.resting(lane)) else { return Ok(None) };
        let (told, kept) = oneshot::channel();
        let (delivery, new, quota) = (self.clone(), new.clone(), *quota);
        self.inner.tasks.spawn(async move { delivery.keep_and_run(&lane, &new, &grounds, &quota, told).await });
        kept.await.unwrap_or(Err(StoreError::NoAnswer))
    }

    /// The lane, if it rests in this process.
    fn resting(&self, lane: &LaneKey) -> Option<Arc<LaneHandle>> {
        if self.inner.stop.is_cancelled() {
            return None;
        }
        self.lanes().get(lane)?.as_ref().filter(|lane| lane.take_rest()).map(Arc::clone)
    }

    async fn keep_and_run(
        &self,
        lane: &LaneHandle,
        new: &NewOrder,
        grounds: &Grounds,
        quota: &LaneQuota,
        told: oneshot::Sender<Result<Option<Accepted>, StoreError>>,
    ) {
        let (asked, key_ids) = (Instant::now(), self.inner.vault.key_ids());
        let claim = lane.claim_request(quota, &key_ids);
        let keeping = within(self.inner.store.keep_and_claim(new, grounds, &claim));
        let readying = async { self.make_ready(lane, new, grounds) };
        // The ledger is asked first, and the request made ready while it works.
        let (kept, ready) = tokio::join!(keeping, readying);
        let (accepted, claimed) = match kept {
            Ok(KeptAtOnce::Claimed(queued, batch)) => (Ok(Some(Accepted::New(queued))), Some(batch)),
            Ok(KeptAtOnce::KeyKnown) => (Ok(Some(Accepted::KeyKnown)), None),
            Ok(KeptAtOnce::NumberTaken) => (Ok(Some(Accepted::NumberTaken)), None),
            Ok(KeptAtOnce::NotNow) => (Ok(None), None),
            Err(error) => (Err(error), None),
        };
        // Else it rests again when it has looked what there is.
        if matches!(accepted, Ok(Some(_))) {
            lane.rest();
        }
        // Whoever is gone is told nothing, and what was claimed goes out all the same.
        let _ = told.send(accepted);
        if let Some(batch) = claimed {
            self.go(Going { lane, batch, claimed: asked }, ready).await;
        }
    }
}
