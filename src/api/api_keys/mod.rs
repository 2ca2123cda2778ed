//! API keys.

pub mod create;
pub mod list;
pub mod revoke;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::auth::Caller;
use crate::api::problem::{Kind, Problem};
use crate::store::api_keys::StoredApiKey;

/// An API key, without the key.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
#[serde(rename_all = "camelCase")]
pub struct ApiKeyView {
    pub id: Uuid,
    pub name: String,
    pub scopes: Vec<String>,
    /// The accounts that it is limited to; null means all
    #[schema(required)]
    pub accounts: Option<Vec<String>>,
    #[schema(required)]
    pub expires_at: Option<DateTime<Utc>>,
    #[schema(required)]
    pub revoked_at: Option<DateTime<Utc>>,
    /// When a request came with it last, to the minute; null before the first
    #[schema(required)]
    pub last_used_at: Option<DateTime<Utc>>,
    /// Requests per second, at each replica; null: as the gateway is configured
    #[schema(required)]
    pub requests_per_second: Option<i32>,
    /// Requests at once after a rest; null: as many as in a second
    #[schema(required)]
    pub burst: Option<i32>,
    pub created_at: DateTime<Utc>,
}

impl From<StoredApiKey> for ApiKeyView {
    fn from(stored: StoredApiKey) -> Self {
        let StoredApiKey {
            id,
            name,
            scopes,
            accounts,
            expires_at,
            revoked_at,
            last_used_at,
            requests_per_second,
            burst,
            created_at,
        } = stored;
        ApiKeyView {
            id,
            name,
            scopes,
            accounts,
            expires_at,
            revoked_at,
            last_used_at,
            requests_per_second,
            burst,
            created_at,
        }
    }
}

/// Keys of others are for administrators of all accounts.
fn require_all_accounts(caller: &Caller) -> Result<(), Problem> {
    if caller.accounts().is_none() {
        return Ok(());
    }
    Err(Problem::new(Kind::Forbidden, "Your key is limited to accounts; keys are for administrators of all."))
}
