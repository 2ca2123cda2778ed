//! Custom fields alone: customNotes of modify_order.

use serde_json::{Value, json};

use super::{NUMBER, changed, pairs, refused, translated};
use crate::canonical::{Operation, Order, merge_patch};
use crate::provider::{Item, Translation};

fn update<'a>(before: Option<&'a Order>, after: &'a Order, change: Option<&'a Value>) -> Item<'a> {
    Item {
        operation: Operation::UpdateCustomFields,
        change,
        standing: before,
        provider_order_number: Some(NUMBER),
        ..Item::create(after)
    }
}

fn updated_from(first: &Value, change: &Value) -> Translation {
    let before = changed(first);
    let mut both = json!(before);
    merge_patch(&mut both, change);
    let after = super::order(&both);
    translated(update(Some(&before), &after, Some(change)))
}

fn updated(change: &Value) -> Translation {
    updated_from(&json!({}), change)
}

fn sent(translation: &Translation) -> Value {
    assert_eq!((translation.refusals.as_slice(), translation.dropped.as_slice()), ([].as_slice(), [].as_slice()));
    super::body(translation.request.as_ref().unwrap())
}

#[test]
fn only_the_notes_that_change_are_sent() {
    let change = r#"{"customFields": {"text12": "z", "text2": 2.50}}"#;
    let translation = updated(&serde_json::from_str(change).unwrap());
    let expected = json!({"orderNumber": NUMBER, "order": {"customNotes": {"note2": "2.50", "note12": "z"}}});
    assert_eq!(sent(&translation), expected);
    let lineage: Vec<_> =
        translation.lineage.iter().map(|lineage| (lineage.pointer.as_str(), lineage.target.as_str())).collect();
    assert_eq!(
        lineage,
        [("/customFields/text2", "order.customNotes.note2"), ("/customFields/text12", "order.customNotes.note12")]
    );
    // An alias, and an empty text, which is a value.
    let without = json!({"customFields": {"text7": null}});
    let translation = updated_from(&without, &json!({"customFields": {"brand": ""}}));
    assert_eq!(sent(&translation)["order"], json!({"customNotes": {"note7": ""}}));
}

#[test]
fn a_note_cannot_be_cleared_or_made() {
    let clear = "translation.field_not_clearable";
    let unsupported = "custom_field.unsupported";
    for (change, expected) in [
        (json!({"customFields": {"text1": null}}), vec![("/customFields/text1", clear)]),
        (json!({"customFields": null}), vec![("/customFields", clear)]),
        (json!({"customFields": {}}), vec![("/customFields", "validation.missing")]),
        (
            json!({"customFields": {"text13": "x", "number1": 1, "a.b": null}}),
            vec![
                ("/customFields/text13", unsupported),
                ("/customFields/number1", unsupported),
                ("/customFields/a.b", unsupported),
            ],
        ),
        (json!({"customFields": {"brand": "x"}}), vec![("/customFields/text7", "validation.duplicate")]),
        (
            json!({"customFields": {"text1": "x"}, "remarks": "y", "extensions": {"ttms": {"wmsLocation": "B"}}}),
            vec![
                ("/remarks", "translation.unsupported_field"),
                ("/extensions/ttms/wmsLocation", "translation.unsupported_field"),
            ],
        ),
    ] {
        assert_eq!(refused(updated(&change)), pairs(&expected), "{change}");
    }
    // One that is known not to be there need not be cleared.
    let without = json!({"customFields": {"text1": null}});
    let translation = updated_from(&without, &json!({"customFields": {"text1": null, "text2": "x"}}));
    assert_eq!(sent(&translation)["order"], json!({"customNotes": {"note2": "x"}}));
}

#[test]
fn the_extensions_own_fields_replace_the_shared_ones() {
    let own = json!({"extensions": {"ttms": {"customFields": {"text1": "own"}}}});
    let change = json!({"customFields": {"text1": "x"}});
    let inconsistent = pairs(&[("/customFields", "validation.inconsistent")]);
    assert_eq!(refused(updated_from(&own, &change)), inconsistent);
    let change = json!({"extensions": {"ttms": {"customFields": {"text1": "new"}}}});
    assert_eq!(sent(&updated_from(&own, &change))["order"], json!({"customNotes": {"note1": "new"}}));
}

#[test]
fn without_a_change_of_its_own_all_custom_fields_are_the_change() {
    let order = changed(&json!({}));
    let translation = translated(update(None, &order, None));
    assert_eq!(sent(&translation)["order"]["customNotes"].as_object().unwrap().len(), 12);
}

#[test]
fn the_order_must_be_known_at_3tms() {
    let order = changed(&json!({}));
    let change = json!({"customFields": {"text1": "x"}});
    let item = Item { provider_order_number: None, ..update(Some(&order), &order, Some(&change)) };
    assert_eq!(refused(translated(item)), pairs(&[("/providerOrderNumber", "validation.missing")]));
}
