//! `GET /v1/submissions`

use serde_json::{Value, json};

use crate::harness::{Bench, order};

#[tokio::test]
async fn submissions_are_filtered_paged_and_newest_first() {
    let bench = Bench::start().await;
    let placed = bench.caller.place(&order("SO-0")).await;
    bench.pause().await;
    let mut ids = vec![placed.body["submission"]["id"].clone()];
    for number in 1..5 {
        let created = bench.caller.post("/v1/orders", &order(&format!("SO-{number}"))).await;
        ids.insert(0, created.body["submission"]["id"].clone());
    }
    let mut listed = Vec::new();
    let mut path = "/v1/submissions?limit=2".to_owned();
    loop {
        let page = bench.caller.get(&path).await;
        assert_eq!(page.status, 200, "{:#}", page.body);
        let items = page.body["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        listed.extend(items.iter().map(|item| item["id"].clone()));
        let Some(cursor) = page.body["nextCursor"].as_str() else { break };
        path = format!("/v1/submissions?limit=2&cursor={cursor}");
    }
    assert_eq!(listed, ids);

    let first = bench.caller.get(&format!("/v1/submissions?orderId={}", placed.id())).await.body;
    assert_eq!(first, json!({"items": [placed.body["submission"]], "nextCursor": null}));
    for (query, expected) in [
        ("state=queued", 4),
        ("state=accepted", 1),
        ("state=in_doubt", 0),
        ("operation=create", 5),
        ("operation=cancel", 0),
        ("account=otms-demo&state=queued", 4),
        ("account=nobody", 0),
        ("orderId=018f2b5c-0000-7000-8000-000000000000", 0),
    ] {
        let page = bench.caller.get(&format!("/v1/submissions?{query}")).await;
        assert_eq!(page.body["items"].as_array().unwrap().len(), expected, "{query}");
        assert_eq!(page.body["nextCursor"], Value::Null);
    }
    for query in ["limit=0", "limit=201", "cursor=%21", "colour=red", "state=lost", "operation=x", "orderId=x"] {
        bench.caller.get(&format!("/v1/submissions?{query}")).await.problem(400, "malformed-request");
    }
}

#[tokio::test]
async fn a_key_lists_the_submissions_of_its_accounts_only() {
    let bench = Bench::start().await;
    bench.caller.place(&order("SO-1")).await;
    let path = "/v1/submissions";
    bench.caller.without_key().get(path).await.problem(401, "unauthenticated");
    bench.key(&["orders:write"], None).await.get(path).await.problem(403, "forbidden");
    let elsewhere = bench.key(&["orders:read"], Some(&["elsewhere"])).await;
    assert_eq!(elsewhere.get(path).await.body["items"], json!([]));
    assert_eq!(elsewhere.get("/v1/submissions?account=otms-demo").await.body["items"], json!([]));
    let own = bench.key(&["orders:read"], Some(&["elsewhere", "otms-demo"])).await;
    assert_eq!(own.get(path).await.body["items"].as_array().unwrap().len(), 1);
}
