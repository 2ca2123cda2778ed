//! Every provider with accounts of its simulator, and orders that it carries. No provider is named: a new one is
//! fuzzed as soon as it is listed.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::canonical::{Operation, Order, merge_patch};
use crate::provider::{ALL, Account, Credentials, Inward, Item, OperationProfile, Outward, Profile, Trip};
use crate::sandbox::{DemoAccount, Sandbox, SandboxOptions, seeded};

/// When everything happens.
pub const NOW: DateTime<Utc> = DateTime::from_timestamp(1_795_651_200, 0).unwrap();

/// A provider that takes orders, with an account there.
pub struct Sending {
    pub profile: &'static Profile,
    pub outward: &'static dyn Outward,
    pub account: Account,
    /// An order with every member that could be carried, as JSON
    pub whole_order: Value,
}

/// A provider that calls, with accounts that check its calls in different ways.
pub struct Calling {
    pub inward: &'static dyn Inward,
    pub accounts: Vec<Account>,
}

pub static SENDING: LazyLock<Vec<Sending>> = LazyLock::new(|| {
    let demos = demo_accounts();
    let sending = ALL.iter().filter_map(|provider| {
        let (profile, outward) = (provider.profile(), provider.outward()?);
        let demo = demos.iter().find(|demo| demo.provider == profile.id).expect("every provider has a simulator");
        let mut whole_order = fixture("canonical", "whole-order.json").expect("the whole order is there");
        if let Some(patch) = fixture(profile.id, "whole-order-patch.json") {
            merge_patch(&mut whole_order, &patch);
        }
        whole_order["account"] = json!(demo.id);
        Some(Sending { profile, outward, account: account(demo, &demo.settings), whole_order })
    });
    sending.collect()
});

pub static CALLING: LazyLock<Vec<Calling>> = LazyLock::new(|| {
    let demos = demo_accounts();
    let calling = ALL.iter().filter_map(|provider| {
        let (id, inward) = (provider.profile().id, provider.inward()?);
        let demo = demos.iter().find(|demo| demo.provider == id).expect("every provider has a simulator");
        let examples = fixture(id, "callbacks.json").unwrap_or_default();
        let of_examples = examples.as_array().into_iter().flatten().filter_map(|example| example.get("settings"));
        let accounts = std::iter::once(&demo.settings).chain(of_examples).map(|settings| account(demo, settings));
        Some(Calling { inward, accounts: accounts.collect() })
    });
    calling.collect()
});

/// Two orders, for requests with one and with several.
static ORDERS: LazyLock<[Order; 2]> = LazyLock::new(|| {
    let mut whole = fixture("canonical", "whole-order.json").expect("the whole order is there");
    ["SO-1", "SO-2"].map(|number| {
        whole["orderNumber"] = json!(number);
        serde_json::from_value(whole.clone()).expect("the whole order is one")
    })
});

static CHANGE: LazyLock<Value> = LazyLock::new(|| json!({"remarks": "x", "customFields": {"text1": "y"}}));

/// The first `count` orders, as items of an operation.
pub fn items(operation: &OperationProfile, count: usize) -> Vec<Item<'static>> {
    let changes = matches!(operation.operation, Operation::Amend | Operation::UpdateCustomFields);
    let trip = Trip { orders: &*ORDERS, driver_phone: "13700000003" };
    let item = |order: &'static Order| Item {
        operation: operation.operation,
        change: changes.then_some(&*CHANGE),
        standing: changes.then_some(order),
        provider_order_number: (operation.operation != Operation::Create).then_some("PN-1"),
        trip: (operation.operation == Operation::CreateTrip).then_some(trip),
        ..Item::create(order)
    };
    ORDERS[..count].iter().map(item).collect()
}

fn demo_accounts() -> Vec<DemoAccount> {
    let options = SandboxOptions { clock: Arc::new(|| NOW), random: seeded(1) };
    Sandbox::new(&options).demo_accounts("http://sandbox.test")
}

fn account(demo: &DemoAccount, settings: &Value) -> Account {
    let credentials = Credentials::new(demo.credentials.to_string());
    Account::new(demo.id.to_owned(), demo.base_url.clone(), credentials, settings.clone()).expect("settings are sound")
}

/// What only a provider's documents can say; see `tests/integration/conformance`.
fn fixture(provider: &str, name: &str) -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(provider).join(name);
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}
