//! Custom fields: numbered slots or account aliases, each with a text or a number.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

/// Custom fields by slot (`text1`…`text80`, `number1`…`number10`, `enum1`…`enum10`) or by an alias that
/// the account's `customFieldMap` declares. A null counts as absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CustomFields(pub BTreeMap<String, CustomFieldValue>);

/// A custom field's value: text, or a number kept digit for digit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CustomFieldValue {
    Text(String),
    Number(serde_json::Number),
    Null,
}

impl CustomFieldValue {
    /// The value as text, whatever it was written as; nothing for null.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            CustomFieldValue::Text(text) => Some(text),
            CustomFieldValue::Number(number) => Some(number.as_str()),
            CustomFieldValue::Null => None,
        }
    }
}

impl fmt::Display for CustomFieldValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_text().unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for CustomFieldValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => Ok(CustomFieldValue::Text(text)),
            serde_json::Value::Number(number) => Ok(CustomFieldValue::Number(number)),
            serde_json::Value::Null => Ok(CustomFieldValue::Null),
            _ => Err(D::Error::custom("expected a string, a number or null")),
        }
    }
}

impl Serialize for CustomFieldValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            CustomFieldValue::Text(text) => serializer.serialize_str(text),
            CustomFieldValue::Number(number) => number.serialize(serializer),
            CustomFieldValue::Null => serializer.serialize_unit(),
        }
    }
}

impl PartialSchema for CustomFields {
    fn schema() -> RefOr<Schema> {
        let value =
            ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Number, Type::Null])).build();
        let name =
            ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[a-zA-Z][a-zA-Z0-9_.-]{0,63}$")).build();
        RefOr::T(Schema::Object(
            ObjectBuilder::new()
                .schema_type(Type::Object)
                .description(Some("Custom fields by slot (text1…text80, number1…number10, enum1…enum10) or by an alias of the account's customFieldMap"))
                .property_names(Some(Schema::Object(name)))
                .additional_properties(Some(AdditionalProperties::RefOr(RefOr::T(Schema::Object(value)))))
                .build(),
        ))
    }
}

impl ToSchema for CustomFields {}
