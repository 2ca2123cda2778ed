//! Submissions: a list with filters.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use strum::VariantArray;
use uuid::Uuid;

use super::failure::Failure;
use super::frame::{Frame, Section};
use super::language::texts;
use super::moment::Moment;
use super::orders::{account_choices, state_choices};
use super::parts::{Choice, Filters, Pager};
use super::query::with_query;
use super::reading::{self, Page};
use super::visitor::Visitor;
use super::words::{Badge, hold_word, operation_word};
use crate::canonical::Operation;

const PATH: &str = "/console/submissions";

texts! {
    title: "Submissions", "提交";
    account: "Account", "账户";
    state: "State", "状态";
    operation: "Operation", "操作";
    order: "Order", "订单";
    provider_number: "Provider number", "服务商单号";
    said: "Last result", "最近结果";
    attempts: "Attempts", "尝试次数";
    accepted: "Accepted", "接受时间";
    none: "No submissions here", "没有提交";
    none_filtered: "None matches these filters. Clear them to see all.", "没有符合条件的提交，可清除筛选条件查看全部。";
    none_yet: "Each operation on an order is a submission: it appears here as soon as an order is accepted.",
        "订单的每次操作都是一个提交，订单被接受后会显示在此处。";
}

/// What is asked for.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Asked {
    account: Option<String>,
    state: Option<String>,
    operation: Option<String>,
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "submissions.html")]
struct SubmissionsPage {
    frame: Frame,
    t: &'static Texts,
    filters: Filters,
    rows: Vec<Row>,
    pager: Pager,
}

struct Row {
    id: Uuid,
    order_number: String,
    operation: &'static str,
    account: String,
    endpoint: String,
    state: Badge,
    held: Option<&'static str>,
    provider_number: Option<String>,
    said: Option<String>,
    attempts: i32,
    accepted: Moment,
}

/// `GET /console/submissions`
pub async fn page(visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let language = visitor.language;
    let t = Texts::of(language);
    let filters = [
        ("account", asked.account.as_deref()),
        ("state", asked.state.as_deref()),
        ("operation", asked.operation.as_deref()),
    ];
    let parameters: Vec<_> = filters.iter().copied().chain([("cursor", asked.cursor.as_deref())]).collect();
    let submissions: Page<reading::Submission> = visitor.get(&with_query("/v1/submissions", &parameters)).await?;
    let operations = Operation::VARIANTS.iter().map(|operation| {
        Choice::new(<&str>::from(*operation), operation_word(*operation, language), asked.operation.as_deref())
    });
    // Of orders that the key may see, as the API has said by now.
    let orders: Vec<Uuid> = submissions.items.iter().map(|submission| submission.order_id).collect();
    let numbers = visitor.console.app.store.order_numbers(&orders).await?;
    let rows = submissions.items.into_iter().map(|submission| {
        let number = numbers.get(&submission.order_id).cloned().unwrap_or_default();
        Row::of(submission, number, &visitor)
    });
    let next = submissions.next_cursor.as_deref();
    let page = SubmissionsPage {
        frame: visitor.frame(Section::Submissions, t.title),
        t,
        pager: Pager::new(PATH, &filters, asked.cursor.as_deref(), next, language),
        filters: Filters::new(PATH, language)
            .choice("account", t.account, account_choices(&visitor, asked.account.as_deref()).await?)
            .choice("state", t.state, state_choices(language, asked.state.as_deref()))
            .choice("operation", t.operation, operations.collect()),
        rows: rows.collect(),
    };
    visitor.answer(&page)
}

/// `GET /console/submissions/{id}`: its place on the page of its order.
pub async fn one(visitor: Visitor, Path(id): Path<String>) -> Result<Response, Failure> {
    let submission: reading::Submission = visitor.get(&format!("/v1/submissions/{}", checked(&id)?)).await?;
    Ok(Redirect::to(&order_address(&submission)).into_response())
}

/// Where a submission is shown.
pub fn order_address(submission: &reading::Submission) -> String {
    format!("/console/orders/{}#submission-{}", submission.order_id, submission.id)
}

/// An id in a path; what is none names nothing.
pub fn checked(id: &str) -> Result<Uuid, Failure> {
    id.parse().map_err(|_| Failure::NotFound)
}

impl Row {
    fn of(submission: reading::Submission, order_number: String, visitor: &Visitor) -> Self {
        let language = visitor.language;
        let said = submission.results.into_iter().next_back();
        Row {
            id: submission.id,
            order_number,
            operation: operation_word(submission.operation, language),
            account: submission.account,
            endpoint: submission.endpoint,
            state: Badge::of_submission(submission.state, language),
            held: submission.held_by.map(|reason| hold_word(reason, language)),
            provider_number: submission.provider_order_number,
            said: said.map(|result| language.choose(result.message_en, result.message_zh)),
            attempts: submission.attempts,
            accepted: Moment::new(submission.created_at, visitor.now, language),
        }
    }
}
