//! Subscriptions to calls back, which [`super::callbacks`] makes.
//!
//! Each user has one of each topic (支持每个用户使用不同的回调地址); a new one takes the place of the
//! old, which the document does not say.

use serde_json::{Value, json};

use super::answer::{self, Outcome};
use super::ledger::{Ledger, Visit};
use super::members::Members;
use super::parameters::Parameters;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    Order,
    OrderPack,
    CustomerOrder,
}

impl Topic {
    fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::OrderPack => "orderPack",
            Self::CustomerOrder => "customer_order",
        }
    }

    fn states(self) -> &'static [u32] {
        match self {
            Self::Order => &[0, 1, 2, 3, 4, 210, 8000, 8001, 8002],
            Self::OrderPack => &[19_000, 40_000, 40_001],
            Self::CustomerOrder => &[600, 601, DEVICE_TRACK],
        }
    }
}

/// 602(需要xhkID):受理单绑定的小黑卡轨迹点上报
const DEVICE_TRACK: u32 = 602;

#[derive(Debug, Clone)]
pub struct Subscription {
    states: Vec<u32>,
    callback_url: String,
    version: Option<String>,
    xhk_id: Option<String>,
}

impl Subscription {
    fn read(members: &mut Members, topic: Topic) -> Self {
        let states = members.required("states");
        let known = |text: &str| topic.states().iter().copied().find(|state| state.to_string() == text);
        let read: Option<Vec<u32>> = states.split(',').map(known).collect();
        if read.is_none() && !states.is_empty() {
            let states: Vec<_> = topic.states().iter().map(u32::to_string).collect();
            members.fault("states", &format!("取值应为{},多个状态之间用','隔开", states.join("、")));
        }
        let states = read.unwrap_or_default();

        let callback_url = members.required("callbackUrl");
        let has_host = |scheme| callback_url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty());
        if !callback_url.is_empty() && !has_host("http://") && !has_host("https://") {
            members.fault("callbackUrl", "应以http://或https://开头");
        }
        let mut version = None;
        if topic == Topic::Order {
            let text = members.required("version");
            if !text.is_empty() && text != "v1" {
                members.fault("version", "取值应为v1");
            }
            version = Some(text);
        }
        let mut xhk_id = None;
        if topic == Topic::CustomerOrder {
            xhk_id = members.text("xhkID").filter(|it| !it.is_empty());
            if states.contains(&DEVICE_TRACK) && xhk_id.is_none() {
                members.fault("xhkID", "必填");
            }
        }
        Self { states, callback_url, version, xhk_id }
    }

    /// Where to call about this state; `None` if nobody asked for it.
    pub fn place_for(&self, state: u32) -> Option<&str> {
        self.states.contains(&state).then_some(&self.callback_url)
    }

    pub fn shown(&self, user: &str, topic: Topic) -> Value {
        let Self { states, callback_url, version, xhk_id } = self;
        json!({
            "user": user,
            "topic": topic.name(),
            "states": states,
            "callbackUrl": callback_url,
            "version": version,
            "xhkID": xhk_id,
        })
    }
}

pub fn subscribe(ledger: &mut Ledger, visit: &Visit, parameters: &Parameters, topic: Topic) -> Outcome {
    let subscription = parameters.check(|it| Subscription::read(it, topic))?;
    ledger.subscriptions.insert((visit.user.name, topic), subscription);
    Ok(answer::done())
}

/// Where there is none, nothing is left to do.
pub fn unsubscribe(ledger: &mut Ledger, visit: &Visit, parameters: &Parameters, topic: Topic) -> Outcome {
    parameters.check_none()?;
    ledger.subscriptions.remove(&(visit.user.name, topic));
    Ok(answer::done())
}
