//! The paths at which providers call: one for each account, with a secret as its last part.

use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64URL_NOPAD;
use secrecy::{ExposeSecret, SecretString};

use super::Callbacks;
use crate::provider::{self, Inward};
use crate::store::StoreError;
use crate::store::accounts::StoredAccount;
use crate::store::audit::Act;
use crate::vault::{Place, Sealed, VaultError, random_bytes};

/// The longest call that is read.
pub const MOST_BODY_BYTES: usize = 1024 * 1024;

/// An account's door, opened with the right secret.
pub struct Door {
    pub(super) account_id: String,
    pub(super) provider: String,
    pub(super) inward: &'static dyn Inward,
    /// With which it was opened; those on the way may repeat it
    pub(super) token: SecretString,
}

/// Why the path of an account cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the secret of the account's callback path cannot be opened: {0}")]
    Vault(#[from] VaultError),
}

/// What became of a secret that was to be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotated {
    Done,
    /// The account is gone.
    Unknown,
    /// Its provider does not call.
    NotCalled,
}

/// What a call's secret is compared with. The secret is random, so one round of SHA-256 is enough.
fn hash(token: &str) -> Vec<u8> {
    digest(&SHA256, token.as_bytes()).as_ref().to_vec()
}

/// Whether an address is a path of ours whose last part has this hash.
pub fn ends_with_token(address: &str, token_hash: &[u8]) -> bool {
    address.rsplit_once('/').is_some_and(|(_, token)| hash(token) == token_hash)
}

impl Callbacks {
    /// Opens the door at which a call knocks. Nothing where there is none, or the secret is wrong: nobody learns
    /// which, not even by how long it takes to compare.
    pub async fn open_door(&self, provider: &str, account_id: &str, token: &str) -> Result<Option<Door>, StoreError> {
        let known = self.inner.store.callback_door(account_id).await?;
        let known = known.filter(|door| door.provider == provider);
        let given = hash(token);
        let matches = |expected: Option<&Vec<u8>>| {
            let expected = expected.cloned().unwrap_or_else(|| hash(""));
            verify_slices_are_equal(&expected, &given).is_ok() && !token.is_empty()
        };
        let current = matches(known.as_ref().and_then(|door| door.token_hash.as_ref()));
        let previous = matches(known.as_ref().and_then(|door| door.previous_token_hash.as_ref()));
        let right = current | previous;
        let inward = provider::find(provider).and_then(provider::Provider::inward);
        Ok(inward.filter(|_| right && known.is_some()).map(|inward| Door {
            account_id: account_id.to_owned(),
            provider: provider.to_owned(),
            inward,
            token: SecretString::from(token),
        }))
    }

    /// The path at which an account is called; nothing where its provider does not call. The secret in it is made
    /// when it is needed first.
    async fn path_of(&self, account: &StoredAccount) -> Result<Option<String>, DoorError> {
        if provider::find(&account.provider).and_then(provider::Provider::inward).is_none() {
            return Ok(None);
        }
        let token = match &account.callback_token {
            Some(sealed) => self.inner.vault.open_text(&Place::CallbackToken(&account.id), sealed)?,
            None => match self.make_token(&account.id).await? {
                Some(token) => token,
                // The account is gone.
                None => return Ok(None),
            },
        };
        Ok(Some(format!("/callbacks/{}/{}/{}", account.provider, account.id, token.expose_secret())))
    }

    /// Where an account is called: with its `publicCallbackUrl` a whole URL, else its path.
    pub async fn url_of(&self, account: &StoredAccount) -> Result<Option<String>, DoorError> {
        let base = account.public_callback_url.as_deref().unwrap_or_default().trim_end_matches('/');
        Ok(self.path_of(account).await?.map(|path| format!("{base}{path}")))
    }

    /// Gives an account's path another secret; the one before is taken for as long as `overlap`.
    pub async fn rotate_token(
        &self,
        account: &StoredAccount,
        overlap: Duration,
        act: &Act<'_>,
    ) -> Result<Rotated, DoorError> {
        if provider::find(&account.provider).and_then(provider::Provider::inward).is_none() {
            return Ok(Rotated::NotCalled);
        }
        let (token, sealed) = self.new_token(&account.id)?;
        let hash = hash(token.expose_secret());
        let rotated = self.inner.store.rotate_callback_token(&account.id, &sealed, &hash, overlap, act).await?;
        Ok(if rotated { Rotated::Done } else { Rotated::Unknown })
    }

    /// Makes the secret of an account's path, unless somebody else did meanwhile.
    async fn make_token(&self, account_id: &str) -> Result<Option<SecretString>, DoorError> {
        let (token, sealed) = self.new_token(account_id)?;
        if self.inner.store.give_callback_token(account_id, &sealed, &hash(token.expose_secret())).await? {
            return Ok(Some(token));
        }
        let account = self.inner.store.account(account_id).await?;
        let sealed = account.and_then(|account| account.callback_token);
        Ok(sealed.map(|sealed| self.inner.vault.open_text(&Place::CallbackToken(account_id), &sealed)).transpose()?)
    }

    fn new_token(&self, account_id: &str) -> Result<(SecretString, Sealed), VaultError> {
        let token = SecretString::from(BASE64URL_NOPAD.encode(&random_bytes::<32>()?));
        let sealed = self.inner.vault.seal(&Place::CallbackToken(account_id), token.expose_secret().as_bytes())?;
        Ok((token, sealed))
    }
}
