//! The callers: they do what the plan says, and ask again with the same idempotency key when they get no answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::documents::{account, adoption, amendment, custom_fields, document, document_type, provider};
use super::fleet::Fleet;
use super::harness::Caller;
use super::laws::{PromisedChange, PromisedOrder};
use super::plan::{Deed, INBOUND_QUANTITY, Kind, Plan, Work};
use super::promises::Promises;

/// How long a caller waits for an answer before it asks another replica.
const DEADLINE: Duration = Duration::from_secs(10);
/// How long it goes on asking.
const PATIENCE: Duration = Duration::from_secs(120);

/// A request that can be repeated.
struct Request {
    method: Method,
    path: String,
    body: Value,
    key: Option<String>,
    waits: bool,
}

/// An answer that counts.
struct Answer {
    status: u16,
    body: Value,
}

/// All callers.
pub struct Load {
    pub fleet: Arc<Fleet>,
    pub plan: Plan,
    pub promises: Promises,
    /// The providers' people
    pub control: Caller,
}

impl Load {
    /// Has callers do everything that the plan says, each at its time at the earliest.
    pub async fn run(self: &Arc<Self>, callers: usize, began: Instant) {
        let next = Arc::new(AtomicUsize::new(0));
        let calling = (0..callers).map(|_| {
            let (load, next) = (Arc::clone(self), Arc::clone(&next));
            tokio::spawn(async move {
                while let Some(work) = load.plan.works.get(next.fetch_add(1, Ordering::Relaxed)) {
                    tokio::time::sleep_until(began + work.at).await;
                    load.perform(work).await;
                }
            })
        });
        for caller in calling.collect::<Vec<_>>() {
            caller.await.unwrap();
        }
    }

    async fn perform(&self, work: &Work) {
        match &work.deed {
            Deed::Batch(orders) => self.create_batch(work, orders).await,
            Deed::Single { order, keyed, waits } => self.create(work, *order, *keyed, *waits).await,
            Deed::Trip(orders) => self.create_trip(work, orders).await,
            Deed::Adopt(order) => self.adopt(work, *order).await,
            Deed::Amend { order, marker } => {
                let body = amendment(self.plan.orders[*order].kind, marker);
                self.change(work, *order, "amend", Some((body, marker))).await;
            }
            Deed::CustomFields { order, marker } => {
                self.change(work, *order, "update_custom_fields", Some((custom_fields(marker), marker))).await;
            }
            Deed::Cancel(order) => self.change(work, *order, "cancel", None).await,
            Deed::Advance { order, to } => {
                if self.promises.id(*order).await.is_some() && !self.advance(*order, to).await {
                    self.promises.notes().to_advance.push((*order, to));
                }
            }
            Deed::Confirm { order, quantity, times, forged } => {
                if self.promises.id(*order).await.is_some() {
                    self.confirm(*order, *quantity, *times, *forged).await;
                }
            }
        }
    }

    async fn create_batch(&self, work: &Work, orders: &[usize]) {
        let documents: Vec<Value> = orders.iter().map(|order| document(&self.plan.orders[*order])).collect();
        let request = post("/v1/orders/batch", json!({"orders": documents}), Some(&work.key));
        self.ask_and_repeat(work, &request, |answer| match answer {
            Some(Answer { status: 207, body }) => {
                for (order, item) in orders.iter().zip(body["items"].as_array().unwrap()) {
                    self.note_created(*order, &item["status"], &item["order"]["id"], item);
                }
            }
            other => self.note_refused(orders, other.as_ref()),
        })
        .await;
    }

