//! What happens to the orders of a run, and the calls that tell of it, in the order in which they are made.

use std::collections::{BTreeMap, HashMap};

use onelane::sandbox::{CallBack, Random, Sandbox, Stage};
use serde_json::json;

use super::{TRANSPORT, WAREHOUSE, below};

/// One of so many orders is cancelled by the provider's people.
const CANCELLED_OF: usize = 10;

/// An order, and what its provider tells of it.
pub struct Life {
    pub provider: &'static str,
    pub number: String,
    /// The provider's, where that gives one
    pub provider_number: String,
    /// What is told, in the order in which it happens
    pub told: Vec<Happening>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    Comes(Stage),
    /// So many of ten came.
    Received(i64),
}

/// What a run is made of.
pub struct Plan {
    pub lives: Vec<Life>,
    /// Calls that are made again
    pub repetitions: usize,
    /// Calls that come after what happened later
    pub disorderly: usize,
}

impl Plan {
    /// So many calls, a tenth of them repetitions of others, a tenth out of order; a fifth of the orders' own calls
    /// are the warehouse's.
    pub fn draw(calls: usize, random: &Random) -> Self {
        let repetitions = calls / 10;
        let mut left = calls - repetitions;
        let mut lives = Vec::new();
        for number in 0..left / 10 {
            let told = vec![Happening::Received(4), Happening::Received(10)];
            left -= told.len();
            lives.push(life(WAREHOUSE, format!("RK-{number}"), told));
        }
        while left > 0 {
            let mut stages = vec![Stage::Placed, Stage::Confirmed, Stage::PickedUp, Stage::Delivered];
            if below(CANCELLED_OF, random) == 0 {
                stages.truncate(1 + below(2, random));
                stages.push(Stage::Cancelled);
            }
            stages.truncate(left);
            left -= stages.len();
            let told = stages.into_iter().map(Happening::Comes).collect();
            lives.push(life(TRANSPORT, format!("SO-{}", lives.len()), told));
        }
        Plan { lives, repetitions, disorderly: calls / 10 }
    }
}

fn life(provider: &'static str, number: String, told: Vec<Happening>) -> Life {
    Life { provider, number, provider_number: String::new(), told }
}

impl Life {
    /// The order's events, those of its creation by the gateway too, as often as they are to be told.
    pub fn events(&self) -> BTreeMap<&'static str, usize> {
        let mut events = BTreeMap::new();
        if self.provider == TRANSPORT {
            // That it was placed was told by the answer: the call about it is no news.
            events.extend([("submission.queued", 1), ("submission.accepted", 1), ("order.placed", 1)]);
        }
        for happening in &self.told {
            let event = match happening {
                Happening::Comes(Stage::Placed) => continue,
                Happening::Comes(Stage::Confirmed) => "order.confirmed",
                Happening::Comes(Stage::PickedUp) => "transport.picked_up",
                Happening::Comes(Stage::Delivered) => "transport.delivered",
                Happening::Comes(Stage::Cancelled) => "order.cancelled",
                Happening::Received(_) => "warehouse.receipt_confirmed",
            };
            *events.entry(event).or_default() += 1;
        }
        events
    }

    /// Where it stands when all was told.
    pub fn status(&self) -> &'static str {
        match self.told.last() {
            Some(Happening::Comes(Stage::Delivered) | Happening::Received(_)) => "completed",
            Some(Happening::Comes(Stage::Cancelled)) => "cancelled",
            Some(Happening::Comes(Stage::PickedUp)) => "in_transit",
            Some(Happening::Comes(Stage::Confirmed)) => "confirmed",
            Some(Happening::Comes(Stage::Placed)) | None => "requested",
        }
    }
}

/// A call to be made.
#[derive(Debug, Clone)]
pub struct Call {
    /// Which order's it is
    pub life: usize,
    /// A repetition is made by another sender than the first
    pub repeats: bool,
    pub path: String,
    pub body: String,
}

/// All calls of a run.
pub struct Script {
    /// In the order in which they are made
    pub calls: Vec<Call>,
    pub distinct: usize,
    pub repeated: usize,
    /// First calls that come after one that tells what happened later
    pub out_of_order: usize,
}

