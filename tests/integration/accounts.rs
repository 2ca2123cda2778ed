//! Downstream accounts: added, read, throttled; their credentials never come back.

use reqwest::Method;
use serde_json::{Value, json};

use onelane::reach::AllowedNetworks;

use crate::harness::gateway::start_sandbox;
use crate::harness::{Answer, Bench, TestDatabase, order, send};

fn account(id: &str) -> Value {
    json!({
        "id": id,
        "provider": "otms",
        "baseUrl": "https://demo.otms.cn",
        "credentials": {"username": "user", "password": "a secret of theirs"},
    })
}

#[tokio::test]
async fn an_account_is_added_and_read_without_its_credentials() {
    let bench = Bench::start().await;
    let created = bench.caller.post("/v1/accounts", &account("acme")).await;
    assert_eq!(created.status, 201, "{:#}", created.body);
    assert_eq!(created.header("location"), Some("/v1/accounts/acme"));
    assert_eq!(created.header("etag"), Some("\"1\""));
    assert_eq!(created.body["displayName"], "acme");
    assert_eq!(created.body["throttleGroup"], "acme");
    assert_eq!(created.body["paused"], Value::Null);
    assert!(created.body.get("credentials").is_none());
    let read = bench.caller.get("/v1/accounts/acme").await;
    assert_eq!(read.body, created.body);
    let listed = bench.caller.get("/v1/accounts").await;
    let ids: Vec<_> =
        listed.body["items"].as_array().unwrap().iter().map(|account| account["id"].as_str().unwrap()).collect();
    let demo_accounts = bench.sandbox.demo_accounts(&bench.sandbox_url);
    let mut expected: Vec<_> = demo_accounts.iter().map(|account| account.id).chain(["acme"]).collect();
    expected.sort_unstable();
    assert_eq!(ids, expected);
    bench.caller.post("/v1/accounts", &account("acme")).await.problem(409, "account-exists");
}

#[tokio::test]
async fn what_is_no_account_is_said_with_every_pointer() {
    let bench = Bench::start().await;
    for (change, pointer, code) in [
        (json!({"id": "Not An Id"}), "/id", "validation.invalid_format"),
        (json!({"provider": "nobody"}), "/provider", "validation.invalid_value"),
        (json!({"baseUrl": "http://demo.otms.cn"}), "/baseUrl", "validation.invalid_value"),
        (json!({"baseUrl": "demo.otms.cn"}), "/baseUrl", "validation.invalid_value"),
        (json!({"baseUrl": "https://user:password@demo.otms.cn"}), "/baseUrl", "validation.invalid_value"),
        (json!({"baseUrl": "https://demo.otms.cn?x=1"}), "/baseUrl", "validation.invalid_value"),
        (json!({"credentials": {"username": "x"}}), "/credentials/password", "validation.missing"),
        (
            json!({"credentials": {"username": "x", "password": "y", "token": "z"}}),
            "/credentials/token",
            "validation.unknown_member",
        ),
        (
            json!({"credentials": {"username": "a:b", "password": "y"}}),
            "/credentials/username",
            "validation.invalid_value",
        ),
        (json!({"settings": {"colour": "red"}}), "/settings/colour", "validation.unknown_member"),
        (json!({"settings": {"credentialsIn": "pocket"}}), "/settings/credentialsIn", "validation.invalid_value"),
        (
            json!({"settings": {"requestTimeoutSeconds": 31}}),
            "/settings/requestTimeoutSeconds",
            "validation.out_of_range",
        ),
        (
            json!({"throttles": {"orderImport": {"requests": 0}}}),
            "/throttles/orderImport/requests",
            "validation.out_of_range",
        ),
        (json!({"throttles": {"nothing": {"requests": 1}}}), "/throttles/nothing", "validation.unknown_member"),
        (json!({"throttleGroup": "a b"}), "/throttleGroup", "validation.invalid_format"),
        (json!({"colour": "red"}), "/colour", "validation.unknown_member"),
    ] {
        let mut body = account("acme");
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let answer = bench.caller.post("/v1/accounts", &body).await;
        let found = answer.problem(422, "validation-failed");
        assert_eq!(found, [(pointer.to_owned(), code.to_owned())], "{change}");
        assert!(!answer.body.to_string().contains("a secret of theirs"));
    }
    assert_eq!(bench.database.count("select count(*) from accounts where id = 'acme'").await, 0);
}

