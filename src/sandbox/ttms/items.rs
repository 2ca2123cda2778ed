//! The orders in requests and in answers, for faults and for the meter.

use serde_json::{Map, Value};

use super::cargo_lines::order_with_cargo;
use super::ledger::Ledger;
use super::users::User;
use crate::sandbox::faults::ItemChange;

/// Which orders a request of an operation holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    Nothing,
    /// `orderList`, with numbers of ours in `orderNumber`
    NewOrders,
    /// `orders`, with numbers of ours in `originalOrderNumber`
    NewCustomerOrders,
    /// Numbers of orders in this member: one, several with commas, or a list.
    Orders(&'static str),
    /// Not orders, but what to look for.
    Lookup {
        number: &'static str,
        customer_number: &'static str,
    },
    /// The number of a cargo.
    Cargo,
}

impl Holds {
    /// Whether answers have something for each order.
    pub fn has_items(self) -> bool {
        matches!(self, Self::NewOrders | Self::NewCustomerOrders | Self::Lookup { .. })
    }

    /// How many orders a request brings or changes.
    pub fn count(self, request: &Map<String, Value>) -> Option<usize> {
        let length = |list| request.get(list).and_then(Value::as_array).map_or(0, Vec::len);
        match self {
            Self::NewOrders => Some(length("orderList")),
            Self::NewCustomerOrders => Some(length("orders")),
            Self::Orders(member) => Some(texts(request.get(member)).len()),
            Self::Cargo => Some(1),
            Self::Nothing | Self::Lookup { .. } => None,
        }
    }

    /// Counts creates of orders, whatever becomes of them.
    pub fn count_creates(self, request: &Map<String, Value>, ledger: &mut Ledger, user: &User) {
        let owner = match self {
            Self::NewOrders => user.shelves[0],
            Self::NewCustomerOrders => user.shelves[1],
            _ => return,
        };
        for number in self.order_numbers(request, ledger) {
            ledger.books.receive_create(owner, &number);
        }
    }

    /// Numbers of ours. Of an order that is looked for by its customer's number, which ours may be,
    /// that one too.
    pub fn order_numbers(self, request: &Map<String, Value>, ledger: &Ledger) -> Vec<String> {
        let ours = |member| texts(request.get(member)).into_iter().flat_map(|it| ours(ledger, it)).collect();
        match self {
            Self::Nothing => Vec::new(),
            Self::NewOrders => within(request, "orderList", "orderNumber"),
            Self::NewCustomerOrders => within(request, "orders", "originalOrderNumber"),
            Self::Orders(member) => ours(member),
            Self::Lookup { number, customer_number } => {
                let mut numbers: Vec<String> = ours(number);
                for text in texts(request.get(customer_number)) {
                    numbers.push(text.to_owned());
                    let waybills = ledger.all_waybills();
                    let theirs = waybills.filter(|it| it.content.customer_order_number.as_deref() == Some(text));
                    numbers.extend(theirs.map(|it| it.content.wms_number.clone()));
                }
                numbers
            }
            Self::Cargo => order_with_cargo(ledger, request.get("cargoNumber"))
                .map(|it| it.content.wms_number.clone())
                .into_iter()
                .collect(),
        }
    }
}

fn within(request: &Map<String, Value>, list: &str, member: &str) -> Vec<String> {
    let items = request.get(list).and_then(Value::as_array).into_iter().flatten();
    let numbers = items.filter_map(|it| it.get(member)?.as_str()).filter(|it| !it.is_empty());
    numbers.map(str::to_owned).collect()
}

fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(text)) => text.split(',').filter(|it| !it.is_empty()).collect(),
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The numbers of ours of the orders with this number, which /cargo/add takes to be of any kind.
fn ours(ledger: &Ledger, number: &str) -> Vec<String> {
    if let Some(waybill) = ledger.waybill_numbered(number) {
        return vec![waybill.content.wms_number.clone()];
    }
    if let Some(order) = ledger.customer_order_numbered(number) {
        return order.content.original_order_number.clone().into_iter().collect();
    }
    let is_theirs = |held: &Option<String>| held.as_deref() == Some(number);
    let waybills = ledger.all_waybills();
    let named = waybills.filter(|it| it.content.wms_number == number || is_theirs(&it.content.customer_order_number));
    named.map(|it| it.content.wms_number.clone()).collect()
}

/// An answer with a change to the result of this order of ours, or else of the first.
pub fn change(ledger: &Ledger, answer: &[u8], change: ItemChange, order_number: Option<&str>) -> Option<String> {
    let mut answer: Value = serde_json::from_slice(answer).ok()?;
    let data = answer.get_mut("data")?;
    let lists: Vec<&mut Value> = match data {
        Value::Array(_) => vec![data],
        Value::Object(members) if members.contains_key("elements") => vec![members.get_mut("elements")?],
        // A trip has the numbers and the ids of its orders in two lists.
        Value::Object(members) => members.iter_mut().map(|(_, value)| value).filter(|it| it.is_array()).collect(),
        _ => return None,
    };
    let mut lists: Vec<_> = lists.into_iter().filter_map(Value::as_array_mut).collect();
    let meant = |item: &Value| order_number.is_none_or(|number| is_of(ledger, item, number));
    let index = lists.first()?.iter().position(meant)?;
    for list in &mut lists {
        match change {
            ItemChange::Missing => {
                list.remove(index);
            }
            ItemChange::Twice => list.insert(index + 1, list[index].clone()),
            ItemChange::Unasked => list.insert(index + 1, unasked(&list[index])),
        }
    }
    Some(answer.to_string())
}

/// Whether a result is of this order of ours: a number, or an order as it is shown.
fn is_of(ledger: &Ledger, item: &Value, order_number: &str) -> bool {
    let own = item.get("wmsNumber").or_else(|| item.get("order")?.get("originalOrderNumber"));
    match (item.as_str(), own) {
        (Some(number), _) => ours(ledger, number).iter().any(|it| it == order_number),
        (None, own) => own.and_then(Value::as_str) == Some(order_number),
    }
}

/// The result of an order that nobody has.
fn unasked(item: &Value) -> Value {
    const NUMBERS: [&str; 3] = ["number", "wmsNumber", "originalOrderNumber"];
    let other = |value: &Value| Value::from(format!("{}0", value.as_str().unwrap_or_default()));
    match item {
        Value::Object(members) => {
            let change = |(name, value): (&String, &Value)| {
                let value = match name.as_str() {
                    "order" => unasked(value),
                    name if NUMBERS.contains(&name) => other(value),
                    _ => value.clone(),
                };
                (name.clone(), value)
            };
            Value::Object(members.iter().map(change).collect())
        }
        text => other(text),
    }
}
