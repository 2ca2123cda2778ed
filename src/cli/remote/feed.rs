//! The feed of events, followed by its cursor.

use std::pin::Pin;

use eventsource_stream::{Event, EventStream, EventStreamError, Eventsource};
use futures_util::{Stream, StreamExt};
use hyper::body::Bytes;
use reqwest::Error;
use serde_json::Value;

use super::{Call, Gateway};
use crate::cli::exit::Failure;

/// Which events are wanted.
#[derive(Debug, Clone, Default)]
pub struct FeedQuery {
    pub account: Option<String>,
    /// With commas between them
    pub types: Option<String>,
}

impl FeedQuery {
    fn add_to<'a>(&self, call: Call<'a>) -> Call<'a> {
        let call = match &self.account {
            Some(account) => call.query("account", account.clone()),
            None => call,
        };
        match &self.types {
            Some(types) => call.query("type", types.clone()),
            None => call,
        }
    }

    /// The page of the feed behind a cursor, and the cursor behind that page.
    pub async fn page(&self, gateway: &Gateway, after: &str) -> Result<(Vec<Value>, String), Failure> {
        let call = self.add_to(Call::get("/v1/events").query("after", after).query("limit", "200"));
        let mut body = gateway.ask(&call).await?.body;
        let next = body["nextCursor"].as_str().unwrap_or(after).to_owned();
        let items = body["items"].as_array_mut().map(std::mem::take).unwrap_or_default();
        Ok((items, next))
    }

    /// The stream behind a cursor; from the oldest event that is kept where there is none.
    pub async fn stream(&self, gateway: &Gateway, after: Option<&str>) -> Result<FeedStream, Failure> {
        let mut call = self.add_to(Call::get("/v1/events/stream").header("accept", "text/event-stream"));
        if let Some(after) = after {
            call = call.query("after", after);
        }
        let body: Body = Box::pin(gateway.open(&call).await?.bytes_stream());
        Ok(FeedStream(body.eventsource()))
    }
}

/// The end of the feed: what happens from now on comes after it.
pub async fn latest_cursor(gateway: &Gateway) -> Result<String, Failure> {
    let (_, cursor) = FeedQuery::default().page(gateway, "latest").await?;
    Ok(cursor)
}

type Body = Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>;

/// Events as they happen.
pub struct FeedStream(EventStream<Body>);

/// An event, and the cursor behind it.
pub struct Told {
    pub cursor: String,
    pub event: Value,
}

impl FeedStream {
    /// The next event; nothing when the stream ended, for whatever reason.
    pub async fn next(&mut self) -> Option<Told> {
        loop {
            let Event { id, data, .. } = self.0.next().await?.map_err(|error: EventStreamError<Error>| error).ok()?;
            if let Ok(event) = serde_json::from_str(&data) {
                return Some(Told { cursor: id, event });
            }
        }
    }
}
