//! The lists `*_coverage.csv` against the encoders: what a list calls sent is sent and comes from where the list
//! says, and nothing else is sent.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{NUMBER, account, adapter, body, leaves, order, whole_orders};
use crate::canonical::{DocumentType, Operation, Order, PaymentTerm, merge_patch};
use crate::provider::{
    Account, Call, Calls, Item, OrderReference, OrderSearch, Party, PartyRole, SearchTime, Session, SubscriptionWish,
    Trip, translate,
};

/// One row of a list.
#[derive(Debug, Deserialize)]
struct Row {
    /// Path in the request, lists as `[]`; `{1..n}` stands for a number
    field: String,
    /// Canonical pointers that it comes from; `*` is a list index, `{}` the number
    canonical: String,
    /// `gateway` when the gateway says it by itself, `never` when it is not sent
    otherwise: String,
    /// Why
    why: String,
}

const ORDER: &[u8] = include_bytes!("../order_coverage.csv");
const MODIFY_ORDER: &[u8] = include_bytes!("../modify_order_coverage.csv");
const CUSTOMER_ORDER: &[u8] = include_bytes!("../customer_order_coverage.csv");
const CALLS: &[u8] = include_bytes!("../calls_coverage.csv");

/// A path in the request → canonical pointers.
type Sources = BTreeMap<String, BTreeSet<String>>;

fn rows<T: for<'de> Deserialize<'de>>(list: &[u8]) -> Vec<T> {
    csv::Reader::from_reader(list).into_deserialize().collect::<Result<_, _>>().unwrap()
}

