//! Hongxun WMS (鸿讯), from its document `hongxun-inbound-status-confirm.zh.txt`: 入库单状态确认接口, with which it
//! calls its customer. It takes nothing itself.
//!
//! What the document leaves out and this simulator decides:
//! - An inbound order is known from the first confirmation that the control call `callbacks` asks for:
//!   `{customerNumber, totalQuantity, actualQuantity}`, and if wanted `orderStatus`, `signature` (`right`,
//!   `wrong`, `missing`), `timestamp` (`now`, `stale`, or a text), `times`, `members` of `request` besides the
//!   documented ones, and `callbackUrl` in the place of the one that it was told.
//! - `advance` to `delivered` confirms all that is to come of an order that it knows. Orders have no other
//!   stage. One that goes on by itself does so, too, if only a part of it was confirmed.
//! - A forged call has a wrong signature.
//! - Calls are signed as the public appendix says (附录一), and their times are those of China.
//! - What the customer answers is shown, and changes nothing: no call is repeated unless it is asked for.
//! - The books have an order once, with its last confirmation; further ones count as amendments.

mod confirmation;
mod signature;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::books::{Amendment, BookEntry, Books, NewOrder, Position};
use super::meter::MeterReading;
use super::{
    CallBack, Calling, Clock, DemoAccount, Endpoint, Items, NotAdvanced, Sessions, Simulator, Stage, UnderWay,
};
use confirmation::{Asked, Confirmation};

const ID: &str = "hongxun";

/// The only customer of this simulator. No secret: the sandbox prints it.
const CREATE_BY: &str = "DEMO";
const DATA_SOURCE: &str = "ONELANE";
const SECRET_KEY: &str = "onelane-demo-secret-key";

pub struct HongxunSimulator {
    clock: Clock,
    desk: Mutex<Desk>,
}

#[derive(Default)]
struct Desk {
    books: Books,
    /// By the customer's number.
    orders: HashMap<String, InboundOrder>,
    /// Where the customer is called; told by people.
    callback_url: Option<String>,
    /// What is to be told.
    outbox: Vec<CallBack>,
}

/// An inbound order as far as it was confirmed.
struct InboundOrder {
    position: Position,
    total: i64,
    /// Confirmed last, and when
    actual: i64,
    since: DateTime<Utc>,
}

impl HongxunSimulator {
    pub fn new(clock: Clock) -> Self {
        Self { clock, desk: Mutex::default() }
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        // A panic elsewhere is no reason to stop answering.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Simulator for HongxunSimulator {
    fn id(&self) -> &'static str {
        ID
    }

    /// It has no path: the document's own URL is empty.
    fn router(&self) -> Router {
        Router::new()
    }

