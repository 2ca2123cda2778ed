//! Webhook endpoints: added, changed, given other secrets; and for whom.

use reqwest::Method;
use serde_json::{Value, json};

use super::{PATIENCE, until};
use crate::harness::{Answer, Bench, send};

const ENDPOINTS: &str = "/v1/webhook-endpoints";

async fn patch(bench: &Bench, path: &str, change: &Value, headers: &[(&str, &str)]) -> Answer {
    bench.caller.send_with(Method::PATCH, path, change, headers).await
}

#[tokio::test]
async fn an_endpoint_is_added_and_shows_its_secret_once() {
    let bench = Bench::start().await;
    let body = json!({
        "url": "https://shop.example.com/hooks", "types": ["order.placed", "order.cancelled", "order.placed"],
        "accounts": ["otms-demo"], "description": "the shop",
    });
    let created = bench.caller.post(ENDPOINTS, &body).await;
    assert_eq!(created.status, 201, "{:#}", created.body);
    assert_eq!(created.header("cache-control"), Some("no-store"));
    assert_eq!(created.header("etag"), Some("\"1\""));
    let path = format!("{ENDPOINTS}/{}", created.id());
    assert_eq!(created.header("location"), Some(path.as_str()));
    let secret = created.body["secret"].as_str().unwrap();
    let key = data_encoding::BASE64.decode(secret.strip_prefix("whsec_").unwrap().as_bytes()).unwrap();
    assert_eq!(key.len(), 32);
    assert_eq!(created.body["types"], json!(["order.placed", "order.cancelled"]));
    assert_eq!((&created.body["enabled"], &created.body["failingSince"]), (&json!(true), &Value::Null));

    let read = bench.caller.get(&path).await;
    let mut expected = created.body.clone();
    expected.as_object_mut().unwrap().remove("secret");
    assert_eq!((read.status, &read.body, read.header("etag")), (200, &expected, Some("\"1\"")));
    assert_eq!(bench.caller.get(ENDPOINTS).await.body, json!({"items": [expected], "nextCursor": null}));
    // Nor can it be read from the ledger.
    let sealed: Vec<u8> = sqlx::query_scalar("select secret from webhook_endpoints")
        .fetch_one(&mut bench.database.connection().await)
        .await
        .unwrap();
    assert!(!sealed.windows(key.len()).any(|window| window == key));

    let other = bench.caller.post(ENDPOINTS, &json!({"url": "http://shop.example.com"})).await;
    assert_ne!(other.body["secret"], created.body["secret"]);
    assert_eq!((&other.body["types"], &other.body["accounts"]), (&Value::Null, &Value::Null));
    let page = bench.caller.get(&format!("{ENDPOINTS}?limit=1")).await;
    assert_eq!(page.body["items"][0]["id"], created.body["id"]);
    let cursor = page.body["nextCursor"].as_str().unwrap();
    let page = bench.caller.get(&format!("{ENDPOINTS}?limit=1&cursor={cursor}")).await;
    assert_eq!((&page.body["items"][0]["id"], &page.body["nextCursor"]), (&other.body["id"], &Value::Null));
}

