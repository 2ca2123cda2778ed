//! The faults as the control call takes them: a JSON object with the `kind`, the terms on which it
//! strikes, and the members of its kind. What is not known is refused by name.

use axum::http::{HeaderValue, StatusCode};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::sandbox::Simulator;

/// What happens to a request. "Processed" means that the simulator does what it is asked, so that
/// its books change; the others never reach it, and only its meter counts them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Kind {
    /// The connection is reset when only the head of the request has been read.
    ResetBeforeRead {},
    /// Processed; then the connection is closed without a byte of an answer.
    CommitThenDrop {},
    /// No answer for `delayMs`, then the connection is closed.
    Silence {
        #[serde(default)]
        commit: bool,
    },
    /// Processed; the head of the answer with its whole length, half of its body, then the end of
    /// the connection.
    HalfAnswer {},
    /// Processed; a proper HTTP answer with half of the body.
    #[serde(alias = "truncated_xml")]
    TruncatedBody {},
    /// A page in HTML, as from a proxy.
    Html {
        #[serde(default = "bad_gateway", deserialize_with = "final_status")]
        status: StatusCode,
        #[serde(default)]
        commit: bool,
    },
    /// A bare status with a few words.
    Status {
        #[serde(default = "internal_server_error", deserialize_with = "final_status")]
        status: StatusCode,
        retry_after_seconds: Option<u64>,
        #[serde(default)]
        commit: bool,
    },
    /// Processed; the answer has a DOCTYPE that declares entities, one of them a file.
    DoctypeBomb {},
    /// Processed; the answer has a DOCTYPE, and an entity that is three thousand million others.
    EntityBomb {},
    /// Processed; the answer says that it is GBK, and is no UTF-8.
    WrongEncoding {},
    /// Processed; the answer is followed by white space up to this size, its length unannounced.
    HugeAnswer {
        #[serde(default = "a_hundred_mebibytes")]
        bytes: u64,
    },
    /// Processed; as `huge_answer`, packed into a small one.
    GzipBomb {
        #[serde(default = "a_hundred_mebibytes")]
        bytes: u64,
    },
    /// The answer sends the sender elsewhere, with all that it sent.
    Redirect {
        #[serde(deserialize_with = "header_value")]
        location: HeaderValue,
    },
    /// The answer is this text.
    ReplaceBody {
        body: String,
        #[serde(default = "ok", deserialize_with = "final_status")]
        status: StatusCode,
        #[serde(default, deserialize_with = "content_type")]
        content_type: Option<HeaderValue>,
        #[serde(default = "yes")]
        commit: bool,
    },
    /// The simulator refuses the request as a whole with this code; with `commit` after it has done
    /// what it was asked.
    AnswerCode {
        code: String,
        #[serde(default)]
        commit: bool,
    },
    /// The simulator answers orders with this code, instead of processing them or, with `commit`,
    /// beside what it answers anyway. `status` is in the provider's own word.
    ItemCode {
        code: String,
        status: Option<String>,
        #[serde(default)]
        commit: bool,
    },
    /// Processed; an order is left out of the answer.
    ItemMissing {},
    /// Processed; the answer names an order that nobody asked for.
    ItemUnasked {},
    /// Processed; an order is in the answer twice.
    ItemTwice {},
    /// Processed, and answered after `delayMs`.
    Slow {},
    /// The session that the request comes with ends just before it is processed, so that it is
    /// refused as all later ones are until there is a new session.
    #[serde(alias = "session_expired")]
    SessionKilled {},
    /// Strikes no request: a call back is made twice.
    CallbackDuplicate {},
    /// Strikes no request: before a call back somebody makes the same who has not the secret that proves it.
    CallbackForged {},
    /// Strikes no request: of the calls back of one occasion the newest is made first; one that is
    /// alone is kept back until there is a newer one.
    CallbackDisorder {},
}

impl Kind {
    pub fn is_processed(&self) -> bool {
        match self {
            Self::ResetBeforeRead {} | Self::Redirect { .. } => false,
            Self::AnswerCode { commit, .. }
            | Self::Silence { commit }
            | Self::Html { commit, .. }
            | Self::Status { commit, .. }
            | Self::ReplaceBody { commit, .. } => *commit,
            Self::CommitThenDrop {}
            | Self::HalfAnswer {}
            | Self::TruncatedBody {}
            | Self::DoctypeBomb {}
            | Self::EntityBomb {}
            | Self::WrongEncoding {}
            | Self::HugeAnswer { .. }
            | Self::GzipBomb { .. }
            | Self::ItemCode { .. }
            | Self::ItemMissing {}
            | Self::ItemUnasked {}
            | Self::ItemTwice {}
            | Self::Slow {}
            | Self::SessionKilled {}
            | Self::CallbackDuplicate {}
            | Self::CallbackForged {}
            | Self::CallbackDisorder {} => true,
        }
    }

    fn default_delay_ms(&self) -> u64 {
        match self {
            Self::Silence { .. } => 60_000,
            Self::Slow {} => 5_000,
            _ => 0,
        }
    }

