//! The orders of a measurement.

use serde_json::{Value, json};

/// Bytes of an order as it is sent.
pub const SIZE: usize = 2_048;

/// An order of [`SIZE`] bytes, of which the number is replaced for each: what stands before it, and behind.
pub struct Template {
    before: String,
    after: String,
}

/// A number of as many digits as all others.
const NUMBER: &str = "SO-000000000";

impl Template {
    /// As an application writes it.
    pub fn new() -> Self {
        Template::of(&order(NUMBER))
    }

    fn of(order: &Value) -> Self {
        let text = order.to_string();
        let (before, after) = text.split_once(NUMBER).unwrap();
        Template { before: before.to_owned(), after: after.to_owned() }
    }

    pub fn numbered(&self, number: usize) -> String {
        let mut text = String::with_capacity(SIZE);
        self.write(number, &mut text);
        text
    }

    pub fn write(&self, number: usize, text: &mut String) {
        use std::fmt::Write as _;
        text.push_str(&self.before);
        let _ = write!(text, "SO-{number:09}");
        text.push_str(&self.after);
    }

    /// A batch of orders from this number on.
    pub fn batch(&self, first: usize, count: usize) -> String {
        let mut text = String::with_capacity(SIZE * count + 100);
        text.push_str("{\"orders\":[");
        for number in first..first + count {
            if number > first {
                text.push(',');
            }
            self.write(number, &mut text);
        }
        text.push_str("]}");
        text
    }
}

/// An order of [`SIZE`] bytes: six lines, and remarks that fill it up.
pub fn order(number: &str) -> Value {
    let mut order = small(number);
    let line = order["lines"][0].clone();
    for _ in 0..5 {
        order["lines"].as_array_mut().unwrap().push(line.clone());
    }
    let missing = SIZE - order.to_string().len() - r#","remarks":"""#.len();
    order["remarks"] = json!("r".repeat(missing));
    assert_eq!(order.to_string().len(), SIZE);
    order
}

/// The least that a transport order has.
pub fn small(number: &str) -> Value {
    json!({
        "account": super::gateway::ACCOUNT,
        "orderNumber": number,
        "shipFrom": {
            "companyName": "杭州一号仓",
            "address": {"region": "浙江省", "city": "杭州市", "street": "文三路 90 号", "postalCode": "310012"},
            "contact": {"name": "张三", "mobile": "+8613800000001"},
        },
        "shipTo": {
            "companyName": "上海客户",
            "address": {"region": "上海市", "city": "上海市", "street": "南京东路 782 号", "postalCode": "200001"},
            "contact": {"name": "李四", "mobile": "13900000002"},
        },
        "pickup": {"date": "2026-11-11"},
        "delivery": {"date": "2026-11-12"},
        "lines": [{"sku": "CODE", "name": "裤子", "quantity": 211, "unitType": "XPK", "grossWeight": 2110, "volume": 15.192}],
        "cargo": {"packagingClass": "loose_manual"},
        "transport": {"serviceType": "ftl", "vehicleBody": "box", "vehicleLength": 4.2},
    })
}
