//! Requests per second of API keys.

use std::num::NonZeroU32;

use serde_json::{Value, json};

use crate::harness::gateway::start_sandbox;
use crate::harness::{Answer, Bench, Caller, TestDatabase};

/// Asks until the key has come too often.
async fn until_limited(caller: &Caller) -> (usize, Answer) {
    for let_through in 0..1000 {
        let answer = caller.get("/v1/providers").await;
        if answer.status != 200 {
            return (let_through, answer);
        }
    }
    panic!("it was never too often");
}

#[tokio::test]
async fn a_key_that_comes_too_often_is_told_when_to_come_again() {
    let bench = Bench::start().await;
    let body = json!({"name": "eager", "scopes": ["orders:read"], "requestsPerSecond": 1, "burst": 5});
    let created = bench.caller.post("/v1/api-keys", &body).await;
    assert_eq!((&created.body["requestsPerSecond"], &created.body["burst"]), (&json!(1), &json!(5)));
    let eager = bench.caller.with_key(created.body["key"].as_str().unwrap());

    let first = eager.get("/v1/providers").await;
    assert_eq!(first.header("ratelimit-policy"), Some("\"key\";q=5;w=5"));
    assert_eq!(first.header("ratelimit"), Some("\"key\";r=4;t=1"));
    let (let_through, refused) = until_limited(&eager).await;
    assert!(let_through >= 4, "{let_through}");
    refused.problem(429, "rate-limited");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert!(refused.header("ratelimit").unwrap().starts_with("\"key\";r=0;"), "{:?}", refused.headers);

    // Others are not concerned, and what needs no key is not limited.
    let other = bench.caller.get("/v1/providers").await;
    assert_eq!((other.status, other.header("ratelimit")), (200, None));
    assert_eq!(eager.get("/healthz").await.status, 200);
    // Who has no key is told so, however often.
    for _ in 0..20 {
        bench.caller.with_key("olk_of-nobody-that-is-known").get("/v1/providers").await.problem(401, "unauthenticated");
    }

    let listed = bench.caller.get("/v1/api-keys").await.body;
    let of = |name: &str| {
        let key = listed["items"].as_array().unwrap().iter().find(|key| key["name"] == name).unwrap();
        (key["requestsPerSecond"].clone(), key["burst"].clone())
    };
    assert_eq!(of("eager"), (json!(1), json!(5)));
    assert_eq!(of("first administrator"), (Value::Null, Value::Null));
}

#[tokio::test]
async fn a_key_without_a_limit_has_that_of_the_configuration() {
    let (database, (sandbox, url)) = (TestDatabase::create().await, start_sandbox().await);
    let mut options = onelane::gateway::GatewayOptions::default();
    options.limits.requests_per_second = NonZeroU32::new(1);
    let bench = Bench::with_options(options, database, sandbox, url).await;
    until_limited(&bench.caller).await.1.problem(429, "rate-limited");
}

#[tokio::test]
async fn a_revoked_key_has_no_limit_left_but_no_right_either() {
    let bench = Bench::start().await;
    let body = json!({"name": "eager", "scopes": ["orders:read"], "requestsPerSecond": 1000});
    let created = bench.caller.post("/v1/api-keys", &body).await;
    let eager = bench.caller.with_key(created.body["key"].as_str().unwrap());
    assert_eq!(eager.get("/v1/providers").await.header("ratelimit-policy"), Some("\"key\";q=1000;w=1"));
    bench.caller.delete(&format!("/v1/api-keys/{}", created.id())).await;
    eager.get("/v1/providers").await.problem(401, "unauthenticated");
    let again = eager.get("/v1/providers").await;
    again.problem(401, "unauthenticated");
    assert_eq!(again.header("ratelimit"), None, "its bucket was forgotten");
}

#[tokio::test]
async fn what_is_no_limit() {
    let bench = Bench::start().await;
    for (member, value) in [
        ("requestsPerSecond", json!(0)),
        ("requestsPerSecond", json!(-1)),
        ("requestsPerSecond", json!(1.5)),
        ("requestsPerSecond", json!(10_000_000)),
        ("burst", json!(0)),
    ] {
        let mut body = json!({"name": "x", "scopes": ["orders:read"]});
        body[member] = value;
        let found = bench.caller.post("/v1/api-keys", &body).await.problem(422, "validation-failed");
        assert_eq!(found[0].0, format!("/{member}"), "{body}");
    }
}
