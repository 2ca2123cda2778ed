//! The adapter held against its document: encoding, decoding, coverage, refusals.

mod amend;
mod coverage;
mod custom_update;
mod decoding;
mod document_example;
mod refusals;
mod update_decoding;

use serde_json::{Value, json};

use crate::canonical::{Order, check_order};
use crate::provider::xml::{XmlElement, read_document};
use crate::provider::{self, Account, Batch, Credentials, Encoding, Item, Outward, Profile, Trace};

/// A canonical order that passes everything before the adapter.
pub fn order(document: &Value) -> Order {
    let order: Order = serde_json::from_value(document.clone()).unwrap_or_else(|error| panic!("{error}: {document}"));
    assert_eq!(check_order(&order), []);
    order
}

/// The canonical orders of a fixture.
pub fn orders(fixture: &str) -> Vec<Value> {
    serde_json::from_str(fixture).unwrap()
}

pub fn account(settings: Value) -> Account {
    let credentials = json!({"username": "username", "password": "pass<word>"});
    let credentials = Credentials::new(credentials.to_string());
    Account::new("otms-demo".to_owned(), "https://demo.otms.cn/".to_owned(), credentials, settings).unwrap()
}

pub fn adapter() -> (&'static Profile, &'static dyn Outward) {
    let provider = provider::find("otms").unwrap();
    (provider.profile(), provider.outward().unwrap())
}

/// Encodes the creation of orders in one request.
pub fn encode(orders: &[Order], account: &Account, trace: &mut Trace) -> Encoding {
    encode_items(&orders.iter().map(Item::create).collect::<Vec<_>>(), account, trace)
}

/// Encodes items of one interface in one request.
pub fn encode_items(items: &[Item<'_>], account: &Account, trace: &mut Trace) -> Encoding {
    let (profile, outward) = adapter();
    let operation = profile.operation(items[0].operation, items[0].order.document_type()).unwrap();
    let endpoint = profile.endpoint(operation.endpoint).unwrap();
    outward.encode(&Batch { endpoint, account, items }, trace)
}

/// The request's document.
pub fn document(encoding: &Encoding) -> XmlElement {
    read_document(&encoding.request.as_ref().expect("nothing was refused").body).unwrap()
}

/// Every element without children as its path and text, in document order; `[n]` numbers what repeats.
pub fn leaves(element: &XmlElement) -> Vec<(String, String)> {
    let mut leaves = Vec::new();
    collect(element, "", &mut leaves);
    leaves
}

fn collect(element: &XmlElement, at: &str, leaves: &mut Vec<(String, String)>) {
    for (position, child) in element.children.iter().enumerate() {
        let repeats = matches!(child.name.as_str(), "order" | "orderLine");
        let index = if repeats { format!("[{position}]") } else { String::new() };
        let path = format!("{at}/{}{index}", child.name);
        if child.children.is_empty() {
            leaves.push((path, child.text.clone()));
        } else {
            collect(child, &path, leaves);
        }
    }
}
