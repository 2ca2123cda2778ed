//! `/order/create_order` and `/order/create_order_pack`.
//!
//! What a batch does when one order is bad is not documented: here it is refused as a whole.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::answer::{Failure, Outcome};
use super::content::Content;
use super::ledger::{Ledger, Visit};
use super::members::Members;
use super::parameters::Parameters;
use super::users::User;
use super::waybill::{Driver, Status};

/// 批量创建运单数一次性不得大于100
const LARGEST_BATCH: usize = 100;

/// An order of a request, and its OrderEntity as it came.
type Incoming<'a> = (Content, &'a Map<String, Value>);

pub fn create_order(ledger: &mut Ledger, visit: &Visit, parameters: &Parameters) -> Outcome {
    let count = parameters.members.get("orderList").and_then(Value::as_array).map_or(0, Vec::len);
    if count > LARGEST_BATCH {
        return Err(Failure::because("批量创建运单数一次性不得大于100"));
    }
    let orders = parameters.check(read_orders)?;
    check_numbers(ledger, visit.user, &orders)?;
    let (numbers, _) = enter(ledger, visit, orders, None);
    Ok(json!({ "code": 200, "data": numbers, "message": null }))
}

/// 开单并创建车次. How many orders it takes at most is not documented. With a driver's phone they are
/// given to that driver at once; otherwise they wait for one.
pub fn create_order_pack(ledger: &mut Ledger, visit: &Visit, parameters: &Parameters) -> Outcome {
    let (orders, driver_phone) = parameters.check(|it| (read_orders(it), it.text("driverPhone")))?;
    check_numbers(ledger, visit.user, &orders)?;
    let driver_phone = driver_phone.filter(|it| !it.is_empty());
    let (numbers, ids) = enter(ledger, visit, orders, driver_phone.as_deref());
    let pack_number = ledger.enter_trip(visit, driver_phone, numbers.clone());
    Ok(json!({ "code": 200, "data": { "numbers": numbers, "ids": ids, "packNumber": pack_number } }))
}

fn read_orders<'a>(request: &mut Members<'a, '_>) -> Vec<Incoming<'a>> {
    request.required_list("orderList", |order| (Content::read(order), order.as_received()))
}

/// orderNumber 用于唯一性检测: among all orders of the company, cancelled ones included.
fn check_numbers(ledger: &Ledger, user: &User, orders: &[Incoming]) -> Result<(), Failure> {
    let mut seen = HashSet::new();
    let mut faults = Vec::new();
    for (index, (content, _)) in orders.iter().enumerate() {
        let number = &content.wms_number;
        if ledger.has_wms_number(user, number) {
            faults.push(format!("orderList[{index}].orderNumber {number}已存在"));
        } else if !seen.insert(number) {
            faults.push(format!("orderList[{index}].orderNumber {number}重复"));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Failure::Because(faults.join(";"))) }
}

/// Their numbers and ids.
fn enter(
    ledger: &mut Ledger,
    visit: &Visit,
    orders: Vec<Incoming>,
    driver_phone: Option<&str>,
) -> (Vec<String>, Vec<String>) {
    let mut entered = Vec::with_capacity(orders.len());
    for (content, document) in orders {
        let waybill = ledger.enter_waybill(visit, content, document);
        waybill.driver = driver_phone.map(Driver::with_phone);
        entered.push((waybill.number.clone(), waybill.id.clone()));
    }
    if driver_phone.is_some() {
        for (number, _) in &entered {
            ledger.move_waybill(number, Status::Placed, visit.now);
        }
    }
    entered.into_iter().unzip()
}
