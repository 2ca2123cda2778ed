//! A line of the log in JSON: what an event says, and after it what the spans say that it stands in, so that every line
//! of a request has its `request_id` and `trace_id`.

use std::fmt;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_log::NormalizeEvent;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// Whose spans are of interest in a line.
const OURS: &str = "onelane";

/// The form of a line. Spans must keep their members as JSON.
pub struct JsonLine;

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let normalized = event.normalized_metadata();
        let metadata = normalized.as_ref().unwrap_or_else(|| event.metadata());
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let mut line = Map::new();
        line.insert("timestamp".to_owned(), timestamp.into());
        line.insert("level".to_owned(), metadata.level().as_str().into());
        event.record(&mut Members(&mut line));
        line.insert("target".to_owned(), metadata.target().into());
        // From the innermost out: who is nearer knows better.
        for span in
            context.event_scope().into_iter().flatten().filter(|span| span.metadata().target().starts_with(OURS))
        {
            let extensions = span.extensions();
            let Some(members) = extensions.get::<FormattedFields<N>>() else { continue };
            let Ok(members) = serde_json::from_str::<Map<String, Value>>(&members.fields) else { continue };
            for (name, value) in members {
                line.entry(name).or_insert(value);
            }
        }
        writeln!(writer, "{}", Value::Object(line))
    }
}

/// Writes the members of an event.
struct Members<'a>(&'a mut Map<String, Value>);

impl Members<'_> {
    fn insert(&mut self, field: &Field, value: impl Into<Value>) {
        // What the bridge from `log` adds for itself.
        if !field.name().starts_with("log.") {
            let name = field.name();
            self.0.insert(name.strip_prefix("r#").unwrap_or(name).to_owned(), value.into());
        }
    }
}

impl Visit for Members<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.insert(field, format!("{value:?}"));
    }
}
