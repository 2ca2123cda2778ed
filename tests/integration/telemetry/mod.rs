//! What a gateway tells of itself: metrics, the documents that use them, traces, log lines.

mod alarms;
mod collector;
mod exposition;
mod lines;
mod metrics;
mod spans;
mod traces;

pub use collector::Collector;

use onelane::metrics::{ALL, Definition};

/// The table.
fn definitions() -> impl Iterator<Item = Definition> {
    ALL.iter().map(|metric| metric.definition())
}

/// A trace as a caller begins it.
struct Trace {
    id: String,
    span: String,
}

impl Trace {
    fn new(number: u8) -> Self {
        Trace { id: format!("{number:02x}").repeat(16), span: format!("{number:02x}").repeat(8) }
    }

    fn parent(&self) -> String {
        format!("00-{}-{}-01", self.id, self.span)
    }
}
