//! Downstream accounts.

mod checking;
pub mod create;
pub mod delete;
pub mod get;
pub mod list;
pub mod pause;
pub mod resume;
pub mod rotate_callback_token;
pub mod throttle;
pub mod update;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::auth::{Caller, Scope};
use super::problem::Problem;
use super::{AppState, visible};
use crate::callback::DoorError;
use crate::store::accounts::StoredAccount;

/// An account. Its credentials are never answered.
#[derive(Serialize, ToSchema)]
#[schema(as = Account)]
#[serde(rename_all = "camelCase")]
pub struct AccountView {
    pub id: String,
    pub provider: String,
    pub display_name: String,
    /// Where the provider is reached
    pub base_url: String,
    #[schema(value_type = Object)]
    pub settings: Value,
    /// Overrides of documented limits, by endpoint
    #[schema(value_type = Object)]
    pub throttles: Value,
    /// Accounts of one group and provider share their quota
    pub throttle_group: String,
    /// Where the provider reaches this gateway
    #[schema(required)]
    pub public_callback_url: Option<String>,
    /// Submissions that may wait before no more are accepted; null: as the gateway is configured
    #[schema(required)]
    pub queue_limit: Option<i32>,
    /// Where the provider calls this account, a secret: with `publicCallbackUrl` a whole URL, else its path. Null for
    /// a provider that does not call
    #[schema(required, example = "https://gateway.example.com/callbacks/provider/account/…")]
    pub callback_url: Option<String>,
    /// After a rotation: until when calls at the old `callbackUrl` are taken, too
    #[schema(required)]
    pub previous_callback_url_until: Option<DateTime<Utc>>,
    /// Set while nothing goes out
    #[schema(required)]
    pub paused: Option<PausedView>,
    /// Rises with every change; the ETag
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// Why nothing goes out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Paused)]
#[serde(rename_all = "camelCase")]
pub struct PausedView {
    pub since: DateTime<Utc>,
    pub reason: String,
}

impl AccountView {
    async fn of(state: &AppState, stored: StoredAccount) -> Result<Self, Problem> {
        let callback_url = callback_url(state, &stored).await?;
        let StoredAccount {
            id,
            provider,
            display_name,
            base_url,
            credentials: _,
            settings,
            throttles,
            throttle_group,
            public_callback_url,
            callback_token: _,
            queue_limit,
            previous_callback_token_hash: _,
            previous_callback_token_until,
            paused_at,
            pause_reason,
            version,
            row: _,
            created_at,
            updated_at,
        } = stored;
        Ok(AccountView {
            id,
            provider,
            display_name,
            base_url,
            settings,
            throttles,
            throttle_group,
            public_callback_url,
            queue_limit,
            callback_url,
            previous_callback_url_until: previous_callback_token_until,
            paused: paused_at.map(|since| PausedView { since, reason: pause_reason.unwrap_or_default() }),
            version,
            created_at,
            updated_at,
        })
    }
}

/// Where the account's provider calls it.
async fn callback_url(state: &AppState, account: &StoredAccount) -> Result<Option<String>, Problem> {
    match state.callbacks.url_of(account).await {
        Ok(url) => Ok(url),
        Err(DoorError::Store(error)) => Err(error.into()),
        Err(error @ DoorError::Vault(_)) => {
            // The rest of the account is worth showing all the same.
            tracing::error!(%error, account = account.id, "the callback path of an account cannot be told");
            Ok(None)
        }
    }
}

/// The account, for an administrator whose key may use it.
async fn read(state: &AppState, caller: &Caller, id: &str) -> Result<StoredAccount, Problem> {
    caller.require(Scope::Admin)?;
    visible::account(state, caller, id).await
}
