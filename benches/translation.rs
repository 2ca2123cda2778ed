//! `cargo bench`: orders into a provider's document. docs/performance.md has the ratio.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on fails")]

#[path = "load/subject.rs"]
mod subject;

use divan::Bencher;
use divan::counter::BytesCount;

use subject::Subject;

fn main() {
    divan::main();
}

#[divan::bench]
fn a_hundred_orders_for_otms(bencher: Bencher<'_, '_>) {
    let subject = Subject::new();
    bencher.counter(BytesCount::new(subject.translate().len())).bench(|| subject.translate());
}

#[divan::bench]
fn the_same_orders_by_serde_json(bencher: Bencher<'_, '_>) {
    let subject = Subject::new();
    bencher.counter(BytesCount::new(subject.serialize().len())).bench(|| subject.serialize());
}
