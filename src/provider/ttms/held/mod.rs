//! Orders as 3TMS holds them, read into canonical members. What has none stays in `raw`.

mod customer_order;
pub mod members;
mod transport_order;

use serde_json::Value;

pub use customer_order::customer_order;
pub use transport_order::transport_order;

/// One page of a query's answer.
pub struct Page {
    /// Orders that match in all
    pub total: u64,
    pub elements: Vec<Value>,
}

impl Page {
    pub fn read(data: Value) -> Result<Page, String> {
        let Value::Object(mut data) = data else { return Err("the answer has no page of orders".to_owned()) };
        let elements = match data.remove("elements") {
            Some(Value::Array(elements)) => elements,
            None | Some(Value::Null) => Vec::new(),
            Some(_) => return Err("the answer's elements are no list".to_owned()),
        };
        let total = data.get("total").and_then(Value::as_u64).ok_or("the answer does not say how many orders match")?;
        Ok(Page { total, elements })
    }
}
