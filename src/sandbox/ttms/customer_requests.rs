//! `/customer_order/create_customer_order`, `update_customer_order`, `cancel_customer_orders` and
//! `batch_unbind_devices`.
//!
//! The document has no number that makes an acceptance order the only one: the same again is
//! another one.

use serde_json::{Value, json};

use super::answer::{self, Failure, Outcome};
use super::change::separate;
use super::customer_order::{CustomerContent, CustomerStatus};
use super::ledger::{Ledger, Visit};
use super::parameters::Parameters;

/// 批量创建受理单数一次性不得大于50
const LARGEST_BATCH: usize = 50;

pub fn create(ledger: &mut Ledger, visit: &Visit, parameters: &Parameters) -> Outcome {
    let count = parameters.members.get("orders").and_then(Value::as_array).map_or(0, Vec::len);
    if count > LARGEST_BATCH {
        return Err(Failure::because("批量创建受理单数一次性不得大于50"));
    }
    let orders = parameters.check(|request| {
        request.required_list("orders", |order| (CustomerContent::read(order), order.as_received()))
    })?;
    let enter = |(content, document)| ledger.enter_customer_order(visit, content, document);
    let numbers: Vec<_> = orders.into_iter().map(enter).collect();
    Ok(json!({ "code": 200, "data": numbers, "message": null }))
}

/// 没有传递的参数值将被清空
pub fn update(ledger: &mut Ledger, visit: &Visit, parameters: &Parameters) -> Outcome {
    let (number, order) = parameters.check(|request| {
        let number = request.required("number");
        let order = request.required_group("order", |order| (CustomerContent::read(order), order.as_received()));
        (number, order)
    })?;
    let held = ledger.customer_order(visit.user, &number).ok_or_else(unknown)?;
    if !held.status.can_be_updated() {
        return Err(Failure::because(format!("受理单{number}{},不能修改", held.status.word())));
    }
    if let Some((content, document)) = order {
        ledger.replace_customer_order(visit, &number, content, document);
    }
    Ok(json!({ "code": 200, "data": null, "message": null }))
}

/// All of them or none.
pub fn cancel(ledger: &mut Ledger, visit: &Visit, parameters: &Parameters) -> Outcome {
    let numbers = parameters.check(|request| request.required("numbers"))?;
    let numbers = separate(&numbers);
    let refuse = |number: &&str| match ledger.customer_order(visit.user, number) {
        None => Some(format!("受理单{number}不存在")),
        Some(order) if !order.status.can_be_cancelled() => {
            Some(format!("受理单{number}{},不能撤销", order.status.word()))
        }
        Some(_) => None,
    };
    let reasons: Vec<_> = numbers.iter().filter_map(refuse).collect();
    if !reasons.is_empty() {
        return Err(Failure::Because(reasons.join(";")));
    }
    for number in numbers {
        ledger.move_customer_order(number, CustomerStatus::Cancelled, visit.now);
    }
    Ok(answer::done())
}

/// All of them or none, in the document's words.
pub fn unbind_devices(ledger: &mut Ledger, visit: &Visit, parameters: &Parameters) -> Outcome {
    let numbers = parameters.check(|request| {
        let numbers = request.texts("orders").unwrap_or_default();
        if numbers.is_empty() {
            request.fault("orders", "必填");
        }
        numbers
    })?;
    for number in &numbers {
        let order = ledger.customer_order(visit.user, number).ok_or_else(unknown)?;
        if order.content.device_number.is_none() {
            return Err(Failure::Says(format!("受理单{number}未绑定设备!")));
        }
    }
    for number in &numbers {
        ledger.unbind_device(visit, number);
    }
    Ok(answer::data(json!({})))
}

fn unknown() -> Failure {
    Failure::Says("受理单不存在!".to_owned())
}
