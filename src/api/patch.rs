//! Merge patches of an order: what they must not touch, and what of them is kept.

use std::borrow::BorrowMut;

use serde_json::{Value, json};

use super::body::validate;
use super::problem::{Kind, Problem};
use crate::canonical::{FieldError, Operation, Order, assign_line_ids, check_order, escape_token, merge_patch};

/// Members that identify an order and never change.
const IDENTITY: &[&str] = &["account", "orderNumber", "documentType", "providerOrderNumber"];

/// The document as a change of everything that can change.
pub fn without_identity(document: &Value) -> Value {
    let mut change = document.clone();
    if let Some(members) = change.as_object_mut() {
        members.retain(|name, _| !IDENTITY.contains(&name.as_str()));
    }
    change
}

/// The order that stands when `patch` is applied to `document`, and the patch as it is kept: a list is replaced as
/// a whole, with the ids that its new lines were given. Pointers of what is wrong with the order are into it.
pub fn apply(document: &Value, patch: &Value) -> Result<(Order, Value), Problem> {
    let mut after = document.clone();
    merge_patch(&mut after, patch);
    let order: Order = validate(&after).and_then(coherent)?;
    let mut patch = patch.clone();
    if let Some(lines) = patch.get_mut("lines").filter(|lines| lines.is_array()) {
        *lines = json!(order.lines);
    }
    Ok((order, patch))
}

/// The order with an id for each line, if the rules across its members hold.
pub fn coherent<O: BorrowMut<Order>>(mut order: O) -> Result<O, Problem> {
    let errors = check_order(order.borrow());
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    assign_line_ids(order.borrow_mut());
    Ok(order)
}

/// Refuses a patch that is none, changes nothing, or touches what the operation must not change. Pointers are into
/// the patch.
pub fn check(operation: Operation, patch: &Value, document: &Value) -> Result<(), Problem> {
    let whole = |code: &str, detail: &str, detail_zh: &str| {
        Problem::invalid(vec![FieldError::new("", code, detail, detail_zh)])
    };
    let Some(members) = patch.as_object() else {
        return Err(whole(
            "validation.invalid_type",
            "must be an object: a merge patch of the order",
            "必须为对象:订单的合并补丁",
        ));
    };
    if members.is_empty() {
        return Err(whole("validation.missing", "changes nothing", "没有任何变更"));
    }
    if operation == Operation::UpdateCustomFields {
        let others: Vec<FieldError> = members
            .keys()
            .filter(|name| *name != "customFields")
            .map(|name| {
                FieldError::new(
                    format!("/{}", escape_token(name)),
                    "validation.unknown_member",
                    "is no custom field; this changes customFields only",
                    "此操作仅可修改 customFields",
                )
            })
            .collect();
        return if others.is_empty() { Ok(()) } else { Err(Problem::invalid(others)) };
    }
    let fixed: Vec<FieldError> = members
        .iter()
        .filter(|(name, value)| IDENTITY.contains(&name.as_str()) && document.get(name) != Some(value))
        .map(|(name, _)| {
            FieldError::new(
                format!("/{name}"),
                "translation.field_not_amendable",
                "identifies the order and cannot be changed",
                "为订单标识,不可修改",
            )
        })
        .collect();
    if fixed.is_empty() { Ok(()) } else { Err(Problem::invalid(fixed).of_kind(Kind::FieldNotAmendable)) }
}
