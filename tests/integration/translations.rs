//! `POST /v1/translations`: what would be sent, without sending it.

use serde_json::{Value, json};

use crate::harness::{Bench, order};

fn creation(order: Value) -> Value {
    json!({"account": "otms-demo", "operation": "create", "order": order})
}

#[tokio::test]
async fn a_translation_is_what_would_be_sent_and_nothing_is_kept() {
    let bench = Bench::start().await;
    let mut document = order("SO-1");
    document["deliveryMethod"] = json!("self_pickup");
    let translated = bench.caller.post("/v1/translations", &creation(document.clone())).await;
    assert_eq!(translated.status, 200, "{:#}", translated.body);
    let body = &translated.body;
    assert_eq!((&body["provider"], &body["endpoint"]), (&json!("otms"), &json!("orderImport")));
    assert_eq!(body["request"]["method"], "PUT");
    assert_eq!(body["request"]["url"], format!("{}/otms/ws/orderImport", bench.sandbox_url));
    let headers = body["request"]["headers"].to_string();
    assert!(headers.contains("[\"authorization\",\"***\"]"), "{headers}");
    assert_eq!(body["dropped"], json!(["/deliveryMethod"]));
    assert_eq!(body["results"][0]["code"], "translation.field_dropped");
    let lineage = body["lineage"].as_array().unwrap();
    let number = lineage.iter().find(|entry| entry["pointer"] == "/orderNumber").unwrap();
    assert!(number["target"].as_str().unwrap().contains("erpNumber"), "{number}");
    for table in ["orders", "submissions", "exchanges", "events where order_id is not null"] {
        let mut connection = bench.database.connection().await;
        let statement = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
        let rows: i64 = sqlx::query_scalar(statement).fetch_one(&mut connection).await.unwrap();
        assert_eq!(rows, 0, "{table}");
    }

    // What is sent then is the same to the byte.
    let placed = bench.caller.place(&document).await;
    let attempts = bench.caller.get(&format!("/v1/submissions/{}/attempts", placed.submission())).await;
    let sent = &attempts.body["items"][0]["request"];
    assert_eq!(sent["body"]["content"], body["request"]["body"]);
    assert_eq!((&sent["url"], &sent["headers"]), (&body["request"]["url"], &body["request"]["headers"]));
}

