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
    Reprocessed,
    StillQuarantined,
    Enabled,
    Redelivered,
    AccountAdded,
    Paused,
    Resumed,
    CredentialsReplaced,
    CallbackPathReplaced,
}

texts! {
    signed_out: "You are signed out.", "您已退出登录。";
    session_ended: "Your session has ended, or the key is not valid any more. Sign in again to go on.",
        "会话已结束，或密钥已失效。请重新登录后继续。";
    retried: "Back in the queue. It goes out in its turn.", "已重新排队，将按顺序发送。";
    resolved: "Your decision is recorded, in the audit log too.", "您的决定已记录，并写入审计日志。";
    cancelled: "The order is cancelled. It had not gone out.", "订单已取消，尚未发送给服务商。";
    cancel_queued: "The cancellation is queued for the provider.", "取消请求已排队，等待发送给服务商。";
    reprocessed: "It was processed again; below stands what became of it.", "已重新处理，结果见下方。";
    still_quarantined: "It was processed again, and is still in quarantine: the reason stands below.",
        "已重新处理，但仍被隔离，原因见下方。";
    enabled: "The endpoint is enabled. What waited for it goes now.", "端点已启用，等待的事件正在推送。";
    redelivered: "It is on its way once more.", "正在重新推送。";
    account_added: "The account is added.", "账户已添加。";
    paused: "The account is paused. Orders are accepted as before; nothing goes out.",
        "账户已暂停：订单照常接受，但不会发送。";
    resumed: "The account goes on. What waited goes out in its turn.", "账户已恢复，等待的提交将按顺序发送。";
    credentials_replaced: "The credentials are replaced. The next request uses them.", "凭据已更换，下一次请求即使用新凭据。";
    callback_path_replaced: "The account has a new callback path. The old one is taken for as long as you said.",
        "账户已启用新的回调地址，旧地址在所选时间内仍有效。";
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
            Notice::Reprocessed => t.reprocessed,
            Notice::StillQuarantined => t.still_quarantined,
            Notice::Enabled => t.enabled,
            Notice::Redelivered => t.redelivered,
            Notice::AccountAdded => t.account_added,
            Notice::Paused => t.paused,
            Notice::Resumed => t.resumed,
            Notice::CredentialsReplaced => t.credentials_replaced,
            Notice::CallbackPathReplaced => t.callback_path_replaced,
        }
    }
}
