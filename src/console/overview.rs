//! The overview: what is accepted and settled, how long it takes, what comes of it, and what waits.

use askama::Template;
use axum::response::Response;
use chrono::TimeDelta;

use super::failure::Failure;
use super::frame::{Frame, Section};
use super::lanes::{self, LaneTable};
use super::language::{fill, texts};
use super::moment::{clock, milliseconds, span};
use super::visitor::Visitor;
use super::words::{Badge, Tone};
use crate::api::Scope;
use crate::store::overview::{LaneLoad, Minute, Troubles};

/// Whole minutes that the figures are an average of.
const AVERAGED: usize = 5;
/// Minutes of the table
const IN_TABLE: usize = 15;
/// Callbacks that are counted; more are more than anybody looks at one by one.
const MOST_COUNTED: i64 = 1000;
/// Lanes on the overview; all of them have a page of their own.
const MOST_LANES: usize = 6;

texts! {
    title: "Overview", "概览";
    live: "Live", "实时";
    live_off: "Not live: the gateway does not answer", "未更新：网关无响应";
    received: "Accepted", "已接受";
    settled: "Settled", "已结束";
    per_minute: "per minute, mean of 5", "每分钟，5 分钟平均";
    waiting: "Waiting", "等待中";
    oldest: "oldest for {}", "最早已等待 {}";
    nothing_waits: "nothing waits", "没有等待";
    time: "Time to settle", "结束用时";
    median: "median of the last busy minute", "最近有流量的一分钟的中位数";
    no_traffic: "no traffic in the last hour", "最近一小时没有流量";
    doubt: "In doubt", "结果未知";
    for_a_person: "{} for a person to decide", "{} 个需要人工裁定";
    no_doubt: "everything is known", "全部明确";
    held: "Accounts held", "受阻账户";
    held_which: "paused or out of reach", "已暂停或无法连接";
    none_held: "everything goes out", "全部正常发送";
    quarantined: "Quarantined", "被隔离";
    quarantined_which: "callbacks for a person to look at", "个回调需要人工处理";
    none_quarantined: "every callback was read", "回调均已处理";
    undelivered: "Webhooks failing", "推送失败";
    undelivered_which: "endpoints that get nothing now", "个端点目前收不到事件";
    none_undelivered: "every endpoint answers", "所有端点正常";
    throughput: "Accepted and settled per minute", "每分钟接受与结束";
    latency: "Time to settle, in milliseconds", "耗时（毫秒）";
    settle_median: "Settled, median", "结束（中位数）";
    settle_most: "Settled, 95 %", "结束（95%）";
    answer_most: "Provider answers, 95 %", "服务商响应（95%）";
    last_hour: "Last hour", "最近一小时";
    outcomes: "What came of submissions", "提交结果";
    accepted: "Accepted by the provider", "服务商接受";
    partially: "Partly accepted", "部分接受";
    rejected: "Rejected", "被拒绝";
    dead: "Given up", "已放弃";
    no_outcomes: "Nothing was settled in the last hour.", "最近一小时没有结束的提交。";
    lanes: "Lanes", "通道";
    all_lanes: "All lanes", "全部通道";
    no_lanes: "No lane has anything waiting.", "没有等待的通道。";
    table: "The numbers as a table", "以表格显示";
    minute: "Minute", "时间";
    time_axis: "Time", "时间";
    no_scripts: "Charts need JavaScript; the numbers are in the table below.", "图表需要 JavaScript，数据见下方表格。";
}

/// Everything that changes while somebody watches.
pub struct Live {
    pub minutes: Vec<Minute>,
    pub tiles: Tiles,
    pub state: State,
    pub table: MinuteTable,
}

/// One figure.
pub struct Tile {
    name: &'static str,
    figure: String,
    words: String,
    tone: Tone,
    link: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "overview_tiles.html")]
pub struct Tiles {
    tiles: Vec<Tile>,
}

/// What came of the last hour, and what waits.
#[derive(Template)]
#[template(path = "overview_state.html")]
pub struct State {
    t: &'static Texts,
    shares: Vec<Share>,
    /// For administrators
    lanes: Option<LaneTable>,
}

