//! Text arrives as it was written, whatever is in it.

use serde_json::{Value, json};

use super::{Case, adapters, body_leaves, cases, leaves};

const HOSTILE: &str = "\"'&<b>]]>\\ {}%00 😀𠮷野家 é";

#[test]
fn quotes_markup_emoji_and_rare_characters_survive() {
    for adapter in adapters() {
        let mut survived = 0;
        for case in cases(&adapter) {
            for pointer in leaves(&case.document) {
                if !case.document.pointer(&pointer).is_some_and(Value::is_string) {
                    continue;
                }
                let mut document = case.document.clone();
                *document.pointer_mut(&pointer).unwrap() = json!(HOSTILE);
                let Some(translation) = (Case { document, ..case }).translate() else { continue };
                let Some(request) = translation.request else { continue };
                let carried = translation.lineage.iter().any(|lineage| lineage.pointer == case.place(&pointer));
                let found = body_leaves(&request.body).iter().any(|(_, text)| text.contains(HOSTILE));
                // What is converted (joined, looked up) need not stand there as it is; what is carried as it is must.
                let as_it_is = translation
                    .lineage
                    .iter()
                    .any(|lineage| lineage.pointer == case.place(&pointer) && lineage.note.is_none());
                assert!(found || !(carried && as_it_is), "{}: {pointer}", case.name());
                survived += usize::from(found);
            }
        }
        assert!(survived >= 5, "{}: only {survived} texts were carried", adapter.profile.id);
    }
}
