//! Lanes: the quota of each, what waits, and what holds it.

use askama::Template;
use axum::response::Response;
use chrono::TimeDelta;

use super::failure::Failure;
use super::frame::{Frame, Section};
use super::language::{Language, fill, texts};
use super::moment::{self, Moment, milliseconds};
use super::visitor::Visitor;
use super::words::Tone;
use crate::api::Scope;
use crate::delivery::LaneQuota;
use crate::provider;
use crate::store::overview::LaneLoad;

texts! {
    title: "Lanes", "通道";
    lead: "A lane is one interface of a provider for one group of accounts: what its quota applies to.", "通道是服务商的一个接口对一组账户的通路，限额按通道计算。";
    lane: "Lane", "通道";
    tokens: "Tokens", "令牌";
    waiting: "Waiting", "等待中";
    under_way: "Under way", "发送中";
    held: "What holds it", "等待原因";
    oldest: "Oldest", "最早等待";
    paused: "Paused", "已暂停";
    circuit: "Provider out of reach", "服务商无法连接";
    rate: "{} wait for quota", "{} 个等待限额";
    earlier: "{} wait for an earlier one", "{} 个等待前一个提交";
    backoff: "{} wait for the next try", "{} 个等待重试";
    doubt: "{} in doubt", "{} 个结果未知";
    free: "{} of {} free", "可用 {} / {}";
    booked: "next in {}", "{}后可用";
    quiet: "Idle lanes", "空闲通道";
    none: "No lane was used yet", "尚未使用任何通道";
    none_advice: "A lane appears with the first order that goes through it. Accounts are made with POST /v1/accounts.",
        "首个订单发送后通道会显示在此处。账户通过 POST /v1/accounts 创建。";
    busy: "Busy lanes", "繁忙通道";
    nothing_waits: "Nothing waits. Everything that was accepted has gone out.", "没有等待的提交，已接受的均已发送。";
}

/// One lane, with what waits in it for all accounts that share it.
pub struct Lane {
    pub provider: String,
    pub group: String,
    pub endpoint: String,
    /// What the provider allows, what is left of it, and when there is more
    pub tokens: String,
    pub available: u32,
    pub burst: u32,
    pub queued: i64,
    pub in_flight: i64,
    pub in_flight_limit: u32,
    pub holds: Vec<Hold>,
    pub oldest: Option<Moment>,
}

/// Something that holds a lane: how bad it is, the account that it comes from, and further words.
pub struct Hold {
    pub tone: Tone,
    pub word: String,
    pub account: Option<String>,
    pub more: String,
}

/// The table of lanes, for this page and the overview.
#[derive(Template)]
#[template(path = "lane_table.html")]
pub struct LaneTable {
    t: &'static Texts,
    pub lanes: Vec<Lane>,
    /// Nothing waits in any of them: what is allowed is all there is to say
    is_quiet: bool,
}

impl askama::filters::HtmlSafe for LaneTable {}

impl LaneTable {
    pub fn new(language: Language, lanes: Vec<Lane>) -> Self {
        LaneTable { t: Texts::of(language), is_quiet: !lanes.iter().any(Lane::is_busy), lanes }
    }
}

#[derive(Template)]
#[template(path = "lanes.html")]
struct LanesPage {
    frame: Frame,
    t: &'static Texts,
    busy: LaneTable,
    quiet: LaneTable,
}

/// `GET /console/lanes`
pub async fn page(visitor: Visitor) -> Result<Response, Failure> {
    // As for the quotas of an account in the API.
    visitor.caller.require(Scope::Admin)?;
    let t = Texts::of(visitor.language);
    let loads = visitor.console.app.store.lane_loads(visitor.caller.accounts()).await?;
    let (busy, quiet) = of_loads(&visitor, loads).await?.into_iter().partition(Lane::is_busy);
    let page = LanesPage {
        frame: visitor.frame(Section::Lanes, t.title),
        t,
        busy: LaneTable::new(visitor.language, busy),
        quiet: LaneTable::new(visitor.language, quiet),
    };
    visitor.answer(&page)
}

