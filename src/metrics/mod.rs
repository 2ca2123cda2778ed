//! Metrics: every one of them in one table, and how they are shown to Prometheus.
//!
//! Counters and histograms are kept by this process from its start. Gauges are read when somebody asks, by
//! [`crate::monitor`], and put into a [`Snapshot`]: a series whose account is gone is gone with the next one.
//!
//! Labels are bounded: what stands in them was configured or is a word of this program. No path, number, id or code of a
//! provider ever does.

mod exposition;
mod kinds;
mod table;

pub use exposition::{Snapshot, text, tidy};
pub use kinds::{Counter, Definition, Gauge, Histogram, Kind, Metric};
pub use table::*;
