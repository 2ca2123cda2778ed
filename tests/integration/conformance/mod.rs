//! What every adapter must do, whichever provider it is for. No provider is named here: accounts are those of the
//! sandbox, and what only a provider's documents can say stands in `tests/fixtures/<id>/`.
//!
//! | file there | holds |
//! |---|---|
//! | `examples.json` | The examples of the provider's documents, see [`examples`] |
//! | `callbacks.json` | The examples of what the provider calls, see [`callbacks`] |
//! | `whole-order-patch.json` | A merge patch that makes the whole order one that the provider can carry; optional |

mod answers;
mod callbacks;
mod examples;
mod members;
mod pigeon;
mod text;

use std::path::PathBuf;

use onelane::canonical::{Operation, Order, merge_patch};
use onelane::provider::{
    self, Account, Credentials, Item, OperationProfile, Outward, Profile, Translation, Trip, translate,
};
use serde_json::{Value, json};

/// An adapter with an account that its simulator accepts.
struct Adapter {
    profile: &'static Profile,
    outward: &'static dyn Outward,
    account: Account,
}

/// The adapters of all providers that take orders, and the invented one.
fn adapters() -> Vec<Adapter> {
    let sandbox = crate::harness::gateway::new_sandbox();
    let accounts = sandbox.demo_accounts("http://sandbox.test");
    let of_provider = |provider: &'static dyn provider::Provider| {
        let (profile, outward) = (provider.profile(), provider.outward()?);
        let demo = accounts.iter().find(|account| account.provider == profile.id);
        let demo = demo.unwrap_or_else(|| panic!("the sandbox has no account of {}", profile.id));
        let account = account(demo.id, &demo.base_url, &demo.credentials, &demo.settings);
        Some(Adapter { profile, outward, account })
    };
    let invented = Adapter {
        profile: provider::Provider::profile(&pigeon::Pigeon),
        outward: &pigeon::Pigeon,
        account: account("pigeon", "http://loft.test", &json!({"password": "homing"}), &json!({})),
    };
    provider::ALL.iter().copied().filter_map(of_provider).chain([invented]).collect()
}

fn account(id: &str, base_url: &str, credentials: &Value, settings: &Value) -> Account {
    let credentials = Credentials::new(credentials.to_string());
    Account::new(id.to_owned(), base_url.to_owned(), credentials, settings.clone()).unwrap()
}

fn fixture(provider: &str, name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(provider).join(name)
}

fn json_fixture(provider: &str, name: &str) -> Option<Value> {
    let text = std::fs::read_to_string(fixture(provider, name)).ok()?;
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{provider}/{name}: {error}")))
}

/// One operation with every canonical member that the adapter takes.
struct Case<'a> {
    adapter: &'a Adapter,
    operation: &'static OperationProfile,
    /// The document as it shall stand
    document: Value,
}

/// Members that identify an order and are no part of a change.
const IDENTITY: [&str; 4] = ["account", "orderNumber", "documentType", "providerOrderNumber"];

impl Case<'_> {
    /// The change that the operation is, where it is one: everything that it can change.
    fn change(&self) -> Option<Value> {
        match self.operation.operation {
            Operation::Amend => {
                let mut change = self.document.clone();
                change.as_object_mut().unwrap().retain(|name, _| !IDENTITY.contains(&name.as_str()));
                Some(change)
            }
            Operation::UpdateCustomFields => Some(json!({"customFields": self.document["customFields"]})),
            Operation::Create | Operation::Cancel | Operation::CreateTrip => None,
        }
    }

    fn order(&self) -> Option<Order> {
        serde_json::from_value(self.document.clone()).ok()
    }

    /// Calls `with` with the operation as an adapter gets it; nothing when the document is no order.
    fn with_item<T>(&self, with: impl FnOnce(Item<'_>) -> T) -> Option<T> {
        let order = self.order()?;
        let change = self.change();
        let trip = Trip { orders: std::slice::from_ref(&order), driver_phone: "13700000003" };
        let known = self.operation.operation != Operation::Create;
        Some(with(Item {
            operation: self.operation.operation,
            change: change.as_ref(),
            provider_order_number: known.then_some("PN-1"),
            trip: (self.operation.operation == Operation::CreateTrip).then_some(trip),
            ..Item::create(&order)
        }))
    }

    fn translate(&self) -> Option<Translation> {
        self.with_item(|item| translate(self.adapter.profile, self.adapter.outward, &self.adapter.account, item))
    }

    /// Where a member of the document stands, seen from the item: a trip has several orders.
    fn place(&self, pointer: &str) -> String {
        let in_trip = self.operation.operation == Operation::CreateTrip;
        if in_trip { format!("/orders/0{pointer}") } else { pointer.to_owned() }
    }

    fn name(&self) -> String {
        let OperationProfile { operation, document_type, .. } = self.operation;
        format!("{}: {operation} of a {document_type}", self.adapter.profile.id)
    }
}

