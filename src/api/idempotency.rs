//! `Idempotency-Key`: a repeated request finds what the first one made.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::auth::Caller;
use super::params::PreferWait;
use super::problem::{Kind, Problem};
use crate::store::Store;
use crate::store::idempotency::{FirstRequest, IdempotencyKey};

/// The longest key that is taken.
const LONGEST_KEY: usize = 255;
/// What a waiting request needs besides its wait, before its answer is known.
const BESIDES_THE_WAIT: Duration = Duration::from_secs(5);

/// The header of a request, and where the request went.
pub struct IdempotencyHeader {
    key: Option<String>,
    path: String,
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyHeader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let path = parts.uri.path().to_owned();
        let Some(value) = parts.headers.get("idempotency-key") else {
            return Ok(IdempotencyHeader { key: None, path });
        };
        let key = value.to_str().unwrap_or_default();
        if key.is_empty() || key.len() > LONGEST_KEY {
            return Err(Problem::new(
                Kind::MalformedRequest,
                format!("Idempotency-Key must have 1 to {LONGEST_KEY} visible ASCII characters."),
            ));
        }
        Ok(IdempotencyHeader { key: Some(key.to_owned()), path })
    }
}

impl IdempotencyHeader {
    /// The key of this request, where it sent one.
    pub fn key(&self, caller: &Caller, method: &'static str, body: &[u8], wait: PreferWait) -> Option<IdempotencyKey> {
        Some(IdempotencyKey {
            api_key_id: caller.key_id,
            method,
            path: self.path.clone(),
            key: self.key.clone()?,
            fingerprint: digest(&SHA256, body).as_ref().to_vec(),
            running_seconds: wait.0.and_then(|wait| u32::try_from((wait + BESIDES_THE_WAIT).as_secs()).ok()),
        })
    }
}

/// What the first request with this key did, or why this one is refused. Nothing when there was none.
pub async fn replay(store: &Store, key: &IdempotencyKey) -> Result<Option<FirstRequest>, Problem> {
    let Some(first) = store.first_request(key).await? else { return Ok(None) };
    if !first.same_body {
        return Err(Problem::new(
            Kind::IdempotencyKeyReused,
            "This Idempotency-Key came with another body before. Use a new key for a new request.",
        ));
    }
    if first.still_running {
        return Err(Problem::new(
            Kind::IdempotencyInProgress,
            "The first request with this Idempotency-Key has not been answered yet. Repeat this one later.",
        ));
    }
    Ok(Some(first))
}
