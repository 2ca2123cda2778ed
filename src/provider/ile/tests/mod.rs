//! The adapter held against its document: encoding, decoding, coverage, refusals, accounts.

mod accounts;
mod coverage;
mod decoding;
mod document_example;
mod numbers;
mod parties;
mod refusals;

use serde_json::{Value, json};

use crate::canonical::{Operation, Order, check_order, merge_patch};
use crate::provider::{
    self, Account, Batch, Credentials, Encoding, Item, Outward, Profile, Trace, Translation, translate,
};

const EXAMPLE_ORDER: &str = include_str!("../../../../tests/fixtures/ile/edit-order-order.json");

/// A canonical order that passes everything before the adapter.
fn order(document: &Value) -> Order {
    let order = unchecked(document);
    assert_eq!(check_order(&order), []);
    order
}

fn unchecked(document: &Value) -> Order {
    serde_json::from_value(document.clone()).unwrap_or_else(|error| panic!("{error}: {document}"))
}

/// The order that becomes the document's example.
fn example() -> Value {
    serde_json::from_str(EXAMPLE_ORDER).unwrap()
}

fn example_with(changes: &Value) -> Value {
    let mut document = example();
    merge_patch(&mut document, changes);
    document
}

fn account_with(credentials: &Value, settings: Value) -> Account {
    let credentials = Credentials::new(credentials.to_string());
    Account::new("ile-demo".to_owned(), "https://oms.example.com/".to_owned(), credentials, settings).unwrap()
}

fn account(settings: Value) -> Account {
    account_with(&json!({"userId": "your_userId", "ileId": "your_ileId", "sign": "your_sign"}), settings)
}

fn adapter() -> (&'static Profile, &'static dyn Outward) {
    let provider = provider::find("ile").unwrap();
    (provider.profile(), provider.outward().unwrap())
}

fn amend(order: &Order) -> Item<'_> {
    Item { operation: Operation::Amend, adopted: true, ..Item::create(order) }
}

fn encode(items: &[Item<'_>], account: &Account, trace: &mut Trace) -> Encoding {
    let (profile, outward) = adapter();
    let operation = profile.operation(items[0].operation, items[0].order.document_type()).unwrap();
    let endpoint = profile.endpoint(operation.endpoint).unwrap();
    outward.encode(&Batch { endpoint, account, items }, trace)
}

fn translated(item: Item<'_>) -> Translation {
    let (profile, outward) = adapter();
    translate(profile, outward, &account(json!({})), item)
}

/// The request's document.
fn document(encoding: &Encoding) -> Value {
    assert!(encoding.items.iter().all(|item| item.refusals.is_empty()), "{:?}", encoding.items);
    serde_json::from_slice(&encoding.request.as_ref().unwrap().body).unwrap()
}

/// `data` of the request that carries the example with changes.
fn data(changes: &Value) -> Value {
    let order = order(&example_with(changes));
    document(&encode(&[amend(&order)], &account(json!({})), &mut Trace::off()))["data"].clone()
}

/// Pointer and code of each refusal, and the pointers of what is not sent.
fn outcome(changes: &Value) -> (Vec<(String, String)>, Vec<String>) {
    let order = unchecked(&example_with(changes));
    let translation = translated(amend(&order));
    assert_eq!(translation.request.is_none(), !translation.refusals.is_empty());
    assert!(translation.refusals.iter().all(|it| !it.detail.is_empty() && !it.detail_zh.is_empty()));
    let refused = translation.refusals.into_iter().map(|refusal| (refusal.pointer, refusal.code)).collect();
    (refused, translation.dropped)
}
