//! The list `edit_order_coverage.csv` against the encoder: what it calls sent is sent and comes from where it
//! says, and nothing else is sent.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{account, adapter, amend, document, encode, order};
use crate::canonical::Order;
use crate::provider::{Trace, coverage};

const WHOLE_ORDERS: &str = include_str!("../../../../tests/fixtures/ile/edit-order-whole-orders.json");
const EDIT_ORDER: &[u8] = include_bytes!("../edit_order_coverage.csv");

/// What only gives a sum of the order, and is not told by itself.
const SUMMED: [&str; 2] = ["/lines/*/grossWeight", "/lines/*/volume"];

fn whole_orders() -> Vec<Order> {
    let documents: Vec<Value> = serde_json::from_str(WHOLE_ORDERS).unwrap();
    documents.iter().map(order).collect()
}

/// Both names of the customer's reference.
fn accounts() -> [crate::provider::Account; 2] {
    ["cust_ref", "custRef"].map(|member| account(json!({"customerReferenceMember": member})))
}

/// Paths of all values in a document.
fn leaves(value: &Value, at: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            let prefix = if at.is_empty() { String::new() } else { format!("{at}.") };
            members.iter().for_each(|(name, member)| leaves(member, &format!("{prefix}{name}"), found));
        }
        Value::Array(items) => items.iter().for_each(|item| leaves(item, &format!("{at}[]"), found)),
        _ => {
            found.insert(at.to_owned());
        }
    }
}

#[test]
fn every_field_comes_from_where_the_list_says() {
    let orders = whole_orders();
    let items: Vec<_> = orders.iter().map(amend).collect();
    let mut found = coverage::Sources::new();
    for account in accounts() {
        for (field, pointers) in coverage::sources(adapter(), &account, &items, &SUMMED) {
            found.entry(field).or_default().extend(pointers);
        }
    }
    coverage::hold_to_its_sources(EDIT_ORDER, &found);
}

#[test]
fn what_is_sent_is_exactly_what_the_list_calls_sent() {
    let mut sent = BTreeSet::new();
    for account in accounts() {
        for order in whole_orders() {
            let encoding = encode(&[amend(&order)], &account, &mut Trace::off());
            leaves(&document(&encoding), "", &mut sent);
        }
    }
    coverage::hold_to_what_is_sent(EDIT_ORDER, &sent);
}

#[test]
fn a_field_without_a_canonical_member_says_why() {
    coverage::hold_to_its_reasons(EDIT_ORDER);
    // 45 rows of the table without its 5 objects, and cust_ref and consignee.company of the example.
    assert_eq!(coverage::rows(EDIT_ORDER).len(), 42);
}
