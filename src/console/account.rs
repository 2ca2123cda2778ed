//! One account: its lanes, its settings, where its provider calls, and trying whether it works.

use askama::Template;
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use chrono::TimeDelta;
use serde_json::{Map, Value};

use super::accounts::{account_path, badge, provider_path};
use super::failure::{Failure, Refusal};
use super::forgery::Form;
use super::frame::{Frame, Section};
use super::lanes::left_of;
use super::language::{fill, texts};
use super::moment::{self, Moment};
use super::pretty::Pretty;
use super::query::with_query;
use super::reading::{AccountDetails, Circuit, Page, Provider, Throttle};
use super::submission_actions::Nothing;
use super::visitor::Visitor;
use super::words::{Badge, Tone};

texts! {
    pause: "Pause", "暂停";
    resume: "Resume", "恢复";
    paused: "Nothing goes out", "已暂停发送";
    paused_lead: "Orders are accepted as before and wait in their turn until the account is resumed.",
        "订单照常接受并排队，恢复账户后按顺序发送。";
    since: "Since", "始于";
    id: "Id", "ID";
    provider: "Provider", "服务商";
    address: "Address", "地址";
    group: "Throttle group", "限额组";
    queue_limit: "Most that may wait", "排队上限";
    as_configured: "as the gateway is configured", "按网关配置";
    made: "Added", "添加时间";
    changed: "Changed", "更新时间";
    more: "See also", "另见";
    orders: "Orders", "订单";
    submissions: "Submissions", "提交";
    callbacks_of: "Callbacks", "回调";
    playground: "Try a translation", "转换试验";
    connection: "Connection", "连接";
    test: "Test the connection", "测试连接";
    test_organizations: "Asks {} for the account's organisation units: a read, within its quota, that changes nothing. It goes through only where the credentials are taken.",
        "向 {} 查询账户的组织架构：只读操作，计入限额，不改变任何数据，仅在凭据有效时成功。";
    test_orders: "Asks {} for its newest order: a read, within its quota, that changes nothing. It goes through only where the credentials are taken.",
        "向 {} 查询最新订单：只读操作，计入限额，不改变任何数据，仅在凭据有效时成功。";
    no_read: "{} has no interface that only reads, so nothing can be tried without an order. The playground shows what would be sent; whether the credentials are taken shows with the first order.",
        "{} 没有只读接口，无法在不下单的情况下测试。可在转换试验中查看将发送的内容；凭据是否有效要到首个订单时才能确认。";
    calls_us: "{} is never asked anything: it calls this gateway. Whether that works shows with its first callback.",
        "{} 不接受任何请求，只由其回调本网关。是否正常要到收到首个回调时才能确认。";
    works: "It works", "连接正常";
    works_lead: "The provider answered and took the account's credentials.", "服务商已响应并接受了账户的凭据。";
    found: "Answered: {}", "返回记录数：{}";
    does_not: "It does not work", "连接失败";
    refused: "The provider was reached and refused, or cannot be reached. What it said stands below.",
        "服务商拒绝了请求或无法连接，详情如下。";
    no_answer: "The provider did not answer in time. Look at the address, then try again.", "服务商未及时响应。请检查地址后重试。";
    no_quota: "The quota is used up for now. Try again in a moment.", "限额暂时用尽，请稍后再试。";
    not_tried: "It could not be tried.", "无法测试。";
    lanes: "Lanes", "通道";
    lanes_lead: "Each interface of the provider has a quota of its own.", "服务商的每个接口有各自的限额。";
    nothing_waits: "Nothing waits, and every interface is in reach.", "没有等待的提交，所有接口均可连接。";
    idle_lanes: "Idle interfaces: {}", "空闲接口：{} 个";
    endpoint: "Interface", "接口";
    waiting: "Waiting", "等待中";
    tokens: "Tokens", "令牌";
    under_way: "Under way", "发送中";
    reach: "Reach", "连通状态";
    oldest: "Oldest", "最早等待";
    closed: "In reach", "正常";
    half_open: "Being tried", "恢复试探中";
    open: "Out of reach", "无法连接";
    callbacks: "Callbacks", "回调";
    show_url: "Show the address", "显示地址";
    secret: "It is a secret: whoever knows it can call.", "此地址需保密：知道者即可调用。";
    old_until: "The old path is taken until", "旧地址有效至";
    new_path: "New callback path", "更换回调地址";
    no_public: "The account has no public address of this gateway: only the path is known.", "账户未设置网关公网地址，仅显示路径。";
    credentials: "Credentials", "凭据";
    credentials_lead: "Sealed, and never shown.", "已加密保存，不会显示。";
    replace: "Replace the credentials", "更换凭据";
    settings: "Settings", "设置";
    throttles: "Quota of its own", "自定义限额";
    api_changes: "Settings and quota are changed with PATCH /v1/accounts/{}.", "设置与限额通过 PATCH /v1/accounts/{} 修改。";
}

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    frame: Frame,
    t: &'static Texts,
    account: AccountDetails,
    provider: String,
    state: Badge,
    since: Option<Moment>,
    made: Moment,
    changed: Moment,
    old_until: Option<Moment>,
    lanes: LaneTable,
    idle: LaneTable,
    idle_title: String,
    settings: Pretty,
    throttles: Option<Pretty>,
    /// What a test does, or why there is none
    trial: String,
    can_be_tried: bool,
    takes_orders: bool,
    outcome: Option<Outcome>,
    api_changes: String,
}

