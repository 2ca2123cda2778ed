//! One order: where it stands, what was asked of its provider and what came of it, and all that happened.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use serde_json::Value;
use uuid::Uuid;

use super::failure::Failure;
use super::frame::{Frame, Section};
use super::language::{fill, texts};
use super::moment::Moment;
use super::pretty::Pretty;
use super::reading::{self, Page};
use super::submissions::checked;
use super::timeline::{self, Entry, History, may_be_retried, needs_a_look};
use super::visitor::Visitor;
use super::words::{Badge, hold_word, operation_word};
use crate::canonical::{ORIGIN_GATEWAY, OrderStatus, SubmissionResult, SubmissionState};

/// Members of an answer that are the gateway's, and no part of the document.
const ENVELOPE: &[&str] =
    &["id", "provider", "status", "version", "documentComplete", "createdAt", "updatedAt", "submission"];

texts! {
    account: "Account", "账户";
    provider: "Provider", "服务商";
    provider_number: "Provider number", "服务商单号";
    customer_reference: "Customer reference", "客户单号";
    from: "Ship from", "发货方";
    to: "Ship to", "收货方";
    accepted: "Accepted", "接受时间";
    changed: "Last changed", "最近变更";
    version: "Version", "版本";
    incomplete: "The gateway does not know the whole document.", "网关不掌握完整的订单内容。";
    not_yet: "Not known yet", "暂无";
    cancel: "Cancel order", "取消订单";
    submissions: "What was asked of the provider", "对服务商的请求";
    history: "What happened", "历史记录";
    history_lead: "Oldest first: events, exchanges with the provider to the byte, and its callbacks.", "按时间顺序：事件、与服务商的报文往来（逐字节保存）及其回调。";
    document: "Canonical document", "规范订单";
    attempts: "attempts", "次尝试";
    attempt: "attempt", "次尝试";
    next_try: "Next try", "下次尝试";
    next_look: "Next look for evidence", "下次查证";
    goes_out: "Probably goes out", "预计发送";
    results: "Results", "结果";
    retry: "Retry", "重试";
    resolve: "Decide", "裁定";
    in_doubt: "It was sent, and no readable answer came. The gateway looks for evidence by itself; if you know what became of it, decide.",
        "已发送，但没有收到可读的响应。网关会自行查证；如果您已知结果，可以直接裁定。";
    may_exist: "An earlier attempt may have reached the provider.", "之前的尝试可能已到达服务商。";
    raw: "Provider's code", "服务商代码";
    raw_message: "The provider said", "服务商原文";
    noted: "Noted", "备注";
    members: "Members", "相关字段";
    retryable: "may succeed later", "稍后可能成功";
    request: "Request", "请求";
    response: "Response", "响应";
    headers: "Headers", "报文头";
    exact: "Exact bytes", "原始字节";
    all_of_it: "Shown in part. Download all of it.", "仅显示部分内容，可下载完整内容。";
    truncated: "Only the beginning was kept.", "仅保存了开头部分。";
    details: "Details", "详情";
    messages: "What went over the wire", "报文内容";
    removed: "Older exchanges were removed by age: {}.", "较早的报文往来已按保留期限删除：{} 次。";
    no_history: "Nothing is kept of it any more.", "已无保存的记录。";
    empty_body: "Empty", "空";
}

#[derive(Template)]
#[template(path = "order.html")]
struct OrderPage {
    frame: Frame,
    t: &'static Texts,
    order: reading::Order,
    status: Badge,
    accepted: Moment,
    changed: Moment,
    document: Pretty,
    submissions: Vec<SubmissionCard>,
    /// What became of the last submission comes first
    needs_a_look: bool,
    history: Vec<Entry>,
    /// What is not kept any more
    removed: Option<String>,
    may_cancel: bool,
    may_administer: bool,
}

struct SubmissionCard {
    id: Uuid,
    operation: &'static str,
    endpoint: String,
    state: Badge,
    is_in_doubt: bool,
    /// An earlier attempt may have arrived, and nothing else says so
    may_exist: bool,
    held: Option<Badge>,
    attempts: i32,
    next_try: Option<Moment>,
    goes_out: Option<Moment>,
    results: Vec<ResultLine>,
    may_retry: bool,
    may_resolve: bool,
}

