//! Finds the orders that bear a number of ours; also the evidence after a doubt.

use serde_json::Value;

use super::super::answer::reply;
use super::super::held;
use super::super::profile::{FIND_ORDER, MOST_ON_A_PAGE, QUERY_CUSTOMER_ORDERS};
use super::request;
use crate::canonical::FieldError;
use crate::provider::{Account, Answer, OrderReference, ProviderOrder, Reply, Request};

/// find_order by the number that 3TMS gave, else by the customer's number, which is ours where the customer has
/// none.
pub fn orders(account: &Account, reference: &OrderReference) -> Result<Request, Vec<FieldError>> {
    request(account, FIND_ORDER, |json, errors| match &reference.provider_order_number {
        // Up to 20 numbers are separated by commas.
        Some(number) if number.contains(',') => errors.push(FieldError::new(
            "/providerOrderNumber",
            "validation.invalid_format",
            "must not contain a comma, which separates numbers at 3TMS",
            "不得包含逗号:3TMS 以逗号分隔多个单号",
        )),
        Some(number) => json.constant("orderNumber", number),
        None => json.constant("customerNumber", customer_number(reference)),
    })
}

/// Of what 3TMS finds, only the orders that are meant: a customer's number may be on others, too.
pub fn found_orders(reference: &OrderReference, answer: &Answer<'_>) -> Reply<Vec<ProviderOrder>> {
    reply(answer, |data| {
        let listed = match data {
            Value::Array(listed) => listed,
            // Nothing found is not shown in the document.
            Value::Null => Vec::new(),
            _ => return Err("the answer has no list of orders".to_owned()),
        };
        let mut orders = read_all(listed, held::transport_order)?;
        orders.retain(|order| match &reference.provider_order_number {
            Some(number) => order.provider_order_number == *number,
            None if order.order_number.as_deref() == Some(reference.order_number.as_str()) => true,
            // It was made elsewhere and need not know our number.
            None => reference.adopted && order.customer_reference.as_deref() == Some(customer_number(reference)),
        });
        Ok(orders)
    })
}

/// query_customer_orders by the acceptance number, else by the customer's.
pub fn customer_orders(account: &Account, reference: &OrderReference) -> Result<Request, Vec<FieldError>> {
    request(account, QUERY_CUSTOMER_ORDERS, |json, _| {
        json.constant("page", 1_u32);
        json.constant("size", MOST_ON_A_PAGE);
        match &reference.provider_order_number {
            Some(number) => json.constant("number", number),
            None => json.constant("originalOrderNumber", customer_number(reference)),
        }
    })
}

/// As [`found_orders`]. Acceptance orders do not know our number, so that others may be among those with the
/// customer's. One page is asked for: where there are more, the order that is meant may be on another.
pub fn found_customer_orders(reference: &OrderReference, answer: &Answer<'_>) -> Reply<Vec<ProviderOrder>> {
    reply(answer, |data| {
        let page = held::Page::read(data)?;
        let whole = page.total <= page.elements.len() as u64;
        let mut orders = read_all(page.elements, held::customer_order)?;
        orders.retain(|order| match &reference.provider_order_number {
            Some(number) => order.provider_order_number == *number,
            None => order.customer_reference.as_deref() == Some(customer_number(reference)),
        });
        let enough = reference.provider_order_number.is_some() && !orders.is_empty();
        if whole || enough {
            Ok(orders)
        } else {
            Err(format!("{} orders match, which is more than one page", page.total))
        }
    })
}

fn customer_number(reference: &OrderReference) -> &str {
    reference.customer_reference.as_deref().unwrap_or(&reference.order_number)
}

/// All orders of an answer; one that cannot be read makes the answer unreadable, since it may be the one meant.
pub fn read_all(
    elements: Vec<Value>,
    read: impl Fn(Value) -> Result<ProviderOrder, String>,
) -> Result<Vec<ProviderOrder>, String> {
    elements.into_iter().map(read).collect()
}
