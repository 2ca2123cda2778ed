//! Failures of a task that never gives up: how long it rests after each, and what is said of them. A database that is
//! away for an hour costs some lines of log, and no processor time.

use std::fmt::Display;
use std::time::Duration;

use tokio::time::Instant;

use crate::backoff::{Backoff, uniform};
use crate::metrics::TASK_FAILURES;

/// The rest after failures in a row. Short enough that everything goes on soon after its cause is gone.
const REST: Backoff = Backoff { base: Duration::from_secs(1), cap: Duration::from_secs(8) };
/// How often the same trouble is spoken of.
const SAY_AGAIN: Duration = Duration::from_secs(60);
/// Different troubles that are spoken of in that time.
const MOST_TROUBLES: usize = 8;

/// The failures of one task.
pub struct Setbacks {
    /// What the task does, for people
    task: String,
    in_a_row: i32,
    /// Since one was spoken of last
    unsaid: u64,
    /// What was spoken of lately, and when
    said: Vec<(String, Instant)>,
    /// Somebody read that it fails, and not yet that it works again
    said_to_fail: bool,
}

impl Setbacks {
    pub fn of(task: impl Into<String>) -> Self {
        Setbacks { task: task.into(), in_a_row: 0, unsaid: 0, said: Vec::new(), said_to_fail: false }
    }

    /// Notes a failure; gives how long to rest.
    pub fn failed(&mut self, error: &impl Display) -> Duration {
        self.failed_at(Instant::now(), error)
    }

    fn failed_at(&mut self, now: Instant, error: &impl Display) -> Duration {
        // Of lanes there are many.
        let task = if self.task.starts_with("lane ") { "lane" } else { &self.task };
        TASK_FAILURES.increment([task]);
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.unsaid += 1;
        self.said.retain(|(_, at)| now - *at < SAY_AGAIN);
        let trouble = error.to_string();
        if self.said.len() < MOST_TROUBLES && self.said.iter().all(|(said, _)| *said != trouble) {
            tracing::warn!(
                error = trouble,
                task = self.task,
                failures = self.unsaid,
                "a task fails; it tries again and again"
            );
            self.said.push((trouble, now));
            self.said_to_fail = true;
            self.unsaid = 0;
        } else {
            tracing::debug!(error = trouble, task = self.task, "a task fails again");
        }
        REST.after(self.in_a_row, uniform())
    }

    /// Notes how a round ended; gives how long to rest beyond the usual.
    pub fn rest_after<E: Display>(&mut self, round: Result<(), E>) -> Duration {
        match round {
            Ok(()) => {
                self.worked();
                Duration::ZERO
            }
            Err(error) => self.failed(&error),
        }
    }

    /// Notes that it works.
    pub fn worked(&mut self) {
        if self.in_a_row == 0 {
            return;
        }
        if self.said_to_fail {
            tracing::info!(task = self.task, failures = self.in_a_row, "a task works again");
            self.said_to_fail = false;
        }
        self.in_a_row = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_grows_and_the_same_trouble_is_said_once_a_minute() {
        let mut setbacks = Setbacks::of("a test");
        let now = Instant::now();
        let rests: Vec<Duration> = (0..50).map(|_| setbacks.failed_at(now, &"away")).collect();
        assert!(rests[0] <= Duration::from_secs(1));
        assert!(rests.iter().all(|rest| (Duration::from_millis(500)..=Duration::from_secs(8)).contains(rest)));
        assert!(rests[5..].iter().max() > rests[..1].iter().max());
        assert_eq!((setbacks.unsaid, setbacks.said_to_fail), (49, true));
        setbacks.failed_at(now + SAY_AGAIN, &"away");
        assert_eq!(setbacks.unsaid, 0);
        setbacks.worked();
        assert_eq!((setbacks.in_a_row, setbacks.said_to_fail), (0, false));
        // One that works and fails by turns is no reason to say both each time.
        setbacks.failed_at(now + SAY_AGAIN, &"away");
        assert!(!setbacks.said_to_fail);
        // Another trouble is; but not each of many.
        setbacks.failed_at(now + SAY_AGAIN, &"full");
        assert!(setbacks.said_to_fail);
        for number in 0..50 {
            setbacks.failed_at(now + SAY_AGAIN, &number);
        }
        assert_eq!(setbacks.said.len(), MOST_TROUBLES);
    }
}
