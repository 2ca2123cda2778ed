//! The lists `*_coverage.csv` against the encoders: what a list calls sent is sent and comes from where the list
//! says, and nothing else is sent.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{NUMBER, account, adapter, body, leaves, order, whole_orders};
use crate::canonical::{DocumentType, Operation, Order, PaymentTerm, merge_patch};
use crate::provider::{
    Account, Call, Calls, Item, OrderReference, OrderSearch, Party, PartyRole, SearchTime, Session, SubscriptionWish,
    Trip, coverage, translate,
};

const ORDER: &[u8] = include_bytes!("../order_coverage.csv");
const MODIFY_ORDER: &[u8] = include_bytes!("../modify_order_coverage.csv");
const CUSTOMER_ORDER: &[u8] = include_bytes!("../customer_order_coverage.csv");
const CALLS: &[u8] = include_bytes!("../calls_coverage.csv");

fn demo() -> Account {
    account(json!({"branchMap": {"east": "0-11"}}))
}

/// Each field comes from where the list says, and what is in the bytes is what the list calls sent.
fn hold(list: &[u8], items: &[Item<'_>]) {
    coverage::hold_to_its_sources(list, &coverage::sources(adapter(), &demo(), items, &[]));
    let (profile, outward) = adapter();
    let requests = items.iter().map(|item| translate(profile, outward, &demo(), *item).request.unwrap());
    let sent = requests.flat_map(|request| leaves(&body(&request)).into_keys()).collect();
    coverage::hold_to_what_is_sent(list, &sent);
}

#[test]
fn order_entity() {
    let orders: Vec<Order> = whole_orders().iter().map(order).collect();
    hold(ORDER, &orders.iter().map(Item::create).collect::<Vec<_>>());
    assert_eq!(coverage::listed(ORDER).len(), 57);
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
    assert_eq!(coverage::listed(MODIFY_ORDER).len(), 54);
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
    assert_eq!(coverage::listed(CUSTOMER_ORDER).len(), 48);

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
    let of_update = coverage::listed(CUSTOMER_ORDER).into_keys().filter(|field| field != "number");
    assert_eq!(created, of_update.map(|field| field.replacen("order.", "orders[].", 1)).collect());
}

#[test]
fn a_field_without_a_canonical_member_says_why() {
    [ORDER, MODIFY_ORDER, CUSTOMER_ORDER].into_iter().for_each(coverage::hold_to_its_reasons);
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
    let (never, expected): (Vec<CallRow>, Vec<CallRow>) = csv::Reader::from_reader(CALLS)
        .into_deserialize::<CallRow>()
        .map(Result::unwrap)
        .collect::<Vec<_>>()
        .into_iter()
        .partition(|row| row.from == "never");
    let expected: BTreeSet<_> = expected.into_iter().map(|row| (row.operation, row.parameter)).collect();
    assert_eq!(sent, expected);
    assert!(never.iter().all(|row| !row.why.is_empty()));
    assert_eq!((expected.len(), never.len()), (62, 17));
}
