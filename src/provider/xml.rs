//! XML for adapters: a writer that knows where it stands, for lineage, and a reader of hostile documents
//! with bounds on depth and count.

use std::fmt::{Display, Write as _};

use quick_xml::Reader;
use quick_xml::escape::{escape, partial_escape};
use quick_xml::events::Event;

use super::exchange::Trace;

pub use super::pointer::{Pointer, at};

/// Elements nested deeper than any provider's document would be.
pub const MOST_DEPTH: usize = 32;
/// More elements than 100 orders with everything in their answers.
pub const MOST_ELEMENTS: usize = 200_000;

/// Bytes of an order in a document, as far as room is made beforehand.
const ORDER: usize = 4096;

/// Writes elements, and tells a trace which canonical member each came from. Where the document is not wanted, a blank
/// stands for each tag and each element that has a value.
pub struct XmlWriter<'t> {
    out: String,
    /// Path of the open elements; kept only where it is recorded
    path: String,
    trace: &'t mut Trace,
}

/// A place to come back to when what was written after it shall not stand.
pub struct Mark(usize);

/// An element that was begun.
pub struct Opened {
    name: &'static str,
    start: usize,
    inside: usize,
    path: usize,
}

impl<'t> XmlWriter<'t> {
    /// A writer of a document with so many orders.
    pub fn new(trace: &'t mut Trace, orders: usize) -> Self {
        let expected = if trace.wants_document() { ORDER * orders.max(1) } else { 0 };
        XmlWriter { out: String::with_capacity(expected), path: String::new(), trace }
    }

    pub fn raw(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// Writes text with all that is special in an attribute escaped.
    pub fn escaped_attribute(&mut self, text: &str) {
        self.out.push_str(&escape(text));
    }

    pub fn position(&self) -> usize {
        self.out.len()
    }

    pub fn mark(&self) -> Mark {
        Mark(self.out.len())
    }

    pub fn back_to(&mut self, mark: &Mark) {
        self.out.truncate(mark.0);
    }

    pub fn trace(&mut self) -> &mut Trace {
        self.trace
    }

    /// Begins an element; `index` is its position in a list, for the lineage.
    pub fn begin(&mut self, name: &'static str, index: Option<usize>) -> Opened {
        let (start, path) = (self.out.len(), self.path.len());
        self.tag("<", name, ">");
        self.descend(name, index);
        Opened { name, start, inside: self.out.len(), path }
    }

    /// Ends an element. One in which nothing was written becomes `<name/>`, or is taken back.
    pub fn end(&mut self, opened: &Opened, keep_empty: bool) {
        let Opened { name, start, inside, path } = *opened;
        self.path.truncate(path);
        if self.out.len() > inside {
            self.tag("</", name, ">");
        } else {
            self.out.truncate(start);
            if keep_empty {
                self.tag("<", name, "/>");
            }
        }
    }

    fn tag(&mut self, begin: &str, name: &str, end: &str) {
        if !self.trace.wants_document() {
            return self.out.push(' ');
        }
        self.out.push_str(begin);
        self.out.push_str(name);
        self.out.push_str(end);
    }

    fn descend(&mut self, name: &str, index: Option<usize>) {
        if self.trace.has_lineage() {
            if !self.path.is_empty() {
                self.path.push('/');
            }
            self.path.push_str(name);
            if let Some(index) = index {
                let _ = write!(self.path, "[{index}]");
            }
        }
    }

    /// An element with the value of the canonical member at `pointer`; nothing when there is no value.
    pub fn value(&mut self, name: &str, value: Option<impl Display>, pointer: Pointer<'_>) {
        self.converted(name, value, pointer, None);
    }

    /// As [`value`](Self::value), with a note on how the value was converted.
    pub fn converted(
        &mut self,
        name: &str,
        value: Option<impl Display>,
        pointer: Pointer<'_>,
        note: Option<&'static str>,
    ) {
        let Some(value) = value else { return };
        self.constant(name, value);
        self.note(name, pointer, note);
    }

    /// Tells the trace that the member went to the element `name`, which is written apart.
    pub fn note(&mut self, name: &str, pointer: Pointer<'_>, note: Option<&'static str>) {
        self.trace.carried(pointer, || target(&self.path, name), note);
    }

    /// Tells the trace that the element `name` was computed from the member.
    pub fn derived(&mut self, name: &str, pointer: &str, note: &'static str) {
        self.trace.derived(pointer, || target(&self.path, name), note);
    }

    /// Tells the trace that what the member says holds without a place of its own.
    pub fn implied(&mut self, pointer: Pointer<'_>) {
        self.trace.implied(pointer);
    }

    /// An element whose value comes from no canonical member.
    pub fn constant(&mut self, name: &str, value: impl Display) {
        if !self.trace.wants_document() {
            return self.out.push(' ');
        }
        self.tag("<", name, ">");
        let start = self.out.len();
        let _ = write!(self.out, "{value}");
        if self.out.as_bytes()[start..].iter().any(|byte| matches!(byte, b'<' | b'>' | b'&' | b'\r')) {
            // A carriage return would be read back as a line feed (XML 1.0, 2.11).
            let escaped = partial_escape(&self.out[start..]).replace('\r', "&#13;");
            self.out.truncate(start);
            self.out.push_str(&escaped);
        }
        self.tag("</", name, ">");
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.out.into_bytes()
    }
}

fn target(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") }
}

/// An element of a document that was read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct XmlElement {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    /// All text directly inside, white space around it taken off
    pub text: String,
    pub children: Vec<XmlElement>,
}

