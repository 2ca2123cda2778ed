//! What came out of a run, and what should have.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::harness::{Caller, TestDatabase, Webhooked};
use super::life::Life;

/// All events of the feed, as a consumer reads them.
pub async fn read_feed(caller: &Caller) -> Vec<Value> {
    let mut events = Vec::new();
    let mut cursor = String::new();
    loop {
        let after = if cursor.is_empty() { String::new() } else { format!("&after={cursor}") };
        let page = caller.get(&format!("/v1/events?limit=200{after}")).await;
        assert_eq!(page.status, 200, "{:#}", page.body);
        events.extend(page.body["items"].as_array().unwrap().iter().cloned());
        let next = page.body["nextCursor"].as_str().unwrap();
        if next == cursor {
            return events;
        }
        next.clone_into(&mut cursor);
    }
}

/// How often each event of each order was told.
fn told(feed: &[Value]) -> BTreeMap<(String, String), usize> {
    let mut told = BTreeMap::new();
    for event in feed {
        let number = event["data"]["orderNumber"].as_str().unwrap_or_else(|| panic!("{event:#}")).to_owned();
        *told.entry((number, event["type"].as_str().unwrap().to_owned())).or_default() += 1;
    }
    told
}

/// Each event that there should be is in the feed as often as it should, and no other.
pub fn assert_told_once(feed: &[Value], lives: &[Life]) {
    let mut expected = BTreeMap::new();
    for life in lives {
        for (event, count) in life.events() {
            expected.insert((life.number.clone(), event.to_owned()), count);
        }
    }
    let told = told(feed);
    let count = |of: &BTreeMap<(String, String), usize>, key: &(String, String)| of.get(key).copied().unwrap_or(0);
    let wrong: Vec<String> = expected
        .keys()
        .chain(told.keys().filter(|key| !expected.contains_key(*key)))
        .filter(|key| count(&expected, key) != count(&told, key))
        .map(|key| format!("{} {}: {} and not {}", key.0, key.1, count(&told, key), count(&expected, key)))
        .collect();
    assert!(wrong.is_empty(), "{} events are wrong: {:#?}", wrong.len(), &wrong[..wrong.len().min(20)]);
    let ids: std::collections::HashSet<&str> = feed.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), feed.len());
}

/// Webhooks by the event that they bring.
pub struct Webhooks {
    pub received: usize,
    /// By webhook-id
    pub events: HashMap<String, Value>,
}

/// All that came is signed, and a webhook that came again brings the same event.
pub fn collect(came: Vec<Webhooked>, secret: &str) -> Webhooks {
    let received = came.len();
    let mut events = HashMap::new();
    for webhook in came {
        assert!(webhook.was_signed_with(secret));
        let event = webhook.event();
        if let Some(before) = events.insert(webhook.id().to_owned(), event.clone()) {
            assert_eq!(before, event);
        }
    }
    Webhooks { received, events }
}

/// Each event of the feed was delivered, under its own id and as it stands in the feed, and nothing else.
pub fn assert_received(feed: &[Value], webhooks: &Webhooks) {
    let missing: Vec<&str> = feed
        .iter()
        .map(|event| (event["id"].as_str().unwrap(), event))
        .filter(|(id, event)| webhooks.events.get(*id) != Some(*event))
        .map(|(id, _)| id)
        .collect();
    assert!(missing.is_empty(), "{} events were not delivered as they are, {:?}", missing.len(), missing.first());
    assert_eq!(webhooks.events.len(), feed.len());
}

/// Each order stands where its life led.
pub async fn assert_statuses(database: &TestDatabase, lives: &[Life]) {
    let mut expected: Vec<String> = lives.iter().map(|life| format!("{} {}", life.number, life.status())).collect();
    let mut statuses = database.texts("select order_number || ' ' || status from orders").await;
    expected.sort();
    statuses.sort();
    let wrong: Vec<_> = statuses.iter().zip(&expected).filter(|(is, should)| is != should).take(20).collect();
    assert!(wrong.is_empty() && statuses.len() == expected.len(), "{wrong:#?}");
}
