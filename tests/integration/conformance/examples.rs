//! The examples of the providers' documents, both ways.
//!
//! `examples.json` is a list of objects with these members:
//!
//! | member | |
//! |---|---|
//! | `name` | For people |
//! | `baseUrl`, `credentials`, `settings` | Of the account; the sandbox's where absent |
//! | `endpoint` | Id of the interface |
//! | `items` | `{operation, order, change?, standing?, providerOrderNumber?, adopted?, trip?}` each; `order` is a document, or `file#index` |
//! | `request` | File with the document's example; absent where there is none |
//! | `additions` | Paths that the gateway adds to the example, or writes otherwise |
//! | `answer`, `status` | File with the example answer, and its HTTP status (200) |
//! | `outcomes` | `{verdict, providerOrderNumber?, status?, results?}` for each item; `results` are canonical codes |
//! | `undecided` | Answers, in full, that say nothing that could be relied on |

use onelane::canonical::{Operation, Order};
use onelane::provider::{Answer, Batch, Item, Outcome, Trace, Trip, Verdict};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Adapter, account, adapters, body_leaves, fixture, json_fixture};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Example {
    pub name: String,
    pub base_url: Option<String>,
    pub credentials: Option<Value>,
    pub settings: Option<Value>,
    pub endpoint: String,
    pub items: Vec<ExampleItem>,
    pub request: Option<String>,
    #[serde(default)]
    pub additions: Vec<String>,
    pub answer: Option<String>,
    pub status: Option<u16>,
    #[serde(default)]
    pub outcomes: Vec<Value>,
    #[serde(default)]
    pub undecided: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExampleItem {
    operation: Operation,
    order: Value,
    change: Option<Value>,
    standing: Option<Value>,
    provider_order_number: Option<String>,
    #[serde(default)]
    adopted: bool,
    trip: Option<ExampleTrip>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExampleTrip {
    orders: Vec<Value>,
    driver_phone: String,
}

/// The examples of an adapter's documents.
pub fn of(adapter: &Adapter) -> Vec<Example> {
    let id = adapter.profile.id;
    let list = json_fixture(id, "examples.json").unwrap_or_else(|| panic!("tests/fixtures/{id}/examples.json"));
    serde_json::from_value(list).unwrap_or_else(|error| panic!("tests/fixtures/{id}/examples.json: {error}"))
}

impl Example {
    /// Calls `with` with the items as an adapter gets them.
    pub fn with_items<T>(&self, adapter: &Adapter, with: impl FnOnce(&[Item<'_>]) -> T) -> T {
        let id = adapter.profile.id;
        let read = |value: &Value| order(id, value);
        let orders: Vec<Order> = self.items.iter().map(|item| read(&item.order)).collect();
        let standing: Vec<Option<Order>> = self.items.iter().map(|item| item.standing.as_ref().map(read)).collect();
        let trips: Vec<Vec<Order>> = self
            .items
            .iter()
            .map(|item| item.trip.iter().flat_map(|trip| trip.orders.iter().map(read)).collect())
            .collect();
        let items: Vec<Item<'_>> = (0..self.items.len())
            .map(|index| {
                let item = &self.items[index];
                Item {
                    operation: item.operation,
                    change: item.change.as_ref(),
                    standing: standing[index].as_ref(),
                    provider_order_number: item.provider_order_number.as_deref(),
                    adopted: item.adopted,
                    trip: item
                        .trip
                        .as_ref()
                        .map(|trip| Trip { orders: &trips[index], driver_phone: &trip.driver_phone }),
                    ..Item::create(&orders[index])
                }
            })
            .collect();
        with(&items)
    }

    pub fn endpoint(&self, adapter: &Adapter) -> &'static onelane::provider::Endpoint {
        let endpoint = adapter.profile.endpoint(&self.endpoint);
        endpoint.unwrap_or_else(|| panic!("{}: no endpoint {}", self.name, self.endpoint))
    }

    /// What the adapter reads in an answer.
    pub fn decode(&self, adapter: &Adapter, status: u16, body: &[u8]) -> Vec<Outcome> {
        let answer = Answer { status, retry_after: None, body };
        self.with_items(adapter, |items| adapter.outward.decode(self.endpoint(adapter), items, &answer))
    }

    pub fn answer_body(&self, adapter: &Adapter) -> Option<Vec<u8>> {
        let name = self.answer.as_ref()?;
        Some(std::fs::read(fixture(adapter.profile.id, name)).unwrap_or_else(|error| panic!("{name}: {error}")))
    }
}

/// An order from its document, or from `file#index`.
fn order(provider: &str, value: &Value) -> Order {
    let mut document = match value.as_str() {
        None => value.clone(),
        Some(place) => {
            let (file, index) = place.split_once('#').unwrap_or((place, ""));
            let read = json_fixture(provider, file).unwrap_or_else(|| panic!("tests/fixtures/{provider}/{file}"));
            match index {
                "" => read,
                index => read[index.parse::<usize>().unwrap()].clone(),
            }
        }
    };
    let members = document.as_object_mut().unwrap();
    members.entry("account").or_insert_with(|| json!("conformance"));
    members.entry("shipFrom").or_insert_with(|| json!({}));
    serde_json::from_value(document.clone()).unwrap_or_else(|error| panic!("{error}: {document}"))
}

#[test]
fn requests_are_the_documents() {
    for adapter in adapters() {
        for example in of(&adapter) {
            let Some(request) = &example.request else { continue };
            let of_document = std::fs::read(fixture(adapter.profile.id, request)).unwrap();
            let own = account(
                "conformance",
                example.base_url.as_deref().unwrap_or("http://provider.test"),
                example.credentials.as_ref().unwrap_or(&adapter.account.credentials.read().unwrap()),
                example.settings.as_ref().unwrap_or(&adapter.account.settings),
            );
            let endpoint = example.endpoint(&adapter);
            let encoding = example.with_items(&adapter, |items| {
                adapter.outward.encode(&Batch { endpoint, account: &own, items }, &mut Trace::off())
            });
            assert!(
                encoding.items.iter().all(|item| item.refusals.is_empty()),
                "{}: {:?}",
                example.name,
                encoding.items
            );
            let added = |(path, _): &(String, String)| example.additions.contains(path);
            let (mut additions, mut written): (Vec<_>, Vec<_>) =
                body_leaves(&encoding.request.unwrap().body).into_iter().partition(added);
            let (_, mut expected): (Vec<_>, Vec<_>) = body_leaves(&of_document).into_iter().partition(added);
            written.sort();
            expected.sort();
            assert_eq!(written, expected, "{}", example.name);
            additions.sort();
            let paths: Vec<_> = additions.into_iter().map(|(path, _)| path).collect();
            let mut declared = example.additions.clone();
            declared.sort();
            assert_eq!(paths, declared, "{}", example.name);
        }
    }
}

#[test]
fn answers_are_read_as_the_documents_say() {
    for adapter in adapters() {
        let examples = of(&adapter);
        assert!(examples.iter().any(|example| example.answer.is_some()), "{}: no example answer", adapter.profile.id);
        for example in examples {
            let Some(body) = example.answer_body(&adapter) else { continue };
            let read = example.decode(&adapter, example.status.unwrap_or(200), &body);
            let read: Vec<Value> =
                read.iter().zip(&example.outcomes).map(|(outcome, wanted)| said(outcome, wanted)).collect();
            assert_eq!(read, example.outcomes, "{}", example.name);
        }
    }
}

/// Those members of an outcome that the example speaks of.
fn said(outcome: &Outcome, wanted: &Value) -> Value {
    let mut said = json!({"verdict": word(outcome.verdict)});
    if wanted.get("providerOrderNumber").is_some() {
        said["providerOrderNumber"] = json!(outcome.provider_order_number);
    }
    if wanted.get("status").is_some() {
        said["status"] = json!(outcome.status);
    }
    if wanted.get("results").is_some() {
        said["results"] = outcome.results.iter().map(|result| result.code.as_str()).collect();
    }
    said
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Accepted => "accepted",
        Verdict::PartiallyAccepted => "partially_accepted",
        Verdict::Rejected => "rejected",
        Verdict::AlreadyExists => "already_exists",
        Verdict::Throttled { .. } => "throttled",
        Verdict::CredentialsRefused => "credentials_refused",
        Verdict::SessionExpired => "session_expired",
        Verdict::BatchTooLarge => "batch_too_large",
        Verdict::SendSingly => "send_singly",
        Verdict::RetrySoon => "retry_soon",
        Verdict::RetryLater => "retry_later",
        Verdict::RetryFewTimes => "retry_few_times",
        Verdict::Unknown => "unknown",
    }
}
