//! What is counted, and the text in which Prometheus reads it.

use std::sync::LazyLock;

use ::metrics::Recorder;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};

use super::kinds::Kind;
use super::table::ALL;

static RECORDER: LazyLock<PrometheusRecorder> = LazyLock::new(described);

/// What this process counts.
pub(super) fn recorder() -> &'static PrometheusRecorder {
    &RECORDER
}

/// An empty recorder that knows the table.
fn described() -> PrometheusRecorder {
    let definitions = || ALL.iter().map(|metric| metric.definition());
    let builder = definitions()
        .filter(|metric| metric.kind == Kind::Histogram)
        .try_fold(PrometheusBuilder::new(), |builder, metric| {
            builder.set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), metric.buckets)
        });
    // It refuses empty buckets alone; a test looks that there are none.
    let recorder = builder.unwrap_or_default().build_recorder();
    for metric in definitions() {
        match metric.kind {
            Kind::Counter => recorder.describe_counter(metric.name.into(), None, metric.help.into()),
            Kind::Gauge => recorder.describe_gauge(metric.name.into(), None, metric.help.into()),
            Kind::Histogram => recorder.describe_histogram(metric.name.into(), None, metric.help.into()),
        }
    }
    recorder
}

/// Gauges as they stood at one moment.
pub struct Snapshot(PrometheusRecorder);

impl Snapshot {
    pub fn new() -> Self {
        Snapshot(described())
    }

    pub(super) fn recorder(&self) -> &PrometheusRecorder {
        &self.0
    }

    /// Has others write gauges into it that know the facade of metrics, and nothing of this one.
    pub fn record(&self, write: impl FnOnce()) {
        ::metrics::with_local_recorder(&self.0, write);
    }

    pub fn text(&self) -> String {
        self.0.handle().render()
    }
}

impl Default for Snapshot {
    fn default() -> Self {
        Snapshot::new()
    }
}

/// Counters and histograms of this process.
pub fn text() -> String {
    RECORDER.handle().render()
}

/// Sorts what histograms took into their buckets. Until then it is kept value by value: to be done now and then, also
/// when nobody asks.
pub fn tidy() {
    RECORDER.handle().run_upkeep();
}
