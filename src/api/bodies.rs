//! Reading bodies: within a time, and within the memory that all bodies together may take.
//!
//! What a body will need is taken from one budget: its bytes as they arrive, then what its values are going to take
//! before they are made. It is given back when the request has been answered.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use futures_util::TryStreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::Limits;
use super::problem::{Kind, Problem};

/// Bytes of memory for a byte of a body, while its buffer grows.
const FOR_A_BYTE: usize = 2;
/// Bytes of memory for what stands between two commas, colons or brackets of a JSON document: its value, and the
/// copies of it that are checked, translated, kept and answered. Measured with batches of orders.
const FOR_A_VALUE: usize = 512;
/// Bodies up to this size may take the last of the budget.
const SMALL: usize = 64 * 1024;
/// When somebody may come again for whom there was no memory.
const COME_AGAIN: Duration = Duration::from_secs(1);

/// The memory of bodies that are read, and how long they may take.
pub struct Bodies {
    /// Bytes of a body
    most: usize,
    /// Without a byte of it
    idle: Duration,
    /// For all of it
    total: Duration,
    /// Bytes of memory that are left
    memory: Arc<Semaphore>,
    capacity: usize,
}

/// Memory that a body takes until this is dropped.
pub struct Held {
    memory: OwnedSemaphorePermit,
    size: usize,
}

/// Who sent a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    Caller,
    /// Whether it repeats a call that was not taken is not known: it may take the last of the budget
    Provider,
}

impl Bodies {
    pub fn new(limits: &Limits) -> Self {
        let Limits { body_limit, body_idle, body_time, body_memory, .. } = limits;
        let capacity = (*body_memory).min(u32::MAX as usize);
        let memory = Arc::new(Semaphore::new(capacity));
        Bodies { most: *body_limit, idle: *body_idle, total: *body_time, memory, capacity }
    }

    /// Bytes of a caller's body at most.
    pub fn most(&self) -> usize {
        self.most
    }

    /// Bytes of memory that are taken now.
    pub fn memory_in_use(&self) -> usize {
        self.capacity.saturating_sub(self.memory.available_permits())
    }

    /// Reads a body of at most `most` bytes.
    pub async fn read(
        &self,
        headers: &HeaderMap,
        body: Body,
        most: usize,
        sender: Sender,
    ) -> Result<(Bytes, Held), Problem> {
        let declared = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if declared.is_some_and(|length: usize| length > most) {
            return Err(too_large(most));
        }
        let deadline = Instant::now() + self.total;
        let mut held = Held { memory: self.take(0, 0, sender)?, size: 0 };
        let mut whole = Vec::new();
        let mut chunks = body.into_data_stream();
        loop {
            let chunk = timeout_at(deadline.min(Instant::now() + self.idle), chunks.try_next());
            let Ok(chunk) = chunk.await else { return Err(too_slow()) };
            let chunk = chunk
                .map_err(|error| Problem::new(Kind::MalformedRequest, format!("The body did not arrive: {error}.")))?;
            let Some(chunk) = chunk else { break };
            if whole.len() + chunk.len() > most {
                return Err(too_large(most));
            }
            self.add(&mut held, chunk.len() * FOR_A_BYTE, whole.len() + chunk.len(), sender)?;
            whole.extend_from_slice(&chunk);
        }
        Ok((whole.into(), held))
    }

    /// Takes what the values of a JSON document will need, before they are made.
    pub fn for_values(&self, document: &[u8], held: &mut Held) -> Result<(), Problem> {
        let values: usize = document.chunks(255).map(|few| usize::from(separators(few))).sum();
        let needed = values.saturating_mul(FOR_A_VALUE);
        if document.len() > SMALL && held.size.saturating_add(needed) > self.capacity - self.kept_free() {
            let problem = Problem::new(Kind::BodyTooLarge, "The body holds more members than this gateway can keep.");
            return Err(problem);
        }
        self.add(held, needed, document.len(), Sender::Caller)
    }

    fn add(&self, held: &mut Held, bytes: usize, size: usize, sender: Sender) -> Result<(), Problem> {
        held.memory.merge(self.take(bytes, size, sender)?);
        held.size += bytes;
        Ok(())
    }

    /// Memory for a body of which `size` bytes are known so far.
    fn take(&self, bytes: usize, size: usize, sender: Sender) -> Result<OwnedSemaphorePermit, Problem> {
        let kept_free = if size > SMALL && sender == Sender::Caller { self.kept_free() } else { 0 };
        let fits = self.memory.available_permits() >= bytes.saturating_add(kept_free);
        let taken = u32::try_from(bytes).ok().filter(|_| fits);
        taken.and_then(|bytes| Arc::clone(&self.memory).try_acquire_many_owned(bytes).ok()).ok_or_else(no_memory)
    }

    /// What large bodies leave to small ones and to providers.
    fn kept_free(&self) -> usize {
        self.capacity / 4
    }
}

/// How many of at most 255 bytes begin a value of a JSON document, or stand in a text. Counted in bytes, so that many are
/// looked at at once.
fn separators(few: &[u8]) -> u8 {
    few.iter().map(|byte| u8::from(matches!(byte, b',' | b':' | b'[' | b'{'))).sum()
}

fn too_large(most: usize) -> Problem {
    Problem::new(Kind::BodyTooLarge, format!("The body is longer than the {most} bytes that are taken here."))
}

fn too_slow() -> Problem {
    Problem::new(Kind::RequestTimeout, "The body did not arrive in time.")
}

fn no_memory() -> Problem {
    Problem::new(Kind::Unavailable, "Too much is being read at once. Nothing was accepted; come again.")
        .with_retry_after(COME_AGAIN)
        .counted_as("body_memory")
}
