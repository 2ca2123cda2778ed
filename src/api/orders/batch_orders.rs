//! The orders of a batch, taken out of its body.

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::body::JsonText;
use crate::api::openapi::CONTRACT;
use crate::api::problem::{Kind, Problem};
use crate::tree::Tree;

/// The most orders of one request.
const MOST_ORDERS: usize = 1000;

/// Orders to be created together.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewOrders)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the form of the body, which is taken apart by hand")]
pub struct OrdersBody {
    /// Up to 1,000 canonical orders; each is checked by itself
    #[schema(min_items = 1, value_type = Vec<Value>)]
    orders: Vec<Value>,
}

/// The orders of a batch. What is wrong with one of them is no matter here.
pub enum BatchOrders<'a> {
    AsWritten(std::vec::IntoIter<Tree<'a>>),
    /// Of a body that is unusual
    Read(std::vec::IntoIter<Value>),
}

/// One of them.
pub enum BatchOrder<'a> {
    AsWritten(Tree<'a>),
    Read(Value),
}

impl<'a> BatchOrders<'a> {
    /// Takes them out of a body.
    pub fn of(body: &'a JsonText) -> Result<Self, Problem> {
        let validator = CONTRACT.validator::<OrdersBody>();
        let written = Tree::read(&body.bytes).filter(|tree| validator.is_valid(tree));
        let orders = if let Some(orders) = written.and_then(list_of) {
            BatchOrders::AsWritten(orders.into_iter())
        } else {
            let mut value = body.value()?;
            let errors = validator.errors(&value);
            if !errors.is_empty() {
                return Err(Problem::invalid(errors));
            }
            // Taken as they are: to have them read into the type would copy each of their members.
            let Some(Value::Array(orders)) = value.get_mut("orders").map(Value::take) else {
                return Err(Problem::new(Kind::Internal, "A valid batch has no list of orders."));
            };
            BatchOrders::Read(orders.into_iter())
        };
        let count = match &orders {
            BatchOrders::AsWritten(orders) => orders.len(),
            BatchOrders::Read(orders) => orders.len(),
        };
        if count > MOST_ORDERS {
            return Err(Problem::new(
                Kind::BatchTooLarge,
                format!("A batch holds at most {MOST_ORDERS} orders; this one holds {count}."),
            ));
        }
        Ok(orders)
    }
}

/// The list that a valid body holds.
fn list_of(body: Tree<'_>) -> Option<Vec<Tree<'_>>> {
    let Tree::Object(members) = body else { return None };
    members.into_iter().find_map(|(name, member)| match member {
        Tree::Array(orders) if name == "orders" => Some(orders),
        _ => None,
    })
}

impl<'a> Iterator for BatchOrders<'a> {
    type Item = BatchOrder<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            BatchOrders::AsWritten(orders) => orders.next().map(BatchOrder::AsWritten),
            BatchOrders::Read(orders) => orders.next().map(BatchOrder::Read),
        }
    }
}

impl BatchOrder<'_> {
    pub fn into_value(self) -> Value {
        match self {
            BatchOrder::AsWritten(tree) => tree.to_value(),
            BatchOrder::Read(value) => value,
        }
    }
}
