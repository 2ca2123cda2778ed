//! What the rules have found wrong with an order so far, and the checks that they share.
//!
//! The simulator has no master data. Names and codes stand for themselves instead: one that
//! starts with `UNKNOWN` is not found, one that starts with `AMBIGUOUS` is found twice, a branch
//! that starts with `FORBIDDEN` is not open to the user, a vendor that starts with `SUSPENDED` is
//! not in order, a custom text that starts with `REMOVED` is in a field that is no more, and every
//! other exists.

use super::members::Fault;

#[derive(Default)]
pub struct Findings(Vec<Fault>);

impl Findings {
    pub fn into_faults(self) -> Vec<Fault> {
        self.0
    }

    pub fn add(&mut self, code: &'static str, message: impl Into<String>) {
        self.0.push(Fault::new(code, message));
    }

    /// `reason` goes on from the member's path.
    pub fn add_of_member(&mut self, code: &'static str, path: &str, reason: &str) {
        self.0.push(Fault::of_member(code, path, reason));
    }

    pub fn missing<T>(&mut self, member: &str, value: Option<T>, code: &'static str) {
        if value.is_none() {
            self.add_of_member(code, member, "is missing");
        }
    }

    pub fn length(&mut self, member: &str, text: Option<&str>, longest: usize, code: &'static str) {
        if text.is_some_and(|text| text.chars().count() > longest) {
            self.add_of_member(code, member, &format!("has more than {longest} characters"));
        }
    }

    pub fn unknown(&mut self, member: &str, name: Option<&str>, code: &'static str) {
        self.marked(member, name, "UNKNOWN", code, "is not known");
    }

    pub fn ambiguous(&mut self, member: &str, name: Option<&str>, code: &'static str) {
        self.marked(member, name, "AMBIGUOUS", code, "is known more than once");
    }

    /// A name whose beginning says what is wrong with it, in the words of `reason`.
    pub fn marked(&mut self, member: &str, name: Option<&str>, mark: &str, code: &'static str, reason: &str) {
        if name.is_some_and(|name| name.starts_with(mark)) {
            self.add_of_member(code, member, reason);
        }
    }
}

pub fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
