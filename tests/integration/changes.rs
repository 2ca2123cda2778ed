//! Changes to orders: amendments, custom fields, their rules, their sequence.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Bench, order};

/// PATCH, and waits for the end.
async fn patch(bench: &Bench, id: &str, change: &Value) -> Answer {
    patch_with(bench, id, change, &[("prefer", "wait=30")]).await
}

async fn patch_with(bench: &Bench, id: &str, change: &Value, headers: &[(&str, &str)]) -> Answer {
    bench.caller.send_with(Method::PATCH, &format!("/v1/orders/{id}"), change, headers).await
}

async fn custom_fields(bench: &Bench, id: &str, fields: Value) -> Answer {
    let path = format!("/v1/orders/{id}/custom-fields");
    bench.caller.send_with(Method::PATCH, &path, &json!({"customFields": fields}), &[("prefer", "wait=30")]).await
}

fn held(bench: &Bench, number: &str) -> Value {
    serde_json::to_value(&bench.books(number)[0]).unwrap()
}

#[tokio::test]
async fn an_amendment_reaches_the_provider_and_the_document() {
    let bench = Bench::start().await;
    let placed = bench.caller.place(&order("SO-1")).await;
    let change = json!({"remarks": "call first", "shipTo": {"contact": {"mobile": null, "phone": "021-12345678"}}});
    let amended = patch(&bench, placed.id(), &change).await;
    assert_eq!((amended.status, amended.header("preference-applied")), (200, Some("wait=30")), "{:#}", amended.body);
    assert_eq!(amended.body["submission"]["operation"], "amend");
    assert_eq!(amended.body["submission"]["state"], "accepted", "{:#}", amended.body);
    assert_eq!(amended.body["remarks"], "call first");
    assert_eq!(amended.body["shipTo"]["contact"], json!({"name": "李四", "phone": "021-12345678"}));
    let held = held(&bench, "SO-1");
    assert_eq!((&held["created"], &held["amended"]), (&json!(1), &json!(1)));
    assert_eq!(held["document"]["orderRemarks"], "call first");
    assert_eq!(held["document"]["shipTo"]["contact"]["phone"], "12345678");
    assert!(amended.body["version"].as_i64() > placed.body["version"].as_i64());
    let events: Vec<String> =
        bench.database.texts("select type from events where type like 'order.%' order by recorded_at").await;
    assert_eq!(events, ["order.placed", "order.amended"]);
}

#[tokio::test]
async fn a_rejected_change_is_taken_back_out_of_the_document() {
    let bench = Bench::start().await;
    let placed = bench.caller.place(&order("SO-1")).await;
    bench.pause().await;
    let change = json!({"customer": {"code": "UNKNOWN-CLIENT"}});
    let queued = patch_with(&bench, placed.id(), &change, &[]).await;
    assert_eq!(queued.status, 202);
    // Pending: it shows what will stand if all goes well.
    assert_eq!(queued.body["customer"]["code"], "UNKNOWN-CLIENT");
    bench.resume().await;
    bench.database.wait_for_state(queued.submission(), "rejected").await;
    let read = bench.caller.get(&format!("/v1/orders/{}", placed.id())).await;
    assert_eq!(read.body["customer"], Value::Null);
    assert_eq!(read.body["status"], "requested");
    assert_eq!(read.body["submission"]["results"][0]["rawCode"], "1000");
    assert!(read.body["version"].as_i64() > queued.body["version"].as_i64());
}

#[tokio::test]
async fn changes_wait_their_turn_and_add_up() {
    let bench = Bench::start().await;
    bench.pause().await;
    let created = bench.caller.post("/v1/orders", &order("SO-1")).await;
    let first = patch_with(&bench, created.id(), &json!({"remarks": "one"}), &[]).await;
    assert_eq!(first.body["submission"]["heldBy"], "earlier_submission");
    let second = patch_with(&bench, created.id(), &json!({"customerReference": "two"}), &[]).await;
    assert_eq!((&second.body["remarks"], &second.body["customerReference"]), (&json!("one"), &json!("two")));
    bench.resume().await;
    bench.database.wait_for_state(second.submission(), "accepted").await;
    let held = held(&bench, "SO-1");
    assert_eq!((&held["created"], &held["amended"]), (&json!(1), &json!(2)));
    assert_eq!(held["document"]["orderRemarks"], "one");
    assert_eq!(held["document"]["clientReferenceNumber"], "two");
    let submissions = bench.caller.get(&format!("/v1/orders/{}/submissions", created.id())).await;
    let operations: Vec<_> =
        submissions.body["items"].as_array().unwrap().iter().map(|it| it["operation"].as_str().unwrap()).collect();
    assert_eq!(operations, ["create", "amend", "amend"]);
}

