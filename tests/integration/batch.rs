//! `POST /v1/orders/batch`: many orders, each by itself.

use serde_json::{Value, json};

use crate::harness::{Answer, Bench, order};

const PATH: &str = "/v1/orders/batch";

async fn post(bench: &Bench, orders: &[Value], key: &str) -> Answer {
    bench.caller.post_with(PATH, &json!({"orders": orders}), &[("idempotency-key", key)]).await
}

#[tokio::test]
async fn a_bad_order_never_spoils_its_neighbours() {
    let bench = Bench::start().await;
    bench.caller.place(&order("TAKEN")).await;
    let mut unknown_member = order("SO-2");
    unknown_member["colour"] = json!("red");
    let mut unknown_account = order("SO-3");
    unknown_account["account"] = json!("nobody");
    let mut unprintable = order("SO-5");
    unprintable["remarks"] = json!("bell \u{7}");
    let orders = [
        order("SO-1"),
        unknown_member,
        unknown_account,
        order("TAKEN"),
        json!("no order"),
        order("SO-1"),
        order("SO-4"),
        unprintable,
    ];
    let answer = post(&bench, &orders, "k1").await;
    assert_eq!(answer.status, 207, "{:#}", answer.body);
    let items = answer.body["items"].as_array().unwrap();
    let said: Vec<_> = items
        .iter()
        .map(|item| {
            (item["index"].as_u64().unwrap(), item["status"].as_u64().unwrap(), item["problem"]["type"].as_str())
        })
        .collect();
    assert_eq!(
        said,
        [
            (0, 202, None),
            (1, 422, Some("/problems/validation-failed")),
            (2, 422, Some("/problems/unknown-account")),
            (3, 409, Some("/problems/order-exists")),
            (4, 422, Some("/problems/validation-failed")),
            (5, 409, Some("/problems/order-exists")),
            (6, 202, None),
            (7, 422, Some("/problems/validation-failed")),
        ]
    );
    assert_eq!(items[1]["problem"]["errors"][0]["pointer"], "/colour");
    // A problem is whole, as if the order had been posted alone.
    assert_eq!(items[1]["problem"]["instance"], "/v1/orders/batch");
    assert_eq!(items[1]["problem"]["requestId"].as_str(), answer.header("x-request-id"));
    assert_eq!(items[0]["order"]["orderNumber"], "SO-1");
    for index in [0, 6] {
        let submission = items[index]["order"]["submission"]["id"].as_str().unwrap().parse().unwrap();
        bench.database.wait_for_state(submission, "accepted").await;
    }
    assert_eq!(bench.simulator().books(None).len(), 3);
}

#[tokio::test]
async fn a_repetition_finds_what_the_first_one_made() {
    let bench = Bench::start().await;
    let mut wrong = order("SO-2");
    wrong["colour"] = json!("red");
    let orders = [order("SO-1"), wrong];
    let first = post(&bench, &orders, "k1").await;
    let submission = first.body["items"][0]["order"]["submission"]["id"].as_str().unwrap().parse().unwrap();
    bench.database.wait_for_state(submission, "accepted").await;
    let again = post(&bench, &orders, "k1").await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (207, Some("true")));
    assert_eq!(again.body["items"][0]["order"]["id"], first.body["items"][0]["order"]["id"]);
    assert_eq!(again.body["items"][0]["order"]["status"], "requested");
    let (mut problem_again, mut problem) = (again.body["items"][1].clone(), first.body["items"][1].clone());
    for answered in [&mut problem_again, &mut problem] {
        // Each request has its own.
        assert!(answered["problem"].as_object_mut().unwrap().remove("requestId").is_some());
    }
    assert_eq!(problem_again, problem);
    assert_eq!(bench.database.count("select count(*) from orders").await, 1);
    post(&bench, &[order("SO-3")], "k1").await.problem(422, "idempotency-key-reused");
}

