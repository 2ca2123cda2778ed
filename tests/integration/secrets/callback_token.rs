//! The secret of a callback path is changed: who calls has time to change over, subscriptions follow by themselves.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{confirmation, post, text, try_again};
use crate::harness::{Answer, Bench, Caller, send};

const HOUR: Duration = Duration::from_secs(3600);

async fn rotate(bench: &Bench, account: &str, query: &str) -> Answer {
    bench.caller.post(&format!("/v1/accounts/{account}/rotate-callback-token{query}"), &Value::Null).await
}

/// Status of a call at a path: 404 where the secret is wrong.
async fn call(bench: &Bench, url: &str) -> u16 {
    post(url, confirmation(bench, "RK-1").body).await.status
}

async fn callback_url(bench: &Bench, account: &str) -> String {
    text(&bench.caller.get(&format!("/v1/accounts/{account}")).await.body["callbackUrl"])
}

#[tokio::test]
async fn calls_at_the_old_path_are_taken_for_a_while() {
    let bench = Bench::start().await;
    let first = callback_url(&bench, "hongxun-demo").await;
    let rotated = rotate(&bench, "hongxun-demo", "").await;
    assert_eq!(rotated.status, 200, "{:#}", rotated.body);
    assert_eq!((&rotated.body["version"], rotated.header("etag")), (&json!(2), Some("\"2\"")));
    let second = text(&rotated.body["callbackUrl"]);
    assert_ne!(second, first);
    assert_eq!(second.rsplit_once('/').unwrap().0, first.rsplit_once('/').unwrap().0);
    let read = bench.caller.get("/v1/accounts/hongxun-demo").await.body;
    assert_eq!(read, rotated.body);
    let until: chrono::DateTime<chrono::Utc> = text(&read["previousCallbackUrlUntil"]).parse().unwrap();
    let changed: chrono::DateTime<chrono::Utc> = text(&read["updatedAt"]).parse().unwrap();
    assert_eq!((until - changed).num_hours(), 24);

    assert_eq!((call(&bench, &first).await, call(&bench, &second).await), (200, 200));
    bench.database.advance(23 * HOUR).await;
    // What is said is stale by now; that it is kept is what counts.
    assert_ne!(call(&bench, &first).await, 404);
    bench.database.advance(2 * HOUR).await;
    assert_eq!(call(&bench, &first).await, 404);
    assert_ne!(call(&bench, &second).await, 404);
    let read = bench.caller.get("/v1/accounts/hongxun-demo").await.body;
    assert_eq!((&read["previousCallbackUrlUntil"], text(&read["callbackUrl"])), (&Value::Null, second));
    assert_eq!(bench.database.count("select count(*) from callbacks").await, 4);
}

#[tokio::test]
async fn an_overlap_is_chosen_and_two_rotations_end_the_oldest() {
    let bench = Bench::start().await;
    let first = callback_url(&bench, "hongxun-demo").await;
    let second = text(&rotate(&bench, "hongxun-demo", "?overlapHours=0").await.body["callbackUrl"]);
    assert_eq!((call(&bench, &first).await, call(&bench, &second).await), (404, 200));
    let third = text(&rotate(&bench, "hongxun-demo", "?overlapHours=72").await.body["callbackUrl"]);
    bench.database.advance(71 * HOUR).await;
    assert_ne!(call(&bench, &second).await, 404);
    let fourth = text(&rotate(&bench, "hongxun-demo", "").await.body["callbackUrl"]);
    assert_eq!(call(&bench, &second).await, 404);
    for url in [third, fourth] {
        assert_ne!(call(&bench, &url).await, 404);
    }
}

