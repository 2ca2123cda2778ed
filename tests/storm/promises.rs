//! The callers' list: what they were told.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use tokio::sync::Notify;
use uuid::Uuid;

use super::laws::{PromisedChange, PromisedOrder};

/// What all callers were told so far.
pub struct Promises {
    notes: Mutex<Notes>,
    created: Notify,
}

/// The list itself.
#[derive(Default)]
pub struct Notes {
    /// By place in the plan; nothing before the creation was answered
    created: Vec<Option<Created>>,
    pub orders: Vec<PromisedOrder>,
    pub changes: Vec<PromisedChange>,
    /// Refusals that are as they should be, by what was asked and the answer
    pub refused: BTreeMap<String, usize>,
    /// Answers that are not as they should be, and calls without an answer
    pub unexpected: Vec<String>,
    /// Calls that were repeated because no answer came, and because that is allowed
    pub repeated_for_want: usize,
    pub repeated_at_will: usize,
    /// Places of orders that the provider could not move on yet, with where to
    pub to_advance: Vec<(usize, &'static str)>,
    pub advanced: usize,
    pub confirmed: usize,
}

#[derive(Clone, Copy)]
enum Created {
    As(Uuid),
    /// It was refused, or never answered
    Not,
}

impl Promises {
    pub fn new(orders: usize) -> Self {
        let notes = Notes { created: vec![None; orders], ..Notes::default() };
        Promises { notes: Mutex::new(notes), created: Notify::new() }
    }

    pub fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap()
    }

    pub fn is_created(&self, order: usize, promised: PromisedOrder) {
        let mut notes = self.notes();
        let known = notes.created[order].replace(Created::As(promised.id));
        if known.is_none() {
            notes.orders.push(promised);
        } else if !matches!(known, Some(Created::As(id)) if id == promised.id) {
            let other = format!("{} was accepted once more, as another order", promised.number);
            notes.unexpected.push(other);
        }
        drop(notes);
        self.created.notify_waiters();
    }

    pub fn is_not_created(&self, order: usize, why: String) {
        let mut notes = self.notes();
        notes.created[order].get_or_insert(Created::Not);
        notes.unexpected.push(why);
        drop(notes);
        self.created.notify_waiters();
    }

    /// The id of an order, once its creation was answered; nothing if it was refused.
    pub async fn id(&self, order: usize) -> Option<Uuid> {
        loop {
            let told = self.created.notified();
            tokio::pin!(told);
            // From here on no word is missed.
            told.as_mut().enable();
            match self.notes().created[order] {
                Some(Created::As(id)) => return Some(id),
                Some(Created::Not) => return None,
                None => {}
            }
            told.await;
        }
    }

    pub fn refused(&self, what: String) {
        *self.notes().refused.entry(what).or_default() += 1;
    }

    pub fn unexpected(&self, what: String) {
        self.notes().unexpected.push(what);
    }
}
