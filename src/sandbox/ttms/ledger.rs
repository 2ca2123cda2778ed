//! What the simulator holds.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use super::callbacks;
use super::cargo::Cargo;
use super::content::Content;
use super::customer_order::{CustomerContent, CustomerOrder, CustomerStatus};
use super::numbers::Numbers;
use super::subscriptions::{Subscription, Topic};
use super::users::User;
use super::waybill::{Status, Times, Waybill};
use crate::sandbox::CallBack;
use crate::sandbox::books::{Amendment, Books, NewOrder};

/// Who asks, and when.
pub struct Visit {
    pub user: &'static User,
    pub now: DateTime<Utc>,
}

impl Visit {
    /// As all times of the interface: 时间戳,精确到秒.
    pub fn seconds(&self) -> i64 {
        self.now.timestamp()
    }
}

#[derive(Default)]
pub struct Ledger {
    pub books: Books,
    waybills: Vec<Waybill>,
    by_number: HashMap<String, usize>,
    wms_numbers: HashSet<(&'static str, String)>,
    customer_orders: Vec<CustomerOrder>,
    customer_orders_by_number: HashMap<String, usize>,
    pub subscriptions: BTreeMap<(&'static str, Topic), Subscription>,
    /// By user, type and phone.
    pub customers: BTreeMap<(&'static str, i64, String), Value>,
    trips: Vec<Trip>,
    numbers: Numbers,
    /// What is to be told of all this.
    pub outbox: Vec<CallBack>,
}

/// A vehicle with several orders (车次).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Trip {
    pub user: &'static str,
    pub pack_number: String,
    pub driver_phone: Option<String>,
    pub order_numbers: Vec<String>,
    #[serde(skip)]
    pub created: DateTime<Utc>,
}

impl Ledger {
    /// Numbers go on where they were: none is ever given twice.
    pub fn forget(&mut self) {
        let numbers = std::mem::take(&mut self.numbers);
        *self = Self { numbers, ..Self::default() };
    }

    pub fn waybills(&self, user: &User) -> impl Iterator<Item = &Waybill> {
        self.waybills.iter().filter(|it| it.user.uid == user.uid)
    }

    /// Of all users.
    pub fn all_waybills(&self) -> impl Iterator<Item = &Waybill> {
        self.waybills.iter()
    }

    pub fn all_customer_orders(&self) -> impl Iterator<Item = &CustomerOrder> {
        self.customer_orders.iter()
    }

    pub fn waybill_numbered(&self, number: &str) -> Option<&Waybill> {
        self.by_number.get(number).map(|index| &self.waybills[*index])
    }

    pub fn customer_order_numbered(&self, number: &str) -> Option<&CustomerOrder> {
        self.customer_orders_by_number.get(number).map(|index| &self.customer_orders[*index])
    }

    /// Of this user, by the number that the simulator gave it.
    pub fn waybill(&self, user: &User, number: &str) -> Option<&Waybill> {
        self.waybill_numbered(number).filter(|it| it.user.uid == user.uid)
    }

    pub fn has_wms_number(&self, user: &User, wms_number: &str) -> bool {
        self.wms_numbers.contains(&(user.name, wms_number.to_owned()))
    }

    pub fn customer_orders(&self, user: &User) -> impl Iterator<Item = &CustomerOrder> {
        self.customer_orders.iter().filter(|it| it.user.uid == user.uid)
    }

    pub fn customer_order(&self, user: &User, number: &str) -> Option<&CustomerOrder> {
        self.customer_order_numbered(number).filter(|it| it.user.uid == user.uid)
    }

    /// Enters an order, `document` being its OrderEntity as it came, and gives it its number.
    pub fn enter_waybill(
        &mut self,
        visit: &Visit,
        mut content: Content,
        document: &Map<String, Value>,
    ) -> &mut Waybill {
        let Visit { user, now } = *visit;
        let (id, number) = (self.numbers.id(now), self.numbers.order(now));
        self.enter_cargoes(visit, &mut content.cargoes);
        let status = Status::Pending;
        let position = self.books.create(
            user.shelves[0],
            NewOrder {
                order_number: Some(content.wms_number.clone()),
                provider_order_number: number.clone(),
                client_reference_number: content.customer_order_number.clone(),
                status: status.word(),
                document: raw(document),
            },
        );
        let index = self.waybills.len();
        self.by_number.insert(number.clone(), index);
        self.wms_numbers.insert((user.name, content.wms_number.clone()));
        let seconds = visit.seconds();
        let times = Times { created: seconds, updated: seconds, ..Times::default() };
        self.waybills.push(Waybill {
            position,
            user,
            id,
            number,
            content,
            status,
            since: now,
            pack_number: None,
            driver: None,
            times,
        });
        &mut self.waybills[index]
    }

    /// Changes what an order's sender says of it.
    pub fn change_waybill(&mut self, visit: &Visit, number: &str, change: impl FnOnce(&mut Content)) {
        let Some(index) = self.by_number.get(number).copied() else {
            return;
        };
        let mut content = self.waybills[index].content.clone();
        change(&mut content);
        self.enter_cargoes(visit, &mut content.cargoes);
        let waybill = &mut self.waybills[index];
        waybill.content = content;
        waybill.times.updated = visit.seconds();
        let amendment = Amendment {
            client_reference_number: waybill.content.customer_order_number.clone(),
            status: waybill.status.word(),
            document: raw(&waybill.content.written()),
        };
        self.books.amend(waybill.position, amendment);
    }

    /// Lets an order come to a status.
    pub fn move_waybill(&mut self, number: &str, status: Status, now: DateTime<Utc>) {
        let Some(index) = self.by_number.get(number).copied() else {
            return;
        };
        let before = self.waybills[index].status;
        self.waybills[index].come_to(status, now);
        callbacks::of_waybill(self, index, before, now);
        let waybill = &self.waybills[index];
        if status == Status::Cancelled {
            self.books.cancel(waybill.position, status.word());
        } else {
            self.books.move_on(waybill.position, status.word());
        }
    }

    pub fn waybill_at(&self, index: usize) -> &Waybill {
        &self.waybills[index]
    }

    pub fn customer_order_at(&self, index: usize) -> &CustomerOrder {
        &self.customer_orders[index]
    }

    pub fn trip(&self, pack_number: &str) -> Option<&Trip> {
        self.trips.iter().find(|it| it.pack_number == pack_number)
    }

    /// Makes a trip of orders, and gives it its number.
    pub fn enter_trip(&mut self, visit: &Visit, driver_phone: Option<String>, order_numbers: Vec<String>) -> String {
        let pack_number = self.numbers.pack(visit.user.uid, visit.now);
        for number in &order_numbers {
            if let Some(index) = self.by_number.get(number) {
                self.waybills[*index].pack_number = Some(pack_number.clone());
            }
        }
        let user = visit.user.name;
        let is_assigned = driver_phone.is_some();
        let created = visit.now;
        self.trips.push(Trip { user, pack_number: pack_number.clone(), driver_phone, order_numbers, created });
        if is_assigned {
            callbacks::of_trip(self, &pack_number, callbacks::TRIP_ASSIGNED, created);
        }
        pack_number
    }

    /// Enters an acceptance order, `document` being its CustomerOrderEntity as it came.
    pub fn enter_customer_order(
        &mut self,
        visit: &Visit,
        mut content: CustomerContent,
        document: &Map<String, Value>,
    ) -> String {
        let Visit { user, now } = *visit;
        let (id, number) = (self.numbers.id(now), self.numbers.customer_order(now));
        self.enter_cargoes(visit, &mut content.cargoes);
        let position = self.books.create(
            user.shelves[1],
            NewOrder {
                order_number: content.original_order_number.clone().filter(|it| !it.is_empty()),
                provider_order_number: number.clone(),
                client_reference_number: None,
                status: CustomerStatus::Pending.word(),
                document: raw(document),
            },
        );
        self.customer_orders_by_number.insert(number.clone(), self.customer_orders.len());
        self.customer_orders.push(CustomerOrder::new(position, user, id, number.clone(), content, now));
        number
    }

    /// Puts new content in the place of all that an acceptance order said.
    pub fn replace_customer_order(
        &mut self,
        visit: &Visit,
        number: &str,
        mut content: CustomerContent,
        document: &Map<String, Value>,
    ) {
        self.enter_cargoes(visit, &mut content.cargoes);
        let Some(index) = self.customer_orders_by_number.get(number) else {
            return;
        };
        let order = &mut self.customer_orders[*index];
        order.say(content, visit.seconds());
        let amendment =
            Amendment { client_reference_number: None, status: order.status.word(), document: raw(document) };
        self.books.amend(order.position, amendment);
    }

    pub fn move_customer_order(&mut self, number: &str, status: CustomerStatus, now: DateTime<Utc>) {
        let Some(index) = self.customer_orders_by_number.get(number).copied() else {
            return;
        };
        self.customer_orders[index].come_to(status, now);
        callbacks::of_customer_order(self, index, now);
        let order = &self.customer_orders[index];
        if status == CustomerStatus::Cancelled {
            self.books.cancel(order.position, status.word());
        } else {
            self.books.move_on(order.position, status.word());
        }
    }

    pub fn unbind_device(&mut self, visit: &Visit, number: &str) {
        if let Some(index) = self.customer_orders_by_number.get(number) {
            let order = &mut self.customer_orders[*index];
            order.content.device_number = None;
            order.updated = visit.seconds();
        }
    }

    /// Gives an id to each that has none.
    fn enter_cargoes(&mut self, visit: &Visit, cargoes: &mut [Cargo]) {
        for cargo in cargoes.iter_mut().filter(|it| it.id.is_empty()) {
            cargo.id = self.numbers.id(visit.now);
            cargo.created = visit.seconds();
        }
    }

    /// All but the orders.
    pub fn holdings(&self) -> Map<String, Value> {
        let subscriptions = self.subscriptions.iter().map(|((user, topic), it)| it.shown(user, *topic));
        let customers = self.customers.iter().map(|((user, ..), it)| json!({ "user": user, "customer": it }));
        let mut holdings = Map::new();
        holdings.insert("subscriptions".to_owned(), subscriptions.collect());
        holdings.insert("customers".to_owned(), customers.collect());
        holdings.insert("trips".to_owned(), json!(self.trips));
        holdings
    }
}

/// A value or map with keys of text always serialises.
fn raw(document: &impl Serialize) -> Arc<RawValue> {
    to_raw_value(document).unwrap_or_else(|_| RawValue::NULL.to_owned()).into()
}
