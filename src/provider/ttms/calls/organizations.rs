//! The account's organisation units; `branch` of an order names their paths.

use serde_json::Value;

use super::super::answer::reply;
use crate::provider::{Answer, Organization, Reply};

/// 获取组织机构列表
pub fn listed(answer: &Answer<'_>) -> Reply<Vec<Organization>> {
    reply(answer, |data| {
        let nodes = data.as_array().ok_or("the answer has no list of organisation units")?;
        nodes.iter().map(read).collect()
    })
}

fn read(node: &Value) -> Result<Organization, String> {
    let id = match node.get("nodeId") {
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) => text.clone(),
        _ => return Err("an organisation unit has no nodeId".to_owned()),
    };
    let text = |name: &str| node.get(name).and_then(Value::as_str).map(str::to_owned);
    let path = text("path").ok_or_else(|| format!("organisation unit {id} has no path"))?;
    Ok(Organization { id, name: text("name").unwrap_or_default(), path })
}
