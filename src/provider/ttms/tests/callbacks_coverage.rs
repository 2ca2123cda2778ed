//! `callbacks_coverage.csv` against the adapter: every member of every call goes where the list says.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::callbacks::reply;
use super::callbacks::{example, read};
use crate::provider::{Reception, Refusal};

#[derive(Debug, Deserialize)]
struct Row {
    /// The example that has the member
    variant: String,
    field: String,
    canonical: String,
    otherwise: String,
    why: String,
}

fn rows() -> Vec<Row> {
    let list = include_bytes!("../callbacks_coverage.csv").as_slice();
    csv::Reader::from_reader(list).into_deserialize().collect::<Result<_, _>>().unwrap()
}

fn data(call: &Value) -> Value {
    Value::Object(read(call).unwrap_or_else(|refusal| panic!("{refusal:?}: {call}")).remove(0).data)
}

/// The pointers, `raw` apart, at which two documents differ.
fn differences(one: &Value, other: &Value, at: &str, found: &mut BTreeSet<String>) {
    match (one, other) {
        (Value::Object(members), Value::Object(others)) => {
            let names: BTreeSet<_> = members.keys().chain(others.keys()).filter(|name| *name != "raw").collect();
            for name in names {
                differences(
                    &members.get(name).cloned().into(),
                    &others.get(name).cloned().into(),
                    &format!("{at}/{name}"),
                    found,
                );
            }
        }
        (Value::Array(items), Value::Array(others))
            if items.len() == others.len() && items.iter().any(Value::is_object) =>
        {
            for (index, (item, other)) in items.iter().zip(others).enumerate() {
                differences(item, other, &format!("{at}/{index}"), found);
            }
        }
        _ if one != other => drop(found.insert(at.to_owned())),
        _ => {}
    }
}

/// Another value that the document allows.
fn another(field: &str, value: &Value) -> Value {
    match (field, value) {
        ("printType", _) if value == "运单打印" => json!("运单标签打印"),
        ("printType", _) => json!("运单打印"),
        ("state", _) if value == 40_000 => json!(40_001),
        ("orderAbnormalInfo/type", _) => json!("签收异常"),
        ("orderAbnormalInfo/source", _) => json!(3),
        ("orderAbnormalInfo/orderType", _) => json!(9),
        ("subscribeState", _) if value == 1 => json!(2),
        ("subscribeState", _) if value == 8002 => json!(210),
        ("subscribeState", _) if value == 600 => json!(601),
        ("subscribeState", _) if value == 601 => json!(600),
        ("createTime", _) => json!("2019-03-28 11:08:33"),
        (_, Value::Array(_)) => json!(["another"]),
        (_, Value::Bool(flag)) => json!(!flag),
        ("gpsInfo/locateType" | "gpsInfo/runStatus" | "deliveryType" | "state", _) => json!(2 - i64::from(value == 2)),
        ("gpsInfo/chargerState", _) => json!(1),
        (_, Value::Number(number)) => match number.as_i64() {
            Some(whole) => json!(whole + 1),
            None => json!(1.5),
        },
        _ => json!("another"),
    }
}

fn member<'a>(call: &'a mut Value, field: &str) -> &'a mut Value {
    let name = if call.get("number ").is_some() && field == "number" { "number " } else { field };
    call.pointer_mut(&format!("/{name}")).unwrap_or_else(|| panic!("no {field} in the example"))
}

#[test]
fn every_member_goes_where_the_list_says_and_nowhere_else() {
    for row in rows().iter().filter(|row| row.variant != "answer") {
        let call = example(&row.variant, json!({}));
        // With another number it is no position.
        if row.field == "subscribeState" && row.variant == "position" {
            assert_eq!(data(&call).pointer(&row.canonical), Some(&json!(602)));
            continue;
        }
        let mut changed = call.clone();
        let member = member(&mut changed, &row.field);
        *member = another(&row.field, member);
        let mut found = BTreeSet::new();
        differences(&data(&call), &data(&changed), "", &mut found);
        // Another kind of call has other members.
        if row.field == "subscribeState" && matches!(row.variant.as_str(), "tracking-note" | "signed") {
            assert!(found.contains(&row.canonical), "{row:?}: {found:?}");
            continue;
        }
        let listed: BTreeSet<_> = row.canonical.split_whitespace().map(str::to_owned).collect();
        assert_eq!(found, listed, "{row:?}");
    }
}

#[test]
fn the_list_has_every_member_of_the_examples() {
    let mut listed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows().into_iter().filter(|row| row.variant != "answer") {
        assert!(listed.entry(row.variant).or_default().insert(row.field.clone()), "{} twice", row.field);
    }
    for (variant, fields) in listed {
        let mut documented = BTreeSet::new();
        leaves(&example(&variant, json!({})), "", &mut documented);
        assert_eq!(fields, documented, "{variant}");
    }
}

fn leaves(value: &Value, at: &str, found: &mut BTreeSet<String>) {
    match value.as_object() {
        Some(members) => members.iter().for_each(|(name, value)| {
            let path = if at.is_empty() { name.trim().to_owned() } else { format!("{at}/{}", name.trim()) };
            leaves(value, &path, found);
        }),
        None => drop(found.insert(at.to_owned())),
    }
}

#[test]
fn the_answers_have_the_members_that_the_list_calls_sent() {
    let refusal = Refusal::unparsable("why", "原因");
    let answers = [reply(Reception::Accepted), reply(Reception::Refused(&refusal))];
    let sent: BTreeSet<String> = answers
        .iter()
        .flat_map(|reply| {
            let answer: Value = serde_json::from_slice(&reply.body).unwrap();
            answer.as_object().unwrap().keys().cloned().collect::<Vec<_>>()
        })
        .collect();
    let rows = rows();
    let answers = rows.iter().filter(|row| row.variant == "answer");
    assert_eq!(answers.clone().map(|row| row.field.clone()).collect::<BTreeSet<_>>(), sent);
    assert!(answers.clone().all(|row| row.otherwise == "gateway" && !row.why.is_empty()));
}
