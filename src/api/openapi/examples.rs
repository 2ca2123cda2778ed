//! Examples of bodies: answers of a gateway and what it was asked, by the component that they are of.

use serde_json::{Map, Value, json};

use super::operations;

/// Objects of examples. A key is the name of a component, or an operation's id with `request` or the status where
/// this one differs from others of its component, or is of none.
const FILES: [&str; 4] = [
    include_str!("../../../openapi/examples/orders.json"),
    include_str!("../../../openapi/examples/accounts.json"),
    include_str!("../../../openapi/examples/events.json"),
    include_str!("../../../openapi/examples/around.json"),
];

/// Adds an example to every request body and every answer of success.
pub(super) fn add(document: &mut Value) {
    let examples = read();
    for operation in operations(document) {
        let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
        if let Some(body) = operation.get_mut("requestBody") {
            show(body, &format!("{id} request"), &examples);
        }
        let answers = operation["responses"].as_object_mut().into_iter().flatten();
        for (status, answer) in answers.filter(|(status, _)| status.starts_with('2')) {
            show(answer, &format!("{id} {status}"), &examples);
        }
    }
    // What is wrong has the same form everywhere.
    if let Some(problem) = examples.get("Problem") {
        document["components"]["schemas"]["Problem"]["examples"] = json!([problem]);
    }
}

#[expect(clippy::expect_used, reason = "the files are compiled in; a broken one is a bug that every start shows")]
fn read() -> Map<String, Value> {
    let files = FILES.iter().map(|file| serde_json::from_str::<Map<String, Value>>(file));
    files.flat_map(|file| file.expect("a file of our own is an object in JSON")).collect()
}

fn show(body: &mut Value, key: &str, examples: &Map<String, Value>) {
    let content = body.get_mut("content").and_then(Value::as_object_mut);
    for media in content.into_iter().flat_map(|content| content.values_mut()) {
        let component = media["schema"]["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
        let example = examples.get(key).cloned().or_else(|| of_component(component?, examples));
        if let (Some(example), Some(media)) = (example, media.as_object_mut()) {
            media.insert("example".to_owned(), example);
        }
    }
}

/// A list shows one item where it has no example of its own.
fn of_component(name: &str, examples: &Map<String, Value>) -> Option<Value> {
    let item = || examples.get(name.strip_suffix("Page")?);
    examples.get(name).cloned().or_else(|| Some(json!({"items": [item()?], "nextCursor": null})))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::CONTRACT;

    #[test]
    fn every_example_is_shown() {
        let shown = CONTRACT.document().to_string();
        let examples = read();
        assert!(examples.len() > 40, "{}", examples.len());
        for (key, example) in examples {
            assert!(shown.contains(&example.to_string()), "{key} is an example of nothing");
        }
    }
}