impl XmlElement {
    pub fn child(&self, name: &str) -> Option<&XmlElement> {
        self.children.iter().find(|child| child.name == name)
    }

    pub fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a XmlElement> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of a child; nothing when it is absent or empty.
    pub fn child_text(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str()).filter(|text| !text.is_empty())
    }

    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Why a document cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum XmlError {
    #[error("is not UTF-8")]
    NotUtf8,
    #[error("is not well formed: {0}")]
    NotWellFormed(String),
    #[error("has a document type declaration, which is not accepted")]
    DocumentType,
    #[error("ends before its root element does")]
    Truncated,
    #[error("has no root element")]
    Empty,
    #[error("has something after its root element")]
    TrailingContent,
    #[error("is nested deeper than {MOST_DEPTH} elements or has more than {MOST_ELEMENTS}")]
    TooLarge,
}

/// Reads a whole document: one root, nothing after it, no DTD, no entities but the predefined ones.
pub fn read_document(bytes: &[u8]) -> Result<XmlElement, XmlError> {
    let text = std::str::from_utf8(bytes).map_err(|_| XmlError::NotUtf8)?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<XmlElement> = Vec::new();
    let mut root = None;
    let mut count = 0_usize;
    let mut is_first = true;
    let malformed = |error: &dyn Display| XmlError::NotWellFormed(error.to_string());
    loop {
        match reader.read_event().map_err(|error| malformed(&error))? {
            Event::Start(start) => {
                count += 1;
                if root.is_some() {
                    return Err(XmlError::TrailingContent);
                }
                if open.len() >= MOST_DEPTH || count > MOST_ELEMENTS {
                    return Err(XmlError::TooLarge);
                }
                if !is_name(start.name().as_ref()) {
                    return Err(malformed(&"an element has no name that can be one"));
                }
                let mut element = XmlElement { name: local_name(start.name().as_ref()), ..XmlElement::default() };
                for attribute in start.attributes() {
                    let attribute = attribute.map_err(|error| malformed(&error))?;
                    if !is_name(attribute.key.as_ref()) || attribute.value.contains('<') {
                        return Err(malformed(&"an attribute cannot be one"));
                    }
                    let value = quick_xml::escape::unescape(&attribute.value).map_err(|error| malformed(&error))?;
                    element.attributes.push((local_name(attribute.key.as_ref()), value.into_owned()));
                }
                open.push(element);
            }
            Event::End(_) => {
                let Some(mut element) = open.pop() else { return Err(XmlError::TrailingContent) };
                let trimmed = element.text.trim();
                if trimmed.len() != element.text.len() {
                    element.text = String::from(trimmed);
                }
                match open.last_mut() {
                    Some(parent) => parent.children.push(element),
                    None => root = Some(element),
                }
            }
            Event::Text(text) => append(&mut open, &text)?,
            Event::CData(text) => append(&mut open, &text)?,
            Event::GeneralRef(reference) => {
                let resolved = match reference.resolve_char_ref().map_err(|error| malformed(&error))? {
                    Some(character) => character.to_string(),
                    None => quick_xml::escape::resolve_predefined_entity(&reference)
                        .ok_or_else(|| malformed(&"unknown entity"))?
                        .to_owned(),
                };
                append(&mut open, &resolved)?;
            }
            Event::DocType(_) => return Err(XmlError::DocumentType),
            // Two documents one after the other, or one in the other, are none.
            Event::Decl(_) if !is_first => return Err(malformed(&"a declaration stands within the document")),
            Event::Empty(_) | Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof if !open.is_empty() => return Err(XmlError::Truncated),
            Event::Eof => return root.ok_or(XmlError::Empty),
        }
        is_first = false;
    }
}

