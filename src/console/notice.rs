//! What an action came to, told once by the page that follows it.

use super::language::{Language, texts};

/// Something that was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Notice {
    SignedOut,
    SessionEnded,
    Retried,
    Resolved,
    Cancelled,
    CancelQueued,
}

texts! {
    signed_out: "You are signed out.", "您已退出登录。";
    session_ended: "Your session has ended, or the key is not valid any more. Sign in again to go on.",
        "会话已结束，或密钥已失效。请重新登录后继续。";
    retried: "Back in the queue. It goes out in its turn.", "已重新排队，将按顺序发送。";
    resolved: "Your decision is recorded, in the audit log too.", "您的决定已记录，并写入审计日志。";
    cancelled: "The order is cancelled. It had not gone out.", "订单已取消，尚未发送给服务商。";
    cancel_queued: "The cancellation is queued for the provider.", "取消请求已排队，等待发送给服务商。";
}

impl Notice {
    pub fn text(self, language: Language) -> &'static str {
        let t = Texts::of(language);
        match self {
            Notice::SignedOut => t.signed_out,
            Notice::SessionEnded => t.session_ended,
            Notice::Retried => t.retried,
            Notice::Resolved => t.resolved,
            Notice::Cancelled => t.cancelled,
            Notice::CancelQueued => t.cancel_queued,
        }
    }
}
