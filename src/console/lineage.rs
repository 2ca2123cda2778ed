//! Two documents side by side, in which each member leads to where it went: the order, and what its provider gets.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use askama::Template;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;

use super::reading::Line;
use crate::canonical::escape_token;

/// Longer documents are shown without marks.
const MOST_MARKED: usize = 128 * 1024;

/// A piece of a document.
struct Piece {
    class: &'static str,
    text: String,
    mark: Option<Mark>,
}

/// What makes a piece lead to its counterparts.
struct Mark {
    /// Only the first piece of a member has it
    id: Option<String>,
    /// The first counterpart
    href: String,
    /// Numbers of the lines of the lineage that it is part of
    lines: String,
    /// Where the member went, or came from
    title: String,
}

/// A document with marks.
#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<pre class="code tall" tabindex="0" role="group" aria-label="{{ name }}">{% for piece in pieces %}{% if let Some(mark) = piece.mark %}<a class="member {{ piece.class }}"{% if let Some(id) = mark.id %} id="{{ id }}"{% endif %} href="#{{ mark.href }}" data-lines="{{ mark.lines }}" title="{{ mark.title }}">{{ piece.text }}</a>{% else if piece.class.is_empty() %}{{ piece.text }}{% else %}<span class="{{ piece.class }}">{{ piece.text }}</span>{% endif %}{% endfor %}</pre>"##
)]
pub struct Marked {
    name: String,
    pieces: Vec<Piece>,
}

impl askama::filters::HtmlSafe for Marked {}

/// One side of the lineage: which lines stand at which place.
struct Side<'a> {
    /// Lines by pointer, or by path in the provider's document
    lines: HashMap<&'a str, Vec<usize>>,
    own: &'static str,
    /// What the first line of each place is on the other side
    counterpart: HashMap<usize, String>,
    titles: Vec<&'a str>,
}

/// Both sides of a translation.
pub struct Lineage<'a> {
    order: Side<'a>,
    document: Side<'a>,
    dropped: HashSet<&'a str>,
}

impl<'a> Lineage<'a> {
    pub fn new(lines: &'a [Line], dropped: &'a [String]) -> Self {
        let pointers: Vec<&str> = lines.iter().map(|line| line.pointer.as_str()).collect();
        let targets: Vec<&str> = lines.iter().map(|line| line.target.as_str()).collect();
        Lineage {
            order: Side::new("from", &pointers, "to", &targets),
            document: Side::new("to", &targets, "from", &pointers),
            dropped: dropped.iter().map(String::as_str).collect(),
        }
    }

    /// The order, with what leads to the provider's document, and what is left out.
    pub fn order(&self, order: &Value, name: &str) -> Marked {
        let mut writer = Writer::new(&self.order);
        writer.json(order, "", 0, &Pointers(&self.dropped), false);
        writer.done(name)
    }

    /// The provider's document; nothing for one that is too long or neither JSON nor XML.
    pub fn document(&self, text: &str, name: &str) -> Option<Marked> {
        if text.trim().is_empty() || text.len() > MOST_MARKED {
            return None;
        }
        let mut writer = Writer::new(&self.document);
        match serde_json::from_str::<Value>(text) {
            Ok(value) => writer.json(&value, "", 0, &Paths, false),
            Err(_) => writer.xml(text)?,
        }
        Some(writer.done(name))
    }

    /// The ends of one line, to be led to from a table.
    pub fn ends(&self, line: usize) -> (String, String) {
        let end = |side: &Side<'_>| side.counterpart.get(&line).cloned().unwrap_or_default();
        (end(&self.document), end(&self.order))
    }
}

impl<'a> Side<'a> {
    fn new(own: &'static str, places: &[&'a str], other: &'static str, counterparts: &[&'a str]) -> Self {
        let mut lines: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut first: HashMap<&str, usize> = HashMap::new();
        let mut counterpart = HashMap::new();
        for (number, (place, there)) in places.iter().zip(counterparts).enumerate() {
            lines.entry(*place).or_default().push(number);
            let begins = first.entry(*there).or_insert(number);
            counterpart.insert(number, format!("{other}-{begins}"));
        }
        Side { lines, own, counterpart, titles: counterparts.to_vec() }
    }
}

/// How places are called on one side.
trait Places {
    fn member(&self, path: &str, name: &str) -> String;
    fn item(&self, path: &str, index: usize) -> String;
    /// Whether nothing of it is sent.
    fn is_dropped(&self, path: &str) -> bool;
}

/// RFC 6901, in the order.
struct Pointers<'a>(&'a HashSet<&'a str>);

