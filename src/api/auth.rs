//! Who calls: API keys, their scopes, and the accounts that they may use.

use std::net::IpAddr;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;
use utoipa::ToSchema;
use uuid::Uuid;

use super::AppState;
use super::around::REQUEST_ID;
use super::key_limits::{Standing, StandingSlot};
use super::origin;
use super::problem::{Kind, Problem};
use crate::canonical::Action;
use crate::store::Store;
use crate::store::accounts::StoredAccount;
use crate::store::api_keys::ValidApiKey;
use crate::store::audit::{Act, Actor};
use crate::store::grounds::{Grounds, RowVersion};
use crate::telemetry::TraceParent;
use crate::vault::{VaultError, random_bytes};

/// What an API key may do.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::IntoStaticStr, strum::EnumString,
)]
pub enum Scope {
    #[serde(rename = "orders:write")]
    #[strum(serialize = "orders:write")]
    OrdersWrite,
    #[serde(rename = "orders:read")]
    #[strum(serialize = "orders:read")]
    OrdersRead,
    /// Everything, and the administration of accounts and keys
    #[serde(rename = "admin")]
    #[strum(serialize = "admin")]
    Admin,
}

/// Who sent a request.
#[derive(Debug, Clone)]
pub struct Caller {
    pub key_id: Uuid,
    key_name: String,
    request_id: Option<String>,
    /// Where the request came from
    address: Option<IpAddr>,
    /// The request's place in its trace
    trace_parent: Option<String>,
    scopes: Vec<Scope>,
    /// Nothing means all accounts
    accounts: Option<Vec<String>>,
}

impl Caller {
    fn of(parts: &Parts, key: &ValidApiKey) -> Self {
        let request_id = parts.headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
        let caller = Caller {
            key_id: key.id,
            key_name: String::new(),
            request_id: request_id.map(str::to_owned),
            address: origin::of(&parts.extensions).map(|origin| origin.address),
            trace_parent: parts.extensions.get::<TraceParent>().map(ToString::to_string),
            scopes: Vec::new(),
            accounts: None,
        };
        caller.with_key(key)
    }

    fn with_key(self, key: &ValidApiKey) -> Self {
        Caller {
            key_id: key.id,
            key_name: key.name.clone(),
            scopes: key.scopes.iter().filter_map(|scope| scope.parse().ok()).collect(),
            accounts: key.accounts.clone(),
            ..self
        }
    }

    /// Refuses the request unless the key has the scope; `admin` includes the others.
    pub fn require(&self, scope: Scope) -> Result<(), Problem> {
        self.require_any(&[scope])
    }

    /// Refuses the request unless the key has one of the scopes; `admin` includes the others.
    pub fn require_any(&self, scopes: &[Scope]) -> Result<(), Problem> {
        if self.scopes.iter().any(|scope| *scope == Scope::Admin || scopes.contains(scope)) {
            return Ok(());
        }
        let names: Vec<&str> = scopes.iter().map(Into::into).collect();
        Err(Problem::new(Kind::Forbidden, format!("This needs an API key with the scope {}.", names.join(" or "))))
    }

    /// Whether the key may use an account.
    pub fn may_use(&self, account: &str) -> bool {
        self.accounts.as_ref().is_none_or(|accounts| accounts.iter().any(|allowed| allowed == account))
    }

    /// Name of the key.
    pub fn key_name(&self) -> &str {
        &self.key_name
    }

    /// Also in the answer and in every log line.
    pub fn request_id(&self) -> &str {
        self.request_id.as_deref().unwrap_or_default()
    }

    /// The place in a trace that what this request brings belongs to.
    pub fn trace_parent(&self) -> Option<&str> {
        self.trace_parent.as_deref()
    }

    /// An act of this caller, for the audit log.
    pub fn act<'a>(
        &'a self,
        action: Action,
        object: impl ToString,
        account: Option<&'a str>,
        details: Value,
    ) -> Act<'a> {
        let actor = Actor::ApiKey {
            id: self.key_id,
            name: &self.key_name,
            request_id: self.request_id.as_deref(),
            address: self.address,
        };
        Act { actor, action, object: object.to_string(), account, details }
    }

    /// The accounts that the key is limited to.
    pub fn accounts(&self) -> Option<&[String]> {
        self.accounts.as_deref()
    }
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let hash = presented(parts)?;
        let key = admitted(parts, state, &hash, None).await?;
        Ok(Caller::of(parts, &key))
    }
}

