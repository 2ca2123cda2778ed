//! 3TMS/CTMS, from its document `3tms-open-api.zh.txt`: all its operations, and its calls back, for which
//! see [`callbacks`].
//!
//! Besides the demo account's user there is a second, in [`users`], so that two companies can be
//! told apart.
//!
//! What the document leaves out and this simulator decides:
//!
//! **Requests.** The token comes as the query parameter `access_token`, and everything else in a
//! JSON body: an older public copy of the document says so. GET, where it is allowed, takes the
//! query. Unknown, repeated and mistyped members are refused, and the message names all of them.
//! Null is as good as absent, and so is an empty text where one is 必填. Wrong tokens share a quota
//! of their own. A wrong method is HTTP 405, a body beyond 10 MiB HTTP 413.
//!
//! **Failures.** The reason stands behind a colon and the words of the operation's example, where
//! it has any. Nothing is ever done in part: one bad order refuses its batch, one bad number its
//! cancellation. Limits that the document does not state are measured, and not enforced.
//!
//! **Tokens.** One that was killed before its time is as one whose time is over: asking gives two new
//! ones, and the refresh token is still good.
//!
//! **Creation.** An orderNumber is the only one among all orders of the company, cancelled ones
//! included (`…已存在`). An order begins as 待处理; one of a trip with a driver's phone as 已下单.
//! organizationPath must be one of `/organization/list`, or `0`. An acceptance order (受理单) has no
//! number that makes it the only one, so the same again is another one.
//!
//! **Change.** modify_order and /cargo/… refuse orders that are 已签收 or 已撤销, and
//! update_customer_order acceptance orders that are 已完成 or 已撤销. Acceptance orders can be cancelled
//! until they have departed. No order belongs to an acceptance order (受理单分段管理).
//!
//! **Queries** find what is equal, oldest first, and both ends of a period are within it. Dates
//! without a timeType are refused. find_order leaves out what it does not find, and finds cancelled
//! orders too.
//!
//! **Books.** An order's document is its OrderEntity as it came, and after a change the order as it
//! stands in the same members, with `cargoNumber` and `furtherConsignees` for what they have no
//! place for. That of an acceptance order is what came last. Its number of ours is its
//! originalOrderNumber.
//!
//! **Stages.** An order that comes to a stage has been at those before: one that is delivered was
//! picked up. The driver of orders that have none is [`waybill::DRIVER`]. One that goes on by itself comes to
//! each of them, and is never cancelled.
//!
//! **Faults.** `answer_code` takes a message (`操作频繁`), a `status` (`501`), or `401` and `404` for
//! those of HTTP; so does `item_code`, for the whole request, since one order refuses its batch.

mod answer;
mod callbacks;
mod cargo;
mod cargo_lines;
mod change;
mod content;
mod create;
mod customer_order;
mod customer_query;
mod customer_requests;
mod customers;
mod find;
mod items;
mod ledger;
mod members;
mod numbers;
mod operations;
mod order_view;
mod organization;
mod parameters;
mod party;
mod progress;
mod query;
mod service;
mod subscriptions;
mod tokens;
mod users;
mod waybill;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use axum::routing::{MethodFilter, on};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::books::BookEntry;
use super::faults::ItemChange;
use super::meter::{Meter, MeterReading};
use super::{
    CallBack, Calling, Clock, DemoAccount, EXAMPLE_NUMBER, Endpoint, Items, NotAdvanced, Sessions, Simulator, Stage,
    UnderWay,
};
use ledger::Ledger;
use operations::{ENDPOINTS, OPERATIONS, Work};
use tokens::Tokens;
use users::USERS;

const ID: &str = "ttms";

/// Not documented; what our own gateway takes at most.
const BODY_LIMIT: usize = 10 * 1024 * 1024;

pub struct TtmsSimulator {
    desk: Arc<Desk>,
}

/// Everything that a request is answered from. No lock is ever held across an await, or two at
/// once.
struct Desk {
    clock: Clock,
    /// Apart from the ledger, so that the time of an arrival does not wait for orders to be
    /// entered or for a large copy of the books.
    meter: Mutex<Meter>,
    tokens: Mutex<Tokens>,
    ledger: Mutex<Ledger>,
}

impl TtmsSimulator {
    pub fn new(clock: Clock) -> Self {
        let desk = Desk { clock, meter: Mutex::default(), tokens: Mutex::default(), ledger: Mutex::default() };
        Self { desk: Arc::new(desk) }
    }
}

