//! The adapter against its document.

mod confirmations;
mod coverage;
mod signatures;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::Hongxun;
use super::signature::{canonical_json, sign};
use crate::canonical::Happening;
use crate::provider::{Account, Callback, Credentials, Provider, Refusal, read_callback};

const REQUEST: &str = include_str!("../../../../tests/fixtures/hongxun/status-confirm-request.json");
const RESPONSE: &str = include_str!("../../../../tests/fixtures/hongxun/status-confirm-response.json");

const TIMESTAMP: &str = "2024-01-01 08:00:00";

/// When a call with [`TIMESTAMP`] is made, by the clock of the ledger.
fn on_time() -> DateTime<Utc> {
    "2024-01-01T00:00:00Z".parse().unwrap()
}

fn account(settings: Value) -> Account {
    let credentials = json!({"createBy": "CUST", "dataSource": "SRC", "secretKey": "SECRET"}).to_string();
    Account::new("acme".to_owned(), "https://wms.test".to_owned(), Credentials::new(credentials), settings).unwrap()
}

/// A confirmation, signed as the account's are.
fn confirmation(total: i64, actual: i64) -> Value {
    signed(
        json!({"customerNumber": "RK1", "orderStatus": "FULFILLED", "totalQuantity": total, "actualQuantity": actual}),
    )
}

fn signed(request: Value) -> Value {
    let sign = sign("CUST", "SRC", &canonical_json(&request), "SECRET", TIMESTAMP);
    json!({"createBy": "CUST", "dataSource": "SRC", "sign": sign, "timestamp": TIMESTAMP, "request": request})
}

/// What is read in a call that arrives on time.
fn read(account: &Account, call: &Value) -> Result<Happening, Refusal> {
    read_at(account, call.to_string().as_bytes(), on_time())
}

fn read_at(account: &Account, body: &[u8], now: DateTime<Utc>) -> Result<Happening, Refusal> {
    let happenings = read_callback(Hongxun.inward().unwrap(), account, Callback { headers: &[], body }, now)?;
    assert_eq!(happenings.len(), 1);
    Ok(happenings.into_iter().next().unwrap())
}
