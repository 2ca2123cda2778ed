//! Orders: a list with filters, and the search by any number.

use askama::Template;
use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use strum::VariantArray;
use uuid::Uuid;

use super::failure::Failure;
use super::frame::{Frame, Section};
use super::language::{Language, fill, texts};
use super::moment::{Moment, day_in_china};
use super::parts::{Choice, Filters, Pager};
use super::query::with_query;
use super::reading::{self, Page};
use super::visitor::Visitor;
use super::words::{Badge, hold_word, operation_word, state_word, status_word};
use crate::canonical::{OrderStatus, SubmissionState};

const PATH: &str = "/console/orders";
/// Orders that a search finds at most.
const MOST_FOUND: i64 = 20;

texts! {
    title: "Orders", "订单";
    search: "Any number", "任意号码";
    search_hint: "Any number of the order, or its id", "任意单号或订单编号";
    find: "Find", "查找";
    all_orders: "All orders", "全部订单";
    account: "Account", "账户";
    status: "Status", "状态";
    submission: "Last submission", "最近提交";
    from: "From", "开始日期";
    to: "To", "结束日期";
    order: "Order", "订单";
    provider_number: "Provider number", "服务商单号";
    ship_to: "Ship to", "收货方";
    accepted: "Accepted", "接受时间";
    none: "No orders here", "没有订单";
    none_filtered: "No order matches these filters. Clear them to see all.", "没有符合条件的订单，可清除筛选条件查看全部。";
    none_yet: "Post one to /v1/orders, and it appears here.", "通过 POST /v1/orders 提交订单后会显示在此处。";
    none_found: "No order has the number {}", "没有号码为 {} 的订单";
    none_found_advice: "Enter the whole number as it is written in the order. Orders of accounts that your key may not use are not found.",
        "请输入完整号码。您的密钥无权使用的账户，其订单不会被找到。";
    found: "Orders with the number {}", "号码为 {} 的订单";
}

/// What is asked for.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Asked {
    q: Option<String>,
    account: Option<String>,
    status: Option<String>,
    state: Option<String>,
    from: Option<String>,
    to: Option<String>,
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "orders.html")]
struct OrdersPage {
    frame: Frame,
    t: &'static Texts,
    heading: String,
    /// The number that was searched for
    sought: String,
    filters: Filters,
    rows: Vec<Row>,
    pager: Pager,
}

struct Row {
    id: Uuid,
    number: String,
    customer_reference: Option<String>,
    account: String,
    provider_number: Option<String>,
    ship_to: String,
    status: Badge,
    submission: Option<(Badge, &'static str, Option<&'static str>)>,
    accepted: Moment,
}

/// `GET /console/orders`
pub async fn page(visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let number = asked.q.as_deref().map(str::trim).filter(|number| !number.is_empty());
    match number.map(str::to_owned) {
        Some(number) => found(visitor, &number).await,
        None => listed(visitor, asked).await,
    }
}

async fn listed(visitor: Visitor, asked: Asked) -> Result<Response, Failure> {
    let t = Texts::of(visitor.language);
    let instant = |day: Option<&str>, days| day.and_then(|day| day_in_china(day, days)).map(|at| at.to_rfc3339());
    let (from, to) = (instant(asked.from.as_deref(), 0), instant(asked.to.as_deref(), 1));
    let path = with_query(
        "/v1/orders",
        &[
            ("account", asked.account.as_deref()),
            ("status", asked.status.as_deref()),
            ("submissionState", asked.state.as_deref()),
            ("createdFrom", from.as_deref()),
            ("createdTo", to.as_deref()),
            ("cursor", asked.cursor.as_deref()),
        ],
    );
    let orders: Page<reading::Order> = visitor.get(&path).await?;
    let filters = [
        ("account", asked.account.as_deref()),
        ("status", asked.status.as_deref()),
        ("state", asked.state.as_deref()),
        ("from", asked.from.as_deref()),
        ("to", asked.to.as_deref()),
    ];
    let next = orders.next_cursor.as_deref();
    let pager = Pager::new(PATH, &filters, asked.cursor.as_deref(), next, visitor.language);
    let rows = orders.items.into_iter().map(|order| Row::of(order, &visitor)).collect();
    show(&visitor, &asked, t.title.to_owned(), rows, pager).await
}

