//! An order (运单) that is held, and how far it has come.

use chrono::{DateTime, Utc};

use super::content::Content;
use super::users::User;
use crate::sandbox::books::Position;

/// In the order in which an order comes to them, but for the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    Pending,
    Placed,
    Accepted,
    Loaded,
    Signed,
    Cancelled,
}

impl Status {
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "待处理",
            Self::Placed => "已下单",
            Self::Accepted => "已接单",
            Self::Loaded => "已装货",
            Self::Signed => "已签收",
            Self::Cancelled => "已撤销",
        }
    }

    /// The member `state` of answers: 0:"已撤销" 1000:"待处理" 2000:"已发布".
    pub fn state(self) -> i64 {
        match self {
            Self::Cancelled => 0,
            Self::Pending => 1000,
            Self::Placed | Self::Accepted | Self::Loaded | Self::Signed => 2000,
        }
    }

    /// The member `waybillState`: state为2000时才会有值,1已下单,2已接单,3已装货,4已签收.
    pub fn waybill_state(self) -> Option<i64> {
        match self {
            Self::Placed => Some(1),
            Self::Accepted => Some(2),
            Self::Loaded => Some(3),
            Self::Signed => Some(4),
            Self::Pending | Self::Cancelled => None,
        }
    }

    /// 只有状态为:待处理,已下单,已接单的运单可以撤销
    pub fn can_be_cancelled(self) -> bool {
        matches!(self, Self::Pending | Self::Placed | Self::Accepted)
    }

    /// Not documented: what is over cannot be changed.
    pub fn can_be_modified(self) -> bool {
        !matches!(self, Self::Signed | Self::Cancelled)
    }
}

/// A driver, as far as one is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Driver {
    pub phone: String,
    pub known: Option<&'static KnownDriver>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct KnownDriver {
    pub uid: &'static str,
    pub name: &'static str,
    pub phone: &'static str,
    pub car: &'static str,
}

/// The only driver of this simulator, who takes every order that is not given to another.
pub static DRIVER: KnownDriver =
    KnownDriver { uid: "5c4a7f86e4b0f2d798da543e", name: "某司机", phone: "13812345678", car: "浙A12345" };

impl Driver {
    pub fn with_phone(phone: &str) -> Self {
        Self { phone: phone.to_owned(), known: Some(&DRIVER).filter(|it| it.phone == phone) }
    }
}

/// An order that is held.
#[derive(Debug)]
pub struct Waybill {
    pub position: Position,
    pub user: &'static User,
    pub id: String,
    pub number: String,
    pub content: Content,
    pub status: Status,
    /// When it came to it
    pub since: DateTime<Utc>,
    pub pack_number: Option<String>,
    pub driver: Option<Driver>,
    pub times: Times,
}

/// Seconds since 1970.
#[derive(Debug, Clone, Default)]
pub struct Times {
    pub created: i64,
    pub updated: i64,
    pub published: Option<i64>,
    pub received: Option<i64>,
    pub shipped: Option<i64>,
    pub signed: Option<i64>,
}

impl Waybill {
    /// To a status that it has not come to yet, by way of all between.
    pub fn come_to(&mut self, status: Status, at: DateTime<Utc>) {
        let now = at.timestamp();
        let passes = |step: Status, held: Status| status != Status::Cancelled && held < step && step <= status;
        if passes(Status::Placed, self.status) {
            self.times.published = Some(now);
        }
        if passes(Status::Accepted, self.status) {
            self.times.received = Some(now);
            self.driver.get_or_insert_with(|| Driver::with_phone(DRIVER.phone));
        }
        if passes(Status::Loaded, self.status) {
            self.times.shipped = Some(now);
        }
        if passes(Status::Signed, self.status) {
            self.times.signed = Some(now);
        }
        self.status = status;
        self.since = at;
        self.times.updated = now;
    }
}