impl Simulator for TtmsSimulator {
    fn id(&self) -> &'static str {
        ID
    }

    fn router(&self) -> Router {
        let mut router = Router::new();
        for operation in &OPERATIONS {
            let methods =
                if operation.also_get { MethodFilter::POST.or(MethodFilter::GET) } else { MethodFilter::POST };
            let answer =
                move |State(desk): State<Arc<Desk>>, request: Request| service::answer(desk, operation, request);
            router = router.route(operation.path, on(methods, answer));
        }
        router
            .fallback(async || answer::unknown_operation())
            .layer(DefaultBodyLimit::max(BODY_LIMIT))
            .with_state(self.desk.clone())
    }

    fn endpoints(&self) -> &'static [Endpoint] {
        &ENDPOINTS
    }

    fn demo_account(&self, sandbox_base_url: &str) -> DemoAccount {
        let [user, _] = &USERS;
        DemoAccount {
            id: "ttms-demo",
            provider: ID,
            display_name: "3TMS sandbox",
            base_url: format!("{}/{ID}", sandbox_base_url.trim_end_matches('/')),
            credentials: json!({ "username": user.name, "password": user.password }),
            settings: json!({
                "allowPlainHttp": true,
                "branchMap": { "east": "0-11" },
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
        self.desk.ledger().holdings()
    }

    fn reset(&self) {
        self.desk.ledger().forget();
        *self.desk.meter() = Meter::default();
    }

    fn advance(&self, number: &str, to: Stage) -> Result<BookEntry, NotAdvanced> {
        let now = (self.desk.clock)();
        progress::advance(&mut self.desk.ledger(), number, to, now)
    }

    fn under_way(&self) -> Vec<UnderWay> {
        progress::under_way(&self.desk.ledger())
    }

    fn calling(&self) -> Option<&dyn Calling> {
        Some(&*self.desk)
    }

    /// Who asks for a token is in the body, which is not read then.
    fn arrive(&self, endpoint: &str, uri: &Uri, _headers: &HeaderMap) {
        if let Some(operation) = operations::named(endpoint) {
            let user = match operation.work {
                Work::Tokens(_) => None,
                Work::Orders(_) => self.desk.user(uri),
            };
            self.desk.arrive(operation, user);
        }
    }

    /// Of a GET, which has its numbers in the URL, none.
    fn order_numbers(&self, endpoint: &str, request: &[u8]) -> Vec<String> {
        match (operations::named(endpoint), serde_json::from_slice(request)) {
            (Some(operation), Ok(request)) => operation.holds.order_numbers(&request, &self.desk.ledger()),
            _ => Vec::new(),
        }
    }

    fn refusal(&self, endpoint: &str, code: &str) -> Option<Response> {
        operations::named(endpoint)?;
        Some(answer::refused(code, None))
    }

    fn items(&self, endpoint: &str) -> Option<&dyn Items> {
        let operation = operations::named(endpoint)?;
        operation.holds.has_items().then_some(&*self.desk as &dyn Items)
    }

    fn sessions(&self, endpoint: &str) -> Option<&dyn Sessions> {
        match operations::named(endpoint)?.work {
            Work::Tokens(_) => None,
            Work::Orders(_) => Some(&*self.desk),
        }
    }
}

impl Calling for Desk {
    /// Whoever wants to be called subscribes.
    fn call_at(&self, _callback_url: &str) {}

    fn tell(&self, asked: Value) -> Result<(), String> {
        callbacks::tell(&mut self.ledger(), asked, (self.clock)())
    }

    fn due(&self) -> Vec<CallBack> {
        std::mem::take(&mut self.ledger().outbox)
    }

    fn forged(&self, call: &CallBack) -> CallBack {
        callbacks::forged(call)
    }
}

impl Items for Desk {
    fn change(&self, answer: &[u8], change: ItemChange, order_number: Option<&str>) -> Option<String> {
        items::change(&self.ledger(), answer, change, order_number)
    }
}

impl Sessions for Desk {
    fn end(&self, uri: &Uri, _headers: &HeaderMap) {
        if let Some(token) = parameters::token(uri) {
            self.tokens().end(&token);
        }
    }
}

impl Desk {
    fn meter(&self) -> MutexGuard<'_, Meter> {
        lock(&self.meter)
    }

    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        lock(&self.tokens)
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        lock(&self.ledger)
    }
}

/// A panic elsewhere is no reason to stop answering.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An order from Hangzhou to Shanghai, picked up tomorrow.
fn example_order(now: DateTime<Utc>) -> Value {
    let day = |days: i64| (numbers::in_china(now) + TimeDelta::days(days)).format("%Y-%m-%d").to_string();
    json!({
        "account": "ttms-demo",
        "orderNumber": EXAMPLE_NUMBER,
        "shipFrom": {
            "companyName": "杭州一号仓",
            "address": {"region": "浙江省", "city": "杭州市", "street": "文三路 90 号"},
            "contact": {"name": "张三", "mobile": "+8613800000001"},
        },
        "shipTo": {
            "companyName": "上海客户",
            "address": {"region": "上海市", "city": "上海市", "street": "南京东路 782 号"},
            "contact": {"name": "李四", "mobile": "13900000002"},
        },
        "pickup": {"date": day(1)},
        "delivery": {"date": day(2)},
        "lines": [{"sku": "CODE", "name": "裤子", "quantity": 211, "unitType": "XPK", "grossWeight": 2110, "volume": 15.192}],
    })
}
