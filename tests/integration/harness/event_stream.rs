//! A client of server-sent events, as the WHATWG describes it.

use std::collections::VecDeque;
use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::Value;

use super::Caller;

/// How long a test waits for the next block; longer than the silence that the gateway allows.
const PATIENCE: Duration = Duration::from_secs(40);

/// One block of a stream.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Block {
    pub id: Option<String>,
    pub event: Option<String>,
    /// Null when there is none: then it is no event
    pub data: Value,
    pub comment: Option<String>,
}

/// An open stream.
pub struct EventStream {
    response: Response,
    bytes: Vec<u8>,
    blocks: VecDeque<Block>,
}

impl EventStream {
    pub async fn open(caller: &Caller, path: &str, last_seen: Option<&str>) -> Self {
        let mut request = caller.request(Method::GET, path);
        if let Some(id) = last_seen {
            request = request.header("last-event-id", id);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-cache");
        EventStream { response, bytes: Vec::new(), blocks: VecDeque::new() }
    }

    /// The next block of any kind; nothing at the end.
    pub async fn block(&mut self) -> Option<Block> {
        tokio::time::timeout(PATIENCE, self.read_block()).await.expect("the stream is silent")
    }

    /// The next event; nothing at the end.
    pub async fn event(&mut self) -> Option<Block> {
        loop {
            let block = self.block().await?;
            if block.data != Value::Null {
                return Some(block);
            }
        }
    }

    async fn read_block(&mut self) -> Option<Block> {
        loop {
            if let Some(block) = self.blocks.pop_front() {
                return Some(block);
            }
            // A stream that is cut off ends, too.
            let chunk = self.response.chunk().await.ok().flatten()?;
            self.bytes.extend_from_slice(&chunk);
            while let Some(end) = self.bytes.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.bytes.drain(..end + 2).collect();
                self.blocks.push_back(parse(std::str::from_utf8(&block).unwrap()));
            }
        }
    }
}

fn parse(text: &str) -> Block {
    let mut block = Block::default();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "" => block.comment = Some(value.to_owned()),
            "id" => block.id = Some(value.to_owned()),
            "event" => block.event = Some(value.to_owned()),
            "data" => block.data = serde_json::from_str(value).unwrap(),
            "retry" => {}
            other => panic!("{other} in {text}"),
        }
    }
    block
}
