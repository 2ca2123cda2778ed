//! An event on one line, for people.

use anstyle::Style;
use chrono::{DateTime, Local};
use serde_json::Value;

use crate::cli::output::{BAD, DIM, DOUBTFUL, GOOD, printable, shown, styled};

/// When, what, which order, and what matters of it.
pub fn of(event: &Value) -> String {
    let kind = event["type"].as_str().unwrap_or_default();
    let data = &event["data"];
    let account = event["source"].as_str().unwrap_or_default().trim_start_matches("/v1/accounts/");
    let mut words = format!(
        "{}  {}",
        styled(DIM, moment(&event["time"])),
        styled(style_of(kind), format!("{:30}", printable(kind)))
    );
    let about = [shown(&data["orderNumber"]), printable(account)];
    let details = ["operation", "providerOrderNumber", "status", "reason", "note", "detail"]
        .map(|name| if data[name].is_string() { shown(&data[name]) } else { String::new() });
    for part in about.into_iter().chain(details).filter(|part| !part.is_empty()) {
        words.push_str("  ");
        words.push_str(&part);
    }
    words
}

/// When something happened, in the time of this place.
fn moment(time: &Value) -> String {
    let text = time.as_str().unwrap_or_default();
    let Ok(instant) = DateTime::parse_from_rfc3339(text) else { return printable(text) };
    instant.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S").to_string()
}

fn style_of(kind: &str) -> Style {
    let ends_in = |words: &[&str]| words.iter().any(|word| kind.ends_with(word));
    if ends_in(&["rejected", "dead", "exception", "quarantined", "disabled"]) {
        BAD
    } else if ends_in(&["in_doubt", "paused", "cancelled", "partially_accepted", "drafted"]) {
        DOUBTFUL
    } else if ends_in(&["accepted", "placed", "delivered", "confirmed", "resumed"]) {
        GOOD
    } else {
        Style::new()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_says_what_happened_to_which_order() {
        let event = json!({
            "type": "order.placed", "source": "/v1/accounts/acme", "time": "2026-11-25T06:17:08Z",
            "data": {"orderNumber": "SO-1\n", "operation": "create", "providerOrderNumber": "P1", "status": "requested"},
        });
        let words = anstream::adapter::strip_str(&of(&event)).to_string();
        let (_, words) = words.split_at("2026-11-25 06:17:08".len());
        assert_eq!(words, format!("  {:30}  SO-1\\n  acme  create  P1  requested", "order.placed"));
        assert!(of(&event).contains(&GOOD.to_string()));
    }
}