struct Share {
    badge: Badge,
    number: i64,
    /// Of 100
    percent: f64,
    /// Where its part of the bar begins
    begins: f64,
}

#[derive(Template)]
#[template(path = "overview_table.html")]
pub struct MinuteTable {
    t: &'static Texts,
    rows: Vec<MinuteRow>,
}

struct MinuteRow {
    at: String,
    received: i64,
    settled: i64,
    settled_median: String,
    settled_most: String,
    answered_most: String,
}

impl askama::filters::HtmlSafe for Tiles {}
impl askama::filters::HtmlSafe for State {}
impl askama::filters::HtmlSafe for MinuteTable {}

impl MinuteRow {
    fn of(minute: &Minute) -> Self {
        let number = |value: Option<f64>| value.map_or_else(|| "—".to_owned(), |value| format!("{value:.0}"));
        MinuteRow {
            at: clock(minute.at),
            received: minute.received,
            settled: minute.settled(),
            settled_median: number(minute.settled_median),
            settled_most: number(minute.settled_most),
            answered_most: number(minute.answered_most),
        }
    }
}

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    frame: Frame,
    t: &'static Texts,
    live: Live,
}

/// `GET /console`
pub async fn page(visitor: Visitor) -> Result<Response, Failure> {
    let t = Texts::of(visitor.language);
    let live = live(&visitor).await?;
    visitor.answer(&OverviewPage { frame: visitor.frame(Section::Overview, t.title), t, live })
}

/// How things stand now.
pub async fn live(visitor: &Visitor) -> Result<Live, Failure> {
    visitor.caller.require(Scope::OrdersRead)?;
    let language = visitor.language;
    let t = Texts::of(language);
    let (store, allowed) = (&visitor.console.app.store, visitor.caller.accounts());
    let minutes = visitor.console.pulse.minutes(store, allowed, visitor.now).await?;
    let loads = store.lane_loads(allowed).await?;
    let troubles = if visitor.may_administer() { Some(store.troubles(allowed, MOST_COUNTED).await?) } else { None };
    let tiles = Tiles { tiles: tiles(&minutes, &loads, troubles.as_ref(), visitor) };
    let lanes = if visitor.may_administer() {
        let mut lanes = lanes::of_loads(visitor, loads).await?;
        lanes.retain(lanes::Lane::is_busy);
        lanes.truncate(MOST_LANES);
        Some(LaneTable::new(language, lanes))
    } else {
        None
    };
    let state = State { t, shares: shares(&minutes, t), lanes };
    let rows = minutes.iter().rev().take(IN_TABLE).map(MinuteRow::of).collect();
    Ok(Live { tiles, state, table: MinuteTable { t, rows }, minutes })
}