/// Field → canonical pointers, numbers written out.
fn listed(list: &[u8]) -> Sources {
    let mut listed = BTreeMap::new();
    for Row { field, canonical, .. } in rows::<Row>(list) {
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

/// `orderList[3].name` → `orderList[].name`
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

fn demo() -> Account {
    account(json!({"branchMap": {"east": "0-11"}}))
}

/// Each field comes from where the list says, and what is in the bytes is what the list calls sent.
fn hold(list: &[u8], items: &[Item<'_>]) {
    let (profile, outward) = adapter();
    let (mut found, mut sent) = (Sources::new(), BTreeSet::new());
    for item in items {
        let translation = translate(profile, outward, &demo(), *item);
        assert_eq!(translation.refusals, []);
        assert_eq!(translation.dropped, Vec::<String>::new());
        for lineage in translation.lineage {
            found.entry(any_index(&lineage.target)).or_default().insert(any_line(&lineage.pointer));
        }
        sent.extend(leaves(&body(&translation.request.unwrap())).into_keys());
    }
    let listed = listed(list);
    for (field, pointers) in listed.iter().filter(|(_, pointers)| !pointers.is_empty()) {
        assert_eq!(found.get(field), Some(pointers), "{field}");
    }
    let unlisted: Vec<_> = found.keys().filter(|field| listed.get(*field).is_none_or(BTreeSet::is_empty)).collect();
    assert!(unlisted.is_empty(), "not in the list: {unlisted:?}");

    let never: BTreeSet<String> =
        rows::<Row>(list).into_iter().filter(|row| row.otherwise == "never").map(|row| row.field).collect();
    let expected: BTreeSet<String> = listed.into_keys().filter(|field| !never.contains(field)).collect();
    assert_eq!(sent.difference(&expected).collect::<Vec<_>>(), Vec::<&String>::new(), "sent, but not listed");
    assert_eq!(expected.difference(&sent).collect::<Vec<_>>(), Vec::<&String>::new(), "listed, but not sent");
}

#[test]
fn order_entity() {
    let orders: Vec<Order> = whole_orders().iter().map(order).collect();
    hold(ORDER, &orders.iter().map(Item::create).collect::<Vec<_>>());
    assert_eq!(listed(ORDER).len(), 57);
}

/// The whole orders as changes of what nothing is known of, with a number that the first names itself.
#[test]
fn modify_order_entity() {
    let mut documents = whole_orders();
    documents[0]["providerOrderNumber"] = json!(NUMBER);
    let mut further = documents[0]["shipTo"].clone();
    merge_patch(&mut further, &json!({"extensions": null}));
    documents[1]["additionalShipTo"] = json!([further, documents[1]["shipTo"]]);
    documents.push(json!({"account": "ttms-demo", "orderNumber": "SO-4", "shipFrom": {}}));
    for document in &mut documents {
        let without = json!({"charges": null, "collect": null});
        merge_patch(document, &without);
    }
    merge_patch(&mut documents[0], &json!({"extensions": null}));
    let orders: Vec<Order> = documents.iter().map(order).collect();
    let mut changes: Vec<Value> = orders.iter().map(|order| json!(order)).collect();
    let lists = json!({"lines": null, "shipTo": null, "additionalShipTo": null, "customerReference": null});
    changes[3] = lists;
    // It had lists before.
    let before = orders[2].clone();
    let items: Vec<Item<'_>> = orders
        .iter()
        .zip(&changes)
        .map(|(order, change)| Item {
            operation: Operation::Amend,
            change: Some(change),
            standing: (order.order_number == "SO-4").then_some(&before),
            provider_order_number: Some(NUMBER),
            ..Item::create(order)
        })
        .collect();
    hold(MODIFY_ORDER, &items);
    assert_eq!(listed(MODIFY_ORDER).len(), 54);
}

#[test]
fn customer_order_entity() {
    let documents: Vec<Value> = whole_orders()
        .into_iter()
        .map(|mut document| {
            let changes = json!({"documentType": "customer_order", "charges": {"cost": null},
                "collect": {"freight": null}, "extensions": {"ttms": {"wmsLocation": null}},
                "trackingDevices": ["868120223404879"], "providerOrderNumber": "S1"});
            merge_patch(&mut document, &changes);
            document
        })
        .collect();
    let orders: Vec<Order> = documents.iter().map(order).collect();
    let updates = orders.iter().map(|order| Item {
        operation: Operation::Amend,
        provider_order_number: Some("S1"),
        ..Item::create(order)
    });
    hold(CUSTOMER_ORDER, &updates.collect::<Vec<_>>());
    assert_eq!(listed(CUSTOMER_ORDER).len(), 48);

    // A creation holds the same, but in a list and without the number.
    let mut created = BTreeSet::new();
    for order in &orders {
        let mut order = order.clone();
        order.provider_order_number = None;
        let item = Item { operation: Operation::Create, ..Item::create(&order) };
        let (profile, outward) = adapter();
        let request = translate(profile, outward, &demo(), item).request.unwrap();
        created.extend(leaves(&body(&request)).into_keys());
    }
    let of_update = listed(CUSTOMER_ORDER).into_keys().filter(|field| field != "number");
    assert_eq!(created, of_update.map(|field| field.replacen("order.", "orders[].", 1)).collect());
}

#[test]
fn a_field_without_a_canonical_member_says_why() {
    for row in [ORDER, MODIFY_ORDER, CUSTOMER_ORDER].into_iter().flat_map(rows::<Row>) {
        let from_canonical = !row.canonical.is_empty();
        assert_eq!(from_canonical, row.otherwise.is_empty(), "{row:?}");
        assert_eq!(from_canonical, row.why.is_empty(), "{row:?}");
        assert!(from_canonical || matches!(row.otherwise.as_str(), "gateway" | "never"), "{row:?}");
    }
}

/// One row of the list of all other operations' parameters.
#[derive(Debug, Deserialize)]
struct CallRow {
    /// Path below the base URL
    operation: String,
    /// Path in the request, lists as `[]`; nothing for an operation without parameters
    parameter: String,
    /// What it comes from: a member of the call's input, or `gateway`, or `never`
    from: String,
    why: String,
}

fn parameters(request: &crate::provider::Request) -> BTreeSet<(String, String)> {
    let path = request.url.trim_start_matches("http://api.56ctms.com").split('?').next().unwrap().to_owned();
    let names = leaves(&body(request)).into_keys().filter(|name| !name.is_empty());
    let mut parameters: BTreeSet<(String, String)> = names.map(|name| (path.clone(), name)).collect();
    if parameters.is_empty() {
        parameters.insert((path, String::new()));
    }
    parameters
}

fn requested<I, O>(call: &Call<I, O>, account: &Account, input: &I) -> BTreeSet<(String, String)> {
    parameters(&(call.encode)(account, input).unwrap())
}

fn full_search(document_type: DocumentType) -> OrderSearch {
    let text = || Some("x".to_owned());
    let transport = document_type == DocumentType::TransportOrder;
    OrderSearch {
        page: 1,
        size: 50,
        state: Some("0".to_owned()),
        time_type: Some(SearchTime::Signed),
        from: "2026-11-24T16:00:00Z".parse().ok(),
        to: "2026-11-24T16:00:00Z".parse().ok(),
        provider_order_number: text(),
        customer_reference: text(),
        trip_number: text().filter(|_| transport),
        consignor_name: text(),
        consignor_phone: text(),
        consignor_address: text().filter(|_| !transport),
        consignee_name: text(),
        consignee_phone: text(),
        consignee_address: text().filter(|_| !transport),
        driver_name: text().filter(|_| transport),
        driver_phone: text().filter(|_| transport),
        license_plate: text().filter(|_| transport),
        tracking_device: text().filter(|_| !transport),
        branches: if transport { Vec::new() } else { vec!["x".to_owned()] },
    }
}

/// Every parameter that any call can send.
fn all_calls(calls: &Calls, account: &Account) -> BTreeSet<(String, String)> {
    let mut sent = BTreeSet::new();
    let session = calls.session.as_ref().unwrap();
    sent.extend(requested(&session.open, account, &()));
    let tokens = Session::new(json!({"accessToken": "a", "refreshToken": "r"}).to_string());
    sent.extend(requested(&session.renew, account, &tokens));
    for number in [None, Some("1".to_owned())] {
        let reference = OrderReference {
            order_number: "SO-1".to_owned(),
            customer_reference: None,
            provider_order_number: number,
            adopted: false,
        };
        for lookup in calls.find_orders {
            sent.extend(requested(&lookup.call, account, &reference));
        }
    }
    for search in calls.search_orders {
        sent.extend(requested(&search.call, account, &full_search(search.document_type)));
    }
    sent.extend(requested(calls.organizations.as_ref().unwrap(), account, &()));
    let party = Party {
        name: "x".to_owned(),
        phone: "x".to_owned(),
        address: "x".to_owned(),
        role: PartyRole::Consignee,
        payment_term: PaymentTerm::Online,
        remarks: Some(vec!["x".to_owned(); 3]),
    };
    sent.extend(requested(calls.put_parties.as_ref().unwrap(), account, &vec![party]));
    sent.extend(requested(&calls.unbind_devices.as_ref().unwrap().call, account, &vec!["x".to_owned()]));
    for subscription in calls.subscriptions {
        let wish = SubscriptionWish { states: Vec::new(), callback_url: "https://x".to_owned() };
        sent.extend(requested(&subscription.subscribe, account, &wish));
        sent.extend(requested(&subscription.unsubscribe, account, &()));
    }
    sent
}

/// The operations on orders beside creation and modification: cancellations, and the driver of a trip.
fn all_other_operations(account: &Account) -> BTreeSet<(String, String)> {
    let (profile, outward) = adapter();
    let orders = [order(&whole_orders()[2])];
    let mut customers = orders[0].clone();
    customers.document_type = Some(DocumentType::CustomerOrder);
    let trip = Some(Trip { orders: &orders, driver_phone: "13800000009" });
    let mut sent = BTreeSet::new();
    for item in [
        Item { operation: Operation::Cancel, ..Item::create(&orders[0]) },
        Item { operation: Operation::Cancel, ..Item::create(&customers) },
        Item { operation: Operation::CreateTrip, trip, ..Item::create(&orders[0]) },
    ] {
        let item = Item { provider_order_number: Some("1"), ..item };
        sent.extend(parameters(&translate(profile, outward, account, item).request.unwrap()));
    }
    // The orders on a trip are those of the other list.
    sent.into_iter().filter(|(_, parameter)| !parameter.starts_with("orderList")).collect()
}

#[test]
fn every_parameter_of_all_other_operations() {
    let account = account(json!({"xhkId": "X"}));
    let mut sent = all_calls(adapter().1.calls(), &account);
    sent.extend(all_other_operations(&account));
    let (never, expected): (Vec<CallRow>, Vec<CallRow>) =
        rows::<CallRow>(CALLS).into_iter().partition(|row| row.from == "never");
    let expected: BTreeSet<_> = expected.into_iter().map(|row| (row.operation, row.parameter)).collect();
    assert_eq!(sent, expected);
    assert!(never.iter().all(|row| !row.why.is_empty()));
    assert_eq!((expected.len(), never.len()), (62, 17));
}
