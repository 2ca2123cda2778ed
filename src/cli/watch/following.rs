//! Following the feed: over connections that break, by its cursor.

use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::line;
use crate::backoff::{Backoff, uniform};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{self, Form};
use crate::cli::remote::{FeedQuery, FeedStream, Gateway, Told};

/// Before a connection is made anew.
const AGAIN: Backoff = Backoff { base: Duration::from_secs(1), cap: Duration::from_secs(30) };

/// One who follows the feed.
pub struct Following<'a> {
    pub gateway: &'a Gateway,
    query: FeedQuery,
    /// Behind what was read; nothing at the beginning of the feed
    cursor: Option<String>,
    stream: Option<FeedStream>,
    stop: &'a CancellationToken,
    pub form: Form,
    /// Tries in a row that failed
    failures: i32,
    connected: bool,
}

impl<'a> Following<'a> {
    pub fn new(
        gateway: &'a Gateway,
        query: FeedQuery,
        cursor: Option<String>,
        stop: &'a CancellationToken,
        form: Form,
    ) -> Self {
        Following { gateway, query, cursor, stream: None, stop, form, failures: 0, connected: false }
    }

    /// Tells every event until somebody wants it to end.
    pub async fn all(&mut self) -> anyhow::Result<Exit> {
        while let Some(told) = self.next().await? {
            self.tell(&told)?;
        }
        self.say_how_to_go_on();
        Ok(Exit::Done)
    }

    /// The next event; nothing when somebody wants it to end.
    pub async fn next(&mut self) -> anyhow::Result<Option<Told>> {
        loop {
            let Some(stream) = &mut self.stream else {
                if !self.connect().await? {
                    return Ok(None);
                }
                continue;
            };
            let next = tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(None),
                next = stream.next() => next,
            };
            match next {
                Some(told) => {
                    self.failures = 0;
                    self.cursor = Some(told.cursor.clone());
                    return Ok(Some(told));
                }
                None => self.stream = None,
            }
        }
    }

    /// Makes a connection, for as long as it takes once there was one; false when somebody wants it to end.
    async fn connect(&mut self) -> anyhow::Result<bool> {
        loop {
            if self.stop.is_cancelled() {
                return Ok(false);
            }
            if self.connected {
                self.failures += 1;
                if !self.rest().await {
                    return Ok(false);
                }
            }
            match self.query.stream(self.gateway, self.cursor.as_deref()).await {
                Ok(stream) => {
                    self.stream = Some(stream);
                    self.connected = true;
                    return Ok(true);
                }
                Err(failure) if self.connected && passes(&failure) => {}
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    async fn rest(&self) -> bool {
        tokio::select! {
            () = tokio::time::sleep(AGAIN.after(self.failures, uniform())) => true,
            () = self.stop.cancelled() => false,
        }
    }

    pub fn is_stopped(&self) -> bool {
        self.stop.is_cancelled()
    }

    pub fn tell(&self, told: &Told) -> anyhow::Result<()> {
        self.tell_event(&told.event, Some(&told.cursor))
    }

    /// In JSON an event has its cursor among its members, as an extension of CloudEvents may be there.
    pub fn tell_event(&self, event: &Value, cursor: Option<&str>) -> anyhow::Result<()> {
        match self.form {
            Form::Text => output::line(line::of(event))?,
            Form::Json => {
                let mut event = event.clone();
                if let (Some(cursor), Some(members)) = (cursor, event.as_object_mut()) {
                    members.insert("cursor".to_owned(), cursor.into());
                }
                output::json_line(&event)?;
            }
        }
        Ok(())
    }

    /// For a person who goes and wants to come back.
    pub fn say_how_to_go_on(&self) {
        if let (Form::Text, Some(cursor)) = (self.form, &self.cursor) {
            output::note(format!("To go on here: --after {cursor}"));
        }
    }
}

/// Whether the same may be answered otherwise later.
fn passes(failure: &Failure) -> bool {
    match failure {
        Failure::Unreachable(_) => true,
        Failure::Refused(problem) => matches!(problem.status, 429 | 500..=599),
        Failure::BadInput(_) => false,
    }
}