#[tokio::test]
async fn what_is_no_endpoint_is_said_with_its_pointer() {
    let bench = Bench::start().await;
    let url = "https://shop.example.com";
    for (body, pointer, code) in [
        (json!({}), "/url", "validation.missing"),
        (json!({"url": ""}), "/url", "validation.too_short"),
        (json!({"url": "shop.example.com"}), "/url", "validation.invalid_value"),
        (json!({"url": "ftp://shop.example.com"}), "/url", "validation.invalid_value"),
        (json!({"url": "https://user:password@shop.example.com"}), "/url", "validation.invalid_value"),
        (json!({"url": "https://shop.example.com/#x"}), "/url", "validation.invalid_value"),
        (json!({"url": "http://10.0.0.1/"}), "/url", "validation.invalid_value"),
        (json!({"url": "http://169.254.169.254/latest/meta-data/"}), "/url", "validation.invalid_value"),
        (json!({"url": "http://[::ffff:10.0.0.1]/"}), "/url", "validation.invalid_value"),
        (json!({"url": "http://0xa9fea9fe/"}), "/url", "validation.invalid_value"),
        (json!({"url": format!("{url}/{}", "x".repeat(2000))}), "/url", "validation.too_long"),
        (json!({"url": url, "types": []}), "/types", "validation.too_short"),
        (json!({"url": url, "types": ["order.eaten"]}), "/types/0", "validation.invalid_value"),
        (json!({"url": url, "accounts": []}), "/accounts", "validation.too_short"),
        (json!({"url": url, "secret": "whsec_mine"}), "/secret", "validation.unknown_member"),
        (json!({"url": url, "description": 7}), "/description", "validation.invalid_type"),
    ] {
        let answer = bench.caller.post(ENDPOINTS, &body).await;
        let found = answer.problem(422, "validation-failed");
        assert_eq!(found, [(pointer.to_owned(), code.to_owned())], "{body}");
    }
    let answer = bench.caller.post(ENDPOINTS, &json!({"url": url, "accounts": ["otms-demo", "nobody"]})).await;
    let unknown = ("/accounts/1".to_owned(), "validation.unknown_account".to_owned());
    assert_eq!(answer.problem(422, "unknown-account"), [unknown]);
    assert_eq!(bench.database.count("select count(*) from webhook_endpoints").await, 0);
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_if_match_guards_it() {
    let bench = Bench::start().await;
    let body = json!({"url": "https://a.example.com", "types": ["order.placed"], "description": "x"});
    let created = bench.caller.post(ENDPOINTS, &body).await;
    let path = format!("{ENDPOINTS}/{}", created.id());
    let merge = [("content-type", "application/merge-patch+json"), ("if-match", "\"1\"")];
    let changed = patch(&bench, &path, &json!({"types": null, "url": "https://b.example.com"}), &merge).await;
    assert_eq!((changed.status, changed.header("etag")), (200, Some("\"2\"")), "{:#}", changed.body);
    assert_eq!((&changed.body["types"], &changed.body["description"]), (&Value::Null, &json!("x")));
    assert_eq!(changed.body["url"], "https://b.example.com");
    assert!(changed.body.get("secret").is_none());
    assert_eq!(bench.caller.get(&path).await.body, changed.body);
    patch(&bench, &path, &json!({"url": "https://c.example.com"}), &merge).await.problem(412, "precondition-failed");

    let held = patch(&bench, &path, &json!({"enabled": false}), &[]).await;
    assert_eq!(
        (&held.body["enabled"], &held.body["disabledReason"]),
        (&json!(false), &json!("disabled by an administrator"))
    );
    assert!(held.body["disabledAt"].is_string());
    // Another change leaves it so.
    let still = patch(&bench, &path, &json!({"description": null}), &[]).await;
    assert_eq!((&still.body["enabled"], &still.body["disabledAt"]), (&json!(false), &held.body["disabledAt"]));
    let again = patch(&bench, &path, &json!({"enabled": true}), &[]).await;
    assert_eq!((&again.body["enabled"], &again.body["disabledReason"]), (&json!(true), &Value::Null));

    for (change, pointer, code) in [
        (json!({"secret": "whsec_x"}), "/secret", "validation.read_only"),
        (json!({"failingSince": null}), "/failingSince", "validation.read_only"),
        (json!({"enabled": "yes"}), "/enabled", "validation.invalid_type"),
        (json!({"url": null}), "/url", "validation.missing"),
        (json!({"url": "http://10.0.0.1"}), "/url", "validation.invalid_value"),
        (json!({"colour": "red"}), "/colour", "validation.unknown_member"),
        (json!([]), "", "validation.invalid_type"),
    ] {
        let found = patch(&bench, &path, &change, &[]).await.problem(422, "validation-failed");
        assert_eq!(found, [(pointer.to_owned(), code.to_owned())], "{change}");
    }
    let events = "select data ->> 'reason' from events where type = 'webhook.endpoint_disabled'";
    assert_eq!(bench.database.texts(events).await, ["disabled by an administrator"]);
}

#[tokio::test]
async fn a_deleted_endpoint_is_gone_with_its_deliveries() {
    let bench = Bench::start().await;
    let created = bench.caller.post(ENDPOINTS, &json!({"url": "http://127.0.0.1:9"})).await;
    let path = format!("{ENDPOINTS}/{}", created.id());
    bench.pause().await;
    until(&bench, "select exists (select from webhook_deliveries where attempts > 0)").await;
    let delete = |tag: &'static str| send(bench.caller.request(Method::DELETE, &path).header("if-match", tag));
    delete("\"7\"").await.problem(412, "precondition-failed");
    assert_eq!(delete("\"1\"").await.status, 204);
    assert_eq!(bench.database.count("select count(*) from webhook_deliveries").await, 0);
    bench.caller.get(&path).await.problem(404, "not-found");
    bench.caller.delete(&path).await.problem(404, "not-found");
    bench.caller.post(&format!("{path}/rotate-secret"), &Value::Null).await.problem(404, "not-found");
    bench.caller.get(&format!("{path}/deliveries")).await.problem(404, "not-found");
    // Events go on without it.
    bench.resume().await;
    let waiting = "select count(*) from events_without_place";
    let all_placed = async { while bench.database.count(waiting).await > 0 {} };
    assert!(tokio::time::timeout(PATIENCE, all_placed).await.is_ok());
}

#[tokio::test]
async fn endpoints_are_for_administrators_of_the_accounts_whose_events_they_get() {
    let bench = Bench::start().await;
    let reader = bench.key(&["orders:write", "orders:read"], None).await;
    let limited = bench.key(&["admin"], Some(&["otms-demo", "elsewhere"])).await;
    let url = "https://shop.example.com";
    let of_all = bench.caller.post(ENDPOINTS, &json!({"url": url})).await;
    let of_one = bench.caller.post(ENDPOINTS, &json!({"url": url, "accounts": ["otms-demo"]})).await;
    for path in [ENDPOINTS.to_owned(), format!("{ENDPOINTS}/{}", of_one.id())] {
        reader.get(&path).await.problem(403, "forbidden");
        bench.caller.without_key().get(&path).await.problem(401, "unauthenticated");
    }
    reader.post(ENDPOINTS, &json!({"url": url})).await.problem(403, "forbidden");

    let listed = limited.get(ENDPOINTS).await;
    assert_eq!(listed.body["items"].as_array().unwrap().len(), 1);
    assert_eq!(listed.body["items"][0]["id"], of_one.body["id"]);
    limited.get(&format!("{ENDPOINTS}/{}", of_all.id())).await.problem(404, "not-found");
    limited.post(&format!("{ENDPOINTS}/{}/rotate-secret", of_all.id()), &json!(null)).await.problem(404, "not-found");
    limited.get(&format!("{ENDPOINTS}/{}/deliveries", of_all.id())).await.problem(404, "not-found");
    limited.post(ENDPOINTS, &json!({"url": url})).await.problem(403, "forbidden");
    let own = limited.post(ENDPOINTS, &json!({"url": url, "accounts": ["otms-demo"]})).await;
    assert_eq!(own.status, 201, "{:#}", own.body);
    // Nor can it widen what is its own.
    let path = format!("{ENDPOINTS}/{}", own.id());
    let widened = limited.send_with(Method::PATCH, &path, &json!({"accounts": null}), &[]).await;
    widened.problem(403, "forbidden");
    let nowhere = limited.send_with(Method::PATCH, &path, &json!({"accounts": ["nobody"]}), &[]).await;
    nowhere.problem(422, "unknown-account");
}