#[tokio::test]
async fn accounts_are_for_administrators() {
    let bench = Bench::start().await;
    let writer = bench.key(&["orders:write", "orders:read"], None).await;
    writer.get("/v1/accounts").await.problem(403, "forbidden");
    writer.get("/v1/accounts/otms-demo").await.problem(403, "forbidden");
    writer.get("/v1/accounts/otms-demo/throttle").await.problem(403, "forbidden");
    writer.post("/v1/accounts", &account("acme")).await.problem(403, "forbidden");
    writer.post("/v1/accounts/otms-demo/pause", &Value::Null).await.problem(403, "forbidden");
    let limited = bench.key(&["admin"], Some(&["acme"])).await;
    limited.get("/v1/accounts/otms-demo").await.problem(404, "not-found");
    assert_eq!(limited.get("/v1/accounts").await.body["items"], json!([]));
    assert_eq!(limited.post("/v1/accounts", &account("acme")).await.status, 201);
    limited.post("/v1/accounts", &account("other")).await.problem(403, "forbidden");
}

#[tokio::test]
async fn the_throttle_shows_the_documented_quota_and_the_queue() {
    let bench = Bench::start().await;
    let throttle = async || bench.caller.get("/v1/accounts/otms-demo/throttle").await.body["items"][0].clone();
    let idle = throttle().await;
    assert_eq!(idle["endpoint"], "orderImport");
    assert_eq!((&idle["limit"], &idle["window"], &idle["burst"]), (&json!(40), &json!(1), &json!(1)));
    assert_eq!((&idle["available"], &idle["queued"], &idle["inFlight"]), (&json!(1), &json!(0), &json!(0)));
    assert_eq!((&idle["circuit"], &idle["oldestQueuedAt"]), (&json!("closed"), &Value::Null));

    bench.pause().await;
    let first = bench.caller.post("/v1/orders", &order("SO-1")).await;
    bench.caller.post("/v1/orders", &order("SO-2")).await;
    let busy = throttle().await;
    assert_eq!(busy["queued"], 2);
    assert_eq!(busy["oldestQueuedAt"], first.body["submission"]["createdAt"]);
    let paused = bench.caller.get("/v1/accounts/otms-demo").await.body["paused"].clone();
    assert_eq!(paused["reason"], "paused by an administrator");
}

#[tokio::test]
async fn accounts_of_one_group_share_the_smaller_of_their_limits() {
    let bench = Bench::start().await;
    for (id, requests) in [("one", 10), ("two", 5)] {
        let mut body = account(id);
        body["throttleGroup"] = json!("company");
        body["throttles"] = json!({"orderImport": {"requests": requests}});
        assert_eq!(bench.caller.post("/v1/accounts", &body).await.status, 201);
    }
    for id in ["one", "two"] {
        let throttle = bench.caller.get(&format!("/v1/accounts/{id}/throttle")).await;
        assert_eq!(throttle.body["items"][0]["limit"], 5);
    }
}

