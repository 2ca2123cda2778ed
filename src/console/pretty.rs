//! JSON and XML, laid out and coloured for people. What was sent and received to the byte is a download beside it.

use askama::Template;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;

/// Longer documents are shown in part.
const MOST_SHOWN: usize = 48 * 1024;
/// Longer ones are not laid out: nobody reads them here.
const MOST_LAID_OUT: usize = 1024 * 1024;

/// A piece of a document that is coloured as one.
struct Piece {
    /// Class in the style sheet; empty for what has no colour
    class: &'static str,
    text: String,
}

/// A document on a page.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<pre class="code{% if !is_laid_out %} plain{% endif %}" tabindex="0">{% for piece in pieces %}{% if piece.class.is_empty() %}{{ piece.text }}{% else %}<span class="{{ piece.class }}">{{ piece.text }}</span>{% endif %}{% endfor %}</pre>"#
)]
pub struct Pretty {
    pieces: Vec<Piece>,
    /// Only the beginning is shown
    pub is_cut: bool,
    /// It has lines, as JSON and XML are written here
    is_laid_out: bool,
    length: usize,
}

impl askama::filters::HtmlSafe for Pretty {}

impl Pretty {
    /// Text that is JSON or XML, or anything else.
    pub fn text(text: &str) -> Self {
        let mut pretty = Pretty::empty();
        let trimmed = text.trim_start_matches('\u{feff}').trim();
        let laid_out = text.len() <= MOST_LAID_OUT
            && match trimmed.as_bytes().first() {
                Some(b'{' | b'[') => match serde_json::from_str(trimmed) {
                    Ok(value) => {
                        pretty.value(&value, 0);
                        true
                    }
                    Err(_) => false,
                },
                Some(b'<') => pretty.xml(trimmed).is_some(),
                _ => false,
            };
        if !laid_out {
            pretty = Pretty { is_laid_out: false, ..Pretty::empty() };
            pretty.push("", text);
        }
        pretty
    }

    /// A JSON value.
    pub fn json(value: &Value) -> Self {
        let mut pretty = Pretty::empty();
        pretty.value(value, 0);
        pretty
    }

    fn empty() -> Self {
        Pretty { pieces: Vec::new(), is_cut: false, is_laid_out: true, length: 0 }
    }

    fn push(&mut self, class: &'static str, text: &str) {
        let room = MOST_SHOWN.saturating_sub(self.length);
        let end = (0..=room.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
        self.is_cut |= end < text.len();
        self.length += end;
        if end == 0 {
            return;
        }
        match self.pieces.last_mut().filter(|last| last.class == class) {
            Some(last) => last.text.push_str(&text[..end]),
            None => self.pieces.push(Piece { class, text: text[..end].to_owned() }),
        }
    }

    fn line(&mut self, depth: usize) {
        self.push("", &format!("\n{}", "  ".repeat(depth)));
    }

    fn value(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Null => self.push("literal", "null"),
            Value::Bool(truth) => self.push("literal", if *truth { "true" } else { "false" }),
            Value::Number(number) => self.push("numeral", &number.to_string()),
            Value::String(_) => self.push("string", &value.to_string()),
            Value::Array(items) if items.is_empty() => self.push("mark", "[]"),
            Value::Object(members) if members.is_empty() => self.push("mark", "{}"),
            Value::Array(items) => {
                self.push("mark", "[");
                for (position, item) in items.iter().enumerate() {
                    if position > 0 {
                        self.push("mark", ",");
                    }
                    self.line(depth + 1);
                    self.value(item, depth + 1);
                }
                self.line(depth);
                self.push("mark", "]");
            }
            Value::Object(members) => {
                self.push("mark", "{");
                for (position, (name, member)) in members.iter().enumerate() {
                    if position > 0 {
                        self.push("mark", ",");
                    }
                    self.line(depth + 1);
                    self.push("key", &Value::from(name.as_str()).to_string());
                    self.push("mark", ": ");
                    self.value(member, depth + 1);
                }
                self.line(depth);
                self.push("mark", "}");
            }
        }
    }

