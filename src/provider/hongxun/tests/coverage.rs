//! `status_confirm_coverage.csv` against the adapter: every member of the document goes where the list says.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{Hongxun, confirmation};
use super::{account, confirmation};
use crate::provider::{Inward, Reception};

#[derive(Debug, Deserialize)]
struct Row {
    field: String,
    canonical: String,
    otherwise: String,
    why: String,
}

fn rows() -> Vec<Row> {
    let list = include_bytes!("../status_confirm_coverage.csv").as_slice();
    csv::Reader::from_reader(list).into_deserialize().collect::<Result<_, _>>().unwrap()
}

fn data(call: &Value) -> Value {
    let account = account(json!({"verify": "warn"}));
    Value::Object(confirmation::parse(&account, call.to_string().as_bytes()).unwrap().data)
}

/// The pointers, `raw` apart, at which two documents differ.
fn differences(one: &Value, other: &Value, at: &str, found: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(members), Value::Object(others)) => {
            for (name, value) in members.iter().filter(|(name, _)| !at.is_empty() || *name != "raw") {
                differences(value, &others[name], &format!("{at}/{name}"), found);
            }
        }
        _ if one != other => found.push(at.to_owned()),
        _ => {}
    }
}

#[test]
fn every_member_goes_where_the_list_says_and_nowhere_else() {
    let call = confirmation(10, 8);
    for row in rows().iter().filter(|row| !row.field.starts_with("response.")) {
        let pointer = format!("/{}", row.field.replace('.', "/"));
        let mut changed = call.clone();
        let member = changed.pointer_mut(&pointer).unwrap_or_else(|| panic!("{}", row.field));
        *member = match &*member {
            Value::Number(_) => json!(7),
            _ if row.field == "timestamp" => json!("2024-01-01 08:01:00"),
            _ => json!("another"),
        };
        let (before, after) = (data(&call), data(&changed));
        let mut found = Vec::new();
        differences(&before, &after, "", &mut found);
        let listed: Vec<_> = row.canonical.split_whitespace().collect();
        assert_eq!(found, listed, "{}", row.field);
        assert_eq!(after["raw"].pointer(&pointer), changed.pointer(&pointer), "{}", row.field);
    }
}

#[test]
fn the_list_has_every_member_of_the_document() {
    let mut listed: Vec<_> = rows().into_iter().map(|row| row.field).collect();
    let mut documented: Vec<String> = ["code", "flag", "message", "value"].map(|it| format!("response.{it}")).to_vec();
    let example: Value = serde_json::from_str(super::REQUEST).unwrap();
    for (name, value) in example.as_object().unwrap() {
        match value.as_object() {
            Some(members) => documented.extend(members.keys().map(|member| format!("{name}.{member}"))),
            None => documented.push(name.clone()),
        }
    }
    listed.sort();
    documented.sort();
    assert_eq!(listed, documented);
    for row in rows() {
        assert_eq!(row.canonical.is_empty(), !row.otherwise.is_empty() && !row.why.is_empty(), "{row:?}");
    }
}

#[test]
fn the_answer_has_the_members_that_the_list_calls_sent() {
    let reply: Value = serde_json::from_slice(&Hongxun.reply(Reception::Accepted).body).unwrap();
    let mut sent: Vec<_> = reply.as_object().unwrap().keys().map(|name| format!("response.{name}")).collect();
    let rows = rows();
    let mut listed: Vec<_> =
        rows.iter().filter(|row| row.otherwise == "gateway").map(|row| row.field.clone()).collect();
    sent.sort();
    listed.sort();
    assert_eq!(sent, listed);
}
