//! What a proxy says of where a request comes from: believed of those that are named, and of nobody else.

use serde_json::{Value, json};

use crate::harness::Bench;

const SAYS: [(&str, &str); 2] = [("x-forwarded-for", "6.6.6.6, 198.51.100.7"), ("x-forwarded-proto", "https")];

/// Does something that is put on record, with these headers; gives the address on record and whether the answer asks
/// for TLS from now on.
async fn act(bench: &Bench) -> (Value, bool) {
    let key = bench.caller.post_with("/v1/api-keys", &json!({"name": "shop", "scopes": ["orders:read"]}), &SAYS).await;
    assert_eq!(key.status, 201, "{:#}", key.body);
    let log = bench.caller.get("/v1/audit-log?action=api_key.create&limit=1").await;
    (log.body["items"][0]["address"].clone(), key.header("strict-transport-security").is_some())
}

#[tokio::test]
async fn a_proxy_that_is_trusted_says_who_calls() {
    let bench = Bench::start_with(|options| options.trusted_proxies = "127.0.0.0/8".parse().unwrap()).await;
    assert_eq!(act(&bench).await, (json!("198.51.100.7"), true));
}

#[tokio::test]
async fn anybody_else_is_not_believed() {
    let bench = Bench::start_with(|options| options.trusted_proxies = "10.0.0.0/8".parse().unwrap()).await;
    assert_eq!(act(&bench).await, (json!("127.0.0.1"), false));
    let bench = Bench::start().await;
    assert_eq!(act(&bench).await, (json!("127.0.0.1"), false));
    // Who first made the administrator's key used no request.
    let first = bench.database.texts("select coalesce(address, 'none') from audit_log order by at limit 1").await;
    assert_eq!(first, ["none"]);
}
