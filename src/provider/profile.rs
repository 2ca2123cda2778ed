//! What a provider's documents declare, once: validation, capabilities, throttling, the catalogue endpoint,
//! the documentation and the sandbox all read it here.

use std::collections::HashMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use crate::canonical::{DocumentType, Operation, ResultCode, RetryPolicy, Severity};
use crate::validation::without_nulls;

/// A provider, as its documents describe it.
pub struct Profile {
    /// Id in URLs, accounts and extensions
    pub id: &'static str,
    pub name: &'static str,
    pub operations: &'static [OperationProfile],
    pub endpoints: &'static [Endpoint],
    /// Schema of `credentials`
    pub credentials_schema: DeclaredSchema,
    /// Members of `credentials` that are secret; they are masked wherever they could be seen
    pub secret_credentials: &'static [&'static str],
    /// Schema of the provider's own `settings`, without the common ones
    pub settings_schema: DeclaredSchema,
    /// Schema of `extensions.<id>` of an order, if the provider has members of its own there
    pub order_extension_schema: Option<DeclaredSchema>,
    /// The same for a stop
    pub stop_extension_schema: Option<DeclaredSchema>,
    /// The result codes
    pub catalogue: fn() -> &'static Catalogue,
    /// What it can be subscribed to; empty for a provider that does not call back
    pub callback_topics: &'static [&'static str],
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

/// The schema of a type that an adapter declares.
#[derive(Clone, Copy)]
pub struct DeclaredSchema {
    schema: fn() -> RefOr<Schema>,
    referred: fn(&mut Vec<(String, RefOr<Schema>)>),
}

impl DeclaredSchema {
    pub const fn of<T: ToSchema>() -> Self {
        DeclaredSchema { schema: T::schema, referred: T::schemas }
    }

    /// The schema with all that it refers to put in its place: it stands alone. Optional members take no
    /// null.
    pub fn inlined(&self) -> Value {
        let mut referred = Vec::new();
        (self.referred)(&mut referred);
        let components: Map<String, Value> = referred
            .into_iter()
            .filter_map(|(name, schema)| Some((name, serde_json::to_value(schema).ok()?)))
            .collect();
        let mut value = serde_json::to_value((self.schema)()).unwrap_or(Value::Null);
        inline(&mut value, &components);
        without_nulls(&mut value);
        value
    }
}

fn inline(value: &mut Value, components: &Map<String, Value>) {
    match value {
        Value::Object(members) => {
            let name = members.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
            if let Some(schema) = name.and_then(|name| components.get(name)) {
                *value = schema.clone();
                inline(value, components);
            } else {
                members.values_mut().for_each(|member| inline(member, components));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| inline(item, components)),
        _ => {}
    }
}

/// One operation of a provider.
pub struct OperationProfile {
    pub operation: Operation,
    pub document_type: DocumentType,
    /// Id of the endpoint that carries it
    pub endpoint: &'static str,
    pub carries: Carries,
    pub evidence: Evidence,
}

/// What an operation tells the provider. All of it must be carried, noticed or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Carries {
    /// The whole order
    Document,
    /// The members that change
    Change,
    /// Which order it is about, and nothing else
    Identity,
}

/// What decides an operation whose answer never came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The same document again is safe: either it changes nothing, or the provider says that it exists.
    Resend,
    /// The provider is asked for the order by a number that is ours alone. Found: it was made. Not found twice:
    /// it is sent again.
    FindOrder,
    /// The same by a number that others may have used: only a single order, made after the attempt, is ours.
    /// Anything else that is found is for a person to decide.
    FindSingleOrder,
    /// The provider is asked for the order. Cancelled: it was done. Still there twice: it is sent again.
    FindCancelled,
}

impl Evidence {
    /// Whether the provider is asked before anything is sent again.
    pub fn looks_first(self) -> bool {
        self != Evidence::Resend
    }
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

/// One row of a table of result codes.
#[derive(Deserialize)]
struct CodeRow {
    scope: String,
    raw_code: String,
    code: String,
    severity: Severity,
    retry: RetryPolicy,
    /// Separated by blanks
    pointers: String,
    message_en: String,
    message_zh: String,
}

impl Catalogue {
    /// From a table that is compiled in, with a column for each member of [`ResultCode`].
    ///
    /// # Panics
    /// When the table is not well formed, which the adapter's tests show.
    #[expect(clippy::expect_used, reason = "the table is compiled in; a test reads it")]
    pub fn from_csv(table: &'static [u8]) -> Self {
        let entries = csv::Reader::from_reader(table).into_deserialize::<CodeRow>().map(|row| {
            let CodeRow { scope, raw_code, code, severity, retry, pointers, message_en, message_zh } =
                row.expect("the table of result codes is well formed");
            let pointers = pointers.split_whitespace().map(str::to_owned).collect();
            ResultCode { scope, raw_code, code, severity, retry, pointers, message_en, message_zh }
        });
        Catalogue::new(entries.collect())
    }

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
