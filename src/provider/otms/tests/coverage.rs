//! The lists `*_coverage.csv` against the encoders: what a list calls sent is sent and comes from where the
//! list says, and nothing else is sent.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::settings::order_extension;
use super::{account, adapter, document, encode_items, leaves, order, orders};
use crate::canonical::{Operation, Order};
use crate::provider::{Item, Trace, translate};

const WHOLE_ORDERS: &str = include_str!("../../../../tests/fixtures/otms/order-import-whole-orders.json");

/// One row of the list.
#[derive(Debug, Deserialize)]
struct Row {
    /// Element or attribute below `order`; `{1..n}` stands for a slot number
    field: String,
    /// Canonical pointers that it comes from; `*` is a list index, `{}` the slot number
    canonical: String,
    /// `gateway` when the gateway says it by itself, `never` when it is not sent
    otherwise: String,
    /// Why
    why: String,
}

const ORDER_IMPORT: &[u8] = include_bytes!("../order_import_coverage.csv");
const ORDER_CUSTOM_UPDATE: &[u8] = include_bytes!("../order_custom_update_coverage.csv");

fn rows(list: &[u8]) -> Vec<Row> {
    csv::Reader::from_reader(list).into_deserialize().collect::<Result<_, _>>().unwrap()
}

/// Field → canonical pointers, slots written out.
fn listed(list: &[u8]) -> BTreeMap<String, BTreeSet<String>> {
    let mut listed = BTreeMap::new();
    for Row { field, canonical, .. } in rows(list) {
        let pointers = |slot: &str| canonical.split_whitespace().map(|pointer| pointer.replace("{}", slot)).collect();
        match field.split_once("{1..") {
            None => {
                listed.insert(field, pointers(""));
            }
            Some((name, most)) => {
                for slot in 1..=most.trim_end_matches('}').parse::<u32>().unwrap() {
                    listed.insert(format!("{name}{slot}"), pointers(&slot.to_string()));
                }
            }
        }
    }
    listed
}

/// The whole orders with every custom field slot filled wherever the fixture has an empty `customFields`.
fn whole_orders() -> Vec<Value> {
    let mut orders = orders(WHOLE_ORDERS);
    orders.iter_mut().for_each(fill_custom_fields);
    orders
}

fn fill_custom_fields(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(fields) = members.get_mut("customFields").and_then(Value::as_object_mut) {
                fields.extend((1..=80).map(|slot| (format!("text{slot}"), json!(format!("t{slot}")))));
                fields.extend((1..=10).map(|slot| (format!("number{slot}"), json!(slot))));
                fields.extend((1..=10).map(|slot| (format!("enum{slot}"), json!(format!("E{slot}")))));
            }
            members.values_mut().for_each(fill_custom_fields);
        }
        Value::Array(items) => items.iter_mut().for_each(fill_custom_fields),
        _ => {}
    }
}

/// The creation of each order, and an amendment of the first as if it had been made at oTMS.
fn imports(orders: &[Order]) -> Vec<Item<'_>> {
    let mut items: Vec<Item<'_>> = orders.iter().map(Item::create).collect();
    items.push(made_at_otms(Operation::Amend, &orders[0]));
    items
}

/// The custom fields of each order that has some, and of the first as if it had been made at oTMS.
fn updates(orders: &[Order]) -> Vec<Item<'_>> {
    let operation = Operation::UpdateCustomFields;
    let has_some = |order: &&Order| order.custom_fields.is_some() || order_extension(order).custom_fields.is_some();
    let mut items: Vec<Item<'_>> =
        orders.iter().filter(has_some).map(|order| Item { operation, ..Item::create(order) }).collect();
    items.push(made_at_otms(operation, &orders[0]));
    items
}

fn made_at_otms(operation: Operation, order: &Order) -> Item<'_> {
    Item { operation, provider_order_number: Some("DYZZWDNW004662"), adopted: true, ..Item::create(order) }
}

/// `orderLines/orderLine[3]/quantity` → `orderLines/orderLine[]/quantity`
fn any_index(target: &str) -> String {
    let mut out = String::new();
    for part in target.split('[') {
        match part.split_once(']') {
            Some((_, rest)) => {
                out.push_str("[]");
                out.push_str(rest);
            }
            None => out.push_str(part),
        }
    }
    out
}