    async fn create(&self, work: &Work, order: usize, keyed: bool, waits: bool) {
        let key = keyed.then_some(&work.key);
        let request =
            Request { waits, ..post("/v1/orders", document(&self.plan.orders[order]), key.map(String::as_str)) };
        self.ask_and_repeat(work, &request, |answer| match answer {
            Some(Answer { status: 201 | 202, body }) => self.note_created(order, &json!(202), &body["id"], &body),
            // Without a key that is how a repetition learns of the first request.
            Some(Answer { status: 409, body }) if !keyed && body["type"] == "/problems/order-exists" => {
                self.note_created(order, &json!(202), &body["orderId"], &body);
            }
            other => self.note_refused(&[order], other.as_ref()),
        })
        .await;
    }

    async fn create_trip(&self, work: &Work, orders: &[usize]) {
        let documents: Vec<Value> = orders.iter().map(|order| document(&self.plan.orders[*order])).collect();
        let body = json!({"account": account(Kind::Trip), "orders": documents, "driver": {"phone": "+8613700000003"}});
        let request = post("/v1/trips", body, Some(&work.key));
        self.ask_and_repeat(work, &request, |answer| match answer {
            Some(Answer { status: 201 | 202, body }) => {
                for (order, id) in orders.iter().zip(body["orderIds"].as_array().unwrap()) {
                    self.note_created(*order, &json!(202), id, &body);
                }
            }
            other => self.note_refused(orders, other.as_ref()),
        })
        .await;
    }

    async fn adopt(&self, work: &Work, order: usize) {
        let request = post("/v1/orders/adopt", adoption(&self.plan.orders[order], order), None);
        self.ask_and_repeat(work, &request, |answer| match answer {
            Some(Answer { status: 200 | 201, body }) => self.note_created(order, &json!(202), &body["id"], &body),
            other => self.note_refused(&[order], other.as_ref()),
        })
        .await;
    }

    /// A change with its text, or a cancellation.
    async fn change(&self, work: &Work, order: usize, operation: &'static str, change: Option<(Value, &String)>) {
        let Some(id) = self.promises.id(order).await else { return };
        let key = Some(work.key.clone());
        let (body, marker) = change.map_or((Value::Null, None), |(body, marker)| (body, Some(marker.clone())));
        let request = match operation {
            "amend" => Request { method: Method::PATCH, path: format!("/v1/orders/{id}"), body, key, waits: false },
            "update_custom_fields" => {
                let path = format!("/v1/orders/{id}/custom-fields");
                Request { method: Method::PATCH, path, body, key, waits: false }
            }
            _ => Request { method: Method::POST, path: format!("/v1/orders/{id}/cancel"), body, key, waits: false },
        };
        let mut promised = false;
        self.ask_and_repeat(work, &request, |answer| match answer {
            Some(Answer { status: 200 | 202, .. }) => {
                if !std::mem::replace(&mut promised, true) {
                    let marker = marker.clone();
                    self.promises.notes().changes.push(PromisedChange { order_id: id, operation, marker });
                }
            }
            Some(Answer { status: status @ (409 | 422), body }) if is_ordinary_refusal(&body) => {
                self.promises.refused(format!("{operation}: {status} {}", body["type"].as_str().unwrap_or_default()));
            }
            other => {
                let number = &self.plan.orders[order].number;
                self.promises.unexpected(format!("{operation} of {number}: {}", described(other.as_ref())));
            }
        })
        .await;
    }

    /// Moves an order on at its provider; false when it is not there yet.
    pub async fn advance(&self, order: usize, to: &str) -> bool {
        let PlannedAt { provider, number } = self.at_provider(order);
        let path = format!("/control/{provider}/orders/{number}/advance");
        let answer = self.control.post(&path, &json!({"to": to})).await;
        match answer.status {
            200 => self.promises.notes().advanced += 1,
            404 => return false,
            409 => self.promises.refused(format!("advance: 409 to {to}")),
            _ => self.promises.unexpected(format!("{number} to {to}: {} {}", answer.status, answer.body)),
        }
        true
    }

