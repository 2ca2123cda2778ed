//! The OpenAPI file, put together from the handlers, the canonical types and what the providers declare; and
//! the validators that read request bodies against it.

mod answers;
mod examples;
mod shape;
mod tags;

use std::any::type_name;
use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use serde_json::{Value, json};
use utoipa::ToSchema;

use super::routes;
use crate::provider;
use crate::validation::{SchemaValidator, without_nulls};

/// The API's contract: the OpenAPI file and its validators.
pub struct Contract {
    document: Value,
    validators: HashMap<String, SchemaValidator>,
}

pub static CONTRACT: LazyLock<Contract> = LazyLock::new(Contract::assemble);

impl Contract {
    fn assemble() -> Self {
        let (_, openapi) = routes().split_for_parts();
        let mut document = serde_json::to_value(openapi).unwrap_or(Value::Null);
        document["info"] = json!({
            "title": "onelane",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "One canonical order API in front of many logistics providers.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        });
        document["servers"] = json!([{"url": "/", "description": "this gateway"}]);
        document["components"]["securitySchemes"] = json!({
            "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key of this gateway"},
        });
        add_extensions(&mut document);
        answers::add(&mut document);
        let requests = request_components(&document);
        for name in &requests {
            without_nulls(&mut document["components"]["schemas"][name]);
        }
        join_order(&mut document);
        let validators = requests
            .iter()
            .map(|name| {
                let schema = json!({
                    "$ref": format!("#/components/schemas/{name}"),
                    "components": {"schemas": document["components"]["schemas"]},
                });
                (name.clone(), SchemaValidator::new(schema))
            })
            .collect();
        // What follows says the same in words that generators of clients make good names of.
        shape::improve(&mut document);
        tags::describe(&mut document);
        examples::add(&mut document);
        Contract { document, validators }
    }

    pub fn document(&self) -> &Value {
        &self.document
    }

    /// The validator of a request body.
    ///
    /// # Panics
    /// When the type is no request body of any handler, which the first test of that handler shows.
    #[expect(clippy::panic, reason = "a handler whose body is not declared is a bug that its first request shows")]
    pub fn validator<T: ToSchema>(&self) -> &SchemaValidator {
        self.validators
            .get(T::name().as_ref())
            .unwrap_or_else(|| panic!("{} is not declared as a request body", type_name::<T>()))
    }
}

/// Every operation of the file.
fn operations(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let items = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    items.flat_map(|item| item.as_object_mut().into_iter().flat_map(|item| item.values_mut()))
}

/// Adds what providers declare of orders and stops.
fn add_extensions(document: &mut Value) {
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        schemas.extend(provider::extension_components());
    }
}

/// Names of the components that request bodies refer to, directly or through others.
fn request_components(document: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut queue = Vec::new();
    for path in document["paths"].as_object().into_iter().flat_map(|paths| paths.values()) {
        for operation in path.as_object().into_iter().flat_map(|operations| operations.values()) {
            // In a merge patch null means something; what is validated is the document with the patch in it.
            references(&operation["requestBody"]["content"]["application/json"], &mut queue);
        }
    }
    while let Some(name) = queue.pop() {
        if found.insert(name.clone()) {
            references(&document["components"]["schemas"][&name], &mut queue);
        }
    }
    found
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if let Some(name) = members.get("$ref").and_then(Value::as_str) {
                found.extend(name.strip_prefix("#/components/schemas/").map(str::to_owned));
            }
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// An order in an answer is the document with the envelope's members beside it.
fn join_order(document: &mut Value) {
    let schemas = &mut document["components"]["schemas"];
    let posted = schemas["NewOrder"].clone();
    let order = &mut schemas["Order"];
    if let (Some(properties), Some(more)) = (order["properties"].as_object_mut(), posted["properties"].as_object()) {
        for (name, schema) in more {
            properties.entry(name.clone()).or_insert_with(|| schema.clone());
        }
    }
    if let (Some(required), Some(more)) = (order["required"].as_array_mut(), posted["required"].as_array()) {
        required.extend(more.clone());
    }
    order["description"] = json!("An order: the canonical document, and where it stands.");
}
