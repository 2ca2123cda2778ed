//! The adapter held against its document: encoding, decoding, calls, coverage, refusals.

mod callbacks;
mod callbacks_coverage;
mod calls;
mod cancel;
mod coverage;
mod create;
mod customer_order;
mod decoding;
mod held;
mod modify;
mod notes;
mod refusals;
mod session;
mod subscriptions;
mod trip;

use serde_json::{Value, json};

use crate::canonical::{Order, check_order, merge_patch};
use crate::provider::{
    self, Account, Batch, Credentials, Encoding, Item, Outward, Profile, Request, Session, Trace, Translation,
};

pub const WHOLE_ORDERS: &str = include_str!("../../../../tests/fixtures/ttms/whole-orders.json");
pub const TOKEN: &str = "9d0dfe02-2349-421c-90ec-4b9ea174701b";
pub const NUMBER: &str = "1901251709800228";

/// A canonical order that passes everything before the adapter.
pub fn order(document: &Value) -> Order {
    let order: Order = serde_json::from_value(document.clone()).unwrap_or_else(|error| panic!("{error}: {document}"));
    assert_eq!(check_order(&order), []);
    order
}

/// The orders with everything that can be carried.
pub fn whole_orders() -> Vec<Value> {
    serde_json::from_str(WHOLE_ORDERS).unwrap()
}

/// The first of them with changes.
pub fn changed(changes: &Value) -> Order {
    let mut document = whole_orders().remove(0);
    merge_patch(&mut document, changes);
    order(&document)
}

/// The same as an acceptance order, without what those have no place for.
pub fn customer_order(changes: &Value) -> Order {
    let mut document = whole_orders().remove(0);
    merge_patch(
        &mut document,
        &json!({"documentType": "customer_order", "collect": {"freight": null}, "charges": {"cost": null},
            "extensions": null, "trackingDevices": ["868120223404879"]}),
    );
    merge_patch(&mut document, changes);
    order(&document)
}

pub fn account(settings: Value) -> Account {
    let credentials = json!({"username": "username", "password": "pass\"word"});
    let credentials = Credentials::new(credentials.to_string());
    let base_url = "http://api.56ctms.com/".to_owned();
    let mut account = Account::new("ttms-demo".to_owned(), base_url, credentials, settings).unwrap();
    let tokens = json!({"accessToken": TOKEN, "refreshToken": "9f8326bc-c29f-4a28-a512-26caa1a9850a"});
    account.session = Some(Session::new(tokens.to_string()));
    account
}

/// With a branch and an alias.
pub fn demo() -> Account {
    account(json!({"branchMap": {"east": "0-11"}, "customFieldMap": {"brand": "text7", "make": "text7"}}))
}

pub fn adapter() -> (&'static Profile, &'static dyn Outward) {
    let provider = provider::find("ttms").unwrap();
    (provider.profile(), provider.outward().unwrap())
}

/// Encodes items of one interface in one request.
pub fn encode(items: &[Item<'_>], account: &Account) -> Encoding {
    let (profile, outward) = adapter();
    let operation = profile.operation(items[0].operation, items[0].order.document_type()).unwrap();
    let endpoint = profile.endpoint(operation.endpoint).unwrap();
    outward.encode(&Batch { endpoint, account, items }, &mut Trace::off())
}

pub fn translated(item: Item<'_>) -> Translation {
    let (profile, outward) = adapter();
    provider::translate(profile, outward, &demo(), item)
}

pub fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

/// The body of what nothing is refused of.
pub fn sent(item: Item<'_>) -> Value {
    let translation = translated(item);
    assert_eq!(translation.refusals, []);
    body(&translation.request.unwrap())
}

/// What is refused, as pointers and codes.
pub fn refused(translation: Translation) -> Vec<(String, String)> {
    assert!(translation.request.is_none());
    translation.refusals.into_iter().map(|refusal| (refusal.pointer, refusal.code)).collect()
}

/// What is noticed, as pointers and codes, in the order of the pointers.
pub fn noticed(translation: &Translation) -> Vec<(String, String)> {
    let notices = translation.notices.iter().map(|notice| (notice.pointers[0].clone(), notice.code.clone()));
    let mut notices: Vec<_> = notices.collect();
    notices.sort_unstable();
    notices
}

pub fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

/// The document's example of an answer to an operation.
pub fn success(operation: &str) -> Vec<u8> {
    answer_file(operation).unwrap_or_else(|| panic!("no answer of {operation}"))
}

/// The document's examples of failures of an operation.
pub fn failures(operation: &str) -> Vec<Vec<u8>> {
    let names = (1..).map(|number| match number {
        1 => format!("{operation}-failure"),
        _ => format!("{operation}-failure-{number}"),
    });
    names.map_while(|name| answer_file(&name)).collect()
}

fn answer_file(name: &str) -> Option<Vec<u8>> {
    std::fs::read(format!("{}/tests/fixtures/ttms/answers/{name}.json", env!("CARGO_MANIFEST_DIR"))).ok()
}

/// Every member without members of its own as its path, lists as `[]`; an empty list stands for itself.
pub fn leaves(value: &Value) -> std::collections::BTreeMap<String, Value> {
    let mut leaves = std::collections::BTreeMap::new();
    collect(value, String::new(), &mut leaves);
    leaves
}

fn collect(value: &Value, at: String, leaves: &mut std::collections::BTreeMap<String, Value>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                collect(member, path, leaves);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for item in items {
                collect(item, format!("{at}[]"), leaves);
            }
        }
        leaf => {
            leaves.insert(at, leaf.clone());
        }
    }
}
