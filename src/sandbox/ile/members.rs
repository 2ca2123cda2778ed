//! Reads JSON member by member. What is missing, unknown, there twice or of another type is a fault in
//! words that name the member; all faults of a request are found at once.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// What is wrong with a request.
pub type Faults = Vec<String>;

/// An object of which not all members have been taken yet.
pub struct Object<'a> {
    /// As in `data.items[0]`; empty for the request itself.
    at: String,
    members: Vec<(String, &'a RawValue)>,
}

/// The members of an object as they stand there, also those that are there twice.
struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairsVisitor;

        impl<'de> Visitor<'de> for PairsVisitor {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(pairs)
            }
        }

        deserializer.deserialize_map(PairsVisitor).map(Pairs)
    }
}

impl<'a> Object<'a> {
    /// A whole document, which must be an object.
    pub fn parse(document: &'a [u8], faults: &mut Faults) -> Result<Self, String> {
        let text = std::str::from_utf8(document).map_err(|_| "the body is not UTF-8".to_owned())?;
        let Pairs(members) =
            serde_json::from_str(text).map_err(|error| format!("the body is no object in JSON: {error}"))?;
        Ok(Self::of(String::new(), members, faults))
    }

    fn of(at: String, members: Vec<(String, &'a RawValue)>, faults: &mut Faults) -> Self {
        for (index, (name, _)) in members.iter().enumerate() {
            if members[..index].iter().any(|(earlier, _)| earlier == name) {
                faults.push(format!("{} is there twice", path(&at, name)));
            }
        }
        Self { at, members }
    }

    fn path(&self, name: &str) -> String {
        path(&self.at, name)
    }

    fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let index = self.members.iter().position(|(member, _)| member == name)?;
        Some(self.members.remove(index).1)
    }

    fn required(&mut self, name: &str, faults: &mut Faults) -> Option<&'a RawValue> {
        let value = self.take(name);
        if value.is_none() {
            faults.push(format!("{} is missing", self.path(name)));
        }
        value
    }

    fn read<T: Deserialize<'a>>(&self, name: &str, value: &'a RawValue, kind: &str, faults: &mut Faults) -> Option<T> {
        let read = serde_json::from_str(value.get()).ok();
        if read.is_none() {
            faults.push(format!("{} is no {kind}", self.path(name)));
        }
        read
    }

    /// A string, if there is one.
    pub fn optional_text(&mut self, name: &str, faults: &mut Faults) -> Option<String> {
        let value = self.take(name)?;
        self.read(name, value, "string", faults)
    }

    /// A string that must be there, and may be empty.
    pub fn text(&mut self, name: &str, faults: &mut Faults) -> Option<String> {
        let value = self.required(name, faults)?;
        self.read(name, value, "string", faults)
    }

    /// A string that must be there and say something.
    pub fn filled_text(&mut self, name: &str, faults: &mut Faults) -> Option<String> {
        let text = self.text(name, faults)?;
        if text.trim().is_empty() {
            faults.push(format!("{} is empty", self.path(name)));
        }
        Some(text)
    }

    /// A string that must be there and have this form.
    pub fn formed_text(
        &mut self,
        name: &str,
        form: &str,
        has_form: impl FnOnce(&str) -> bool,
        faults: &mut Faults,
    ) -> Option<String> {
        let text = self.text(name, faults)?;
        if has_form(&text) {
            return Some(text);
        }
        faults.push(format!("{} is no {form}", self.path(name)));
        None
    }

    /// A JSON number that must be there, of at least zero.
    pub fn number(&mut self, name: &str, faults: &mut Faults) {
        let Some(value) = self.required(name, faults) else { return };
        if !value.get().starts_with(|first: char| first.is_ascii_digit()) {
            faults.push(format!("{} is no number of at least 0", self.path(name)));
        }
    }

    /// The text of a member as it stands, which is not taken.
    pub fn peek(&self, name: &str) -> Option<&'a RawValue> {
        self.members.iter().find(|(member, _)| member == name).map(|(_, value)| *value)
    }

    /// An object that must be there.
    pub fn object(&mut self, name: &str, faults: &mut Faults) -> Option<Object<'a>> {
        let value = self.required(name, faults)?;
        let Pairs(members) = self.read(name, value, "object", faults)?;
        Some(Object::of(self.path(name), members, faults))
    }

    /// The objects of a list, if there is one.
    pub fn optional_list(&mut self, name: &str, faults: &mut Faults) -> Option<Vec<Object<'a>>> {
        let value = self.take(name)?;
        let pairs: Vec<Pairs<'a>> = self.read(name, value, "list of objects", faults)?;
        let at = |index: usize| format!("{}[{index}]", self.path(name));
        Some(
            pairs
                .into_iter()
                .enumerate()
                .map(|(index, Pairs(members))| Object::of(at(index), members, faults))
                .collect(),
        )
    }

    /// The objects of a list that must be there.
    pub fn list(&mut self, name: &str, faults: &mut Faults) -> Option<Vec<Object<'a>>> {
        if self.peek(name).is_none() {
            faults.push(format!("{} is missing", self.path(name)));
        }
        self.optional_list(name, faults)
    }

    /// What nobody has taken is not known.
    pub fn end(self, faults: &mut Faults) {
        for (name, _) in &self.members {
            faults.push(format!("{} is unknown", self.path(name)));
        }
    }
}

fn path(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}
