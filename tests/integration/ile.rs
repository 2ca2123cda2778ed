//! Orders that were made at ILE: taken over, amended, and what becomes of an answer.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, Bench};

/// Beyond the lease of 90 seconds, after which evidence is sought.
const LEASE: Duration = Duration::from_secs(91);

const NUMBER: &str = "3674U3000534";

/// What is known of the document's order before it is amended.
fn document() -> Value {
    let text = include_str!("../fixtures/ile/edit-order-order.json");
    let mut document: Value = serde_json::from_str(text).unwrap();
    for identity in ["account", "orderNumber", "providerOrderNumber"] {
        document.as_object_mut().unwrap().remove(identity);
    }
    document
}

/// Registers an order with what is known of it.
async fn adopt(bench: &Bench, number: &str, order: &Value) -> Answer {
    let body = json!({"account": "ile-demo", "orderNumber": "test00x", "providerOrderNumber": number, "order": order});
    let adopted = bench.caller.post("/v1/orders/adopt", &body).await;
    assert_eq!(adopted.status, 201, "{:#}", adopted.body);
    adopted
}

async fn patch(bench: &Bench, id: &str, change: &Value) -> Answer {
    let path = format!("/v1/orders/{id}");
    bench.caller.send_with(Method::PATCH, &path, change, &[("prefer", "wait=30")]).await
}

/// PATCH without waiting for its end.
async fn queue(bench: &Bench, id: &str, change: &Value) -> Answer {
    bench.caller.send_with(Method::PATCH, &format!("/v1/orders/{id}"), change, &[]).await
}

async fn submission(bench: &Bench, id: Uuid) -> Value {
    bench.caller.get(&format!("/v1/submissions/{id}")).await.body
}

fn books(bench: &Bench) -> Vec<Value> {
    let entries = bench.simulator_of("ile").books(None);
    entries.iter().map(|entry| serde_json::to_value(entry).unwrap()).collect()
}

async fn order_events(bench: &Bench) -> Vec<String> {
    bench.database.texts("select type from events where type like 'order.%' order by recorded_at").await
}

#[tokio::test]
async fn an_order_that_was_made_there_is_taken_over_and_amended() {
    let bench = Bench::start().await;
    let adopted = adopt(&bench, NUMBER, &document()).await;
    assert_eq!((&adopted.body["documentComplete"], &adopted.body["status"]), (&json!(true), &json!("unknown")));
    let change = json!({"shipTo": {"contact": {"mobile": "0412345678"}}, "totals": {"grossWeight": "20.50"}});
    let amended = patch(&bench, adopted.id(), &change).await;
    assert_eq!(amended.status, 200, "{:#}", amended.body);
    let submitted = &amended.body["submission"];
    assert_eq!((&submitted["operation"], &submitted["state"]), (&json!("amend"), &json!("accepted")), "{submitted:#}");
    assert_eq!(submitted["endpoint"], "editOrderByApi");
    let result = &submitted["results"][0];
    assert_eq!(
        (&result["rawCode"], &result["code"], &result["severity"]),
        (&json!("200"), &json!("ok"), &json!("info"))
    );
    assert_eq!(result["rawMessage"], "订单编辑成功");
    assert_eq!((&amended.body["providerOrderNumber"], &amended.body["status"]), (&json!(NUMBER), &json!("unknown")));
    assert_eq!(amended.body["shipTo"]["contact"]["mobile"], "0412345678");
    assert_eq!(order_events(&bench).await, ["order.amended"]);
    let [held] = books(&bench).try_into().unwrap();
    assert_eq!((&held["amended"], &held["providerOrderNumber"]), (&json!(1), &json!(NUMBER)));
    assert_eq!(held["document"]["consignee"]["phone"], "0412345678");
    assert_eq!(held["document"]["weight"], "20.50");

    // The audit shows all of it but the credentials.
    let attempts = bench.caller.get(&format!("/v1/submissions/{}/attempts", amended.submission())).await.body;
    let sent = attempts["items"][0]["request"]["body"]["content"].as_str().unwrap();
    let sent: Value = serde_json::from_str(sent).unwrap();
    assert_eq!((&sent["userId"], &sent["ileId"], &sent["sign"]), (&json!(""), &json!("***"), &json!("***")));
    assert_eq!(sent["data"], held["document"]);
    assert!(!attempts.to_string().contains("onelane-demo-sign"));
}

