//! The laws of the fault harness (tests/storm), held against doctored books: each can be broken, and is found broken
//! then.

#[path = "../storm/laws/mod.rs"]
mod laws;

use laws::{
    Attempt, Books, Delivery, HeldOrder, Lane, LedgerEvent, LedgerOrder, LedgerSubmission, LedgerTrip, Limit,
    PromisedChange, PromisedOrder, TakenCallback, check, events, orders, promises, windows,
};
use uuid::Uuid;

const ORDER: Uuid = Uuid::from_u128(1);
const CREATION: Uuid = Uuid::from_u128(2);
const AMENDMENT: Uuid = Uuid::from_u128(3);

fn attempt(outcome: &str) -> Attempt {
    Attempt { outcome: Some(outcome.to_owned()), question: false }
}

fn event(position: i64, event_type: &str, submission: Option<Uuid>) -> LedgerEvent {
    LedgerEvent {
        id: Uuid::from_u128(100 + u128::from(position.unsigned_abs())),
        position: Some(position),
        event_type: event_type.to_owned(),
        order_id: Some(ORDER),
        submission_id: submission,
        ..LedgerEvent::default()
    }
}

/// One order, made after a doubt and amended, in books that agree.
fn sound() -> Books {
    let submission = LedgerSubmission { order_id: ORDER, state: "accepted".to_owned(), ..LedgerSubmission::default() };
    let events = vec![
        event(1, "submission.queued", Some(CREATION)),
        event(2, "submission.in_doubt", Some(CREATION)),
        event(3, "submission.accepted", Some(CREATION)),
        event(4, "order.placed", Some(CREATION)),
        event(5, "submission.queued", Some(AMENDMENT)),
        event(6, "submission.accepted", Some(AMENDMENT)),
        LedgerEvent { wanted: true, ..event(7, "order.amended", Some(AMENDMENT)) },
    ];
    let delivered = events[6].id;
    Books {
        promised_orders: vec![PromisedOrder {
            id: ORDER,
            account: "a".to_owned(),
            document_type: "transport_order".to_owned(),
            number: "SO-1".to_owned(),
        }],
        promised_changes: vec![PromisedChange {
            order_id: ORDER,
            operation: "amend",
            marker: Some("marker-1".to_owned()),
        }],
        orders: vec![LedgerOrder {
            id: ORDER,
            account: "a".to_owned(),
            provider: "p".to_owned(),
            document_type: "transport_order".to_owned(),
            number: "SO-1".to_owned(),
            status: "requested".to_owned(),
            provider_number: Some("P-1".to_owned()),
            markers: vec!["marker-1".to_owned()],
        }],
        submissions: vec![
            LedgerSubmission {
                id: CREATION,
                operation: "create".to_owned(),
                may_exist: true,
                tries: 2,
                attempts: vec![attempt("in_doubt"), attempt("accepted")],
                ..submission.clone()
            },
            LedgerSubmission {
                id: AMENDMENT,
                operation: "amend".to_owned(),
                marker: Some("marker-1".to_owned()),
                tries: 1,
                attempts: vec![attempt("accepted")],
                ..submission
            },
        ],
        held: vec![HeldOrder {
            provider: "p".to_owned(),
            number: "SO-1".to_owned(),
            provider_number: "P-1".to_owned(),
            created: 1,
            received_creates: 2,
            cancelled: 0,
            document: r#"{"note": "marker-1"}"#.to_owned(),
        }],
        lanes: vec![Lane {
            limit: Limit { provider: "p", endpoint: "e", requests: 3, window_seconds: 10 },
            arrivals: vec![0.0, 1.0, 2.0, 10_000.0],
            departures: vec![0.0, 1.0, 2.0, 10_000.0],
            refusals: 0,
            received: 4,
            recorded: Some(4),
        }],
        last_position: 7,
        followed: events.iter().map(|event| event.id).collect(),
        deliveries: vec![Delivery { event_id: delivered, state: "delivered".to_owned() }],
        webhooks_taken: [(delivered, 2)].into(),
        events,
        callbacks: vec![TakenCallback { about: "{}".to_owned(), taken: 1, kept: 1, stands: None }],
        ..Books::default()
    }
}

