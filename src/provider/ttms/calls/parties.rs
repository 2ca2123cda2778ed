//! The address book: of one role, a known telephone number is updated, another is added.

use serde_json::Value;

use super::super::answer::reply;
use super::super::codes;
use super::super::profile::{ADD_CUSTOMERS, MOST_ORDERS};
use super::super::stop::any_number;
use super::request;
use crate::canonical::FieldError;
use crate::provider::{Account, Answer, Party, PartyRole, Reply, Request};

/// 添加客户
pub fn put(account: &Account, parties: &[Party]) -> Result<Request, Vec<FieldError>> {
    request(account, ADD_CUSTOMERS, |json, errors| {
        if parties.is_empty() || parties.len() > usize::from(MOST_ORDERS) {
            errors.push(FieldError::new(
                "/parties",
                "validation.out_of_range",
                format!("must hold 1 to {MOST_ORDERS} parties"),
                format!("必须包含 1 至 {MOST_ORDERS} 个客户"),
            ));
        }
        let list = json.begin_list("customers");
        for (index, party) in parties.iter().enumerate() {
            let Party { name, phone, address, role, payment_term, remarks } = party;
            let item = json.begin_item(index);
            json.constant("name", name);
            json.constant("phone", any_number(phone));
            json.constant("address", address);
            json.constant("type", customer_type(*role));
            json.constant("paymentType", codes::pay_type(*payment_term));
            for (number, remark) in (1..).zip(remarks.iter().flatten()) {
                if number > 3 {
                    errors.push(FieldError::new(
                        format!("/parties/{index}/remarks/{}", number - 1),
                        "translation.unsupported_field",
                        "is one too many: 3TMS has three remarks",
                        "3TMS 仅支持三个备注",
                    ));
                    continue;
                }
                json.constant(&format!("remark{number}"), remark);
            }
            json.end(&item, true);
        }
        json.end(&list, true);
    })
}

pub fn taken(answer: &Answer<'_>) -> Reply<()> {
    reply(answer, |data| match data {
        Value::Bool(false) => Err("the answer has code 200 and the data false".to_owned()),
        _ => Ok(()),
    })
}

/// 客户类型 1)发货人,2)收货人
fn customer_type(role: PartyRole) -> u8 {
    match role {
        PartyRole::Consignor => 1,
        PartyRole::Consignee => 2,
    }
}