/// A single order is shown at once, several as a list.
async fn found(visitor: Visitor, number: &str) -> Result<Response, Failure> {
    let t = Texts::of(visitor.language);
    // The API says by a refusal whether the key may see orders at all.
    let _: Page<reading::Order> = visitor.get("/v1/orders?limit=1").await?;
    let ids = visitor.console.app.store.orders_with_number(number, visitor.caller.accounts(), MOST_FOUND).await?;
    if let [only] = ids.as_slice() {
        return Ok(Redirect::to(&format!("/console/orders/{only}")).into_response());
    }
    let mut rows = Vec::with_capacity(ids.len());
    for id in ids {
        let order = visitor.get(&format!("/v1/orders/{id}")).await?;
        rows.push(Row::of(order, &visitor));
    }
    let heading = fill(if rows.is_empty() { t.none_found } else { t.found }, number);
    // A search looks at all orders, whatever was filtered before.
    let asked = Asked { q: Some(number.to_owned()), ..Asked::default() };
    show(&visitor, &asked, heading, rows, Pager::none(visitor.language)).await
}

async fn show(
    visitor: &Visitor,
    asked: &Asked,
    heading: String,
    rows: Vec<Row>,
    pager: Pager,
) -> Result<Response, Failure> {
    let language = visitor.language;
    let t = Texts::of(language);
    let statuses = OrderStatus::VARIANTS
        .iter()
        .map(|status| Choice::new(<&str>::from(*status), status_word(*status, language), asked.status.as_deref()));
    let filters = Filters::new(PATH, language)
        .choice("account", t.account, account_choices(visitor, asked.account.as_deref()).await?)
        .choice("status", t.status, statuses.collect())
        .choice("state", t.submission, state_choices(language, asked.state.as_deref()))
        .day("from", t.from, asked.from.as_deref())
        .day("to", t.to, asked.to.as_deref());
    let page = OrdersPage {
        frame: visitor.frame(Section::Orders, heading.as_str()),
        t,
        heading,
        sought: asked.q.as_deref().unwrap_or_default().trim().to_owned(),
        filters,
        rows,
        pager,
    };
    visitor.answer(&page)
}

/// The states of submissions, for a filter.
pub fn state_choices(language: Language, chosen: Option<&str>) -> Vec<Choice> {
    let states = SubmissionState::VARIANTS.iter();
    states.map(|state| Choice::new(<&str>::from(*state), state_word(*state, language), chosen)).collect()
}

/// The accounts that somebody may choose: those of the key, or all for an administrator.
pub async fn account_choices(visitor: &Visitor, chosen: Option<&str>) -> Result<Vec<Choice>, Failure> {
    let mut ids: Vec<String> = match visitor.caller.accounts() {
        Some(accounts) => accounts.to_vec(),
        None if visitor.may_administer() => {
            let accounts: Page<reading::Account> = visitor.get("/v1/accounts?limit=200").await?;
            accounts.items.into_iter().map(|account| account.id).collect()
        }
        None => Vec::new(),
    };
    if let Some(chosen) = chosen.filter(|chosen| !chosen.is_empty() && ids.iter().all(|id| id != chosen)) {
        ids.push(chosen.to_owned());
    }
    Ok(ids.into_iter().map(|id| Choice::new(id.clone(), id, chosen)).collect())
}

impl Row {
    fn of(order: reading::Order, visitor: &Visitor) -> Self {
        let language = visitor.language;
        Row {
            id: order.id,
            number: order.order_number,
            customer_reference: order.customer_reference,
            account: order.account,
            provider_number: order.provider_order_number,
            ship_to: order.ship_to.map(|stop| stop.place()).unwrap_or_default(),
            status: Badge::of_order(order.status, language),
            submission: order.submission.map(|submission| {
                (
                    Badge::of_submission(submission.state, language),
                    operation_word(submission.operation, language),
                    submission.held_by.map(|reason| hold_word(reason, language)),
                )
            }),
            accepted: Moment::new(order.created_at, visitor.now, language),
        }
    }
}
