//! An acceptance order (受理单): CustomerOrderEntity, and how far it has come.

use chrono::{DateTime, Utc};
use serde_json::Number;

use super::cargo::{Cargo, NOTES};
use super::content::Freight;
use super::members::{DELIVERY_TYPES, Members, PAY_TYPES};
use super::party::{CONSIGNEE, CONSIGNER, Party};
use super::users::User;
use crate::sandbox::books::Position;

/// What its sender says of it.
#[derive(Debug, Clone)]
pub struct CustomerContent {
    pub original_order_number: Option<String>,
    pub consigner: Party,
    pub consignee: Party,
    pub appoint_arrive_time: Option<i64>,
    pub delivery_time: Option<i64>,
    pub delivery_type: Option<i64>,
    /// The device that is bound now.
    pub device_number: Option<String>,
    pub start_address: Option<String>,
    pub end_address: Option<String>,
    pub notes: [Option<String>; 12],
    pub organization_path: Option<String>,
    pub receipt_count: Option<i64>,
    pub remarks: Option<String>,
    pub shipper: Freight,
    pub payment_collect: Option<Number>,
    pub cargoes: Vec<Cargo>,
}

impl CustomerContent {
    pub fn read(order: &mut Members) -> Self {
        Self {
            original_order_number: order.text("originalOrderNumber"),
            consigner: Party::of_customer_order(order, &CONSIGNER, true),
            consignee: Party::of_customer_order(order, &CONSIGNEE, false),
            appoint_arrive_time: order.timestamp("appointArriveTime"),
            delivery_time: order.timestamp("deliveryTime"),
            delivery_type: order.constant("deliveryType", &DELIVERY_TYPES),
            device_number: order.text("deviceNumber").filter(|it| !it.is_empty()),
            start_address: order.text("startAddress"),
            end_address: order.text("endAddress"),
            notes: NOTES.map(|name| order.text(name)),
            organization_path: order.organization("organizationPath"),
            receipt_count: order.integer("receiptCount"),
            remarks: order.text("remarks"),
            shipper: Freight {
                amount: order.number("shipperPay"),
                pay_type: order.constant("shipperPayType", &PAY_TYPES),
            },
            payment_collect: order.number("paymentCollect"),
            cargoes: order.list("cargoList", Cargo::read).unwrap_or_default(),
        }
    }
}

/// In the order in which it comes to them, but for the last. Two of them are 进行中.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CustomerStatus {
    Pending,
    /// 进行中, before it has left
    Started,
    /// 进行中, on its way
    Departed,
    Finished,
    Cancelled,
}

impl CustomerStatus {
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "待处理",
            Self::Started | Self::Departed => "进行中",
            Self::Finished => "已完成",
            Self::Cancelled => "已撤销",
        }
    }

    /// 0已撤销,1000待处理,2000进行中,3000已完成
    pub fn state(self) -> i64 {
        match self {
            Self::Cancelled => 0,
            Self::Pending => 1000,
            Self::Started | Self::Departed => 2000,
            Self::Finished => 3000,
        }
    }

    /// Not documented: as long as nothing has been picked up, as with an order (运单).
    pub fn can_be_cancelled(self) -> bool {
        matches!(self, Self::Pending | Self::Started)
    }

    /// Not documented: what is over cannot be changed.
    pub fn can_be_updated(self) -> bool {
        !matches!(self, Self::Finished | Self::Cancelled)
    }
}

/// An acceptance order that is held. Times are seconds since 1970.
#[derive(Debug)]
pub struct CustomerOrder {
    pub position: Position,
    pub user: &'static User,
    pub id: String,
    pub number: String,
    pub content: CustomerContent,
    pub status: CustomerStatus,
    /// When it came to it
    pub since: DateTime<Utc>,
    /// 绑定过的设备: all that ever were.
    pub bound_devices: Vec<String>,
    pub created: i64,
    pub updated: i64,
    pub published: Option<i64>,
    pub departed: Option<i64>,
    pub signed: Option<i64>,
}

impl CustomerOrder {
    pub fn new(
        position: Position,
        user: &'static User,
        id: String,
        number: String,
        content: CustomerContent,
        at: DateTime<Utc>,
    ) -> Self {
        let now = at.timestamp();
        let mut order = Self {
            position,
            user,
            id,
            number,
            content: content.clone(),
            status: CustomerStatus::Pending,
            since: at,
            bound_devices: Vec::new(),
            created: now,
            updated: now,
            published: None,
            departed: None,
            signed: None,
        };
        order.say(content, now);
        order
    }

    /// What is not said any more is cleared (没有传递的参数值将被清空).
    pub fn say(&mut self, content: CustomerContent, now: i64) {
        if let Some(device) = &content.device_number
            && !self.bound_devices.contains(device)
        {
            self.bound_devices.push(device.clone());
        }
        self.content = content;
        self.updated = now;
    }

    /// To a status that it has not come to yet, by way of all between.
    pub fn come_to(&mut self, status: CustomerStatus, at: DateTime<Utc>) {
        let now = at.timestamp();
        if status != CustomerStatus::Cancelled {
            for (step, time) in [
                (CustomerStatus::Started, &mut self.published),
                (CustomerStatus::Departed, &mut self.departed),
                (CustomerStatus::Finished, &mut self.signed),
            ] {
                if self.status < step && step <= status {
                    *time = Some(now);
                }
            }
        }
        self.status = status;
        self.since = at;
        self.updated = now;
    }
}
