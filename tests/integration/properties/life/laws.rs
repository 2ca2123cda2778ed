//! What must hold after every step.

use std::collections::HashMap;

use serde_json::Value;
use uuid::Uuid;

use super::steps::Step;

/// A submission, and its order beside it.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Row {
    pub id: Uuid,
    pub order_id: Uuid,
    pub operation: String,
    pub change: Option<Value>,
    pub state: String,
    pub ready: bool,
    pub finished: bool,
    pub attempts: i32,
    pub exchanges: i32,
    pub may_exist: bool,
    pub cleared: bool,
    pub misses: i32,
    /// An exchange that is not finished carries it
    pub carried: bool,
    /// Numbers of its attempts
    pub numbers: Vec<i32>,
    pub open_attempts: i64,
    pub status: String,
    pub placed: bool,
    pub version: i64,
    pub document: Value,
}

impl Row {
    pub fn is(&self, state: &str) -> bool {
        self.state == state
    }

    pub fn is_taken(&self) -> bool {
        self.is("accepted") || self.is("partially_accepted")
    }
}

/// What must hold of every submission by itself.
pub fn check_each(rows: &[Row]) {
    for row in rows {
        let ended = ["accepted", "partially_accepted", "rejected", "dead", "cancelled"].contains(&row.state.as_str());
        assert_eq!(row.finished, ended, "{row:?}");
        assert!(!(row.ready && row.finished), "{row:?}");
        // An attempt is on record before its first byte leaves.
        assert_eq!(row.numbers, (1..=row.exchanges).collect::<Vec<_>>(), "{row:?}");
        assert_eq!(row.open_attempts, i64::from(row.is("sending")), "{row:?}");
        assert!(!row.is("sending") || row.carried, "{row:?}");
        assert!(row.attempts >= 0 && row.attempts <= row.exchanges, "{row:?}");
        assert!(!row.is("in_doubt") || row.may_exist, "{row:?}");
        assert!(!row.is("dead") || !row.may_exist, "a doubt never dies: {row:?}");
        assert!(!row.cleared || row.may_exist, "{row:?}");
    }
}

/// What must hold of the submissions of each order together.
pub fn check_orders(rows: &[Row]) {
    for of_order in rows.chunk_by(|row, next| row.order_id == next.order_id) {
        let unfinished: Vec<&Row> = of_order.iter().filter(|row| !row.finished).collect();
        for (index, row) in unfinished.iter().enumerate() {
            assert!(index == 0 || !(row.ready || row.is("sending")), "only the earliest goes: {of_order:?}");
        }
        if let Some(first) = unfinished.first() {
            assert!(first.ready || first.is("sending") || first.is("in_doubt"), "it never goes: {of_order:?}");
        }
        let first = &of_order[0];
        if of_order.iter().any(Row::is_taken) {
            assert!(first.placed, "{of_order:?}");
        }
        if first.placed {
            assert!(!["pending", "rejected"].contains(&first.status.as_str()), "{of_order:?}");
        }
        let being_made = unfinished.iter().filter(|row| row.operation == "create").count();
        assert!(being_made <= 1, "an order is made once: {of_order:?}");
        if being_made > 0 && !first.placed {
            assert!(!["rejected", "cancelled"].contains(&first.status.as_str()), "{of_order:?}");
        }
        if first.status == "rejected" {
            assert!(of_order.iter().any(|row| row.operation == "create" && row.is("rejected")), "{of_order:?}");
        }
    }
}

/// What a step may change, and what no step ever does.
pub fn check_moves(before: &[Row], after: &[Row], step: &Step) {
    let before: HashMap<Uuid, &Row> = before.iter().map(|row| (row.id, row)).collect();
    for row in after {
        let Some(earlier) = before.get(&row.id) else { continue };
        assert!(row.may_exist || !earlier.may_exist, "never taken back: {row:?}");
        assert!(row.placed || !earlier.placed, "never taken back: {row:?}");
        assert!(row.version >= earlier.version, "{row:?}");
        if earlier.placed && earlier.status == "cancelled" {
            assert_eq!(row.status, "cancelled", "it does not come back: {row:?}");
        }
        if (&row.status, row.document.get("remarks")) != (&earlier.status, earlier.document.get("remarks")) {
            assert!(row.version > earlier.version, "who has seen the version has seen all: {row:?}");
        }
        if row.state != earlier.state {
            assert!(may_go(&earlier.state, &row.state, step), "{earlier:?} became {row:?}");
        }
    }
}

fn may_go(from: &str, to: &str, step: &Step) -> bool {
    match (from, to) {
        ("queued" | "in_doubt", "sending") => matches!(step, Step::Claim { .. } | Step::Settle { .. }),
        ("sending", "in_doubt") => matches!(step, Step::Settle { .. } | Step::Release(_) | Step::Recover),
        ("sending", "queued") => matches!(step, Step::Settle { .. } | Step::Release(_)),
        ("sending" | "in_doubt" | "queued", "accepted" | "partially_accepted" | "rejected" | "dead")
            if matches!(step, Step::Settle { .. }) =>
        {
            true
        }
        ("queued", "cancelled") => {
            matches!(step, Step::Cancel(_) | Step::Settle { .. } | Step::Resolve { .. })
        }
        ("in_doubt", "accepted") => matches!(step, Step::Resolve { .. } | Step::Told { .. }),
        ("in_doubt", "rejected") => matches!(step, Step::Resolve { .. }),
        ("in_doubt" | "dead" | "rejected", "queued") => matches!(step, Step::Retry(_)),
        _ => false,
    }
}
