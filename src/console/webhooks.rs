//! Webhook endpoints: where events are delivered, and whether that works.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;
use uuid::Uuid;

use super::failure::Failure;
use super::frame::{Frame, Section};
use super::language::{Language, texts};
use super::moment::Moment;
use super::parts::Pager;
use super::query::with_query;
use super::reading::{Page, WebhookEndpoint};
use super::visitor::Visitor;
use super::words::{Badge, Tone};

texts! {
    title: "Webhooks", "Webhook";
    lead: "Applications get events at these addresses, signed as Standard Webhooks says. What fails is tried again for 24 hours.",
        "事件按 Standard Webhooks 规范签名后推送到以下地址，失败后 24 小时内会自动重试。";
    endpoint: "Endpoint", "端点";
    state: "State", "状态";
    types: "Events", "事件";
    accounts: "Accounts", "账户";
    since: "Since", "始于";
    changed: "Changed", "更新时间";
    all_types: "All types", "全部类型";
    all_accounts: "All accounts", "全部账户";
    none: "No webhook endpoints", "没有 Webhook 端点";
    none_advice: "They are added with POST /v1/webhook-endpoints, which answers the secret that signs. Events can also be read from GET /v1/events.",
        "通过 POST /v1/webhook-endpoints 添加，响应中包含签名密钥。事件也可通过 GET /v1/events 读取。";
    works: "Works", "正常";
    failing: "Failing", "推送失败";
    disabled: "Disabled", "已停用";
}

/// What is asked for.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Asked {
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "webhooks.html")]
struct WebhooksPage {
    frame: Frame,
    t: &'static Texts,
    rows: Vec<Row>,
    pager: Pager,
}

struct Row {
    id: Uuid,
    url: String,
    description: Option<String>,
    state: Badge,
    since: Option<Moment>,
    types: String,
    accounts: String,
    changed: Moment,
}

/// `GET /console/webhooks`
pub async fn page(visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let language = visitor.language;
    let t = Texts::of(language);
    let cursor = asked.cursor.as_deref();
    let endpoints: Page<WebhookEndpoint> =
        visitor.get(&with_query("/v1/webhook-endpoints", &[("cursor", cursor)])).await?;
    let page = WebhooksPage {
        frame: visitor.frame(Section::Webhooks, t.title),
        t,
        pager: Pager::new("/console/webhooks", &[], cursor, endpoints.next_cursor.as_deref(), language),
        rows: endpoints.items.into_iter().map(|endpoint| Row::of(endpoint, &visitor)).collect(),
    };
    visitor.answer(&page)
}

/// Whether an endpoint gets anything.
pub fn badge(endpoint: &WebhookEndpoint, language: Language) -> Badge {
    let t = Texts::of(language);
    if !endpoint.enabled {
        Badge::new(Tone::Bad, t.disabled)
    } else if endpoint.failing_since.is_some() {
        Badge::new(Tone::Warning, t.failing)
    } else {
        Badge::new(Tone::Good, t.works)
    }
}

/// The types of events that an endpoint gets, and the accounts that they are about.
pub fn chosen(endpoint: &WebhookEndpoint, language: Language) -> (String, String) {
    let t = Texts::of(language);
    let words = |chosen: Option<&Vec<String>>, all: &str| chosen.map_or(all.to_owned(), |chosen| chosen.join(", "));
    (words(endpoint.types.as_ref(), t.all_types), words(endpoint.accounts.as_ref(), t.all_accounts))
}

impl Row {
    fn of(endpoint: WebhookEndpoint, visitor: &Visitor) -> Self {
        let language = visitor.language;
        let (types, accounts) = chosen(&endpoint, language);
        let moment = |at| Moment::new(at, visitor.now, language);
        Row {
            state: badge(&endpoint, language),
            since: endpoint.disabled_at.or(endpoint.failing_since).map(moment),
            types,
            accounts,
            changed: moment(endpoint.updated_at),
            id: endpoint.id,
            url: endpoint.url,
            description: endpoint.description,
        }
    }
}
