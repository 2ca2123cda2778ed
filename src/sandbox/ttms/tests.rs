//! The simulator held against its document, through HTTP as a client meets it.

mod callbacks;
mod cargo_lines;
mod changes;
mod creation;
mod customer_orders;
mod faults;
mod life;
mod queries;
mod stages;
mod subscriptions;
mod tokens;
mod transport;

use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::operations::OPERATIONS;
use super::users::USERS;
use crate::sandbox::{BookEntry, MeterReading, Sandbox, SandboxOptions, Simulator, seeded};

/// Examples of the document, without its comments; telephones are others.
macro_rules! example {
    ($name:literal) => {
        serde_json::from_str::<serde_json::Value>(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/fixtures/ttms/sandbox/",
            $name,
            ".json"
        )))
        .unwrap()
    };
}
use example;

/// A sandbox whose clock stands still at the minute of the document's example of an order number,
/// in China, until it is moved; and a token of the demo account's user.
struct Bench {
    sandbox: Sandbox,
    now: Arc<Mutex<DateTime<Utc>>>,
    token: String,
}

const START: &str = "2019-01-25T09:09:00Z";

impl Bench {
    async fn new() -> Self {
        let now = Arc::new(Mutex::new(START.parse::<DateTime<Utc>>().unwrap()));
        let clock = now.clone();
        let sandbox =
            Sandbox::new(&SandboxOptions { clock: Arc::new(move || *clock.lock().unwrap()), random: seeded(1) });
        let mut bench = Self { sandbox, now, token: String::new() };
        bench.log_in(0).await;
        bench
    }

    /// Takes the token of one of the users.
    async fn log_in(&mut self, user: usize) {
        self.token = self.ask_for_token(user).await["accessToken"].as_str().unwrap().to_owned();
    }

    async fn ask_for_token(&self, user: usize) -> Value {
        let request = json!({ "userName": USERS[user].name, "password": USERS[user].password });
        self.data("/user/generate_access_token/v2", &request).await
    }

    fn advance(&self, time: TimeDelta) {
        *self.now.lock().unwrap() += time;
    }

    fn seconds(&self) -> i64 {
        self.now.lock().unwrap().timestamp()
    }

    fn simulator(&self) -> Arc<dyn Simulator> {
        self.sandbox.simulator("ttms").unwrap()
    }

    fn books(&self) -> Vec<BookEntry> {
        self.simulator().books(None)
    }

    fn held(&self, order_number: &str) -> BookEntry {
        let mut entries = self.simulator().books(Some(order_number));
        assert_eq!(entries.len(), 1);
        entries.remove(0)
    }

    fn meter(&self, endpoint: &str) -> MeterReading {
        let mut readings = self.simulator().meter();
        readings.retain(|it| it.endpoint == endpoint);
        assert_eq!(readings.len(), 1, "{readings:?}");
        readings.remove(0)
    }

    async fn send(&self, request: Request<Body>) -> Response {
        self.sandbox.router().oneshot(request).await.unwrap()
    }

    /// With the token of whoever logged in last.
    fn url(&self, path: &str) -> String {
        let separator = if path.contains('?') { '&' } else { '?' };
        format!("/ttms{path}{separator}access_token={}", self.token)
    }

    fn request(&self, path: &str, body: &Value) -> Request<Body> {
        let request = Request::post(self.url(path)).header(header::CONTENT_TYPE, "application/json");
        request.body(body.to_string().into()).unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        answer(self.send(self.request(path, body)).await).await
    }

    async fn get(&self, path: &str) -> Value {
        answer(self.send(Request::get(self.url(path)).body(Body::empty()).unwrap()).await).await
    }

    /// What a request that is not refused is answered.
    async fn data(&self, path: &str, body: &Value) -> Value {
        let answer = self.post(path, body).await;
        assert_eq!(answer["code"], 200, "{answer}");
        assert!(answer.get("status").is_none(), "{answer}");
        answer["data"].clone()
    }

    /// Why a request is refused: HTTP 200, a status and no code.
    async fn refusal(&self, path: &str, body: &Value) -> String {
        reason(&self.post(path, body).await)
    }

    /// Creates an order and gives its number.
    async fn create(&self, order: &Value) -> String {
        let numbers = self.data("/order/create_order", &json!({ "orderList": [order] })).await;
        assert_eq!(numbers.as_array().unwrap().len(), 1);
        numbers[0].as_str().unwrap().to_owned()
    }

    /// Creates an acceptance order and gives its number.
    async fn accept(&self, order: &Value) -> String {
        let numbers = self.data("/customer_order/create_customer_order", &json!({ "orders": [order] })).await;
        numbers[0].as_str().unwrap().to_owned()
    }

    /// The order with this number, as find_order shows it.
    async fn find(&self, number: &str) -> Value {
        let found = self.data("/order/find_order/v2", &json!({ "orderNumber": number })).await;
        assert_eq!(found.as_array().unwrap().len(), 1, "{found}");
        found[0].clone()
    }

