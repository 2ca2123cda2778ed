//! Orders that go on by themselves: each comes to its next stage once it has stood at one for as long as the developer
//! says, and whoever subscribed is called. If wanted, some of these calls come twice, late, or behind a forged one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::calling::{CallBack, Calling};
use super::{Clock, Random, Stage, Station};

/// How often it is looked for orders whose time has come.
const LOOK: Duration = Duration::from_millis(100);
/// A call that is out of order is late by so many stages: the order's next one overtakes it.
const LATE_BY: f64 = 1.5;
const LONGEST_STAGE: f64 = 86_400.0;

/// How orders go on by themselves, as the control call `life` takes it. Shares lie between 0 and 1, and are of the
/// calls that are made so.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Pace {
    /// How long an order stands at a stage. With 0 it goes on by hand only.
    pub seconds_per_stage: f64,
    /// Calls that are made twice.
    pub duplicates: f64,
    /// Calls that come later than what happened after them.
    pub disorder: f64,
    /// Calls before which somebody makes the same with a wrong signature, or, where calls are not signed, at a wrong
    /// address.
    pub bad_signatures: f64,
}

impl Pace {
    /// What is wrong with it, in words.
    pub fn check(&self) -> Result<(), String> {
        let Self { seconds_per_stage, duplicates, disorder, bad_signatures } = *self;
        if !(0.0..=LONGEST_STAGE).contains(&seconds_per_stage) {
            return Err(format!("secondsPerStage must lie between 0 and {LONGEST_STAGE}"));
        }
        for (name, share) in [("duplicates", duplicates), ("disorder", disorder), ("badSignatures", bad_signatures)] {
            if !(0.0..=1.0).contains(&share) {
                return Err(format!("{name} must lie between 0 and 1"));
            }
        }
        Ok(())
    }

    /// Nothing where orders go on by hand.
    fn stage(&self) -> Option<TimeDelta> {
        (self.seconds_per_stage > 0.0).then(|| seconds(self.seconds_per_stage))
    }
}

fn seconds(seconds: f64) -> TimeDelta {
    TimeDelta::from_std(Duration::from_secs_f64(seconds)).unwrap_or(TimeDelta::MAX)
}

/// An order that has not come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnderWay {
    /// The number that the simulator knows it by.
    pub number: String,
    /// What comes next if nobody cancels it.
    pub next: Stage,
    /// When it came to where it is.
    pub since: DateTime<Utc>,
}

/// The life of one simulator's orders.
pub struct Life {
    clock: Clock,
    random: Random,
    course: Mutex<Course>,
    changed: Notify,
}

struct Course {
    pace: Pace,
    /// When that was set: what an order stood before does not count.
    begun: DateTime<Utc>,
    /// Calls that are late, and when they are made.
    late: Vec<(DateTime<Utc>, CallBack)>,
}

impl Life {
    /// At first orders go on by hand.
    pub fn new(clock: Clock, random: Random) -> Self {
        let course = Course { pace: Pace::default(), begun: DateTime::UNIX_EPOCH, late: Vec::new() };
        Self { clock, random, course: Mutex::new(course), changed: Notify::new() }
    }

    pub fn pace(&self) -> Pace {
        self.course().pace
    }

    pub fn set_pace(&self, pace: Pace) {
        let now = (self.clock)();
        let mut course = self.course();
        course.pace = pace;
        course.begun = now;
        drop(course);
        self.changed.notify_one();
    }

    /// Forgets the calls that are late. The pace stays.
    pub fn forget(&self) {
        self.course().late.clear();
    }

    fn is_at_rest(&self) -> bool {
        let course = self.course();
        course.pace.stage().is_none() && course.late.is_empty()
    }

    /// Whether an order has stood long enough.
    fn is_due(&self, order: &UnderWay, now: DateTime<Utc>) -> bool {
        let course = self.course();
        course.pace.stage().is_some_and(|stage| now - order.since.max(course.begun) >= stage)
    }

    /// The calls that are to be made now: these, but for those that will be late, and those that were.
    fn arrange(&self, calls: Vec<CallBack>, calling: &dyn Calling, now: DateTime<Utc>) -> Vec<CallBack> {
        let mut course = self.course();
        let Pace { seconds_per_stage, duplicates, disorder, bad_signatures } = course.pace;
        let strikes = |share: f64| share > 0.0 && (self.random)() < share;
        let mut arranged = Vec::new();
        let mut late = Vec::new();
        for call in calls {
            if strikes(bad_signatures) {
                arranged.push(calling.forged(&call));
            }
            let copies = if strikes(duplicates) { 2 } else { 1 };
            let copies = std::iter::repeat_n(call, copies);
            if strikes(disorder) {
                let at = now + seconds(seconds_per_stage * LATE_BY);
                late.extend(copies.map(|call| (at, call)));
            } else {
                arranged.extend(copies);
            }
        }
        // By hand nothing overtakes a call any more.
        let by_hand = course.pace.stage().is_none();
        let (due, waiting): (Vec<_>, Vec<_>) =
            std::mem::take(&mut course.late).into_iter().partition(|(at, _)| by_hand || *at <= now);
        course.late = waiting;
        course.late.append(&mut late);
        arranged.extend(due.into_iter().map(|(_, call)| call));
        arranged
    }

    fn course(&self) -> MutexGuard<'_, Course> {
        // A panic elsewhere is no reason to stop.
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets the orders of a simulator live, for as long as this is polled.
pub async fn live(station: Arc<Station>) {
    loop {
        if station.life.is_at_rest() {
            station.life.changed.notified().await;
        } else {
            step(&station).await;
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// Lets go on what has stood long enough, each order by one stage, and makes the calls that come of it.
pub async fn step(station: &Station) {
    let Some(calling) = station.simulator.calling() else {
        return;
    };
    let now = (station.life.clock)();
    for order in station.simulator.under_way() {
        if station.life.is_due(&order, now)
            && let Err(reason) = station.simulator.advance(&order.number, order.next)
        {
            // Somebody came before: it was cancelled, or advanced by hand.
            tracing::debug!(number = order.number, %reason, "an order did not go on");
        }
    }
    let calls = station.life.arrange(station.due(), calling, now);
    station.call(calls).await;
}
