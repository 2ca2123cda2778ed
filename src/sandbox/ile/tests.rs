//! The simulator held against its document, through HTTP as a client meets it.

mod members;

use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::sandbox::{Sandbox, SandboxOptions, Simulator, seeded};

const EXAMPLE_REQUEST: &str = include_str!("../../../tests/fixtures/ile/edit-order-request.json");
const EXAMPLE_RESPONSE: &str = include_str!("../../../tests/fixtures/ile/edit-order-response.json");

/// A sandbox whose clock stands still until it is moved.
struct Bench {
    sandbox: Sandbox,
    now: Arc<Mutex<DateTime<Utc>>>,
}

impl Bench {
    fn new() -> Self {
        let now = Arc::new(Mutex::new(DateTime::UNIX_EPOCH));
        let clock = now.clone();
        let clock = Arc::new(move || *clock.lock().unwrap());
        Self { sandbox: Sandbox::new(&SandboxOptions { clock, random: seeded(1) }), now }
    }

    fn simulator(&self) -> Arc<dyn Simulator> {
        self.sandbox.simulator("ile").unwrap()
    }

    fn books(&self, order_number: Option<&str>) -> Vec<Value> {
        let entries = self.simulator().books(order_number);
        entries.iter().map(|entry| serde_json::to_value(entry).unwrap()).collect()
    }

    async fn call(&self, method: &str, path: &str, content_type: &str, body: impl Into<Body>) -> Response {
        let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, content_type);
        self.sandbox.router().oneshot(request.body(body.into()).unwrap()).await.unwrap()
    }

    async fn post(&self, body: impl Into<Body>) -> Response {
        self.call("POST", "/ile/oms/v1/Order/editOrderByApi", "application/json", body).await
    }

    /// The answer to a request, which must be in ILE's form: code and message.
    async fn edit(&self, request: &Value) -> (i64, String) {
        self.edit_text(&request.to_string()).await
    }

    async fn edit_text(&self, request: &str) -> (i64, String) {
        let response = self.post(request.to_owned()).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
        let answer: Value = serde_json::from_str(&text(response).await).unwrap();
        let names: Vec<_> = answer.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["body", "code", "msg"]);
        (answer["code"].as_i64().unwrap(), answer["msg"].as_str().unwrap().to_owned())
    }

    async fn faults(&self, faults: Value) -> StatusCode {
        self.call("PUT", "/control/ile/faults", "application/json", faults.to_string()).await.status()
    }
}

async fn text(response: Response) -> String {
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

/// The document's example with credentials that are right, and with what its table requires besides.
fn example() -> Value {
    let mut request: Value = serde_json::from_str(EXAMPLE_REQUEST).unwrap();
    request["userId"] = json!("ile-demo-user");
    request["data"]["battery"] = json!("0");
    request["data"]["currency"] = json!("USD");
    request
}

/// The example with a value put at a pointer, or with what stands there taken out.
fn with(pointer: &str, value: Option<Value>) -> Value {
    let mut request = example();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = request.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => parent.insert(name.to_owned(), value),
        None => parent.remove(name),
    };
    request
}

#[tokio::test]
async fn the_documents_example_is_edited_once_it_has_what_the_table_requires() {
    let bench = Bench::new();
    let response = bench.post(example().to_string()).await;
    let answer: Value = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(answer, serde_json::from_str::<Value>(EXAMPLE_RESPONSE).unwrap());

    let mut as_it_stands: Value = serde_json::from_str(EXAMPLE_REQUEST).unwrap();
    as_it_stands["userId"] = json!("ile-demo-user");
    let answer = bench.edit(&as_it_stands).await;
    assert_eq!(answer, (500, "系统异常: data.battery is missing; data.currency is missing".to_owned()));
}