#[tokio::test]
async fn what_is_told_of_a_name_with_a_null_character_is_kept_for_a_repetition() {
    let bench = Bench::start().await;
    let orders = [json!({"O\u{0}": 1})];
    let first = post(&bench, &orders, "k1").await;
    assert_eq!((first.status, &first.body["items"][0]["status"]), (207, &json!(422)), "{:#}", first.body);
    let errors = first.body["items"][0]["problem"]["errors"].as_array().unwrap();
    assert!(errors.iter().any(|error| error["pointer"] == "/O\u{0}"), "{errors:?}");
    let again = post(&bench, &orders, "k1").await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.body["items"][0]["problem"]["errors"], first.body["items"][0]["problem"]["errors"]);
}

#[tokio::test]
async fn what_is_no_batch() {
    let bench = Bench::start().await;
    let without_key = bench.caller.post(PATH, &json!({"orders": [order("SO-1")]})).await;
    without_key.problem(400, "idempotency-key-missing");
    post(&bench, &vec![json!({}); 1001], "k1").await.problem(413, "batch-too-large");
    post(&bench, &[], "k2").await.problem(422, "validation-failed");
    let reader = bench.key(&["orders:read"], None).await;
    let headers = [("idempotency-key", "k3")];
    reader.post_with(PATH, &json!({"orders": [order("SO-1")]}), &headers).await.problem(403, "forbidden");
    assert_eq!(bench.database.count("select count(*) from orders").await, 0);
}

#[tokio::test]
async fn a_thousand_orders_go_out_in_full_batches() {
    let bench = Bench::start().await;
    bench.pause().await;
    let orders: Vec<_> = (0..1000).map(|number| order(&format!("SO-{number}"))).collect();
    let answer = post(&bench, &orders, "k1").await;
    assert!(answer.body["items"].as_array().unwrap().iter().all(|item| item["status"] == 202));
    bench.resume().await;
    bench.database.wait_until_all_ended(std::time::Duration::from_secs(60)).await;
    let meter = bench.meter("orderImport");
    assert_eq!((meter.orders, meter.requests, meter.largest_batch), (1000, 10, 100), "{:?}", meter.batches);
}

#[tokio::test]
async fn a_preview_shows_what_would_be_sent_of_each_order_and_keeps_nothing() {
    let bench = Bench::start().await;
    let mut bad = order("SO-2");
    bad["colour"] = json!("red");
    let body = json!({"orders": [order("SO-1"), bad]});
    let answer = bench.caller.post(&format!("{PATH}?validateOnly=true"), &body).await;
    assert_eq!(answer.status, 207, "{:#}", answer.body);
    let items = answer.body["items"].as_array().unwrap();
    assert_eq!((&items[0]["status"], &items[1]["status"]), (&json!(200), &json!(422)));
    let sent = items[0]["translation"]["request"]["body"].as_str().unwrap();
    assert!(sent.contains("<erpNumber>SO-1</erpNumber>"), "{sent}");
    assert_eq!(items[1]["problem"]["errors"][0]["pointer"], "/colour");
    assert_eq!(bench.database.count("select count(*) from orders").await, 0);
    assert_eq!(bench.database.count("select count(*) from idempotency_keys").await, 0);
}

#[tokio::test]
async fn a_member_that_is_said_twice_counts_as_it_is_said_last_whoever_reads_it() {
    let bench = Bench::start().await;
    let mut said = order("SO-1");
    said["remarks"] = json!("first");
    let twice = |number: &str| {
        let once = said.to_string().replace("SO-1", number);
        format!("{},\"remarks\":\"last\"}}", once.strip_suffix('}').unwrap())
    };
    let alone = bench.caller.post_text("/v1/orders", twice("SO-2"), "k1").await;
    assert_eq!((alone.status, &alone.body["remarks"]), (202, &json!("last")), "{:#}", alone.body);
    let many = format!("{{\"orders\":[{},{}]}}", twice("SO-3"), order("SO-4"));
    let many = bench.caller.post_text(PATH, many, "k2").await;
    assert_eq!(many.status, 207, "{:#}", many.body);
    assert_eq!(many.body["items"][0]["order"]["remarks"], "last");
    assert_eq!(many.body["items"][1]["order"]["orderNumber"], "SO-4");
}
