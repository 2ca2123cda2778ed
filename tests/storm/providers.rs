//! The providers of a storm: the sandbox, its accounts at the gateway, and how it misbehaves.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use onelane::sandbox::{Sandbox, SandboxOptions};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::arguments::Arguments;
use super::dice::Dice;
use super::harness::{Caller, wall_clock};
use super::laws::Limit;

/// What a provider has documented as its limit of an hour, less a tenth.
const OF_AN_HOUR: f64 = 9_000.0;
/// How long a request may take, in seconds, and how long a silent provider says nothing.
pub const REQUEST_TIMEOUT: u64 = 5;
const SILENCE_MILLISECONDS: u64 = 7_000;

pub struct Providers {
    pub sandbox: Arc<Sandbox>,
    pub url: String,
    pub control: Caller,
    limits: Vec<Limit>,
}

impl Providers {
    /// The sandbox, on a clock that goes ahead of the wall's.
    pub async fn start(arguments: &Arguments, ahead: Arc<AtomicI64>) -> Self {
        let clock = move || wall_clock() + chrono::TimeDelta::milliseconds(ahead.load(Ordering::Relaxed));
        let dice = Dice::new(arguments.seed, 2);
        let random: onelane::sandbox::Random = Arc::new(move || dice.share());
        let sandbox = Arc::new(Sandbox::new(&SandboxOptions { clock: Arc::new(clock), random }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(Sandbox::clone(&sandbox).serve(listener, std::future::pending()));
        let control = Caller::new(url.clone(), None);
        Providers { sandbox, url, control, limits: limits(arguments) }
    }

    /// The limits that the accounts have, in place of the documented ones.
    pub fn limits(&self) -> &[Limit] {
        &self.limits
    }

    /// Adds an account of each provider, called at `callback_url`.
    pub async fn add_accounts(&self, gateway: &Caller, callback_url: &str) {
        for account in self.sandbox.demo_accounts(&self.url) {
            let mut body = serde_json::to_value(&account).unwrap();
            body["publicCallbackUrl"] = json!(callback_url);
            body["settings"]["requestTimeoutSeconds"] = json!(REQUEST_TIMEOUT);
            match account.provider {
                "ttms" => body["settings"]["batchCreate"] = json!(true),
                "otms" => body["settings"]["rejectDraft"] = json!(false),
                _ => {}
            }
            let of_account = self.limits.iter().filter(|limit| limit.provider == account.provider);
            let throttles: serde_json::Map<String, Value> = of_account
                .map(|limit| {
                    let throttle = json!({"requests": limit.requests, "windowSeconds": limit.window_seconds});
                    (limit.endpoint.to_owned(), throttle)
                })
                .collect();
            body["throttles"] = throttles.into();
            let created = gateway.post("/v1/accounts", &body).await;
            assert_eq!(created.status, 201, "{:#}", created.body);
            if let Some(url) = created.body["callbackUrl"].as_str() {
                self.sandbox.call_at(account.provider, url);
            }
        }
    }

    /// Has every provider misbehave.
    pub async fn misbehave(&self, rate: f64) {
        for (provider, list) in faults(rate) {
            self.put_faults(provider, &list).await;
        }
    }

    /// Has every provider behave.
    pub async fn behave(&self) {
        for (provider, _) in faults(0.0) {
            self.put_faults(provider, &json!([])).await;
        }
    }

    async fn put_faults(&self, provider: &str, list: &Value) {
        let answer = self.control.send_with(Method::PUT, &format!("/control/{provider}/faults"), list, &[]).await;
        assert_eq!(answer.status, 200, "{:#}", answer.body);
    }

    /// How often each fault struck, by provider.
    pub async fn struck(&self) -> Vec<(String, u64)> {
        let mut struck = Vec::new();
        for (provider, _) in faults(0.0) {
            let shown = self.control.get(&format!("/control/{provider}/faults")).await;
            for fault in shown.body["items"].as_array().unwrap() {
                let fired = fault["fired"].as_u64().unwrap();
                struck.push((format!("{provider} {}", fault["kind"].as_str().unwrap()), fired));
            }
        }
        struck
    }
}

/// Limits that let a storm pass in minutes. Windows of ten seconds, so that lateness of a machine with much to do is
/// small beside them; no faster than what the sandbox holds the gateway to in the document's own windows.
fn limits(arguments: &Arguments) -> Vec<Limit> {
    let seconds = arguments.minutes * 60.0 * 2.0 + 120.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 10 and 300")]
    let hourly = (OF_AN_HOUR / seconds * 10.0).clamp(10.0, 300.0) as u32;
    let limit = |provider, endpoint, requests| Limit { provider, endpoint, requests, window_seconds: 10 };
    vec![
        // 40 and 3 a second are documented.
        limit("otms", "orderImport", 200),
        limit("otms", "orderCustomUpdate", 10),
        limit("ttms", "create_order", hourly),
        limit("ttms", "find_order", hourly),
        limit("ttms", "modify_order", hourly),
        limit("ttms", "create_customer_order", hourly),
        limit("ttms", "update_customer_order", hourly),
        limit("ttms", "query_customer_orders", hourly),
        limit("ttms", "create_order_pack", 150),
        limit("ttms", "cancel_orders", 150),
        limit("ttms", "cancel_customer_orders", 150),
        limit("ile", "editOrderByApi", 200),
    ]
}

/// The faults of each provider, `rate` being the share of requests whose connection breaks.
///
/// What a provider says that it did not do, it did not do: that lie nobody can find out.
fn faults(rate: f64) -> [(&'static str, Value); 4] {
    let fault = |kind: &str, share: f64, members: Value| {
        let mut fault = json!({"kind": kind, "probability": rate * share});
        fault.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        fault
    };
    let common = || {
        vec![
            fault("reset_before_read", 0.4, json!({})),
            fault("commit_then_drop", 0.4, json!({})),
            fault("half_answer", 0.2, json!({})),
            fault("truncated_body", 0.06, json!({})),
            fault("html", 0.06, json!({"status": 200})),
            fault("html", 0.06, json!({"status": 502, "commit": true})),
            fault("status", 0.04, json!({"status": 500, "commit": true})),
            fault("status", 0.04, json!({"status": 429, "retryAfterSeconds": 1})),
            fault("silence", 0.02, json!({"commit": true, "delayMs": SILENCE_MILLISECONDS})),
            fault("slow", 0.2, json!({"delayMs": 1_500})),
        ]
    };
    let with = |more: Vec<Value>| Value::Array(common().into_iter().chain(more).collect());
    let items = || {
        vec![
            fault("item_missing", 0.05, json!({})),
            fault("item_unasked", 0.03, json!({})),
            fault("item_twice", 0.03, json!({})),
        ]
    };
    let calls = || vec![fault("callback_duplicate", 1.0, json!({})), fault("callback_disorder", 0.6, json!({}))];
    let otms = [
        fault("item_code", 0.1, json!({"code": "1018", "status": "DRAFT", "commit": true, "endpoint": "orderImport"})),
        fault("item_code", 0.1, json!({"code": "1100", "endpoint": "orderImport"})),
        fault("wrong_encoding", 0.03, json!({})),
        fault("doctype_bomb", 0.03, json!({})),
    ];
    let ttms = [
        fault("answer_code", 0.05, json!({"code": "请勿重复提交"})),
        fault("answer_code", 0.03, json!({"code": "系统异常", "endpoint": "create_order"})),
        fault("answer_code", 0.1, json!({"code": "操作频繁", "times": 1})),
        // Three in a row pause the account.
        fault("session_killed", 0.3, json!({"times": 2})),
    ];
    let ile = [fault("answer_code", 0.1, json!({"code": "500"}))];
    [
        ("otms", with(items().into_iter().chain(otms).collect())),
        ("ttms", with(items().into_iter().chain(ttms).chain(calls()).collect())),
        ("ile", with(ile.into())),
        ("hongxun", calls().into()),
    ]
}
