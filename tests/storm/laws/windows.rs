//! No window holds more requests than the limit, whoever sends them.

use super::{Books, Lane, Violation, broken};

pub const LEFT_TOO_MANY: &str = "more requests left in a window than the limit allows";
pub const CAME_TOO_MANY: &str = "more requests came in a window than the limit allows";
pub const REFUSED_AS_TOO_MANY: &str = "the provider refused requests as too many";
pub const UNRECORDED: &str = "a provider received more requests than there are attempts on record";

/// How late a departure may be on record, in milliseconds: the ledger knows it to within a slow answer of the database.
const RECORD_TOLERANCE: f64 = 100.0;
/// How late a request may come, in milliseconds: replicas hang, and the machine has much to do.
const LATENESS: f64 = 2_000.0;

pub fn check(books: &Books, violations: &mut Vec<Violation>) {
    for lane in &books.lanes {
        check_times(lane, &lane.departures, RECORD_TOLERANCE, LEFT_TOO_MANY, violations);
        check_times(lane, &lane.arrivals, LATENESS, CAME_TOO_MANY, violations);
        let name = format!("{} {}", lane.limit.provider, lane.limit.endpoint);
        if lane.refusals > 0 {
            violations.push(broken(REFUSED_AS_TOO_MANY, format!("{name}: {}", lane.refusals)));
        }
        if let Some(recorded) = lane.recorded
            && lane.received > recorded
        {
            violations.push(broken(UNRECORDED, format!("{name}: {} received, {recorded} on record", lane.received)));
        }
    }
}

/// What is late by up to `tolerance` may share a window with what left that much later; not with more.
fn check_times(lane: &Lane, times: &[f64], tolerance: f64, law: &'static str, violations: &mut Vec<Violation>) {
    let limit = &lane.limit;
    let window = f64::from(limit.window_seconds) * 1_000.0 - tolerance;
    let most = most_in_window(times, window);
    if most > limit.requests as usize {
        let of = format!("{most} of {} in {window} ms", limit.requests);
        violations.push(broken(law, format!("{} {}: {of}", limit.provider, limit.endpoint)));
    }
}

/// The most of these times, which ascend, that any half-open window of this length holds.
pub fn most_in_window(times: &[f64], window: f64) -> usize {
    let mut first = 0;
    let mut most = 0;
    for (last, time) in times.iter().enumerate() {
        while times[first] <= time - window {
            first += 1;
        }
        most = most.max(last + 1 - first);
    }
    most
}
