//! The REST API: one file an endpoint. `api` and `delivery` meet only in the ledger, but for the hint that
//! there is work.

mod accounts;
mod api_keys;
mod around;
mod asking;
mod audit_log;
mod auth;
mod backlogs;
mod bodies;
mod body;
mod callbacks;
pub(crate) mod completing;
mod deadline;
pub(crate) mod etag;
pub(crate) mod events;
mod health;
mod history;
mod idempotency;
mod key_limits;
mod limits;
mod live;
mod masking;
mod metrics;
mod observing;
mod openapi;
pub(crate) mod orders;
pub(crate) mod origin;
pub(crate) mod params;
pub(crate) mod patch;
mod pressure;
pub(crate) mod problem;
mod problem_page;
mod providers;
mod remembered;
mod security_headers;
mod submissions;
mod subscriptions;
mod translating;
mod translations;
mod trips;
mod views;
mod visible;
mod webhook_endpoints;

use std::num::NonZeroU32;
use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::middleware;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;
use uuid::Uuid;

use crate::callback::Callbacks;
use crate::canonical::Action;
use crate::delivery::Delivery;
use crate::event::Events;
use crate::monitor::Monitor;
use crate::server::TrustedProxies;
use crate::store::api_keys::NewApiKey;
use crate::store::audit::{Act, Actor};
use crate::store::{Store, StoreError};
use crate::upkeep::Upkeep;
use crate::vault::Vault;

use around::around;
pub use auth::{Caller, Scope, generate_key, hash as hash_key};
use backlogs::Backlogs;
pub use bodies::Bodies;
pub use key_limits::KeyLimits;
pub use limits::Limits;
pub use openapi::CONTRACT;
pub use pressure::requests_at_once;
pub use remembered::Remembered;
pub use translating::TranslationView;
pub(crate) use translations::translate_offline;

/// What handlers need. Each layer of each request has a handle of its own, so it is a cheap one.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

impl Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl From<Shared> for AppState {
    fn from(shared: Shared) -> Self {
        AppState(Arc::new(shared))
    }
}

/// What all requests share.
pub struct Shared {
    pub store: Store,
    pub vault: Arc<Vault>,
    pub delivery: Delivery,
    pub events: Events,
    pub callbacks: Callbacks,
    pub upkeep: Upkeep,
    pub bodies: Arc<Bodies>,
    pub remembered: Remembered,
    pub key_limits: Arc<KeyLimits>,
    pub monitor: Arc<Monitor>,
    pub backlogs: Arc<Backlogs>,
    /// Submissions that may wait of an account that has no limit of its own
    pub queue_limit: Option<NonZeroU32>,
    /// Places for requests that are being worked on
    pub requests: Arc<Semaphore>,
    /// How many there are in all
    pub requests_limit: usize,
    /// The gateway is about to end
    pub stopping: CancellationToken,
    /// Whose word on where a request comes from is taken
    pub trusted_proxies: Arc<TrustedProxies>,
}

