//! What providers called: a list by state, and first of all what is in quarantine.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;
use strum::VariantArray;
use uuid::Uuid;

use super::failure::Failure;
use super::frame::{Frame, Section};
use super::language::texts;
use super::moment::Moment;
use super::orders::account_choices;
use super::parts::{Choice, Filters, Pager};
use super::query::with_query;
use super::reading::{CallbackLine, Page};
use super::visitor::Visitor;
use super::words::{Badge, event_word};
use crate::canonical::CallbackState;

const PATH: &str = "/console/callbacks";

texts! {
    title: "Callbacks", "回调";
    quarantine: "Quarantine", "隔离";
    lead: "Every call of a provider is kept as it came. One that cannot be verified or read waits in quarantine for a person: put its cause right, then process it again.",
        "服务商的每次回调都按原文保存。无法验证或解析的回调会被隔离等待人工处理：排除原因后重新处理即可。";
    account: "Account", "账户";
    state: "State", "状态";
    why: "Why", "原因";
    told: "What it told", "通知内容";
    size: "Bytes", "字节";
    received: "Received", "收到时间";
    none_quarantined: "Nothing is in quarantine", "没有被隔离的回调";
    none_quarantined_advice: "What providers called was verified and read.", "服务商的回调均已通过验证并解析。";
    none: "No callbacks here", "没有回调";
    none_filtered: "None matches these filters.", "没有符合条件的回调。";
    none_yet: "They appear here as soon as a provider calls. Where it has to call stands on the page of each account.",
        "服务商回调后会显示在此处。回调地址见各账户页面。";
}

/// What is asked for.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Asked {
    account: Option<String>,
    state: Option<String>,
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "callbacks.html")]
struct CallbacksPage {
    frame: Frame,
    t: &'static Texts,
    title: &'static str,
    filters: Filters,
    rows: Vec<Row>,
    pager: Pager,
    is_quarantine: bool,
}

struct Row {
    id: Uuid,
    account: String,
    provider: String,
    state: Badge,
    /// In the page's language
    why: Vec<String>,
    told: Vec<&'static str>,
    size: i64,
    received: Moment,
}

/// `GET /console/callbacks`
pub async fn page(visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let language = visitor.language;
    let t = Texts::of(language);
    let filters = [("account", asked.account.as_deref()), ("state", asked.state.as_deref())];
    let parameters: Vec<_> = filters.iter().copied().chain([("cursor", asked.cursor.as_deref())]).collect();
    let callbacks: Page<CallbackLine> = visitor.get(&with_query("/v1/callbacks", &parameters)).await?;
    let states = CallbackState::VARIANTS.iter().map(|state| {
        Choice::new(<&str>::from(*state), Badge::of_callback(*state, language).word, asked.state.as_deref())
    });
    let next = callbacks.next_cursor.as_deref();
    let is_quarantine = asked.state.as_deref() == Some(CallbackState::Quarantined.into());
    let title = if is_quarantine { t.quarantine } else { t.title };
    let page = CallbacksPage {
        frame: visitor.frame(Section::Callbacks, title),
        t,
        title,
        pager: Pager::new(PATH, &filters, asked.cursor.as_deref(), next, language),
        filters: Filters::new(PATH, language).choice("state", t.state, states.collect()).choice(
            "account",
            t.account,
            account_choices(&visitor, asked.account.as_deref()).await?,
        ),
        is_quarantine,
        rows: callbacks.items.into_iter().map(|callback| Row::of(callback, &visitor)).collect(),
    };
    visitor.answer(&page)
}

impl Row {
    fn of(callback: CallbackLine, visitor: &Visitor) -> Self {
        let language = visitor.language;
        let CallbackLine { id, account, provider, state, reason, warnings, events, size, received_at, .. } = callback;
        let mut told: Vec<&'static str> = events.iter().map(|event| event_word(event.r#type, language)).collect();
        told.dedup();
        let reason = reason.map(|reason| language.choose(reason.detail, reason.detail_zh));
        let warnings = warnings.into_iter().map(|warning| language.choose(warning.detail, warning.detail_zh));
        Row {
            id,
            account,
            provider,
            state: Badge::of_callback(state, language),
            why: reason.into_iter().chain(warnings).collect(),
            told,
            size,
            received: Moment::new(received_at, visitor.now, language),
        }
    }
}
