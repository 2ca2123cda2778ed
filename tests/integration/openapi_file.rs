//! The OpenAPI file as those who generate clients from it need it.

use std::collections::BTreeSet;

use jsonschema::Validator;
use onelane::api::CONTRACT;
use serde_json::{Map, Value, json};

/// An operation, with `method path` for messages.
fn operations() -> Vec<(String, &'static Map<String, Value>)> {
    let paths = CONTRACT.document()["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (format!("{method} {path}"), operation.as_object().unwrap()))
    });
    operations.collect()
}

/// Checks values against a schema of the file.
fn validator(schema: &Value) -> Validator {
    let whole = json!({"allOf": [schema], "components": CONTRACT.document()["components"]});
    jsonschema::draft202012::options().should_validate_formats(true).build(&whole).unwrap()
}

fn complaints(schema: &Value, value: &Value) -> Vec<String> {
    let validator = validator(schema);
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// The bodies of a request or of an answer, by content type.
fn media(body: &Value) -> impl Iterator<Item = (&String, &Value)> {
    body["content"].as_object().into_iter().flatten()
}

#[test]
fn every_operation_has_a_name_words_and_one_tag() {
    let tags = CONTRACT.document()["tags"].as_array().unwrap();
    let declared: BTreeSet<&str> = tags.iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    assert!(tags.iter().all(|tag| tag["description"].as_str().is_some_and(|words| words.ends_with('.'))), "{tags:?}");
    let mut names = BTreeSet::new();
    let mut used = BTreeSet::new();
    for (at, operation) in operations() {
        let name = operation["operationId"].as_str().unwrap();
        assert!(name.starts_with(|first: char| first.is_ascii_lowercase()), "{at}: {name}");
        assert!(name.chars().all(|letter| letter.is_ascii_alphanumeric()), "{at}: {name}");
        assert!(names.insert(name), "{at}: {name} twice");
        // One line in a list, and a paragraph.
        let summary = operation["summary"].as_str().unwrap();
        assert!(summary.len() <= 80 && !summary.contains('\n') && summary.ends_with('.'), "{at}: {summary}");
        assert!(operation["description"].as_str().is_some_and(|words| words.len() > 20), "{at} has no description");
        let [tag] = operation["tags"].as_array().unwrap().as_slice() else { panic!("{at} has not one tag") };
        used.insert(tag.as_str().unwrap());
        assert!(operation["security"].is_array(), "{at} does not say who may call it");
    }
    assert_eq!(used, declared);
}

#[test]
fn every_operation_says_what_is_wrong_in_a_problem_document() {
    for (at, operation) in operations() {
        let responses = operation["responses"].as_object().unwrap();
        let failures: Vec<_> = responses.iter().filter(|(status, _)| status.starts_with(['4', '5'])).collect();
        assert!(failures.iter().any(|(status, _)| status.starts_with('4')), "{at} never fails");
        for (status, failure) in failures {
            let schema = &failure["content"]["application/problem+json"]["schema"]["$ref"];
            assert_eq!(schema, "#/components/schemas/Problem", "{at} {status}");
        }
    }
}

#[test]
fn every_body_has_an_example_that_is_valid() {
    let mut examples = 0;
    for (at, operation) in operations() {
        let request = operation.get("requestBody").into_iter().map(|body| ("request", body));
        let answers = operation["responses"].as_object().unwrap().iter();
        let answers =
            answers.filter(|(status, _)| status.starts_with('2')).map(|(status, body)| (status.as_str(), body));
        for (which, body) in request.chain(answers) {
            for (kind, media) in media(body) {
                let example = media.get("example").unwrap_or_else(|| panic!("{at} {which} {kind} has no example"));
                let complaints = complaints(&media["schema"], example);
                assert!(complaints.is_empty(), "{at} {which}: {complaints:#?}");
                examples += 1;
            }
        }
    }
    assert!(examples > 70, "{examples}");
}

/// The examples that stand with schemas and parameters.
#[test]
fn every_example_of_a_schema_is_valid() {
    fn look(at: &str, schema: &Value, seen: &mut usize) {
        match schema {
            Value::Object(members) => {
                let several = members.get("examples").and_then(Value::as_array).into_iter().flatten();
                // A member of data may be called so; then it is a schema.
                let one =
                    members.get("example").filter(|example| !(example.is_object() && example["type"].is_string()));
                for example in several.chain(one) {
                    let complaints = complaints(schema, example);
                    assert!(complaints.is_empty(), "{at}: {complaints:#?}");
                    *seen += 1;
                }
                members.iter().for_each(|(name, member)| look(&format!("{at}/{name}"), member, seen));
            }
            Value::Array(items) => items.iter().for_each(|item| look(at, item, seen)),
            _ => {}
        }
    }
    let mut seen = 0;
    look("", &CONTRACT.document()["components"]["schemas"], &mut seen);
    for (at, operation) in operations() {
        for parameter in operation.get("parameters").and_then(Value::as_array).into_iter().flatten() {
            look(&format!("{at} {}", parameter["name"]), &parameter["schema"], &mut seen);
        }
    }
    assert!(seen > 3, "{seen}");
}

/// What a schema is made of, itself left out.
fn parts<'a>(at: &str, schema: &'a Value) -> Vec<(String, &'a Value)> {
    let mut parts = Vec::new();
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        parts.push((format!("{at}.{name}"), member));
    }
    for name in ["items", "additionalProperties"] {
        if schema[name].is_object() {
            parts.push((format!("{at}[]"), &schema[name]));
        }
    }
    for name in ["allOf", "oneOf", "anyOf"] {
        // A part of a schema is no schema that needs a name.
        for part in schema[name].as_array().into_iter().flatten() {
            parts.extend(self::parts(at, part));
        }
    }
    parts
}

