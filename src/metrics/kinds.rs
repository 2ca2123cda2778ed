//! The kinds of metric. Each knows its name, its labels and what it means; series are made when they are moved first.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use ::metrics::{Key, Label, Level, Metadata, Recorder};

use super::exposition::{Snapshot, recorder};

static METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

/// What Prometheus knows of a metric's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// A metric as the documents show it.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    pub name: &'static str,
    pub kind: Kind,
    pub labels: &'static [&'static str],
    pub help: &'static str,
    /// Upper bounds, of a histogram
    pub buckets: &'static [f64],
}

/// Something that has a place in the table.
pub trait Metric: Sync {
    fn definition(&'static self) -> Definition;
}

/// The series of a metric that were moved so far, by the values of their labels.
struct Series<const N: usize, H> {
    known: RwLock<BTreeMap<[Cow<'static, str>; N], H>>,
}

impl<const N: usize, H: Clone> Series<N, H> {
    const fn new() -> Self {
        Series { known: RwLock::new(BTreeMap::new()) }
    }

    /// The series of these values. After the first time nothing is allocated for it.
    fn of(&self, values: [&str; N], make: impl FnOnce() -> H) -> H {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = find(&known, values) {
            return handle.clone();
        }
        drop(known);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(values.map(|value| Cow::Owned(value.to_owned()))).or_insert_with(make).clone()
    }
}

/// A map of owned labels is asked with borrowed ones.
fn find<'a, const N: usize, H>(known: &'a BTreeMap<[Cow<'a, str>; N], H>, values: [&'a str; N]) -> Option<&'a H> {
    known.get(&values.map(Cow::Borrowed))
}

fn key<const N: usize>(name: &'static str, labels: &'static [&'static str; N], values: [&str; N]) -> Key {
    let labels: Vec<Label> =
        labels.iter().zip(values).map(|(label, value)| Label::new(*label, value.to_owned())).collect();
    Key::from_parts(name, labels)
}

/// Counts what happened since the process began.
pub struct Counter<const N: usize> {
    name: &'static str,
    labels: [&'static str; N],
    help: &'static str,
    series: Series<N, ::metrics::Counter>,
}

impl<const N: usize> Counter<N> {
    pub const fn new(name: &'static str, labels: [&'static str; N], help: &'static str) -> Self {
        Counter { name, labels, help, series: Series::new() }
    }

    pub fn add(&'static self, values: [&str; N], count: u64) {
        let make = || recorder().register_counter(&key(self.name, &self.labels, values), &METADATA);
        self.series.of(values, make).increment(count);
    }

    pub fn increment(&'static self, values: [&str; N]) {
        self.add(values, 1);
    }
}

impl<const N: usize> Metric for Counter<N> {
    fn definition(&'static self) -> Definition {
        Definition { name: self.name, kind: Kind::Counter, labels: &self.labels, help: self.help, buckets: &[] }
    }
}

/// How values of the same kind are spread, since the process began.
pub struct Histogram<const N: usize> {
    name: &'static str,
    labels: [&'static str; N],
    help: &'static str,
    buckets: &'static [f64],
    series: Series<N, ::metrics::Histogram>,
}

impl<const N: usize> Histogram<N> {
    pub const fn new(
        name: &'static str,
        labels: [&'static str; N],
        buckets: &'static [f64],
        help: &'static str,
    ) -> Self {
        Histogram { name, labels, help, buckets, series: Series::new() }
    }

    pub fn record(&'static self, values: [&str; N], value: f64) {
        let make = || recorder().register_histogram(&key(self.name, &self.labels, values), &METADATA);
        self.series.of(values, make).record(value);
    }

    pub fn record_time(&'static self, values: [&str; N], time: Duration) {
        self.record(values, time.as_secs_f64());
    }
}

impl<const N: usize> Metric for Histogram<N> {
    fn definition(&'static self) -> Definition {
        Definition {
            name: self.name,
            kind: Kind::Histogram,
            labels: &self.labels,
            help: self.help,
            buckets: self.buckets,
        }
    }
}

/// How something stands when it is looked at.
pub struct Gauge<const N: usize> {
    name: &'static str,
    labels: [&'static str; N],
    help: &'static str,
}

impl<const N: usize> Gauge<N> {
    pub const fn new(name: &'static str, labels: [&'static str; N], help: &'static str) -> Self {
        Gauge { name, labels, help }
    }

    pub fn set(&'static self, snapshot: &Snapshot, values: [&str; N], value: f64) {
        snapshot.recorder().register_gauge(&key(self.name, &self.labels, values), &METADATA).set(value);
    }

    /// A number of things.
    #[expect(clippy::cast_precision_loss, reason = "of what is that many, the last digits do not matter")]
    pub fn count(&'static self, snapshot: &Snapshot, values: [&str; N], number: impl TryInto<i64>) {
        self.set(snapshot, values, number.try_into().unwrap_or(i64::MAX) as f64);
    }
}

impl<const N: usize> Metric for Gauge<N> {
    fn definition(&'static self) -> Definition {
        Definition { name: self.name, kind: Kind::Gauge, labels: &self.labels, help: self.help, buckets: &[] }
    }
}
