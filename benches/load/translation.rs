//! Orders into a provider's document, against serde_json that writes the same values.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::arguments::Arguments;
use crate::report::{Better, Bounds, Row};
use crate::subject::Subject;

/// How long one side runs in one round.
const TIME: Duration = Duration::from_millis(700);

pub fn measure(arguments: &Arguments) -> Vec<Row> {
    let subject = Subject::new();
    let (mut ours, mut yardstick) = (Vec::new(), Vec::new());
    // The first round warms up.
    for round in 0..=arguments.rounds {
        let written = throughput(|| subject.serialize());
        let translated = throughput(|| subject.translate());
        if round > 0 {
            yardstick.push(written);
            ours.push(translated);
        }
    }
    let goal = Bounds { floor: 0.5, goal: 0.65, better: Better::More };
    vec![Row::of(
        "translation, a request of 100 orders for oTMS (XML)",
        "serde_json writing the same orders",
        "MB/s",
        &ours,
        &yardstick,
        Some(goal),
    )]
}

/// Megabytes that are written in a second.
fn throughput(write: impl Fn() -> Vec<u8>) -> f64 {
    let begun = Instant::now();
    let mut bytes = 0;
    while begun.elapsed() < TIME {
        bytes += black_box(write()).len();
    }
    bytes as f64 / begun.elapsed().as_secs_f64() / 1e6
}
