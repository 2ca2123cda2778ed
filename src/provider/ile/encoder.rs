//! Writes the order of a request, and collects what is wrong with it.

use crate::canonical::FieldError;
use crate::provider::ItemEncoding;
use crate::provider::json::{JsonValue, JsonWriter};
use crate::provider::pointer::Pointer;

/// Writes one order and collects what is wrong with it.
pub struct OrderEncoder<'w, 't> {
    pub json: &'w mut JsonWriter<'t>,
    pub encoding: ItemEncoding,
}

impl OrderEncoder<'_, '_> {
    pub fn object(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        let opened = self.json.begin_object(name);
        content(self);
        self.json.end(&opened, true);
    }

    /// A list of objects, one for each entry; left out when there is none.
    pub fn list<T>(&mut self, name: &str, entries: &[T], mut write: impl FnMut(&mut Self, usize, &T)) {
        let list = self.json.begin_list(name);
        for (index, entry) in entries.iter().enumerate() {
            let item = self.json.begin_item(index);
            write(self, index, entry);
            self.json.end(&item, true);
        }
        self.json.end(&list, false);
    }

    /// A member that ILE wants with a value.
    pub fn required(&mut self, name: &str, value: Option<impl JsonValue>, pointer: Pointer<'_>) {
        match value {
            Some(value) => self.json.value(name, Some(value), pointer),
            None => self.missing(pointer),
        }
    }

    /// A text that ILE wants, and wants to say something.
    pub fn required_text(&mut self, name: &str, value: Option<&String>, pointer: Pointer<'_>) {
        self.required(name, value.filter(|text| !text.trim().is_empty()), pointer);
    }

    /// A text that ILE wants, but may be empty, as in the document's example.
    pub fn text_or_empty(&mut self, name: &str, value: Option<&String>, pointer: Pointer<'_>) {
        match value {
            Some(value) => self.json.value(name, Some(value), pointer),
            None => self.json.constant(name, ""),
        }
    }

    pub fn missing(&mut self, pointer: Pointer<'_>) {
        self.refuse(pointer, "validation.missing", "is required by ILE", "ILE 要求提供该字段");
    }

    pub fn unsupported_value(&mut self, pointer: Pointer<'_>, detail: &str, detail_zh: &str) {
        self.refuse(pointer, "translation.unsupported_value", detail, detail_zh);
    }

    pub fn refuse(&mut self, pointer: Pointer<'_>, code: &str, detail: &str, detail_zh: &str) {
        self.encoding.refusals.push(FieldError::new(pointer, code, detail, detail_zh));
    }
}
