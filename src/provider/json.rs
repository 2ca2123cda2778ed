//! JSON for adapters: a writer that knows where it stands, for lineage. It writes one compact document into one
//! buffer, members in the order of the calls and numbers digit for digit.

#[cfg(test)]
mod tests;

use std::fmt::{Display, Write as _};
use std::ops::Range;

use serde_json::value::RawValue;

use super::exchange::Trace;
use super::pointer::Pointer;
use crate::canonical::{Decimal, Exact, SignedDecimal};

/// Writes objects and lists, and tells a trace which canonical member each value came from.
pub struct JsonWriter<'t> {
    out: String,
    /// Path of what is open, as in `data.items[0]`; kept only where it is recorded
    path: String,
    trace: &'t mut Trace,
    secrets: Vec<Range<usize>>,
}

/// A place to come back to when what was written after it shall not stand.
pub struct Mark {
    length: usize,
    path: usize,
    secrets: usize,
}

/// An object or a list that was begun.
pub struct Opened {
    before: Mark,
    inside: usize,
    end: char,
}

impl<'t> JsonWriter<'t> {
    pub fn new(trace: &'t mut Trace) -> Self {
        JsonWriter { out: String::with_capacity(4096), path: String::new(), trace, secrets: Vec::new() }
    }

    pub fn mark(&self) -> Mark {
        Mark { length: self.out.len(), path: self.path.len(), secrets: self.secrets.len() }
    }

    pub fn back_to(&mut self, mark: &Mark) {
        self.out.truncate(mark.length);
        self.path.truncate(mark.path);
        self.secrets.truncate(mark.secrets);
    }

    pub fn trace(&mut self) -> &mut Trace {
        self.trace
    }

    /// Begins the document, which is an object.
    pub fn begin_document(&mut self) -> Opened {
        self.open(|_| {}, '{', '}')
    }

    /// Begins a member that is an object.
    pub fn begin_object(&mut self, name: &str) -> Opened {
        self.open(|writer| writer.name(name), '{', '}')
    }

    /// Begins a member that is a list.
    pub fn begin_list(&mut self, name: &str) -> Opened {
        self.open(|writer| writer.name(name), '[', ']')
    }

    /// Begins an object in the open list; `index` is its position there, for the lineage.
    pub fn begin_item(&mut self, index: usize) -> Opened {
        self.open(|writer| writer.place(index), '{', '}')
    }

    /// Ends an object or a list. One in which nothing was written is kept as `{}` or `[]`, or is taken back.
    pub fn end(&mut self, opened: &Opened, keep_empty: bool) {
        if self.out.len() == opened.inside && !keep_empty {
            self.back_to(&opened.before);
        } else {
            self.out.push(opened.end);
            self.path.truncate(opened.before.path);
        }
    }

    fn open(&mut self, key: impl FnOnce(&mut Self), begin: char, end: char) -> Opened {
        let before = self.mark();
        key(self);
        self.out.push(begin);
        Opened { before, inside: self.out.len(), end }
    }

    /// Writes the key of a member, and goes down to it.
    fn name(&mut self, name: &str) {
        self.key(name);
        if self.trace.has_lineage() {
            self.path = target(&self.path, name);
        }
    }

    /// Goes down to a place in the open list.
    fn place(&mut self, index: usize) {
        self.separate();
        if self.trace.has_lineage() {
            let _ = write!(self.path, "[{index}]");
        }
    }

    fn key(&mut self, name: &str) {
        self.separate();
        name.write_into(&mut self.out);
        self.out.push(':');
    }

    /// A comma, unless this is the first inside what is open. Outside of strings, which end with a quotation
    /// mark, nothing that precedes a value ends in any of these.
    fn separate(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with(['{', '[', ':']) {
            self.out.push(',');
        }
    }

    /// A member with the value of the canonical member at `pointer`; nothing when there is no value.
    pub fn value(&mut self, name: &str, value: Option<impl JsonValue>, pointer: Pointer<'_>) {
        self.converted(name, value, pointer, None);
    }

    /// As [`value`](Self::value), with a note on how the value was converted.
    pub fn converted(
        &mut self,
        name: &str,
        value: Option<impl JsonValue>,
        pointer: Pointer<'_>,
        note: Option<&'static str>,
    ) {
        let Some(value) = value else { return };
        self.constant(name, value);
        self.note(name, pointer, note);
    }

    /// A member whose value comes from no canonical member.
    pub fn constant(&mut self, name: &str, value: impl JsonValue) {
        self.key(name);
        value.write_into(&mut self.out);
    }

