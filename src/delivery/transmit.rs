//! One request on its way to a provider and its answer, as the audit trail keeps both.

use tokio::time::Instant;

use super::account::Opened;
use super::send::{Received, SendError};
use super::{DEADLINE, Delivery};
use crate::metrics::EXCHANGE_DURATION;
use crate::provider::{Mask, Request};
use crate::store::exchanges::PackedBody;
use crate::store::settle::{ExchangeRecord, ResponseRecord};

/// A request that is ready to go, with all that is kept of it: nothing of that is left to be made between its answer and
/// its settlement.
pub struct Outgoing {
    request: Request,
    /// Secrets masked
    url: String,
    /// Secrets masked
    headers: Vec<(String, String)>,
    /// Secrets masked
    body: PackedBody,
    mask: Mask,
}

impl Outgoing {
    pub fn of(opened: &Opened, request: Request) -> Self {
        Outgoing {
            url: request.masked_url(),
            headers: request.masked_headers(),
            body: PackedBody::pack(&request.masked_body()),
            mask: opened.mask(&request),
            request,
        }
    }
}

/// A request that went out, and what came of it.
pub struct Transmission {
    /// Secrets masked
    pub record: ExchangeRecord,
    pub answer: Result<Received, SendError>,
    /// For what is said of the answer: a provider may repeat what it was sent
    pub mask: Mask,
}

impl Delivery {
    /// Sends a request and waits for the answer.
    pub(super) async fn transmit(&self, opened: &Opened, endpoint: &str, outgoing: Outgoing) -> Transmission {
        let Outgoing { request, url, headers, body, mask } = outgoing;
        let account = &opened.account;
        let deadline = DEADLINE.min(std::time::Duration::from_secs(account.common.request_timeout_seconds.into()));
        let sent = Instant::now();
        let answer = self.inner.sender.send(&request, deadline).await;
        let took = sent.elapsed();
        EXCHANGE_DURATION.record_time([&account.id, endpoint], took);
        let answer = answer.map_err(|error| error.masked(&mask));
        let record = ExchangeRecord {
            method: request.method,
            url,
            request_headers: headers,
            request_body: body,
            sent,
            took,
            response: answer.as_ref().ok().map(|received| response_record(received, &mask)),
        };
        Transmission { record, answer, mask }
    }
}

fn response_record(received: &Received, mask: &Mask) -> ResponseRecord {
    let headers = received
        .headers
        .iter()
        .map(|(name, value)| {
            let masked = name.eq_ignore_ascii_case("set-cookie");
            (name.clone(), if masked { "***".to_owned() } else { mask.text(value) })
        })
        .collect();
    ResponseRecord { status: received.status, headers, body: PackedBody::pack(&mask.bytes(&received.body)) }
}
