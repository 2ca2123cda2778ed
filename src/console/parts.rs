//! Parts that several pages share.

use super::query::with_query;

/// Links to the other pages of a list.
pub struct Pager {
    /// Where the list begins, unless this is there
    pub first: Option<String>,
    pub next: Option<String>,
}

impl Pager {
    /// Of a list at `path` with these filters.
    pub fn new(path: &str, filters: &[(&str, Option<&str>)], cursor: Option<&str>, next_cursor: Option<&str>) -> Self {
        let with_cursor = |cursor| {
            let parameters: Vec<_> = filters.iter().copied().chain([("cursor", cursor)]).collect();
            with_query(path, &parameters)
        };
        Pager {
            first: cursor.filter(|cursor| !cursor.is_empty()).map(|_| with_cursor(None)),
            next: next_cursor.map(|next| with_cursor(Some(next))),
        }
    }

    pub fn is_needed(&self) -> bool {
        self.first.is_some() || self.next.is_some()
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
