//! Orders from a file or standard input: one JSON document, a list of them, or one a line.

use std::collections::VecDeque;
use std::io;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::fs::File;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, BufReader};

use crate::cli::exit::bad_input;

/// Bytes of one line at most; no gateway takes more.
const LONGEST_LINE: usize = 16 * 1024 * 1024;
/// Bytes of a document that stands on several lines.
const LARGEST_DOCUMENT: u64 = 256 * 1024 * 1024;

/// One order of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Place among the orders of the input, from 0
    pub index: usize,
    /// Line, from 1; of a list the line on which the whole begins
    pub line: usize,
    pub content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    Order(OrderText),
    /// Why it is none
    Unreadable(String),
}

/// An order as it was written, to the digit, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderText {
    pub text: String,
    pub order_number: Option<String>,
    pub account: Option<String>,
}

/// The orders of an input, read as they are needed.
pub struct Input {
    reader: Box<dyn AsyncBufRead + Send + Unpin>,
    /// Bytes in all, where that is known
    pub size: Option<u64>,
    /// Bytes that were read
    pub read: u64,
    /// One order a line, whatever the first line looks like
    by_line: bool,
    /// Orders of a list
    listed: VecDeque<OrderText>,
    index: usize,
    line: usize,
    list_line: usize,
    begun: bool,
}

/// A line, or why it is none.
enum Line {
    Bytes(Vec<u8>),
    TooLong,
    End,
}

impl Input {
    /// A file, or standard input for `-`.
    pub async fn open(path: &Path) -> anyhow::Result<Self> {
        if path.as_os_str() == "-" {
            return Ok(Self::new(Box::new(BufReader::new(tokio::io::stdin())), None, false));
        }
        let name = path.display();
        let file = File::open(path).await.map_err(|error| bad_input(format!("{name} cannot be read: {error}")))?;
        let metadata = file.metadata().await.map_err(|error| bad_input(format!("{name}: {error}")))?;
        let by_line = path.extension().is_some_and(|extension| extension == "ndjson" || extension == "jsonl");
        let size = metadata.is_file().then_some(metadata.len());
        Ok(Self::new(Box::new(BufReader::with_capacity(256 * 1024, file)), size, by_line))
    }

    fn new(reader: Box<dyn AsyncBufRead + Send + Unpin>, size: Option<u64>, by_line: bool) -> Self {
        let listed = VecDeque::new();
        Input { reader, size, read: 0, by_line, listed, index: 0, line: 0, list_line: 0, begun: false }
    }

    /// The next order; nothing at the end.
    pub async fn next(&mut self) -> io::Result<Option<Entry>> {
        loop {
            if let Some(order) = self.listed.pop_front() {
                return Ok(Some(self.entry(self.list_line, Content::Order(order))));
            }
            let bytes = match self.next_line().await? {
                Line::End => return Ok(None),
                Line::TooLong => {
                    let why = format!("is longer than {LONGEST_LINE} bytes");
                    return Ok(Some(self.entry(self.line, Content::Unreadable(why))));
                }
                Line::Bytes(bytes) => bytes,
            };
            let text = bytes.trim_ascii();
            if text.is_empty() {
                continue;
            }
            let is_first = !std::mem::replace(&mut self.begun, true);
            if is_first && !self.by_line && (text.starts_with(b"[") || goes_on(text)) {
                if let Some(entry) = self.document(bytes).await? {
                    return Ok(Some(entry));
                }
                continue;
            }
            let content = read_order(text).map_or_else(Content::Unreadable, Content::Order);
            return Ok(Some(self.entry(self.line, content)));
        }
    }

    fn entry(&mut self, line: usize, content: Content) -> Entry {
        let index = self.index;
        self.index += 1;
        Entry { index, line, content }
    }

    /// A document on several lines, of which this is the first: an order, or a list of orders. Nothing when the list
    /// holds what is told next.
    async fn document(&mut self, mut bytes: Vec<u8>) -> io::Result<Option<Entry>> {
        let first = self.line;
        bytes.push(b'\n');
        let mut rest = (&mut self.reader).take(LARGEST_DOCUMENT);
        self.read += u64::try_from(rest.read_to_end(&mut bytes).await?).unwrap_or(u64::MAX);
        if bytes.trim_ascii_start().starts_with(b"[") {
            match serde_json::from_slice::<Vec<&RawValue>>(&bytes) {
                Ok(items) => {
                    self.list_line = first;
                    let orders: Result<VecDeque<OrderText>, String> =
                        items.iter().map(|item| read_order(item.get().as_bytes())).collect();
                    match orders {
                        Ok(orders) => self.listed = orders,
                        Err(why) => return Ok(Some(self.entry(first, Content::Unreadable(format!("an item {why}"))))),
                    }
                    return Ok(None);
                }
                Err(error) => return Ok(Some(self.entry(first, Content::Unreadable(format!("is no list: {error}"))))),
            }
        }
        let content = read_order(&bytes).map_or_else(Content::Unreadable, Content::Order);
        Ok(Some(self.entry(first, content)))
    }

