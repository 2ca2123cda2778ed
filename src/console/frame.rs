//! What stands around every page: navigation, language, who is signed in, and what was just done.

use super::language::{Language, texts};
use super::query::with_query;

texts! {
    product: "onelane", "onelane";
    console: "Console", "控制台";
    skip: "Skip to content", "跳到正文";
    navigation: "Main", "主导航";
    signed_in_as: "Signed in with key", "当前密钥";
    sign_out: "Sign out", "退出";
    overview: "Overview", "概览";
    orders: "Orders", "订单";
    submissions: "Submissions", "提交";
    lanes: "Lanes", "通道";
    quarantine: "Quarantine", "隔离";
    webhooks: "Webhooks", "Webhook";
    accounts: "Accounts", "账户";
    playground: "Playground", "转换试验";
    times: "Times are in China (UTC+08:00).", "时间均为中国时间（UTC+08:00）。";
    reference: "API reference", "接口文档";
}

/// A part of the console, as the navigation shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray)]
pub enum Section {
    Overview,
    Orders,
    Submissions,
    Lanes,
    Callbacks,
    Webhooks,
    Accounts,
    Playground,
}

impl Section {
    fn path(self) -> &'static str {
        match self {
            Section::Overview => "/console",
            Section::Orders => "/console/orders",
            Section::Submissions => "/console/submissions",
            Section::Lanes => "/console/lanes",
            Section::Callbacks => "/console/callbacks?state=quarantined",
            Section::Webhooks => "/console/webhooks",
            Section::Accounts => "/console/accounts",
            Section::Playground => "/console/playground",
        }
    }

    fn name(self, t: &Texts) -> &'static str {
        match self {
            Section::Overview => t.overview,
            Section::Orders => t.orders,
            Section::Submissions => t.submissions,
            Section::Lanes => t.lanes,
            Section::Callbacks => t.quarantine,
            Section::Webhooks => t.webhooks,
            Section::Accounts => t.accounts,
            Section::Playground => t.playground,
        }
    }

    /// Name of its symbol in `icons.svg`
    fn icon(self) -> &'static str {
        match self {
            Section::Overview => "overview",
            Section::Orders => "orders",
            Section::Submissions => "submissions",
            Section::Lanes => "lanes",
            Section::Callbacks => "quarantine",
            Section::Webhooks => "webhooks",
            Section::Accounts => "accounts",
            Section::Playground => "playground",
        }
    }

    /// Whether only administrators have something there.
    fn is_for_administrators(self) -> bool {
        matches!(self, Section::Lanes | Section::Callbacks | Section::Webhooks | Section::Accounts)
    }
}

/// Who is signed in, for the frame.
#[derive(Clone)]
pub struct SignedIn {
    pub key_name: String,
    /// Of the session; stands in each form
    pub form_token: String,
    pub may_administer: bool,
}

/// One entry of the navigation.
pub struct Link {
    pub path: &'static str,
    pub name: &'static str,
    pub icon: &'static str,
    pub is_current: bool,
}

/// Everything around the content of a page.
pub struct Frame {
    pub language: Language,
    pub t: &'static Texts,
    pub title: String,
    pub links: Vec<Link>,
    pub signed_in: Option<SignedIn>,
    pub notice: Option<&'static str>,
    /// Leads to the same page in the other language
    pub other_language: String,
}

impl Frame {
    /// The frame of a page at `here`.
    pub fn new(
        language: Language,
        title: impl Into<String>,
        section: Option<Section>,
        signed_in: Option<SignedIn>,
        here: &str,
    ) -> Self {
        let t = Texts::of(language);
        let administers = signed_in.as_ref().is_some_and(|signed_in| signed_in.may_administer);
        let shown = <Section as strum::VariantArray>::VARIANTS
            .iter()
            .filter(|_| signed_in.is_some())
            .filter(|section| administers || !section.is_for_administrators());
        let links = shown
            .map(|it| Link { path: it.path(), name: it.name(t), icon: it.icon(), is_current: Some(*it) == section })
            .collect();
        let other_language =
            with_query(&format!("/console/language/{}", language.other().code()), &[("back", Some(here))]);
        Frame { language, t, title: title.into(), links, signed_in, notice: None, other_language }
    }

    /// The token that each form sends along.
    pub fn token(&self) -> &str {
        self.signed_in.as_ref().map_or("", |signed_in| &signed_in.form_token)
    }
}
