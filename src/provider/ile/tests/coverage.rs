//! The list `edit_order_coverage.csv` against the encoder: what it calls sent is sent and comes from where it
//! says, and nothing else is sent.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{account, adapter, amend, document, encode, order};
use crate::canonical::Order;
use crate::provider::{Trace, translate};

const WHOLE_ORDERS: &str = include_str!("../../../../tests/fixtures/ile/edit-order-whole-orders.json");
const EDIT_ORDER: &[u8] = include_bytes!("../edit_order_coverage.csv");

/// What only gives a sum of the order, and is not told by itself.
const SUMMED: [&str; 2] = ["/lines/*/grossWeight", "/lines/*/volume"];

/// One row of the list.
#[derive(Debug, Deserialize)]
struct Row {
    /// Path in the request; `[]` stands for a place in a list
    field: String,
    /// Canonical pointers that it comes from; `*` is a list index
    canonical: String,
    /// `gateway` when the gateway says it by itself, `never` when it is not sent
    otherwise: String,
    /// Why
    why: String,
}

fn rows() -> Vec<Row> {
    csv::Reader::from_reader(EDIT_ORDER).into_deserialize().collect::<Result<_, _>>().unwrap()
}

fn whole_orders() -> Vec<Order> {
    let documents: Vec<Value> = serde_json::from_str(WHOLE_ORDERS).unwrap();
    documents.iter().map(order).collect()
}

/// Both names of the customer's reference.
fn accounts() -> [crate::provider::Account; 2] {
    ["cust_ref", "custRef"].map(|member| account(json!({"customerReferenceMember": member})))
}

/// `data.items[3].qty` → `data.items[].qty`
fn any_index(target: &str) -> String {
    let mut parts = target.split('[');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| out + "[]" + part.split_once(']').unwrap().1)
}

/// `/lines/3/quantity` → `/lines/*/quantity`
fn any_entry(pointer: &str) -> String {
    let is_index = |token: &str| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit());
    pointer.split('/').map(|token| if is_index(token) { "*" } else { token }).collect::<Vec<_>>().join("/")
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
    let (profile, outward) = adapter();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for account in accounts() {
        for order in whole_orders() {
            let translation = translate(profile, outward, &account, amend(&order));
            assert_eq!(translation.refusals, []);
            for pointer in &translation.dropped {
                assert!(SUMMED.contains(&any_entry(pointer).as_str()), "{pointer} is not carried");
            }
            for lineage in translation.lineage {
                found.entry(any_index(&lineage.target)).or_default().insert(any_entry(&lineage.pointer));
            }
        }
    }
    let listed: BTreeMap<String, BTreeSet<String>> = rows()
        .into_iter()
        .filter(|row| !row.canonical.is_empty())
        .map(|row| (row.field, row.canonical.split_whitespace().map(str::to_owned).collect()))
        .collect();
    assert_eq!(found, listed);
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
    let expected: BTreeSet<String> =
        rows().into_iter().filter(|row| row.otherwise != "never").map(|row| row.field).collect();
    assert_eq!(sent, expected);
}

#[test]
fn a_field_without_a_canonical_member_says_why() {
    let rows = rows();
    for row in &rows {
        let from_canonical = !row.canonical.is_empty();
        assert_eq!(from_canonical, row.otherwise.is_empty(), "{row:?}");
        assert_eq!(from_canonical, row.why.is_empty(), "{row:?}");
        assert!(from_canonical || matches!(row.otherwise.as_str(), "gateway" | "never"), "{row:?}");
    }
    // 45 rows of the table without its 5 objects, and cust_ref and consignee.company of the example.
    assert_eq!(rows.len(), 42);
}
