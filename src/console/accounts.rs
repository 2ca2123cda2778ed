//! Accounts: where each leads, and whether it is held.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use super::failure::Failure;
use super::frame::{Frame, Section};
use super::language::{Language, texts};
use super::moment::Moment;
use super::parts::Pager;
use super::query::with_query;
use super::reading::{AccountDetails, Page};
use super::visitor::Visitor;
use super::words::{Badge, Tone};

texts! {
    title: "Accounts", "账户";
    lead: "An account is one customer's access to one provider: orders name it, and its quota counts for it.",
        "账户是在某服务商处的一个访问身份：订单引用账户，限额按账户计算。";
    add: "Add an account", "添加账户";
    account: "Account", "账户";
    provider: "Provider", "服务商";
    state: "State", "状态";
    address: "Address", "地址";
    changed: "Changed", "更新时间";
    works: "Active", "启用";
    paused: "Paused", "已暂停";
    since: "Since", "始于";
    none: "No accounts yet", "尚无账户";
    none_advice: "Add the first one: orders can be placed as soon as it is there.", "添加账户后即可下单。";
}

/// What is asked for.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Asked {
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "accounts.html")]
struct AccountsPage {
    frame: Frame,
    t: &'static Texts,
    rows: Vec<Row>,
    pager: Pager,
}

struct Row {
    id: String,
    name: Option<String>,
    provider: String,
    address: String,
    state: Badge,
    since: Option<Moment>,
    changed: Moment,
}

/// `GET /console/accounts`
pub async fn page(visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let t = Texts::of(visitor.language);
    let cursor = asked.cursor.as_deref();
    let accounts: Page<AccountDetails> = visitor.get(&with_query("/v1/accounts", &[("cursor", cursor)])).await?;
    let page = AccountsPage {
        frame: visitor.frame(Section::Accounts, t.title),
        t,
        pager: Pager::new("/console/accounts", &[], cursor, accounts.next_cursor.as_deref(), visitor.language),
        rows: accounts.items.into_iter().map(|account| Row::of(account, &visitor)).collect(),
    };
    visitor.answer(&page)
}

/// Whether anything goes out for an account.
pub fn badge(account: &AccountDetails, language: Language) -> Badge {
    let t = Texts::of(language);
    match account.paused {
        Some(_) => Badge::new(Tone::Warning, t.paused),
        None => Badge::new(Tone::Good, t.works),
    }
}

/// Where the API has an account. What is no id names nothing.
pub fn account_path(id: &str) -> Result<String, Failure> {
    below("/v1/accounts", id)
}

/// Where the API has a provider.
pub fn provider_path(id: &str) -> Result<String, Failure> {
    below("/v1/providers", id)
}

fn below(path: &str, id: &str) -> Result<String, Failure> {
    let is_id = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_plain = !id.is_empty() && id.bytes().all(is_id);
    if is_plain { Ok(format!("{path}/{id}")) } else { Err(Failure::NotFound) }
}

impl Row {
    fn of(account: AccountDetails, visitor: &Visitor) -> Self {
        let moment = |at| Moment::new(at, visitor.now, visitor.language);
        Row {
            state: badge(&account, visitor.language),
            since: account.paused.map(|paused| moment(paused.since)),
            changed: moment(account.updated_at),
            name: Some(account.display_name).filter(|name| *name != account.id),
            id: account.id,
            provider: account.provider,
            address: account.base_url,
        }
    }
}