/// What one order's calls are apart; the run is as long as that of all orders one after another would be wide.
const APART: f64 = 1.0;

/// Has the simulated providers' calls made up, and puts them into an order: the orders live side by side.
pub fn script(sandbox: &Sandbox, lives: &[Life], repetitions: usize, disorderly: usize, random: &Random) -> Script {
    let span = 10.0 * APART;
    // When, whose, which of its calls, and the call.
    let mut timed: Vec<(f64, usize, usize, Call)> = Vec::new();
    for (index, life) in lives.iter().enumerate() {
        let begins = random() * span;
        for (place, call) in calls_of(sandbox, life).into_iter().enumerate() {
            let (_, path) = call.url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).unwrap();
            let call = Call { life: index, repeats: false, path: format!("/{path}"), body: call.body };
            timed.push((begins + place as f64 * APART, index, place, call));
        }
    }
    let distinct = timed.len();
    let repeated: Vec<_> = chosen(distinct, repetitions, random)
        .into_iter()
        .map(|position| {
            let (at, index, place, call) = timed[position].clone();
            // Half of them while the first is on its way, the others later.
            let later = if below(2, random) == 0 { 0.0 } else { random() * 3.0 * APART };
            (at + later, index, place, Call { repeats: true, ..call })
        })
        .collect();
    delay(&mut timed, disorderly, lives, random);
    let out_of_order = {
        timed.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut furthest: HashMap<usize, usize> = HashMap::new();
        let late = |(_, index, place, _): &&(f64, usize, usize, Call)| {
            let furthest = furthest.entry(*index).or_default();
            let is_late = place < furthest;
            *furthest = (*furthest).max(*place);
            is_late
        };
        timed.iter().filter(late).count()
    };
    let repeated_count = repeated.len();
    timed.extend(repeated);
    // Stable: a repetition at the same moment stands behind its first.
    timed.sort_by(|one, other| one.0.total_cmp(&other.0));
    let calls = timed.into_iter().map(|(_, _, _, call)| call).collect();
    Script { calls, distinct, repeated: repeated_count, out_of_order }
}

/// Makes calls late by a stage and a half, so that the order's next one overtakes each.
fn delay(timed: &mut [(f64, usize, usize, Call)], count: usize, lives: &[Life], random: &Random) {
    let mut left = count;
    let mut late = vec![false; timed.len()];
    for position in chosen(timed.len(), timed.len(), random) {
        let (_, index, place, _) = timed[position];
        let has_next = place + 1 < lives[index].told.len();
        let beside_late = late[position.saturating_sub(1)] || late.get(position + 1) == Some(&true);
        if left > 0 && has_next && !beside_late {
            late[position] = true;
            left -= 1;
        }
    }
    for (position, entry) in timed.iter_mut().enumerate() {
        if late[position] {
            entry.0 += 1.5 * APART;
        }
    }
}

/// Some of so many positions, each at most once, in no order.
fn chosen(of: usize, count: usize, random: &Random) -> Vec<usize> {
    let mut positions: Vec<usize> = (0..of).collect();
    for place in 0..count.min(of) {
        positions.swap(place, place + below(of - place, random));
    }
    positions.truncate(count);
    positions
}

/// The calls that an order's provider makes.
fn calls_of(sandbox: &Sandbox, life: &Life) -> Vec<CallBack> {
    let simulator = sandbox.simulator(life.provider).unwrap();
    let calling = simulator.calling().unwrap();
    let mut calls = Vec::new();
    for happening in &life.told {
        match happening {
            Happening::Comes(stage) => drop(simulator.advance(&life.provider_number, *stage).unwrap()),
            Happening::Received(actual) => calling
                .tell(json!({"customerNumber": life.number, "totalQuantity": 10, "actualQuantity": actual}))
                .unwrap(),
        }
        let mut due = calling.due();
        assert_eq!(due.len(), 1, "{} {happening:?}", life.number);
        calls.append(&mut due);
    }
    calls
}
