//! What providers call back: kept as it came, verified, told once, and answered in their own form.

mod doors;
mod killed;
mod orders;
mod people;
mod quantities;
mod quarantine;
mod receiving;

use onelane::sandbox::CallBack;
use serde_json::{Value, json};

use crate::harness::{Answer, Bench, Caller, send};

/// A confirmation of the simulated warehouse, signed and addressed as it would make it.
pub fn confirmation(bench: &Bench, asked: Value) -> CallBack {
    let simulator = bench.simulator_of("hongxun");
    let mut whole = json!({"customerNumber": "RK-1", "totalQuantity": 10, "actualQuantity": 10});
    whole.as_object_mut().unwrap().extend(asked.as_object().unwrap().clone());
    let calling = simulator.calling().unwrap();
    calling.tell(whole).unwrap();
    calling.due().remove(0)
}

/// Makes a call as a provider would.
pub async fn deliver(call: &CallBack) -> Answer {
    post(&call.url, call.body.clone()).await
}

async fn post(url: &str, body: impl Into<reqwest::Body>) -> Answer {
    let caller = Caller::new(String::new(), None);
    send(caller.request(reqwest::Method::POST, url).header("content-type", "application/json").body(body)).await
}

/// The callback that came last.
async fn latest(bench: &Bench) -> Value {
    let list = bench.caller.get("/v1/callbacks?limit=1").await;
    assert_eq!(list.status, 200, "{:#}", list.body);
    list.body["items"][0].clone()
}

/// One member of each event that the account has, oldest first.
async fn events(bench: &Bench, member: &str) -> Vec<String> {
    sqlx::query_scalar(
        "select coalesce(data ->> $1, '') from events where type <> 'account.resumed' order by recorded_at, id",
    )
    .bind(member)
    .fetch_all(&mut bench.database.connection().await)
    .await
    .unwrap()
}

async fn event_types(bench: &Bench) -> Vec<String> {
    bench.database.texts("select type from events order by recorded_at, id").await
}

async fn callback_url(bench: &Bench, account: &str) -> String {
    let account = bench.caller.get(&format!("/v1/accounts/{account}")).await;
    account.body["callbackUrl"].as_str().unwrap_or_else(|| panic!("{:#}", account.body)).to_owned()
}
