//! `/order/modify_order` and `/order/cancel_orders/v2`.

use super::answer::{self, Failure, Outcome};
use super::content::Modification;
use super::ledger::{Ledger, Visit};
use super::parameters::Parameters;
use super::waybill::Status;

/// By the number that TMS gave the order.
pub fn modify_order(ledger: &mut Ledger, visit: &Visit, parameters: &Parameters) -> Outcome {
    // Asked for first, because the document has its own words for its absence.
    let is_missing = parameters.members.get("orderNumber").is_none_or(|it| it.is_null() || it == "");
    if is_missing {
        return Err(Failure::Says("订单号必填".to_owned()));
    }
    let (number, modification) = parameters
        .check(|request| (request.required("orderNumber"), request.required_group("order", Modification::read)))?;
    let Some(waybill) = ledger.waybill(visit.user, &number) else {
        return Err(Failure::Says(format!("订单{number}不存在")));
    };
    if !waybill.status.can_be_modified() {
        let word = waybill.status.word();
        return Err(Failure::Says(format!("订单{number}{word},不能修改")));
    }
    if let Some(modification) = modification {
        ledger.change_waybill(visit, &number, |content| modification.apply(content));
    }
    Ok(answer::data(true))
}

/// All of them or none.
pub fn cancel_orders(ledger: &mut Ledger, visit: &Visit, parameters: &Parameters) -> Outcome {
    let numbers = parameters.check(|request| request.required("numbers"))?;
    let numbers = separate(&numbers);
    let refuse = |number: &&str| match ledger.waybill(visit.user, number) {
        None => Some(format!("订单{number}不存在")),
        Some(waybill) if !waybill.status.can_be_cancelled() => {
            Some(format!("订单{number}{},不能撤销", waybill.status.word()))
        }
        Some(_) => None,
    };
    let reasons: Vec<_> = numbers.iter().filter_map(refuse).collect();
    if !reasons.is_empty() {
        return Err(Failure::Because(reasons.join(";")));
    }
    for number in numbers {
        ledger.move_waybill(number, Status::Cancelled, visit.now);
    }
    Ok(answer::done())
}

/// 多个订单用','隔开: each once.
pub fn separate(numbers: &str) -> Vec<&str> {
    let mut separate: Vec<&str> = Vec::new();
    for number in numbers.split(',') {
        if !separate.contains(&number) {
            separate.push(number);
        }
    }
    separate
}