struct ResultLine {
    severity: Badge,
    /// In the page's language, and in the other one
    message: String,
    other_message: String,
    code: String,
    /// Where it is another one
    raw_code: Option<String>,
    raw_message: Option<String>,
    origin: String,
    is_ours: bool,
    pointers: Vec<String>,
    retryable: bool,
}

/// `GET /console/orders/{id}`
pub async fn page(visitor: Visitor, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = checked(&id)?;
    let language = visitor.language;
    let whole: Value = visitor.get(&format!("/v1/orders/{id}")).await?;
    let order: reading::Order = serde_json::from_value(whole.clone()).map_err(|error| {
        tracing::error!(%error, order = %id, "the console does not understand an order of the API");
        Failure::Broken
    })?;
    let submissions: Page<reading::Submission> = visitor.get(&format!("/v1/orders/{id}/submissions")).await?;
    let History { entries: history, removed } = timeline::of_order(&visitor, id, &submissions.items).await?;
    let needs_a_look = submissions.items.last().is_some_and(|last| {
        may_be_retried(last.state)
            || last.state == SubmissionState::PartiallyAccepted
            || last.held_by.is_some_and(needs_a_look)
    });
    let cards = submissions.items.into_iter().map(|submission| SubmissionCard::of(submission, &visitor));
    let page = OrderPage {
        frame: visitor.frame(Section::Orders, order.order_number.as_str()),
        t: Texts::of(language),
        status: Badge::of_order(order.status, language),
        accepted: Moment::new(order.created_at, visitor.now, language),
        changed: Moment::new(order.updated_at, visitor.now, language),
        document: Pretty::json(&document(whole)),
        submissions: cards.rev().collect(),
        needs_a_look,
        history,
        removed: (removed > 0).then(|| fill(Texts::of(language).removed, removed)),
        may_administer: visitor.may_administer(),
        may_cancel: visitor.may_write() && may_be_cancelled(order.status),
        order,
    };
    visitor.answer(&page)
}

/// Whether a cancellation could have a sense; the API knows for certain.
pub fn may_be_cancelled(status: OrderStatus) -> bool {
    !matches!(status, OrderStatus::Cancelled | OrderStatus::Completed | OrderStatus::Rejected)
}

fn document(mut whole: Value) -> Value {
    if let Value::Object(members) = &mut whole {
        members.retain(|name, _| !ENVELOPE.contains(&name.as_str()));
    }
    whole
}

impl SubmissionCard {
    fn of(submission: reading::Submission, visitor: &Visitor) -> Self {
        let language = visitor.language;
        let reading::Submission { state, held_by, .. } = submission;
        let moment = |at| Moment::new(at, visitor.now, language);
        SubmissionCard {
            id: submission.id,
            operation: operation_word(submission.operation, language),
            endpoint: submission.endpoint,
            state: Badge::of_submission(state, language),
            is_in_doubt: state == SubmissionState::InDoubt,
            may_exist: submission.may_exist
                && matches!(
                    state,
                    SubmissionState::Queued
                        | SubmissionState::Sending
                        | SubmissionState::Rejected
                        | SubmissionState::Dead
                        | SubmissionState::Cancelled
                ),
            held: held_by.map(|reason| {
                let tone = if needs_a_look(reason) { super::words::Tone::Warning } else { super::words::Tone::Quiet };
                Badge::new(tone, hold_word(reason, language))
            }),
            attempts: submission.attempts,
            next_try: submission.next_attempt_at.map(moment),
            goes_out: submission.estimated_dispatch_at.map(moment),
            results: submission.results.into_iter().map(|result| ResultLine::of(result, visitor)).collect(),
            may_retry: visitor.may_write() && may_be_retried(state),
            may_resolve: visitor.may_write() && state == SubmissionState::InDoubt,
        }
    }
}

impl ResultLine {
    fn of(result: SubmissionResult, visitor: &Visitor) -> Self {
        let language = visitor.language;
        let SubmissionResult {
            provider,
            scope: _,
            raw_code,
            raw_message,
            code,
            category: _,
            severity,
            retryable,
            pointers,
            message_zh,
            message_en,
        } = result;
        let (message, other_message) =
            language.choose((message_en.clone(), message_zh.clone()), (message_zh, message_en));
        ResultLine {
            severity: Badge::of_severity(severity, language),
            message,
            other_message,
            raw_code: (raw_code != code).then_some(raw_code),
            code,
            raw_message,
            is_ours: provider == ORIGIN_GATEWAY,
            origin: provider,
            pointers,
            retryable,
        }
    }
}