#[tokio::test]
async fn an_order_of_which_little_is_known_needs_a_change_that_makes_it_whole() {
    let bench = Bench::start().await;
    let adopted = adopt(&bench, NUMBER, &json!({})).await;
    let id = adopted.id();
    let partial = queue(&bench, id, &json!({"cargo": {"battery": "none"}})).await;
    let missing = partial.problem(409, "incomplete-provider-state");
    assert!(missing.contains(&("/shipTo/address/postalCode".to_owned(), "validation.missing".to_owned())));
    assert!(missing.contains(&("/lines".to_owned(), "validation.missing".to_owned())), "{missing:?}");
    let whole = patch(&bench, id, &document()).await;
    assert_eq!(whole.body["submission"]["state"], "accepted", "{:#}", whole.body);
    assert_eq!(whole.body["documentComplete"], true);
    // From now on it is known what stands.
    let other = queue(&bench, id, &json!({"shipTo": {"address": {"postalCode": "2000"}}})).await;
    other.problem(422, "field-not-amendable");
}

#[tokio::test]
async fn the_consignees_postcode_cannot_be_changed() {
    let bench = Bench::start().await;
    let adopted = adopt(&bench, NUMBER, &document()).await;
    let refused = [("/shipTo/address/postalCode".to_owned(), "translation.field_not_amendable".to_owned())];
    for postcode in [json!("2000"), Value::Null] {
        let change = json!({"shipTo": {"address": {"postalCode": postcode}}, "remarks": "x"});
        let answer = queue(&bench, adopted.id(), &change).await;
        assert_eq!(answer.problem(422, "field-not-amendable"), refused, "{postcode}");
    }
    assert_eq!(bench.database.count("select count(*) from submissions").await, 0);
    assert!(bench.simulator_of("ile").meter().is_empty());
    // What says again what stands is no change.
    let same = patch(&bench, adopted.id(), &json!({"shipTo": {"address": {"postalCode": "2017"}}})).await;
    assert_eq!(same.body["submission"]["state"], "accepted", "{:#}", same.body);
}

#[tokio::test]
async fn what_ile_refuses_is_a_state_and_taken_back_out_of_the_document() {
    let bench = Bench::start().await;
    // No number of a waybill.
    let adopted = adopt(&bench, "UNKNOWN", &document()).await;
    let rejected = patch(&bench, adopted.id(), &json!({"customerReference": "other"})).await;
    let submitted = &rejected.body["submission"];
    assert_eq!(submitted["state"], "rejected", "{submitted:#}");
    let result = &submitted["results"][0];
    assert_eq!((&result["rawCode"], &result["code"]), (&json!("404"), &json!("reference.order_not_found")));
    assert_eq!(result["pointers"], json!(["/providerOrderNumber"]));
    assert_eq!(rejected.body["customerReference"], "test00x");
    assert!(order_events(&bench).await.is_empty());
    assert!(books(&bench).is_empty());
}

#[tokio::test]
async fn a_system_error_is_tried_a_few_times_and_its_words_are_kept() {
    let bench = Bench::start().await;
    // Known with another postcode than the gateway was told.
    let mut other = document();
    other["shipTo"]["address"]["postalCode"] = json!("2000");
    let adopted = adopt(&bench, NUMBER, &other).await;
    let mut watch = bench.database.watch().await;
    let queued = queue(&bench, adopted.id(), &json!({"customerReference": "other"})).await;
    let dead = loop {
        watch.next_of_many().await;
        let read = submission(&bench, queued.submission()).await;
        if read["heldBy"] == "retry_backoff" {
            bench.database.advance(Duration::from_secs(1800)).await;
        } else if read["state"] == "dead" {
            break read;
        }
    };
    assert_eq!(dead["attempts"], 3);
    let results = dead["results"].as_array().unwrap();
    let of_ile = results.iter().find(|result| result["provider"] == "ile").unwrap();
    assert_eq!((&of_ile["rawCode"], &of_ile["code"]), (&json!("500"), &json!("provider.unspecified")));
    assert!(of_ile["rawMessage"].as_str().unwrap().contains("收件人邮编不可编辑"), "{of_ile:#}");
    assert!(books(&bench).is_empty());
}

/// Until the account is resumed nothing more goes out.
async fn credentials_refused(fault: Value, code: &str) {
    let bench = Bench::start().await;
    let adopted = adopt(&bench, NUMBER, &document()).await;
    bench.faults_of("ile", json!([fault])).await;
    let mut watch = bench.database.watch().await;
    let queued = queue(&bench, adopted.id(), &json!({"customerReference": "other"})).await;
    let id = queued.submission();
    watch.until(id, "sending").await;
    while submission(&bench, id).await["heldBy"] != "account_paused" {
        watch.until(id, "queued").await;
    }
    let waiting = submission(&bench, id).await;
    assert_eq!((&waiting["attempts"], &waiting["results"][0]["code"]), (&json!(0), &json!(code)), "{waiting:#}");
    let account = bench.caller.get("/v1/accounts/ile-demo").await.body;
    assert!(account["paused"]["reason"].as_str().unwrap().contains("credentials"), "{account:#}");
    assert_eq!(bench.database.count("select count(*) from events where type = 'account.paused'").await, 1);
    assert_eq!(bench.database.count("select count(*) from exchanges").await, 1);
    bench.hold("ile-demo", "resume").await;
    bench.database.wait_for_state(id, "accepted").await;
    assert_eq!(books(&bench)[0]["amended"], 1);
}