#[tokio::test]
async fn a_user_id_or_else_an_ile_id_and_its_sign() {
    for (user_id, ile_id, sign, code) in [
        (Some("ile-demo-user"), None, None, 200),
        (Some("ile-demo-user"), Some("wrong"), Some("wrong"), 200),
        (None, Some("ile-demo"), Some("onelane-demo-sign"), 200),
        (Some(""), Some("ile-demo"), Some("onelane-demo-sign"), 200),
        (Some("wrong"), Some("ile-demo"), Some("onelane-demo-sign"), 401),
        (None, Some("ile-demo"), Some("wrong"), 401),
        (None, Some("wrong"), Some("onelane-demo-sign"), 401),
        (None, Some("ile-demo"), None, 401),
        (Some(""), Some(""), Some(""), 401),
        (None, None, None, 401),
    ] {
        let bench = Bench::new();
        let mut request = example();
        for (name, value) in [("userId", user_id), ("ileId", ile_id), ("sign", sign)] {
            match value {
                Some(value) => request[name] = json!(value),
                None => drop(request.as_object_mut().unwrap().remove(name)),
            }
        }
        let answer = bench.edit(&request).await;
        assert_eq!(answer.0, code, "{user_id:?} {ile_id:?} {sign:?}");
        assert_eq!(bench.books(None).len(), usize::from(code == 200));
        let meter = bench.simulator().meter();
        let name = if code == 200 { "demo" } else { "(not accepted)" };
        assert_eq!((meter.len(), &*meter[0].credentials, meter[0].requests), (1, name, 1));
    }
}

#[tokio::test]
async fn the_demo_account_is_accepted() {
    let bench = Bench::new();
    let account = bench.simulator().demo_account("http://127.0.0.1:8081");
    let mut request = example();
    request["userId"] = json!("");
    for name in ["ileId", "sign"] {
        request[name] = account.credentials[name].clone();
    }
    assert_eq!(bench.edit(&request).await.0, 200);
    assert!(account.example_order.is_none());
}

#[tokio::test]
async fn what_is_no_request_is_a_system_error() {
    for body in ["", "x", "[]", "1", "{", "{} {}"] {
        let bench = Bench::new();
        let (code, msg) = bench.edit_text(body).await;
        assert!(code == 500 && msg.contains("the body is no object in JSON"), "{body}: {msg}");
        assert_eq!(bench.simulator().meter()[0].requests, 1);
    }
    let bench = Bench::new();
    let response = bench.post(vec![0xB4, 0xED]).await;
    assert!(text(response).await.contains("the body is not UTF-8"));
}

