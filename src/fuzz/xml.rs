//! The reader of XML, beside another one; and the writer, beside the reader.

use roxmltree::{Document, Node, NodeType};

use super::soundness::is_lenience;
use crate::provider::Trace;
use crate::provider::xml::{MOST_DEPTH, MOST_ELEMENTS, XmlElement, XmlWriter, read_document};

/// Both readers take the same documents, and read the same in them, but for the bounds that ours has; and what is
/// written is read as it was.
pub fn xml(bytes: &[u8]) {
    let ours = read_document(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return assert!(ours.is_err(), "only UTF-8 is read") };
    check_writer(text);
    match (ours, Document::parse(text.strip_prefix('\u{FEFF}').unwrap_or(text))) {
        (Ok(root), Ok(theirs)) => assert_same(&root, theirs.root_element()),
        (Err(error), Ok(theirs)) => {
            assert!(is_beyond_bounds(theirs.root_element()), "{error}: {text:?}");
        }
        (Ok(_), Err(error)) => assert!(is_lenience(&error), "read, though {error}: {text:?}"),
        (Err(_), Err(_)) => {}
    }
}

fn is_beyond_bounds(root: Node<'_, '_>) -> bool {
    let elements = || root.descendants().filter(Node::is_element);
    let is_deep = |node: Node<'_, '_>| node.ancestors().filter(Node::is_element).nth(MOST_DEPTH).is_some();
    elements().any(is_deep) || elements().count() > MOST_ELEMENTS
}

fn assert_same(ours: &XmlElement, theirs: Node<'_, '_>) {
    let XmlElement { name, attributes, text, children } = ours;
    assert_eq!(name, theirs.tag_name().name());
    let texts = theirs.children().filter(|child| child.node_type() == NodeType::Text);
    let all: String = texts.filter_map(|child| child.text()).collect();
    // Ends of lines are one character to XML, and what they are to us.
    let lines = |text: &str| text.trim().replace("\r\n", "\n").replace('\r', "\n");
    assert_eq!(lines(text), lines(&all));
    let of_theirs: Vec<_> = theirs.children().filter(Node::is_element).collect();
    assert_eq!(children.len(), of_theirs.len());
    for attribute in theirs.attributes() {
        assert!(attributes.iter().any(|(name, _)| name == attribute.name()), "{}", attribute.name());
    }
    for (ours, theirs) in children.iter().zip(of_theirs) {
        assert_same(ours, theirs);
    }
}

/// A text that an order may hold comes back as it was, whatever is in it.
fn check_writer(text: &str) {
    let allowed: String = text.chars().filter(|character| is_allowed(*character)).collect();
    let mut trace = Trace::off();
    let mut writer = XmlWriter::new(&mut trace, 1);
    let root = writer.begin("r", None);
    writer.constant("t", &allowed);
    writer.end(&root, true);
    let written = writer.into_bytes();
    let read = read_document(&written).expect("what was written is a document");
    assert_eq!(read.child_text("t").unwrap_or_default(), allowed.trim());
}

fn is_allowed(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        '\u{FFFE}' | '\u{FFFF}' => false,
        other => !other.is_control(),
    }
}