    /// Whether the simulator's answers at this endpoint have what this kind changes.
    pub fn suits(&self, simulator: &dyn Simulator, endpoint: &str) -> bool {
        match self {
            Self::AnswerCode { code, commit: _ } => simulator.refusal(endpoint, code).is_some(),
            Self::ItemCode { .. } | Self::ItemMissing {} | Self::ItemUnasked {} | Self::ItemTwice {} => {
                simulator.items(endpoint).is_some()
            }
            Self::SessionKilled {} => simulator.sessions(endpoint).is_some(),
            Self::CallbackDuplicate {} | Self::CallbackForged {} | Self::CallbackDisorder {} => false,
            _ => true,
        }
    }

    /// Whether it is about calls back, and not about requests.
    pub fn is_of_calls(&self) -> bool {
        matches!(self, Self::CallbackDuplicate {} | Self::CallbackForged {} | Self::CallbackDisorder {})
    }
}

/// On which requests a fault strikes; members that every kind has.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Terms {
    endpoint: Option<String>,
    order_number: Option<String>,
    probability: Option<f64>,
    times: Option<u64>,
    delay_ms: Option<u64>,
}

const TERMS: [&str; 5] = ["endpoint", "orderNumber", "probability", "times", "delayMs"];

/// A fault that a simulator can have.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// As it was given, for showing it.
    pub given: Map<String, Value>,
    pub kind: Kind,
    /// Only on this endpoint.
    pub endpoint: Option<String>,
    /// Only on requests that hold the order with this number of ours, and only on that order where
    /// the kind concerns one order.
    pub order_number: Option<String>,
    pub probability: f64,
    /// How often at most.
    pub times: Option<u64>,
    pub delay_ms: u64,
}

impl Fault {
    /// Reads a fault for this simulator, or says in words why it is none.
    pub fn read(given: Value, simulator: &dyn Simulator) -> Result<Self, String> {
        let Value::Object(given) = given else {
            return Err("a fault is a JSON object".to_owned());
        };
        let (terms, mut members): (Map<_, _>, Map<_, _>) =
            given.clone().into_iter().partition(|(name, _)| TERMS.contains(&name.as_str()));
        let Some(Value::String(kind)) = members.remove("kind") else {
            return Err("a fault has a kind, which is a text".to_owned());
        };
        let hint = format!("every kind takes {}", TERMS.join(", "));
        let terms: Terms = serde_json::from_value(terms.into()).map_err(|error| format!("{kind}: {error}"))?;
        // Tagged from outside, serde names the members of this kind alone.
        let tagged = Value::Object(Map::from_iter([(kind.clone(), members.into())]));
        let kind_read: Kind = serde_json::from_value(tagged).map_err(|error| format!("{kind}: {error}; {hint}"))?;

        let Terms { endpoint, order_number, probability, times, delay_ms } = terms;
        let probability = probability.unwrap_or(1.0);
        if !(0.0..=1.0).contains(&probability) {
            return Err(format!("{kind}: probability is not within 0 to 1"));
        }
        let of_calls = kind_read.is_of_calls();
        if of_calls && (simulator.calling().is_none() || endpoint.is_some()) {
            return Err(format!("{kind}: {} calls nobody at an endpoint of its own", simulator.id()));
        }
        let known = simulator.endpoints().iter().map(|it| it.name);
        if let Some(endpoint) = &endpoint
            && !known.clone().any(|name| name == endpoint)
        {
            let known = known.collect::<Vec<_>>().join(", ");
            return Err(format!("{kind}: endpoint is none of {known}"));
        }
        let mut endpoints = known.filter(|name| endpoint.as_deref().is_none_or(|only| only == *name));
        if !of_calls && !endpoints.any(|name| kind_read.suits(simulator, name)) {
            return Err(format!("{kind}: {} has no answers there that this kind could change", simulator.id()));
        }
        let delay_ms = delay_ms.unwrap_or(kind_read.default_delay_ms());
        Ok(Self { given, kind: kind_read, endpoint, order_number, probability, times, delay_ms })
    }
}

fn ok() -> StatusCode {
    StatusCode::OK
}

fn bad_gateway() -> StatusCode {
    StatusCode::BAD_GATEWAY
}

fn internal_server_error() -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}

fn a_hundred_mebibytes() -> u64 {
    100 * 1024 * 1024
}

fn yes() -> bool {
    true
}

/// A status that ends an exchange: not one of the 1xx.
fn final_status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<StatusCode, D::Error> {
    let number = u16::deserialize(deserializer)?;
    match StatusCode::from_u16(number) {
        Ok(status) if !status.is_informational() => Ok(status),
        _ => Err(serde::de::Error::custom(format!("{number} is no final status of HTTP"))),
    }
}

fn header_value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<HeaderValue, D::Error> {
    HeaderValue::try_from(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

fn content_type<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<HeaderValue>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| HeaderValue::try_from(text).map_err(serde::de::Error::custom)).transpose()
}