    fn endpoints(&self) -> &'static [Endpoint] {
        &[]
    }

    fn demo_account(&self, sandbox_base_url: &str) -> DemoAccount {
        DemoAccount {
            id: "hongxun-demo",
            provider: ID,
            display_name: "Hongxun sandbox",
            base_url: format!("{}/{ID}", sandbox_base_url.trim_end_matches('/')),
            credentials: json!({ "createBy": CREATE_BY, "dataSource": DATA_SOURCE, "secretKey": SECRET_KEY }),
            settings: json!({ "allowPlainHttp": true }),
            example_order: None,
        }
    }

    fn books(&self, order_number: Option<&str>) -> Vec<BookEntry> {
        self.desk().books.entries(order_number)
    }

    /// Nothing ever arrives.
    fn meter(&self) -> Vec<MeterReading> {
        Vec::new()
    }

    fn holdings(&self) -> Map<String, Value> {
        Map::from_iter([("callbackUrl".to_owned(), json!(self.desk().callback_url))])
    }

    /// Where it calls stays: people told it so.
    fn reset(&self) {
        let mut desk = self.desk();
        *desk = Desk { callback_url: desk.callback_url.take(), ..Desk::default() };
    }

    fn advance(&self, number: &str, to: Stage) -> Result<BookEntry, NotAdvanced> {
        if to != Stage::Delivered {
            return Err(NotAdvanced::Unsupported(format!("{ID} confirms what was delivered, and nothing else")));
        }
        let mut desk = self.desk();
        let order = desk.orders.get(number).ok_or_else(|| NotAdvanced::UnknownOrder(number.to_owned()))?;
        let (position, total) = (order.position, order.total);
        desk.confirm(&Asked::all_of(number, total), (self.clock)()).map_err(NotAdvanced::NoWay)?;
        Ok(desk.books.entry(position).clone())
    }

    fn under_way(&self) -> Vec<UnderWay> {
        let desk = self.desk();
        let mut incomplete: Vec<_> = desk.orders.iter().filter(|(_, order)| order.actual < order.total).collect();
        incomplete.sort_by_key(|(_, order)| order.since);
        let next = Stage::Delivered;
        incomplete.into_iter().map(|(number, it)| UnderWay { number: number.clone(), next, since: it.since }).collect()
    }

    fn calling(&self) -> Option<&dyn Calling> {
        Some(self)
    }

    fn arrive(&self, _endpoint: &str, _uri: &Uri, _headers: &HeaderMap) {}

    fn order_numbers(&self, _endpoint: &str, _request: &[u8]) -> Vec<String> {
        Vec::new()
    }

    fn refusal(&self, _endpoint: &str, _code: &str) -> Option<Response> {
        None
    }

    fn items(&self, _endpoint: &str) -> Option<&dyn Items> {
        None
    }

    fn sessions(&self, _endpoint: &str) -> Option<&dyn Sessions> {
        None
    }
}

impl Calling for HongxunSimulator {
    fn call_at(&self, callback_url: &str) {
        self.desk().callback_url = Some(callback_url.to_owned());
    }

    fn tell(&self, asked: Value) -> Result<(), String> {
        let asked = Asked::read(asked)?;
        self.desk().confirm(&asked, (self.clock)())
    }

    fn due(&self) -> Vec<CallBack> {
        std::mem::take(&mut self.desk().outbox)
    }

    fn forged(&self, call: &CallBack) -> CallBack {
        CallBack { body: confirmation::forged(&call.body), ..call.clone() }
    }
}

impl Desk {
    /// Enters what is asked for into the books, and has it confirmed.
    fn confirm(&mut self, asked: &Asked, now: DateTime<Utc>) -> Result<(), String> {
        let url = asked.callback_url.clone().or_else(|| self.callback_url.clone());
        let url = url.ok_or("nobody told where to call: give a callbackUrl, here or with PUT callback-url")?;
        let Confirmation { request, body } = asked.confirmation(now);
        self.enter(asked, &request, now);
        let call = CallBack { url, body, order_numbers: vec![asked.customer_number.clone()] };
        self.outbox.extend(vec![call; asked.times]);
        Ok(())
    }

    fn enter(&mut self, asked: &Asked, request: &Value, now: DateTime<Utc>) {
        let document = confirmation::raw(request);
        let status = if asked.order_status == confirmation::FULFILLED { confirmation::FULFILLED } else { "(other)" };
        let client_reference_number = None;
        if let Some(order) = self.orders.get_mut(&asked.customer_number) {
            order.total = asked.total_quantity;
            order.actual = asked.actual_quantity;
            order.since = now;
            self.books.amend(order.position, Amendment { client_reference_number, status, document });
            return;
        }
        let number = asked.customer_number.clone();
        let new = NewOrder {
            order_number: Some(number.clone()),
            provider_order_number: number.clone(),
            client_reference_number,
            status,
            document,
        };
        let position = self.books.create(CREATE_BY, new);
        let (total, actual) = (asked.total_quantity, asked.actual_quantity);
        self.orders.insert(number, InboundOrder { position, total, actual, since: now });
    }
}
