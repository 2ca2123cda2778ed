//! What the parts of the API are for.

use serde_json::{Value, json};

use super::operations;

/// In the order in which a reader should meet them.
const TAGS: [(&str, &str); 13] = [
    ("orders", "Orders: accepted in one canonical form, changed, cancelled and followed."),
    ("trips", "Several orders on one vehicle."),
    ("submissions", "What was asked of providers, every exchange with them, and what only a person can decide."),
    ("translations", "What would be sent, without sending it."),
    ("events", "What happened: the feed, and the same as a stream."),
    ("webhook endpoints", "Where events are delivered to, and how that went."),
    ("accounts", "Logins at providers: their settings, quotas and queues, and what their providers can be asked."),
    ("providers", "What providers can do, and what their result codes mean."),
    ("callbacks", "What providers call by themselves, and what became of it."),
    ("api keys", "Who may call this API."),
    ("audit log", "Who administered what."),
    ("health", "For those who watch the process."),
    ("problems", "What the types of problem documents mean."),
];

/// Declares the tags, and says of each operation that needs no key that it needs none.
pub(super) fn describe(document: &mut Value) {
    document["tags"] =
        TAGS.iter().map(|(name, description)| json!({"name": name, "description": description})).collect();
    for operation in operations(document).filter_map(Value::as_object_mut) {
        operation.entry("security").or_insert_with(|| json!([]));
    }
}
