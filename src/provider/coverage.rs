//! Coverage lists: what each field of a provider's request comes from, or why it is not sent. The adapters' tests hold
//! their encoders to them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{Account, Item, Outward, Profile, translate};

/// One row of a list.
#[derive(Debug, Deserialize)]
pub struct Row {
    /// Path in the request, list places as `[]`; `{1..n}` stands for a number
    pub field: String,
    /// Canonical pointers that it comes from; `*` is a list index, `{}` the number
    pub canonical: String,
    /// `gateway` when the gateway says it by itself, `never` when it is not sent
    pub otherwise: String,
    /// Why, for both of these
    pub why: String,
}

/// A path in the request → the canonical pointers that it comes from.
pub type Sources = BTreeMap<String, BTreeSet<String>>;

pub fn rows(list: &[u8]) -> Vec<Row> {
    csv::Reader::from_reader(list).into_deserialize().collect::<Result<_, _>>().unwrap()
}

/// All fields of a list, numbers written out.
pub fn listed(list: &[u8]) -> Sources {
    let mut listed = Sources::new();
    for Row { field, canonical, .. } in rows(list) {
        let pointers = |slot: &str| canonical.split_whitespace().map(|pointer| pointer.replace("{}", slot)).collect();
        match field.split_once("{1..") {
            None => {
                listed.insert(field, pointers(""));
            }
            Some((name, most)) => {
                for slot in 1..=most.trim_end_matches('}').parse::<u32>().unwrap() {
                    listed.insert(format!("{name}{slot}"), pointers(&slot.to_string()));
                }
            }
        }
    }
    listed
}

/// The fields that a list calls sent.
pub fn sent(list: &[u8]) -> BTreeSet<String> {
    let never: BTreeSet<String> =
        rows(list).into_iter().filter(|row| row.otherwise == "never").map(|row| row.field).collect();
    listed(list).into_keys().filter(|field| !never.contains(field)).collect()
}

/// `items[3].quantity` → `items[].quantity`
pub fn any_index(target: &str) -> String {
    let mut parts = target.split('[');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| out + "[]" + part.split_once(']').unwrap().1)
}

/// `/lines/3/quantity` → `/lines/*/quantity`
pub fn any_entry(pointer: &str) -> String {
    let is_index = |token: &str| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit());
    pointer.split('/').map(|token| if is_index(token) { "*" } else { token }).collect::<Vec<_>>().join("/")
}

/// Where the encoder takes each field from. Nothing may be refused, and only what is in `summed` left out: it gives a
/// sum of the order, and is not told by itself.
pub fn sources(
    (profile, outward): (&'static Profile, &'static dyn Outward),
    account: &Account,
    items: &[Item<'_>],
    summed: &[&str],
) -> Sources {
    let mut found = Sources::new();
    for item in items {
        let translation = translate(profile, outward, account, *item);
        assert_eq!(translation.refusals, []);
        for pointer in &translation.dropped {
            assert!(summed.contains(&any_entry(pointer).as_str()), "{pointer} is not carried");
        }
        for lineage in translation.lineage {
            found.entry(any_index(&lineage.target)).or_default().insert(any_entry(&lineage.pointer));
        }
    }
    found
}

/// Each field comes from where the list says, and no field is missing in the list.
pub fn hold_to_its_sources(list: &[u8], found: &Sources) {
    let listed: Sources = listed(list).into_iter().filter(|(_, pointers)| !pointers.is_empty()).collect();
    for (field, pointers) in &listed {
        assert_eq!(found.get(field), Some(pointers), "{field}");
    }
    let unlisted: Vec<_> = found.keys().filter(|field| !listed.contains_key(*field)).collect();
    assert!(unlisted.is_empty(), "not in the list: {unlisted:?}");
}

/// What is in the bytes is what the list calls sent.
pub fn hold_to_what_is_sent(list: &[u8], found: &BTreeSet<String>) {
    let expected = sent(list);
    assert_eq!(found.difference(&expected).collect::<Vec<_>>(), Vec::<&String>::new(), "sent, but not listed");
    assert_eq!(expected.difference(found).collect::<Vec<_>>(), Vec::<&String>::new(), "listed, but not sent");
}

/// A field without a canonical member says why.
pub fn hold_to_its_reasons(list: &[u8]) {
    for row in rows(list) {
        let from_canonical = !row.canonical.is_empty();
        assert_eq!(from_canonical, row.otherwise.is_empty(), "{row:?}");
        assert_eq!(from_canonical, row.why.is_empty(), "{row:?}");
        assert!(from_canonical || matches!(row.otherwise.as_str(), "gateway" | "never"), "{row:?}");
    }
}
