//! What separates two documents, as a merge patch and for people.

use serde_json::{Map, Value};

use crate::canonical::escape_token;

/// One member that differs; nothing where there was none, or will be none.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    pub pointer: String,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

/// The merge patch (RFC 7396) that makes `after` of `before`; nothing when they are equal.
pub fn patch_between(before: &Value, after: &Value) -> Option<Value> {
    if before == after {
        return None;
    }
    let (Some(old), Some(new)) = (before.as_object(), after.as_object()) else { return Some(after.clone()) };
    let mut patch = Map::new();
    for (name, value) in new {
        let changed = match old.get(name) {
            Some(known) => patch_between(known, value),
            None => Some(value.clone()),
        };
        patch.extend(changed.map(|value| (name.clone(), value)));
    }
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        patch.insert(name.clone(), Value::Null);
    }
    (!patch.is_empty()).then_some(Value::Object(patch))
}

/// The members that differ, one by one.
pub fn changes_between(before: &Value, after: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    collect("", Some(before), Some(after), &mut found);
    found
}

fn collect(at: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Change>) {
    if before == after {
        return;
    }
    // What is null is not there.
    let there = |value: Option<&Value>| value.filter(|value| !value.is_null()).cloned();
    let empty = Map::new();
    let members = |value: Option<&Value>| value.is_none_or(Value::is_object);
    if members(before) && members(after) {
        let old = before.and_then(Value::as_object).unwrap_or(&empty);
        let new = after.and_then(Value::as_object).unwrap_or(&empty);
        let names = old.keys().chain(new.keys().filter(|name| !old.contains_key(*name)));
        for name in names {
            collect(&format!("{at}/{}", escape_token(name)), old.get(name), new.get(name), found);
        }
        return;
    }
    found.push(Change { pointer: at.to_owned(), before: there(before), after: there(after) });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::canonical::merge_patch;

    /// Documents without null: a patch cannot make one.
    fn documents() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            (0..3_i64).prop_map(Value::from),
            "[a-c]".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            let lists = prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from);
            let objects = prop::collection::btree_map("[a-c]", inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect()));
            prop_oneof![lists, objects]
        })
    }

    proptest! {
        #[test]
        fn the_patch_makes_one_document_of_the_other(before in documents(), after in documents()) {
            let mut patched = before.clone();
            if let Some(patch) = patch_between(&before, &after) {
                merge_patch(&mut patched, &patch);
            }
            prop_assert_eq!(patched, after);
        }
    }

    #[test]
    fn members_are_told_one_by_one() {
        let before = json!({"name": "a", "settings": {"x": 1, "gone": true}, "limit": null});
        let after = json!({"name": "b", "settings": {"x": 1, "new": {"deep": 2}}, "limit": 5});
        let change = |pointer: &str, before: Option<Value>, after: Option<Value>| Change {
            pointer: pointer.to_owned(),
            before,
            after,
        };
        assert_eq!(
            changes_between(&before, &after),
            [
                change("/name", Some(json!("a")), Some(json!("b"))),
                change("/settings/gone", Some(json!(true)), None),
                change("/settings/new/deep", None, Some(json!(2))),
                change("/limit", None, Some(json!(5))),
            ]
        );
        let expected = json!({"name": "b", "settings": {"new": {"deep": 2}, "gone": null}, "limit": 5});
        assert_eq!(patch_between(&before, &after), Some(expected));
        assert_eq!(patch_between(&before, &before), None);
    }
}