/// Sends a merge patch of an account.
async fn patch(bench: &Bench, id: &str, patch: &Value, headers: &[(&str, &str)]) -> Answer {
    bench.caller.send_with(Method::PATCH, &format!("/v1/accounts/{id}"), patch, headers).await
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_nothing_else() {
    let bench = Bench::start().await;
    let mut body = account("acme");
    body["displayName"] = json!("Acme");
    body["settings"] = json!({"branchMap": {"east": "华东", "west": "华西"}, "rejectDraft": false});
    body["throttles"] = json!({"orderImport": {"requests": 10}});
    body["publicCallbackUrl"] = json!("https://gateway.example.com");
    let created = bench.caller.post("/v1/accounts", &body).await;
    assert_eq!(created.status, 201, "{:#}", created.body);

    let change = json!({
        "baseUrl": "https://other.otms.cn",
        "settings": {"branchMap": {"east": "上海", "west": null}, "rejectDraft": null},
        "throttles": {"orderImport": {"inFlight": 2}},
        "publicCallbackUrl": null,
    });
    let changed = patch(&bench, "acme", &change, &[]).await;
    assert_eq!(changed.status, 200, "{:#}", changed.body);
    assert_eq!(changed.header("etag"), Some("\"2\""));
    assert_eq!(changed.body["displayName"], "Acme");
    assert_eq!(changed.body["baseUrl"], "https://other.otms.cn");
    assert_eq!(changed.body["settings"], json!({"branchMap": {"east": "上海"}}));
    assert_eq!(changed.body["throttles"], json!({"orderImport": {"requests": 10, "inFlight": 2}}));
    assert_eq!(changed.body["publicCallbackUrl"], Value::Null);
    assert!(changed.body.get("credentials").is_none());
    assert_eq!(bench.caller.get("/v1/accounts/acme").await.body, changed.body);

    // Null takes a member back to its default.
    let change = json!({"displayName": null, "throttleGroup": null, "settings": null, "throttles": null});
    let changed = patch(&bench, "acme", &change, &[("content-type", "application/merge-patch+json")]).await;
    assert_eq!(changed.status, 200, "{:#}", changed.body);
    assert_eq!((&changed.body["displayName"], &changed.body["throttleGroup"]), (&json!("acme"), &json!("acme")));
    assert_eq!((&changed.body["settings"], &changed.body["throttles"]), (&json!({}), &json!({})));
}

#[tokio::test]
async fn new_credentials_replace_the_old_ones_and_are_used() {
    let bench = Bench::start().await;
    let credentials = bench.sandbox.demo_accounts(&bench.sandbox_url)[0].credentials.clone();
    let mut wrong = serde_json::to_value(&bench.sandbox.demo_accounts(&bench.sandbox_url)[0]).unwrap();
    wrong["id"] = json!("acme");
    wrong["credentials"]["password"] = json!("not the password");
    assert_eq!(bench.caller.post("/v1/accounts", &wrong).await.status, 201);
    // Without a password it is no whole set of credentials: nothing is merged.
    let partial = patch(&bench, "acme", &json!({"credentials": {"username": "x"}}), &[]).await;
    assert_eq!(
        partial.problem(422, "validation-failed"),
        [("/credentials/password".to_owned(), "validation.missing".to_owned())]
    );
    let removed = patch(&bench, "acme", &json!({"credentials": null}), &[]).await;
    assert_eq!(
        removed.problem(422, "validation-failed"),
        [("/credentials".to_owned(), "validation.missing".to_owned())]
    );
    let right = patch(&bench, "acme", &json!({"credentials": credentials}), &[]).await;
    assert_eq!(right.status, 200, "{:#}", right.body);
    let mut order = order("SO-1");
    order["account"] = json!("acme");
    assert_eq!(bench.caller.place(&order).await.body["submission"]["state"], "accepted");
}

#[tokio::test]
async fn what_a_patch_must_not_do_is_said_with_every_pointer() {
    let bench = Bench::start().await;
    assert_eq!(bench.caller.post("/v1/accounts", &account("acme")).await.status, 201);
    for (change, expected) in [
        (json!({"id": "other"}), vec![("/id", "validation.read_only")]),
        (json!({"provider": "otms"}), vec![("/provider", "validation.read_only")]),
        (
            json!({"version": 7, "paused": null}),
            vec![("/paused", "validation.read_only"), ("/version", "validation.read_only")],
        ),
        (
            json!({"colour": "red", "id": "x"}),
            vec![("/colour", "validation.unknown_member"), ("/id", "validation.read_only")],
        ),
        (json!({"baseUrl": null}), vec![("/baseUrl", "validation.missing")]),
        (json!({"baseUrl": "http://demo.otms.cn"}), vec![("/baseUrl", "validation.invalid_value")]),
        (json!({"settings": {"colour": "red"}}), vec![("/settings/colour", "validation.unknown_member")]),
        (json!({"throttles": {"nothing": {}}}), vec![("/throttles/nothing", "validation.unknown_member")]),
        (json!({"throttleGroup": "a b"}), vec![("/throttleGroup", "validation.invalid_format")]),
        (
            json!({"credentials": {"username": "a:b", "password": "y"}}),
            vec![("/credentials/username", "validation.invalid_value")],
        ),
        (json!([]), vec![("", "validation.invalid_type")]),
        (json!(null), vec![("", "validation.invalid_type")]),
    ] {
        let answer = patch(&bench, "acme", &change, &[]).await;
        let mut found = answer.problem(422, "validation-failed");
        found.sort();
        let found: Vec<_> = found.iter().map(|(pointer, code)| (pointer.as_str(), code.as_str())).collect();
        assert_eq!(found, expected, "{change}");
        assert!(!answer.body.to_string().contains("a secret of theirs"));
    }
    assert_eq!(bench.caller.get("/v1/accounts/acme").await.body["version"], 1);
}

#[tokio::test]
async fn if_match_guards_changes_of_an_account() {
    let bench = Bench::start().await;
    assert_eq!(bench.caller.post("/v1/accounts", &account("acme")).await.status, 201);
    let rename = json!({"displayName": "Acme"});
    for stale in ["\"7\"", "W/\"1\"", "\"7\", \"8\""] {
        patch(&bench, "acme", &rename, &[("if-match", stale)]).await.problem(412, "precondition-failed");
    }
    patch(&bench, "acme", &rename, &[("if-match", "1")]).await.problem(400, "malformed-request");
    for (fresh, version) in [("\"1\"", 2), ("\"7\", \"2\"", 3), ("*", 4)] {
        let changed = patch(&bench, "acme", &rename, &[("if-match", fresh)]).await;
        assert_eq!((changed.status, &changed.body["version"]), (200, &json!(version)), "{fresh}");
    }
    let delete =
        |tag: &'static str| send(bench.caller.request(Method::DELETE, "/v1/accounts/acme").header("if-match", tag));
    delete("\"1\"").await.problem(412, "precondition-failed");
    assert_eq!(delete("\"4\"").await.status, 204);
    delete("*").await.problem(404, "not-found");
}

#[tokio::test]
async fn of_changes_at_once_each_counts_and_one_with_a_version_wins() {
    let bench = Bench::start().await;
    assert_eq!(bench.caller.post("/v1/accounts", &account("acme")).await.status, 201);
    let guarded = (0..4).map(|number| {
        let bench = &bench;
        async move {
            let change = json!({"displayName": format!("name {number}")});
            patch(bench, "acme", &change, &[("if-match", "\"1\"")]).await.status
        }
    });
    let mut answers = futures_util::future::join_all(guarded).await;
    answers.sort_unstable();
    assert_eq!(answers, [200, 412, 412, 412]);
    let merged = ["east", "west", "north"].map(|branch| {
        let bench = &bench;
        async move { patch(bench, "acme", &json!({"settings": {"branchMap": {branch: "x"}}}), &[]).await.status }
    });
    assert_eq!(futures_util::future::join_all(merged).await, [200, 200, 200]);
    let account = bench.caller.get("/v1/accounts/acme").await.body;
    assert_eq!(account["settings"]["branchMap"].as_object().unwrap().len(), 3);
}

#[tokio::test]
async fn an_account_with_unfinished_work_stays() {
    let bench = Bench::start().await;
    bench.pause().await;
    let placed = bench.caller.post("/v1/orders", &order("SO-1")).await;
    bench.caller.delete("/v1/accounts/otms-demo").await.problem(409, "state-conflict");
    bench.resume().await;
    bench.database.wait_for_state(placed.submission(), "accepted").await;
    let deleted = bench.caller.delete("/v1/accounts/otms-demo").await;
    assert_eq!((deleted.status, &deleted.body), (204, &Value::Null));
    bench.caller.get("/v1/accounts/otms-demo").await.problem(404, "not-found");
    bench.caller.delete("/v1/accounts/otms-demo").await.problem(404, "not-found");
    // Its orders are history; new ones find no account.
    let path = format!("/v1/orders/{}", placed.id());
    assert_eq!(bench.caller.get(&path).await.body["account"], "otms-demo");
    bench.caller.post("/v1/orders", &order("SO-2")).await.problem(422, "unknown-account");
}

#[tokio::test]
async fn only_administrators_of_an_account_change_or_delete_it() {
    let bench = Bench::start().await;
    for (scopes, accounts, status, kind) in [
        (["orders:write", "orders:read"].as_slice(), None, 403, "forbidden"),
        (["admin"].as_slice(), Some(["elsewhere"].as_slice()), 404, "not-found"),
    ] {
        let key = bench.key(scopes, accounts).await;
        let path = "/v1/accounts/otms-demo";
        key.send_with(Method::PATCH, path, &json!({"displayName": "x"}), &[]).await.problem(status, kind);
        key.delete(path).await.problem(status, kind);
    }
}

#[tokio::test]
async fn a_provider_lies_in_no_network_that_is_not_allowed_whatever_its_name_says() {
    let database = TestDatabase::create().await;
    let (sandbox, url) = start_sandbox().await;
    let bench = Bench::within(AllowedNetworks::default(), database, sandbox, url).await;
    let demo = bench.sandbox.demo_accounts(&bench.sandbox_url).into_iter().find(|account| account.provider == "otms");
    let mut account = serde_json::to_value(demo.unwrap()).unwrap();
    let refused = bench.caller.post("/v1/accounts", &account).await;
    let invalid = ("/baseUrl".to_owned(), "validation.invalid_value".to_owned());
    assert_eq!(refused.problem(422, "validation-failed"), [invalid]);
    // Where the metadata of clouds is.
    account["baseUrl"] = json!("http://169.254.169.254/latest");
    bench.caller.post("/v1/accounts", &account).await.problem(422, "validation-failed");

    // A name is judged when it is dialled.
    account["baseUrl"] = json!(format!("{}/otms", bench.sandbox_url.replace("127.0.0.1", "localhost")));
    assert_eq!(bench.caller.post("/v1/accounts", &account).await.status, 201);
    let created = bench.caller.post_with("/v1/orders", &order("SO-1"), &[("idempotency-key", "k")]).await;
    assert_eq!(created.status, 202, "{:#}", created.body);
    bench
        .database
        .wait_until(
            std::time::Duration::from_secs(30),
            "select exists (select from submissions where state = 'queued' and exchanges > 0)",
        )
        .await;
    let submission = bench.caller.get("/v1/submissions").await.body["items"][0].clone();
    assert_eq!(submission["results"][0]["code"], "transport.connect_failed", "{submission:#}");
    let said = submission["results"].to_string();
    assert!(said.contains("not public"), "{said}");
    assert!(bench.arrived("otms", "orderImport").is_none());
}
