//! create_customer_order's and update_customer_order's requests.

use serde_json::{Value, json};

use super::{customer_order, demo, encode, leaves, noticed, pairs, refused, translated};
use crate::canonical::{Operation, Order};
use crate::provider::Item;

const ENTITY: &str = include_str!("../../../../tests/fixtures/ttms/customer-order-entity.json");
const NUMBER: &str = "S1803261358607938";

fn update<'a>(operation: Operation, order: &'a Order, change: Option<&'a Value>) -> Item<'a> {
    Item { operation, change, provider_order_number: Some(NUMBER), ..Item::create(order) }
}

#[test]
fn every_member_of_the_documents_entity_is_sent_with_its_type() {
    let entity: Value = serde_json::from_str(ENTITY).unwrap();
    let order = customer_order(&json!({}));
    let request = translated(Item::create(&order)).request.unwrap();
    assert!(request.url.starts_with("http://api.56ctms.com/customer_order/create_customer_order?access_token="));
    let sent = super::body(&request);
    assert_eq!(sent["orders"].as_array().unwrap().len(), 1);
    let (sent, documented) = (leaves(&sent["orders"][0]), leaves(&entity));
    assert_eq!(sent.keys().collect::<Vec<_>>(), documented.keys().collect::<Vec<_>>());
    for (path, value) in &documented {
        assert_eq!(sent[path].is_string(), value.is_string(), "{path}");
        assert_eq!(sent[path].is_number(), value.is_number(), "{path}");
    }
}

#[test]
fn the_address_is_one_text() {
    let order = customer_order(&json!({}));
    let translation = translated(Item::create(&order));
    let sent = super::body(translation.request.as_ref().unwrap());
    assert_eq!(sent["orders"][0]["consignerAddress"], "浙江省杭州市西湖区文三路90号");
    assert_eq!(sent["orders"][0]["consignerLocation"], json!({"lng": 120.125_64, "lat": 30.277_438}));
    // What a street with its region does not name is not said anywhere.
    let order = customer_order(&json!({"shipFrom": {"address": {"street": "浙江省文三路"}}}));
    let translation = translated(Item::create(&order));
    let dropped = "translation.field_dropped";
    assert_eq!(
        noticed(&translation),
        pairs(&[
            ("/orderNumber", dropped),
            ("/shipFrom/address/city", dropped),
            ("/shipFrom/address/district", dropped),
        ])
    );
}

#[test]
fn our_number_stands_where_the_customer_has_none() {
    let order = customer_order(&json!({"customerReference": null}));
    let translation = translated(Item::create(&order));
    assert_eq!(translation.dropped, Vec::<String>::new());
    assert_eq!(super::body(&translation.request.unwrap())["orders"][0]["originalOrderNumber"], "SO-1");
    let order = customer_order(&json!({}));
    assert_eq!(translated(Item::create(&order)).dropped, ["/orderNumber"]);
}

#[test]
fn several_go_in_one_request() {
    let orders = [customer_order(&json!({})), customer_order(&json!({"shipFrom": {"contact": null}}))];
    let encoding = encode(&[Item::create(&orders[0]), Item::create(&orders[1])], &demo());
    assert_eq!(encoding.items.iter().map(|item| item.refusals.len()).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(super::body(&encoding.request.unwrap())["orders"].as_array().unwrap().len(), 1);
}

#[test]
fn an_update_is_the_whole_order() {
    let order = customer_order(&json!({}));
    let created = super::body(&translated(Item::create(&order)).request.unwrap());
    let change = json!({"remarks": "x"});
    for operation in [Operation::Amend, Operation::UpdateCustomFields] {
        let translation = translated(update(operation, &order, Some(&change)));
        assert_eq!((translation.refusals.as_slice(), translation.dropped.as_slice()), ([].as_slice(), [].as_slice()));
        let request = translation.request.unwrap();
        assert!(request.url.starts_with("http://api.56ctms.com/customer_order/update_customer_order?access_token="));
        assert_eq!(super::body(&request), json!({"number": NUMBER, "order": created["orders"][0]}));
    }
}

#[test]
fn an_update_needs_the_number_and_what_is_required() {
    let order = customer_order(&json!({}));
    let unknown = Item { provider_order_number: None, ..update(Operation::Amend, &order, None) };
    assert_eq!(refused(translated(unknown)), pairs(&[("/providerOrderNumber", "validation.missing")]));
    let order = super::order(&json!({"account": "ttms-demo", "orderNumber": "1", "documentType": "customer_order",
        "shipFrom": {}, "remarks": "x"}));
    let found = refused(translated(update(Operation::Amend, &order, None)));
    assert!(found.contains(&("/shipFrom/address".to_owned(), "validation.missing".to_owned())));
}

#[test]
fn custom_fields_of_an_order_that_is_not_known_would_clear_the_rest() {
    let order = customer_order(&json!({}));
    let change = json!({"customFields": {"text1": "x"}});
    let item = Item { adopted: true, ..update(Operation::UpdateCustomFields, &order, Some(&change)) };
    assert_eq!(refused(translated(item)), pairs(&[("", "validation.missing")]));
    let known = Item { standing: Some(&order), ..item };
    assert_eq!(translated(known).refusals, []);
    // A patch may make it whole.
    let amended = Item { operation: Operation::Amend, ..item };
    assert_eq!(translated(amended).refusals, []);
}
