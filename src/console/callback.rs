//! One call of a provider: what came, why it stands where it does, and processing it again.

use askama::Template;
use axum::extract::Path;
use axum::http::Method;
use axum::response::Response;
use serde_json::Value;
use uuid::Uuid;

use super::failure::Failure;
use super::forgery::Form;
use super::frame::{Frame, Section};
use super::language::{fill, texts};
use super::moment::Moment;
use super::notice::Notice;
use super::pretty::Pretty;
use super::reading::{CallbackDetails, CallbackLine, Encoding};
use super::submission_actions::Nothing;
use super::submissions::checked;
use super::visitor::{Visitor, understood};
use super::words::{Badge, event_word};
use crate::canonical::CallbackState;

texts! {
    of: "A call of {}", "来自 {} 的回调";
    account: "Account", "账户";
    provider: "Provider", "服务商";
    received: "Received", "收到时间";
    processed: "Came into its state", "状态更新时间";
    why: "Why it stands there", "原因";
    warnings: "Worth a look", "需要留意";
    again: "Process again", "重新处理";
    again_lead: "It is verified as of when it arrived, with the account as it is now. Put the cause right first.",
        "将按收到时的时间、以当前的账户设置重新验证。请先排除原因。";
    again_told: "It was processed before: what it says is told again in new events.",
        "此回调已处理过：重新处理会再次产生事件。";
    told: "What it told", "通知内容";
    order: "order", "订单";
    awaited: "Orders that it waits for", "等待的订单";
    awaited_lead: "It goes on by itself as soon as one of them is known: placed, or adopted with POST /v1/orders/adopt.",
        "订单创建后，或通过 POST /v1/orders/adopt 登记后，会自动继续处理。";
    our_number: "our number", "我方单号";
    their_number: "provider number", "服务商单号";
    body: "What came", "回调报文";
    exact: "Exact bytes", "原始报文";
    bytes: "{} bytes", "{} 字节";
    cut: "Only the beginning is shown; the exact bytes have all of it.", "仅显示开头部分，完整内容请下载原始报文。";
    removed: "The body was removed by age. There is nothing to process any more.", "报文已按保留期限删除，无法再处理。";
    binary: "Not text: download it.", "非文本内容，请下载。";
    empty: "It came without a body.", "回调没有正文。";
    headers: "Headers", "请求头";
}

#[derive(Template)]
#[template(path = "callback.html")]
struct CallbackPage {
    frame: Frame,
    t: &'static Texts,
    title: String,
    id: Uuid,
    account: String,
    provider: String,
    state: Badge,
    received: Moment,
    processed: Option<Moment>,
    reason: Option<Saying>,
    warnings: Vec<Saying>,
    told: Vec<(&'static str, Option<Uuid>)>,
    awaited: Vec<(&'static str, String)>,
    size: String,
    pretty: Option<Pretty>,
    /// Why there is nothing to show
    instead: Option<&'static str>,
    has_body: bool,
    headers: Vec<(String, String)>,
    may_process: bool,
    was_told: bool,
}

/// Something that is said in both languages.
struct Saying {
    code: String,
    here: String,
    other: String,
}

/// `GET /console/callbacks/{id}`
pub async fn page(visitor: Visitor, Path(id): Path<String>) -> Result<Response, Failure> {
    let language = visitor.language;
    let t = Texts::of(language);
    let whole: Value = visitor.get(&format!("/v1/callbacks/{}", checked(&id)?)).await?;
    let CallbackDetails { awaited_orders, headers, body } = understood(whole.clone())?;
    let CallbackLine { id, account, provider, state, reason, warnings, events, received_at, processed_at, size } =
        understood(whole)?;
    let saying = |code: String, detail: String, detail_zh: String| Saying {
        code,
        here: language.choose(&detail, &detail_zh).clone(),
        other: language.other().choose(detail, detail_zh),
    };
    let is_text = body.as_ref().is_some_and(|body| body.encoding == Encoding::Text && body.size > 0);
    let instead = match &body {
        None => Some(t.removed),
        Some(body) if body.size == 0 => Some(t.empty),
        Some(_) if !is_text => Some(t.binary),
        Some(_) => None,
    };
    let awaited = awaited_orders.into_iter().flat_map(|order| {
        let ours = order.order_number.map(|number| (t.our_number, number));
        ours.into_iter().chain(order.provider_order_number.map(|number| (t.their_number, number)))
    });
    let title = fill(t.of, &account);
    let page = CallbackPage {
        frame: visitor.frame(Section::Callbacks, title.as_str()),
        t,
        title,
        id,
        account,
        provider,
        state: Badge::of_callback(state, language),
        received: Moment::new(received_at, visitor.now, language),
        processed: processed_at.map(|at| Moment::new(at, visitor.now, language)),
        reason: reason.map(|reason| saying(reason.code, reason.detail, reason.detail_zh)),
        warnings: warnings.into_iter().map(|it| saying(it.code, it.detail, it.detail_zh)).collect(),
        told: events.into_iter().map(|event| (event_word(event.r#type, language), event.order_id)).collect(),
        awaited: awaited.collect(),
        size: fill(t.bytes, size),
        instead,
        has_body: body.as_ref().is_some_and(|body| body.size > 0),
        may_process: body.is_some() && state != CallbackState::Received,
        pretty: body.filter(|_| is_text).map(|body| Pretty::text(&body.content)),
        headers,
        was_told: matches!(state, CallbackState::Processed | CallbackState::Duplicate),
    };
    visitor.answer(&page)
}

/// `POST /console/callbacks/{id}/reprocess`
pub async fn reprocess(Path(id): Path<String>, form: Form<Nothing>) -> Result<Response, Failure> {
    let Form { visitor, fields: Nothing {} } = form;
    let id = checked(&id)?;
    let reply = visitor.send(Method::POST, &format!("/v1/callbacks/{id}/reprocess"), None, &[]).await?;
    let line: CallbackLine = understood(reply.body)?;
    let notice = match line.state {
        CallbackState::Quarantined => Notice::StillQuarantined,
        _ => Notice::Reprocessed,
    };
    Ok(visitor.go_on(&format!("/console/callbacks/{id}"), notice))
}