    /// Nothing where it is no XML.
    fn xml(&mut self, text: &str) -> Option<()> {
        let mut reader = Reader::from_str(text);
        let mut depth = 0_usize;
        // Whether the last piece was text: then the closing tag stands beside it.
        let mut after_text = false;
        let mut first = true;
        loop {
            let event = reader.read_event().ok()?;
            let mut begin = |pretty: &mut Pretty, depth: usize| {
                if !std::mem::take(&mut first) {
                    pretty.line(depth);
                }
            };
            match event {
                Event::Eof => return (depth == 0).then_some(()),
                Event::Start(tag) => {
                    begin(self, depth);
                    self.tag("<", &tag, ">");
                    depth += 1;
                    after_text = false;
                    // An element with nothing but text stays on its line.
                    if let Ok(Event::End(_)) = reader.clone().read_event() {
                        after_text = true;
                    }
                }
                Event::End(tag) => {
                    depth = depth.checked_sub(1)?;
                    if !std::mem::take(&mut after_text) {
                        begin(self, depth);
                    }
                    self.tag("</", &tag, ">");
                }
                Event::Empty(tag) => {
                    begin(self, depth);
                    self.tag("<", &tag, "/>");
                    after_text = false;
                }
                Event::Text(content) => {
                    let content = &*content;
                    if !content.trim().is_empty() {
                        self.push("string", content);
                        after_text = true;
                    }
                }
                Event::GeneralRef(name) => {
                    self.push("literal", &format!("&{};", &*name));
                    after_text = true;
                }
                Event::CData(content) => {
                    self.push("mark", "<![CDATA[");
                    self.push("string", &content);
                    self.push("mark", "]]>");
                    after_text = true;
                }
                Event::Decl(content) => {
                    begin(self, depth);
                    self.push("mark", &format!("<?{}?>", &*content));
                }
                Event::PI(content) => {
                    begin(self, depth);
                    self.push("mark", &format!("<?{}?>", &*content));
                }
                Event::Comment(content) => {
                    begin(self, depth);
                    self.push("mark", &format!("<!--{}-->", &*content));
                }
                Event::DocType(content) => {
                    begin(self, depth);
                    self.push("mark", &format!("<!DOCTYPE {}>", &*content));
                }
            }
        }
    }

    /// A tag with its attributes as they stand there.
    fn tag(&mut self, open: &str, content: &str, close: &str) {
        let (name, attributes) = content.split_at(content.find(char::is_whitespace).unwrap_or(content.len()));
        self.push("mark", open);
        self.push("key", name);
        self.push("numeral", attributes);
        self.push("mark", close);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        Pretty::text(text).pieces.into_iter().map(|piece| piece.text).collect()
    }

    #[test]
    fn json_is_laid_out_digit_for_digit() {
        assert_eq!(
            plain(r#" {"b":[1.50,{}],"a":"<\"é","n":null} "#),
            "{\n  \"b\": [\n    1.50,\n    {}\n  ],\n  \"a\": \"<\\\"é\",\n  \"n\": null\n}"
        );
    }

    #[test]
    fn xml_is_laid_out_and_nothing_of_it_changes() {
        let text =
            r#"<?xml version="1.0"?><a x="1 &amp; 2"><b>t &lt; u</b><c/><d></d><!-- k --><e><![CDATA[<&]]></e></a>"#;
        assert_eq!(
            plain(text),
            "<?xml version=\"1.0\"?>\n<a x=\"1 &amp; 2\">\n  <b>t &lt; u</b>\n  <c/>\n  <d></d>\n  <!-- k -->\n  <e><![CDATA[<&]]></e>\n</a>"
        );
    }

    #[test]
    fn what_is_neither_stays_as_it_is() {
        for text in ["<html><br></html>", "{\"a\":", "plain & simple", "", "<a", "</a>"] {
            assert_eq!(plain(text), text);
        }
    }

    #[test]
    fn markup_in_a_document_is_no_markup_of_the_page() {
        let page = Pretty::text(r#"{"a":"<script>alert(1)</script>"}"#).render().unwrap();
        assert!(!page.contains("<script>"), "{page}");
        assert!(page.contains("<pre class=\"code\""), "{page}");
        let page = Pretty::text("no lines").render().unwrap();
        assert!(page.contains("<pre class=\"code plain\""), "{page}");
        let page = Pretty::text("<a><![CDATA[<img src=x onerror=y>]]></a>").render().unwrap();
        assert!(!page.contains("<img"), "{page}");
    }

    #[test]
    fn a_long_document_is_cut_between_characters() {
        let pretty = Pretty::text(&"运".repeat(MOST_SHOWN));
        assert!(pretty.is_cut && pretty.length <= MOST_SHOWN);
        assert!(!Pretty::text("short").is_cut);
    }
}