#[tokio::test]
async fn only_post_of_json_is_taken() {
    let bench = Bench::new();
    let path = "/ile/oms/v1/Order/editOrderByApi";
    for method in ["GET", "PUT", "DELETE"] {
        let response = bench.call(method, path, "application/json", example().to_string()).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
    for (content_type, status) in [
        ("application/json", 200),
        ("Application/JSON; charset=\"UTF-8\"", 200),
        ("application/json; charset=GBK", 415),
        ("text/plain", 415),
    ] {
        let response = bench.call("POST", path, content_type, example().to_string()).await;
        assert_eq!(response.status().as_u16(), status, "{content_type}");
    }
    let unknown = bench.call("POST", "/ile/oms/v1/Order/other", "application/json", "{}").await;
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    let large = bench.post(" ".repeat(10 * 1024 * 1024 + 1)).await;
    assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn the_consignees_postcode_stays_as_it_is() {
    let bench = Bench::new();
    let of = |number: &str, postcode: &str| {
        let mut request = example();
        request["data"]["orderNumber"] = json!(number);
        request["data"]["consignee"]["postcode"] = json!(postcode);
        request
    };
    let refused = (500, "系统异常: data.consignee.postcode: 收件人邮编不可编辑".to_owned());
    // That of the document's order is known.
    assert_eq!(bench.edit(&of("3674U3000534", "2000")).await, refused);
    assert!(bench.books(None).is_empty());
    assert_eq!(bench.edit(&of("3674U3000534", "2017")).await.0, 200);
    // That of another is what its first edit says.
    assert_eq!(bench.edit(&of("3674U3000535", "3000")).await.0, 200);
    assert_eq!(bench.edit(&of("3674U3000535", "3001")).await, refused);
    assert_eq!(bench.edit(&of("3674U3000535", "3000")).await.0, 200);
    let amended: Vec<_> = bench.books(None).iter().map(|entry| entry["amended"].clone()).collect();
    assert_eq!(amended, [1, 2]);
    bench.simulator().reset();
    assert!(bench.books(None).is_empty() && bench.simulator().meter().is_empty());
    assert_eq!(bench.edit(&of("3674U3000535", "3001")).await.0, 200);
    assert_eq!(bench.edit(&of("3674U3000534", "2000")).await, refused);
}

#[tokio::test]
async fn a_number_that_is_of_no_order_is_not_found() {
    for number in ["X", "3674U300053", "3674U30005345", "3674u3000534", "36743U000534", "3674-3000534", "UNKNOWN"] {
        let bench = Bench::new();
        let answer = bench.edit(&with("/data/orderNumber", Some(json!(number)))).await;
        assert_eq!(answer, (404, "Not Found: data.orderNumber is of no order".to_owned()), "{number}");
        assert!(bench.books(None).is_empty());
    }
}

#[tokio::test]
async fn the_books_have_the_order_as_it_last_came() {
    let bench = Bench::new();
    bench.edit(&example()).await;
    let [entry] = bench.books(None).try_into().unwrap();
    assert_eq!(entry["document"], example()["data"]);
    for (member, value) in [
        ("orderNumber", json!("test00x")),
        ("providerOrderNumber", json!("3674U3000534")),
        ("clientReferenceNumber", json!("test00x")),
        ("status", json!("edited")),
        ("created", json!(0)),
        ("receivedCreates", json!(0)),
        ("amended", json!(1)),
        ("cancelled", json!(0)),
    ] {
        assert_eq!(entry[member], value, "{member}");
    }
    for (number, found) in [("test00x", 1), ("3674U3000534", 1), ("other", 0)] {
        assert_eq!(bench.books(Some(number)).len(), found, "{number}");
    }
    // A reference that is left out stays; another takes its place.
    bench.edit(&with("/data/cust_ref", None)).await;
    assert_eq!(bench.books(Some("test00x"))[0]["amended"], 2);
    bench.edit(&with("/data/cust_ref", Some(json!("other")))).await;
    assert_eq!((bench.books(Some("test00x")).len(), bench.books(Some("other")).len()), (0, 1));
}

#[tokio::test]
async fn no_limit_is_held_but_all_is_measured() {
    let bench = Bench::new();
    for _ in 0..50 {
        assert_eq!(bench.edit(&example()).await.0, 200);
    }
    *bench.now.lock().unwrap() += TimeDelta::seconds(1);
    bench.edit(&example()).await;
    let meter = bench.simulator().meter();
    let reading = &meter[0];
    assert_eq!((reading.endpoint, reading.requests, reading.refusals), ("editOrderByApi", 51, 0));
    assert_eq!((reading.most_in_any_window, reading.limit, reading.largest_batch), (50, None, 1));
}

#[tokio::test]
async fn faults_strike_the_answers_of_json() {
    let bench = Bench::new();
    for code in ["401", "403", "404", "500", "51014"] {
        assert_eq!(bench.faults(json!([{"kind": "answer_code", "code": code, "times": 1}])).await, StatusCode::OK);
        assert_eq!(bench.edit(&example()).await.0.to_string(), code);
    }
    assert!(bench.books(None).is_empty());
    // Who sent it stands in the body, which was not read.
    let [reading] = bench.simulator().meter().try_into().unwrap();
    assert_eq!((&*reading.credentials, reading.requests), ("(not read)", 5));

    // By either number, and only that order.
    for number in ["test00x", "3674U3000534"] {
        let fault = json!([{"kind": "answer_code", "code": "500", "orderNumber": number, "times": 1}]);
        assert_eq!(bench.faults(fault).await, StatusCode::OK);
        let mut other = with("/data/orderNumber", Some(json!("3674U3000535")));
        other["data"]["cust_ref"] = json!("other");
        assert_eq!(bench.edit(&other).await.0, 200);
        assert_eq!(bench.edit(&example()).await.0, 500);
    }

    assert_eq!(bench.faults(json!([{"kind": "truncated_body", "times": 1}])).await, StatusCode::OK);
    let cut = text(bench.post(example().to_string()).await).await;
    assert!(serde_json::from_str::<Value>(&cut).is_err() && !cut.is_empty());
    assert_eq!(bench.books(Some("test00x"))[0]["amended"], 1);

    // A request is about one order, comes without a session, and its code is a number.
    for kind in ["item_missing", "item_twice", "item_unasked", "session_killed"] {
        assert_eq!(bench.faults(json!([{"kind": kind}])).await, StatusCode::UNPROCESSABLE_ENTITY, "{kind}");
    }
    let wordy = json!([{"kind": "answer_code", "code": "many"}]);
    assert_eq!(bench.faults(wordy).await, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn orders_do_not_go_on_by_themselves() {
    let bench = Bench::new();
    bench.edit(&example()).await;
    let path = "/control/ile/orders/3674U3000534/advance";
    let response = bench.call("POST", path, "application/json", json!({"to": "delivered"}).to_string()).await;
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(bench.simulator().holdings().is_empty());
}