    /// A value in the open list, with the canonical member that it came from; `index` is its position there.
    #[allow(dead_code, reason = "a part of JSON that no adapter writes today")]
    pub fn item(&mut self, index: usize, value: impl JsonValue, pointer: Pointer<'_>) {
        let path = self.path.len();
        self.place(index);
        value.write_into(&mut self.out);
        self.trace.carried(pointer, || self.path.clone(), None);
        self.path.truncate(path);
    }

    /// A member whose value is a secret text; it is masked wherever the document can be seen.
    pub fn secret(&mut self, name: &str, value: &str) {
        self.key(name);
        let start = self.out.len();
        value.write_into(&mut self.out);
        // The quotation marks stay, so that the masked document is JSON, too.
        self.secrets.push(start + 1..self.out.len() - 1);
    }

    /// Tells the trace that the member went to `name`, which is written apart.
    pub fn note(&mut self, name: &str, pointer: Pointer<'_>, note: Option<&'static str>) {
        self.trace.carried(pointer, || target(&self.path, name), note);
    }

    /// Tells the trace that `name` was computed from the member.
    pub fn derived(&mut self, name: &str, pointer: Pointer<'_>, note: &'static str) {
        self.trace.derived(pointer, || target(&self.path, name), note);
    }

    /// Tells the trace that what the member says holds without a place of its own.
    pub fn implied(&mut self, pointer: Pointer<'_>) {
        self.trace.implied(pointer);
    }

    /// The document, and where secrets stand in it, in ascending order.
    pub fn into_parts(self) -> (Vec<u8>, Vec<Range<usize>>) {
        (self.out.into_bytes(), self.secrets)
    }
}

fn target(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// What can stand as a value: texts as strings; numbers by their digits; lists of these.
pub trait JsonValue {
    /// Appends the value as JSON.
    fn write_into(&self, out: &mut String);
}

/// A text of what is no text, such as a number that a provider wants as a string of its digits.
pub struct AsText<T>(pub T);

/// `null`
#[allow(dead_code, reason = "a part of JSON that no adapter writes today")]
pub struct Null;

/// `[]`
pub struct EmptyList;

impl<T: JsonValue + ?Sized> JsonValue for &T {
    fn write_into(&self, out: &mut String) {
        (**self).write_into(out);
    }
}

impl JsonValue for str {
    fn write_into(&self, out: &mut String) {
        AsText(self).write_into(out);
    }
}

impl JsonValue for String {
    fn write_into(&self, out: &mut String) {
        AsText(self).write_into(out);
    }
}

impl<T: Display> JsonValue for AsText<T> {
    fn write_into(&self, out: &mut String) {
        out.push('"');
        let start = out.len();
        let _ = write!(out, "{}", self.0);
        if out.as_bytes()[start..].iter().any(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1F)) {
            let escaped = escaped(&out[start..]);
            out.truncate(start);
            out.push_str(&escaped);
        }
        out.push('"');
    }
}

/// What RFC 8259 wants escaped: quotation mark, reverse solidus, control characters.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            control @ '\0'..='\u{1F}' => {
                let _ = write!(escaped, "\\u{:04x}", u32::from(control));
            }
            other => escaped.push(other),
        }
    }
    escaped
}

impl JsonValue for Null {
    fn write_into(&self, out: &mut String) {
        out.push_str("null");
    }
}

impl JsonValue for EmptyList {
    fn write_into(&self, out: &mut String) {
        out.push_str("[]");
    }
}

impl JsonValue for RawValue {
    fn write_into(&self, out: &mut String) {
        out.push_str(self.get());
    }
}

impl<T: JsonValue> JsonValue for [T] {
    fn write_into(&self, out: &mut String) {
        out.push('[');
        for (index, value) in self.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            value.write_into(out);
        }
        out.push(']');
    }
}

impl<T: JsonValue> JsonValue for Vec<T> {
    fn write_into(&self, out: &mut String) {
        self.as_slice().write_into(out);
    }
}

/// Types whose text is their JSON.
macro_rules! written_as_displayed {
    ($($name:ty),+) => {
        $(impl JsonValue for $name {
            fn write_into(&self, out: &mut String) {
                let _ = write!(out, "{self}");
            }
        })+
    };
}

written_as_displayed!(
    bool,
    u8,
    u16,
    u32,
    u64,
    usize,
    i32,
    i64,
    Decimal,
    Exact,
    SignedDecimal,
    serde_json::Number,
    serde_json::Value
);
