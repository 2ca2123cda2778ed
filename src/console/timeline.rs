//! The history of an order: events, exchanges with its provider and the provider's calls, in the order of time.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::failure::Failure;
use super::language::{Language, fill, texts};
use super::moment::{Moment, milliseconds};
use super::pretty::Pretty;
use super::reading::{Answered, Attempt, Attempts, Callback, Content, Encoding, Event, Page, Sent, Submission};
use super::visitor::Visitor;
use super::words::{Badge, Tone, event_tone, event_word, operation_word};
use crate::canonical::{HoldReason, SubmissionState};

/// Events of an order that are shown; hardly any order has more.
const MOST_EVENTS: usize = 1000;
/// Submissions whose exchanges are shown
const MOST_SUBMISSIONS: usize = 20;
const MOST_CALLBACKS: i64 = 50;

texts! {
    event: "Event", "事件";
    exchange: "Exchange", "报文往来";
    callback: "Callback", "回调";
    attempt: "{} · attempt {}", "{} · 第 {} 次尝试";
    batch: "Sent together with {} others", "与其他 {} 个提交一同发送";
    not_sent: "Nothing left: it is in no doubt", "未发出任何内容";
    under_way: "Under way", "进行中";
    bytes: "{} bytes", "{} 字节";
    removed: "Removed by age", "已按保留期限删除";
    binary: "Not text: download it.", "非文本内容，请下载。";
    called: "The provider called", "服务商回调";
}

/// Something that happened.
pub struct Entry {
    pub at: DateTime<Utc>,
    pub moment: Moment,
    pub tone: Tone,
    /// Event, exchange or callback
    pub kind: &'static str,
    pub title: String,
    /// The page of what is told
    pub link: Option<String>,
    /// Further words
    pub notes: Vec<String>,
    pub badge: Option<Badge>,
    /// What an event says
    pub data: Option<Pretty>,
    /// What went over the wire, outwards and back
    pub bodies: Vec<Body>,
}

/// One direction of an exchange.
pub struct Body {
    pub is_request: bool,
    /// Method and address, or status
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub size: String,
    pub pretty: Option<Pretty>,
    /// Why there is nothing to show
    pub instead: Option<&'static str>,
    /// Only the beginning was kept
    pub was_truncated: bool,
    /// Where all of it is
    pub download: Option<String>,
}

/// What happened to an order.
pub struct History {
    /// Oldest first
    pub entries: Vec<Entry>,
    /// Exchanges that were removed by age
    pub removed: i64,
}

/// Everything that happened, as far as it is kept.
pub async fn of_order(visitor: &Visitor, order: Uuid, submissions: &[Submission]) -> Result<History, Failure> {
    let mut entries = events(visitor, order).await?;
    let mut gone = 0;
    for submission in submissions.iter().rev().take(MOST_SUBMISSIONS) {
        let attempts: Attempts = visitor.get(&format!("/v1/submissions/{}/attempts", submission.id)).await?;
        gone += attempts.removed;
        entries.extend(attempts.items.into_iter().map(|attempt| exchange(visitor, submission, attempt)));
    }
    if visitor.may_administer() {
        for id in visitor.console.app.store.callbacks_of_order(order, MOST_CALLBACKS).await? {
            let callback: Callback = visitor.get(&format!("/v1/callbacks/{id}")).await?;
            entries.push(call(visitor, callback));
        }
    }
    entries.sort_by_key(|entry| entry.at);
    Ok(History { entries, removed: gone })
}