#[tokio::test]
async fn what_cannot_be_rotated_is_refused() {
    let bench = Bench::start().await;
    rotate(&bench, "otms-demo", "").await.problem(422, "unsupported-by-provider");
    rotate(&bench, "nobody", "").await.problem(404, "not-found");
    for query in ["?overlapHours=2161", "?overlapHours=-1", "?overlapHours=x", "?hours=1"] {
        rotate(&bench, "hongxun-demo", query).await.problem(400, "malformed-request");
    }
    let reader = bench.key(&["orders:read", "orders:write"], None).await;
    let path = "/v1/accounts/hongxun-demo/rotate-callback-token";
    reader.post(path, &Value::Null).await.problem(403, "forbidden");
    bench.key(&["admin"], Some(&["otms-demo"])).await.post(path, &Value::Null).await.problem(404, "not-found");
    assert_eq!(bench.caller.get("/v1/accounts/hongxun-demo").await.body["version"], 1);
    let change = json!({"previousCallbackUrlUntil": null});
    let changed = bench.caller.send_with(Method::PATCH, "/v1/accounts/hongxun-demo", &change, &[]).await;
    assert_eq!(changed.problem(422, "validation-failed")[0].1, "validation.read_only");
}

async fn until(bench: &Bench, question: &'static str) {
    let mut connection = bench.database.connection().await;
    let answered = async {
        while !sqlx::query_scalar::<_, bool>(question).fetch_one(&mut connection).await.unwrap() {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(30), answered).await.is_ok(), "still no: {question}");
}

/// Those that the gateway made, and those that a caller made for the account's own path. Another address stays.
#[tokio::test]
async fn subscriptions_move_to_the_new_path_by_themselves() {
    let bench = Bench::start().await;
    until(&bench, "select count(*) = 3 from subscriptions where subscribed_at is not null and automatic").await;
    let path = |topic: &str| format!("/v1/accounts/ttms-demo/subscriptions/{topic}");
    let wishes = [
        ("orders", json!({"states": ["1", "4"]})),
        ("trips", json!({"callbackUrl": "https://elsewhere.example.com/hooks"})),
    ];
    for (topic, wish) in wishes {
        let made = bench.caller.send_with(Method::PUT, &path(topic), &wish, &[]).await;
        assert_eq!((made.status, &made.body["automatic"]), (200, &json!(false)), "{:#}", made.body);
    }
    let old = callback_url(&bench, "ttms-demo").await;
    let new = text(&rotate(&bench, "ttms-demo", "").await.body["callbackUrl"]);
    let holdings = async || bench.control().get("/control/ttms/holdings").await.body.to_string();
    assert!(holdings().await.contains(&old));
    let moved = async {
        while holdings().await.contains(&old) {
            try_again(&bench.database).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(60), moved).await.is_ok(), "{}", holdings().await);
    // It is noted once the provider has agreed.
    until(
        &bench,
        "select count(distinct callback_url_hash) = 2 and bool_and(subscribed_at is not null) from subscriptions",
    )
    .await;
    for (topic, address, states, automatic) in [
        ("orders", new.as_str(), json!(["1", "4"]), false),
        ("trips", "https://elsewhere.example.com/hooks", json!([]), false),
        ("customer-orders", new.as_str(), json!([]), true),
    ] {
        let kept = bench.caller.get(&path(topic)).await.body;
        assert_eq!((kept["callbackUrl"].as_str(), &kept["states"]), (Some(address), &states), "{topic}");
        assert_eq!((&kept["automatic"], &kept["error"]), (&json!(automatic), &Value::Null), "{topic}");
    }
    assert!(holdings().await.contains(&new));
}

/// What stands before the gateway may repeat the path in a header.
#[tokio::test]
async fn a_header_that_repeats_the_path_is_kept_without_its_secret() {
    let bench = Bench::start().await;
    let call = confirmation(&bench, "RK-1");
    let (path, token) = call.url.rsplit_once('/').unwrap();
    let request = Caller::new(String::new(), None).request(Method::POST, &call.url).body(call.body.clone());
    let request = request.header("x-original-uri", &call.url).header("x-forwarded-uri", token);
    assert_eq!(send(request).await.status, 200);
    let id = text(&bench.caller.get("/v1/callbacks").await.body["items"][0]["id"]);
    let shown = bench.caller.get(&format!("/v1/callbacks/{id}")).await.body;
    let headers = shown["headers"].as_array().unwrap();
    assert!(headers.contains(&json!(["x-original-uri", format!("{path}/***")])), "{shown:#}");
    assert!(headers.contains(&json!(["x-forwarded-uri", "***"])), "{shown:#}");
    let kept = bench.database.texts("select headers::text from callbacks").await;
    assert!(!kept[0].contains(token));
}
