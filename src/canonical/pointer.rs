//! JSON pointers (RFC 6901) into the canonical document.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::hash::BuildHasher;

use serde_json::Value;

/// Escapes one reference token.
pub fn escape_token(token: &str) -> String {
    let mut escaped = String::with_capacity(token.len());
    push_token(&mut escaped, token);
    escaped
}

/// Appends one reference token, escaped.
pub fn push_token(pointer: &mut String, token: &str) {
    if !token.contains(['~', '/']) {
        return pointer.push_str(token);
    }
    for character in token.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

/// A JSON value, however it is kept.
pub trait JsonNode: Sized {
    /// Of a string
    fn text(&self) -> Option<&str>;
    /// Of an array
    fn items(&self) -> Option<&[Self]>;
    /// Of an object
    fn members(&self) -> Option<impl Iterator<Item = (&str, &Self)>>;
}

impl JsonNode for Value {
    fn text(&self) -> Option<&str> {
        self.as_str()
    }

    fn items(&self) -> Option<&[Self]> {
        self.as_array().map(Vec::as_slice)
    }

    fn members(&self) -> Option<impl Iterator<Item = (&str, &Self)>> {
        self.as_object().map(|members| members.iter().map(|(name, member)| (name.as_str(), member)))
    }
}

/// The parts of `document` that none of `carried` covers. A carried pointer covers all below it. Where
/// nothing below a member was carried, the member itself is named instead of its leaves, if `may_fold`
/// (the member, its leaves) allows it.
pub fn leaves_not_under(
    document: &impl JsonNode,
    carried: &HashSet<String, impl BuildHasher>,
    may_fold: &dyn Fn(&str, &[String]) -> bool,
) -> Vec<String> {
    let mut left = Vec::new();
    collect(document, &mut String::new(), carried, may_fold, &mut left);
    left
}

/// Appends what was not carried below `at`; answers whether anything was.
fn collect<N: JsonNode>(
    value: &N,
    at: &mut String,
    carried: &HashSet<String, impl BuildHasher>,
    may_fold: &dyn Fn(&str, &[String]) -> bool,
    left: &mut Vec<String>,
) -> bool {
    if carried.contains(at.as_str()) {
        return true;
    }
    let before = left.len();
    let depth = at.len();
    let mut any = false;
    // An empty object or list says nothing that could be lost.
    if let Some(members) = value.members() {
        for (name, child) in members {
            at.push('/');
            push_token(at, name);
            any |= collect(child, at, carried, may_fold, left);
            at.truncate(depth);
        }
    } else if let Some(items) = value.items() {
        for (index, child) in items.iter().enumerate() {
            // Writing to a string does not fail.
            let _ = write!(at, "/{index}");
            any |= collect(child, at, carried, may_fold, left);
            at.truncate(depth);
        }
    } else {
        left.push(at.clone());
        return false;
    }
    if !any && left.len() > before && !at.is_empty() && may_fold(at, &left[before..]) {
        left.truncate(before);
        left.push(at.clone());
    }
    any
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_the_topmost_member_that_is_wholly_missing() {
        let document = json!({"a": {"b": 1, "c": 2}, "d": [{"e": 1, "f": {"g": 1, "h": 2}}], "i": {}, "j/k": 1});
        let carried = HashSet::from(["/a/b".to_owned(), "/d/0/e".to_owned()]);
        assert_eq!(leaves_not_under(&document, &carried, &|_, _| true), ["/a/c", "/d/0/f", "/j~1k"]);
        let apart = leaves_not_under(&document, &carried, &|at, _| at != "/d/0/f");
        assert_eq!(apart, ["/a/c", "/d/0/f/g", "/d/0/f/h", "/j~1k"]);
    }
}
