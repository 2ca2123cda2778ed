//! The API keys of those who follow the feed. They are asked about together, however many streams there are, so that each
//! stream ends within a second after its key was revoked or has expired.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::store::StoreError;

/// How often it is asked which keys are no longer valid.
const CHECK: Duration = Duration::from_millis(500);

/// The keys of the streams that are open in this process.
#[derive(Default)]
pub struct FollowedKeys {
    keys: Mutex<HashMap<Uuid, Followed>>,
}

struct Followed {
    streams: usize,
    ended: CancellationToken,
}

/// The key of one stream, for as long as the stream is open.
pub struct FollowedKey {
    keys: Arc<FollowedKeys>,
    id: Uuid,
    ended: CancellationToken,
}

impl FollowedKeys {
    pub fn follow(self: &Arc<Self>, id: Uuid) -> FollowedKey {
        let mut keys = self.lock();
        let followed = keys.entry(id).or_insert_with(|| Followed { streams: 0, ended: CancellationToken::new() });
        followed.streams += 1;
        FollowedKey { keys: Arc::clone(self), id, ended: followed.ended.clone() }
    }

    /// Asks again and again which of the keys are no longer valid.
    pub async fn check_again_and_again<F>(&self, invalid: impl Fn(Vec<Uuid>) -> F)
    where
        F: Future<Output = Result<Vec<Uuid>, StoreError>>,
    {
        loop {
            tokio::time::sleep(CHECK).await;
            self.check(&invalid).await;
        }
    }

    /// Asks which of the keys are no longer valid, and ends their streams. While nobody can say, all are taken to be:
    /// without the ledger there is nothing to be told either.
    async fn check<F>(&self, invalid: impl Fn(Vec<Uuid>) -> F)
    where
        F: Future<Output = Result<Vec<Uuid>, StoreError>>,
    {
        let ids: Vec<Uuid> = self.lock().keys().copied().collect();
        if ids.is_empty() {
            return;
        }
        match invalid(ids).await {
            Ok(invalid) => {
                let keys = self.lock();
                for followed in invalid.iter().filter_map(|id| keys.get(id)) {
                    followed.ended.cancel();
                }
            }
            // There may be many streams; the sequencer speaks for all of them.
            Err(error) => tracing::debug!(%error, "it cannot be asked which API keys are valid"),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Followed>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FollowedKey {
    /// Cancelled when the key is no longer valid.
    pub fn ended(&self) -> &CancellationToken {
        &self.ended
    }
}

impl Drop for FollowedKey {
    fn drop(&mut self) {
        let mut keys = self.keys.lock();
        if let Some(followed) = keys.get_mut(&self.id) {
            followed.streams -= 1;
            if followed.streams == 0 {
                keys.remove(&self.id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_key_that_is_no_longer_valid_ends_its_streams_and_no_others() {
        let keys = Arc::new(FollowedKeys::default());
        let [one, two] = [1, 2].map(Uuid::from_u128);
        let nobody = |_| std::future::ready(Ok(Vec::new()));
        let away = |_| std::future::ready(Err(StoreError::NoAnswer));
        let first_of_two = |asked: Vec<Uuid>| {
            assert_eq!(asked.len(), 2);
            std::future::ready(Ok(vec![one]))
        };
        let (first, again, other) = (keys.follow(one), keys.follow(one), keys.follow(two));
        keys.check(nobody).await;
        keys.check(away).await;
        assert!(!first.ended().is_cancelled());
        keys.check(first_of_two).await;
        assert!(first.ended().is_cancelled() && again.ended().is_cancelled() && !other.ended().is_cancelled());
        drop(first);
        assert_eq!(keys.lock().len(), 2);
        drop((again, other));
        assert!(keys.lock().is_empty());
        // Nobody is asked about nothing.
        keys.check(first_of_two).await;
    }
}
