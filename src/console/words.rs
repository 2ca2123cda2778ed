//! The ledger's words for people, in both languages, each with a tone.

use askama::Template;

use super::language::Language;
use crate::canonical::{
    CallbackState, DeliveryState, EventType, HoldReason, Operation, OrderStatus, Severity, SubmissionState,
};

/// What a state means for whoever watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "lowercase")]
pub enum Tone {
    /// Nothing to do
    Quiet,
    /// Under way
    Busy,
    Good,
    /// Worth a look
    Warning,
    Bad,
}

/// A dot and a word.
#[derive(Template, Debug, Clone)]
#[template(ext = "html", source = r#"<span class="badge {{ tone }}">{{ word }}</span>"#)]
pub struct Badge {
    pub tone: Tone,
    pub word: &'static str,
}

impl askama::filters::HtmlSafe for Badge {}

impl Badge {
    pub fn new(tone: Tone, word: &'static str) -> Self {
        Badge { tone, word }
    }

    pub fn of_order(status: OrderStatus, language: Language) -> Self {
        let tone = match status {
            OrderStatus::Pending => Tone::Busy,
            OrderStatus::Rejected => Tone::Bad,
            OrderStatus::Draft => Tone::Warning,
            OrderStatus::Requested | OrderStatus::Confirmed | OrderStatus::InTransit | OrderStatus::Completed => {
                Tone::Good
            }
            OrderStatus::Cancelled | OrderStatus::Unknown => Tone::Quiet,
        };
        Badge::new(tone, status_word(status, language))
    }

    pub fn of_submission(state: SubmissionState, language: Language) -> Self {
        let tone = match state {
            SubmissionState::Queued | SubmissionState::Sending => Tone::Busy,
            SubmissionState::Accepted => Tone::Good,
            SubmissionState::PartiallyAccepted | SubmissionState::InDoubt => Tone::Warning,
            SubmissionState::Rejected | SubmissionState::Dead => Tone::Bad,
            SubmissionState::Cancelled => Tone::Quiet,
        };
        Badge::new(tone, state_word(state, language))
    }

    pub fn of_severity(severity: Severity, language: Language) -> Self {
        match severity {
            Severity::Info => Badge::new(Tone::Quiet, language.choose("Note", "提示")),
            Severity::Warning => Badge::new(Tone::Warning, language.choose("Warning", "警告")),
            Severity::Error => Badge::new(Tone::Bad, language.choose("Error", "错误")),
        }
    }

    pub fn of_delivery(state: DeliveryState, language: Language) -> Self {
        match state {
            DeliveryState::Pending => Badge::new(Tone::Busy, language.choose("On its way", "推送中")),
            DeliveryState::Delivered => Badge::new(Tone::Good, language.choose("Delivered", "已送达")),
            DeliveryState::Dead => Badge::new(Tone::Bad, language.choose("Given up", "已放弃")),
        }
    }

    pub fn of_callback(state: CallbackState, language: Language) -> Self {
        let (tone, english, chinese) = match state {
            CallbackState::Received => (Tone::Busy, "Received", "已收到"),
            CallbackState::Processed => (Tone::Good, "Processed", "已处理"),
            CallbackState::Duplicate => (Tone::Quiet, "Duplicate", "重复"),
            CallbackState::Waiting => (Tone::Warning, "Waiting for its order", "等待订单"),
            CallbackState::Quarantined => (Tone::Bad, "Quarantined", "已隔离"),
            CallbackState::Ignored => (Tone::Quiet, "Ignored", "已忽略"),
        };
        Badge::new(tone, language.choose(english, chinese))
    }
}

pub fn status_word(status: OrderStatus, language: Language) -> &'static str {
    let (english, chinese) = match status {
        OrderStatus::Pending => ("Pending", "待确认"),
        OrderStatus::Rejected => ("Rejected", "已拒绝"),
        OrderStatus::Draft => ("Draft", "草稿"),
        OrderStatus::Requested => ("Requested", "已下单"),
        OrderStatus::Confirmed => ("Confirmed", "已确认"),
        OrderStatus::InTransit => ("In transit", "运输中"),
        OrderStatus::Completed => ("Completed", "已完成"),
        OrderStatus::Cancelled => ("Cancelled", "已取消"),
        OrderStatus::Unknown => ("Not asked yet", "尚未查询"),
    };
    language.choose(english, chinese)
}

pub fn state_word(state: SubmissionState, language: Language) -> &'static str {
    let (english, chinese) = match state {
        SubmissionState::Queued => ("Queued", "排队中"),
        SubmissionState::Sending => ("Sending", "发送中"),
        SubmissionState::Accepted => ("Accepted", "已接受"),
        SubmissionState::PartiallyAccepted => ("Partly accepted", "部分接受"),
        SubmissionState::Rejected => ("Rejected", "被拒绝"),
        SubmissionState::InDoubt => ("In doubt", "结果未知"),
        SubmissionState::Dead => ("Given up", "已放弃"),
        SubmissionState::Cancelled => ("Cancelled", "已取消"),
    };
    language.choose(english, chinese)
}

