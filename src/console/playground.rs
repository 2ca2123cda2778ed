//! The playground: an order on the left, what an account's provider would get on the right, and what became of each
//! member. Nothing is stored or sent.

use askama::Template;
use axum::extract::Query;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use strum::VariantArray;

use super::accounts::{account_path, provider_path};
use super::failure::{Failure, Refusal};
use super::forgery::Form;
use super::frame::{Frame, Section};
use super::language::{Language, texts};
use super::lineage::{Lineage, Marked};
use super::moment::local_day;
use super::orders::account_choices;
use super::parts::Choice;
use super::pretty::Pretty;
use super::query::with_query;
use super::reading::{AccountDetails, Provider, Translation};
use super::visitor::{Visitor, understood};
use super::words::{Badge, operation_word};
use crate::canonical::{Operation, SubmissionResult};

texts! {
    title: "Translation playground", "转换试验";
    lead: "See exactly what a provider would get for an order. Nothing is stored or sent.", "查看订单将以何种报文发送给服务商。不会保存，也不会发送。";
    account: "Account", "账户";
    operation: "Operation", "操作";
    order: "Order", "订单";
    order_hint: "The order as POST /v1/orders takes it. Its account is the one chosen above.", "与 POST /v1/orders 相同的订单 JSON，账户以上方所选为准。";
    edit: "Edit the order", "编辑订单";
    submit: "Translate", "转换";
    example: "Back to the example", "恢复示例";
    no_accounts: "Name an account to begin.", "请先填写账户。";
    not_json: "The order is not JSON.", "订单不是有效的 JSON。";
    refused: "It would be refused", "将被拒绝";
    on_the_left: "The order", "订单";
    on_the_right: "What the provider gets", "服务商收到的报文";
    how: "An underlined member leads to its counterpart: point at it, or move to it with the Tab key, and both are marked.",
        "带下划线的字段可指向其对应字段：将鼠标移到字段上或用 Tab 键选中，两侧会同时高亮。";
    headers: "Headers", "请求头";
    no_body: "The request has no body: its address says it all.", "请求没有正文，全部信息都在地址中。";
    notices: "Worth knowing", "转换提示";
    dropped: "Not sent", "不会发送";
    dropped_lead: "The provider has no place for these members.", "服务商没有对应字段。";
    lineage: "Where each member went", "字段对应关系";
    member: "Member", "字段";
    target: "In the provider's document", "服务商报文中的位置";
    note: "How", "转换方式";
    as_it_is: "as it is", "原值";
}

#[derive(Template)]
#[template(path = "playground.html")]
struct PlaygroundPage<'a> {
    frame: Frame,
    t: &'static Texts,
    accounts: Vec<Choice>,
    account: &'a str,
    /// Where the example is for the same account
    fresh: String,
    operations: Vec<Choice>,
    text: &'a str,
    shown: Option<Shown>,
    refused: Option<Refused>,
}

/// A translation.
struct Shown {
    order: Marked,
    document: Option<Marked>,
    endpoint: String,
    /// What is shown in the place of a document with marks
    plain: Option<Pretty>,
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    notices: Vec<Notice>,
    dropped: Vec<String>,
    lines: Vec<LineageRow>,
}

/// What is worth knowing of it.
struct Notice {
    severity: Badge,
    here: String,
    other: String,
    pointers: Vec<String>,
}

struct LineageRow {
    number: usize,
    pointer: String,
    from: String,
    target: String,
    to: String,
    note: Option<String>,
}

/// Why there is none.
struct Refused {
    detail: String,
    /// The language of the detail, where it is not the page's
    detail_language: &'static str,
    members: Vec<(String, String)>,
}

#[derive(Deserialize)]
pub struct Asked {
    account: Option<String>,
}

/// What the form holds.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Wanted {
    account: String,
    operation: String,
    order: String,
}

/// `GET /console/playground`
pub async fn page(visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let accounts = account_choices(&visitor, asked.account.as_deref()).await?;
    let account = asked.account.or_else(|| accounts.first().map(|choice| choice.value.clone())).unwrap_or_default();
    let order = example(visitor.now)?;
    // Asking for the page is no mistake, whatever its account can do.
    Ok(show(&visitor, Wanted { account, operation: String::new(), order }).await?.1)
}

/// `POST /console/playground`
pub async fn translate(form: Form<Wanted>) -> Result<Response, Failure> {
    let (status, page) = show(&form.visitor, form.fields).await?;
    Ok((status, page).into_response())
}