#[tokio::test]
async fn code_401_in_the_body_pauses_the_account() {
    credentials_refused(json!({"kind": "answer_code", "code": "401", "times": 1}), "auth.invalid_credentials").await;
}

#[tokio::test]
async fn http_403_pauses_the_account() {
    credentials_refused(json!({"kind": "status", "status": 403, "times": 1}), "auth.forbidden").await;
}

/// A doubt that ends with the same document once more: the books say how often it was taken.
async fn doubt_and_resend(fault: Value, code: &str, amended: u32) {
    let bench = Bench::start().await;
    let adopted = adopt(&bench, NUMBER, &document()).await;
    bench.faults_of("ile", json!([fault])).await;
    let queued = queue(&bench, adopted.id(), &json!({"customerReference": "other"})).await;
    let id = queued.submission();
    bench.database.wait_for_state(id, "in_doubt").await;
    let doubtful = submission(&bench, id).await;
    assert_eq!((&doubtful["mayExist"], &doubtful["attempts"]), (&json!(true), &json!(1)), "{doubtful:#}");
    assert_eq!(doubtful["results"][0]["code"], code, "{doubtful:#}");
    bench.database.advance(LEASE).await;
    bench.database.wait_for_state(id, "accepted").await;
    assert_eq!(submission(&bench, id).await["attempts"], 2);
    let [held] = books(&bench).try_into().unwrap();
    assert_eq!((&held["amended"], &held["document"]["cust_ref"]), (&json!(amended), &json!("other")));
    assert_eq!(order_events(&bench).await, ["order.amended"]);
    let order = bench.caller.get(&format!("/v1/orders/{}", adopted.id())).await.body;
    assert_eq!(order["customerReference"], "other");
}

const NO_ANSWER: &str = "transport.timeout_in_doubt";
const UNREADABLE: &str = "transport.unreadable_response";

#[tokio::test]
async fn an_answer_that_is_lost_leaves_a_doubt_that_a_resend_ends() {
    doubt_and_resend(json!({"kind": "commit_then_drop", "times": 1}), NO_ANSWER, 2).await;
}

#[tokio::test]
async fn half_an_answer_leaves_a_doubt() {
    doubt_and_resend(json!({"kind": "truncated_body", "times": 1}), UNREADABLE, 2).await;
}

#[tokio::test]
async fn a_page_instead_of_an_answer_leaves_a_doubt() {
    doubt_and_resend(json!({"kind": "html", "status": 404, "times": 1}), UNREADABLE, 1).await;
}

#[tokio::test]
async fn a_code_that_is_not_documented_leaves_a_doubt_and_is_kept() {
    doubt_and_resend(json!({"kind": "answer_code", "code": "51014", "times": 1}), "provider.unclassified", 1).await;
}

#[tokio::test]
async fn ile_makes_no_orders_cancels_none_and_has_no_custom_fields() {
    let bench = Bench::start().await;
    let mut order = document();
    order["account"] = json!("ile-demo");
    order["orderNumber"] = json!("SO-1");
    bench.caller.post("/v1/orders", &order).await.problem(422, "unsupported-by-provider");
    let adopted = adopt(&bench, NUMBER, &document()).await;
    let path = format!("/v1/orders/{}", adopted.id());
    bench.caller.post(&format!("{path}/cancel"), &Value::Null).await.problem(422, "unsupported-by-provider");
    let fields = json!({"customFields": {"text1": "x"}});
    let answer = bench.caller.send_with(Method::PATCH, &format!("{path}/custom-fields"), &fields, &[]).await;
    answer.problem(422, "unsupported-by-provider");
    assert!(bench.simulator_of("ile").meter().is_empty());
}

#[tokio::test]
async fn a_change_can_be_seen_before_it_is_made() {
    let bench = Bench::start().await;
    let mut order = document();
    order["orderNumber"] = json!("test00x");
    order["providerOrderNumber"] = json!(NUMBER);
    let asked = json!({"account": "ile-demo", "operation": "amend", "order": order});
    let shown = bench.caller.post("/v1/translations", &asked).await;
    assert_eq!((shown.status, &shown.body["endpoint"]), (200, &json!("editOrderByApi")), "{:#}", shown.body);
    let body: Value = serde_json::from_str(shown.body["request"]["body"].as_str().unwrap()).unwrap();
    assert_eq!((&body["sign"], &body["data"]["orderNumber"]), (&json!("***"), &json!(NUMBER)));
    let lineage = shown.body["lineage"].as_array().unwrap();
    let price = json!({"pointer": "/lines/0/unitValue/amount", "target": "data.items[0].price"});
    assert!(lineage.contains(&price), "{lineage:?}");
    assert_eq!(shown.body["dropped"], json!([]));
    assert!(bench.simulator_of("ile").meter().is_empty());
}
