//! Unbinds tracking devices from acceptance orders.

use super::super::profile::{BATCH_UNBIND_DEVICES, MOST_CUSTOMER_ORDERS};
use super::request;
use crate::canonical::FieldError;
use crate::provider::{Account, Request};

/// 批量解绑受理单设备. One order without a device makes 3TMS refuse them all.
pub fn unbind(account: &Account, numbers: &[String]) -> Result<Request, Vec<FieldError>> {
    request(account, BATCH_UNBIND_DEVICES, |json, errors| {
        if numbers.is_empty() || numbers.len() > usize::from(MOST_CUSTOMER_ORDERS) {
            errors.push(FieldError::new(
                "",
                "validation.out_of_range",
                format!("must name 1 to {MOST_CUSTOMER_ORDERS} acceptance orders"),
                format!("必须提供 1 至 {MOST_CUSTOMER_ORDERS} 个受理单号"),
            ));
        }
        json.constant("orders", numbers);
    })
}