    async fn confirm(&self, order: usize, quantity: usize, times: usize, forged: bool) {
        let PlannedAt { provider, number } = self.at_provider(order);
        let body = json!({
            "customerNumber": number, "totalQuantity": INBOUND_QUANTITY, "actualQuantity": quantity, "times": times,
            "signature": if forged { "wrong" } else { "right" },
        });
        let answer = self.control.post(&format!("/control/{provider}/callbacks"), &body).await;
        if answer.status == 200 {
            self.promises.notes().confirmed += 1;
        } else {
            self.promises.unexpected(format!("{number} confirmed: {} {}", answer.status, answer.body));
        }
    }

    fn at_provider(&self, order: usize) -> PlannedAt<'_> {
        let planned = &self.plan.orders[order];
        PlannedAt { provider: provider(planned.kind), number: &planned.number }
    }

    fn note_created(&self, order: usize, status: &Value, id: &Value, answer: &Value) {
        let planned = &self.plan.orders[order];
        match id.as_str().and_then(|id| id.parse::<Uuid>().ok()).filter(|_| *status == 202) {
            Some(id) => self.promises.is_created(
                order,
                PromisedOrder {
                    id,
                    account: account(planned.kind).to_owned(),
                    document_type: document_type(planned.kind).to_owned(),
                    number: planned.number.clone(),
                },
            ),
            None => self.promises.is_not_created(order, format!("{} was not created: {answer}", planned.number)),
        }
    }

    fn note_refused(&self, orders: &[usize], answer: Option<&Answer>) {
        for order in orders {
            let number = &self.plan.orders[*order].number;
            self.promises.is_not_created(*order, format!("{number} was not created: {}", described(answer)));
        }
    }

    /// Asks until an answer comes; and, where the plan says so, once more. Both answers are looked at.
    async fn ask_and_repeat(&self, work: &Work, request: &Request, mut look: impl FnMut(Option<Answer>)) {
        look(self.ask(request).await);
        if work.repeats {
            self.promises.notes().repeated_at_will += 1;
            look(self.ask(request).await);
        }
    }

    async fn ask(&self, request: &Request) -> Option<Answer> {
        let begun = Instant::now();
        let mut pause = Duration::from_millis(20);
        while begun.elapsed() < PATIENCE {
            if let Some(answer) = self.ask_once(request).await {
                return Some(answer);
            }
            self.promises.notes().repeated_for_want += 1;
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(500));
        }
        None
    }

    /// Nothing when the same is to be asked again.
    async fn ask_once(&self, request: &Request) -> Option<Answer> {
        let Request { method, path, body, key, waits } = request;
        let mut sending =
            self.fleet.caller(self.fleet.next()).request(method.clone(), path).timeout(DEADLINE).body(body.to_string());
        let content_type = if *method == Method::PATCH { "application/merge-patch+json" } else { "application/json" };
        sending = sending.header("content-type", content_type);
        if let Some(key) = key {
            sending = sending.header("idempotency-key", key);
        }
        if *waits {
            sending = sending.header("prefer", "wait=3");
        }
        let response = sending.send().await.ok()?;
        let status = response.status().as_u16();
        let body: Value = serde_json::from_str(&response.text().await.ok()?).ok()?;
        let again = status >= 500 || status == 429 || body["type"] == "/problems/idempotency-in-progress";
        (!again).then_some(Answer { status, body })
    }
}

struct PlannedAt<'a> {
    provider: &'static str,
    number: &'a str,
}

fn post(path: &str, body: Value, key: Option<&str>) -> Request {
    Request { method: Method::POST, path: path.to_owned(), body, key: key.map(str::to_owned), waits: false }
}

/// A change may come when the order has gone on, or its provider has no such thing.
fn is_ordinary_refusal(body: &Value) -> bool {
    ["/problems/state-conflict", "/problems/unsupported-by-provider"].iter().any(|kind| body["type"] == *kind)
}

fn described(answer: Option<&Answer>) -> String {
    match answer {
        Some(answer) => format!("{} {}", answer.status, answer.body),
        None => format!("no answer within {} s", PATIENCE.as_secs()),
    }
}
