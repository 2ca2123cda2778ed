//! Opening an account: its row, its credentials, and the provider that it belongs to.

use crate::provider::{self, Account, Credentials, Provider};
use crate::store::accounts::StoredAccount;
use crate::vault::{Vault, VaultError};

/// Why an account cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("this version knows no provider {0}")]
    UnknownProvider(String),
    #[error("its credentials cannot be opened: {0}")]
    Vault(#[from] VaultError),
    #[error("its credentials or settings cannot be read")]
    Unreadable,
}

/// Where an account's credentials are sealed to.
pub fn place(account_id: &str) -> String {
    format!("accounts/{account_id}")
}

/// The account as its adapter needs it.
pub fn open_account(stored: &StoredAccount, vault: &Vault) -> Result<(&'static dyn Provider, Account), OpenError> {
    let provider =
        provider::find(&stored.provider).ok_or_else(|| OpenError::UnknownProvider(stored.provider.clone()))?;
    let credentials = vault.open(&place(&stored.id), &stored.credentials)?;
    let credentials = String::from_utf8(credentials).map_err(|_| OpenError::Unreadable)?;
    let account = Account::new(
        stored.id.clone(),
        stored.base_url.clone(),
        Credentials::new(credentials),
        stored.settings.clone(),
    )
    .map_err(|_| OpenError::Unreadable)?;
    Ok((provider, account))
}