/// The laws that are found broken when the books are doctored so.
fn broken(doctor: impl FnOnce(&mut Books)) -> Vec<&'static str> {
    let mut books = sound();
    doctor(&mut books);
    let mut laws: Vec<_> = check(&books).into_iter().map(|violation| violation.law).collect();
    laws.dedup();
    laws
}

#[test]
fn books_that_agree_break_no_law() {
    assert_eq!(broken(|_| {}), Vec::<&str>::new());
}

#[test]
fn what_was_promised_and_is_gone() {
    let gone = broken(|books| {
        books.orders.clear();
        books.held.clear();
    });
    assert!(gone.contains(&promises::LOST), "{gone:?}");
    assert_eq!(broken(|books| books.promised_orders[0].id = Uuid::nil()), [promises::LOST]);
    assert_eq!(broken(|books| books.promised_changes[0].marker = Some("marker-2".to_owned())), [promises::LOST_CHANGE]);
    assert_eq!(broken(|books| books.unexpected.push("500".to_owned())), [promises::UNEXPECTED]);
    assert_eq!(broken(|books| books.callbacks[0].kept = 0), [promises::CALLBACK_LOST]);
    let stands = Some(("SO-1".to_owned(), "completed".to_owned()));
    assert_eq!(broken(|books| books.callbacks[0].stands = stands), [promises::CALLBACK_UNHEEDED]);
}

#[test]
fn an_order_that_its_provider_does_not_have() {
    assert_eq!(broken(|books| books.held.clear()), [orders::NOT_HELD]);
}

#[test]
fn an_order_twice() {
    let twice = |books: &mut Books| {
        let again = HeldOrder { provider_number: "P-2".to_owned(), ..books.held[0].clone() };
        books.held.push(again);
    };
    assert_eq!(broken(twice), [orders::MADE_TWICE]);
    assert_eq!(broken(|books| books.held[0].received_creates = 3), [orders::RECEIVED_TWICE]);
    // The doubt is what excuses the second receipt.
    assert_eq!(
        broken(|books| books.submissions[0].attempts[0].outcome = Some("accepted".to_owned())),
        [orders::RECEIVED_TWICE]
    );
    // A question is no attempt.
    assert_eq!(broken(|books| books.submissions[0].attempts[0].question = true), [orders::RECEIVED_TWICE]);
}

#[test]
fn an_order_that_was_refused_and_stands_there() {
    let refused = broken(|books| {
        books.submissions[0].state = "rejected".to_owned();
        books.events[2].event_type = "submission.rejected".to_owned();
    });
    assert_eq!(refused, [orders::HELD_ALTHOUGH_REFUSED]);
}

#[test]
fn doubts() {
    let in_doubt = |tries: i32, code: &'static str| {
        broken(move |books| {
            books.submissions[0].state = "in_doubt".to_owned();
            books.submissions[0].tries = tries;
            books.submissions[0].results = vec![(code.to_owned(), code.to_owned())];
        })
    };
    assert_eq!(in_doubt(2, "transport.timeout_in_doubt"), [orders::LEFT_IN_DOUBT]);
    assert_eq!(in_doubt(10, "transport.timeout_in_doubt"), Vec::<&str>::new());
    assert_eq!(in_doubt(2, "evidence.ambiguous"), [orders::LEFT_IN_DOUBT]);
    assert_eq!(broken(|books| books.submissions[0].may_exist = false), [orders::DOUBT_FORGOTTEN]);
    let waiting = broken(|books| books.submissions[1].state = "queued".to_owned());
    assert_eq!(waiting, [orders::UNFINISHED]);
}

#[test]
fn what_stands_at_the_provider_is_what_the_ledger_says() {
    assert_eq!(broken(|books| books.held[0].provider_number = "P-2".to_owned()), [orders::OTHER_NUMBER]);
    assert_eq!(broken(|books| books.held[0].document = "{}".to_owned()), [orders::OTHER_DOCUMENT]);
    assert_eq!(broken(|books| books.held[0].cancelled = 2), [orders::CANCELLED_TWICE]);
    let stranger = HeldOrder { provider: "p".to_owned(), number: "SO-2".to_owned(), ..HeldOrder::default() };
    assert_eq!(broken(|books| books.held.push(stranger)), [orders::UNKNOWN]);
    let cancelled = broken(|books| {
        books.submissions[1].operation = "cancel".to_owned();
        books.submissions[1].marker = None;
        books.promised_changes.clear();
    });
    assert_eq!(cancelled, [orders::NOT_CANCELLED]);
}