pub fn operation_word(operation: Operation, language: Language) -> &'static str {
    let (english, chinese) = match operation {
        Operation::Create => ("Create", "创建"),
        Operation::Amend => ("Amend", "修改"),
        Operation::UpdateCustomFields => ("Update custom fields", "更新自定义字段"),
        Operation::Cancel => ("Cancel", "取消"),
        Operation::CreateTrip => ("Create trip", "创建拼车"),
    };
    language.choose(english, chinese)
}

pub fn hold_word(reason: HoldReason, language: Language) -> &'static str {
    let (english, chinese) = match reason {
        HoldReason::RateLimit => ("Waits for quota", "等待限额"),
        HoldReason::EarlierSubmission => ("Waits for an earlier submission", "等待前一个提交"),
        HoldReason::CircuitOpen => ("Provider out of reach", "服务商无法连接"),
        HoldReason::AccountPaused => ("Account paused", "账户已暂停"),
        HoldReason::RetryBackoff => ("Waits for its next try", "等待下次重试"),
    };
    language.choose(english, chinese)
}

pub fn event_word(event_type: EventType, language: Language) -> &'static str {
    let (english, chinese) = match event_type {
        EventType::OrderPlaced => ("The provider holds the order", "服务商已收到订单"),
        EventType::OrderDrafted => ("The provider holds it as a draft", "服务商存为草稿"),
        EventType::OrderReleased => ("Released to carriers", "已发布给承运商"),
        EventType::OrderAssigned => ("Given to a carrier or vehicle", "已分配承运商或车辆"),
        EventType::OrderConfirmed => ("Taken by carrier or driver", "承运商或司机已接单"),
        EventType::OrderReassigned => ("Given to another driver or vehicle", "已改派"),
        EventType::TransportPickedUp => ("Goods loaded", "已提货"),
        EventType::TransportDelivered => ("Goods handed over", "已送达"),
        EventType::TransportLegDelivered => ("Signed for after a part of the way", "分段已签收"),
        EventType::TransportException => ("Something went wrong on the way", "运输异常"),
        EventType::TransportTrackingNote => ("Tracking note", "跟踪信息"),
        EventType::OrderCancelled => ("Order cancelled", "订单已取消"),
        EventType::OrderAmended => ("Order changed at the provider", "服务商已更新订单"),
        EventType::TripAssigned => ("On a vehicle that is named", "已安排车次"),
        EventType::TripUpdated => ("Trip changed", "车次已变更"),
        EventType::TripCancelled => ("Trip is off", "车次已取消"),
        EventType::DocumentWaybillPrinted => ("Waybill printed", "运单已打印"),
        EventType::DocumentLabelPrinted => ("Labels printed", "标签已打印"),
        EventType::PositionUpdated => ("Position reported", "位置更新"),
        EventType::WarehouseReceiptConfirmed => ("Goods received by a warehouse", "仓库已收货"),
        EventType::SubmissionQueued => ("Accepted by the gateway and queued", "网关已接受并排队"),
        EventType::SubmissionAccepted => ("The provider accepted", "服务商已接受"),
        EventType::SubmissionPartiallyAccepted => ("The provider accepted a part", "服务商部分接受"),
        EventType::SubmissionRejected => ("The provider rejected", "服务商拒绝"),
        EventType::SubmissionInDoubt => ("No readable answer: in doubt", "没有可读的响应：结果未知"),
        EventType::SubmissionDead => ("Retries used up", "重试次数已用完"),
        EventType::SubmissionCancelled => ("Taken out of the queue", "已从队列移除"),
        EventType::AccountPaused => ("Account paused", "账户已暂停"),
        EventType::AccountResumed => ("Account resumed", "账户已恢复"),
        EventType::CallbackQuarantined => ("A callback was not accepted", "回调未被接受"),
        EventType::WebhookEndpointDisabled => ("Webhook endpoint disabled", "Webhook 端点已停用"),
    };
    language.choose(english, chinese)
}

/// How an event stands out in a history.
pub fn event_tone(event_type: EventType) -> Tone {
    match event_type {
        EventType::SubmissionRejected | EventType::SubmissionDead | EventType::TransportException => Tone::Bad,
        EventType::SubmissionInDoubt
        | EventType::SubmissionPartiallyAccepted
        | EventType::OrderDrafted
        | EventType::AccountPaused
        | EventType::CallbackQuarantined
        | EventType::WebhookEndpointDisabled => Tone::Warning,
        EventType::SubmissionQueued
        | EventType::SubmissionCancelled
        | EventType::OrderCancelled
        | EventType::TripCancelled
        | EventType::TransportTrackingNote
        | EventType::PositionUpdated => Tone::Quiet,
        _ => Tone::Good,
    }
}
