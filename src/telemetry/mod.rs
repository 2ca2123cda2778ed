//! What the process tells of itself: log lines, pretty on a terminal and JSON elsewhere; the trace that something belongs
//! to; spans for OpenTelemetry. `RUST_LOG` chooses what is logged.

mod export;
mod line;
pub mod trace;

use std::io::IsTerminal;
use std::panic::PanicHookInfo;
use std::time::Duration;

use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry};

pub use export::only as exported;
pub use trace::TraceParent;

/// Sets the process's log up; once.
pub fn set_up(default_filter: &str) {
    // A second set-up, as tests may do, changes nothing.
    let _ = registry().with(log(default_filter)).try_init();
}

/// Sets the log up and, where the environment asks for it, the export of spans.
pub fn set_up_exporting(default_filter: &str) {
    let (export, failure) = match export::layer() {
        Ok(export) => (export, None),
        Err(error) => (None, Some(error)),
    };
    let _ = registry().with(log(default_filter)).with(export).try_init();
    if let Some(error) = failure {
        tracing::error!(%error, "spans cannot be exported; see the variables OTEL_*");
    } else if export::is_on() {
        tracing::info!("spans are exported");
    }
}

/// Exports what was not exported yet, as far as there is time.
pub async fn flush(patience: Duration) {
    // The library waits for it in its own way, which blocks.
    let flushing = tokio::task::spawn_blocking(move || export::flush(patience));
    let _ = tokio::time::timeout(patience, flushing).await;
}

fn log<S>(default_filter: &str) -> impl Layer<S>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default_filter));
    let log = fmt::layer().with_writer(std::io::stderr);
    let log = if std::io::stderr().is_terminal() {
        log.boxed()
    } else {
        log.fmt_fields(JsonFields::new()).event_format(line::JsonLine).boxed()
    };
    log.with_filter(filter)
}

/// Has panics told in the log like everything else, without what a value in their words may hold.
pub fn tell_of_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current();
        tracing::error!(location, thread = thread.name().unwrap_or_default(), "panic: {}", words_of(panic));
    }));
}

/// What a panic says. The words of a programmer are told; a value among them, which stands in quotes, is not.
fn words_of(panic: &PanicHookInfo<'_>) -> String {
    let payload = panic.payload();
    match (payload.downcast_ref::<&'static str>(), payload.downcast_ref::<String>()) {
        (Some(words), _) => (*words).to_owned(),
        (None, Some(words)) => without_values(words),
        (None, None) => "no words".to_owned(),
    }
}

/// Words without what stands between their first quote and their last: a value may hold quotes itself.
fn without_values(words: &str) -> String {
    const QUOTES: [char; 2] = ['`', '"'];
    match (words.find(QUOTES), words.rfind(QUOTES)) {
        (Some(first), Some(last)) => format!("{}***{}", &words[..=first], &words[last..]),
        _ => words.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::without_values;

    #[test]
    fn values_in_the_words_of_a_panic_are_masked() {
        for (words, shown) in [
            (
                "index out of bounds: the len is 3 but the index is 5",
                "index out of bounds: the len is 3 but the index is 5",
            ),
            ("byte index 1 is out of bounds of `s`cret`", "byte index 1 is out of bounds of `***`"),
            (r#"called `Result::unwrap()` on an `Err` value: Error("s\"cret")"#, r#"called `***")"#),
            ("one ` only", "one `***` only"),
        ] {
            assert_eq!(without_values(words), shown);
        }
    }
}