/// Who sent a request, as far as that is known of a key that may have been looked up for another request. What is done
/// on its word must be done on [`Grounds`] of it.
pub struct PresumedCaller {
    pub caller: Caller,
    hash: Vec<u8>,
    row: RowVersion,
    is_certain: bool,
}

impl PresumedCaller {
    /// What an order is checked against that this caller brings for the account.
    pub fn grounds(&self, account: &StoredAccount) -> Grounds {
        Grounds { api_key: (self.caller.key_id, self.row), account: account.row }
    }

    /// The caller, whose key is valid now.
    pub async fn certain(self, state: &AppState) -> Result<Caller, Problem> {
        if self.is_certain {
            return Ok(self.caller);
        }
        let key = look_up(state, &self.hash).await?;
        Ok(self.caller.with_key(&key))
    }
}

impl FromRequestParts<AppState> for PresumedCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let hash = presented(parts)?;
        let remembered = state.remembered.keys.get(&hash, Instant::now());
        let is_certain = remembered.is_none();
        let key = admitted(parts, state, &hash, remembered).await?;
        Ok(PresumedCaller { caller: Caller::of(parts, &key), hash, row: key.row, is_certain })
    }
}

/// The hash of the key that a request came with.
fn presented(parts: &Parts) -> Result<Vec<u8>, Problem> {
    let unauthenticated = |detail: &str| Problem::new(Kind::Unauthenticated, detail);
    let header = parts
        .headers
        .get(AUTHORIZATION)
        .ok_or_else(|| unauthenticated("Send your API key as `Authorization: Bearer <api key>`."))?;
    let key = header
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, key)| key.trim())
        .ok_or_else(|| unauthenticated("The Authorization header must be `Bearer <api key>`."))?;
    Ok(hash(key))
}

/// The key with this hash, which is valid now.
async fn look_up(state: &AppState, hash: &[u8]) -> Result<Arc<ValidApiKey>, Problem> {
    let Some(mut key) = state.store.valid_api_key(hash.to_vec()).await? else {
        state.key_limits.forget(hash);
        return Err(Problem::new(Kind::Unauthenticated, "The API key is unknown, revoked or expired."));
    };
    if std::mem::take(&mut key.use_to_be_noted) {
        note_use(state.store.clone(), key.id);
    }
    let key = Arc::new(key);
    state.remembered.keys.keep(hash.to_vec(), Arc::clone(&key), Instant::now());
    Ok(key)
}

/// The key of a request, which is counted; looked up where it is not remembered.
async fn admitted(
    parts: &Parts,
    state: &AppState,
    hash: &[u8],
    remembered: Option<Arc<ValidApiKey>>,
) -> Result<Arc<ValidApiKey>, Problem> {
    // Before the ledger is asked: a key that comes too often costs it nothing.
    let known = state.key_limits.count_known(hash);
    admit(parts, known)?;
    let key = match remembered {
        Some(key) => key,
        None => look_up(state, hash).await?,
    };
    if known.is_none() {
        admit(parts, state.key_limits.count_first(hash, key.requests_per_second, key.burst))?;
    }
    Ok(key)
}

/// Beside the request, which does not wait for it.
fn note_use(store: Store, key: Uuid) {
    tokio::spawn(async move {
        if let Err(error) = store.note_use_of_api_key(key).await {
            tracing::warn!(%error, %key, "the use of an API key could not be noted");
        }
    });
}

/// Lets a request in unless its key came too often, and leaves word of where the key stands.
fn admit(parts: &Parts, standing: Option<Standing>) -> Result<(), Problem> {
    let Some(standing) = standing else { return Ok(()) };
    if let Some(slot) = parts.extensions.get::<StandingSlot>() {
        // Whoever authenticates twice in one request was told the first time.
        let _ = slot.set(standing);
    }
    if standing.is_over() {
        return Err(Problem::new(Kind::RateLimited, "This API key comes too often.").with_retry_after(standing.wait));
    }
    Ok(())
}

/// A new API key: 256 random bits.
pub fn generate_key() -> Result<String, VaultError> {
    Ok(format!("olk_{}", BASE64URL_NOPAD.encode(&random_bytes::<32>()?)))
}

/// What is kept of a key. Keys are random, so one round of SHA-256 is enough, and looking a hash up tells
/// nothing about the key through timing.
pub fn hash(key: &str) -> Vec<u8> {
    digest(&SHA256, key.as_bytes()).as_ref().to_vec()
}
