//! Spans for OpenTelemetry, by OTLP over HTTP. Off unless the standard variables name where they go; then nothing of
//! this is set up, and it costs a look at one flag.

use std::env;
use std::sync::OnceLock;
use std::time::Duration;

use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Metadata, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::registry::LookupSpan;
use uuid::Uuid;

use super::trace::TraceParent;

/// What the service is called unless the environment says otherwise.
const SERVICE: &str = "onelane";

static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// Whether spans are exported.
pub fn is_on() -> bool {
    PROVIDER.get().is_some()
}

/// A variable; one that is empty counts as not set.
fn set(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether the environment asks for it.
fn is_wanted() -> bool {
    let named = set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").or_else(|| set("OTEL_EXPORTER_OTLP_ENDPOINT")).is_some();
    let disabled = set("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let elsewhere = set("OTEL_TRACES_EXPORTER").is_some_and(|value| value != "otlp");
    named && !disabled && !elsewhere
}

/// Sets the export up if the environment asks for it. The layer takes our own spans alone: not those of what sends them,
/// and no log lines.
pub(super) fn layer<S>() -> Result<Option<impl Layer<S>>, ExporterBuildError>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    if !is_wanted() {
        return Ok(None);
    }
    let exporter = SpanExporter::builder().with_http().with_protocol(Protocol::HttpBinary).build()?;
    let mut attributes = vec![
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", Uuid::new_v4().to_string()),
    ];
    let mut resource = Resource::builder();
    let is_named = set("OTEL_RESOURCE_ATTRIBUTES").is_some_and(|value| value.contains("service.name="));
    if set("OTEL_SERVICE_NAME").is_none() && !is_named {
        attributes.push(KeyValue::new("service.name", SERVICE));
    }
    resource = resource.with_attributes(attributes);
    // The sampler, the limits and the batches are read from the environment by the library.
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build()).build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer(SERVICE))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        // Without the hint, whoever asks whether a line would be logged that is not, would leave the layer switched off
        // for the span that comes next.
        .with_filter(filter_fn(is_ours).with_max_level_hint(LevelFilter::ERROR));
    // A second set-up changes nothing.
    let _ = PROVIDER.set(provider);
    Ok(Some(layer))
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target().starts_with(SERVICE)
}

/// Sends what was not sent yet; to be called where it may block.
pub fn flush(patience: Duration) {
    let Some(provider) = PROVIDER.get() else { return };
    if let Err(error) = provider.shutdown_with_timeout(patience) {
        tracing::warn!(%error, "the last spans could not be exported");
    }
}

/// Places a new span in a trace; nothing where none are exported.
pub(super) fn begin(span: &Span, parent: Option<TraceParent>) -> Option<TraceParent> {
    if !is_on() {
        return None;
    }
    if let Some(parent) = parent {
        // It fails where the span is not recorded, and then there is no place either.
        let _ = span.set_parent(Context::new().with_remote_span_context(parent.into()));
    }
    let context = span.context();
    let place = context.span().span_context().clone();
    place.is_valid().then(|| TraceParent {
        trace_id: u128::from_be_bytes(place.trace_id().to_bytes()),
        span_id: u64::from_be_bytes(place.span_id().to_bytes()),
        flags: place.trace_flags().to_u8(),
    })
}

/// Links a new span to others.
pub(super) fn link(span: &Span, others: &[TraceParent]) {
    if is_on() {
        for other in others {
            span.add_link((*other).into());
        }
    }
}

/// A value that only the export needs, for a member of a span that log lines do without.
pub fn only<T>(value: impl FnOnce() -> T) -> Option<T> {
    is_on().then(value)
}

impl From<TraceParent> for SpanContext {
    fn from(TraceParent { trace_id, span_id, flags }: TraceParent) -> Self {
        let (trace_id, span_id) =
            (TraceId::from_bytes(trace_id.to_be_bytes()), SpanId::from_bytes(span_id.to_be_bytes()));
        SpanContext::new(trace_id, span_id, TraceFlags::new(flags), true, TraceState::default())
    }
}
