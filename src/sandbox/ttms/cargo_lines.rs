//! `/cargo/add`, `/cargo/update` and `/cargo/remove`: 不再推荐使用,未来将停用,请使用修改订单接口, and
//! documented all the same.
//!
//! The document does not say where a cargo's number (货物号) must be the only one: here among all
//! orders of the company, since two of the operations name nothing else. What /cargo/update does
//! not say stays as it is.

use serde_json::{Value, json};

use super::answer::{self, Failure, Outcome};
use super::cargo::{Cargo, Measures};
use super::ledger::{Ledger, Visit};
use super::parameters::Parameters;
use super::waybill::Waybill;

pub fn add(ledger: &mut Ledger, visit: &Visit, parameters: &Parameters) -> Outcome {
    let (order_number, cargo_number, measures) = parameters
        .check(|cargo| (cargo.required("orderNumber"), cargo.required("cargoNumber"), Measures::read_texts(cargo)))?;
    let number = find_order(ledger, visit, &order_number)?.number.clone();
    if find_cargo(ledger, visit, &cargo_number).is_some() {
        return Err(Failure::because(format!("货物号{cargo_number}已存在")));
    }
    let cargo = Cargo { number: Some(cargo_number), measures, ..Cargo::default() };
    ledger.change_waybill(visit, &number, |content| content.cargoes.push(cargo));
    Ok(answer::done())
}

pub fn update(ledger: &mut Ledger, visit: &Visit, parameters: &Parameters) -> Outcome {
    let (cargo_number, measures) =
        parameters.check(|cargo| (cargo.required("cargoNumber"), Measures::read_texts(cargo)))?;
    let (number, index) = find_changeable(ledger, visit, &cargo_number)?;
    ledger.change_waybill(visit, &number, |content| content.cargoes[index].measures.modify(measures));
    Ok(answer::done())
}

/// The only operation whose message says in words whether it was done; all its failures are alike.
pub fn remove(ledger: &mut Ledger, visit: &Visit, parameters: &Parameters) -> Outcome {
    let false_is_all = |_| Failure::Says("false".to_owned());
    let cargo_number = parameters.check(|cargo| cargo.required("cargoNumber")).map_err(false_is_all)?;
    let (number, index) = find_changeable(ledger, visit, &cargo_number).map_err(false_is_all)?;
    ledger.change_waybill(visit, &number, |content| {
        content.cargoes.remove(index);
    });
    Ok(json!({ "code": 200, "message": "true" }))
}

/// 订单号,客户单号或wms单号: by the first of these that any order has.
fn find_order<'a>(ledger: &'a Ledger, visit: &Visit, number: &str) -> Result<&'a Waybill, Failure> {
    let orders = || ledger.waybills(visit.user);
    let by_customer_number =
        || -> Vec<_> { orders().filter(|it| it.content.customer_order_number.as_deref() == Some(number)).collect() };
    let found = match ledger.waybill(visit.user, number) {
        Some(waybill) => vec![waybill],
        None => match orders().find(|it| it.content.wms_number == number) {
            Some(waybill) => vec![waybill],
            None => by_customer_number(),
        },
    };
    match found[..] {
        [waybill] => changeable(waybill),
        [] => Err(Failure::because(format!("订单{number}不存在"))),
        _ => Err(Failure::because(format!("客户单号{number}对应多个订单"))),
    }
}

fn changeable(waybill: &Waybill) -> Result<&Waybill, Failure> {
    if waybill.status.can_be_modified() {
        Ok(waybill)
    } else {
        Err(Failure::because(format!("订单{}{},不能修改", waybill.number, waybill.status.word())))
    }
}

fn find_cargo<'a>(ledger: &'a Ledger, visit: &Visit, cargo_number: &str) -> Option<(&'a Waybill, usize)> {
    let within =
        |waybill: &Waybill| waybill.content.cargoes.iter().position(|it| it.number.as_deref() == Some(cargo_number));
    ledger.waybills(visit.user).find_map(|waybill| Some((waybill, within(waybill)?)))
}

fn find_changeable(ledger: &Ledger, visit: &Visit, cargo_number: &str) -> Result<(String, usize), Failure> {
    let found = find_cargo(ledger, visit, cargo_number);
    let (waybill, index) = found.ok_or_else(|| Failure::because(format!("没有货物号{cargo_number}")))?;
    Ok((changeable(waybill)?.number.clone(), index))
}

/// The number of the order that a cargo is in, as far as one can be told from a request.
pub fn order_with_cargo<'a>(ledger: &'a Ledger, cargo_number: Option<&Value>) -> Option<&'a Waybill> {
    let cargo_number = cargo_number?.as_str()?;
    ledger
        .all_waybills()
        .find(|waybill| waybill.content.cargoes.iter().any(|it| it.number.as_deref() == Some(cargo_number)))
}
