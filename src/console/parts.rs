//! Parts that several pages share.

use askama::Template;

use super::language::{Language, texts};
use super::query::with_query;

texts! {
    first: "First page", "首页";
    next: "Next page", "下一页";
    pages: "Pages", "分页";
    all: "All", "全部";
    show: "Show", "显示";
    clear: "Clear", "清除";
}

/// Links to the other pages of a list; nothing where all of it stands on one.
#[derive(Template)]
#[template(path = "pager.html")]
pub struct Pager {
    t: &'static Texts,
    /// Where the list begins, unless this is there
    first: Option<String>,
    next: Option<String>,
}

impl askama::filters::HtmlSafe for Pager {}

impl Pager {
    /// Of a list at `path` with these filters.
    pub fn new(
        path: &str,
        filters: &[(&str, Option<&str>)],
        cursor: Option<&str>,
        next_cursor: Option<&str>,
        language: Language,
    ) -> Self {
        let with_cursor = |cursor| {
            let parameters: Vec<_> = filters.iter().copied().chain([("cursor", cursor)]).collect();
            with_query(path, &parameters)
        };
        Pager {
            t: Texts::of(language),
            first: cursor.filter(|cursor| !cursor.is_empty()).map(|_| with_cursor(None)),
            next: next_cursor.map(|next| with_cursor(Some(next))),
        }
    }

    /// Of a list that has one page.
    pub fn none(language: Language) -> Self {
        Pager { t: Texts::of(language), first: None, next: None }
    }
}

/// One choice of a filter.
pub struct Choice {
    pub value: String,
    pub name: String,
    pub is_chosen: bool,
}

impl Choice {
    pub fn new(value: impl Into<String>, name: impl Into<String>, chosen: Option<&str>) -> Self {
        let value = value.into();
        Choice { is_chosen: chosen == Some(value.as_str()), name: name.into(), value }
    }
}

/// What narrows a list: it acts at once with scripts, and with a button without.
#[derive(Template)]
#[template(path = "filters.html")]
pub struct Filters {
    t: &'static Texts,
    /// The list itself, with nothing that narrows it
    path: String,
    fields: Vec<FilterField>,
}

impl askama::filters::HtmlSafe for Filters {}

struct FilterField {
    name: &'static str,
    label: &'static str,
    kind: FilterKind,
}

enum FilterKind {
    Choices(Vec<Choice>),
    Day(String),
}

impl Filters {
    pub fn new(path: impl Into<String>, language: Language) -> Self {
        Filters { t: Texts::of(language), path: path.into(), fields: Vec::new() }
    }

    /// One of several values, or all. A choice of nothing is left out.
    pub fn choice(mut self, name: &'static str, label: &'static str, choices: Vec<Choice>) -> Self {
        if !choices.is_empty() {
            self.fields.push(FilterField { name, label, kind: FilterKind::Choices(choices) });
        }
        self
    }

    pub fn day(mut self, name: &'static str, label: &'static str, day: Option<&str>) -> Self {
        let day = day.unwrap_or_default().to_owned();
        self.fields.push(FilterField { name, label, kind: FilterKind::Day(day) });
        self
    }

    /// Something is chosen.
    pub fn is_narrowed(&self) -> bool {
        self.fields.iter().any(|field| match &field.kind {
            FilterKind::Choices(choices) => choices.iter().any(|choice| choice.is_chosen),
            FilterKind::Day(day) => !day.is_empty(),
        })
    }
}
