//! Subscriptions of an account to its provider's callbacks.

pub mod delete;
pub mod get;
pub mod put;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::asking::ask_problem;
use super::auth::{Caller, Scope};
use super::problem::{Kind, Problem};
use super::{AppState, visible};
use crate::provider::{self, Subscription};
use crate::store::accounts::StoredAccount;
use crate::upkeep::SubscribeError;

/// What the account's provider was asked to call about.
#[derive(Serialize, ToSchema)]
#[schema(as = Subscription)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionView {
    pub topic: String,
    /// By the provider's words; empty means all
    pub states: Vec<String>,
    /// Where the provider calls; its path is a secret
    pub callback_url: String,
    /// Made by the gateway for the account's `publicCallbackUrl`, and kept up to date with it
    pub automatic: bool,
    /// When the provider agreed; null while it did not
    #[schema(required)]
    pub subscribed_at: Option<DateTime<Utc>>,
    /// Why it did not agree; it is asked again every five minutes
    #[schema(required)]
    pub error: Option<String>,
}

/// The account, for an administrator whose key may use it, and what its provider can be subscribed to.
async fn subscription_of(
    state: &AppState,
    caller: &Caller,
    id: &str,
    topic: &str,
) -> Result<(StoredAccount, &'static Subscription), Problem> {
    caller.require(Scope::Admin)?;
    let account = visible::account(state, caller, id).await?;
    let outward = provider::find(&account.provider).and_then(|provider| provider.outward());
    let subscriptions = outward.map(|outward| outward.calls().subscriptions).unwrap_or_default();
    if subscriptions.is_empty() {
        return Err(Problem::new(
            Kind::UnsupportedByProvider,
            format!("The provider of the account {id} takes no subscriptions."),
        ));
    }
    let found = subscriptions.iter().find(|subscription| subscription.topic == topic).ok_or_else(|| {
        let topics: Vec<_> = subscriptions.iter().map(|subscription| subscription.topic).collect();
        Problem::new(Kind::NotFound, format!("There is no topic {topic}; the provider knows {}.", topics.join(", ")))
    })?;
    Ok((account, found))
}

/// The subscription as it is kept.
async fn view(state: &AppState, account: &StoredAccount, topic: &str) -> Result<SubscriptionView, Problem> {
    let kept = state.store.subscription(&account.id, topic).await?;
    let kept = kept.ok_or_else(|| Problem::new(Kind::NotFound, "The account is not subscribed to this."))?;
    let callback_url = state.upkeep.open_address(&account.id, &kept.callback_url).map_err(|error| {
        tracing::error!(%error, account = account.id, "the address of a subscription cannot be opened");
        Problem::new(Kind::Internal, "The address of the subscription cannot be opened; the log says why.")
    })?;
    Ok(SubscriptionView {
        topic: kept.topic,
        states: kept.states,
        callback_url,
        automatic: kept.automatic,
        subscribed_at: kept.subscribed_at,
        error: kept.error,
    })
}

fn problem(account: &StoredAccount, error: SubscribeError) -> Problem {
    match error {
        SubscribeError::Ask(error) => ask_problem(account, "subscribe", error),
        SubscribeError::Store(error) => error.into(),
        SubscribeError::Vault(error) => {
            tracing::error!(%error, account = account.id, "the address of a subscription cannot be sealed");
            Problem::new(Kind::Internal, "The address of the callbacks cannot be told; the log says why.")
        }
        SubscribeError::NoAddress => Problem::new(
            Kind::StateConflict,
            "The account has no publicCallbackUrl; name a callbackUrl, or give it one with PATCH /v1/accounts/{account}.",
        ),
    }
}