async fn show(visitor: &Visitor, wanted: Wanted) -> Result<(StatusCode, Response), Failure> {
    let language = visitor.language;
    let t = Texts::of(language);
    let (account, can) = (wanted.account.trim(), operations_of(visitor, wanted.account.trim()).await?);
    let usual = can.as_deref().and_then(|can| can.first().copied()).unwrap_or(Operation::Create);
    let operation = wanted.operation.parse().unwrap_or(usual);
    let (shown, refused) = match translated(visitor, account, operation, &wanted.order).await? {
        Ok(shown) => (Some(shown), None),
        Err(refused) => (None, refused),
    };
    let offered = |it: &&Operation| can.as_ref().is_none_or(|can| can.contains(it)) || **it == operation;
    let choice =
        |it: &Operation| Choice::new(<&str>::from(*it), operation_word(*it, language), Some(<&str>::from(operation)));
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = PlaygroundPage {
        frame: visitor.frame(Section::Playground, t.title),
        t,
        // Who cannot list accounts names one.
        accounts: match account_choices(visitor, None).await? {
            none if none.is_empty() => none,
            _ => account_choices(visitor, Some(account)).await?,
        },
        account,
        fresh: with_query("/console/playground", &[("account", Some(account))]),
        operations: Operation::VARIANTS.iter().filter(offered).map(choice).collect(),
        text: &wanted.order,
        shown,
        refused,
    };
    Ok((status, visitor.answer(&page)?))
}

/// What the account's provider can do, as far as the key may know where it leads.
async fn operations_of(visitor: &Visitor, account: &str) -> Result<Option<Vec<Operation>>, Failure> {
    if !visitor.may_administer() {
        return Ok(None);
    }
    let Ok(path) = account_path(account) else { return Ok(None) };
    let known: AccountDetails = match visitor.get(&path).await {
        Ok(known) => known,
        Err(Failure::NotFound) => return Ok(None),
        Err(failure) => return Err(failure),
    };
    let provider: Provider = visitor.get(&provider_path(&known.provider)?).await?;
    let can: Vec<Operation> = provider.operations.iter().map(|it| it.operation).collect();
    Ok(Some(can).filter(|can| !can.is_empty()))
}

/// The translation, or why there is none; for nothing that was asked, nothing.
async fn translated(
    visitor: &Visitor,
    account: &str,
    operation: Operation,
    text: &str,
) -> Result<Result<Shown, Option<Refused>>, Failure> {
    let language = visitor.language;
    let t = Texts::of(language);
    if account.is_empty() {
        return Ok(Err(None));
    }
    let order: Value = match serde_json::from_str(text) {
        Ok(order) => order,
        Err(error) => {
            let members = vec![(String::new(), error.to_string())];
            let detail = t.not_json.to_owned();
            return Ok(Err(Some(Refused { detail, detail_language: "", members })));
        }
    };
    let body = json!({"account": account, "operation": operation, "order": order});
    match visitor.send(Method::POST, "/v1/translations", Some(&body), &[]).await {
        Ok(reply) => Ok(Ok(Shown::of(&order, understood(reply.body)?, language))),
        Err(Failure::Refused(refusal)) if matches!(refusal.status, 413 | 422) => {
            Ok(Err(Some(Refused::of(&refusal, language))))
        }
        Err(failure) => Err(failure),
    }
}

impl Shown {
    fn of(order: &Value, translation: Translation, language: Language) -> Self {
        let t = Texts::of(language);
        let Translation { endpoint, request, results, lineage: lines, dropped } = translation;
        let lineage = Lineage::new(&lines, &dropped);
        let document = lineage.document(&request.body, t.on_the_right);
        let plain = (document.is_none() && !request.body.is_empty()).then(|| Pretty::text(&request.body));
        let rows = lines.iter().enumerate().map(|(number, line)| {
            let (from, to) = lineage.ends(number);
            let (pointer, target, note) = (line.pointer.clone(), line.target.clone(), line.note.clone());
            LineageRow { number, pointer, from, target, to, note }
        });
        // What is dropped stands in a list of its own.
        let notices = results.into_iter().filter(|result| !result.pointers.iter().all(|it| dropped.contains(it)));
        Shown {
            order: lineage.order(order, t.on_the_left),
            document,
            plain,
            endpoint,
            lines: rows.collect(),
            notices: notices.map(|result| Notice::of(result, language)).collect(),
            method: request.method,
            url: request.url,
            headers: request.headers,
            dropped,
        }
    }
}

impl Notice {
    fn of(result: SubmissionResult, language: Language) -> Self {
        let SubmissionResult { severity, message_en, message_zh, pointers, .. } = result;
        let (here, other) = language.choose((message_en.clone(), message_zh.clone()), (message_zh, message_en));
        Notice { severity: Badge::of_severity(severity, language), here, other, pointers }
    }
}

impl Refused {
    fn of(refusal: &Refusal, language: Language) -> Self {
        let members = refusal.members(language).into_iter();
        Refused {
            members: members.map(|(pointer, words)| (pointer.to_owned(), words.to_owned())).collect(),
            detail: refusal.detail.clone(),
            detail_language: "en",
        }
    }
}

/// An order to begin with, with what most providers carry: to be picked up tomorrow.
fn example(now: DateTime<Utc>) -> Result<String, Failure> {
    let mut order: Value = serde_json::from_str(include_str!("example_order.json")).map_err(|_| Failure::Broken)?;
    for (member, days) in [("pickup", 1), ("delivery", 2)] {
        order[member]["date"] = Value::from(local_day(now + TimeDelta::days(days)));
    }
    serde_json::to_string_pretty(&order).map_err(|_| Failure::Broken)
}