impl Places for Pointers<'_> {
    fn member(&self, path: &str, name: &str) -> String {
        format!("{path}/{}", escape_token(name))
    }

    fn item(&self, path: &str, index: usize) -> String {
        format!("{path}/{index}")
    }

    fn is_dropped(&self, path: &str) -> bool {
        self.0.contains(path)
    }
}

/// As in `data.items[0]`, in a provider's JSON.
struct Paths;

impl Places for Paths {
    fn member(&self, path: &str, name: &str) -> String {
        if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
    }

    fn item(&self, path: &str, index: usize) -> String {
        format!("{path}[{index}]")
    }

    fn is_dropped(&self, _: &str) -> bool {
        false
    }
}

struct Writer<'a> {
    side: &'a Side<'a>,
    pieces: Vec<Piece>,
    /// Places that have their id already
    named: HashSet<usize>,
}

impl<'a> Writer<'a> {
    fn new(side: &'a Side<'a>) -> Self {
        Writer { side, pieces: Vec::new(), named: HashSet::new() }
    }

    fn done(self, name: &str) -> Marked {
        Marked { name: name.to_owned(), pieces: self.pieces }
    }

    fn push(&mut self, class: &'static str, text: &str) {
        match self.pieces.last_mut().filter(|last| last.mark.is_none() && last.class == class) {
            Some(last) => last.text.push_str(text),
            None => self.pieces.push(Piece { class, text: text.to_owned(), mark: None }),
        }
    }

    fn line(&mut self, depth: usize) {
        self.push("", &format!("\n{}", "  ".repeat(depth)));
    }

    /// A piece at a place, which leads on if the lineage knows the place.
    fn place(&mut self, class: &'static str, text: &str, place: Option<&[usize]>) {
        let Some((first, lines)) = place.and_then(|lines| Some((*lines.first()?, lines))) else {
            self.push(class, text);
            return;
        };
        let mut numbers = String::new();
        let mut titles: Vec<&str> = Vec::new();
        for line in lines {
            let _ = write!(numbers, "{}{line}", if numbers.is_empty() { "" } else { " " });
            if let Some(title) = self.side.titles.get(*line)
                && !titles.contains(title)
            {
                titles.push(title);
            }
        }
        let mark = Mark {
            id: self.named.insert(first).then(|| format!("{}-{first}", self.side.own)),
            href: self.side.counterpart.get(&first).cloned().unwrap_or_default(),
            lines: numbers,
            title: titles.join(", "),
        };
        self.pieces.push(Piece { class, text: text.to_owned(), mark: Some(mark) });
    }