#[tokio::test]
async fn what_waits_behind_a_failed_creation_is_cancelled() {
    let bench = Bench::start().await;
    bench.pause().await;
    let mut wrong = order("SO-1");
    wrong["customer"] = json!({"code": "UNKNOWN"});
    let created = bench.caller.post("/v1/orders", &wrong).await;
    let amended = patch_with(&bench, created.id(), &json!({"remarks": "x"}), &[]).await;
    bench.resume().await;
    bench.database.wait_for_state(created.submission(), "rejected").await;
    bench.database.wait_for_state(amended.submission(), "cancelled").await;
    let read = bench.caller.get(&format!("/v1/submissions/{}", amended.submission())).await;
    assert_eq!(read.body["results"][0]["code"], "gateway.predecessor_failed");
    assert_eq!(bench.caller.get(&format!("/v1/orders/{}", created.id())).await.body["remarks"], Value::Null);
}

#[tokio::test]
async fn a_patch_of_a_rejected_order_is_a_corrected_creation() {
    let bench = Bench::start().await;
    let mut wrong = order("SO-1");
    wrong["customer"] = json!({"code": "UNKNOWN"});
    let placed = bench.caller.place(&wrong).await;
    assert_eq!(placed.body["status"], "rejected");
    let corrected = patch(&bench, placed.id(), &json!({"customer": {"code": "KNOWN"}})).await;
    assert_eq!(corrected.body["submission"]["operation"], "create");
    assert_eq!(
        (&corrected.body["submission"]["state"], &corrected.body["status"]),
        (&json!("accepted"), &json!("requested"))
    );
    assert_eq!(corrected.body["customer"]["code"], "KNOWN");
    let held = held(&bench, "SO-1");
    assert_eq!(
        (&held["created"], &held["amended"], &held["document"]["clientCode"]),
        (&json!(1), &json!(0), &json!("KNOWN"))
    );
    // From now on it is an order like any other.
    let amended = patch(&bench, placed.id(), &json!({"remarks": "x"})).await;
    assert_eq!(amended.body["submission"]["operation"], "amend");
}

#[tokio::test]
async fn an_order_that_left_the_inbox_is_not_amended() {
    let bench = Bench::start().await;
    let mut released = order("SO-1");
    released["dispatch"] = json!({"mode": "release"});
    let placed = bench.caller.place(&released).await;
    let amended = patch(&bench, placed.id(), &json!({"remarks": "x"})).await;
    assert_eq!(amended.body["submission"]["state"], "rejected");
    assert_eq!(amended.body["submission"]["results"][0]["rawCode"], "1024");
    assert_eq!(amended.body["status"], "requested");
    assert_eq!(amended.body["remarks"], Value::Null);
}

#[tokio::test]
async fn lines_are_replaced_as_a_whole_and_new_ones_get_ids() {
    let bench = Bench::start().await;
    let placed = bench.caller.place(&order("SO-1")).await;
    assert_eq!(placed.body["lines"][0]["lineId"], "1");
    let lines =
        json!([{"lineId": "1", "sku": "A", "name": "a", "quantity": 1}, {"sku": "B", "name": "b", "quantity": 2}]);
    let amended = patch(&bench, placed.id(), &json!({"lines": lines})).await;
    assert_eq!(amended.body["submission"]["state"], "accepted", "{:#}", amended.body);
    let ids: Vec<_> =
        amended.body["lines"].as_array().unwrap().iter().map(|line| line["lineId"].as_str().unwrap()).collect();
    assert_eq!(ids, ["1", "2"]);
}

