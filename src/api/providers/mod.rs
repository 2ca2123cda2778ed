//! Providers: what each of them can do, from the one declaration that everything else reads too.

pub mod get;
pub mod list;
pub mod result_codes;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::problem::{Kind, Problem};
use crate::canonical::{DocumentType, Operation};
use crate::provider::{
    self, Calls, Carries, DeclaredSchema, Endpoint, Evidence, Limit, OperationProfile, Profile, Provider,
    settings_schema,
};
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
    /// What else it can be asked, or told
    pub calls: Vec<CallView>,
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
    /// What it tells the provider: the whole order, only what changes, or only which order it is about
    pub carries: Carries,
    /// What decides a submission whose answer never came
    pub evidence: Evidence,
}

/// One thing that the provider can be asked, or told, beside the operations on orders.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProviderCall)]
#[serde(rename_all = "camelCase")]
pub struct CallView {
    pub call: CallKind,
    /// For calls about one kind of document
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub document_type: Option<DocumentType>,
    /// For subscriptions: what is subscribed to, and the states that may be named
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub topic: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub states: Option<&'static [&'static str]>,
    /// Id of the endpoint that takes it
    pub endpoint: &'static str,
}

/// What a call is for.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallKind {
    /// Where an order stands: tracking with `refresh`, and the evidence after a doubt
    FindOrders,
    /// The provider's orders by filters
    SearchOrders,
    /// The account's organisation units
    Organizations,
    /// The provider's address book
    Parties,
    /// Unbinding of tracking devices
    UnbindDevices,
    /// Callbacks
    Subscription,
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

impl From<&'static dyn Provider> for ProviderView {
    fn from(provider: &'static dyn Provider) -> Self {
        let profile = provider.profile();
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
            calls: provider.outward().map(|outward| calls(outward.calls())).unwrap_or_default(),
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
        let OperationProfile { operation, document_type, endpoint, carries, evidence } = *profile;
        OperationView { operation, document_type, endpoint, carries, evidence }
    }
}

fn calls(calls: &'static Calls) -> Vec<CallView> {
    let Calls { session: _, find_orders, search_orders, organizations, put_parties, unbind_devices, subscriptions } =
        calls;
    let plain = |call, endpoint| CallView { call, document_type: None, topic: None, states: None, endpoint };
    let mut views = Vec::new();
    views.extend(find_orders.iter().map(|lookup| CallView {
        document_type: Some(lookup.document_type),
        ..plain(CallKind::FindOrders, lookup.call.endpoint)
    }));
    views.extend(search_orders.iter().map(|search| CallView {
        document_type: Some(search.document_type),
        ..plain(CallKind::SearchOrders, search.call.endpoint)
    }));
    views.extend(organizations.iter().map(|call| plain(CallKind::Organizations, call.endpoint)));
    views.extend(put_parties.iter().map(|call| plain(CallKind::Parties, call.endpoint)));
    views.extend(unbind_devices.iter().map(|devices| CallView {
        document_type: Some(devices.document_type),
        ..plain(CallKind::UnbindDevices, devices.call.endpoint)
    }));
    views.extend(subscriptions.iter().map(|subscription| CallView {
        topic: Some(subscription.topic),
        states: Some(subscription.states),
        ..plain(CallKind::Subscription, subscription.subscribe.endpoint)
    }));
    views
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
fn find(id: &str) -> Result<&'static dyn Provider, Problem> {
    provider::find(id)
        .ok_or_else(|| Problem::new(Kind::NotFound, "There is no provider with this id; see GET /v1/providers."))
}