/// Lanes of the account: those with something to say, or the others.
#[derive(Template)]
#[template(path = "account_lanes.html")]
struct LaneTable {
    t: &'static Texts,
    lanes: Vec<Lane>,
    is_quiet: bool,
}

impl askama::filters::HtmlSafe for LaneTable {}

struct Lane {
    endpoint: String,
    /// What is left of the quota, and the quota
    tokens: String,
    is_idle: bool,
    available: u32,
    burst: u32,
    queued: i64,
    in_flight: i64,
    reach: Badge,
    oldest: Option<Moment>,
}

/// What a test came to.
struct Outcome {
    badge: Badge,
    works: bool,
    lead: &'static str,
    found: Option<String>,
    /// The API's words
    detail: String,
    members: Vec<(String, String)>,
}

/// What can be asked of a provider without changing anything.
enum Trial {
    Organizations,
    Orders(Option<String>),
    /// It takes orders and nothing else
    NoRead,
    /// It only calls
    CallsUs,
}

impl Trial {
    fn of(provider: &Provider) -> Self {
        let call = |kind: &str| provider.calls.iter().find(|call| call.call == kind);
        if call("organizations").is_some() {
            Trial::Organizations
        } else if let Some(search) = call("search_orders") {
            Trial::Orders(search.document_type.clone())
        } else if provider.operations.is_empty() {
            Trial::CallsUs
        } else {
            Trial::NoRead
        }
    }

    /// The read that tells, if there is one.
    fn path(&self, account: &str) -> Option<String> {
        match self {
            Trial::Organizations => Some(format!("{account}/organizations")),
            Trial::Orders(document_type) => {
                let parameters = [("limit", Some("1")), ("documentType", document_type.as_deref())];
                Some(with_query(&format!("{account}/provider-orders"), &parameters))
            }
            Trial::NoRead | Trial::CallsUs => None,
        }
    }
}

/// `GET /console/accounts/{id}`
pub async fn page(visitor: Visitor, Path(id): Path<String>) -> Result<Response, Failure> {
    show(&visitor, &id, false).await
}

/// `POST /console/accounts/{id}/test`
pub async fn test(Path(id): Path<String>, form: Form<Nothing>) -> Result<Response, Failure> {
    show(&form.visitor, &id, true).await
}

/// `GET /console/accounts/{id}/test`: what was found is not kept.
pub async fn after_test(_: Visitor, Path(id): Path<String>) -> Result<Response, Failure> {
    account_path(&id)?;
    Ok(Redirect::to(&format!("/console/accounts/{id}")).into_response())
}

