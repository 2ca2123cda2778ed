//! JSON as it was written: a document whose names and texts lie in the bytes that it was read from.
//!
//! Most of the time that it takes to read a body into [`Value`] goes into copies of its names and tables to find them by.
//! What is valid needs neither: it is looked through once, and read into its type. Whatever is unusual is not told apart
//! here; it is read into a [`Value`] instead, which has the last word.

mod reading;
mod schema;

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

pub use schema::{TreeJson, TreeValidator};

use crate::canonical::JsonNode;

/// An object with more members is read into a [`Value`]: here each name is compared with all before it.
const MOST_MEMBERS: usize = 64;
/// What serde_json calls a number that is no integer of 64 bits: it keeps its digits as they are.
const NUMBER: &str = "$serde_json::private::Number";

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree<'a> {
    Null,
    Bool(bool),
    /// With its own digits
    Number(Number),
    String(Cow<'a, str>),
    Array(Vec<Tree<'a>>),
    /// No name twice
    Object(Vec<(Cow<'a, str>, Tree<'a>)>),
}

impl<'a> Tree<'a> {
    /// Reads a document; nothing when it is no JSON, or unusual.
    pub fn read(text: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    pub fn to_value(&self) -> Value {
        match self {
            Tree::Null => Value::Null,
            Tree::Bool(truth) => Value::Bool(*truth),
            Tree::Number(number) => Value::Number(number.clone()),
            Tree::String(text) => Value::String(text.to_string()),
            Tree::Array(items) => Value::Array(items.iter().map(Tree::to_value).collect()),
            Tree::Object(members) => {
                let members = members.iter().map(|(name, member)| (name.to_string(), member.to_value()));
                Value::Object(members.collect::<Map<_, _>>())
            }
        }
    }
}

impl JsonNode for Tree<'_> {
    fn text(&self) -> Option<&str> {
        match self {
            Tree::String(text) => Some(text),
            _ => None,
        }
    }

    fn items(&self) -> Option<&[Self]> {
        match self {
            Tree::Array(items) => Some(items),
            _ => None,
        }
    }

    fn members(&self) -> Option<impl Iterator<Item = (&str, &Self)>> {
        match self {
            Tree::Object(members) => Some(members.iter().map(|(name, member)| (name.as_ref(), member))),
            _ => None,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Tree<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Self::Value, E> {
        Ok(Tree::Bool(truth))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Tree::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Tree::Number(number.into()))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Tree::String(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Tree::String(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut read = Vec::new();
        while let Some(item) = items.next_element()? {
            read.push(item);
        }
        Ok(Tree::Array(read))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut read: Vec<(Cow<'de, str>, Tree<'de>)> = Vec::new();
        while let Some(Name(name)) = members.next_key()? {
            if read.is_empty() && name == NUMBER {
                let digits: Cow<'de, str> = members.next_value()?;
                return digits.parse().map(Tree::Number).map_err(A::Error::custom);
            }
            if read.len() == MOST_MEMBERS || read.iter().any(|(known, _)| *known == name) {
                return Err(A::Error::custom("too many members, or one of them twice"));
            }
            read.push((name, members.next_value()?));
        }
        Ok(Tree::Object(read))
    }
}

/// A name, which lies in the text unless it has escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITTEN: &str = r#"{"a": [1, -2.50, 3e2, true, null, "x", "\u00e9\n"], "b\t": {"c": {}, "d": []}, "n": 12345678901234567890.123456789}"#;

    #[test]
    fn a_document_is_what_serde_json_reads() {
        let value: Value = serde_json::from_str(WRITTEN).unwrap();
        let tree = Tree::read(WRITTEN.as_bytes()).unwrap();
        assert_eq!(tree.to_value(), value);
        assert_eq!(Value::deserialize(&tree).unwrap(), value);
        // Borrowed where it can be.
        let Tree::Object(members) = &tree else { panic!("an object") };
        let [(Cow::Borrowed("a"), Tree::Array(items)), (Cow::Owned(_), _), _] = members.as_slice() else {
            panic!("{members:?}")
        };
        let [.., Tree::String(Cow::Borrowed("x")), Tree::String(Cow::Owned(_))] = items.as_slice() else {
            panic!("{items:?}")
        };
    }

    #[test]
    fn what_is_unusual_is_left_to_others() {
        for unusual in [r#"{"a": 1, "a": 2}"#, r#"{"a": 1, "\u0061": 2}"#, "{} {}", "{", r#"{"a": "\ud800"}"#] {
            assert!(Tree::read(unusual.as_bytes()).is_none(), "{unusual}");
        }
        let wide = |members: usize| {
            let members: Vec<String> = (0..members).map(|number| format!("\"{number}\": 0")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert!(Tree::read(wide(MOST_MEMBERS).as_bytes()).is_some());
        assert!(Tree::read(wide(MOST_MEMBERS + 1).as_bytes()).is_none());
    }
}
