//! A hundred orders, and the two ways in which they are written.

use onelane::canonical::Order;
use onelane::provider::{self, Account, Batch, Credentials, Endpoint, Item, Outward, Trace};
use serde_json::{Value, json};

const WHOLE: &str = include_str!("../../tests/fixtures/otms/order-import-whole-orders.json");
const ORDERS: usize = 100;

/// A full request.
pub struct Subject {
    orders: Vec<Order>,
    account: Account,
    endpoint: &'static Endpoint,
    outward: &'static dyn Outward,
}

impl Subject {
    pub fn new() -> Self {
        let examples: Vec<Value> = serde_json::from_str(WHOLE).unwrap();
        let orders = examples.iter().cycle().take(ORDERS).map(|order| serde_json::from_value(order.clone()).unwrap());
        let provider = provider::find("otms").unwrap();
        let credentials = Credentials::new(json!({"username": "username", "password": "password"}).to_string());
        let account = Account::new("otms".into(), "https://demo.otms.cn".into(), credentials, json!({})).unwrap();
        let subject = Subject {
            orders: orders.collect(),
            account,
            endpoint: &provider.profile().endpoints[0],
            outward: provider.outward().unwrap(),
        };
        let body = String::from_utf8(subject.translate()).unwrap();
        assert_eq!(body.matches("<order ").count(), ORDERS, "every order is carried");
        subject
    }

    /// In oTMS's words.
    pub fn translate(&self) -> Vec<u8> {
        let items: Vec<Item<'_>> = self.orders.iter().map(Item::create).collect();
        let batch = Batch { endpoint: self.endpoint, account: &self.account, items: &items };
        self.outward.encode(&batch, &mut Trace::off()).request.unwrap().body
    }

    /// As they are, by serde_json.
    pub fn serialize(&self) -> Vec<u8> {
        serde_json::to_vec(&self.orders).unwrap()
    }
}
