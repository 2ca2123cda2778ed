//! One webhook endpoint: what was delivered to it and what was not, delivering again, and letting it go on.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::Method;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use strum::VariantArray;
use uuid::Uuid;

use super::failure::Failure;
use super::forgery::Form;
use super::frame::{Frame, Section};
use super::language::{fill, texts};
use super::moment::Moment;
use super::notice::Notice;
use super::parts::{Choice, Filters, Pager};
use super::query::with_query;
use super::reading::{Delivery, Page, WebhookEndpoint};
use super::submission_actions::Nothing;
use super::submissions::checked;
use super::visitor::Visitor;
use super::webhooks::{badge, chosen};
use super::words::{Badge, Tone, event_word};
use crate::canonical::{DeliveryState, EventType};

texts! {
    endpoint: "Webhook endpoint", "Webhook 端点";
    types: "Events", "事件";
    accounts: "Accounts", "账户";
    made: "Added", "添加时间";
    changed: "Changed", "更新时间";
    failing_since: "Failing since", "失败始于";
    old_secret: "Old secret signs until", "旧密钥签名截止";
    disabled: "Nothing is delivered", "已停止推送";
    disabled_lead: "What happens meanwhile waits, and goes as soon as the endpoint is enabled.",
        "期间的事件会保留，启用后立即推送。";
    why: "Why", "原因";
    enable: "Enable again", "重新启用";
    deliveries: "Deliveries", "推送记录";
    state: "State", "状态";
    event: "Event", "事件";
    gone: "Event not kept any more", "事件已删除";
    attempts: "Tries", "尝试次数";
    answer: "Last answer", "最近响应";
    no_answer: "No answer", "无响应";
    held: "Held back", "暂停推送";
    next_try: "Next try", "下次尝试";
    happened: "Happened", "发生时间";
    action: "Action", "操作";
    again: "Deliver again", "重新推送";
    again_name: "Deliver again: {}", "重新推送：{}";
    none: "No deliveries here", "没有推送记录";
    none_narrowed: "None is in this state.", "没有处于该状态的推送。";
    none_yet: "The next event that the endpoint gets appears here.", "端点的下一个事件会显示在此处。";
}

/// What is asked for.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Asked {
    state: Option<String>,
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "webhook.html")]
struct WebhookPage {
    frame: Frame,
    t: &'static Texts,
    endpoint: WebhookEndpoint,
    state: Badge,
    types: String,
    accounts: String,
    made: Moment,
    changed: Moment,
    failing_since: Option<Moment>,
    old_secret: Option<Moment>,
    filters: Filters,
    rows: Vec<Row>,
    pager: Pager,
}

struct Row {
    id: Uuid,
    event: String,
    state: Badge,
    attempts: i32,
    status: Option<i32>,
    error: Option<String>,
    next_try: Option<Moment>,
    happened: Moment,
    again: Option<String>,
}

/// `GET /console/webhooks/{id}`
pub async fn page(visitor: Visitor, Path(id): Path<String>, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let language = visitor.language;
    let t = Texts::of(language);
    let id = checked(&id)?;
    let endpoint: WebhookEndpoint = visitor.get(&format!("/v1/webhook-endpoints/{id}")).await?;
    let filters = [("state", asked.state.as_deref())];
    let parameters: Vec<_> = filters.iter().copied().chain([("cursor", asked.cursor.as_deref())]).collect();
    let path = with_query(&format!("/v1/webhook-endpoints/{id}/deliveries"), &parameters);
    let deliveries: Page<Delivery> = visitor.get(&path).await?;
    let states = DeliveryState::VARIANTS.iter().map(|state| {
        Choice::new(<&str>::from(*state), Badge::of_delivery(*state, language).word, asked.state.as_deref())
    });
    let (types, accounts) = chosen(&endpoint, language);
    let moment = |at| Moment::new(at, visitor.now, language);
    let next = deliveries.next_cursor.as_deref();
    let here = format!("/console/webhooks/{id}");
    let page = WebhookPage {
        frame: visitor.frame(Section::Webhooks, t.endpoint),
        t,
        state: badge(&endpoint, language),
        types,
        accounts,
        made: moment(endpoint.created_at),
        changed: moment(endpoint.updated_at),
        failing_since: endpoint.failing_since.map(moment),
        old_secret: endpoint.previous_secret_until.map(moment),
        pager: Pager::new(&here, &filters, asked.cursor.as_deref(), next, language),
        filters: Filters::new(here, language).choice("state", t.state, states.collect()),
        rows: deliveries.items.into_iter().map(|delivery| Row::of(delivery, endpoint.enabled, &visitor)).collect(),
        endpoint,
    };
    visitor.answer(&page)
}

impl Row {
    fn of(delivery: Delivery, enabled: bool, visitor: &Visitor) -> Self {
        let language = visitor.language;
        let t = Texts::of(language);
        let known: Option<EventType> = delivery.r#type.as_deref().and_then(|event| event.parse().ok());
        let event = match (known, delivery.r#type) {
            (Some(known), _) => event_word(known, language).to_owned(),
            (None, Some(name)) => name,
            (None, None) => t.gone.to_owned(),
        };
        let moment = |at| Moment::new(at, visitor.now, language);
        Row {
            id: delivery.id,
            // What waits for an endpoint that is disabled is not on its way.
            state: match delivery.state {
                DeliveryState::Pending if !enabled => Badge::new(Tone::Warning, t.held),
                state => Badge::of_delivery(state, language),
            },
            attempts: delivery.attempts,
            status: delivery.last_status,
            error: delivery.last_error,
            next_try: delivery.next_attempt_at.filter(|_| enabled).map(moment),
            happened: moment(delivery.created_at),
            // One that waits for its first try goes by itself.
            again: (enabled && delivery.attempts > 0).then(|| fill(t.again_name, &event)),
            event,
        }
    }
}

/// `POST /console/webhooks/{id}/enable`
pub async fn enable(Path(id): Path<String>, form: Form<Nothing>) -> Result<Response, Failure> {
    let Form { visitor, fields: Nothing {} } = form;
    let id = checked(&id)?;
    let body = json!({"enabled": true});
    visitor.send(Method::PATCH, &format!("/v1/webhook-endpoints/{id}"), Some(&body), &[]).await?;
    Ok(visitor.go_on(&format!("/console/webhooks/{id}"), Notice::Enabled))
}

/// `POST /console/webhooks/{id}/deliveries/{delivery}/redeliver`
pub async fn redeliver(Path((id, delivery)): Path<(String, String)>, form: Form<Nothing>) -> Result<Response, Failure> {
    let Form { visitor, fields: Nothing {} } = form;
    let (id, delivery) = (checked(&id)?, checked(&delivery)?);
    let path = format!("/v1/webhook-endpoints/{id}/deliveries/{delivery}/redeliver");
    visitor.send(Method::POST, &path, None, &[]).await?;
    Ok(visitor.go_on(&format!("/console/webhooks/{id}"), Notice::Redelivered))
}
