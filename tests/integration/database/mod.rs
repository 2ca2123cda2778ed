//! The database under a gateway: its schema, and what happens to the gateway when it is away, full or slow.

mod away;
mod broken_off;
mod full;
mod slow;
mod upgrades;

use crate::harness::Answer;

/// Whether a request was refused for now, as it has to be.
fn refused_for_now(answer: &Answer) -> bool {
    if answer.status != 503 {
        return false;
    }
    answer.problem(503, "unavailable");
    let seconds: u32 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!(seconds > 0);
    true
}

fn accepted(answer: &Answer) -> bool {
    assert_eq!(answer.status, 201, "{:#}", answer.body);
    answer.body["submission"]["state"] == "accepted"
}
