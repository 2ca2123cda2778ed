//! Batches on their way to the gateway: what it cannot take now goes again, what is too large goes in parts.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::batch::{Placed, body_of, key_of};
use super::report::Report;
use crate::backoff::{Backoff, uniform};
use crate::cli::exit::Failure;
use crate::cli::remote::{Answer, Call, Gateway};

/// Between two tries of what the gateway cannot take, where it does not say.
const AGAIN: Backoff = Backoff { base: Duration::from_secs(2), cap: Duration::from_secs(30) };

/// How often a request is tried that the gateway fails at.
const MOST_FAULTS: i32 = 3;

/// Sends batches.
pub struct Sender<'a> {
    gateway: &'a Gateway,
    validate_only: bool,
    /// How long nothing may get on before it is given up
    patience: Duration,
    stop: &'a CancellationToken,
    /// When something got on last
    progress: Instant,
    /// The gateway has answered before: it will again
    reached: bool,
    tries: i32,
}

/// How the sending of a batch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    Sent,
    /// Somebody wants it to end
    Stopped,
}

/// Orders of a batch that go in one request.
struct Portion {
    orders: Vec<Placed>,
    /// How often they came and were not accepted
    round: u32,
}

impl<'a> Sender<'a> {
    pub fn new(gateway: &'a Gateway, validate_only: bool, patience: Duration, stop: &'a CancellationToken) -> Self {
        Sender { gateway, validate_only, patience, stop, progress: Instant::now(), reached: false, tries: 0 }
    }

    /// Sends a batch until each of its orders has an answer, and reports the answers.
    pub async fn send(&mut self, orders: Vec<Placed>, report: &mut Report) -> anyhow::Result<Flow> {
        // Input that was long in coming is no lack of progress.
        self.got_on();
        let mut portions = VecDeque::from([Portion { orders, round: 0 }]);
        while let Some(portion) = portions.pop_front() {
            let Some(answer) = self.post(&portion, report).await? else { return Ok(Flow::Stopped) };
            let Portion { mut orders, round } = portion;
            if answer.status == 413 && orders.len() > 1 {
                let second = orders.split_off(orders.len().div_ceil(2));
                portions.push_front(Portion { orders: second, round });
                portions.push_front(Portion { orders, round });
                continue;
            }
            if answer.status == 413 {
                for placed in orders {
                    report.refused(&placed, answer.status, &answer.problem().document)?;
                }
                continue;
            }
            let is_replay = answer.is_replay();
            let items = answer.success()?.body;
            let items = items["items"].as_array().map_or(&[][..], Vec::as_slice);
            let again = self.report(orders, items, is_replay, report)?;
            if again.is_empty() {
                continue;
            }
            // What a run before this one was answered need not be waited for again.
            if !is_replay && !self.wait(None, "the queue is full", report).await {
                return Ok(Flow::Stopped);
            }
            portions.push_front(Portion { orders: again, round: round + 1 });
        }
        Ok(Flow::Sent)
    }

    /// Reports what became of each order; gives those that go again. Of this run's answers these are the ones for which
    /// there was no room, while there is patience. Of those of a run before this one it is all that was refused: what
    /// stood in its way may have been put right, and the gateway repeats what it said under a key.
    fn report(
        &mut self,
        orders: Vec<Placed>,
        items: &[Value],
        is_replay: bool,
        report: &mut Report,
    ) -> anyhow::Result<Vec<Placed>> {
        let mut again = Vec::new();
        let has_patience = self.has_patience();
        for (number, placed) in orders.into_iter().enumerate() {
            let item = items.get(number).unwrap_or(&Value::Null);
            match item["status"].as_u64() {
                Some(200 | 202) => {
                    self.got_on();
                    report.accepted(&placed, item, is_replay)?;
                }
                Some(429) if has_patience => again.push(placed),
                _ if is_replay => again.push(placed),
                status => {
                    let status = status.and_then(|status| u16::try_from(status).ok()).unwrap_or(500);
                    report.refused(&placed, status, &item["problem"])?;
                }
            }
        }
        Ok(again)
    }

    /// Posts a request until it has an answer that says something of it; nothing when somebody wants it to end.
    async fn post(&mut self, portion: &Portion, report: &Report) -> anyhow::Result<Option<Answer>> {
        let orders: Vec<&Placed> = portion.orders.iter().collect();
        let body = body_of(&orders);
        let key = key_of(&orders, portion.round, &body);
        let call = Call::post("/v1/orders/batch", body);
        let call =
            if self.validate_only { call.query("validateOnly", "true") } else { call.header("idempotency-key", key) };
        loop {
            if self.stop.is_cancelled() {
                return Ok(None);
            }
            // What has begun is brought to its end, also when somebody wants to go.
            let (wait, why) = match self.gateway.ask_once(&call).await {
                Ok(answer) if self.passes(&answer) && self.has_patience() => {
                    self.reached = true;
                    (answer.retry_after(), answer.problem().document["title"].as_str().unwrap_or_default().to_owned())
                }
                Ok(answer) if matches!(answer.status, 429 | 503) => {
                    let seconds = self.patience.as_secs();
                    let why = answer.problem();
                    return Err(Failure::Unreachable(format!("the gateway took nothing for {seconds} s: {why}")).into());
                }
                Ok(answer) => {
                    self.reached = true;
                    if answer.status == 207 {
                        self.tries = 0;
                    }
                    return Ok(Some(answer));
                }
                Err(Failure::Unreachable(why)) if self.reached && self.has_patience() => (None, why),
                Err(failure) => return Err(failure.into()),
            };
            if !self.wait(wait, &why, report).await {
                return Ok(None);
            }
        }
    }

    /// Whether an answer says nothing of the request, and the same request may have another one later.
    fn passes(&self, answer: &Answer) -> bool {
        match answer.status {
            408 | 429 | 502 | 503 | 504 => true,
            409 => answer.problem().kind() == "idempotency-in-progress",
            // A fault may be one that comes each time.
            500 => self.tries < MOST_FAULTS,
            _ => false,
        }
    }

    fn has_patience(&self) -> bool {
        self.progress.elapsed() < self.patience
    }

    fn got_on(&mut self) {
        self.progress = Instant::now();
        self.tries = 0;
    }

    /// Waits before the next try; false when somebody wants it to end.
    async fn wait(&mut self, asked: Option<Duration>, why: &str, report: &Report) -> bool {
        self.tries += 1;
        let wait = asked.unwrap_or_else(|| AGAIN.after(self.tries, uniform()));
        report.waits(wait, why);
        tokio::select! {
            () = tokio::time::sleep(wait) => true,
            () = self.stop.cancelled() => false,
        }
    }
}