    fn json(&mut self, value: &Value, path: &str, depth: usize, places: &impl Places, is_dropped: bool) {
        let side = self.side;
        let at = |path: &str| side.lines.get(path).map(Vec::as_slice);
        let colour = |class| if is_dropped { "dropped" } else { class };
        match value {
            Value::Array(items) if items.is_empty() => self.push("mark", "[]"),
            Value::Object(members) if members.is_empty() => self.push("mark", "{}"),
            Value::Array(items) => {
                self.push("mark", "[");
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        self.push("mark", ",");
                    }
                    self.line(depth + 1);
                    let below = places.item(path, index);
                    let is_dropped = is_dropped || places.is_dropped(&below);
                    self.json(item, &below, depth + 1, places, is_dropped);
                }
                self.line(depth);
                self.push("mark", "]");
            }
            Value::Object(members) => {
                self.push("mark", "{");
                for (index, (name, member)) in members.iter().enumerate() {
                    if index > 0 {
                        self.push("mark", ",");
                    }
                    self.line(depth + 1);
                    let below = places.member(path, name);
                    let is_dropped = is_dropped || places.is_dropped(&below);
                    let holds_more = member.is_object() || member.is_array();
                    // Of what holds more its name leads on, else its value.
                    let class = if is_dropped { "dropped" } else { "key" };
                    let lines = at(&below).filter(|_| holds_more);
                    self.place(class, &Value::from(name.as_str()).to_string(), lines);
                    self.push("mark", ": ");
                    self.json(member, &below, depth + 1, places, is_dropped);
                }
                self.line(depth);
                self.push("mark", "}");
            }
            Value::String(_) => self.place(colour("string"), &value.to_string(), at(path)),
            Value::Number(_) => self.place(colour("numeral"), &value.to_string(), at(path)),
            Value::Null | Value::Bool(_) => self.place(colour("literal"), &value.to_string(), at(path)),
        }
    }

    /// Nothing where it is no XML.
    fn xml(&mut self, text: &str) -> Option<()> {
        let wanted = self.elements();
        let skipped = skipped(text, &wanted)?;
        let mut reader = Reader::from_str(text);
        let mut path = ElementPath::default();
        let (mut after_text, mut is_first) = (false, true);
        loop {
            let event = reader.read_event().ok()?;
            let depth = path.depth().saturating_sub(usize::from(matches!(event, Event::End(_))));
            let begins = match event {
                Event::Text(_) | Event::GeneralRef(_) | Event::CData(_) | Event::Eof => false,
                Event::End(_) => !std::mem::take(&mut after_text),
                _ => true,
            };
            if begins && !std::mem::take(&mut is_first) {
                self.line(depth);
            }
            match event {
                Event::Eof => return (path.depth() == 0).then_some(()),
                Event::Start(tag) => {
                    path.enter(tag_name(&tag));
                    // Of what holds elements its name leads on, else its text.
                    let next = reader.clone().read_event().ok()?;
                    let lines =
                        wanted.get(&path.below(skipped)).filter(|_| matches!(next, Event::Start(_) | Event::Empty(_)));
                    self.tag("<", &tag, ">", lines.map(Vec::as_slice));
                    after_text = matches!(next, Event::End(_));
                }
                Event::Empty(tag) => {
                    path.enter(tag_name(&tag));
                    let lines = wanted.get(&path.below(skipped));
                    self.tag("<", &tag, "/>", lines.map(Vec::as_slice));
                    path.leave();
                    after_text = false;
                }
                Event::End(tag) => {
                    self.tag("</", &tag, ">", None);
                    path.leave();
                }
                Event::Text(content) => {
                    if !content.trim().is_empty() {
                        self.place("string", &content, wanted.get(&path.below(skipped)).map(Vec::as_slice));
                        after_text = true;
                    }
                }
                Event::GeneralRef(name) => {
                    let lines = wanted.get(&path.below(skipped)).map(Vec::as_slice);
                    self.place("literal", &format!("&{};", &*name), lines);
                    after_text = true;
                }
                Event::CData(content) => {
                    let lines = wanted.get(&path.below(skipped)).map(Vec::as_slice);
                    self.place("string", &format!("<![CDATA[{}]]>", &*content), lines);
                    after_text = true;
                }
                Event::Decl(content) => self.push("mark", &format!("<?{}?>", &*content)),
                Event::PI(content) => self.push("mark", &format!("<?{}?>", &*content)),
                Event::Comment(content) => self.push("mark", &format!("<!--{}-->", &*content)),
                Event::DocType(content) => self.push("mark", &format!("<!DOCTYPE {}>", &*content)),
            }
        }
    }

    fn tag(&mut self, open: &str, content: &str, close: &str, lines: Option<&[usize]>) {
        let name = tag_name(content);
        self.push("mark", open);
        self.place("key", name, lines);
        self.push("numeral", content.get(name.len()..).unwrap_or_default());
        self.push("mark", close);
    }

    /// The places of an XML document, each element with its position.
    fn elements(&self) -> HashMap<String, Vec<usize>> {
        let with_position = |segment: &str| {
            if segment.ends_with(']') { segment.to_owned() } else { format!("{segment}[0]") }
        };
        let mut elements: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, lines) in &self.side.lines {
            let place: Vec<String> = place.split('/').map(with_position).collect();
            elements.entry(place.join("/")).or_default().extend(lines);
        }
        for lines in elements.values_mut() {
            lines.sort_unstable();
        }
        elements
    }
}

fn tag_name(content: &str) -> &str {
    content.split(char::is_whitespace).next().unwrap_or_default()
}

/// Where a reader of XML stands: each element with its position among those of its name.
#[derive(Default)]
struct ElementPath {
    segments: Vec<String>,
    /// How many of each name there were, for each open element and the document
    counts: Vec<HashMap<String, usize>>,
}

impl ElementPath {
    fn enter(&mut self, name: &str) {
        if self.counts.is_empty() {
            self.counts.push(HashMap::new());
        }
        let position = self.counts.last_mut().map_or(0, |counts| {
            let count = counts.entry(name.to_owned()).or_default();
            *count += 1;
            *count - 1
        });
        self.segments.push(format!("{name}[{position}]"));
        self.counts.push(HashMap::new());
    }

    fn leave(&mut self) {
        self.segments.pop();
        self.counts.pop();
    }

    fn depth(&self) -> usize {
        self.segments.len()
    }

    /// Without the outermost elements.
    fn below(&self, skipped: usize) -> String {
        self.segments.get(skipped..).map(|segments| segments.join("/")).unwrap_or_default()
    }
}

