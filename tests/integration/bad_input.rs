//! Bad input from callers: a clear problem each, and nothing is stored.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Bench, RawConnection, order, send};

/// Sends an order with one change and gives what is said of it.
async fn refused(bench: &Bench, change: impl FnOnce(&mut Value)) -> Vec<(String, String)> {
    let mut order = order("SO-1");
    change(&mut order);
    let found = bench.caller.post("/v1/orders", &order).await.problem(422, "validation-failed");
    assert_eq!(bench.database.count("select count(*) from orders").await, 0);
    found
}

fn said(pointer: &str, code: &str) -> Vec<(String, String)> {
    vec![(pointer.to_owned(), code.to_owned())]
}

#[tokio::test]
async fn malformed_json() {
    let bench = Bench::start().await;
    for body in ["", "{", "{\"account\": \"otms-demo\",}", "nonsense", "{} {}", "\u{feff}{}"] {
        let answer = bench.caller.post_bytes("/v1/orders", "application/json", body.to_owned()).await;
        answer.problem(400, "malformed-request");
    }
    let answer = bench.caller.post_bytes("/v1/orders", "application/json", b"{\"account\": \"\xff\"}".to_vec()).await;
    answer.problem(400, "malformed-request");
}

#[tokio::test]
async fn a_body_that_is_packed() {
    let bench = Bench::start().await;
    let packed = [("content-encoding", "gzip")];
    bench.caller.post_with("/v1/orders", &order("SO-1"), &packed).await.problem(415, "unsupported-media-type");
    let plain = [("content-encoding", "identity")];
    assert_eq!(bench.caller.post_with("/v1/orders", &order("SO-1"), &plain).await.status, 202);
}

