//! What the two queries have alike: pages, periods, and texts to be met.

use serde_json::{Value, json};

use super::members::Members;

/// Whether a text that was asked for is the one that there is. Older copies of the document say
/// 模糊搜索 of some; this one does not.
#[derive(Debug)]
pub struct Wanted(Option<String>);

impl Wanted {
    pub fn read(request: &mut Members, name: &'static str) -> Self {
        Self(request.text(name).filter(|it| !it.is_empty()))
    }

    pub fn is_met_by(&self, held: Option<&str>) -> bool {
        self.0.is_none() || self.0.as_deref() == held
    }
}

/// 页码,1开始; 单页最大订单数,默认10,最大50.
pub struct Page {
    page: usize,
    size: usize,
}

impl Page {
    pub fn read(request: &mut Members) -> Self {
        let page = request.required_integer("page");
        let size = request.integer("size");
        Self {
            page: in_range(request, "page", page, i64::from(u32::MAX), "从1开始").unwrap_or(1),
            size: in_range(request, "size", size, 50, "最大50").unwrap_or(10),
        }
    }

    /// The answer's `data`, of all that were found, the oldest first.
    pub fn shown<T>(&self, found: &[T], show: impl Fn(&T) -> Value) -> Value {
        let Self { page, size } = self;
        let elements: Vec<_> = found.iter().skip((page - 1).saturating_mul(*size)).take(*size).map(show).collect();
        json!({ "page": page, "size": size, "total": found.len(), "elements": elements })
    }
}

fn in_range(request: &mut Members, name: &'static str, number: Option<i64>, most: i64, reason: &str) -> Option<usize> {
    let number = number?;
    if !(1..=most).contains(&number) {
        request.fault(name, reason);
        return None;
    }
    usize::try_from(number).ok()
}

/// Which of an order's times is meant: created录入时间,deliveryed提货时间,appointArrived预约提货时间,signed签收时间.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeType {
    Created,
    /// The document's own spelling.
    Deliveryed,
    AppointArrived,
    Signed,
}

/// 起始时间 and 结束时间, both within; either may be absent.
pub struct Period {
    time_type: Option<TimeType>,
    from: Option<i64>,
    to: Option<i64>,
}

impl Period {
    pub fn read(request: &mut Members) -> Self {
        let time_type = request.text("timeType").filter(|it| !it.is_empty());
        let read = time_type.as_deref().map(|it| match it {
            "created" => Some(TimeType::Created),
            "deliveryed" => Some(TimeType::Deliveryed),
            "appointArrived" => Some(TimeType::AppointArrived),
            "signed" => Some(TimeType::Signed),
            _ => None,
        });
        if read == Some(None) {
            request.fault("timeType", "取值应为created、deliveryed、appointArrived、signed");
        }
        let from = request.date_time("startDate");
        let to = request.date_time("endDate");
        // Of what time the dates would be then is not documented.
        if time_type.is_none() && (from.is_some() || to.is_some()) {
            request.fault("timeType", "必填");
        }
        Self { time_type: read.flatten(), from, to }
    }

    pub fn holds(&self, time: impl Fn(TimeType) -> Option<i64>) -> bool {
        let Self { time_type: Some(time_type), from, to } = *self else {
            return true;
        };
        if from.is_none() && to.is_none() {
            return true;
        }
        time(time_type).is_some_and(|at| from.is_none_or(|from| from <= at) && to.is_none_or(|to| at <= to))
    }
}
