//! What is printed at the end.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use super::laws::windows::most_in_window;
use super::laws::{Books, LedgerSubmission, Violation};
use super::promises::Notes;
use super::settle::Settled;

/// Offenders of one law that are named.
const NAMED: usize = 10;

/// How a storm went, besides its books.
pub struct Course {
    pub storm: Duration,
    pub whole: Duration,
    pub settled: Settled,
    pub struck: Vec<(String, u64)>,
    pub lost_calls: usize,
    pub taken_calls: usize,
}

/// The report, for people.
pub fn report(books: &Books, notes: &Notes, course: &Course, violations: &[Violation]) -> String {
    let mut text = String::new();
    // Writing into memory does not fail.
    write(&mut text, books, notes, course, violations).unwrap();
    text
}

fn write(
    text: &mut String,
    books: &Books,
    notes: &Notes,
    course: &Course,
    violations: &[Violation],
) -> std::fmt::Result {
    let Course { storm, whole, settled, struck, lost_calls, taken_calls } = course;
    writeln!(
        text,
        "\nstorm of {:.0} s, {:.0} s in all; then time was moved {} times, by {:.1} h",
        storm.as_secs_f64(),
        whole.as_secs_f64(),
        settled.moves,
        settled.moved.as_secs_f64() / 3600.0
    )?;
    writeln!(
        text,
        "promised       {} orders, {} changes; asked again {} times without an answer, {} times at will",
        notes.orders.len(),
        notes.changes.len(),
        notes.repeated_for_want,
        notes.repeated_at_will
    )?;
    for (what, times) in &notes.refused {
        writeln!(text, "  refused      {what}: {times}")?;
    }
    let mut states: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for submission in &books.submissions {
        *states.entry((&submission.operation, &submission.state)).or_default() += 1;
    }
    for ((operation, state), count) in states {
        writeln!(text, "settled        {operation} {state}: {count}")?;
    }
    let mut endings: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for submission in books.submissions.iter().filter(|submission| submission.was_in_doubt()) {
        *endings.entry((&submission.operation, evidence(submission))).or_default() += 1;
    }
    for ((operation, evidence), count) in endings {
        writeln!(text, "in doubt       {operation}: {count} {evidence}")?;
    }
    let twice = books.held.iter().filter(|order| order.received_creates > 1).count();
    writeln!(
        text,
        "received again {twice} of {} orders at providers, each after a doubt or a refusal on record unless named below",
        books.held.len()
    )?;
    writeln!(
        text,
        "callbacks      {taken_calls} taken, {lost_calls} without a replica's answer; {} stages, {} confirmations",
        notes.advanced, notes.confirmed
    )?;
    let taken: u32 = books.webhooks_taken.values().sum();
    writeln!(
        text,
        "events         {} up to place {}, {} seen by the follower; {} webhooks, taken {taken} times",
        books.events.len(),
        books.last_position,
        books.followed.len(),
        books.deliveries.len()
    )?;
    for lane in &books.lanes {
        let window = f64::from(lane.limit.window_seconds) * 1_000.0;
        writeln!(
            text,
            "lane           {:4} {:22} most in {} s: {:4} left, {:4} came, limit {:4}; {} requests",
            lane.limit.provider,
            lane.limit.endpoint,
            lane.limit.window_seconds,
            most_in_window(&lane.departures, window),
            most_in_window(&lane.arrivals, window),
            lane.limit.requests,
            lane.received
        )?;
    }
    let struck: Vec<String> =
        struck.iter().filter(|(_, times)| *times > 0).map(|(what, times)| format!("{what} {times}")).collect();
    writeln!(text, "faults         {}", struck.join(", "))?;
    write_violations(text, violations)
}

fn write_violations(text: &mut String, violations: &[Violation]) -> std::fmt::Result {
    if violations.is_empty() {
        return writeln!(text, "\nall laws hold");
    }
    let mut laws: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for violation in violations {
        laws.entry(violation.law).or_default().push(&violation.offender);
    }
    for (law, offenders) in laws {
        writeln!(text, "\nBROKEN {} times: {law}", offenders.len())?;
        for offender in offenders.iter().take(NAMED) {
            writeln!(text, "  {offender}")?;
        }
    }
    Ok(())
}

/// What ended a doubt.
fn evidence(submission: &LedgerSubmission) -> &'static str {
    let says = |wanted: &str| submission.results.iter().any(|(_, code)| code == wanted);
    let asked = submission.attempts.iter().any(|attempt| attempt.question);
    match submission.state.as_str() {
        "in_doubt" if says("evidence.ambiguous") => "left to a person: what the provider holds is ambiguous",
        "in_doubt" => "left to a person: the tries are used up",
        "accepted" | "partially_accepted" if says("evidence.confirmed") => {
            "accepted: the provider was asked and has it"
        }
        "accepted" | "partially_accepted" if says("gateway.told_by_callback") => "accepted: a callback told of it",
        "accepted" | "partially_accepted" if says("state.duplicate") => "accepted: sent again, and it was there",
        "accepted" | "partially_accepted" if asked => "accepted: asked twice, not there, sent again",
        "accepted" | "partially_accepted" => "accepted: sent again, which is safe",
        "rejected" => "rejected after it was sent again",
        _ => "ended otherwise",
    }
}