#[test]
fn a_trip_is_made_as_a_whole_and_once() {
    let trip = |books: &mut Books| {
        let trip = LedgerTrip { id: Uuid::from_u128(9), provider_number: Some("T-1".to_owned()), orders: vec![ORDER] };
        books.trips.push(trip);
    };
    let held = |number: &str, orders: &[&str]| {
        (number.to_owned(), orders.iter().map(|order| (*order).to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(broken(trip), [orders::TRIP_IN_PART]);
    for (there, law) in [
        (vec![held("T-1", &["P-1"])], &[][..]),
        (vec![held("T-1", &["P-1", "P-2"])], &[orders::TRIP_IN_PART]),
        (vec![held("T-1", &["P-1"]), held("T-2", &["P-2"])], &[orders::TRIP_IN_PART]),
    ] {
        let found = broken(|books| {
            trip(books);
            books.held_trips = there;
        });
        assert_eq!(found, law);
    }
}

#[test]
fn a_window_that_is_too_full() {
    let full = || vec![0.0, 1.0, 2.0, 3.0];
    assert_eq!(broken(|books| books.lanes[0].departures = full()), [windows::LEFT_TOO_MANY]);
    assert_eq!(broken(|books| books.lanes[0].arrivals = full()), [windows::CAME_TOO_MANY]);
    // A request that came late is not one too many.
    assert_eq!(broken(|books| books.lanes[0].arrivals = vec![0.0, 1.0, 2.0, 8_500.0]), Vec::<&str>::new());
    assert_eq!(broken(|books| books.lanes[0].refusals = 1), [windows::REFUSED_AS_TOO_MANY]);
    assert_eq!(broken(|books| books.lanes[0].received = 5), [windows::UNRECORDED]);
}

#[test]
fn a_window_is_half_open() {
    assert_eq!(windows::most_in_window(&[0.0, 5.0, 10.0], 10.0), 2);
    assert_eq!(windows::most_in_window(&[0.0, 5.0, 9.9], 10.0), 3);
    assert_eq!(windows::most_in_window(&[], 10.0), 0);
}

#[test]
fn an_event_twice() {
    for (event_type, submission) in [("order.placed", None), ("submission.accepted", Some(CREATION))] {
        let twice = broken(|books| {
            let again = event(8, event_type, submission);
            books.followed.push(again.id);
            books.events.push(again);
            books.last_position = 8;
        });
        assert_eq!(twice, [events::TOLD_TWICE], "{event_type}");
    }
}

#[test]
fn an_event_that_is_missing_or_out_of_place() {
    let missing = broken(|books| {
        books.events.remove(5);
        books.followed.remove(5);
    });
    assert_eq!(missing, [events::PLACES, events::UNTOLD]);
    assert_eq!(broken(|books| books.last_position = 8), [events::PLACES]);
    assert_eq!(broken(|books| books.followed.swap(1, 2)), [events::FOLLOWED]);
    let unplaced = broken(|books| {
        books.events[6].position = None;
        books.followed.pop();
        books.last_position = 6;
    });
    assert_eq!(unplaced, [events::WITHOUT_PLACE]);
}

#[test]
fn a_webhook_that_nobody_got() {
    assert_eq!(broken(|books| books.deliveries[0].state = "dead".to_owned()), [events::UNDELIVERED]);
    assert_eq!(broken(|books| books.webhooks_taken.clear()), [events::FALSELY_DELIVERED]);
    let forgotten = broken(|books| {
        books.deliveries.clear();
        books.webhooks_taken.clear();
    });
    assert_eq!(forgotten, [events::UNDELIVERED]);
}

#[test]
fn what_the_ledger_itself_shows() {
    assert_eq!(broken(|books| books.inconsistencies.push(("a law", "x".to_owned()))), ["a law"]);
}
