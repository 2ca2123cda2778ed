//! The orders that a simulator holds, and how often each was received.
//!
//! The books are what a test holds a gateway's ledger against: an order that the ledger calls
//! accepted must be here once, and one that arrived more often must have a recorded doubt.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// An order in the books, as `GET /control/{provider}/books` shows it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BookEntry {
    /// The number that the sender gave it, unique within the sender's company.
    pub order_number: Option<String>,
    /// The number that the simulator gave it.
    pub provider_order_number: String,
    pub client_reference_number: Option<String>,
    /// In the provider's own word.
    pub status: &'static str,
    /// How often it was created: always 1. Where a provider lets a duplicate pass, that is an order
    /// of its own here, with the same `order_number`. 0 for an order that was made elsewhere.
    pub created: u32,
    /// How many creates with this number arrived, those included that were refused (as invalid
    /// before it existed, as a duplicate after).
    pub received_creates: u64,
    pub amended: u32,
    /// How often custom fields of it were set or cleared, by a call that does only this.
    pub custom_field_updates: u32,
    pub cancelled: u32,
    /// The order as it was last received, as JSON; where it can be changed in parts, as it stands
    /// then. Shared, so that a copy of the books is cheap.
    #[serde(serialize_with = "serialize_document")]
    pub document: Arc<RawValue>,
}

/// serde's own way through an `Arc` is a feature that we have no other use for.
fn serialize_document<S: Serializer>(document: &Arc<RawValue>, serializer: S) -> Result<S::Ok, S::Error> {
    document.as_ref().serialize(serializer)
}

/// What a simulator writes into its books for a new order.
pub struct NewOrder {
    pub order_number: Option<String>,
    pub provider_order_number: String,
    pub client_reference_number: Option<String>,
    pub status: &'static str,
    pub document: Arc<RawValue>,
}

/// What an amendment changes.
pub struct Amendment {
    pub client_reference_number: Option<String>,
    pub status: &'static str,
    pub document: Arc<RawValue>,
}

/// Names an order within the books; no order ever leaves them except by a reset of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position(usize);

struct Held {
    owner: String,
    entry: BookEntry,
}

/// Orders by company (`owner`) and number. Looking one up costs the same with 100,000 orders as
/// with one. Nothing is ever thrown away: a document of 3 KB takes about 3 KB.
#[derive(Default)]
pub struct Books {
    held: Vec<Held>,
    by_order_number: HashMap<String, Vec<Position>>,
    by_provider_number: HashMap<String, Position>,
    /// Creates of orders that are not held (all were refused), by owner and number.
    refused_creates: HashMap<(String, String), u64>,
}

impl Books {
    /// Counts a create with this number, whatever becomes of it.
    pub fn receive_create(&mut self, owner: &str, order_number: &str) {
        let positions = self.by_order_number.get(order_number).into_iter().flatten();
        let mut is_held = false;
        for position in positions {
            let held = &mut self.held[position.0];
            if held.owner == owner {
                held.entry.received_creates += 1;
                is_held = true;
            }
        }
        if !is_held {
            let key = (owner.to_owned(), order_number.to_owned());
            *self.refused_creates.entry(key).or_default() += 1;
        }
    }

    pub fn find(&self, owner: &str, order_number: &str) -> Option<Position> {
        let positions = self.by_order_number.get(order_number)?;
        let is_theirs = |position: &&Position| self.held[position.0].owner == owner;
        positions.iter().find(is_theirs).copied()
    }

    pub fn find_by_provider_number(&self, owner: &str, number: &str) -> Option<Position> {
        let position = *self.by_provider_number.get(number)?;
        (self.held[position.0].owner == owner).then_some(position)
    }

    pub fn entry(&self, position: Position) -> &BookEntry {
        &self.held[position.0].entry
    }

    /// Enters an order. Its create has been counted by [`Books::receive_create`] already.
    pub fn create(&mut self, owner: &str, order: NewOrder) -> Position {
        let NewOrder { order_number, provider_order_number, client_reference_number, status, document } = order;
        let position = Position(self.held.len());
        let received_creates = match &order_number {
            Some(number) => {
                let duplicated = self.find(owner, number).map(|it| self.entry(it).received_creates);
                self.by_order_number.entry(number.clone()).or_default().push(position);
                let key = (owner.to_owned(), number.clone());
                duplicated.or(self.refused_creates.remove(&key)).unwrap_or(1)
            }
            None => 1,
        };
        self.by_provider_number.insert(provider_order_number.clone(), position);
        self.held.push(Held {
            owner: owner.to_owned(),
            entry: BookEntry {
                order_number,
                provider_order_number,
                client_reference_number,
                status,
                created: 1,
                received_creates,
                amended: 0,
                custom_field_updates: 0,
                cancelled: 0,
                document,
            },
        });
        position
    }