fn types(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

/// Checks all that a schema is made of, and what that is made of.
fn check_parts(at: &str, schema: &Value) {
    let types = types(schema);
    if types.contains(&"integer") {
        assert!(schema["format"].is_string(), "{at}: an integer of which length?");
    }
    if types.contains(&"object") && !schema["properties"].is_object() {
        assert!(schema.get("additionalProperties").is_some(), "{at}: an object of what?");
    }
    if types.contains(&"array") {
        assert!(schema["items"].is_object(), "{at}: a list of what?");
    }
    for (at, part) in parts(at, schema) {
        assert!(!part["properties"].is_object() && !part["enum"].is_array(), "{at} has no name");
        check_parts(&at, part);
    }
}

#[test]
fn what_has_a_form_of_its_own_has_a_name() {
    for (name, schema) in CONTRACT.document()["components"]["schemas"].as_object().unwrap() {
        assert!(name.chars().all(|letter| letter.is_ascii_alphanumeric()), "{name}");
        check_parts(name, schema);
    }
    for (at, operation) in operations() {
        for parameter in operation.get("parameters").and_then(Value::as_array).into_iter().flatten() {
            assert!(!types(&parameter["schema"]).contains(&"null"), "{at} {}: null is absence", parameter["name"]);
            check_parts(&at, &json!({"properties": {"parameter": parameter["schema"]}}));
        }
        let bodies = operation["responses"].as_object().unwrap().values().chain(operation.get("requestBody"));
        for (_, media) in bodies.flat_map(media) {
            let schema = &media["schema"];
            assert!(schema["$ref"].is_string() || schema["type"] == "string", "{at}: {schema}");
        }
    }
}

/// The components that are reached from here.
fn reached(from: &Value, found: &mut BTreeSet<&'static str>) {
    match from {
        Value::Object(members) => {
            let target = members.get("$ref").and_then(Value::as_str).and_then(|name| name.rsplit('/').next());
            let schemas = CONTRACT.document()["components"]["schemas"].as_object().unwrap();
            if let Some((name, schema)) = target.and_then(|name| schemas.get_key_value(name))
                && found.insert(name)
            {
                reached(schema, found);
            }
            members.values().for_each(|member| reached(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| reached(item, found)),
        _ => {}
    }
}

/// What an answer holds is null, or is left out; never the one here and the other there. A request knows no null but in
/// a merge patch.
#[test]
fn what_may_be_null_and_what_may_be_absent() {
    let (mut in_requests, mut in_answers) = (BTreeSet::new(), BTreeSet::new());
    for (_, operation) in operations() {
        let asked = operation.get("requestBody").into_iter().chain(operation.get("parameters"));
        asked.for_each(|part| reached(part, &mut in_requests));
        reached(&operation["responses"], &mut in_answers);
    }
    let all: BTreeSet<&str> = in_requests.union(&in_answers).copied().collect();
    let schemas = CONTRACT.document()["components"]["schemas"].as_object().unwrap();
    assert_eq!(all, schemas.keys().map(String::as_str).collect::<BTreeSet<_>>(), "a component that nothing refers to");
    for name in all {
        let wholes = std::iter::once(&schemas[name]).chain(schemas[name]["allOf"].as_array().into_iter().flatten());
        for whole in wholes {
            let required: BTreeSet<&str> =
                whole["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            for (member, schema) in whole["properties"].as_object().into_iter().flatten() {
                let choices = schema["oneOf"].as_array().into_iter().flatten();
                let nullable = types(schema).contains(&"null") || choices.flat_map(types).any(|kind| kind == "null");
                if nullable && !name.ends_with("Patch") {
                    assert!(!in_requests.contains(name), "{name}.{member} may be null in a request");
                    assert!(required.contains(member.as_str()), "{name}.{member} may be null and absent");
                }
            }
        }
    }
}
