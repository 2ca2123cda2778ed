//! Master keys that others seal with, and this gateway was not given: what they sealed is left to others.

use super::Upkeep;
use crate::rotation::unknown_keys;
use crate::store::{StoreError, within};

/// Why a gateway leaves work to others.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(
        "the ledger holds secrets that were sealed with the master key {0}, which this gateway was not given; \
         it leaves their accounts and webhooks to others. Add it to ONELANE_FORMER_MASTER_KEYS"
    )]
    NotGiven(String),
}

impl Upkeep {
    pub(super) async fn check_master_keys(&self) -> Result<(), KeysError> {
        let counts = within(self.store.sealed_counts()).await?;
        let unknown = unknown_keys(&self.vault, &counts);
        if unknown.is_empty() { Ok(()) } else { Err(KeysError::NotGiven(unknown.join(", "))) }
    }
}
