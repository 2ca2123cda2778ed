//! The schemas in the form that generators of clients make something good of: what has a form of its own has a name,
//! and is referred to by it.

use serde_json::{Map, Value, json};

use super::operations;
use crate::canonical::{ORDER_EXTENSIONS_SCHEMA, STOP_EXTENSIONS_SCHEMA};
use crate::validation::without_nulls;

/// What utoipa puts before the name of the item of a page.
const PAGE: &str = "Page_";
const SCHEMAS: &str = "#/components/schemas/";

/// Changes how the file says it, and nothing of what it says but what the orders of a trip are.
pub(super) fn improve(document: &mut Value) {
    name_pages(document);
    name_orders_of_trips(document);
    for name in [ORDER_EXTENSIONS_SCHEMA, STOP_EXTENSIONS_SCHEMA] {
        name_extensions(document, name);
    }
    improve_parameters(document);
    say_plainly(document);
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("{SCHEMAS}{name}")})
}

/// `Page_Order` with the order written out in it becomes `OrderPage` of `Order`.
fn name_pages(document: &mut Value) {
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        let named = std::mem::take(schemas).into_iter().map(|(name, mut schema)| match name.strip_prefix(PAGE) {
            Some(item) => {
                schema["properties"]["items"]["items"] = reference(item);
                (format!("{item}Page"), schema)
            }
            None => (name, schema),
        });
        *schemas = named.collect();
        schemas.sort_keys();
    }
    rename_references(document);
}

fn rename_references(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(target)) = members.get_mut("$ref")
                && let Some(item) = target.strip_prefix(SCHEMAS).and_then(|name| name.strip_prefix(PAGE))
            {
                *target = format!("{SCHEMAS}{item}Page");
            }
            members.values_mut().for_each(rename_references);
        }
        Value::Array(items) => items.iter_mut().for_each(rename_references),
        _ => {}
    }
}

/// The orders of a trip are read one by one, by the rules of an order whose account is the trip's.
fn name_orders_of_trips(document: &mut Value) {
    let schemas = &mut document["components"]["schemas"];
    let mut order = schemas["NewOrder"].clone();
    order["description"] = json!("An order of a trip: as for `POST /v1/orders`, with or without the trip's account.");
    if let Some(required) = order["required"].as_array_mut() {
        required.retain(|name| name != "account");
    }
    schemas["TripOrder"] = order;
    schemas["NewTrip"]["properties"]["orders"]["items"] = reference("TripOrder");
}

/// What each provider adds to a component, and its lists of words, as components of their own.
fn name_extensions(document: &mut Value, component: &str) {
    let schemas = &mut document["components"]["schemas"];
    let mut named = Map::new();
    for (provider, extension) in schemas[component]["properties"].as_object_mut().into_iter().flatten() {
        let provider = capitalized(provider);
        for (member, schema) in extension.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
            if schema["enum"].is_array() {
                let name = format!("{provider}{}", capitalized(member));
                named.insert(name.clone(), std::mem::replace(schema, reference(&name)));
            }
        }
        let name = format!("{provider}{component}");
        named.insert(name.clone(), std::mem::replace(extension, reference(&name)));
    }
    add_components(document, named);
}

/// A parameter that is null is absent, and a list of words is a component.
fn improve_parameters(document: &mut Value) {
    let mut named = Map::new();
    for operation in operations(document) {
        for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
            let mut schemas = json!({"properties": {"parameter": parameter["schema"].take()}});
            without_nulls(&mut schemas);
            let mut schema = schemas["properties"]["parameter"].take();
            if schema["enum"].is_array() {
                let name = capitalized(parameter["name"].as_str().unwrap_or_default());
                named.insert(name.clone(), std::mem::replace(&mut schema, reference(&name)));
            }
            parameter["schema"] = schema;
        }
    }
    add_components(document, named);
}

fn add_components(document: &mut Value, named: Map<String, Value>) {
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        schemas.extend(named);
        schemas.sort_keys();
    }
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// An object of any members says so; a tuple of things of one kind is a list of so many: generators know no other.
fn say_plainly(value: &mut Value) {
    match value {
        Value::Object(members) => {
            let says_object = |kind: &Value| {
                kind == "object" || kind.as_array().is_some_and(|kinds| kinds.contains(&json!("object")))
            };
            if members.get("type").is_some_and(says_object)
                && !members.contains_key("properties")
                && !members.contains_key("additionalProperties")
            {
                members.insert("additionalProperties".to_owned(), json!(true));
            }
            if let Some(Value::Array(places)) = members.remove("prefixItems") {
                let count = places.len();
                members.insert("items".to_owned(), places.into_iter().next().unwrap_or_default());
                members.insert("minItems".to_owned(), json!(count));
                members.insert("maxItems".to_owned(), json!(count));
            }
            members.values_mut().for_each(say_plainly);
        }
        Value::Array(items) => items.iter_mut().for_each(say_plainly),
        _ => {}
    }
}