/// How many outermost elements the lineage leaves out: its paths begin inside of the provider's envelope.
fn skipped(text: &str, wanted: &HashMap<String, Vec<usize>>) -> Option<usize> {
    const DEEPEST: usize = 6;
    let mut found = [0_usize; DEEPEST];
    let mut reader = Reader::from_str(text);
    let mut path = ElementPath::default();
    loop {
        match reader.read_event().ok()? {
            Event::Eof => break,
            Event::Start(tag) => path.enter(tag_name(&tag)),
            Event::Empty(tag) => {
                path.enter(tag_name(&tag));
                path.leave();
                continue;
            }
            Event::End(_) => {
                path.leave();
                continue;
            }
            _ => continue,
        }
        for (skipped, count) in found.iter_mut().enumerate() {
            *count += usize::from(wanted.contains_key(&path.below(skipped)));
        }
    }
    (0..DEEPEST).max_by_key(|skipped| (found[*skipped], DEEPEST - skipped))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(lines: &[(&str, &str)]) -> Vec<Line> {
        let line = |(pointer, target): &(&str, &str)| Line {
            pointer: (*pointer).to_owned(),
            target: (*target).to_owned(),
            note: None,
        };
        lines.iter().map(line).collect()
    }

    /// Text, lines, id and href of each piece that leads on.
    fn marks(marked: &Marked) -> Vec<(&str, &str, &str, &str)> {
        let pieces = marked.pieces.iter();
        pieces
            .filter_map(|piece| {
                let mark = piece.mark.as_ref()?;
                let id = mark.id.as_deref().unwrap_or_default();
                Some((piece.text.as_str(), mark.lines.as_str(), id, mark.href.as_str()))
            })
            .collect()
    }

    fn text(marked: &Marked) -> String {
        marked.pieces.iter().map(|piece| piece.text.as_str()).collect()
    }

    #[test]
    fn members_of_json_lead_to_each_other() {
        let lines = lines(&[
            ("/number", "list[0].no"),
            ("/number", "list[0].other"),
            ("/lines", "total"),
            ("/lines/0/a~1b", "list[0].no"),
        ]);
        let dropped = vec!["/lines/0/colour".to_owned()];
        let lineage = Lineage::new(&lines, &dropped);
        let order = lineage.order(&json!({"number": "<N>", "lines": [{"a/b": 1.50, "colour": "red"}]}), "order");
        assert_eq!(
            marks(&order),
            [
                ("\"<N>\"", "0 1", "from-0", "to-0"),
                ("\"lines\"", "2", "from-2", "to-2"),
                ("1.5", "3", "from-3", "to-0")
            ]
        );
        let red = order.pieces.iter().find(|piece| piece.text == "\"red\"").unwrap();
        assert_eq!(red.class, "dropped");
        let document = lineage.document(r#"{"list":[{"no":"<N>","other":"<N>"}],"total":1}"#, "document").unwrap();
        assert_eq!(
            marks(&document),
            [("\"<N>\"", "0 3", "to-0", "from-0"), ("\"<N>\"", "1", "to-1", "from-0"), ("1", "2", "to-2", "from-2")]
        );
        assert!(!document.render().unwrap().contains("<N>"));
    }

    #[test]
    fn members_lead_into_xml_inside_of_its_envelope() {
        let lines = lines(&[
            ("/number", "erp"),
            ("/lines/0/name", "rows/row[0]/name"),
            ("/lines/1/name", "rows/row[1]/name"),
            ("/lines", "rows"),
        ]);
        let lineage = Lineage::new(&lines, &[]);
        let document = "<?xml version=\"1.0\"?><req><order x=\"1\"><erp>A</erp><rows><row><name>B &amp; C</name></row><row>\
                        <name>D</name><erp/></row></rows></order></req>";
        let marked = lineage.document(document, "document").unwrap();
        assert_eq!(
            marks(&marked),
            [
                ("A", "0", "to-0", "from-0"),
                ("rows", "3", "to-3", "from-3"),
                ("B ", "1", "to-1", "from-1"),
                ("&amp;", "1", "", "from-1"),
                (" C", "1", "", "from-1"),
                ("D", "2", "to-2", "from-2"),
            ]
        );
        assert_eq!(
            text(&marked),
            "<?xml version=\"1.0\"?>\n<req>\n  <order x=\"1\">\n    <erp>A</erp>\n    <rows>\n      <row>\n        \
             <name>B &amp; C</name>\n      </row>\n      <row>\n        <name>D</name>\n        <erp/>\n      </row>\n    \
             </rows>\n  </order>\n</req>"
        );
    }

    #[test]
    fn what_is_neither_has_no_marks() {
        let lineage = Lineage::new(&[], &[]);
        assert!(lineage.document("<a><b></a>", "document").is_none());
        assert!(lineage.document(&"1".repeat(MOST_MARKED + 1), "document").is_none());
    }
}
