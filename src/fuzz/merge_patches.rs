//! Merge patches (RFC 7396): applying them, and making one of two.

use serde_json::Value;

use crate::canonical::{compose_patches, merge_patch};

/// The bytes are a list of a document and two patches.
pub fn merge_patches(bytes: &[u8]) {
    let Ok([document, first, second]) = serde_json::from_slice::<[Value; 3]>(bytes) else { return };
    let apply = |document: &Value, patch: &Value| {
        let mut patched = document.clone();
        merge_patch(&mut patched, patch);
        patched
    };
    for patch in [&first, &second] {
        let once = apply(&document, patch);
        assert_eq!(apply(&once, patch), once, "a patch that was applied changes nothing more");
        assert_eq!(
            apply(&once, &Value::Object(serde_json::Map::new())),
            object_or_empty(&once),
            "an empty one neither"
        );
        if !holds_null(patch) {
            assert_eq!(apply(&Value::Null, patch), *patch, "a document without nulls is the patch that makes it");
        }
        check_untouched(&document, patch, &once);
    }
    // RFC 7396 has no word for “an object in the place of what stood there”, so one patch can do what two do only
    // where the first has an object wherever the second has one; and nulls of the first are no part of a document.
    if document.is_object() && !holds_null(&first) && are_alike(&first, &second) {
        let one_by_one = apply(&apply(&document, &first), &second);
        assert_eq!(apply(&document, &compose_patches(first, &second)), one_by_one, "one patch for two");
    }
}

fn object_or_empty(value: &Value) -> Value {
    if value.is_object() { value.clone() } else { Value::Object(serde_json::Map::new()) }
}

/// Whether there is a null in it that a patch would take for a removal: one that is in no list.
fn holds_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(members) => members.values().any(holds_null),
        _ => false,
    }
}

/// Whether the first patch has an object wherever the second has one that the first says something of.
fn are_alike(first: &Value, second: &Value) -> bool {
    match (first, second) {
        (Value::Object(first), Value::Object(second)) => {
            second.iter().all(|(name, change)| first.get(name).is_none_or(|earlier| are_alike(earlier, change)))
        }
        (_, Value::Object(_)) => false,
        _ => true,
    }
}

/// Members that a patch does not name stay as they are, and those that it removes are gone.
fn check_untouched(document: &Value, patch: &Value, patched: &Value) {
    let (Value::Object(patch), Value::Object(patched)) = (patch, patched) else { return };
    for (name, value) in document.as_object().into_iter().flatten() {
        if !patch.contains_key(name) {
            assert_eq!(patched.get(name), Some(value));
        }
    }
    for (name, change) in patch {
        assert_eq!(patched.contains_key(name), !change.is_null(), "{name}");
    }
}
