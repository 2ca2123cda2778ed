//! Secrets that a provider may repeat, taken out of what it said before anybody sees it: in the form in which they
//! were sent, and in those that a log or an error page may give them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use data_encoding::{BASE64, BASE64URL, HEXLOWER, HEXUPPER};

use crate::canonical::SubmissionResult;

/// What stands in the place of a secret.
pub const MASK: &str = "***";

/// A secret of at least so many bytes is masked wherever it stands; a shorter one only where it is a word by itself:
/// within other words it would be found by chance, and the text would become unreadable.
const SHORTEST_ANYWHERE: usize = 6;
/// A shorter part of a base64 text may be anything.
const SHORTEST_BASE64: usize = 8;

/// Masks secrets in texts.
pub struct Mask {
    /// Nothing where there are no secrets
    automaton: Option<AhoCorasick>,
    /// Of each pattern, whether it counts only as a word by itself
    alone: Vec<bool>,
}

impl Mask {
    /// Masks these secrets in all their forms.
    pub fn of<'a>(secrets: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let forms: BTreeSet<Vec<u8>> = secrets.into_iter().flat_map(forms).collect();
        let alone = forms.iter().map(|form| form.len() < SHORTEST_ANYWHERE).collect();
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            // It serves one answer: what is quick to build is best.
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(forms)
            .ok();
        Mask { automaton: automaton.filter(|automaton| automaton.patterns_len() > 0), alone }
    }

    /// A text with its secrets masked.
    pub fn bytes(&self, text: &[u8]) -> Vec<u8> {
        self.replace(text, true)
    }

    /// `words` says whether short secrets count, too.
    fn replace(&self, text: &[u8], words: bool) -> Vec<u8> {
        let Some(automaton) = &self.automaton else { return text.to_vec() };
        let mut masked = Vec::with_capacity(text.len());
        automaton.replace_all_with_bytes(text, &mut masked, |found, form, masked| {
            let short = self.alone.get(found.pattern().as_usize()).copied().unwrap_or(false);
            let kept = short && !(words && is_alone(text, found.start(), found.end()));
            masked.extend_from_slice(if kept { form } else { MASK.as_bytes() });
            true
        });
        masked
    }

    /// The same of words.
    pub fn text(&self, text: &str) -> String {
        into_text(self.bytes(text.as_bytes()))
    }

    /// What a provider said of an item or a call. A code as short as a short secret is a code.
    pub fn results(&self, results: &mut [SubmissionResult]) {
        for SubmissionResult { raw_code, raw_message, message_zh, message_en, .. } in results {
            *raw_code = into_text(self.replace(raw_code.as_bytes(), false));
            for text in [message_zh, message_en].into_iter().chain(raw_message.as_mut()) {
                *text = self.text(text);
            }
        }
    }
}

/// A form of a secret is whole characters, so a text stays one.
fn into_text(masked: Vec<u8>) -> String {
    String::from_utf8(masked).unwrap_or_else(|broken| String::from_utf8_lossy(broken.as_bytes()).into_owned())
}

/// Whether what stands there is no part of a longer word.
fn is_alone(text: &[u8], start: usize, end: usize) -> bool {
    let in_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') || !byte.is_ascii();
    !text[..start].last().is_some_and(in_word) && !text[end..].first().is_some_and(in_word)
}

/// The forms in which a secret may be repeated.
fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    if secret.is_empty() {
        return Vec::new();
    }
    let mut forms = vec![secret.to_vec(), percent(secret, false, "%20"), percent(secret, true, "%20")];
    forms.push(percent(secret, false, "+"));
    forms.push(percent(secret, true, "+"));
    if secret.len() >= SHORTEST_ANYWHERE {
        forms.push(HEXLOWER.encode(secret).into_bytes());
        forms.push(HEXUPPER.encode(secret).into_bytes());
        forms.extend(base64_parts(secret));
    }
    if let Ok(text) = std::str::from_utf8(secret) {
        forms.extend(json_forms(text).into_iter().chain(xml_forms(text)).map(String::into_bytes));
    }
    forms
}

/// As the value of a URL's parameter.
fn percent(secret: &[u8], lower: bool, space: &str) -> Vec<u8> {
    let mut escaped = String::with_capacity(secret.len());
    for byte in secret {
        let _ = match byte {
            b'-' | b'.' | b'_' | b'~' => write!(escaped, "{}", char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => write!(escaped, "{}", char::from(*byte)),
            b' ' => write!(escaped, "{space}"),
            byte if lower => write!(escaped, "%{byte:02x}"),
            byte => write!(escaped, "%{byte:02X}"),
        };
    }
    escaped.into_bytes()
}

/// The part of base64 that the secret alone determines, wherever it begins in what was encoded: a user name may stand
/// before it.
fn base64_parts(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    for before in 0..3_usize {
        let mut padded = vec![0; before];
        padded.extend_from_slice(secret);
        let bits = padded.len() * 8;
        // Characters that hold other bits, too, at both ends.
        let (from, until) = ((before * 8).div_ceil(6), bits / 6);
        for alphabet in [&BASE64, &BASE64URL] {
            let encoded = alphabet.encode(&padded);
            let part = encoded.get(from..until).unwrap_or_default();
            if part.len() >= SHORTEST_BASE64 {
                parts.push(part.as_bytes().to_vec());
            }
        }
    }
    parts
}

/// As writers of JSON escape a text: as little as they must, slashes too, everything beyond ASCII, what HTML minds.
fn json_forms(text: &str) -> Vec<String> {
    let quoted = serde_json::Value::from(text).to_string();
    let least = quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned();
    let with_slashes = least.replace('/', "\\/");
    let mut forms = vec![least.clone(), with_slashes.clone()];
    for base in [&least, &with_slashes] {
        for html in [false, true] {
            for lower in [false, true] {
                forms.push(ascii_only(base, html, lower));
            }
        }
    }
    forms
}

fn ascii_only(text: &str, html: bool, lower: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii() && !(html && matches!(character, '<' | '>' | '&' | '\'')) {
            escaped.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            let _ = if lower { write!(escaped, "\\u{unit:04x}") } else { write!(escaped, "\\u{unit:04X}") };
        }
    }
    escaped
}

