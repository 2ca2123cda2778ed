//! Logs: pretty on a terminal, JSON elsewhere. `RUST_LOG` chooses what is logged.

use std::io::IsTerminal;
use std::panic::PanicHookInfo;

use tracing_subscriber::EnvFilter;

/// Sets the process's log up; once.
pub fn set_up(default_filter: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default_filter));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second set-up, as tests may do, changes nothing.
    let _ = if std::io::stderr().is_terminal() { log.try_init() } else { log.json().flatten_event(true).try_init() };
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