async fn show(visitor: &Visitor, id: &str, is_tried: bool) -> Result<Response, Failure> {
    let language = visitor.language;
    let t = Texts::of(language);
    let path = account_path(id)?;
    let account: AccountDetails = visitor.get(&path).await?;
    let provider: Provider = visitor.get(&provider_path(&account.provider)?).await?;
    let trial = Trial::of(&provider);
    let outcome = match trial.path(&path).filter(|_| is_tried) {
        Some(read) => Some(Outcome::of(visitor.get::<Page<Value>>(&read).await, visitor)?),
        None => None,
    };
    let words = match trial {
        Trial::Organizations => t.test_organizations,
        Trial::Orders(_) => t.test_orders,
        Trial::NoRead => t.no_read,
        Trial::CallsUs => t.calls_us,
    };
    let lanes: Page<Throttle> = visitor.get(&format!("{path}/throttle")).await?;
    let lanes = lanes.items.into_iter().map(|lane| Lane::of(lane, visitor));
    let (idle, lanes): (Vec<Lane>, Vec<Lane>) = lanes.partition(|lane| lane.is_idle);
    let moment = |at| Moment::new(at, visitor.now, language);
    let is_empty = |value: &Value| value.as_object().is_none_or(Map::is_empty);
    let page = AccountPage {
        frame: visitor.frame(Section::Accounts, account.display_name.as_str()),
        t,
        state: badge(&account, language),
        since: account.paused.as_ref().map(|paused| moment(paused.since)),
        made: moment(account.created_at),
        changed: moment(account.updated_at),
        old_until: account.previous_callback_url_until.filter(|until| *until > visitor.now).map(moment),
        idle_title: fill(t.idle_lanes, idle.len()),
        lanes: LaneTable { t, lanes, is_quiet: false },
        idle: LaneTable { t, lanes: idle, is_quiet: true },
        settings: Pretty::json(&account.settings),
        throttles: (!is_empty(&account.throttles)).then(|| Pretty::json(&account.throttles)),
        trial: fill(words, &provider.name),
        can_be_tried: trial.path(&path).is_some(),
        takes_orders: !provider.operations.is_empty(),
        provider: provider.name,
        outcome,
        api_changes: fill(t.api_changes, id),
        account,
    };
    visitor.answer(&page)
}

impl Outcome {
    fn of(answer: Result<Page<Value>, Failure>, visitor: &Visitor) -> Result<Self, Failure> {
        let t = Texts::of(visitor.language);
        let refusal: Refusal = match answer {
            Ok(page) => {
                return Ok(Outcome {
                    badge: Badge::new(Tone::Good, t.works),
                    works: true,
                    lead: t.works_lead,
                    found: Some(fill(t.found, page.items.len())),
                    detail: String::new(),
                    members: Vec::new(),
                });
            }
            Err(Failure::Refused(refusal)) => *refusal,
            Err(failure) => return Err(failure),
        };
        let lead = match refusal.status {
            429 => t.no_quota,
            502 => t.refused,
            504 => t.no_answer,
            _ => t.not_tried,
        };
        let members = refusal.members(visitor.language).into_iter();
        Ok(Outcome {
            badge: Badge::new(Tone::Bad, t.does_not),
            works: false,
            lead,
            found: None,
            members: members.map(|(pointer, words)| (pointer.to_owned(), words.to_owned())).collect(),
            detail: refusal.detail,
        })
    }
}

impl Lane {
    fn of(lane: Throttle, visitor: &Visitor) -> Self {
        let language = visitor.language;
        let t = Texts::of(language);
        let limit = moment::pace(lane.limit, TimeDelta::seconds(lane.window), language);
        Lane {
            tokens: format!("{} · {limit}", left_of(lane.available, lane.burst, language)),
            is_idle: lane.queued == 0 && lane.in_flight == 0 && matches!(lane.circuit, Circuit::Closed),
            available: lane.available,
            burst: lane.burst,
            queued: lane.queued,
            in_flight: lane.in_flight,
            reach: match lane.circuit {
                Circuit::Closed => Badge::new(Tone::Good, t.closed),
                Circuit::HalfOpen => Badge::new(Tone::Warning, t.half_open),
                Circuit::Open => Badge::new(Tone::Bad, t.open),
            },
            oldest: lane.oldest_queued_at.map(|at| Moment::new(at, visitor.now, language)),
            endpoint: lane.endpoint,
        }
    }
}