#[tokio::test]
async fn heads_of_requests_that_are_too_long() {
    let bench = Bench::start().await;
    let long = "x".repeat(128 * 1024);
    for (head, statuses) in [
        (format!("GET /v1/orders?{long} HTTP/1.1\r\nhost: onelane\r\n\r\n"), [414, 431]),
        (format!("GET /v1/orders HTTP/1.1\r\nhost: onelane\r\nx-long: {long}\r\n\r\n"), [431, 431]),
        (format!("GET /v1/orders HTTP/1.1\r\nhost: onelane\r\n{}\r\n", "x-many: 1\r\n".repeat(200)), [431, 431]),
    ] {
        let mut connection = RawConnection::open(&bench.base_url).await;
        connection.send(&head).await;
        let answer = connection.answer().await;
        assert!(statuses.contains(&answer.status), "{} for {}", answer.status, &head[..40]);
    }
    assert_eq!(bench.caller.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn another_media_type() {
    let bench = Bench::start().await;
    for content_type in ["text/plain", "application/xml", "application/x-www-form-urlencoded"] {
        let answer = bench.caller.post_bytes("/v1/orders", content_type, order("SO-1").to_string()).await;
        answer.problem(415, "unsupported-media-type");
    }
}

#[tokio::test]
async fn unknown_members_each_with_its_pointer() {
    let bench = Bench::start().await;
    let found = refused(&bench, |order| {
        order["colour"] = json!("red");
        order["shipTo"]["address"]["plän/et~"] = json!("Mars");
        order["lines"][0]["weight"] = json!(1);
        order["extensions"] = json!({"nobody": {}, "otms": {"importId": "x"}});
    })
    .await;
    let mut found: Vec<_> = found.into_iter().filter(|(_, code)| code == "validation.unknown_member").collect();
    found.sort();
    let pointers: Vec<_> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(
        pointers,
        ["/colour", "/extensions/nobody", "/extensions/otms/importId", "/lines/0/weight", "/shipTo/address/plän~1et~0"]
    );
}

#[tokio::test]
async fn members_that_are_read_only() {
    let bench = Bench::start().await;
    for member in ["id", "status", "version", "createdAt", "submission", "provider", "documentComplete"] {
        let found = refused(&bench, |order| order[member] = json!("x")).await;
        assert_eq!(found, said(&format!("/{member}"), "validation.unknown_member"));
    }
}

#[tokio::test]
async fn wrong_types_all_at_once() {
    let bench = Bench::start().await;
    let mut found = refused(&bench, |order| {
        order["orderNumber"] = json!(5);
        order["shipTo"]["contact"] = json!("Li Si");
        order["lines"][0]["quantity"] = json!(true);
        order["cargo"]["packagingClass"] = json!("loose");
        order["remarks"] = Value::Null;
    })
    .await;
    found.sort();
    let found: Vec<_> = found.iter().map(|(pointer, code)| (pointer.as_str(), code.as_str())).collect();
    assert_eq!(
        found,
        [
            ("/cargo/packagingClass", "validation.invalid_value"),
            ("/lines/0/quantity", "validation.invalid_type"),
            ("/orderNumber", "validation.invalid_type"),
            ("/remarks", "validation.invalid_type"),
            ("/shipTo/contact", "validation.invalid_type"),
        ]
    );
}

#[tokio::test]
async fn required_members() {
    let bench = Bench::start().await;
    let answer = bench.caller.post("/v1/orders", &json!({})).await;
    let mut pointers: Vec<_> =
        answer.problem(422, "validation-failed").into_iter().map(|(pointer, _)| pointer).collect();
    pointers.sort();
    assert_eq!(pointers, ["/account", "/orderNumber", "/shipFrom"]);
    for body in [json!([]), json!("order"), json!(null), json!(1)] {
        let answer = bench.caller.post("/v1/orders", &body).await;
        assert_eq!(answer.problem(422, "validation-failed"), said("", "validation.invalid_type"), "{body}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_read_whole() {
    let bench = Bench::start().await;
    let limit = 10 * 1024 * 1024;
    let mut body = order("SO-1").to_string().into_bytes();
    body.resize(limit + 1, b' ');
    bench.caller.post_bytes("/v1/orders", "application/json", body.clone()).await.problem(413, "body-too-large");
    // Without a length said beforehand, too.
    let chunks: Vec<Result<Vec<u8>, std::io::Error>> = body.chunks(1 << 20).map(|chunk| Ok(chunk.to_vec())).collect();
    let stream = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
    bench.caller.post_bytes("/v1/orders", "application/json", stream).await.problem(413, "body-too-large");
    body.truncate(limit);
    assert_eq!(bench.caller.post_bytes("/v1/orders", "application/json", body).await.status, 202);
}

#[tokio::test]
async fn deep_nesting() {
    let bench = Bench::start().await;
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let body = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        bench.caller.post_bytes("/v1/orders", "application/json", body).await.problem(400, "malformed-request");
    }
}

#[tokio::test]
async fn too_long_too_many_too_big() {
    let bench = Bench::start().await;
    let found = refused(&bench, |order| order["orderNumber"] = json!("x".repeat(65))).await;
    assert_eq!(found, said("/orderNumber", "validation.too_long"));
    let found = refused(&bench, |order| order["orderNumber"] = json!("")).await;
    assert_eq!(found, said("/orderNumber", "validation.too_short"));
    let found = refused(&bench, |order| order["lines"] = json!(vec![json!({"sku": "A"}); 501])).await;
    assert_eq!(found, said("/lines", "validation.too_long"));
    let found = refused(&bench, |order| order["lines"][0]["maxStackLayers"] = json!(9)).await;
    assert_eq!(found, said("/lines/0/maxStackLayers", "validation.out_of_range"));

    // 64 characters, not bytes.
    let mut longest = order("SO-1");
    longest["orderNumber"] = json!("单".repeat(64));
    assert_eq!(bench.caller.post("/v1/orders", &longest).await.status, 202);
}

#[tokio::test]
async fn decimals_out_of_range() {
    let bench = Bench::start().await;
    for (weight, code) in [
        ("-1", "validation.out_of_range"),
        ("1000000000000000000", "validation.out_of_range"),
        ("0.0000001", "validation.out_of_range"),
        ("\"-1\"", "validation.invalid_format"),
        ("\"1,5\"", "validation.invalid_format"),
        ("\"NaN\"", "validation.invalid_format"),
        ("1e400", "validation.out_of_range"),
    ] {
        let body = order("SO-1").to_string().replace("2110", weight);
        let answer = bench.caller.post_bytes("/v1/orders", "application/json", body).await;
        assert_eq!(answer.problem(422, "validation-failed"), said("/lines/0/grossWeight", code), "{weight}");
    }
}

#[tokio::test]
async fn control_characters() {
    let bench = Bench::start().await;
    for character in ["\u{0}", "\u{1}", "\u{fffe}", "\u{7f}"] {
        let found = refused(&bench, |order| order["remarks"] = json!(format!("a{character}b"))).await;
        assert_eq!(found, said("/remarks", "validation.control_character"), "{character:?}");
    }
}

#[tokio::test]
async fn what_reaches_the_provider_is_what_was_written() {
    let bench = Bench::start().await;
    let text = "a<b>&\"'\t\n]]> <!-- 中文 \u{1F69A} </orderRemarks>";
    let mut order = order("SO-1");
    order["remarks"] = json!(text);
    let placed = bench.caller.place(&order).await;
    assert_eq!(placed.body["submission"]["state"], "accepted", "{:#}", placed.body);
    let document = serde_json::to_value(&bench.books("SO-1")[0]).unwrap()["document"].clone();
    assert_eq!(document["orderRemarks"], text);
}

#[tokio::test]
async fn an_unknown_account() {
    let bench = Bench::start().await;
    let mut order = order("SO-1");
    order["account"] = json!("nobody");
    let answer = bench.caller.post("/v1/orders", &order).await;
    assert_eq!(answer.problem(422, "unknown-account"), said("/account", "validation.unknown_account"));
}

#[tokio::test]
async fn what_the_provider_cannot_carry() {
    let bench = Bench::start().await;
    let mut collecting = order("SO-1");
    collecting["collect"] = json!({"goods": {"amount": 100, "currency": "CNY"}});
    let answer = bench.caller.post("/v1/orders", &collecting).await;
    assert_eq!(answer.problem(422, "unsupported-by-provider"), said("/collect", "translation.unsupported_field"));
    let mut acceptance = order("SO-1");
    acceptance["documentType"] = json!("customer_order");
    bench.caller.post("/v1/orders", &acceptance).await.problem(422, "unsupported-by-provider");
}

#[tokio::test]
async fn no_key_a_wrong_key_a_key_without_the_scope() {
    let bench = Bench::start().await;
    let path = "/v1/orders";
    let answer = bench.caller.without_key().post(path, &order("SO-1")).await;
    answer.problem(401, "unauthenticated");
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    bench.caller.with_key("olk_wrong").post(path, &order("SO-1")).await.problem(401, "unauthenticated");
    let basic = bench.caller.without_key().request(Method::GET, path).basic_auth("user", Some("password"));
    send(basic).await.problem(401, "unauthenticated");
    let reader = bench.key(&["orders:read"], None).await;
    reader.post(path, &order("SO-1")).await.problem(403, "forbidden");
    assert_eq!(reader.get(path).await.status, 200);
    let writer = bench.key(&["orders:write"], None).await;
    writer.get(path).await.problem(403, "forbidden");
    assert_eq!(writer.post(path, &order("SO-1")).await.status, 202);
}

#[tokio::test]
async fn paths_and_methods_that_are_not_there() {
    let bench = Bench::start().await;
    bench.caller.get("/v1/nothing").await.problem(404, "not-found");
    bench.caller.get("/v1/orders/not-an-id").await.problem(404, "not-found");
    bench.caller.get("/v1/orders/018f2b5c-0000-7000-8000-000000000000").await.problem(404, "not-found");
    let answer = bench.caller.delete("/v1/orders").await;
    answer.problem(405, "method-not-allowed");
    assert!(answer.header("allow").unwrap().contains("POST"));
}

#[tokio::test]
async fn request_ids_are_taken_or_made() {
    let bench = Bench::start().await;
    let with = async |id: &str| {
        let answer = send(bench.caller.request(Method::GET, "/v1/orders/x").header("x-request-id", id)).await;
        answer.problem(404, "not-found");
        answer.header("x-request-id").unwrap().to_owned()
    };
    assert_eq!(with("abc-123").await, "abc-123");
    let long = "x".repeat(500);
    assert_ne!(with(&long).await, long);
    assert_ne!(with("a b").await, "a b");
}
