//! The lists `*_coverage.csv` against the encoders: what a list calls sent is sent and comes from where the
//! list says, and nothing else is sent.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::settings::order_extension;
use super::{account, adapter, document, encode_items, leaves, order, orders};
use crate::canonical::{Operation, Order};
use crate::provider::{Item, Trace, coverage};

const WHOLE_ORDERS: &str = include_str!("../../../../tests/fixtures/otms/order-import-whole-orders.json");

const ORDER_IMPORT: &[u8] = include_bytes!("../order_import_coverage.csv");
const ORDER_CUSTOM_UPDATE: &[u8] = include_bytes!("../order_custom_update_coverage.csv");

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

/// Each field comes from where the list says, no canonical member is left, and no field is missing in the list.
fn hold_to_its_sources(list: &[u8], items: &[Item<'_>]) {
    coverage::hold_to_its_sources(list, &coverage::sources(adapter(), &account(json!({})), items, &[]));
}

/// What is in the bytes is what the list calls sent.
fn hold_to_what_is_sent(list: &[u8], items: &[Item<'_>]) {
    let account = account(json!({"credentialsIn": "document"}));
    let root = document(&encode_items(items, &account, &mut Trace::off()));
    let mut sent: BTreeSet<String> = root.attributes.iter().map(|(name, _)| format!("{}/@{name}", root.name)).collect();
    for order in root.child("orders").unwrap().children("order") {
        sent.extend(order.attributes.iter().map(|(name, _)| format!("@{name}")));
        sent.extend(leaves(order).into_iter().map(|(path, _)| coverage::any_index(path.trim_start_matches('/'))));
    }
    coverage::hold_to_what_is_sent(list, &sent);
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
    [ORDER_IMPORT, ORDER_CUSTOM_UPDATE].into_iter().for_each(coverage::hold_to_its_reasons);
    // ImportedOrder with all that it holds: 555 fields, of which 19 only hold others.
    assert_eq!(coverage::listed(ORDER_IMPORT).len(), 536);
    // 107 of orderCustomUpdate, most of them from orderImport's ImportedCustomFields.
    assert_eq!(coverage::listed(ORDER_CUSTOM_UPDATE).len(), 107);
}