/// Lanes out of what waits for each account, fullest first.
pub async fn of_loads(visitor: &Visitor, loads: Vec<LaneLoad>) -> Result<Vec<Lane>, Failure> {
    let members = visitor.console.app.store.lane_members().await?;
    let mut lanes: Vec<Lane> = Vec::new();
    for group in loads.chunk_by(|one, other| key(one) == key(other)) {
        let Some(first) = group.first() else { continue };
        let endpoint = provider::find(&first.provider).and_then(|it| it.profile().endpoint(&first.endpoint));
        let Some(endpoint) = endpoint else { continue };
        let shared = members
            .iter()
            .filter(|member| member.provider == first.provider && member.throttle_group == first.throttle_group)
            .map(|member| &member.throttles);
        lanes.push(Lane::of(group, first, &LaneQuota::of(endpoint, shared), visitor));
    }
    lanes.sort_by_key(|lane| std::cmp::Reverse(lane.queued));
    Ok(lanes)
}

fn key(load: &LaneLoad) -> (&str, &str, &str) {
    (&load.provider, &load.throttle_group, &load.endpoint)
}

/// Tokens that are left of those that there can be.
pub fn left_of(available: u32, burst: u32, language: Language) -> String {
    fill(&fill(Texts::of(language).free, available), burst)
}

impl Lane {
    fn of(loads: &[LaneLoad], first: &LaneLoad, quota: &LaneQuota, visitor: &Visitor) -> Self {
        let language = visitor.language;
        let t = Texts::of(language);
        let pace = &quota.pace;
        let ahead = first.next_free_at.map(|free| free - first.now);
        let available = pace.available(ahead);
        let next = ahead.filter(|_| available == 0).map(|ahead| {
            let tolerance = TimeDelta::from_std(pace.tolerance()).unwrap_or_default();
            fill(t.booked, milliseconds((ahead - tolerance).max(TimeDelta::zero())))
        });
        let window = TimeDelta::from_std(pace.limit.window).unwrap_or_default();
        let limit = moment::pace(pace.limit.requests, window, language);
        let sum = |number: fn(&LaneLoad) -> i64| loads.iter().map(number).sum::<i64>();
        let counted = [
            (Tone::Quiet, t.rate, sum(|load| load.held_by_rate_limit)),
            (Tone::Quiet, t.earlier, sum(|load| load.held_by_earlier)),
            (Tone::Warning, t.backoff, sum(|load| load.held_by_backoff)),
            (Tone::Warning, t.doubt, sum(|load| load.in_doubt)),
        ];
        let mut holds: Vec<Hold> = loads.iter().flat_map(|load| Hold::of_account(load, t)).collect();
        holds.extend(counted.into_iter().filter(|(_, _, number)| *number > 0).map(|(tone, text, number)| Hold {
            tone,
            word: fill(text, number),
            account: None,
            more: String::new(),
        }));
        Lane {
            provider: first.provider.clone(),
            group: first.throttle_group.clone(),
            endpoint: first.endpoint.clone(),
            tokens: [Some(left_of(available, pace.burst, language)), next, Some(limit)]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" · "),
            available,
            burst: pace.burst,
            queued: sum(|load| load.queued),
            in_flight: first.in_flight,
            in_flight_limit: quota.in_flight_limit,
            holds,
            oldest: loads
                .iter()
                .filter_map(|load| load.oldest_queued_at)
                .min()
                .map(|at| Moment::new(at, visitor.now, language)),
        }
    }

    /// Whether there is something to look at.
    pub fn is_busy(&self) -> bool {
        self.queued > 0 || self.in_flight > 0 || !self.holds.is_empty()
    }
}

impl Hold {
    /// Why nothing goes out for an account.
    fn of_account(load: &LaneLoad, t: &'static Texts) -> Vec<Hold> {
        let waits = load.queued + load.in_doubt > 0;
        let mut holds = Vec::new();
        if load.paused_at.is_some() && waits {
            holds.push(Hold {
                // As on the page of the account: somebody wanted it.
                tone: Tone::Warning,
                word: t.paused.to_owned(),
                account: Some(load.account_id.clone()),
                more: load.pause_reason.clone().unwrap_or_default(),
            });
        }
        if load.circuit_open_until.is_some_and(|until| until > load.now) && waits {
            holds.push(Hold {
                tone: Tone::Bad,
                word: t.circuit.to_owned(),
                account: Some(load.account_id.clone()),
                more: String::new(),
            });
        }
        holds
    }
}
