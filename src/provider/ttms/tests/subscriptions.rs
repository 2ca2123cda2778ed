//! Callback subscriptions: topics, states, addresses, and the company id that positions want.

use serde_json::json;

use super::calls::{answered, asked, calls, hold_to_its_failures, wrong};
use super::{account, adapter, demo, success};
use crate::provider::{Reply, SubscriptionWish};

fn wish(states: &[&str]) -> SubscriptionWish {
    SubscriptionWish {
        states: states.iter().map(|state| (*state).to_owned()).collect(),
        callback_url: "https://gateway.example/callbacks/ttms/a/t".to_owned(),
    }
}

#[test]
fn each_topic_is_subscribed_to_and_given_up() {
    let callback_url = wish(&[]).callback_url;
    let with_xhk_id = account(json!({"xhkId": "XHK1"}));
    for (topic, subscribe, unsubscribe, states, more) in [
        ("orders", "order_subscribe", "order_unsubscribe", "0,1,2,3,4,210,8000,8001,8002", json!({"version": "v1"})),
        ("trips", "order_pack_subscribe", "order_pack_unsubscribe", "19000,40000,40001", json!({})),
        (
            "customer-orders",
            "customer_order_subscribe",
            "customer_order_unsubscribe",
            "600,601,602",
            json!({"xhkID": "XHK1"}),
        ),
    ] {
        let subscription = calls().subscription(topic).unwrap();
        assert!(adapter().0.callback_topics.contains(&topic));
        assert_eq!((subscription.subscribe.endpoint, subscription.unsubscribe.endpoint), (subscribe, unsubscribe));
        assert_eq!(subscription.states.join(","), states);
        let mut expected = json!({"states": states, "callbackUrl": callback_url});
        crate::canonical::merge_patch(&mut expected, &more);
        // All of them are meant where none is named.
        assert_eq!(asked(&subscription.subscribe, &with_xhk_id, &wish(&[])), expected);
        let all = SubscriptionWish {
            states: subscription.states.iter().map(|state| (*state).to_owned()).collect(),
            ..wish(&[])
        };
        assert_eq!(asked(&subscription.subscribe, &with_xhk_id, &all), expected);
        assert_eq!(asked(&subscription.unsubscribe, &demo(), &()), json!({}));
        assert!(matches!(answered(&subscription.subscribe, &all, 200, &success(subscribe)), Reply::Done(())));
        assert!(matches!(answered(&subscription.unsubscribe, &(), 200, &success(unsubscribe)), Reply::Done(())));
        hold_to_its_failures(&subscription.subscribe, &all);
        hold_to_its_failures(&subscription.unsubscribe, &());
    }
    assert_eq!(calls().subscriptions.len(), adapter().0.callback_topics.len());
}

#[test]
fn positions_want_the_companys_id() {
    let subscribe = &calls().subscription("customer-orders").unwrap().subscribe;
    let refused = wrong((subscribe.encode)(&demo(), &wish(&["600", "602"])));
    assert_eq!(refused, super::pairs(&[("/states/1", "validation.missing")]));
    assert_eq!(asked(subscribe, &demo(), &wish(&[]))["states"], "600,601");
    // The id goes with the state that wants it, and with no other.
    let with_xhk_id = account(json!({"xhkId": "XHK1"}));
    assert_eq!(asked(subscribe, &with_xhk_id, &wish(&["602"]))["xhkID"], "XHK1");
    assert!(asked(subscribe, &with_xhk_id, &wish(&["600"])).get("xhkID").is_none());
}

#[test]
fn states_and_addresses_that_are_none() {
    let subscribe = &calls().subscription("orders").unwrap().subscribe;
    let wish = SubscriptionWish { callback_url: "ftp://x".to_owned(), ..wish(&["1", "5", "1"]) };
    assert_eq!(
        wrong((subscribe.encode)(&demo(), &wish)),
        super::pairs(&[("/states/1", "validation.invalid_value"), ("/callbackUrl", "validation.invalid_format")])
    );
    assert_eq!(asked(subscribe, &demo(), &self::wish(&["4", "1", "4"]))["states"], "4,1");
}
