//! What the rules have found wrong with an order so far, and the checks that they share.
//!
//! The simulator has no master data. Names and codes stand for themselves instead: one that
//! starts with `UNKNOWN` is not found, one that starts with `AMBIGUOUS` is found twice, every
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

    pub fn missing<T>(&mut self, member: &str, value: Option<T>, code: &'static str) {
        if value.is_none() {
            self.add(code, format!("{member} is missing"));
        }
    }

    pub fn length(&mut self, member: &str, text: Option<&str>, longest: usize, code: &'static str) {
        if text.is_some_and(|text| text.chars().count() > longest) {
            self.add(code, format!("{member} has more than {longest} characters"));
        }
    }

    pub fn unknown(&mut self, member: &str, name: Option<&str>, code: &'static str) {
        if name.is_some_and(|name| name.starts_with("UNKNOWN")) {
            self.add(code, format!("{member} is not known"));
        }
    }

    pub fn ambiguous(&mut self, member: &str, name: Option<&str>, code: &'static str) {
        if name.is_some_and(|name| name.starts_with("AMBIGUOUS")) {
            self.add(code, format!("{member} is known more than once"));
        }
    }
}

pub fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