#[tokio::test]
async fn what_cannot_be_changed() {
    let bench = Bench::start().await;
    let placed = bench.caller.place(&order("SO-1")).await;
    let id = placed.id();
    for (change, kind, pointer, code) in [
        (json!({"orderNumber": "SO-2"}), "field-not-amendable", "/orderNumber", "translation.field_not_amendable"),
        (json!({"account": "other"}), "field-not-amendable", "/account", "translation.field_not_amendable"),
        (
            json!({"documentType": "customer_order"}),
            "field-not-amendable",
            "/documentType",
            "translation.field_not_amendable",
        ),
        (
            json!({"providerOrderNumber": "X"}),
            "field-not-amendable",
            "/providerOrderNumber",
            "translation.field_not_amendable",
        ),
        (json!({"status": "completed"}), "validation-failed", "/status", "validation.unknown_member"),
        (json!({"colour": "red"}), "validation-failed", "/colour", "validation.unknown_member"),
        (json!({"shipFrom": null}), "validation-failed", "/shipFrom", "validation.missing"),
        (json!({"shipTo": null}), "validation-failed", "/shipTo", "validation.missing"),
        (json!({}), "validation-failed", "", "validation.missing"),
        (json!([]), "validation-failed", "", "validation.invalid_type"),
        (
            json!({"collect": {"goods": {"amount": 1, "currency": "CNY"}}}),
            "unsupported-by-provider",
            "/collect",
            "translation.unsupported_field",
        ),
    ] {
        let answer = patch_with(&bench, id, &change, &[]).await;
        assert_eq!(answer.problem(422, kind), [(pointer.to_owned(), code.to_owned())], "{change}");
    }
    // What says again what stands is no change of identity.
    assert_eq!(patch(&bench, id, &json!({"orderNumber": "SO-1", "remarks": "x"})).await.status, 200);
    patch_with(&bench, "018f2b5c-0000-7000-8000-000000000000", &json!({"remarks": "x"}), &[])
        .await
        .problem(404, "not-found");
    let reader = bench.key(&["orders:read"], None).await;
    let path = format!("/v1/orders/{id}");
    reader.send_with(Method::PATCH, &path, &json!({"remarks": "x"}), &[]).await.problem(403, "forbidden");
    let text = bench.caller.request(Method::PATCH, &path).header("content-type", "text/plain").body("{}");
    crate::harness::send(text).await.problem(415, "unsupported-media-type");
}

#[tokio::test]
async fn a_change_is_made_to_the_version_that_the_caller_has_seen() {
    let bench = Bench::start().await;
    let placed = bench.caller.place(&order("SO-1")).await;
    let seen = bench.caller.get(&format!("/v1/orders/{}", placed.id())).await.header("etag").unwrap().to_owned();
    let headers = [("if-match", seen.as_str()), ("prefer", "wait=30")];
    let first = patch_with(&bench, placed.id(), &json!({"remarks": "one"}), &headers).await;
    assert_eq!(first.status, 200);
    patch_with(&bench, placed.id(), &json!({"remarks": "two"}), &headers).await.problem(412, "precondition-failed");
    let now = first.header("etag").unwrap().to_owned();
    let again = patch_with(&bench, placed.id(), &json!({"remarks": "two"}), &[("if-match", &now)]).await;
    assert_eq!(again.status, 202);
    patch_with(&bench, placed.id(), &json!({"remarks": "x"}), &[("if-match", "1")])
        .await
        .problem(400, "malformed-request");
}

#[tokio::test]
async fn a_repeated_change_is_made_once() {
    let bench = Bench::start().await;
    let placed = bench.caller.place(&order("SO-1")).await;
    let headers = [("idempotency-key", "k1"), ("prefer", "wait=30")];
    let first = patch_with(&bench, placed.id(), &json!({"remarks": "one"}), &headers).await;
    let replay = patch_with(&bench, placed.id(), &json!({"remarks": "one"}), &headers).await;
    assert_eq!((replay.status, replay.header("idempotency-replayed")), (200, Some("true")));
    assert_eq!(replay.submission(), first.submission());
    assert_eq!(held(&bench, "SO-1")["amended"], 1);
    patch_with(&bench, placed.id(), &json!({"remarks": "two"}), &headers).await.problem(422, "idempotency-key-reused");
}

