//! One order or one submission, followed until it has come to its end.

use std::collections::HashSet;

use serde_json::Value;

use super::following::Following;
use crate::canonical::{OrderStatus, SubmissionState};
use crate::cli::exit::Exit;
use crate::cli::output::{self, Form, printable, shown};
use crate::cli::remote::Call;

/// What is followed, as the gateway showed it.
pub enum Subject {
    Order(Value),
    Submission(Value),
}

impl Subject {
    pub fn account(&self) -> &str {
        let (Subject::Order(it) | Subject::Submission(it)) = self;
        it["account"].as_str().unwrap_or_default()
    }

    /// Tells what happened to it and what happens, until its end or until somebody wants to go.
    pub async fn follow(self, following: Following<'_>, with_history: bool) -> anyhow::Result<Exit> {
        match self {
            Subject::Order(order) => follow_order(order, following, with_history).await,
            Subject::Submission(submission) => follow_submission(submission, following).await,
        }
    }
}

async fn follow_order(order: Value, mut following: Following<'_>, with_history: bool) -> anyhow::Result<Exit> {
    let id = order["id"].as_str().unwrap_or_default().to_owned();
    let path = format!("/v1/orders/{id}");
    let mut told: HashSet<String> = HashSet::new();
    if with_history {
        for event in following.gateway.all(&format!("{path}/events"), &[]).await? {
            told.insert(event["id"].as_str().unwrap_or_default().to_owned());
            following.tell_event(&event, None)?;
        }
    }
    loop {
        // What has ended before it was looked at has its last event in the history.
        let order = following.gateway.ask(&Call::get(&path)).await?.body;
        if let Some(exit) = end_of_order(&order) {
            if following.form == Form::Text {
                output::note(format!("The order is {}.", shown(&order["status"])));
            }
            return Ok(exit);
        }
        loop {
            let Some(next) = following.next().await? else { return Ok(stopped(&following)) };
            if next.event["subject"] == *id && told.insert(next.event["id"].as_str().unwrap_or_default().to_owned()) {
                following.tell(&next)?;
                break;
            }
        }
    }
}

/// How an order has ended, if it has.
fn end_of_order(order: &Value) -> Option<Exit> {
    let status: OrderStatus = order["status"].as_str()?.parse().ok()?;
    let submission = order["submission"]["state"].as_str().and_then(|state| state.parse::<SubmissionState>().ok());
    // A correction of what was rejected may be on its way.
    let idle = submission.is_none_or(SubmissionState::is_final);
    match status {
        OrderStatus::Completed => Some(Exit::Done),
        OrderStatus::Cancelled if idle => Some(Exit::Done),
        OrderStatus::Rejected if idle => Some(Exit::Refused),
        // A creation that was tried too often may be tried again, by a person.
        OrderStatus::Pending if submission == Some(SubmissionState::Dead) => Some(Exit::Refused),
        _ => None,
    }
}

async fn follow_submission(submission: Value, mut following: Following<'_>) -> anyhow::Result<Exit> {
    let path = format!("/v1/submissions/{}", submission["id"].as_str().unwrap_or_default());
    let order = submission["orderId"].clone();
    let mut submission = submission;
    let mut told = Value::Null;
    loop {
        if told != submission["state"] {
            told = submission["state"].clone();
            tell_submission(&submission, following.form)?;
        }
        if let Some(exit) = end_of_submission(&submission) {
            return Ok(exit);
        }
        loop {
            let Some(next) = following.next().await? else { return Ok(stopped(&following)) };
            let kind = next.event["type"].as_str().unwrap_or_default();
            if next.event["subject"] == order && kind.starts_with("submission.") {
                break;
            }
        }
        submission = following.gateway.ask(&Call::get(&path)).await?.body;
    }
}

fn tell_submission(submission: &Value, form: Form) -> anyhow::Result<()> {
    if form == Form::Json {
        output::json_line(submission)?;
        return Ok(());
    }
    let member = |name: &str| shown(&submission[name]);
    let held = if submission["heldBy"].is_null() { String::new() } else { format!("  held by {}", member("heldBy")) };
    output::line(format!("{}  {}{held}  {}", member("operation"), member("state"), member("providerOrderNumber")))?;
    for result in submission["results"].as_array().into_iter().flatten() {
        output::line(format!("  {}  {}", shown(&result["code"]), shown(&result["messageEn"])))?;
        output::line(format!("    {}", printable(result["messageZh"].as_str().unwrap_or_default())))?;
    }
    Ok(())
}

fn end_of_submission(submission: &Value) -> Option<Exit> {
    let state: SubmissionState = submission["state"].as_str()?.parse().ok()?;
    match state {
        SubmissionState::Accepted | SubmissionState::PartiallyAccepted => Some(Exit::Done),
        SubmissionState::Rejected | SubmissionState::Dead | SubmissionState::Cancelled => Some(Exit::Refused),
        SubmissionState::Queued | SubmissionState::Sending | SubmissionState::InDoubt => None,
    }
}

fn stopped(following: &Following<'_>) -> Exit {
    following.say_how_to_go_on();
    if following.is_stopped() { Exit::Interrupted } else { Exit::Done }
}
