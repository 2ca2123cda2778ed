//! What a provider's documents declare, once: validation, capabilities, throttling, the catalogue endpoint,
//! the documentation and the sandbox all read it here.

use std::collections::HashMap;
use std::time::Duration;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use crate::canonical::{DocumentType, Operation, ResultCode};

/// A provider, as its documents describe it.
pub struct Profile {
    /// Id in URLs, accounts and extensions
    pub id: &'static str,
    pub name: &'static str,
    pub operations: &'static [OperationProfile],
    pub endpoints: &'static [Endpoint],
    /// Schema of `credentials`
    pub credentials_schema: fn() -> RefOr<Schema>,
    /// Members of `credentials` that are secret; they are masked wherever they could be seen
    pub secret_credentials: &'static [&'static str],
    /// Schema of the provider's own `settings`, without the common ones
    pub settings_schema: fn() -> RefOr<Schema>,
    /// Schema of `extensions.<id>` of an order, if the provider has members of its own there
    pub order_extension_schema: Option<fn() -> RefOr<Schema>>,
    /// The same for a stop
    pub stop_extension_schema: Option<fn() -> RefOr<Schema>>,
    /// The result codes
    pub catalogue: fn() -> &'static Catalogue,
}

impl Profile {
    /// How the provider does an operation on a kind of document, if it can.
    pub fn operation(&self, operation: Operation, document_type: DocumentType) -> Option<&'static OperationProfile> {
        self.operations.iter().find(|entry| entry.operation == operation && entry.document_type == document_type)
    }

    pub fn endpoint(&self, id: &str) -> Option<&'static Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.id == id)
    }
}

/// One operation of a provider.
pub struct OperationProfile {
    pub operation: Operation,
    pub document_type: DocumentType,
    /// Id of the endpoint that carries it
    pub endpoint: &'static str,
    pub evidence: Evidence,
}

/// What decides an operation whose answer never came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// The same document again is safe: either it changes nothing, or the provider says that it exists.
    Resend,
}

/// One interface of a provider: the unit to which its quota and batch size apply.
pub struct Endpoint {
    /// The provider's own name of it
    pub id: &'static str,
    pub method: &'static str,
    /// Path below the account's base URL
    pub path: &'static str,
    pub limit: Limit,
    /// Most items that one request may carry
    pub batch_limit: u16,
}

/// A quota: at most `requests` in any half-open window of the given length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub requests: u32,
    pub window: Duration,
}

/// The result codes of a provider, by scope and raw code.
pub struct Catalogue {
    entries: Vec<ResultCode>,
    index: HashMap<(String, String), usize>,
}

impl Catalogue {
    pub fn new(entries: Vec<ResultCode>) -> Self {
        let index = entries
            .iter()
            .enumerate()
            .map(|(position, entry)| ((entry.scope.clone(), entry.raw_code.clone()), position))
            .collect();
        Catalogue { entries, index }
    }

    pub fn entries(&self) -> &[ResultCode] {
        &self.entries
    }

    pub fn find(&self, scope: &str, raw_code: &str) -> Option<&ResultCode> {
        self.index.get(&(scope.to_owned(), raw_code.to_owned())).map(|position| &self.entries[*position])
    }
}