fn any_line(pointer: &str) -> String {
    let is_index = |token: &&str| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit());
    let tokens = pointer.split('/').map(|token| if is_index(&token) { "*" } else { token });
    tokens.collect::<Vec<_>>().join("/")
}

/// Each field comes from where the list says, no canonical member is left, and no field is missing in the list.
fn hold_to_its_sources(list: &[u8], items: &[Item<'_>]) {
    let (profile, outward) = adapter();
    let account = account(json!({}));
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for item in items {
        let translation = translate(profile, outward, &account, *item);
        assert_eq!(translation.refusals, []);
        assert_eq!(translation.dropped, Vec::<String>::new());
        for lineage in translation.lineage {
            found.entry(any_index(&lineage.target)).or_default().insert(any_line(&lineage.pointer));
        }
    }
    let listed: BTreeMap<_, _> = listed(list).into_iter().filter(|(_, pointers)| !pointers.is_empty()).collect();
    for (field, pointers) in &listed {
        assert_eq!(found.get(field), Some(pointers), "{field}");
    }
    let unlisted: Vec<_> = found.keys().filter(|field| !listed.contains_key(*field)).collect();
    assert!(unlisted.is_empty(), "not in the list: {unlisted:?}");
}

/// What is in the bytes is what the list calls sent.
fn hold_to_what_is_sent(list: &[u8], items: &[Item<'_>]) {
    let account = account(json!({"credentialsIn": "document"}));
    let root = document(&encode_items(items, &account, &mut Trace::off()));
    let mut sent: BTreeSet<String> = root.attributes.iter().map(|(name, _)| format!("{}/@{name}", root.name)).collect();
    for order in root.child("orders").unwrap().children("order") {
        sent.extend(order.attributes.iter().map(|(name, _)| format!("@{name}")));
        sent.extend(leaves(order).into_iter().map(|(path, _)| any_index(path.trim_start_matches('/'))));
    }
    let never: BTreeSet<String> =
        rows(list).into_iter().filter(|row| row.otherwise == "never").map(|row| row.field).collect();
    let expected: BTreeSet<String> = listed(list).into_keys().filter(|field| !never.contains(field)).collect();
    assert_eq!(sent.difference(&expected).collect::<Vec<_>>(), Vec::<&String>::new(), "sent, but not listed");
    assert_eq!(expected.difference(&sent).collect::<Vec<_>>(), Vec::<&String>::new(), "listed, but not sent");
}

#[test]
fn every_field_comes_from_where_the_list_says() {
    let orders: Vec<_> = whole_orders().iter().map(order).collect();
    hold_to_its_sources(ORDER_IMPORT, &imports(&orders));
    hold_to_its_sources(ORDER_CUSTOM_UPDATE, &updates(&orders));
}

#[test]
fn what_is_sent_is_exactly_what_the_list_calls_sent() {
    let orders: Vec<_> = whole_orders().iter().map(order).collect();
    hold_to_what_is_sent(ORDER_IMPORT, &imports(&orders));
    hold_to_what_is_sent(ORDER_CUSTOM_UPDATE, &updates(&orders));
}

#[test]
fn a_field_without_a_canonical_member_says_why() {
    for row in [ORDER_IMPORT, ORDER_CUSTOM_UPDATE].into_iter().flat_map(rows) {
        let from_canonical = !row.canonical.is_empty();
        assert_eq!(from_canonical, row.otherwise.is_empty(), "{row:?}");
        assert_eq!(from_canonical, row.why.is_empty(), "{row:?}");
        assert!(from_canonical || matches!(row.otherwise.as_str(), "gateway" | "never"), "{row:?}");
    }
    // ImportedOrder with all that it holds: 555 fields, of which 19 only hold others.
    assert_eq!(listed(ORDER_IMPORT).len(), 536);
    // 107 of orderCustomUpdate, most of them from orderImport's ImportedCustomFields.
    assert_eq!(listed(ORDER_CUSTOM_UPDATE).len(), 107);
}