/// As XML and HTML escape a text.
fn xml_forms(text: &str) -> [String; 4] {
    let least = text.replace('&', "&amp;").replace('<', "&lt;");
    let element = least.replace('>', "&gt;");
    let named = element.replace('"', "&quot;").replace('\'', "&apos;");
    let numbered = element.replace('"', "&#34;").replace('\'', "&#39;");
    [least, element, named, numbered]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::Severity;

    fn mask(secrets: &[&str]) -> Mask {
        Mask::of(secrets.iter().map(|secret| secret.as_bytes()))
    }

    #[test]
    fn a_secret_is_masked_in_every_form_in_which_it_may_come_back() {
        let secret = "p\"ss w/rd<&'é";
        let mask = mask(&[secret]);
        for repeated in [
            secret.to_owned(),
            r#"p\"ss w/rd<&'é"#.to_owned(),
            r#"p\"ss w\/rd<&'\u00e9"#.to_owned(),
            r"p\u0022ss".replace(r"\u0022", r#"\""#) + r#" w/rd\u003c\u0026\u0027\u00e9"#,
            "p\"ss w/rd&lt;&amp;'é".to_owned(),
            "p&quot;ss w/rd&lt;&amp;&apos;é".to_owned(),
            "p&#34;ss w/rd&lt;&amp;&#39;é".to_owned(),
            "p%22ss%20w%2Frd%3C%26%27%C3%A9".to_owned(),
            "p%22ss+w%2frd%3c%26%27%c3%a9".to_owned(),
            HEXLOWER.encode(secret.as_bytes()),
            HEXUPPER.encode(secret.as_bytes()),
        ] {
            assert_eq!(mask.text(&format!("x{repeated}x")), "x***x", "{repeated}");
        }
    }

    #[test]
    fn a_secret_is_masked_in_base64_whatever_stands_before_it() {
        let mask = mask(&["correct horse"]);
        for before in ["", "a", "ab", "abc", "user:"] {
            let encoded = BASE64.encode(format!("{before}correct horse!").as_bytes());
            let masked = mask.text(&format!("Basic {encoded}"));
            assert!(masked.contains(MASK) && masked.len() < "Basic ".len() + encoded.len() - 10, "{before}: {masked}");
        }
        assert_eq!(mask.text(&BASE64.encode(b"another horse")), BASE64.encode(b"another horse"));
    }

    #[test]
    fn a_short_secret_is_masked_as_a_word_and_left_in_others() {
        let mask = mask(&["1234"]);
        assert_eq!(mask.text("sign 1234: wrong (1234)"), "sign ***: wrong (***)");
        assert_eq!(mask.text(r#"{"sign":"1234","code":1234}"#), r#"{"sign":"***","code":***}"#);
        assert_eq!(mask.text("<sign>1234</sign>"), "<sign>***</sign>");
        assert_eq!(mask.text("order SO-12345, 2026-1234, 号1234"), "order SO-12345, 2026-1234, 号1234");
    }

    #[test]
    fn the_longest_secret_counts_and_none_means_none() {
        assert_eq!(mask(&["secret", "secret-token"]).text("a secret-token, a secret"), "a ***, a ***");
        assert_eq!(mask(&[]).text("as it is"), "as it is");
        assert_eq!(mask(&[""]).text("as it is"), "as it is");
        assert_eq!(mask(&["secret"]).bytes(b"\xff secret \xfe"), b"\xff *** \xfe");
    }

    #[test]
    fn a_short_secret_is_no_reason_to_lose_a_code() {
        let result = SubmissionResult::gateway("1022", Severity::Error, false, "", "").with_raw_message("not 1022");
        let mut results = [result];
        mask(&["1022"]).results(&mut results);
        assert_eq!((results[0].raw_code.as_str(), results[0].raw_message.as_deref()), ("1022", Some("not ***")));
    }

    #[test]
    fn what_a_provider_says_is_masked_code_and_words() {
        let result = SubmissionResult::gateway("secret-code", Severity::Error, false, "a secret", "一个 secret");
        let mut results = [result.with_raw_message("it said secret")];
        mask(&["secret"]).results(&mut results);
        let [result] = results;
        assert_eq!(result.raw_code, "***-code");
        assert_eq!(result.raw_message.as_deref(), Some("it said ***"));
        assert_eq!((result.message_en.as_str(), result.message_zh.as_str()), ("a ***", "一个 ***"));
    }
}