    async fn next_line(&mut self) -> io::Result<Line> {
        let mut line = Vec::new();
        let mut too_long = false;
        let mut came = false;
        loop {
            let chunk = self.reader.fill_buf().await?;
            if chunk.is_empty() {
                break;
            }
            came = true;
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(chunk.len());
            too_long |= line.len() + taken > LONGEST_LINE;
            if !too_long {
                line.extend_from_slice(&chunk[..taken]);
            }
            let consumed = taken + usize::from(end.is_some());
            self.reader.consume(consumed);
            self.read += u64::try_from(consumed).unwrap_or(u64::MAX);
            if end.is_some() {
                break;
            }
        }
        if !came {
            return Ok(Line::End);
        }
        self.line += 1;
        Ok(if too_long { Line::TooLong } else { Line::Bytes(line) })
    }
}

/// Whether a line is the beginning of a document that goes on behind it.
fn goes_on(text: &[u8]) -> bool {
    text.starts_with(b"{") && serde_json::from_slice::<&RawValue>(text).is_err_and(|error| error.is_eof())
}

/// An order as it is written, or why it is none.
fn read_order(text: &[u8]) -> Result<OrderText, String> {
    /// What an order is called; what is no text is for the gateway to refuse.
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Names {
        order_number: Option<Value>,
        account: Option<Value>,
    }
    let text = std::str::from_utf8(text).map_err(|error| format!("is not UTF-8: {error}"))?;
    let order: &RawValue = serde_json::from_str(text).map_err(|error| format!("is no JSON: {error}"))?;
    if !order.get().starts_with('{') {
        return Err("is no object".to_owned());
    }
    let Names { order_number, account } =
        serde_json::from_str(order.get()).map_err(|error| format!("is no order: {error}"))?;
    let words = |value: Option<Value>| value.and_then(|value| value.as_str().map(str::to_owned));
    Ok(OrderText { text: order.get().to_owned(), order_number: words(order_number), account: words(account) })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(text: &'static str, by_line: bool) -> Vec<(usize, usize, Result<String, String>)> {
        let mut input = Input::new(Box::new(BufReader::with_capacity(7, text.as_bytes())), None, by_line);
        let mut found = Vec::new();
        while let Some(Entry { index, line, content }) = input.next().await.unwrap() {
            let content = match content {
                Content::Order(order) => Ok(order.text),
                Content::Unreadable(why) => Err(why),
            };
            found.push((index, line, content));
        }
        assert_eq!(input.read, u64::try_from(text.len()).unwrap());
        found
    }

    #[tokio::test]
    async fn one_order_a_line_keeps_its_digits_and_bad_lines_spoil_no_other() {
        let found = read("{\"orderNumber\":\"1\",\"x\":1.50}\n\n{\"orderNumber\":\n7\n{\"a\":2}", false).await;
        assert_eq!(found[0], (0, 1, Ok("{\"orderNumber\":\"1\",\"x\":1.50}".to_owned())));
        assert_eq!((found[1].0, found[1].1), (1, 3));
        assert!(found[1].2.as_ref().unwrap_err().starts_with("is no JSON"), "{found:?}");
        assert_eq!(found[2], (2, 4, Err("is no object".to_owned())));
        assert_eq!(found[3], (3, 5, Ok("{\"a\":2}".to_owned())));
    }

    #[tokio::test]
    async fn a_document_on_several_lines_is_one_order() {
        let text = "{\n  \"orderNumber\": \"1\"\n}\n";
        assert_eq!(read(text, false).await, [(0, 1, Ok(text.trim().to_owned()))]);
        // A file of lines is read line by line, whatever they hold.
        assert_eq!(read(text, true).await.len(), 3);
    }

    #[tokio::test]
    async fn a_list_holds_several_orders() {
        let found = read("[{\"a\":1},\n {\"a\":2}]", false).await;
        assert_eq!(found, [(0, 1, Ok("{\"a\":1}".to_owned())), (1, 1, Ok("{\"a\":2}".to_owned()))]);
        assert!(read("[{\"a\":1}", false).await[0].2.is_err());
        assert!(read("[1]", false).await[0].2.is_err());
    }

    #[tokio::test]
    async fn nothing_is_nothing() {
        assert!(read("", false).await.is_empty());
        assert!(read("\n \n", false).await.is_empty());
    }
}
