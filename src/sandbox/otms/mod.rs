//! The oTMS open platform, from its documents `otms-order-import.zh.txt` and
//! `otms-order-custom-update.zh.txt`.
//!
//! What the documents leave out and this simulator decides (for orderCustomUpdate see also
//! [`custom_update`]):
//! - More requests in a second than documented are refused with HTTP 429 and `Retry-After: 1`.
//! - A document that cannot be answered order by order (not XML, another root, no orders, an order
//!   without a sequence of its own) is HTTP 400 with the reason in plain text.
//! - An order with an unknown, repeated, misplaced or mistyped member is not imported: 1001 for
//!   the type, 1049 for all else, and `errorMsgs` names the member.
//! - Which codes make a draft rather than a refusal: see [`codes::means_incomplete`].

mod answer;
mod codes;
mod credentials;
mod custom_fields;
mod custom_update;
mod findings;
mod import;
mod import_answer;
mod items;
mod members;
mod order;
mod order_import;
mod request;
mod rules;
mod service;
mod stops;
mod update_answer;
mod update_codes;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use axum::routing::{post, put};
use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Timelike, Utc};
use serde_json::{Map, Value, json};

use super::books::{BookEntry, Books};
use super::meter::{Meter, MeterReading};
use super::{
    Calling, Clock, DemoAccount, EXAMPLE_NUMBER, Endpoint, Items, NotAdvanced, Sessions, Simulator, Stage, UnderWay,
};
use service::Service;

const ID: &str = "otms";

/// Not documented; what our own gateway takes at most.
const BODY_LIMIT: usize = 10 * 1024 * 1024;

pub struct OtmsSimulator {
    desk: Arc<Desk>,
}

/// Everything that a request is answered from. Neither lock is ever held across an await, or both
/// at once.
struct Desk {
    clock: Clock,
    /// Apart from the ledger, so that the time of an arrival does not wait for orders to be
    /// entered or for a large copy of the books.
    meter: Mutex<Meter>,
    ledger: Mutex<Ledger>,
}

struct Ledger {
    books: Books,
    last_serial: u64,
}

impl OtmsSimulator {
    pub fn new(clock: Clock) -> Self {
        let ledger = Ledger { books: Books::default(), last_serial: serial_at(clock()) };
        Self { desk: Arc::new(Desk { clock, meter: Mutex::default(), ledger: Mutex::new(ledger) }) }
    }
}

impl Simulator for OtmsSimulator {
    fn id(&self) -> &'static str {
        ID
    }

    fn router(&self) -> Router {
        Router::new()
            .route(order_import::SERVICE.path, put(order_import::order_import))
            .route(custom_update::SERVICE.path, post(custom_update::order_custom_update))
            .layer(DefaultBodyLimit::max(BODY_LIMIT))
            .with_state(self.desk.clone())
    }

    fn demo_account(&self, sandbox_base_url: &str) -> DemoAccount {
        DemoAccount {
            id: "otms-demo",
            provider: ID,
            display_name: "oTMS sandbox",
            base_url: format!("{}/{ID}", sandbox_base_url.trim_end_matches('/')),
            credentials: json!({
                "username": credentials::USERNAME,
                "password": credentials::PASSWORD,
            }),
            settings: json!({
                "allowPlainHttp": true,
                "branchMap": { "east": "华东" },
            }),
            example_order: Some(example_order((self.desk.clock)())),
        }
    }

    fn books(&self, order_number: Option<&str>) -> Vec<BookEntry> {
        self.desk.ledger().books.entries(order_number)
    }

    fn meter(&self) -> Vec<MeterReading> {
        self.desk.meter().readings()
    }

    fn holdings(&self) -> Map<String, Value> {
        Map::new()
    }

    /// Order numbers go on where they were: none is ever given twice.
    fn reset(&self) {
        self.desk.ledger().books = Books::default();
        *self.desk.meter() = Meter::default();
    }

    fn endpoints(&self) -> &'static [Endpoint] {
        &ENDPOINTS
    }

    /// The two documents have no state beyond the import, and no calls back.
    fn advance(&self, _number: &str, to: Stage) -> Result<BookEntry, NotAdvanced> {
        Err(NotAdvanced::Unsupported(format!("{ID} has no {to:?} in its documents, and calls nobody back")))
    }

    fn under_way(&self) -> Vec<UnderWay> {
        Vec::new()
    }

    fn calling(&self) -> Option<&dyn Calling> {
        None
    }

    fn arrive(&self, endpoint: &str, _uri: &Uri, headers: &HeaderMap) {
        if let Some(service) = service_named(endpoint) {
            self.desk.arrive(service, credentials::from_header(headers).flatten());
        }
    }

    fn order_numbers(&self, _endpoint: &str, request: &[u8]) -> Vec<String> {
        items::erp_numbers(request)
    }

    fn refusal(&self, endpoint: &str, code: &str) -> Option<Response> {
        let service = service_named(endpoint)?;
        Some(service::xml(answer::refused(service.answer_root, code)))
    }

    fn items(&self, endpoint: &str) -> Option<&dyn Items> {
        service_named(endpoint)?;
        Some(&items::Results)
    }

    /// Every request brings its credentials.
    fn sessions(&self, _endpoint: &str) -> Option<&dyn Sessions> {
        None
    }
}

