//! What goes between the shared code and an adapter: items to send, the request that carries them, the
//! answer, and what the answer says of each item.

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::account::Account;
use super::mask::MASK;
use super::profile::Endpoint;
use crate::canonical::{EventType, FieldError, Operation, Order, OrderStatus, SubmissionResult};

/// Items that go to one endpoint of one account in one request.
pub struct Batch<'a> {
    pub endpoint: &'static Endpoint,
    pub account: &'a Account,
    pub items: &'a [Item<'a>],
}

/// One operation on one order.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    pub operation: Operation,
    /// The whole document as it shall stand at the provider
    pub order: &'a Order,
    /// The merge patch (RFC 7396) that this operation adds to what stands at the provider, where it is a change
    pub change: Option<&'a Value>,
    /// The document as it stands at the provider before the change; nothing where there is no change, or where
    /// the whole document is not known
    pub standing: Option<&'a Order>,
    /// The number that the provider assigned, once it is known
    pub provider_order_number: Option<&'a str>,
    /// The order was made outside the gateway: the provider need not know it by our number
    pub adopted: bool,
    /// For `create_trip`: what goes on the vehicle; `order` is the first of its orders
    pub trip: Option<Trip<'a>>,
}

impl<'a> Item<'a> {
    /// The creation of an order.
    pub fn create(order: &'a Order) -> Self {
        Item {
            operation: Operation::Create,
            order,
            change: None,
            standing: None,
            provider_order_number: None,
            adopted: false,
            trip: None,
        }
    }
}

/// Several orders on one vehicle.
#[derive(Debug, Clone, Copy)]
pub struct Trip<'a> {
    pub orders: &'a [Order],
    /// Mobile number of the driver, as the caller wrote it
    pub driver_phone: &'a str,
}

/// A request in bytes.
#[derive(Clone)]
pub struct Request {
    pub method: &'static str,
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    /// Names of the headers whose values are secret
    pub secret_headers: &'static [&'static str],
    /// Names of the URL's parameters whose values are secret
    pub secret_parameters: &'static [&'static str],
    pub body: Vec<u8>,
    /// Where secrets stand in the body, in ascending order
    pub secrets: Vec<Range<usize>>,
}

impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} {:?} ", self.method, self.masked_url(), self.masked_headers())?;
        formatter.write_str(&String::from_utf8_lossy(&self.masked_body()))
    }
}

impl Request {
    /// The URL, secret values masked.
    pub fn masked_url(&self) -> String {
        let Some((path, query)) = self.url.split_once('?') else { return self.url.clone() };
        let masked = query.split('&').map(|parameter| match parameter.split_once('=') {
            Some((name, _)) if self.secret_parameters.contains(&name) => format!("{name}={MASK}"),
            _ => parameter.to_owned(),
        });
        format!("{path}?{}", masked.collect::<Vec<_>>().join("&"))
    }

    /// The headers, secret values masked.
    pub fn masked_headers(&self) -> Vec<(String, String)> {
        self.headers
            .iter()
            .map(|(name, value)| {
                let secret = self.secret_headers.iter().any(|header| header.eq_ignore_ascii_case(name));
                ((*name).to_owned(), if secret { MASK.to_owned() } else { value.clone() })
            })
            .collect()
    }

    /// Every secret in it, in the form in which it is sent.
    pub fn secrets_as_sent(&self) -> Vec<&[u8]> {
        let is_secret = |name: &str| self.secret_headers.iter().any(|header| header.eq_ignore_ascii_case(name));
        let headers = self.headers.iter().filter(|(name, _)| is_secret(name)).map(|(_, value)| {
            // Behind the scheme, which is none.
            value.split_once(' ').map_or(value.as_str(), |(_, secret)| secret)
        });
        let query = self.url.split_once('?').map(|(_, query)| query).unwrap_or_default();
        let parameters = query.split('&').filter_map(|parameter| parameter.split_once('='));
        let parameters = parameters.filter(|(name, _)| self.secret_parameters.contains(name)).map(|(_, value)| value);
        let body = self.secrets.iter().filter_map(|range| self.body.get(range.clone()));
        headers.chain(parameters).map(str::as_bytes).chain(body).collect()
    }

    /// The body, secrets masked.
    pub fn masked_body(&self) -> Vec<u8> {
        let mut masked = Vec::with_capacity(self.body.len());
        let mut from = 0;
        for range in &self.secrets {
            masked.extend_from_slice(&self.body[from..range.start]);
            masked.extend_from_slice(MASK.as_bytes());
            from = range.end;
        }
        masked.extend_from_slice(&self.body[from..]);
        masked
    }
}

/// What an encoder made of a batch.
pub struct Encoding {
    /// Nothing when every item was refused
    pub request: Option<Request>,
    /// One for each item of the batch, in its order
    pub items: Vec<ItemEncoding>,
}

/// What an encoder made of one item.
#[derive(Debug, Default)]
pub struct ItemEncoding {
    /// Why the item is not in the request; empty when it is
    pub refusals: Vec<FieldError>,
    /// What the caller should know about how it was carried
    pub notices: Vec<SubmissionResult>,
}

/// Where a canonical member went in the provider's document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Lineage {
    /// RFC 6901 pointer into the canonical order
    pub pointer: String,
    /// Path in the provider's document
    pub target: String,
    /// How it was converted, where it was
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub note: Option<&'static str>,
}

/// Records what became of each canonical member, as far as somebody reads that.
#[derive(Debug, Default)]
pub struct Trace {
    extent: Extent,
    lineage: Vec<Lineage>,
    carried: Pointers,
}

