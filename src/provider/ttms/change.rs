//! What a merge patch changes of an order.

use serde_json::Value;

use crate::canonical::{Order, escape_token};

/// A change of an order.
pub struct Change<'a> {
    /// RFC 7396
    pub patch: &'a Value,
    /// The order before the change, where it is known
    pub before: Option<&'a Order>,
}

/// What a patch does to a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Touch {
    /// It stays
    Not,
    /// It, or what it stands in, gets a value
    Set,
    /// It, or what it stands in, is taken away by the null at this pointer
    Cleared(String),
}

impl Change<'_> {
    /// What the patch does to the member at `pointer`, which has no escaped tokens.
    pub fn touch(&self, pointer: &str) -> Touch {
        let mut value = self.patch;
        let mut at = String::new();
        for token in pointer.split('/').skip(1) {
            let Some(members) = value.as_object() else { return Touch::Set };
            match members.get(token) {
                None => return Touch::Not,
                Some(member) => value = member,
            }
            at.push('/');
            at.push_str(token);
            if value.is_null() {
                return Touch::Cleared(at);
            }
        }
        Touch::Set
    }

    pub fn touches(&self, pointer: &str) -> bool {
        self.touch(pointer) != Touch::Not
    }

    /// Pointers of all nulls.
    pub fn nulls(&self) -> Vec<String> {
        let mut nulls = Vec::new();
        collect_nulls(self.patch, &mut String::new(), &mut nulls);
        nulls
    }
}

fn collect_nulls(value: &Value, at: &mut String, nulls: &mut Vec<String>) {
    match value {
        Value::Null => nulls.push(at.clone()),
        Value::Object(members) => {
            let depth = at.len();
            for (name, member) in members {
                at.push('/');
                at.push_str(&escape_token(name));
                collect_nulls(member, at, nulls);
                at.truncate(depth);
            }
        }
        // Nulls inside of lists are values, not removals; no list of an order takes them.
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn touches() {
        let patch = json!({"remarks": "x", "shipTo": {"contact": {"name": null}, "address": null}, "charges": null,
            "lines": []});
        let change = Change { patch: &patch, before: None };
        for (pointer, touch) in [
            ("/remarks", Touch::Set),
            ("/branch", Touch::Not),
            ("/shipTo/contact/name", Touch::Cleared("/shipTo/contact/name".to_owned())),
            ("/shipTo/contact/mobile", Touch::Not),
            ("/shipTo/address/city", Touch::Cleared("/shipTo/address".to_owned())),
            ("/charges/revenue/freight", Touch::Cleared("/charges".to_owned())),
            ("/lines", Touch::Set),
        ] {
            assert_eq!(change.touch(pointer), touch, "{pointer}");
        }
        assert_eq!(change.nulls(), ["/shipTo/contact/name", "/shipTo/address", "/charges"]);
    }
}