/// Every documented route; the OpenAPI file comes from the same list.
fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(orders::create::handler, orders::list::handler))
        .routes(routes!(orders::batch::handler))
        .routes(routes!(orders::adopt::handler))
        .routes(routes!(orders::get::handler, orders::amend::handler))
        .routes(routes!(orders::custom_fields::handler))
        .routes(routes!(orders::cancel::handler))
        .routes(routes!(orders::submissions::handler))
        .routes(routes!(history::events::handler))
        .routes(routes!(history::tracking::handler))
        .routes(routes!(events::list::handler))
        .routes(routes!(events::stream::handler))
        .routes(routes!(submissions::list::handler))
        .routes(routes!(submissions::get::handler))
        .routes(routes!(submissions::attempts::handler))
        .routes(routes!(submissions::retry::handler))
        .routes(routes!(submissions::resolve::handler))
        .routes(routes!(accounts::create::handler, accounts::list::handler))
        .routes(routes!(accounts::get::handler, accounts::update::handler, accounts::delete::handler))
        .routes(routes!(accounts::throttle::handler))
        .routes(routes!(accounts::pause::handler))
        .routes(routes!(accounts::resume::handler))
        .routes(routes!(accounts::rotate_callback_token::handler))
        .routes(routes!(live::organizations::handler))
        .routes(routes!(live::parties::handler))
        .routes(routes!(live::provider_orders::handler))
        .routes(routes!(live::unbind_devices::handler))
        .routes(routes!(subscriptions::get::handler, subscriptions::put::handler, subscriptions::delete::handler))
        .routes(routes!(trips::create::handler))
        .routes(routes!(trips::get::handler))
        .routes(routes!(callbacks::receive::handler))
        .routes(routes!(callbacks::list::handler))
        .routes(routes!(callbacks::get::handler))
        .routes(routes!(callbacks::reprocess::handler))
        .routes(routes!(translations::handler))
        .routes(routes!(providers::list::handler))
        .routes(routes!(providers::get::handler))
        .routes(routes!(providers::result_codes::handler))
        .routes(routes!(webhook_endpoints::create::handler, webhook_endpoints::list::handler))
        .routes(routes!(
            webhook_endpoints::get::handler,
            webhook_endpoints::update::handler,
            webhook_endpoints::delete::handler
        ))
        .routes(routes!(webhook_endpoints::rotate_secret::handler))
        .routes(routes!(webhook_endpoints::deliveries::handler))
        .routes(routes!(webhook_endpoints::redeliver::handler))
        .routes(routes!(api_keys::create::handler, api_keys::list::handler))
        .routes(routes!(api_keys::revoke::handler))
        .routes(routes!(audit_log::handler))
        .routes(routes!(problem_page::handler))
        .merge(probes())
}

/// What is asked of a process that answers no callers, by whoever watches it.
fn probes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(health::live)).routes(routes!(health::ready))
}

/// The whole service, with pages for people beside the API.
pub fn router(state: AppState, pages: Router) -> Router {
    let (routes, _) = routes().split_for_parts();
    // It also answers `/openapi.json`.
    let docs = SwaggerUi::new("/docs").external_url_unchecked("/openapi.json", CONTRACT.document().clone());
    around(routes.merge(metrics::routes()).with_state(state.clone()).merge(docs).merge(pages), state)
}

/// The API for a page of this process that stands for a caller. What goes around a request as a whole (its place, its
/// deadline, its log line) went around the page's own.
pub fn inner_router(state: AppState) -> Router {
    let (routes, _) = routes().split_for_parts();
    Router::new().merge(routes.with_state(state)).layer(middleware::from_fn(completing::enclose))
}

/// A process that only works: it can be probed and measured, and nothing else.
pub fn probe_router(state: AppState) -> Router {
    let (probes, _) = probes().split_for_parts();
    around(probes.merge(metrics::routes()).with_state(state.clone()), state)
}

/// The fewest characters of a key that a person chose.
pub const SHORTEST_KEY: usize = 16;

/// Makes sure that the first administrator's key is there.
pub async fn ensure_admin_key(store: &Store, key: &str) -> Result<(), StoreError> {
    let scopes = [<&str>::from(auth::Scope::Admin).to_owned()];
    let id = Uuid::now_v7();
    let act = Act {
        actor: Actor::Environment("ONELANE_ADMIN_KEY"),
        action: Action::CreateApiKey,
        object: id.to_string(),
        account: None,
        details: serde_json::json!({"name": "first administrator", "scopes": scopes}),
    };
    let new = NewApiKey {
        id,
        name: "first administrator",
        hash: &hash_key(key),
        scopes: &scopes,
        accounts: None,
        expires_at: None,
        requests_per_second: None,
        burst: None,
    };
    store.add_api_key(&new, &act).await.map(drop)
}
