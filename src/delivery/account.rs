//! Opening an account: its row, its credentials, and the provider that it belongs to.

use secrecy::{ExposeSecret, SecretString};

use super::Delivery;
use super::ask::AskError;
use crate::provider::{self, Account, Credentials, Evidence, Item, Mask, Provider, Request};
use crate::store::accounts::StoredAccount;
use crate::store::grounds::RowVersion;
use crate::store::lanes::LaneKey;
use crate::vault::{Place, Vault, VaultError};

/// Why an account cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("this version knows no provider {0}")]
    UnknownProvider(String),
    /// Its credentials are sealed with a master key that this process was not given; another replica may have it
    #[error("its credentials cannot be opened: {0}")]
    KeyNotGiven(VaultError),
    #[error("its credentials cannot be opened: {0}")]
    Vault(VaultError),
    #[error("its credentials or settings cannot be read")]
    Unreadable,
}

/// An account with its provider, ready to be used.
pub struct Opened {
    pub provider: &'static dyn Provider,
    pub account: Account,
    pub throttle_group: String,
    /// Of the session that the account was given; the fence of its refusal
    pub session_generation: Option<i64>,
    /// Last part of the account's callback path, which a provider may repeat
    callback_token: Option<SecretString>,
}

impl Opened {
    /// Masks what the provider may repeat of the account's secrets, and of a request.
    pub fn mask(&self, request: &Request) -> Mask {
        mask_of(self.provider, &self.account, self.callback_token.as_ref(), &request.secrets_as_sent())
    }

    /// What ends a doubt about an operation.
    pub fn evidence(&self, item: &Item<'_>) -> Evidence {
        let operation = self.provider.profile().operation(item.operation, item.order.document_type());
        operation.map_or(Evidence::Resend, |operation| operation.evidence)
    }

    /// The lane of one of the provider's endpoints.
    pub fn lane(&self, endpoint: &str) -> LaneKey {
        LaneKey {
            provider: self.provider.profile().id.to_owned(),
            throttle_group: self.throttle_group.clone(),
            endpoint: endpoint.to_owned(),
        }
    }
}

/// The account as its adapter needs it.
pub fn open_account(stored: &StoredAccount, vault: &Vault) -> Result<(&'static dyn Provider, Account), OpenError> {
    let provider =
        provider::find(&stored.provider).ok_or_else(|| OpenError::UnknownProvider(stored.provider.clone()))?;
    let credentials = vault.open_text(&Place::Credentials(&stored.id), &stored.credentials)?;
    let account = Account::new(
        stored.id.clone(),
        stored.base_url.clone(),
        Credentials::from(credentials),
        stored.settings.clone(),
    )
    .map_err(|_| OpenError::Unreadable)?;
    Ok((provider, account))
}

/// Masks an account's secrets, and others, wherever its provider may repeat them.
pub fn mask_of(
    provider: &dyn Provider,
    account: &Account,
    callback_token: Option<&SecretString>,
    others: &[&[u8]],
) -> Mask {
    let mut secrets = account.credentials.members(provider.profile().secret_credentials);
    secrets.extend(account.session.iter().flat_map(provider::Session::texts));
    secrets.extend(callback_token.cloned());
    let secrets = secrets.iter().map(|secret| secret.expose_secret().as_bytes());
    Mask::of(secrets.chain(others.iter().copied()))
}

impl From<VaultError> for OpenError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::OtherKey(_) => OpenError::KeyNotGiven(error),
            error => OpenError::Vault(error),
        }
    }
}

impl Delivery {
    /// Reads and opens an account. That the ledger fails for a moment says nothing of the account.
    pub(super) async fn open(&self, account_id: &str) -> Result<Opened, AskError> {
        let stored = self.inner.store.account(account_id).await?.ok_or_else(gone)?;
        self.open_stored(&stored)
    }

    /// Opens an account as it was claimed for.
    pub(super) async fn open_version(&self, account_id: &str, version: RowVersion) -> Result<Opened, AskError> {
        let stored = self.inner.store.account_of_version(account_id, version).await?;
        self.open_stored(&*stored.ok_or_else(gone)?)
    }

    pub(super) fn open_stored(&self, stored: &StoredAccount) -> Result<Opened, AskError> {
        let opened = open_account(stored, &self.inner.vault);
        let (provider, account) = opened.map_err(|error| match error {
            OpenError::KeyNotGiven(error) => AskError::KeyNotGiven(error),
            error => AskError::Unusable(error.to_string()),
        })?;
        let callback_token = stored.callback_token.as_ref();
        let callback_token = callback_token
            .and_then(|sealed| self.inner.vault.open_text(&Place::CallbackToken(&stored.id), sealed).ok());
        let throttle_group = stored.throttle_group.clone();
        Ok(Opened { provider, account, throttle_group, session_generation: None, callback_token })
    }
}

fn gone() -> AskError {
    AskError::Unusable("the account is gone".to_owned())
}