async fn events(visitor: &Visitor, order: Uuid) -> Result<Vec<Entry>, Failure> {
    let t = Texts::of(visitor.language);
    let mut entries = Vec::new();
    let mut address = format!("/v1/orders/{order}/events?limit=200");
    while entries.len() < MOST_EVENTS {
        let Page { items, next_cursor } = visitor.get::<Page<Event>>(&address).await?;
        entries.extend(items.into_iter().map(|event| Entry {
            at: event.time,
            moment: Moment::new(event.time, visitor.now, visitor.language),
            tone: event_tone(event.r#type),
            kind: t.event,
            title: event_word(event.r#type, visitor.language).to_owned(),
            link: None,
            notes: vec![event.r#type.to_string()],
            badge: None,
            data: (event.data != Value::Null).then(|| Pretty::json(&event.data)),
            bodies: Vec::new(),
        }));
        let Some(cursor) = next_cursor else { break };
        address = format!("/v1/orders/{order}/events?limit=200&cursor={cursor}");
    }
    Ok(entries)
}

fn exchange(visitor: &Visitor, submission: &Submission, attempt: Attempt) -> Entry {
    let language = visitor.language;
    let t = Texts::of(language);
    let Attempt { number, batch_size, endpoint, outcome, request, response, error, claimed_at, sent_at, answered_at } =
        attempt;
    let mut notes = vec![endpoint];
    notes.extend(sent_at.zip(answered_at).map(|(sent, answered)| milliseconds(answered - sent)));
    notes.extend((batch_size > 1).then(|| fill(t.batch, batch_size - 1)));
    notes.extend(error);
    match outcome {
        None => notes.push(t.under_way.to_owned()),
        Some(_) if sent_at.is_none() => notes.push(t.not_sent.to_owned()),
        Some(_) => {}
    }
    let download = |direction: &str| format!("/console/submissions/{}/attempts/{number}/{direction}", submission.id);
    let sent = request.map(|Sent { method, url, headers, body }| {
        Body::new(true, format!("{method} {url}"), headers, body, download("request"), language)
    });
    let answered = response.map(|Answered { status, headers, body }| {
        Body::new(false, format!("HTTP {status}"), headers, body, download("response"), language)
    });
    let at = sent_at.unwrap_or(claimed_at);
    Entry {
        at,
        moment: Moment::new(at, visitor.now, language),
        tone: outcome.map_or(Tone::Busy, |state| Badge::of_submission(state, language).tone),
        kind: t.exchange,
        title: fill(&fill(t.attempt, operation_word(submission.operation, language)), number),
        link: None,
        notes,
        badge: outcome.map(|state| Badge::of_submission(state, language)),
        data: None,
        bodies: sent.into_iter().chain(answered).collect(),
    }
}

fn call(visitor: &Visitor, callback: Callback) -> Entry {
    let language = visitor.language;
    let t = Texts::of(language);
    let Callback { id, state, reason, received_at, headers, body } = callback;
    let badge = Badge::of_callback(state, language);
    Entry {
        at: received_at,
        moment: Moment::new(received_at, visitor.now, language),
        tone: badge.tone,
        kind: t.callback,
        title: t.called.to_owned(),
        link: Some(format!("/console/callbacks/{id}")),
        notes: reason.map(|reason| language.choose(reason.detail, reason.detail_zh)).into_iter().collect(),
        badge: Some(badge),
        data: None,
        bodies: vec![Body::new(true, String::new(), headers, body, format!("/console/callbacks/{id}/body"), language)],
    }
}

impl Body {
    fn new(
        is_request: bool,
        line: String,
        headers: Vec<(String, String)>,
        content: Option<Content>,
        download: String,
        language: Language,
    ) -> Self {
        let t = Texts::of(language);
        let Some(content) = content else {
            return Body {
                is_request,
                line,
                headers,
                size: String::new(),
                pretty: None,
                instead: Some(t.removed),
                was_truncated: false,
                download: None,
            };
        };
        let is_text = content.encoding == Encoding::Text;
        Body {
            is_request,
            line,
            headers,
            size: fill(t.bytes, content.size),
            pretty: (is_text && content.size > 0).then(|| Pretty::text(&content.content)),
            instead: (!is_text).then_some(t.binary),
            was_truncated: content.truncated,
            download: (content.size > 0).then_some(download),
        }
    }
}

/// Whether a person may put it back into the queue.
pub fn may_be_retried(state: SubmissionState) -> bool {
    matches!(state, SubmissionState::Dead | SubmissionState::Rejected | SubmissionState::InDoubt)
}

/// Whether what holds it is for a person to look at.
pub fn needs_a_look(reason: HoldReason) -> bool {
    matches!(reason, HoldReason::AccountPaused | HoldReason::CircuitOpen)
}
