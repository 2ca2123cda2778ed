//! Callback subscriptions: of transport orders, of trips, of acceptance orders.

use super::super::profile::{
    CUSTOMER_ORDER_SUBSCRIBE, CUSTOMER_ORDER_UNSUBSCRIBE, ORDER_PACK_SUBSCRIBE, ORDER_PACK_UNSUBSCRIBE,
    ORDER_SUBSCRIBE, ORDER_UNSUBSCRIBE,
};
use super::super::settings::TtmsSettings;
use super::{done, no_parameters, request};
use crate::canonical::FieldError;
use crate::provider::json::JsonWriter;
use crate::provider::{Account, Call, Request, Subscription, SubscriptionWish};

/// Positions of the small black card that is bound to an acceptance order; wants xhkID.
const POSITIONS: &str = "602";

/// v1,暂无其他版本
const VERSION: &str = "v1";

/// 0:已撤销, 1:已下单, 2:已接单, 3:已装货, 4:已签收, 210:重新指派, 8000:运单打印, 8001:运单标签打印, 8002:异常上报
const ORDER_STATES: &[&str] = &["0", "1", "2", "3", "4", "210", "8000", "8001", "8002"];
/// 19000:删除/撤销车次, 40000:指派车次, 40001:更新车次
const TRIP_STATES: &[&str] = &["19000", "40000", "40001"];
/// 600:货物追踪, 601:受理单签收, 602:小黑卡轨迹点上报
const CUSTOMER_ORDER_STATES: &[&str] = &["600", "601", POSITIONS];

pub static SUBSCRIPTIONS: &[Subscription] = &[
    Subscription {
        topic: "orders",
        states: ORDER_STATES,
        subscribe: Call { endpoint: ORDER_SUBSCRIBE, encode: orders, decode: |_, answer| done(answer) },
        unsubscribe: Call {
            endpoint: ORDER_UNSUBSCRIBE,
            encode: |account, ()| no_parameters(account, ORDER_UNSUBSCRIBE),
            decode: |(), answer| done(answer),
        },
    },
    Subscription {
        topic: "trips",
        states: TRIP_STATES,
        subscribe: Call { endpoint: ORDER_PACK_SUBSCRIBE, encode: trips, decode: |_, answer| done(answer) },
        unsubscribe: Call {
            endpoint: ORDER_PACK_UNSUBSCRIBE,
            encode: |account, ()| no_parameters(account, ORDER_PACK_UNSUBSCRIBE),
            decode: |(), answer| done(answer),
        },
    },
    Subscription {
        topic: "customer-orders",
        states: CUSTOMER_ORDER_STATES,
        subscribe: Call {
            endpoint: CUSTOMER_ORDER_SUBSCRIBE,
            encode: customer_orders,
            decode: |_, answer| done(answer),
        },
        unsubscribe: Call {
            endpoint: CUSTOMER_ORDER_UNSUBSCRIBE,
            encode: |account, ()| no_parameters(account, CUSTOMER_ORDER_UNSUBSCRIBE),
            decode: |(), answer| done(answer),
        },
    },
];

fn orders(account: &Account, wish: &SubscriptionWish) -> Result<Request, Vec<FieldError>> {
    request(account, ORDER_SUBSCRIBE, |json, errors| {
        let asked = states(wish, ORDER_STATES, ORDER_STATES, errors);
        states_and_url(json, &asked, wish, errors);
        json.constant("version", VERSION);
    })
}

fn trips(account: &Account, wish: &SubscriptionWish) -> Result<Request, Vec<FieldError>> {
    request(account, ORDER_PACK_SUBSCRIBE, |json, errors| {
        let asked = states(wish, TRIP_STATES, TRIP_STATES, errors);
        states_and_url(json, &asked, wish, errors);
    })
}

fn customer_orders(account: &Account, wish: &SubscriptionWish) -> Result<Request, Vec<FieldError>> {
    let xhk_id = TtmsSettings::of(account).xhk_id;
    // All states are all that are possible: without the company's id there are no positions.
    let all: &[&str] = if xhk_id.is_some() { CUSTOMER_ORDER_STATES } else { &["600", "601"] };
    request(account, CUSTOMER_ORDER_SUBSCRIBE, |json, errors| {
        let asked = states(wish, CUSTOMER_ORDER_STATES, all, errors);
        states_and_url(json, &asked, wish, errors);
        match (asked.contains(&POSITIONS), &xhk_id) {
            (true, Some(xhk_id)) => json.constant("xhkID", xhk_id),
            (true, None) => {
                let place = wish.states.iter().position(|state| state == POSITIONS).unwrap_or_default();
                errors.push(FieldError::new(
                    format!("/states/{place}"),
                    "validation.missing",
                    "needs the account's setting xhkId, the company id that 3TMS hands out",
                    "需要在账户设置中填写 xhkId(3TMS 提供的小黑卡公司 id)",
                ));
            }
            (false, _) => {}
        }
    })
}

/// What is asked for: the states of the wish, each once, or `all` where it names none.
fn states<'s>(
    wish: &'s SubscriptionWish,
    documented: &[&'s str],
    all: &[&'s str],
    errors: &mut Vec<FieldError>,
) -> Vec<&'s str> {
    if wish.states.is_empty() {
        return all.to_vec();
    }
    let mut asked: Vec<&str> = Vec::new();
    for (index, state) in wish.states.iter().enumerate() {
        if !documented.contains(&state.as_str()) {
            let listed = documented.join(", ");
            errors.push(FieldError::new(
                format!("/states/{index}"),
                "validation.invalid_value",
                format!("must be one of {listed}"),
                format!("可选值:{listed}"),
            ));
        } else if !asked.contains(&state.as_str()) {
            asked.push(state);
        }
    }
    asked
}

fn states_and_url(json: &mut JsonWriter<'_>, asked: &[&str], wish: &SubscriptionWish, errors: &mut Vec<FieldError>) {
    // 以http://或https://开头
    if !wish.callback_url.starts_with("http://") && !wish.callback_url.starts_with("https://") {
        errors.push(FieldError::new(
            "/callbackUrl",
            "validation.invalid_format",
            "must begin with http:// or https://",
            "必须以 http:// 或 https:// 开头",
        ));
    }
    json.constant("states", asked.join(","));
    json.secret("callbackUrl", &wish.callback_url);
}
