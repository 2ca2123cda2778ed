//! What must always hold, checked against three books: what callers were promised, what the ledger says, and what the
//! providers hold. Pure, so that doctored books show that each law can be broken.

pub mod events;
pub mod orders;
pub mod promises;
pub mod windows;

use std::collections::HashMap;
use std::fmt;

use uuid::Uuid;

/// A law that was broken, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub law: &'static str,
    pub offender: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.law, self.offender)
    }
}

/// All that is known after a storm.
#[derive(Debug, Clone, Default)]
pub struct Books {
    /// Orders that callers were told to be accepted
    pub promised_orders: Vec<PromisedOrder>,
    /// Changes and cancellations that callers were told to be accepted
    pub promised_changes: Vec<PromisedChange>,
    /// Calls that were answered otherwise than they should be, or not at all
    pub unexpected: Vec<String>,
    pub orders: Vec<LedgerOrder>,
    /// In the order of their acceptance
    pub submissions: Vec<LedgerSubmission>,
    pub held: Vec<HeldOrder>,
    pub trips: Vec<LedgerTrip>,
    /// Trips at providers: their numbers, and the providers' numbers of their orders
    pub held_trips: Vec<(String, Vec<String>)>,
    pub lanes: Vec<Lane>,
    /// By their places, and those without one at the end
    pub events: Vec<LedgerEvent>,
    /// The last place that was given
    pub last_position: i64,
    /// What a consumer of the feed saw during the storm, in its order
    pub followed: Vec<Uuid>,
    pub deliveries: Vec<Delivery>,
    /// How often the receiver took each event
    pub webhooks_taken: HashMap<Uuid, u32>,
    /// Callbacks that were answered as taken, and how often the ledger has each
    pub callbacks: Vec<TakenCallback>,
    /// What the ledger itself shows to be wrong, found by questions to it
    pub inconsistencies: Vec<(&'static str, String)>,
}

/// An order that a caller was told to be accepted.
#[derive(Debug, Clone)]
pub struct PromisedOrder {
    pub id: Uuid,
    pub account: String,
    pub document_type: String,
    pub number: String,
}

/// A change, or a cancellation, that a caller was told to be accepted.
#[derive(Debug, Clone)]
pub struct PromisedChange {
    pub order_id: Uuid,
    pub operation: &'static str,
    /// The text that it brings; a cancellation brings none
    pub marker: Option<String>,
}

/// An order in the ledger.
#[derive(Debug, Clone, Default)]
pub struct LedgerOrder {
    pub id: Uuid,
    pub account: String,
    pub provider: String,
    pub document_type: String,
    pub number: String,
    pub status: String,
    pub provider_number: Option<String>,
    /// The texts that changes brought and that are in the document now
    pub markers: Vec<String>,
}

/// A submission in the ledger, with its attempts in their order.
#[derive(Debug, Clone, Default)]
pub struct LedgerSubmission {
    pub id: Uuid,
    pub order_id: Uuid,
    pub trip_id: Option<Uuid>,
    pub operation: String,
    pub state: String,
    pub tries: i32,
    pub may_exist: bool,
    /// The text that its change brings
    pub marker: Option<String>,
    /// Codes of its results: as the provider wrote them, and ours
    pub results: Vec<(String, String)>,
    pub attempts: Vec<Attempt>,
}

/// An attempt on record.
#[derive(Debug, Clone, Default)]
pub struct Attempt {
    /// The submission's state after it
    pub outcome: Option<String>,
    /// The provider was asked about it, and nothing was sent again
    pub question: bool,
}

/// A trip in the ledger.
#[derive(Debug, Clone, Default)]
pub struct LedgerTrip {
    pub id: Uuid,
    pub provider_number: Option<String>,
    pub orders: Vec<Uuid>,
}

/// An order at a provider.
#[derive(Debug, Clone, Default)]
pub struct HeldOrder {
    pub provider: String,
    pub number: String,
    pub provider_number: String,
    pub created: u32,
    pub received_creates: u64,
    pub cancelled: u32,
    /// As JSON
    pub document: String,
}

/// The limit of a lane.
#[derive(Debug, Clone, Default)]
pub struct Limit {
    pub provider: &'static str,
    pub endpoint: &'static str,
    pub requests: u32,
    pub window_seconds: u32,
}

/// What went through a lane.
#[derive(Debug, Clone, Default)]
pub struct Lane {
    pub limit: Limit,
    /// When requests came to the provider, in milliseconds, ascending
    pub arrivals: Vec<f64>,
    /// When requests left by the ledger, in milliseconds, ascending; those that are on record
    pub departures: Vec<f64>,
    /// Requests that the provider refused as too many
    pub refusals: u64,
    /// Requests that came to the provider, and exchanges that the ledger has of the lane, where all its requests are
    /// exchanges
    pub received: u64,
    pub recorded: Option<u64>,
}

/// An event in the ledger.
#[derive(Debug, Clone, Default)]
pub struct LedgerEvent {
    pub id: Uuid,
    pub position: Option<i64>,
    pub event_type: String,
    pub order_id: Option<Uuid>,
    pub submission_id: Option<Uuid>,
    /// What tells one happening of its type from another of the same order
    pub detail: String,
    /// Whether a webhook endpoint wants it
    pub wanted: bool,
}

/// A webhook in the ledger.
#[derive(Debug, Clone, Default)]
pub struct Delivery {
    pub event_id: Uuid,
    pub state: String,
}

/// A callback that was answered as taken.
#[derive(Debug, Clone, Default)]
pub struct TakenCallback {
    pub about: String,
    pub taken: usize,
    pub kept: usize,
    /// The order that it is about, and where it must have come to
    pub stands: Option<(String, String)>,
}

impl LedgerSubmission {
    pub fn is_creation(&self) -> bool {
        matches!(self.operation.as_str(), "create" | "create_trip")
    }

    pub fn is_taken(&self) -> bool {
        matches!(self.state.as_str(), "accepted" | "partially_accepted")
    }

    /// Whether a doubt about it is on record.
    pub fn was_in_doubt(&self) -> bool {
        self.attempts.iter().any(|attempt| attempt.outcome.as_deref() == Some("in_doubt") && !attempt.question)
    }
}

/// Checks all laws.
pub fn check(books: &Books) -> Vec<Violation> {
    let mut violations = Vec::new();
    promises::check(books, &mut violations);
    orders::check(books, &mut violations);
    windows::check(books, &mut violations);
    events::check(books, &mut violations);
    let inconsistent =
        books.inconsistencies.iter().map(|(law, offender)| Violation { law, offender: offender.clone() });
    violations.extend(inconsistent);
    violations
}

fn broken(law: &'static str, offender: impl fmt::Display) -> Violation {
    Violation { law, offender: offender.to_string() }
}