/// What is wrong first, then what waits, then how it goes.
fn tiles(minutes: &[Minute], loads: &[LaneLoad], troubles: Option<&Troubles>, visitor: &Visitor) -> Vec<Tile> {
    let language = visitor.language;
    let t = Texts::of(language);
    // The running minute is not over.
    let whole: Vec<&Minute> = minutes.iter().rev().skip(1).take(AVERAGED).collect();
    let rate = |number: fn(&Minute) -> i64| {
        let sum: i64 = whole.iter().map(|minute| number(minute)).sum();
        #[expect(clippy::cast_precision_loss, reason = "a number for people")]
        let mean = sum as f64 / AVERAGED as f64;
        if mean >= 10.0 || sum == 0 { format!("{mean:.0}") } else { format!("{mean:.1}") }
    };
    let quiet =
        |name, figure, words: &str| Tile { name, figure, words: words.to_owned(), tone: Tone::Quiet, link: None };
    let median = minutes.iter().rev().find_map(|minute| minute.settled_median);
    #[expect(clippy::cast_possible_truncation, reason = "a number for people")]
    let time = median.map(|median| milliseconds(TimeDelta::milliseconds(median as i64)));
    let queued: i64 = loads.iter().map(|load| load.queued).sum();
    let oldest = loads.iter().filter_map(|load| load.oldest_queued_at).min();
    let waiting = oldest
        .map_or_else(|| t.nothing_waits.to_owned(), |oldest| fill(t.oldest, span(visitor.now - oldest, language)));
    let (doubts, undecided) =
        loads.iter().fold((0, 0), |(all, undecided), load| (all + load.in_doubt, undecided + load.undecided));
    let doubtful = match (doubts, undecided) {
        (0, _) => t.no_doubt.to_owned(),
        _ => fill(t.for_a_person, undecided),
    };
    let mut held: Vec<&str> = loads.iter().filter(|load| is_held(load)).map(|load| load.account_id.as_str()).collect();
    held.sort_unstable();
    held.dedup();
    let mut tiles = vec![Tile {
        link: Some("/console/submissions?state=in_doubt"),
        tone: if doubts > 0 { Tone::Warning } else { Tone::Quiet },
        ..quiet(t.doubt, doubts.to_string(), &doubtful)
    }];
    if let Some(troubles) = troubles {
        let trouble = |name, number: i64, most: i64, [some, none]: [&str; 2], tone, link| Tile {
            link: Some(link),
            tone: if number > 0 { tone } else { Tone::Quiet },
            ..quiet(
                name,
                if number > most { format!("{most}+") } else { number.to_string() },
                if number > 0 { some } else { none },
            )
        };
        let Troubles { quarantined, undelivered } = *troubles;
        let words = [t.held_which, t.none_held];
        #[expect(clippy::cast_possible_wrap, reason = "nobody has so many accounts")]
        let accounts = held.len() as i64;
        // A pause was somebody's wish.
        let tone = if loads.iter().any(is_cut_off) { Tone::Bad } else { Tone::Warning };
        tiles.push(trouble(t.held, accounts, i64::MAX, words, tone, "/console/lanes"));
        let words = [t.quarantined_which, t.none_quarantined];
        let link = "/console/callbacks?state=quarantined";
        tiles.push(trouble(t.quarantined, quarantined, MOST_COUNTED, words, Tone::Warning, link));
        let words = [t.undelivered_which, t.none_undelivered];
        tiles.push(trouble(t.undelivered, undelivered, i64::MAX, words, Tone::Warning, "/console/webhooks"));
    }
    tiles.extend([
        Tile { link: Some("/console/submissions?state=queued"), ..quiet(t.waiting, queued.to_string(), &waiting) },
        quiet(t.received, rate(|minute| minute.received), t.per_minute),
        quiet(t.settled, rate(Minute::settled), t.per_minute),
        match time {
            Some(time) => quiet(t.time, time, t.median),
            None => quiet(t.time, "—".to_owned(), t.no_traffic),
        },
    ]);
    tiles
}

/// Whether nothing goes out for an account.
fn is_held(load: &LaneLoad) -> bool {
    load.paused_at.is_some() || is_cut_off(load)
}

/// Whether the provider is out of reach for an account.
fn is_cut_off(load: &LaneLoad) -> bool {
    load.circuit_open_until.is_some_and(|until| until > load.now)
}

fn shares(minutes: &[Minute], t: &'static Texts) -> Vec<Share> {
    let sum = |number: fn(&Minute) -> i64| minutes.iter().map(number).sum::<i64>();
    let counted = [
        (Tone::Good, t.accepted, sum(|minute| minute.accepted)),
        (Tone::Busy, t.partially, sum(|minute| minute.partially_accepted)),
        (Tone::Warning, t.doubt, sum(|minute| minute.in_doubt)),
        (Tone::Bad, t.rejected, sum(|minute| minute.rejected)),
        (Tone::Quiet, t.dead, sum(|minute| minute.dead)),
    ];
    let all: i64 = counted.iter().map(|(_, _, number)| number).sum();
    let mut begins = 0.0;
    let counted = counted.into_iter().filter(|(_, _, number)| *number > 0);
    counted
        .map(|(tone, word, number)| {
            #[expect(clippy::cast_precision_loss, reason = "a number for people")]
            let percent = number as f64 * 100.0 / all as f64;
            let share = Share { badge: Badge::new(tone, word), number, percent, begins };
            begins += percent;
            share
        })
        .collect()
}

impl Share {
    fn in_words(&self) -> String {
        format!("{:.1} %", self.percent)
    }
}
