//! A provider's document as people read it.

use quick_xml::events::Event;
use quick_xml::{Reader, Writer};
use serde_json::Value;

/// The document with a line for each of its parts. What is neither JSON nor XML stays as it is.
pub fn pretty(document: &str) -> String {
    pretty_json(document).or_else(|| pretty_xml(document)).unwrap_or_else(|| document.to_owned())
}

fn pretty_json(document: &str) -> Option<String> {
    let value: Value = serde_json::from_str(document).ok()?;
    serde_json::to_string_pretty(&value).ok()
}

fn pretty_xml(document: &str) -> Option<String> {
    let mut reader = Reader::from_str(document.trim_start_matches('\u{feff}'));
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    let mut elements = 0_usize;
    loop {
        match reader.read_event().ok()? {
            Event::Eof => break,
            // What stands between elements and is but space is made anew.
            Event::Text(text) if text.trim().is_empty() => {}
            event => {
                elements += usize::from(matches!(event, Event::Start(_) | Event::Empty(_)));
                writer.write_event(event).ok()?;
            }
        }
    }
    String::from_utf8(writer.into_inner()).ok().filter(|_| elements > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_get_a_line_for_each_part_and_keep_their_digits() {
        assert_eq!(pretty(r#"{"a":1.50,"b":[2]}"#), "{\n  \"a\": 1.50,\n  \"b\": [\n    2\n  ]\n}");
        assert_eq!(
            pretty("<?xml version=\"1.0\"?><a x=\"1\"><b>杭 &amp; 州</b><c/></a>"),
            "<?xml version=\"1.0\"?>\n<a x=\"1\">\n  <b>杭 &amp; 州</b>\n  <c/>\n</a>"
        );
        assert_eq!(pretty("no document"), "no document");
    }
}
