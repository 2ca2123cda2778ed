//! What happened to an order: events and tracking.

use serde_json::{Value, json};

use crate::harness::{Answer, Bench, order};

/// Follows a list page by page.
async fn all_pages(bench: &Bench, path: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut next = path.to_owned();
    loop {
        let page = bench.caller.get(&next).await;
        assert_eq!(page.status, 200, "{:#}", page.body);
        items.extend(page.body["items"].as_array().unwrap().iter().cloned());
        let Some(cursor) = page.body["nextCursor"].as_str() else { return items };
        next = format!("{path}&cursor={cursor}");
    }
}

/// Writes an event as a callback of the provider would.
async fn happen(bench: &Bench, order: &Answer, event_type: &str, occurred_at: &str, data: Value) {
    sqlx::query(
        "insert into events (id, type, account_id, order_id, data, occurred_at, recorded_at)
         values (gen_random_uuid(), $1, 'otms-demo', $2::uuid, $3, $4::timestamptz, onelane_now())",
    )
    .bind(event_type)
    .bind(order.id())
    .bind(data)
    .bind(occurred_at)
    .execute(&mut bench.database.connection().await)
    .await
    .unwrap();
}

#[tokio::test]
async fn the_events_of_an_order_are_cloud_events_oldest_first() {
    let bench = Bench::start().await;
    let placed = bench.caller.place(&order("SO-1")).await;
    bench.caller.place(&order("SO-2")).await;
    let path = format!("/v1/orders/{}/events", placed.id());
    let all = bench.caller.get(&path).await;
    assert_eq!((all.status, &all.body["nextCursor"]), (200, &Value::Null));
    let items = all.body["items"].as_array().unwrap();
    let types: Vec<_> = items.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["submission.queued", "submission.accepted", "order.placed"]);
    for event in items {
        assert_eq!((&event["specversion"], &event["subject"]), (&json!("1.0"), &placed.body["id"]));
        assert_eq!(event["source"], "/v1/accounts/otms-demo");
        assert_eq!(event["datacontenttype"], "application/json");
        assert_eq!(event["data"]["orderNumber"], "SO-1");
        event["time"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        event["id"].as_str().unwrap().parse::<uuid::Uuid>().unwrap();
        assert!(event["traceparent"].as_str().unwrap().starts_with("00-"), "{event}");
        assert_eq!(event.as_object().unwrap().len(), 9, "{event}");
    }
    assert_eq!(items[2]["data"]["providerOrderNumber"], placed.body["providerOrderNumber"]);
    // Two of them are of one commit and one instant, and the pages hold each once all the same.
    for limit in [1, 2] {
        assert_eq!(&all_pages(&bench, &format!("{path}?limit={limit}")).await, items);
    }
    for query in ["limit=0", "cursor=%21", "type=order.placed"] {
        bench.caller.get(&format!("{path}?{query}")).await.problem(400, "malformed-request");
    }
}

#[tokio::test]
async fn tracking_is_the_milestones_in_the_order_in_which_they_happened() {
    let bench = Bench::start().await;
    let placed = bench.caller.place(&order("SO-1")).await;
    let path = format!("/v1/orders/{}/tracking", placed.id());
    // Told later, but it happened before.
    let early = json!({"note": "told late", "type": "x", "occurredAt": "y"});
    happen(&bench, &placed, "order.released", "2020-01-01T08:00:00+08:00", early).await;
    let tracking = bench.caller.get(&path).await;
    assert_eq!(tracking.status, 200, "{:#}", tracking.body);
    assert_eq!(tracking.body["orderId"], placed.body["id"]);
    assert_eq!(tracking.body["orderNumber"], "SO-1");
    assert_eq!(tracking.body["providerOrderNumber"], placed.body["providerOrderNumber"]);
    assert_eq!((&tracking.body["status"], &tracking.body["documentComplete"]), (&json!("requested"), &json!(true)));
    assert_eq!(tracking.body["refreshedAt"], Value::Null);
    let milestones = tracking.body["milestones"].as_array().unwrap();
    assert_eq!(
        milestones[0],
        json!({"type": "order.released", "occurredAt": "2020-01-01T00:00:00Z", "note": "told late"})
    );
    assert_eq!((&milestones[1]["type"], &milestones[1]["status"]), (&json!("order.placed"), &json!("requested")));
    assert_eq!(milestones.len(), 2);
    assert_eq!(bench.caller.get(&format!("{path}?refresh=false")).await.body, tracking.body);
}

#[tokio::test]
async fn a_provider_that_cannot_be_asked_is_not_asked() {
    let bench = Bench::start().await;
    let placed = bench.caller.place(&order("SO-1")).await;
    let path = format!("/v1/orders/{}/tracking", placed.id());
    bench.caller.get(&format!("{path}?refresh=true")).await.problem(422, "unsupported-by-provider");
    for query in ["refresh=soon", "refresh", "colour=red"] {
        bench.caller.get(&format!("{path}?{query}")).await.problem(400, "malformed-request");
    }
}

#[tokio::test]
async fn the_history_of_an_order_is_for_those_who_may_see_it() {
    let bench = Bench::start().await;
    let placed = bench.caller.place(&order("SO-1")).await;
    let writer = bench.key(&["orders:write"], None).await;
    let elsewhere = bench.key(&["orders:read"], Some(&["elsewhere"])).await;
    let reader = bench.key(&["orders:read"], Some(&["otms-demo"])).await;
    for part in ["events", "tracking"] {
        let path = format!("/v1/orders/{}/{part}", placed.id());
        bench.caller.without_key().get(&path).await.problem(401, "unauthenticated");
        writer.get(&path).await.problem(403, "forbidden");
        elsewhere.get(&path).await.problem(404, "not-found");
        assert_eq!(reader.get(&path).await.status, 200);
        let unknown = format!("/v1/orders/018f2b5c-0000-7000-8000-000000000000/{part}");
        bench.caller.get(&unknown).await.problem(404, "not-found");
        bench.caller.get(&format!("/v1/orders/not-an-id/{part}")).await.problem(404, "not-found");
    }
    elsewhere.get(&format!("/v1/orders/{}/tracking?refresh=true", placed.id())).await.problem(404, "not-found");
}