/// Pointers, looked up by a hash that is fast for short texts.
pub type Pointers = HashSet<String, ahash::RandomState>;

/// More members than most orders have.
const MOST_MEMBERS: usize = 100;

/// How much is recorded.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Extent {
    #[default]
    Nothing,
    Members,
    Lineage,
}

impl Trace {
    /// Which members are carried, and where each of them goes.
    pub fn on() -> Self {
        Trace::of(Extent::Lineage)
    }

    /// Which members are carried, for somebody who does not look at the document: a writer may leave its text out.
    pub fn of_members() -> Self {
        Trace::of(Extent::Members)
    }

    fn of(extent: Extent) -> Self {
        let carried = Pointers::with_capacity_and_hasher(MOST_MEMBERS, ahash::RandomState::default());
        Trace { extent, carried, lineage: Vec::new() }
    }

    /// Nothing, as on the way out.
    pub fn off() -> Self {
        Trace::default()
    }

    pub fn is_on(&self) -> bool {
        self.extent != Extent::Nothing
    }

    /// Whether the document itself is wanted.
    pub fn wants_document(&self) -> bool {
        self.extent != Extent::Members
    }

    /// Whether it is recorded where members go.
    pub fn has_lineage(&self) -> bool {
        self.extent == Extent::Lineage
    }

    /// The member went to `target`.
    pub fn carried(&mut self, pointer: impl Into<String>, target: impl FnOnce() -> String, note: Option<&'static str>) {
        if !self.is_on() {
            return;
        }
        let pointer = pointer.into();
        if self.has_lineage() {
            self.lineage.push(Lineage { pointer: pointer.clone(), target: target(), note });
        }
        self.carried.insert(pointer);
    }

    /// `target` was computed from the member; that alone does not carry it.
    pub fn derived(&mut self, pointer: impl Into<String>, target: impl FnOnce() -> String, note: &'static str) {
        if self.has_lineage() {
            self.lineage.push(Lineage { pointer: pointer.into(), target: target(), note: Some(note) });
        }
    }

    /// The member has no place of its own, and what it says holds anyway.
    pub fn implied(&mut self, pointer: impl Into<String>) {
        if self.is_on() {
            self.carried.insert(pointer.into());
        }
    }

    pub fn into_parts(self) -> (Vec<Lineage>, Pointers) {
        (self.lineage, self.carried)
    }
}

/// A provider's answer.
pub struct Answer<'a> {
    /// HTTP status
    pub status: u16,
    /// `Retry-After`, where the provider sent one that could be read
    pub retry_after: Option<Duration>,
    pub body: &'a [u8],
}

/// What an answer says of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub verdict: Verdict,
    pub provider_order_number: Option<String>,
    /// Where the order stands now, where the answer says so
    pub status: Option<OrderStatus>,
    /// What happened to the order, where something did
    pub event: Option<EventType>,
    pub results: Vec<SubmissionResult>,
    /// For an accepted `create_trip`: the numbers that the provider gave
    pub trip: Option<TripNumbers>,
}

impl Outcome {
    /// A verdict that comes with results only.
    pub fn only(verdict: Verdict, results: Vec<SubmissionResult>) -> Self {
        Outcome { verdict, provider_order_number: None, status: None, event: None, results, trip: None }
    }
}

/// The numbers of a trip at its provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TripNumbers {
    pub trip: String,
    /// One for each order, in the order of the request
    pub orders: Vec<String>,
}

/// The verdict on one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It stands at the provider as it was sent.
    Accepted,
    /// The provider holds it, but not as a whole.
    PartiallyAccepted,
    /// The provider refused it; nothing changed there.
    Rejected,
    /// The provider refused a create because the order exists: a success if an earlier attempt may have
    /// made it, else a rejection.
    AlreadyExists,
    /// Nothing was done because requests came too often. Costs the order no attempt.
    Throttled { retry_after: Option<Duration> },
    /// Nothing was done because the credentials were refused.
    CredentialsRefused,
    /// Nothing was done because the session is dead. Costs the order no attempt.
    SessionExpired,
    /// Nothing was done because the request as a whole held too many items.
    BatchTooLarge,
    /// The request was refused as a whole for the sake of one or some of its items: each goes by itself, and
    /// costs no attempt. Never the verdict on a single item.
    SendSingly,
    /// Nothing was done, and the same may succeed soon.
    RetrySoon,
    /// Nothing was done, and the same may succeed after a longer wait.
    RetryLater,
    /// Nothing was done for a cause that the provider does not name: a few tries.
    RetryFewTimes,
    /// The answer could not be read, or says nothing about this item.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_shows_no_secret_and_knows_each_as_it_is_sent() {
        let request = Request {
            method: "POST",
            url: "https://tms.example.com/orders?access_token=a%20token&page=1".to_owned(),
            headers: vec![("Authorization", "Basic dXNlcg==".to_owned()), ("accept", "text/xml".to_owned())],
            secret_headers: &["authorization"],
            secret_parameters: &["access_token"],
            body: br#"{"password":"p\"w","sign":"s"}"#.to_vec(),
            secrets: vec![13..17, 27..28],
        };
        let secrets: Vec<_> = request.secrets_as_sent().into_iter().map(String::from_utf8_lossy).collect();
        assert_eq!(secrets, ["dXNlcg==", "a%20token", r#"p\"w"#, "s"]);
        let shown = format!("{request:?}");
        assert!(!shown.contains("dXNlcg") && !shown.contains("token&") && !shown.contains(r#"p\"w"#), "{shown}");
        assert!(
            shown.contains("access_token=***&page=1") && shown.contains(r#""password":"***","sign":"***""#),
            "{shown}"
        );
    }
}
