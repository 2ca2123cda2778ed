//! Providers: what each of them can do, from the one declaration that everything else reads too.

pub mod get;
pub mod list;
pub mod result_codes;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::problem::{Kind, Problem};
use crate::canonical::{DocumentType, Operation};
use crate::provider::{self, DeclaredSchema, Endpoint, Evidence, Limit, OperationProfile, Profile, settings_schema};
use crate::throttle::Pace;

/// What a provider can do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Provider)]
#[serde(rename_all = "camelCase")]
pub struct ProviderView {
    /// Id in URLs, accounts and extensions
    pub id: &'static str,
    pub name: &'static str,
    pub operations: Vec<OperationView>,
    pub endpoints: Vec<EndpointView>,
    /// JSON Schema of an account's `credentials`
    #[schema(value_type = Object)]
    pub credentials_schema: Value,
    /// Members of `credentials` that are masked wherever they could be seen
    pub secret_credentials: &'static [&'static str],
    /// JSON Schema of an account's `settings`
    #[schema(value_type = Object)]
    pub settings_schema: Value,
    /// JSON Schema of `extensions.<id>` of an order; null when the provider has no members of its own there
    #[schema(value_type = Option<Object>, required)]
    pub order_extension_schema: Option<Value>,
    /// The same for a stop
    #[schema(value_type = Option<Object>, required)]
    pub stop_extension_schema: Option<Value>,
    /// What the provider can be subscribed to
    pub callback_topics: &'static [&'static str],
    /// Where this project describes the provider: what is supported, quirks, decisions
    #[schema(example = "docs/providers/example.md")]
    pub docs: String,
}

/// One operation that the provider has.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProviderOperation)]
#[serde(rename_all = "camelCase")]
pub struct OperationView {
    pub operation: Operation,
    pub document_type: DocumentType,
    /// Id of the endpoint that carries it
    pub endpoint: &'static str,
    /// What decides a submission whose answer never came
    pub evidence: Evidence,
}

/// One interface of the provider: the unit to which its quota and batch size apply.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProviderEndpoint)]
#[serde(rename_all = "camelCase")]
pub struct EndpointView {
    pub id: &'static str,
    pub method: &'static str,
    /// Path below an account's `baseUrl`
    pub path: &'static str,
    /// Most items that one request carries
    pub batch_limit: u16,
    pub limit: LimitView,
    /// Requests that may leave at once after a rest
    pub burst: u32,
}

/// At most so many requests in any window of this length.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProviderLimit)]
#[serde(rename_all = "camelCase")]
pub struct LimitView {
    pub requests: u32,
    pub window_seconds: u64,
}

impl From<&'static Profile> for ProviderView {
    fn from(profile: &'static Profile) -> Self {
        let Profile {
            id,
            name,
            operations,
            endpoints,
            credentials_schema,
            secret_credentials,
            settings_schema: _,
            order_extension_schema,
            stop_extension_schema,
            catalogue: _,
            callback_topics,
        } = profile;
        let inlined = |schema: &DeclaredSchema| schema.inlined();
        ProviderView {
            id,
            name,
            operations: operations.iter().map(OperationView::from).collect(),
            endpoints: endpoints.iter().map(EndpointView::from).collect(),
            credentials_schema: credentials_schema.inlined(),
            secret_credentials,
            settings_schema: settings_schema(profile),
            order_extension_schema: order_extension_schema.as_ref().map(inlined),
            stop_extension_schema: stop_extension_schema.as_ref().map(inlined),
            callback_topics,
            docs: format!("docs/providers/{id}.md"),
        }
    }
}

impl From<&'static OperationProfile> for OperationView {
    fn from(profile: &'static OperationProfile) -> Self {
        let OperationProfile { operation, document_type, endpoint, carries: _, evidence } = *profile;
        OperationView { operation, document_type, endpoint, evidence }
    }
}

impl From<&'static Endpoint> for EndpointView {
    fn from(endpoint: &'static Endpoint) -> Self {
        let Endpoint { id, method, path, limit, batch_limit } = *endpoint;
        let Limit { requests, window } = limit;
        EndpointView {
            id,
            method,
            path,
            batch_limit,
            limit: LimitView { requests, window_seconds: window.as_secs() },
            burst: Pace::of(limit).burst,
        }
    }
}

/// The provider with this id.
fn find(id: &str) -> Result<&'static Profile, Problem> {
    let known = provider::find(id)
        .ok_or_else(|| Problem::new(Kind::NotFound, "There is no provider with this id; see GET /v1/providers."))?;
    Ok(known.profile())
}