#[tokio::test]
async fn custom_fields_go_by_their_own_interface() {
    let bench = Bench::start().await;
    let mut document = order("SO-1");
    document["customFields"] = json!({"text1": "one", "text2": "two"});
    let placed = bench.caller.place(&document).await;
    let updated =
        custom_fields(&bench, placed.id(), json!({"text2": null, "text3": "three", "number1": "42.50"})).await;
    assert_eq!(updated.status, 200, "{:#}", updated.body);
    let submission = &updated.body["submission"];
    assert_eq!(
        (&submission["operation"], &submission["state"]),
        (&json!("update_custom_fields"), &json!("accepted")),
        "{submission:#}"
    );
    assert_eq!(submission["endpoint"], "orderCustomUpdate");
    assert_eq!(updated.body["customFields"].to_string(), r#"{"number1":"42.50","text1":"one","text3":"three"}"#);
    let held = held(&bench, "SO-1");
    assert_eq!((&held["amended"], &held["customFieldUpdates"]), (&json!(0), &json!(1)));
    assert_eq!(
        held["document"]["customFields"],
        json!({"customText1": "one", "customText3": "three", "customNum1": "42.50"})
    );

    let path = format!("/v1/orders/{}/custom-fields", placed.id());
    let other = bench.caller.send_with(Method::PATCH, &path, &json!({"remarks": "x"}), &[]).await;
    assert_eq!(
        other.problem(422, "validation-failed"),
        [("/remarks".to_owned(), "validation.unknown_member".to_owned())]
    );
}

#[tokio::test]
async fn an_adopted_order_is_changed_like_any_other_once_it_is_whole() {
    let bench = Bench::start().await;
    // Made elsewhere: oTMS knows it by its own number.
    let placed = bench.caller.place(&order("ELSEWHERE")).await;
    let number = placed.body["providerOrderNumber"].clone();
    let adopt = json!({"account": "otms-demo", "orderNumber": "OURS", "providerOrderNumber": number});
    let adopted = bench.caller.post("/v1/orders/adopt", &adopt).await;
    assert_eq!(adopted.status, 201, "{:#}", adopted.body);
    assert_eq!((&adopted.body["status"], &adopted.body["documentComplete"]), (&json!("unknown"), &json!(false)));
    assert_eq!(adopted.body["providerOrderNumber"], number);
    assert_eq!(adopted.body["submission"], Value::Null);
    let again = bench.caller.post("/v1/orders/adopt", &adopt).await;
    assert_eq!((again.status, again.id()), (200, adopted.id()));

    // oTMS takes an amendment only as a whole.
    let partial = patch_with(&bench, adopted.id(), &json!({"remarks": "x"}), &[]).await;
    let missing: Vec<_> =
        partial.problem(409, "incomplete-provider-state").into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(missing, ["/shipFrom", "/shipTo"]);
    // Custom fields have their own interface.
    let updated = custom_fields(&bench, adopted.id(), json!({"text1": "x"})).await;
    assert_eq!(updated.body["submission"]["state"], "accepted", "{:#}", updated.body);
    assert_eq!(updated.body["documentComplete"], false);

    let mut whole = order("OURS");
    whole.as_object_mut().unwrap().remove("account");
    whole.as_object_mut().unwrap().remove("orderNumber");
    whole["remarks"] = json!("whole");
    let amended = patch(&bench, adopted.id(), &whole).await;
    assert_eq!(amended.body["submission"]["state"], "accepted", "{:#}", amended.body);
    assert_eq!((&amended.body["documentComplete"], &amended.body["status"]), (&json!(true), &json!("requested")));
    let held = held(&bench, "ELSEWHERE");
    assert_eq!((&held["amended"], &held["document"]["orderRemarks"]), (&json!(1), &json!("whole")));
}

#[tokio::test]
async fn an_adopted_order_gets_its_number_later_and_keeps_it() {
    let bench = Bench::start().await;
    let adopt = |number: Option<&str>| {
        let mut body = json!({"account": "otms-demo", "orderNumber": "OURS"});
        if let Some(number) = number {
            body["providerOrderNumber"] = json!(number);
        }
        body
    };
    let adopted = bench.caller.post("/v1/orders/adopt", &adopt(None)).await;
    assert_eq!(adopted.body["providerOrderNumber"], Value::Null);
    let numbered = bench.caller.post("/v1/orders/adopt", &adopt(Some("OT-1"))).await;
    assert_eq!((numbered.status, &numbered.body["providerOrderNumber"]), (200, &json!("OT-1")));
    assert!(numbered.body["version"].as_i64() > adopted.body["version"].as_i64());
    let again = bench.caller.post("/v1/orders/adopt", &adopt(Some("OT-2"))).await;
    assert_eq!(again.body["providerOrderNumber"], "OT-1");
}

#[tokio::test]
async fn what_is_no_adoption() {
    let bench = Bench::start().await;
    for (body, kind, pointer) in [
        (json!({"account": "nobody", "orderNumber": "1"}), "unknown-account", "/account"),
        (json!({"account": "otms-demo"}), "validation-failed", "/orderNumber"),
        (
            json!({"account": "otms-demo", "orderNumber": "1", "order": {"orderNumber": "2"}}),
            "validation-failed",
            "/order/orderNumber",
        ),
        (
            json!({"account": "otms-demo", "orderNumber": "1", "order": {"colour": "red"}}),
            "validation-failed",
            "/order/colour",
        ),
        (json!({"account": "otms-demo", "orderNumber": "1", "colour": "red"}), "validation-failed", "/colour"),
    ] {
        let found = bench.caller.post("/v1/orders/adopt", &body).await.problem(422, kind);
        assert_eq!(found[0].0, pointer, "{body}");
    }
    assert_eq!(bench.database.count("select count(*) from orders").await, 0);
}

/// Creates, amendments, custom fields and cancellations on the same orders, all at once.
#[tokio::test]
async fn a_mixed_load_keeps_the_sequence_of_each_order() {
    let bench = Bench::start().await;
    let orders = (0..12).map(async |number| {
        let created = bench.caller.post("/v1/orders", &order(&format!("SO-{number}"))).await;
        assert_eq!(created.status, 202);
        for step in 0..3 {
            let amended = patch_with(&bench, created.id(), &json!({"remarks": format!("{step}")}), &[]).await;
            assert_eq!(amended.status, 202, "{:#}", amended.body);
            let path = format!("/v1/orders/{}/custom-fields", created.id());
            let fields = json!({"customFields": {"text1": format!("{step}")}});
            assert_eq!(bench.caller.send_with(Method::PATCH, &path, &fields, &[]).await.status, 202);
        }
        // Too late, or just in time: either way it is one or the other.
        if number % 4 == 0 {
            let cancelled = bench.caller.post(&format!("/v1/orders/{}/cancel", created.id()), &Value::Null).await;
            assert!(matches!(cancelled.status, 200 | 422), "{:#}", cancelled.body);
        }
        created.id().to_owned()
    });
    let ids = futures_util::future::join_all(orders).await;
    bench.database.wait_until_all_ended(std::time::Duration::from_secs(60)).await;
    for id in ids {
        let read = bench.caller.get(&format!("/v1/orders/{id}")).await.body;
        let books = bench.books(read["orderNumber"].as_str().unwrap());
        if read["status"] == "cancelled" {
            assert!(books.is_empty());
            continue;
        }
        let held = serde_json::to_value(&books[0]).unwrap();
        assert_eq!(
            (&held["created"], &held["amended"], &held["customFieldUpdates"]),
            (&json!(1), &json!(3), &json!(3))
        );
        assert_eq!(
            (&held["document"]["orderRemarks"], &held["document"]["customFields"]["customText1"]),
            (&json!("2"), &json!("2"))
        );
        assert_eq!((&read["remarks"], &read["customFields"]["text1"]), (&json!("2"), &json!("2")));
    }
    // Each went out after the one before it had ended.
    let overtaken = bench.database.count(
        "select count(*) from submissions a join submissions b on b.order_id = a.order_id and b.sequence > a.sequence
         join attempts t on t.submission_id = b.id join exchanges e on e.id = t.exchange_id
         where e.claimed_at < a.finished_at",
    );
    assert_eq!(overtaken.await, 0);
}
