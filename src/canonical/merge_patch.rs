//! JSON merge patch (RFC 7396).

use serde_json::Value;

/// Applies a merge patch: members of the patch replace, null removes, lists are replaced as a whole.
pub fn merge_patch(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(members) = target else { return };
    for (name, change) in changes {
        if change.is_null() {
            members.remove(name);
        } else {
            merge_patch(members.entry(name).or_insert(Value::Null), change);
        }
    }
}

/// One merge patch for two, of which the first is a document without nulls: what it sets is set unless the second
/// sets or removes it.
pub fn compose_patches(first: Value, second: &Value) -> Value {
    let (Value::Object(mut members), Value::Object(changes)) = (first, second) else { return second.clone() };
    for (name, change) in changes {
        let composed = match members.remove(name) {
            Some(earlier) => compose_patches(earlier, change),
            None => change.clone(),
        };
        members.insert(name.clone(), composed);
    }
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The test cases of RFC 7396, appendix A.
    #[test]
    fn the_examples_of_the_standard() {
        for (original, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "b"}), json!(["c"]), json!(["c"])),
            (json!({"a": "foo"}), json!(null), json!(null)),
            (json!({"a": "foo"}), json!("bar"), json!("bar")),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let mut target = original.clone();
            merge_patch(&mut target, &patch);
            assert_eq!(target, result, "{original} patched with {patch}");
        }
    }

    #[test]
    fn a_composed_patch_does_what_both_do() {
        let original = json!({"a": 1, "b": {"c": 2, "d": 3}, "l": [1]});
        let (first, second) = (
            json!({"b": {"c": 5, "e": 6}, "l": [2, 3], "r": "x"}),
            json!({"b": {"c": null, "d": 7}, "r": null, "a": null}),
        );
        let mut one_by_one = original.clone();
        merge_patch(&mut one_by_one, &first);
        merge_patch(&mut one_by_one, &second);
        let mut at_once = original;
        merge_patch(&mut at_once, &compose_patches(first, &second));
        assert_eq!(at_once, one_by_one);
    }
}