    /// Enters an order that was made elsewhere: no create of it arrives here.
    pub fn hold(&mut self, owner: &str, order: NewOrder) -> Position {
        let position = self.create(owner, order);
        let entry = &mut self.held[position.0].entry;
        entry.created = 0;
        entry.received_creates = 0;
        position
    }

    pub fn amend(&mut self, position: Position, amendment: Amendment) {
        let entry = &mut self.held[position.0].entry;
        let Amendment { client_reference_number, status, document } = amendment;
        entry.client_reference_number = client_reference_number;
        entry.status = status;
        entry.document = document;
        entry.amended += 1;
    }

    pub fn cancel(&mut self, position: Position, status: &'static str) {
        let entry = &mut self.held[position.0].entry;
        entry.status = status;
        entry.cancelled += 1;
    }

    /// For what happens to an order without its sender.
    pub fn move_on(&mut self, position: Position, status: &'static str) {
        self.held[position.0].entry.status = status;
    }

    /// `document` is the whole order with its custom fields as they are now.
    pub fn update_custom_fields(&mut self, position: Position, document: Arc<RawValue>) {
        let entry = &mut self.held[position.0].entry;
        entry.document = document;
        entry.custom_field_updates += 1;
    }

    /// A copy of all entries, or of those with this order number, oldest first.
    pub fn entries(&self, order_number: Option<&str>) -> Vec<BookEntry> {
        match order_number {
            None => self.held.iter().map(|held| held.entry.clone()).collect(),
            Some(number) => self
                .by_order_number
                .get(number)
                .into_iter()
                .flatten()
                .map(|position| self.entry(*position).clone())
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(order_number: Option<&str>, provider_order_number: &str) -> NewOrder {
        NewOrder {
            order_number: order_number.map(str::to_owned),
            provider_order_number: provider_order_number.to_owned(),
            client_reference_number: None,
            status: "INBOX",
            document: Arc::from(RawValue::NULL.to_owned()),
        }
    }

    #[test]
    fn creates_are_counted_before_and_after_the_order_exists() {
        let mut books = Books::default();
        books.receive_create("demo", "A-1");
        books.receive_create("demo", "A-1");
        books.create("demo", order(Some("A-1"), "P1"));
        books.receive_create("demo", "A-1");
        let entries = books.entries(Some("A-1"));
        assert_eq!(entries.len(), 1);
        assert_eq!((entries[0].created, entries[0].received_creates), (1, 3));
    }

    #[test]
    fn numbers_belong_to_an_owner_and_their_case_matters() {
        let mut books = Books::default();
        books.create("one", order(Some("A-1"), "P1"));
        assert!(books.find("one", "A-1").is_some());
        assert!(books.find("other", "A-1").is_none());
        assert!(books.find("one", "a-1").is_none());
        assert!(books.find_by_provider_number("one", "P1").is_some());
        assert!(books.find_by_provider_number("other", "P1").is_none());
    }

    #[test]
    fn a_duplicate_is_an_order_of_its_own_and_the_first_is_found() {
        let mut books = Books::default();
        for provider_order_number in ["P1", "P2"] {
            books.receive_create("demo", "A-1");
            books.create("demo", order(Some("A-1"), provider_order_number));
        }
        let entries = books.entries(Some("A-1"));
        let counts: Vec<_> = entries.iter().map(|it| (it.created, it.received_creates)).collect();
        assert_eq!(counts, [(1, 2), (1, 2)]);
        let first = books.find("demo", "A-1").unwrap();
        assert_eq!(books.entry(first).provider_order_number, "P1");
    }

    #[test]
    fn an_order_that_was_made_elsewhere_was_not_created_here() {
        let mut books = Books::default();
        let position = books.hold("demo", order(None, "P1"));
        assert_eq!(books.find_by_provider_number("demo", "P1"), Some(position));
        assert_eq!((books.entry(position).created, books.entry(position).received_creates), (0, 0));
    }

    #[test]
    fn a_cancellation_is_counted_and_what_else_happens_is_not() {
        let mut books = Books::default();
        let position = books.create("demo", order(Some("A-1"), "P1"));
        books.move_on(position, "RELEASED");
        assert_eq!((books.entry(position).status, books.entry(position).cancelled), ("RELEASED", 0));
        books.cancel(position, "CANCELLED");
        assert_eq!((books.entry(position).status, books.entry(position).cancelled), ("CANCELLED", 1));
    }

    #[test]
    fn an_order_without_a_number_is_listed_but_not_found_by_number() {
        let mut books = Books::default();
        books.create("demo", order(None, "P1"));
        assert_eq!(books.entries(None).len(), 1);
        assert!(books.entries(Some("")).is_empty());
    }
}
