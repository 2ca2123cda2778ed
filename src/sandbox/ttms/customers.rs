//! `/customer/add_customers`: 在同一种客户类型中:如果客户电话已存在,则进行更新,否则进行创建。

use serde_json::Value;

use super::answer::{self, Outcome};
use super::ledger::{Ledger, Visit};
use super::members::{Members, PAY_TYPES};
use super::parameters::Parameters;

/// CustomerEntity
struct Customer {
    kind: i64,
    phone: String,
    document: Value,
}

impl Customer {
    fn read(customer: &mut Members) -> Self {
        customer.required("name");
        let phone = customer.required("phone");
        customer.required("address");
        // 1)发货人,2)收货人
        let kind = customer.required_constant("type", &[1, 2]);
        customer.required_constant("paymentType", &PAY_TYPES);
        for name in ["remark1", "remark2", "remark3"] {
            customer.text(name);
        }
        Self { kind: kind.unwrap_or_default(), phone, document: customer.as_received().clone().into() }
    }
}

pub fn add(ledger: &mut Ledger, visit: &Visit, parameters: &Parameters) -> Outcome {
    let customers = parameters.check(|it| it.required_list("customers", Customer::read))?;
    for Customer { kind, phone, document } in customers {
        ledger.customers.insert((visit.user.name, kind, phone), document);
    }
    Ok(answer::data(true))
}