/// For each operation of an adapter the whole order, without what the adapter refuses.
fn cases(adapter: &Adapter) -> Vec<Case<'_>> {
    let id = adapter.profile.id;
    let mut whole = json_fixture("canonical", "whole-order.json").unwrap();
    if let Some(patch) = json_fixture(id, "whole-order-patch.json") {
        merge_patch(&mut whole, &patch);
    }
    let operations = adapter.profile.operations.iter();
    let case = |operation: &'static OperationProfile| {
        let mut document = whole.clone();
        document["documentType"] = json!(<&str>::from(operation.document_type));
        let mut case = Case { adapter, operation, document };
        while let Some(refused) = case.translate().map(|it| it.refusals).filter(|refusals| !refusals.is_empty()) {
            for refusal in refused {
                let pointer = refusal.pointer.strip_prefix("/orders/0").unwrap_or(&refusal.pointer);
                assert!(remove(&mut case.document, pointer), "{}: {refusal:?}", case.name());
            }
        }
        case
    };
    operations.map(case).collect()
}

/// Takes a member out of a document; false when it is not there.
fn remove(document: &mut Value, pointer: &str) -> bool {
    let Some((parent, name)) = pointer.rsplit_once('/') else { return false };
    match document.pointer_mut(parent) {
        Some(Value::Object(members)) => members.shift_remove(name).is_some(),
        Some(Value::Array(items)) => {
            let index = name.parse::<usize>().ok().filter(|index| *index < items.len());
            index.map(|index| items.remove(index)).is_some()
        }
        _ => false,
    }
}

/// Pointers of the leaves of a document.
fn leaves(document: &Value) -> Vec<String> {
    fn collect(value: &Value, at: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                members.iter().for_each(|(name, value)| collect(value, &format!("{at}/{name}"), found));
            }
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(index, value)| collect(value, &format!("{at}/{index}"), found));
            }
            _ => found.push(at.to_owned()),
        }
    }
    let mut found = Vec::new();
    collect(document, "", &mut found);
    found
}

/// The texts of a request's body, whatever form it has, by their paths.
fn body_leaves(body: &[u8]) -> Vec<(String, String)> {
    let text = std::str::from_utf8(body).unwrap();
    if let Ok(document) = serde_json::from_str::<Value>(text) {
        let value = |pointer: &String| match document.pointer(pointer).unwrap() {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        return leaves(&document).into_iter().map(|pointer| (pointer.clone(), value(&pointer))).collect();
    }
    let document = roxmltree::Document::parse(text).unwrap();
    let mut found = Vec::new();
    collect_xml(document.root_element(), "", &mut found);
    found
}

fn collect_xml(node: roxmltree::Node<'_, '_>, at: &str, found: &mut Vec<(String, String)>) {
    let same = node.prev_siblings().skip(1).filter(|other| other.has_tag_name(node.tag_name())).count();
    let path = format!("{at}/{}[{same}]", node.tag_name().name());
    for attribute in node.attributes() {
        found.push((format!("{path}/@{}", attribute.name()), attribute.value().to_owned()));
    }
    let mut children = node.children().filter(roxmltree::Node::is_element).peekable();
    if children.peek().is_none() {
        found.push((path, node.text().unwrap_or_default().to_owned()));
    } else {
        children.for_each(|child| collect_xml(child, &path, found));
    }
}
