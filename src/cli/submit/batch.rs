//! Orders that go to the gateway in one request, and the key that makes its repetition safe.

use aws_lc_rs::digest::{Context, SHA256};
use data_encoding::HEXLOWER;

use super::input::OrderText;

/// Orders of one request at most, as the API says.
pub const MOST_ORDERS: usize = 1000;
/// Bytes of one request; a gateway that takes less says so, and the batch is parted.
pub const MOST_BYTES: usize = 4 * 1024 * 1024;

/// An order on its way, with its place in the input.
#[derive(Debug, Clone)]
pub struct Placed {
    pub index: usize,
    pub line: usize,
    pub order: OrderText,
}

/// Orders that are cut from the input at the same places whenever it is read.
#[derive(Debug, Default)]
pub struct Batch {
    pub orders: Vec<Placed>,
    bytes: usize,
}

impl Batch {
    /// Whether the order fits; the first always does.
    pub fn has_room_for(&self, order: &OrderText, most_orders: usize) -> bool {
        self.orders.is_empty() || (self.orders.len() < most_orders && self.bytes + order.text.len() < MOST_BYTES)
    }

    pub fn push(&mut self, placed: Placed) {
        self.bytes += placed.order.text.len() + 1;
        self.orders.push(placed);
    }

    pub fn take(&mut self) -> Vec<Placed> {
        self.bytes = 0;
        std::mem::take(&mut self.orders)
    }
}

/// The body of a request, in the words of the input.
pub fn body_of(orders: &[&Placed]) -> Vec<u8> {
    let mut body = Vec::from(&b"{\"orders\":["[..]);
    for (number, placed) in orders.iter().enumerate() {
        if number > 0 {
            body.push(b',');
        }
        body.extend_from_slice(placed.order.text.as_bytes());
    }
    body.extend_from_slice(b"]}");
    body
}

/// The `Idempotency-Key` of a request: the same whenever the same orders stand at the same places of the input.
/// `round` tells apart the tries of orders that were not accepted, since the gateway keeps an answer with its key.
pub fn key_of(orders: &[&Placed], round: u32, body: &[u8]) -> String {
    let mut context = Context::new(&SHA256);
    for placed in orders {
        context.update(&placed.index.to_be_bytes());
    }
    context.update(&round.to_be_bytes());
    context.update(body);
    format!("onelane-submit-{}", HEXLOWER.encode(context.finish().as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(index: usize, text: &str) -> Placed {
        let order = OrderText { text: text.to_owned(), order_number: None, account: None };
        Placed { index, line: index + 1, order }
    }

    fn key(orders: &[Placed], round: u32) -> String {
        let orders: Vec<&Placed> = orders.iter().collect();
        key_of(&orders, round, &body_of(&orders))
    }

    #[test]
    fn a_key_says_which_orders_stand_where() {
        let orders = [placed(0, "{\"a\":1}"), placed(1, "{\"a\":2}")];
        assert_eq!(body_of(&orders.iter().collect::<Vec<_>>()), b"{\"orders\":[{\"a\":1},{\"a\":2}]}");
        assert_eq!(key(&orders, 0), key(&orders, 0));
        assert!(key(&orders, 0).bytes().all(|byte| byte.is_ascii_graphic()));
        for other in [
            key(&orders, 1),
            key(&[placed(0, "{\"a\":1}"), placed(1, "{\"a\":3}")], 0),
            key(&[placed(0, "{\"a\":1}"), placed(2, "{\"a\":2}")], 0),
        ] {
            assert_ne!(other, key(&orders, 0));
        }
    }

    #[test]
    fn a_batch_is_full_by_number_or_by_bytes() {
        let mut batch = Batch::default();
        let large = "x".repeat(MOST_BYTES);
        assert!(batch.has_room_for(&placed(0, &large).order, 2), "one order always fits");
        batch.push(placed(0, "{}"));
        assert!(!batch.has_room_for(&placed(1, &large).order, 2));
        assert!(batch.has_room_for(&placed(1, "{}").order, 2));
        batch.push(placed(1, "{}"));
        assert!(!batch.has_room_for(&placed(2, "{}").order, 2));
        assert_eq!(batch.take().len(), 2);
        assert!(batch.has_room_for(&placed(2, &large).order, 2));
    }
}
