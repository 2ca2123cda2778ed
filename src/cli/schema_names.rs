//! Names of the members that a schema of credentials declares.

use serde_json::Value;

/// Those that are required; nothing where none is.
pub fn required_names(schema: &Value) -> Option<Vec<String>> {
    let required = schema["required"].as_array().into_iter().flatten();
    let required: Vec<String> = required.filter_map(|name| Some(name.as_str()?.to_owned())).collect();
    if required.is_empty() { None } else { Some(required) }
}

/// All of them, in their order.
pub fn property_names(schema: &Value) -> impl Iterator<Item = String> {
    schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone())
}
