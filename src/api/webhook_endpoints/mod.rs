//! Webhook endpoints and what was delivered to them.

mod checking;
pub mod create;
pub mod delete;
pub mod deliveries;
pub mod get;
pub mod list;
pub mod redeliver;
pub mod rotate_secret;
pub mod update;

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::AppState;
use super::auth::{Caller, Scope};
use super::problem::{Kind, Problem};
use crate::canonical::{DeliveryState, EventType};
use crate::event::{Secret, seal};
use crate::store::webhook_deliveries::StoredDelivery;
use crate::store::webhook_endpoints::StoredEndpoint;
use crate::vault::{Sealed, VaultError};

/// A webhook endpoint. Its secret is answered when it is made, and never again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookEndpoint)]
#[serde(rename_all = "camelCase")]
pub struct EndpointView {
    pub id: Uuid,
    pub url: String,
    /// For people
    #[schema(required)]
    pub description: Option<String>,
    /// The types of events that it gets; null means all
    #[schema(required, value_type = Option<Vec<EventType>>)]
    pub types: Option<Vec<String>>,
    /// The accounts whose events it gets; null means all, and what is about none
    #[schema(required)]
    pub accounts: Option<Vec<String>>,
    /// Whether anything is delivered; what happens meanwhile waits
    pub enabled: bool,
    /// Since when nothing is delivered
    #[schema(required)]
    pub disabled_at: Option<DateTime<Utc>>,
    /// Why nothing is delivered
    #[schema(required)]
    pub disabled_reason: Option<String>,
    /// Since when every delivery failed; null while it works
    #[schema(required)]
    pub failing_since: Option<DateTime<Utc>>,
    /// After a rotation: until when the old secret signs, too
    #[schema(required)]
    pub previous_secret_until: Option<DateTime<Utc>>,
    /// Rises with every change; the ETag
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl From<StoredEndpoint> for EndpointView {
    fn from(stored: StoredEndpoint) -> Self {
        let StoredEndpoint {
            id,
            url,
            description,
            types,
            accounts,
            previous_secret_until,
            disabled_at,
            disabled_reason,
            failing_since,
            version,
            created_at,
            updated_at,
        } = stored;
        EndpointView {
            id,
            url,
            description,
            types,
            accounts,
            enabled: disabled_at.is_none(),
            disabled_at,
            disabled_reason,
            failing_since,
            previous_secret_until,
            version,
            created_at,
            updated_at,
        }
    }
}

/// A webhook endpoint with its secret, which is answered this once.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookEndpointWithSecret)]
#[serde(rename_all = "camelCase")]
pub struct EndpointWithSecret {
    #[serde(flatten)]
    endpoint: EndpointView,
    /// What signs deliveries (Standard Webhooks); it cannot be read again
    #[schema(example = "whsec_…")]
    secret: String,
}

/// One event on its way to one endpoint.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookDelivery)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryView {
    /// Id of the event, and the `webhook-id` under which it comes
    pub id: Uuid,
    /// Type of the event; null when the event is not kept any more
    #[schema(required, value_type = Option<EventType>)]
    pub r#type: Option<String>,
    pub state: DeliveryState,
    /// Tries so far
    pub attempts: i32,
    /// When it is tried next; null while it is tried, and at its end. A disabled endpoint holds it all the same.
    #[schema(required)]
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When it was tried last
    #[schema(required)]
    pub last_attempt_at: Option<DateTime<Utc>>,
    /// HTTP status of the last answer; null when there was none
    #[schema(required)]
    pub last_status: Option<i32>,
    /// Why the last try failed
    #[schema(required)]
    pub last_error: Option<String>,
    pub created_at: DateTime<Utc>,
    /// When it was delivered or given up
    #[schema(required)]
    pub finished_at: Option<DateTime<Utc>>,
}

impl From<StoredDelivery> for DeliveryView {
    fn from(stored: StoredDelivery) -> Self {
        let StoredDelivery {
            event_id,
            event_type,
            position: _,
            state,
            attempts,
            due_at,
            attempted_at,
            response_status,
            error,
            created_at,
            finished_at,
        } = stored;
        DeliveryView {
            id: event_id,
            r#type: event_type,
            state,
            attempts,
            next_attempt_at: due_at,
            last_attempt_at: attempted_at,
            last_status: response_status,
            last_error: error,
            created_at,
            finished_at,
        }
    }
}

/// The endpoint, for an administrator whose key may see all that it gets.
async fn read(state: &AppState, caller: &Caller, id: Uuid) -> Result<StoredEndpoint, Problem> {
    caller.require(Scope::Admin)?;
    let endpoint = state.store.webhook_endpoint(id).await?;
    let endpoint = endpoint.filter(|endpoint| may_see(caller, endpoint.accounts.as_deref()));
    endpoint.ok_or_else(|| Problem::not_found("webhook endpoint"))
}

/// Whether a key may see the events of these accounts; nothing means all.
fn may_see(caller: &Caller, accounts: Option<&[String]>) -> bool {
    match accounts {
        Some(accounts) => accounts.iter().all(|account| caller.may_use(account)),
        None => caller.accounts().is_none(),
    }
}

/// A new secret of an endpoint, and the same sealed.
fn new_secret(state: &AppState, id: Uuid) -> Result<(Secret, Sealed), Problem> {
    let made = Secret::generate().and_then(|secret| seal(&state.vault, id, &secret).map(|sealed| (secret, sealed)));
    made.map_err(|error: VaultError| Problem::new(Kind::Internal, format!("No secret can be made: {error}.")))
}

/// An answer that shows a secret, and that nobody on the way may keep.
fn with_secret(status: StatusCode, endpoint: StoredEndpoint, secret: &Secret) -> Response {
    let endpoint = EndpointView::from(endpoint);
    let headers = [(header::ETAG, format!("\"{}\"", endpoint.version)), (header::CACHE_CONTROL, "no-store".to_owned())];
    (status, headers, Json(EndpointWithSecret { endpoint, secret: secret.reveal() })).into_response()
}