    /// The acceptance order with this number, as the query shows it.
    async fn find_accepted(&self, number: &str) -> Value {
        let found = self.data("/customer_order/query_customer_orders", &json!({ "page": 1, "number": number })).await;
        assert_eq!(found["total"], 1, "{found}");
        found["elements"][0].clone()
    }

    async fn control(&self, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = Request::builder().method(method).uri(format!("/control{path}"));
        let request = request.header(header::CONTENT_TYPE, "application/json").body(body.to_string().into());
        let response = self.send(request.unwrap()).await;
        let status = response.status();
        (status, serde_json::from_slice(&bytes(response).await).unwrap_or_default())
    }

    async fn advance_order(&self, number: &str, to: &str) -> (StatusCode, Value) {
        let path = format!("/ttms/orders/{number}/advance");
        self.control(Method::POST, &path, &json!({ "to": to })).await
    }

    async fn set_faults(&self, faults: Value) {
        let answer = self.control(Method::PUT, "/ttms/faults", &faults).await;
        assert_eq!(answer.0, StatusCode::OK, "{answer:?}");
    }
}

async fn bytes(response: Response) -> Vec<u8> {
    to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()
}

/// An answer of HTTP 200, in JSON.
async fn answer(response: Response) -> Value {
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json;charset=UTF-8");
    serde_json::from_slice(&bytes(response).await).unwrap()
}

fn reason(answer: &Value) -> String {
    assert_eq!(answer["status"], 500, "{answer}");
    assert!(answer.get("code").is_none() && answer.get("data").is_none(), "{answer}");
    answer["message"].as_str().unwrap().to_owned()
}

/// OrderEntity with as few members as possible.
fn order(number: &str) -> Value {
    json!({
        "orderNumber": number,
        "consignerAddress": "文三路 90 号",
        "consignerName": "张三",
        "consignerPhone": "13800000001",
        "deliveryTime": 1_548_669_600,
    })
}

/// OrderEntity with all that the document has, the empty texts of its example filled in.
fn whole_order(number: &str) -> Value {
    let mut order = example!("order-entity");
    fill(&mut order, "");
    order["orderNumber"] = number.into();
    order["organizationPath"] = "0-11".into();
    for location in ["consignerLocation", "consigneeLocation"] {
        order[location] = json!({ "lng": "120.12564", "lat": "30.277438" });
    }
    order
}

/// CustomerOrderEntity with as few members as possible.
fn customer_order(number: &str) -> Value {
    json!({
        "originalOrderNumber": number,
        "consignerAddress": "文三路 90 号",
        "consignerName": "张三",
        "consignerPhone": "13800000001",
    })
}

fn whole_customer_order(number: &str) -> Value {
    let mut order = example!("customer-order-entity");
    fill(&mut order, "");
    order["originalOrderNumber"] = number.into();
    order
}

/// Puts the name of each member in the place of an empty text.
fn fill(value: &mut Value, name: &str) {
    match value {
        Value::Object(members) => members.iter_mut().for_each(|(name, it)| fill(it, name)),
        Value::Array(items) => items.iter_mut().for_each(|it| fill(it, name)),
        Value::String(text) if text.is_empty() => *text = format!("the {name}"),
        _ => {}
    }
}

/// [`order`] with a member replaced.
fn order_with(member: &str, value: impl Into<Value>) -> Value {
    let mut order = order("A-1");
    order[member] = value.into();
    order
}

/// The pointers of all members within, objects and lists included.
fn pointers(value: &Value) -> Vec<String> {
    let mut pointers = Vec::new();
    let mut within = |name: String, it: &Value| {
        let below = self::pointers(it).into_iter().map(|below| format!("/{name}{below}"));
        pointers.push(format!("/{name}"));
        pointers.extend(below.collect::<Vec<_>>());
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, it)| within(name.clone(), it)),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, it)| within(index.to_string(), it)),
        _ => {}
    }
    pointers
}

/// `/cargoList/0/name` as messages call it: `cargoList[0].name`.
fn in_words(pointer: &str) -> String {
    let part = |part: &str| match part.parse::<usize>() {
        Ok(index) => format!("[{index}]"),
        Err(_) => format!(".{part}"),
    };
    let words: String = pointer.split('/').skip(1).map(part).collect();
    words.trim_start_matches('.').to_owned()
}

/// Each member replaced by a value of another type, one after the other, with the words for it.
fn mistyped(entity: &Value) -> Vec<(Value, String)> {
    let mistype = |pointer: String| {
        let mut entity = entity.clone();
        let member = entity.pointer_mut(&pointer).unwrap();
        *member = if member.is_string() { json!(1) } else { json!("x") };
        (entity, in_words(&pointer))
    };
    pointers(entity).into_iter().map(mistype).collect()
}

/// A member that the document does not have, in each object, with the words for it.
fn with_stray_members(entity: &Value) -> Vec<(Value, String)> {
    let stray = |pointer: String| {
        let mut entity = entity.clone();
        entity.pointer_mut(&pointer)?.as_object_mut()?.insert("colour".to_owned(), json!("red"));
        Some((entity, in_words(&format!("{pointer}/colour"))))
    };
    std::iter::once(String::new()).chain(pointers(entity)).filter_map(stray).collect()
}
