//! The operators' console as a browser without scripts meets it.

mod access;
mod accounts;
mod actions;
mod browser;
mod callbacks;
mod pages;
mod playground;
mod session;
mod webhooks;

use crate::harness::{Bench, order};

use browser::Browser;

/// A gateway, and an administrator's browser that is signed in.
async fn signed_in() -> (Bench, Browser) {
    let bench = Bench::start().await;
    let browser = administrator(&bench).await;
    (bench, browser)
}

async fn administrator(bench: &Bench) -> Browser {
    let browser = Browser::new(&bench.base_url);
    let answer = browser.sign_in(crate::harness::ADMIN_KEY, None).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    browser
}

/// An order that the simulated provider refuses.
fn refused(number: &str) -> serde_json::Value {
    let mut order = order(number);
    order["customer"] = serde_json::json!({"code": "UNKNOWN"});
    order
}

/// Puts a submission in doubt, where nobody seeks evidence: its account is paused.
async fn put_in_doubt(bench: &Bench, submission: uuid::Uuid) {
    sqlx::query("update submissions set state = 'in_doubt', may_exist = true, ready = false where id = $1")
        .bind(submission)
        .execute(&mut bench.database.connection().await)
        .await
        .unwrap();
}
