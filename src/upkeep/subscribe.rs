//! Subscriptions: made when an account can be called, and made again when it is called elsewhere.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use secrecy::ExposeSecret;

use super::Upkeep;
use crate::callback::{DoorError, ends_with_token};
use crate::delivery::AskError;
use crate::provider::{self, SubscriptionWish};
use crate::store::StoreError;
use crate::store::accounts::StoredAccount;
use crate::store::subscriptions::NewSubscription;
use crate::vault::{Place, Sealed, VaultError};

/// How long it rests after a provider did not agree.
const REST: Duration = Duration::from_secs(300);

/// A subscription to which the provider agreed.
pub struct Subscribed {
    pub states: Vec<String>,
    pub callback_url: String,
}

/// Why there is no subscription.
#[derive(Debug, thiserror::Error)]
pub enum SubscribeError {
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the address of the callbacks cannot be sealed or opened: {0}")]
    Vault(#[from] VaultError),
    /// No address was named, and the account has no `publicCallbackUrl`.
    #[error("the account cannot be called")]
    NoAddress,
}

impl From<DoorError> for SubscribeError {
    fn from(error: DoorError) -> Self {
        match error {
            DoorError::Store(error) => SubscribeError::Store(error),
            DoorError::Vault(error) => SubscribeError::Vault(error),
        }
    }
}

impl Upkeep {
    /// Subscribes an account on a caller's wish, to its own callbacks where no address is named.
    pub async fn subscribe(
        &self,
        account: &StoredAccount,
        topic: &str,
        states: Vec<String>,
        address: Option<String>,
    ) -> Result<Subscribed, SubscribeError> {
        let automatic = address.is_none() && states.is_empty();
        let callback_url = match address {
            Some(address) => address,
            None => self.own_address(account).await?,
        };
        self.subscribe_to(account, topic, states, callback_url, automatic).await
    }

    /// Subscribes an account, and keeps that once the provider agreed.
    async fn subscribe_to(
        &self,
        account: &StoredAccount,
        topic: &str,
        states: Vec<String>,
        callback_url: String,
        automatic: bool,
    ) -> Result<Subscribed, SubscribeError> {
        let wish = SubscriptionWish { states, callback_url };
        self.ask(&account.id, topic, &wish).await?;
        let sealed = self.vault.seal(&Place::SubscriptionAddress(&account.id), wish.callback_url.as_bytes())?;
        self.store
            .keep_subscription(&NewSubscription {
                account_id: &account.id,
                topic,
                states: &wish.states,
                callback_url: &sealed,
                callback_url_hash: digest(&SHA256, wish.callback_url.as_bytes()).as_ref(),
                automatic,
            })
            .await?;
        Ok(Subscribed { states: wish.states, callback_url: wish.callback_url })
    }

    /// Ends a subscription on a caller's wish.
    pub async fn unsubscribe(&self, account: &StoredAccount, topic: &str) -> Result<(), SubscribeError> {
        let topic_of = topic.to_owned();
        let choose =
            move |calls: &'static provider::Calls| calls.subscription(&topic_of).map(|found| &found.unsubscribe);
        self.delivery.ask(&account.id, choose, &()).await?;
        Ok(self.store.end_subscription(&account.id, topic).await?)
    }

    /// The address that a kept subscription names.
    pub fn open_address(&self, account_id: &str, sealed: &Sealed) -> Result<String, VaultError> {
        let opened = self.vault.open_text(&Place::SubscriptionAddress(account_id), sealed)?;
        Ok(opened.expose_secret().to_owned())
    }

    /// Subscribes accounts that can be called to everything that their providers tell.
    pub(super) async fn subscribe_accounts(&self) -> Result<(), SubscribeError> {
        let telling: Vec<&str> = provider::ALL
            .iter()
            .filter(|provider| provider.outward().is_some_and(|outward| !outward.calls().subscriptions.is_empty()))
            .map(|provider| provider.profile().id)
            .collect();
        for id in self.store.accounts_to_subscribe(&telling).await? {
            let Some(account) = self.store.account(&id).await? else { continue };
            let provider = provider::find(&account.provider).and_then(|provider| provider.outward());
            for subscription in provider.map(|outward| outward.calls().subscriptions).unwrap_or_default() {
                self.subscribe_by_itself(&account, subscription.topic).await?;
            }
            if let Some(previous) = &account.previous_callback_token_hash {
                self.move_subscriptions(&account, previous).await?;
            }
        }
        Ok(())
    }

    async fn subscribe_by_itself(&self, account: &StoredAccount, topic: &str) -> Result<(), SubscribeError> {
        let callback_url = self.own_address(account).await?;
        let sealed = self.vault.seal(&Place::SubscriptionAddress(&account.id), callback_url.as_bytes())?;
        let hash = digest(&SHA256, callback_url.as_bytes());
        let new = NewSubscription {
            account_id: &account.id,
            topic,
            states: &[],
            callback_url: &sealed,
            callback_url_hash: hash.as_ref(),
            automatic: true,
        };
        if !self.store.take_subscription(&new, REST).await? {
            return Ok(());
        }
        let asked = self.ask(&account.id, topic, &SubscriptionWish { states: Vec::new(), callback_url }).await;
        let error = asked.as_ref().err().map(ToString::to_string);
        match &error {
            None => tracing::info!(account = account.id, topic, "subscribed"),
            Some(error) => tracing::warn!(account = account.id, topic, error, "the provider did not agree to call"),
        }
        Ok(self.store.note_subscription(&account.id, topic, error.as_deref()).await?)
    }

    /// Moves subscriptions that a caller made to the account's own callbacks, and that still name the path before, to
    /// the path that it has now. Those to other addresses are their caller's.
    async fn move_subscriptions(&self, account: &StoredAccount, previous: &[u8]) -> Result<(), SubscribeError> {
        for kept in self.store.subscriptions_by_wish(&account.id).await? {
            let Ok(address) = self.open_address(&account.id, &kept.callback_url) else { continue };
            if !ends_with_token(&address, previous) || !self.store.take_move(&account.id, &kept.topic, REST).await? {
                continue;
            }
            match self.subscribe_to(account, &kept.topic, kept.states, self.own_address(account).await?, false).await {
                Ok(_) => tracing::info!(account = account.id, topic = kept.topic, "subscription moved"),
                Err(SubscribeError::Ask(error)) => {
                    let error = error.to_string();
                    tracing::warn!(
                        account = account.id,
                        topic = kept.topic,
                        error,
                        "the provider did not agree to call elsewhere"
                    );
                    self.store.note_failed_move(&account.id, &kept.topic, &error).await?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn ask(&self, account_id: &str, topic: &str, wish: &SubscriptionWish) -> Result<(), AskError> {
        let topic = topic.to_owned();
        let choose = move |calls: &'static provider::Calls| calls.subscription(&topic).map(|found| &found.subscribe);
        self.delivery.ask(account_id, choose, wish).await
    }

    async fn own_address(&self, account: &StoredAccount) -> Result<String, SubscribeError> {
        if account.public_callback_url.is_none() {
            return Err(SubscribeError::NoAddress);
        }
        self.callbacks.url_of(account).await?.ok_or(SubscribeError::NoAddress)
    }
}