#[tokio::test]
async fn secrets_are_masked_where_they_stand_in_the_document() {
    let bench = Bench::start().await;
    let mut in_document = serde_json::to_value(&bench.sandbox.demo_accounts(&bench.sandbox_url)[0]).unwrap();
    in_document["id"] = json!("otms-xml");
    in_document["settings"]["credentialsIn"] = json!("document");
    assert_eq!(bench.caller.post("/v1/accounts", &in_document).await.status, 201);
    // The account above counts, whether the order names none or another one.
    let mut without = order("SO-1");
    without.as_object_mut().unwrap().remove("account");
    for order in [without, order("SO-1")] {
        let body = json!({"account": "otms-xml", "operation": "create", "order": order});
        let translated = bench.caller.post("/v1/translations", &body).await;
        assert_eq!(translated.status, 200, "{:#}", translated.body);
        assert!(translated.body["request"]["body"].as_str().unwrap().contains("password=\"***\""));
        let password = in_document["credentials"]["password"].as_str().unwrap();
        assert!(!translated.body.to_string().contains(password));
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_with_pointers_into_the_body() {
    let bench = Bench::start().await;
    let refused = async |body: Value, kind: &str| {
        let answer = bench.caller.post("/v1/translations", &body).await;
        let mut found = answer.problem(422, kind);
        found.sort();
        if let ([(pointer, _)], true) = (found.as_slice(), kind != "unknown-account") {
            assert!(answer.body["detail"].as_str().unwrap().starts_with(pointer.as_str()), "{:#}", answer.body);
        }
        found
    };
    let said = |pointer: &str, code: &str| vec![(pointer.to_owned(), code.to_owned())];

    let mut wrong = order("SO-1");
    wrong["colour"] = json!("red");
    wrong["orderNumber"] = json!(5);
    let found = refused(creation(wrong), "validation-failed").await;
    assert_eq!(
        found,
        [said("/order/colour", "validation.unknown_member"), said("/order/orderNumber", "validation.invalid_type")]
            .concat()
    );
    let mut incoherent = order("SO-1");
    incoherent["pickup"]["endTime"] = json!("2026-11-25T07:00:00+08:00");
    assert_eq!(
        refused(creation(incoherent), "validation-failed").await,
        said("/order/pickup/endTime", "validation.inconsistent")
    );
    let mut collecting = order("SO-1");
    collecting["collect"] = json!({"goods": {"amount": 100, "currency": "CNY"}});
    assert_eq!(
        refused(creation(collecting), "unsupported-by-provider").await,
        said("/order/collect", "translation.unsupported_field")
    );
    let mut numbered = order("SO-1");
    numbered["providerOrderNumber"] = json!("X");
    assert_eq!(
        refused(creation(numbered), "validation-failed").await,
        said("/order/providerOrderNumber", "validation.read_only")
    );
    let mut changing = creation(order("SO-1"));
    changing["changes"] = json!({"remarks": "x"});
    assert_eq!(refused(changing, "validation-failed").await, said("/changes", "validation.inconsistent"));
    let mut elsewhere = creation(order("SO-1"));
    elsewhere["account"] = json!("nobody");
    assert_eq!(refused(elsewhere, "unknown-account").await, said("/account", "validation.unknown_account"));
    let mut unknown = creation(order("SO-1"));
    unknown["operation"] = json!("destroy");
    assert_eq!(refused(unknown, "validation-failed").await, said("/operation", "validation.invalid_value"));
    let found = refused(json!({}), "validation-failed").await;
    let pointers: Vec<_> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(pointers, ["/account", "/operation", "/order"]);
}

#[tokio::test]
async fn changes_are_checked_as_the_order_would_be_with_them() {
    let bench = Bench::start().await;
    let refused = async |operation: &str, changes: Value, kind: &str| {
        let body = json!({"account": "otms-demo", "operation": operation, "order": order("SO-1"), "changes": changes});
        bench.caller.post("/v1/translations", &body).await.problem(422, kind)
    };
    for (operation, changes, kind, pointer, code) in [
        ("amend", json!({"colour": 1}), "validation-failed", "/changes/colour", "validation.unknown_member"),
        ("amend", json!({"shipFrom": null}), "validation-failed", "/changes/shipFrom", "validation.missing"),
        (
            "amend",
            json!({"pickup": {"endTime": "2026-11-25T07:00:00+08:00"}}),
            "validation-failed",
            "/changes/pickup/endTime",
            "validation.inconsistent",
        ),
        (
            "amend",
            json!({"shipTo": {"externalId": "W"}}),
            "validation-failed",
            "/order/shipTo/address",
            "validation.inconsistent",
        ),
        (
            "amend",
            json!({"orderNumber": "SO-2"}),
            "field-not-amendable",
            "/changes/orderNumber",
            "translation.field_not_amendable",
        ),
        (
            "update_custom_fields",
            json!({"remarks": "x"}),
            "validation-failed",
            "/changes/remarks",
            "validation.unknown_member",
        ),
        ("amend", json!([]), "validation-failed", "/changes", "validation.invalid_type"),
    ] {
        let found = refused(operation, changes.clone(), kind).await;
        assert!(found.contains(&(pointer.to_owned(), code.to_owned())), "{changes}: {found:?}");
    }
    let body = json!({"account": "otms-demo", "operation": "update_custom_fields", "order": order("SO-1")});
    let found = bench.caller.post("/v1/translations", &body).await.problem(422, "validation-failed");
    assert_eq!(found, [("/changes".to_owned(), "validation.missing".to_owned())]);
}

#[tokio::test]
async fn an_operation_that_the_provider_has_not() {
    let bench = Bench::start().await;
    let profile = onelane::provider::find("otms").unwrap().profile();
    for (operation, document_type) in [("create", "customer_order"), ("create_trip", "transport_order")] {
        let mut document = order("SO-1");
        document["documentType"] = json!(document_type);
        let body = json!({"account": "otms-demo", "operation": operation, "order": document});
        let answer = bench.caller.post("/v1/translations", &body).await;
        answer.problem(422, "unsupported-by-provider");
        assert!(answer.body["detail"].as_str().unwrap().contains(profile.name));
    }
}

#[tokio::test]
async fn who_reads_or_writes_orders_may_translate_them() {
    let bench = Bench::start().await;
    let body = creation(order("SO-1"));
    let path = "/v1/translations";
    for scope in ["orders:read", "orders:write", "admin"] {
        assert_eq!(bench.key(&[scope], None).await.post(path, &body).await.status, 200, "{scope}");
    }
    bench.caller.without_key().post(path, &body).await.problem(401, "unauthenticated");
    let elsewhere = bench.key(&["orders:read"], Some(&["elsewhere"])).await;
    elsewhere.post(path, &body).await.problem(422, "unknown-account");
    bench.caller.post_bytes(path, "text/plain", body.to_string()).await.problem(415, "unsupported-media-type");
}
