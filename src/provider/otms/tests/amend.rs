//! Changes of orders that exist: orderImport with `allowUpdate`.

use serde_json::json;

use super::{account, adapter, document, encode_items, order, orders};
use crate::canonical::{Operation, Order};
use crate::provider::xml::XmlElement;
use crate::provider::{Item, Trace, Translation, translate};

const EXAMPLE_ORDERS: &str = include_str!("../../../../tests/fixtures/otms/order-import-orders.json");
const NUMBER: &str = "DYZZWDNW004662";

/// The document's first order, with a number at oTMS in the document.
fn example(provider_order_number: Option<&str>) -> Order {
    let mut document = orders(EXAMPLE_ORDERS).remove(0);
    if let Some(number) = provider_order_number {
        document["providerOrderNumber"] = json!(number);
    }
    order(&document)
}

fn amend<'a>(order: &'a Order, known: Option<&'a str>, adopted: bool) -> Item<'a> {
    Item { operation: Operation::Amend, provider_order_number: known, adopted, ..Item::create(order) }
}

fn translated(item: Item<'_>) -> Translation {
    let (profile, outward) = adapter();
    translate(profile, outward, &account(json!({})), item)
}

fn sent(items: &[Item<'_>]) -> Vec<XmlElement> {
    let root = document(&encode_items(items, &account(json!({})), &mut Trace::off()));
    root.children.into_iter().find(|child| child.name == "orders").unwrap().children
}

/// erpNumber, orderNumber, allowUpdate
fn key(order: &XmlElement) -> [Option<&str>; 3] {
    ["erpNumber", "orderNumber", "allowUpdate"].map(|name| order.child_text(name))
}

#[test]
fn creations_and_changes_go_in_one_request() {
    let order = example(None);
    let ours = order.order_number.as_str();
    let sent = sent(&[
        Item::create(&order),
        amend(&order, None, false),
        amend(&order, Some(NUMBER), false),
        amend(&order, None, true),
        amend(&order, Some(NUMBER), true),
    ]);
    assert_eq!(key(&sent[0]), [Some(ours), None, Some("false")]);
    assert_eq!(key(&sent[1]), [Some(ours), None, Some("true")]);
    assert_eq!(key(&sent[2]), [Some(ours), None, Some("true")]);
    // Its number at oTMS is not known.
    assert_eq!(key(&sent[3]), [Some(ours), None, Some("true")]);
    // With an erpNumber oTMS would not look at its own number.
    assert_eq!(key(&sent[4]), [None, Some(NUMBER), Some("true")]);
    // Nothing else differs.
    let rest = |order: &XmlElement| {
        let key = ["erpNumber", "orderNumber", "allowUpdate"];
        order
            .children
            .iter()
            .filter(|child| !key.contains(&child.name.as_str()))
            .map(|child| format!("{child:?}"))
            .collect::<Vec<_>>()
    };
    assert!(sent.iter().all(|order| rest(order) == rest(&sent[0])));
}

#[test]
fn the_number_at_otms_stands_in_the_place_of_ours() {
    let order = example(None);
    let sent = sent(&[amend(&order, Some(NUMBER), true), amend(&order, None, false)]);
    let place = |order: &XmlElement, name: &str| order.children.iter().position(|child| child.name == name);
    assert_eq!(place(&sent[0], "orderNumber"), place(&sent[1], "erpNumber"));
    assert!(place(&sent[0], "orderNumber").is_some());
}

#[test]
fn an_order_that_was_made_at_otms_may_name_its_number_itself() {
    let order = example(Some(NUMBER));
    let translation = translated(amend(&order, None, true));
    assert_eq!(translation.dropped, Vec::<String>::new());
    let lineage = translation.lineage.iter().find(|lineage| lineage.target == "orderNumber").unwrap();
    assert_eq!(lineage.pointer, "/providerOrderNumber");
}

#[test]
fn a_number_in_the_document_is_no_news_when_it_is_the_known_one() {
    let same = example(Some(NUMBER));
    for item in [amend(&same, Some(NUMBER), false), amend(&same, Some(NUMBER), true)] {
        assert_eq!(translated(item).dropped, Vec::<String>::new());
    }
    let other = example(Some("ANOTHER"));
    for item in [Item::create(&other), amend(&other, Some(NUMBER), false), amend(&other, Some(NUMBER), true)] {
        let translation = translated(item);
        assert_eq!(translation.refusals, []);
        assert_eq!(translation.dropped, ["/providerOrderNumber"]);
    }
}
