//! ILE OMS, from its document `ile-edit-order.zh.txt`.
//!
//! What the document leaves out and this simulator decides:
//! - Orders are made elsewhere. 3674U3000534, which the document's example edits, is known with its
//!   postcode. So is every other number of that form (four digits, a letter, seven digits), with
//!   whatever postcode its first edit has. No other number is known: 404. The books have an order
//!   from its first edit on.
//! - All answers come with HTTP status 200; the code is in the body. What is no JSON in UTF-8 by its
//!   content type is HTTP 415.
//! - What is wrong with an order is 500, with all reasons in `msg`: a member that is missing,
//!   unknown, there twice or of another type, a `parcelList` of another length than `packs`, another
//!   postcode of the consignee.
//! - `battery` and `currency` are required, as the table says, though its example has neither; the
//!   example as it stands is refused. E-mail and company of the shipper and the two Amazon codes are
//!   required and may be empty, as in the example. `custRef` may be called `cust_ref`, but not both.
//! - `ileId` and `sign` are of no account when there is a `userId`. Wrong credentials are 401; 403
//!   is never answered unless a fault asks for it.
//! - No limit is documented, so none is held; the meter measures by the second.

mod answer;
mod credentials;
mod edit_order;
mod members;
mod order;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use axum::routing::post;
use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use super::books::{Amendment, BookEntry, Books, NewOrder};
use super::meter::{Meter, MeterReading, MeteredEndpoint};
use super::{Calling, Clock, DemoAccount, Endpoint, Items, NotAdvanced, Sessions, Simulator, Stage, UnderWay};
use credentials::Company;
use order::EditedOrder;

const ID: &str = "ile";

const PATH: &str = "/oms/v1/Order/editOrderByApi";

/// 频率: 实时; no limit is documented.
const EDIT_ORDER: MeteredEndpoint =
    MeteredEndpoint { name: "editOrderByApi", limit: None, window: TimeDelta::seconds(1) };

static ENDPOINTS: [Endpoint; 1] = [Endpoint { name: EDIT_ORDER.name, path: PATH }];

/// Not documented; what our own gateway takes at most.
const BODY_LIMIT: usize = 10 * 1024 * 1024;

/// The order of the document's example, and the postcode of its consignee.
const KNOWN_ORDER: (&str, &str) = ("3674U3000534", "2017");

/// The document has no word for where an order stands.
const STATUS: &str = "edited";

pub struct IleSimulator {
    desk: Arc<Desk>,
}

/// Everything that a request is answered from. Neither lock is ever held across an await, or both
/// at once.
struct Desk {
    clock: Clock,
    meter: Mutex<Meter>,
    ledger: Mutex<Ledger>,
}

struct Ledger {
    books: Books,
    /// The consignee's postcode of each order that is known, by number.
    postcodes: HashMap<String, String>,
}

/// Why an order is not edited.
enum NotEdited {
    UnknownOrder,
    OtherPostcode,
}

impl IleSimulator {
    pub fn new(clock: Clock) -> Self {
        Self { desk: Arc::new(Desk { clock, meter: Mutex::default(), ledger: Mutex::new(Ledger::new()) }) }
    }
}

