//! A value for one of 3TMS's members, with the canonical members that it comes from. Creation and modification
//! write the same values; a modification looks first whether one of their members changed.

/// A value and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Carried<T> {
    pub value: T,
    pub from: Vec<Source>,
    /// What 3TMS's member cannot hold of it
    pub reduced: Option<Reduced>,
}

/// A canonical member by its path below the order or the stop, and what the value is to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    pub member: &'static str,
    pub how: How,
}

/// What a value is to a member that it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It says all that the member says
    Carried(Option<&'static str>),
    /// It is computed from the member, which has another place of its own
    Derived(&'static str),
    /// It says what the member says without being taken from it
    Implied,
}

/// What is lost of an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduced {
    /// 3TMS takes instants; the order names a day
    Day,
    /// 3TMS takes whole seconds
    Fraction,
}

impl<T> Carried<T> {
    pub fn of(value: T, member: &'static str) -> Self {
        Carried::noted(value, member, None)
    }

    pub fn noted(value: T, member: &'static str, note: Option<&'static str>) -> Self {
        Carried { value, from: vec![Source { member, how: How::Carried(note) }], reduced: None }
    }

    pub fn derived(value: T, member: &'static str, note: &'static str) -> Self {
        Carried { value, from: vec![Source { member, how: How::Derived(note) }], reduced: None }
    }

    #[must_use]
    pub fn and(mut self, member: &'static str, how: How) -> Self {
        self.from.push(Source { member, how });
        self
    }

    pub fn map<U>(self, to: impl FnOnce(T) -> U) -> Carried<U> {
        Carried { value: to(self.value), from: self.from, reduced: self.reduced }
    }

    pub fn comes_from(&self, member: &str) -> bool {
        self.from.iter().any(|source| source.member == member)
    }
}

/// A text that says something.
pub fn filled(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.trim().is_empty())
}
