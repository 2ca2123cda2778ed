//! What every test stands on: a database of its own, the sandbox and a gateway on real sockets, and a caller.

mod caller;
pub mod database;
mod event_stream;
pub mod gateway;
mod own_cluster;
mod process;
mod proxy;
mod raw;
mod receiver;

pub use caller::{Answer, Caller, send};
pub use database::TestDatabase;
pub use event_stream::{Block, EventStream};
pub use gateway::Bench;
pub use own_cluster::OwnCluster;
pub use process::GatewayProcess;
pub use proxy::{DatabaseProxy, Passage};
pub use raw::RawConnection;
pub use receiver::{Receiver, Reply, Webhooked};

use onelane::canonical::Action;
use onelane::store::audit::{Act, Actor};
use onelane::vault::Vault;
use serde_json::{Value, json};

/// The administrator's key of every bench.
pub const ADMIN_KEY: &str = "olk_test-administrator";
/// The master key of every bench: 32 zero bytes.
pub const MASTER_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// Ids of the master keys that every bench has.
pub fn known_keys() -> Vec<String> {
    Vault::from_base64(MASTER_KEY).unwrap().key_ids()
}

/// An act on the demo account that a test does without the API.
pub fn by_a_test(action: Action) -> Act<'static> {
    let actor = Actor::CommandLine("test");
    Act { actor, action, object: "otms-demo".into(), account: Some("otms-demo"), details: json!({}) }
}

/// An order that the sandbox accepts.
pub fn order(number: &str) -> Value {
    json!({
        "account": "otms-demo",
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
        "pickup": {"date": today()},
        "delivery": {"date": today()},
        "lines": [{"sku": "CODE", "name": "裤子", "quantity": 211, "unitType": "XPK", "grossWeight": 2110, "volume": 15.192}],
        "cargo": {"packagingClass": "loose_manual"},
        "transport": {"serviceType": "ftl", "vehicleBody": "box", "vehicleLength": 4.2},
    })
}

/// The day in China: providers refuse orders of another year.
pub fn today() -> String {
    (wall_clock() + chrono::TimeDelta::hours(8)).format("%Y-%m-%d").to_string()
}

#[expect(clippy::disallowed_methods, reason = "the edge of the tests: simulators run on real time")]
pub fn wall_clock() -> chrono::DateTime<chrono::Utc> {
    chrono::Utc::now()
}