impl Simulator for IleSimulator {
    fn id(&self) -> &'static str {
        ID
    }

    fn router(&self) -> Router {
        Router::new()
            .route(PATH, post(edit_order::edit_order))
            .layer(DefaultBodyLimit::max(BODY_LIMIT))
            .with_state(self.desk.clone())
    }

    fn endpoints(&self) -> &'static [Endpoint] {
        &ENDPOINTS
    }

    /// It has no example order: orders are not made here.
    fn demo_account(&self, sandbox_base_url: &str) -> DemoAccount {
        DemoAccount {
            id: "ile-demo",
            provider: ID,
            display_name: "ILE sandbox",
            base_url: format!("{}/{ID}", sandbox_base_url.trim_end_matches('/')),
            credentials: json!({ "ileId": credentials::ILE_ID, "sign": credentials::SIGN }),
            settings: json!({ "allowPlainHttp": true }),
            example_order: None,
        }
    }

    /// An order's number of ours is the customer's reference (客户编号), the only number that its sender
    /// gives it. It is found by ILE's number, too.
    fn books(&self, order_number: Option<&str>) -> Vec<BookEntry> {
        let is_meant = |entry: &BookEntry| {
            order_number.is_none()
                || entry.order_number.as_deref() == order_number
                || Some(entry.provider_order_number.as_str()) == order_number
        };
        let entries = self.desk.ledger().books.entries(None).into_iter();
        let named = entries.map(|entry| BookEntry { order_number: entry.client_reference_number.clone(), ..entry });
        named.filter(is_meant).collect()
    }

    fn meter(&self) -> Vec<MeterReading> {
        self.desk.meter().readings()
    }

    fn holdings(&self) -> Map<String, Value> {
        Map::new()
    }

    fn reset(&self) {
        *self.desk.ledger() = Ledger::new();
        *self.desk.meter() = Meter::default();
    }

    /// The document has no states, and no calls back.
    fn advance(&self, _number: &str, to: Stage) -> Result<BookEntry, NotAdvanced> {
        Err(NotAdvanced::Unsupported(format!("{ID} has no {to:?} in its document, and calls nobody back")))
    }

    fn under_way(&self) -> Vec<UnderWay> {
        Vec::new()
    }

    fn calling(&self) -> Option<&dyn Calling> {
        None
    }

    /// Credentials are in the body, so the head says nothing of them.
    fn arrive(&self, _endpoint: &str, _uri: &Uri, _headers: &HeaderMap) {
        self.desk.arrive(credentials::UNREAD);
    }

    /// The customer's reference and ILE's number: a fault may name either.
    fn order_numbers(&self, _endpoint: &str, request: &[u8]) -> Vec<String> {
        order::numbers(request)
    }

    fn refusal(&self, _endpoint: &str, code: &str) -> Option<Response> {
        code.parse().ok().map(answer::refused)
    }

    /// A request is about one order.
    fn items(&self, _endpoint: &str) -> Option<&dyn Items> {
        None
    }

    /// Every request brings its credentials.
    fn sessions(&self, _endpoint: &str) -> Option<&dyn Sessions> {
        None
    }
}

impl Desk {
    fn arrive(&self, credentials: &str) {
        let mut meter = self.meter();
        // Read under the lock, so that times are recorded in their order.
        let now = (self.clock)();
        meter.arrive(EDIT_ORDER, credentials, now);
    }

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

impl Ledger {
    fn new() -> Self {
        let (number, postcode) = KNOWN_ORDER;
        Self { books: Books::default(), postcodes: HashMap::from([(number.to_owned(), postcode.to_owned())]) }
    }

    /// The order stands afterwards as it was sent, but for a reference that it had and that was left out.
    fn edit(&mut self, company: Company, order: EditedOrder) -> Result<(), NotEdited> {
        let EditedOrder { number, customer_reference, postcode, document } = order;
        if !is_well_formed(&number) {
            return Err(NotEdited::UnknownOrder);
        }
        // 收件人邮编不可编辑
        if *self.postcodes.entry(number.clone()).or_insert_with(|| postcode.clone()) != postcode {
            return Err(NotEdited::OtherPostcode);
        }
        let held = self.books.find_by_provider_number(company, &number);
        let position = held.unwrap_or_else(|| {
            let client_reference_number = customer_reference.clone();
            let document = document.clone();
            let order = NewOrder {
                order_number: None,
                provider_order_number: number,
                client_reference_number,
                status: STATUS,
                document,
            };
            self.books.hold(company, order)
        });
        let known = self.books.entry(position).client_reference_number.clone();
        let client_reference_number = customer_reference.or(known);
        self.books.amend(position, Amendment { client_reference_number, status: STATUS, document });
        Ok(())
    }
}

/// As the only number in the document is.
fn is_well_formed(number: &str) -> bool {
    let bytes = number.as_bytes();
    bytes.len() == 12 && bytes[..4].iter().chain(&bytes[5..]).all(u8::is_ascii_digit) && bytes[4].is_ascii_uppercase()
}