static SERVICES: [&Service; 2] = [&order_import::SERVICE, &custom_update::SERVICE];

static ENDPOINTS: [Endpoint; SERVICES.len()] = {
    let mut endpoints = [Endpoint { name: "", path: "" }; SERVICES.len()];
    let mut index = 0;
    while index < SERVICES.len() {
        endpoints[index] = Endpoint { name: SERVICES[index].endpoint.name, path: SERVICES[index].path };
        index += 1;
    }
    endpoints
};

fn service_named(name: &str) -> Option<&'static Service> {
    SERVICES.into_iter().find(|it| it.endpoint.name == name)
}

impl Desk {
    fn meter(&self) -> MutexGuard<'_, Meter> {
        lock(&self.meter)
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        lock(&self.ledger)
    }
}

/// A panic elsewhere is no reason to stop answering.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `OT`, the year and a serial: the document says only that the system assigns it.
fn order_number(serial: u64, now: DateTime<Utc>) -> String {
    format!("OT{}{serial:010}", in_china(now).year())
}

/// Where the serials of a sandbox that starts now begin. They grow with time, faster than orders
/// usually come, so that a sandbox which was started again, and has forgotten its orders, does not
/// give their numbers to others: a gateway's ledger still holds them.
fn serial_at(now: DateTime<Utc>) -> u64 {
    const SERIALS_PER_SECOND: u64 = 300;
    let now = in_china(now);
    let seconds = u64::from(now.ordinal0()) * 86_400 + u64::from(now.num_seconds_from_midnight());
    seconds * SERIALS_PER_SECOND
}

/// What clocks in China show: all dates in the document are theirs (中国标准时区), and they have
/// no summer time.
fn in_china(now: DateTime<Utc>) -> NaiveDateTime {
    (now + TimeDelta::hours(8)).naive_utc()
}

/// An order from Hangzhou to Shanghai, picked up tomorrow.
fn example_order(now: DateTime<Utc>) -> Value {
    let day = |days: i64| (in_china(now) + TimeDelta::days(days)).format("%Y-%m-%d").to_string();
    json!({
        "account": "otms-demo",
        "orderNumber": EXAMPLE_NUMBER,
        "shipFrom": {
            "companyName": "杭州一号仓",
            "address": {"region": "浙江省", "city": "杭州市", "street": "文三路 90 号", "postalCode": "310012"},
            "contact": {"name": "张三", "mobile": "+8613800000001"},
        },
        "shipTo": {
            "companyName": "上海客户",
            "address": {"region": "上海市", "city": "上海市", "street": "南京东路 782 号", "postalCode": "200001"},
            "contact": {"name": "李四", "mobile": "13900000002"},
        },
        "pickup": {"date": day(1)},
        "delivery": {"date": day(2)},
        "lines": [{"sku": "CODE", "name": "裤子", "quantity": 211, "unitType": "XPK", "grossWeight": 2110, "volume": 15.192}],
        "cargo": {"packagingClass": "loose_manual"},
        "transport": {"serviceType": "ftl", "vehicleBody": "box", "vehicleLength": 4.2},
    })
}
