//! The requests of both cancellations.

use serde_json::json;

use super::{NUMBER, body, changed, customer_order, demo, encode, pairs, refused, translated};
use crate::canonical::{Operation, Order};
use crate::provider::Item;

fn cancel<'a>(order: &'a Order, number: Option<&'a str>) -> Item<'a> {
    Item { operation: Operation::Cancel, provider_order_number: number, ..Item::create(order) }
}

#[test]
fn a_cancellation_is_a_number_and_nothing_else() {
    for (order, path) in [
        (changed(&json!({})), "/order/cancel_orders/v2"),
        (customer_order(&json!({})), "/customer_order/cancel_customer_orders"),
    ] {
        let translation = translated(cancel(&order, Some(NUMBER)));
        assert_eq!((translation.refusals.as_slice(), translation.dropped.as_slice()), ([].as_slice(), [].as_slice()));
        let request = translation.request.unwrap();
        assert_eq!(body(&request), json!({"numbers": NUMBER}));
        assert!(request.url.starts_with(&format!("http://api.56ctms.com{path}?access_token=")));
        assert_eq!(request.method, "POST");
    }
}

#[test]
fn several_numbers_are_joined_by_commas() {
    let order = changed(&json!({}));
    let items =
        [cancel(&order, Some("1")), cancel(&order, None), cancel(&order, Some("2,3")), cancel(&order, Some("4"))];
    let encoding = encode(&items, &demo());
    assert_eq!(body(&encoding.request.unwrap()), json!({"numbers": "1,4"}));
    let refused: Vec<_> = encoding.items.iter().map(|item| item.refusals.len()).collect();
    assert_eq!(refused, [0, 1, 1, 0]);
}

#[test]
fn the_number_is_the_one_that_3tms_gave() {
    let order = changed(&json!({"providerOrderNumber": "1"}));
    let missing = pairs(&[("/providerOrderNumber", "validation.missing")]);
    assert_eq!(refused(translated(cancel(&order, None))), missing);
    assert_eq!(refused(translated(cancel(&order, Some(" ")))), missing);
    // One comma, and another order would be cancelled, too.
    let several = refused(translated(cancel(&order, Some("1,2"))));
    assert_eq!(several, pairs(&[("/providerOrderNumber", "validation.invalid_format")]));
    let adopted = translated(Item { adopted: true, ..cancel(&order, None) });
    assert_eq!(body(&adopted.request.unwrap()), json!({"numbers": "1"}));
    assert_eq!(adopted.lineage[0].pointer, "/providerOrderNumber");
}