fn append(open: &mut [XmlElement], text: &str) -> Result<(), XmlError> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err(XmlError::TrailingContent),
    }
    Ok(())
}

/// Whether a name is one (XML 1.0, 2.3).
fn is_name(name: &str) -> bool {
    let begins = |character: char| {
        matches!(character, ':' | 'A'..='Z' | '_' | 'a'..='z' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}'
            | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}'
            | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}'
            | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
    };
    let goes_on = |character: char| {
        begins(character)
            || matches!(character, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
    };
    name.starts_with(begins) && name.chars().all(goes_on)
}

/// The name without a namespace prefix.
fn local_name(name: &str) -> String {
    name.rsplit(':').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_text_attributes_and_references() {
        let root = read_document(
            "\u{FEFF}<?xml version=\"1.0\"?><a b='1&amp;2'><c> x &lt; <![CDATA[<y>]]>&#13;z </c><d/></a>\n".as_bytes(),
        )
        .unwrap();
        assert_eq!(root.attribute("b"), Some("1&2"));
        assert_eq!(root.child_text("c"), Some("x < <y>\rz"));
        assert_eq!(root.child_text("d"), None);
    }

    #[test]
    fn refuses_what_is_no_single_sound_document() {
        let deep = "<a>".repeat(40);
        for hostile in [
            "",
            "   ",
            "plain text",
            "<a>",
            "<a><b></a>",
            "<a/><b/>",
            "<a/>trailing",
            "<a>&bomb;</a>",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
            "<a b=1/>",
            "<a$/>",
            "<1a/>",
            "</>",
            "<a b$='1'/>",
            "<a b='<'/>",
            "<a b='1' b='1'/>",
            "<a><?xml version=\"1.0\"?></a>",
            "<?xml version=\"1.0\"?><?xml version=\"1.0\"?><a/>",
            deep.as_str(),
        ] {
            assert!(read_document(hostile.as_bytes()).is_err(), "{hostile}");
        }
        assert!(matches!(read_document(b"<a>\xff</a>"), Err(XmlError::NotUtf8)));
    }

    #[test]
    fn text_survives_escaping() {
        let mut trace = Trace::off();
        let mut writer = XmlWriter::new(&mut trace, 1);
        let text = "a<b>&\"'\r\n\t]]> 中文 \u{1F69A}";
        let root = writer.begin("r", None);
        writer.constant("t", format!("x{text}x"));
        writer.end(&root, true);
        let root = read_document(&writer.into_bytes()).unwrap();
        assert_eq!(root.child_text("t"), Some(format!("x{text}x").as_str()));
    }
}
