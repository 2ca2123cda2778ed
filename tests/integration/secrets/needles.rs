//! Marked secrets, and where they are found: as they are, and in every form that a log, a document or an error page
//! may give them. Written apart from what masks them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;

use aho_corasick::AhoCorasick;
use data_encoding::{BASE64, HEXLOWER};

/// All marked secrets.
#[derive(Default)]
pub struct Needles {
    /// Name of the secret, and one of its forms
    forms: Vec<(String, Vec<u8>)>,
}

impl Needles {
    pub fn add(&mut self, name: &str, secret: &str) {
        assert!(secret.len() >= 6, "{name} is too short to be searched for");
        let mut forms = vec![
            secret.to_owned(),
            escaped_json(secret, false),
            escaped_json(secret, true),
            secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
            secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;"),
            percent(secret),
            percent(secret).replace("%20", "+"),
            HEXLOWER.encode(secret.as_bytes()),
            HEXLOWER.encode(secret.as_bytes()).to_uppercase(),
            // As a logger shows a text within another text.
            format!("{secret:?}").trim_matches('"').to_owned(),
        ];
        // In base64, wherever it begins; without the characters at both ends that its neighbours share.
        for before in ["", "x", "xx"] {
            let encoded = BASE64.encode(format!("{before}{secret}").as_bytes());
            let middle = &encoded[(before.len() * 8).div_ceil(6)..(before.len() + secret.len()) * 8 / 6];
            forms.push(middle.to_owned());
            forms.push(middle.replace('+', "-").replace('/', "_"));
        }
        forms.sort_unstable();
        forms.dedup();
        self.forms.extend(forms.into_iter().map(|form| (name.to_owned(), form.into_bytes())));
    }

    /// Fails when one of them stands in a text; `place` says where it was found.
    pub fn search(&self, place: &str, text: &[u8]) {
        self.search_but_for(place, text, &[]);
    }

    /// The same but for secrets of these names, which belong there.
    pub fn search_but_for(&self, place: &str, text: &[u8], allowed: &[&str]) {
        for (name, range) in self.find(text) {
            let around = &text[range.start.saturating_sub(300)..(range.end + 100).min(text.len())];
            let around = String::from_utf8_lossy(around);
            assert!(allowed.contains(&name), "{name} stands in {place}: {around}");
        }
    }

    /// Which of them stand in a text, in whatever form.
    pub fn names_in(&self, text: &[u8]) -> BTreeSet<&str> {
        self.find(text).map(|(name, _)| name).collect()
    }

    fn find(&self, text: &[u8]) -> impl Iterator<Item = (&str, Range<usize>)> {
        let automaton = AhoCorasick::new(self.forms.iter().map(|(_, form)| form)).unwrap();
        let found: Vec<_> = automaton.find_overlapping_iter(text).collect();
        found.into_iter().map(|found| (self.forms[found.pattern().as_usize()].0.as_str(), found.range()))
    }
}

pub fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |mut written, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            written.push(char::from(byte));
        } else {
            write!(written, "%{byte:02X}").unwrap();
        }
        written
    })
}

pub fn escaped_json(text: &str, ascii_only: bool) -> String {
    let quoted = serde_json::to_string(text).unwrap();
    let inner = &quoted[1..quoted.len() - 1];
    if !ascii_only {
        return inner.to_owned();
    }
    inner.chars().fold(String::new(), |mut written, character| {
        if character.is_ascii() {
            written.push(character);
        } else {
            character.encode_utf16(&mut [0; 2]).iter().for_each(|unit| write!(written, "\\u{unit:04x}").unwrap());
        }
        written
    })
}
