//! The two languages of the console, and the texts of its pages in both.

use axum::extract::{Path, Query};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::cookies::{self, Lasting};
use super::failure::Failure;
use super::query::own_page;

/// A language that the console speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
pub enum Language {
    #[strum(serialize = "en")]
    English,
    #[strum(serialize = "zh")]
    Chinese,
}

/// Makes `Texts`: each text in English and in Chinese. One that lacks a language does not compile.
macro_rules! texts {
    ($($name:ident: $english:literal, $chinese:literal;)+) => {
        /// What stands on the page, in one language.
        pub(super) struct Texts {
            $(pub $name: &'static str,)+
        }

        impl Texts {
            pub(super) fn of(language: $crate::console::language::Language) -> &'static Texts {
                static ENGLISH: Texts = Texts { $($name: $english,)+ };
                static CHINESE: Texts = Texts { $($name: $chinese,)+ };
                match language {
                    $crate::console::language::Language::English => &ENGLISH,
                    $crate::console::language::Language::Chinese => &CHINESE,
                }
            }
        }
    };
}
pub(super) use texts;

/// A text with a value in the place of its `{}`.
pub fn fill(text: &str, value: impl ToString) -> String {
    text.replacen("{}", &value.to_string(), 1)
}

impl Language {
    /// The one that was chosen, else the one that the browser prefers, else English.
    pub fn of(headers: &HeaderMap) -> Self {
        let chosen = cookies::read(headers, cookies::LANGUAGE).and_then(|code| code.parse().ok());
        chosen.unwrap_or_else(|| Self::preferred(headers))
    }

    /// By `Accept-Language` (RFC 9110, 12.5.4).
    fn preferred(headers: &HeaderMap) -> Self {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut best = (Language::English, 0.0);
        for range in accepted.split(',') {
            let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
            let weight = parameters.trim().strip_prefix("q=").map_or(Some(1.0), |text| text.parse::<f32>().ok());
            let code = tag.trim().split('-').next().unwrap_or_default().to_ascii_lowercase();
            if let (Ok(language), Some(weight)) = (code.parse(), weight)
                && weight > best.1
            {
                best = (language, weight);
            }
        }
        best.0
    }

    /// For the attribute `lang`.
    pub fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Chinese => "zh-CN",
        }
    }

    pub fn code(self) -> &'static str {
        self.into()
    }

    pub fn other(self) -> Self {
        match self {
            Language::English => Language::Chinese,
            Language::Chinese => Language::English,
        }
    }

    /// Its own name, for those who speak it.
    pub fn name(self) -> &'static str {
        match self {
            Language::English => "English",
            Language::Chinese => "中文",
        }
    }

    /// One of two words.
    pub fn choose<T>(self, english: T, chinese: T) -> T {
        match self {
            Language::English => english,
            Language::Chinese => chinese,
        }
    }
}

/// Where to go on after the switch.
#[derive(Deserialize)]
pub struct Back {
    back: Option<String>,
}

/// `GET /console/language/{language}`: remembers the choice and goes back.
pub async fn switch(
    headers: HeaderMap,
    Path(code): Path<String>,
    Query(Back { back }): Query<Back>,
) -> Result<Response, Failure> {
    let language: Language = code.parse().map_err(|_| Failure::NotFound)?;
    let cookie = cookies::set(&headers, cookies::LANGUAGE, language.code().to_owned(), Lasting::Year);
    Ok((cookie, Redirect::to(own_page(back.as_deref()))).into_response())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_choice_comes_before_the_browsers_preference() {
        let language = |accepted: &'static str, cookie: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(accepted));
            headers.insert(header::COOKIE, HeaderValue::from_static(cookie));
            Language::of(&headers)
        };
        assert_eq!(language("", ""), Language::English);
        assert_eq!(language("zh-CN,zh;q=0.9,en;q=0.8", ""), Language::Chinese);
        assert_eq!(language("en-GB, zh;q=0.9", ""), Language::English);
        assert_eq!(language("de, zh-TW;q=0.4, en;q=0.3", ""), Language::Chinese);
        assert_eq!(language("fr;q=oops, *", ""), Language::English);
        assert_eq!(language("en", "onelane_language=zh"), Language::Chinese);
        assert_eq!(language("zh", "other=1; onelane_language=en"), Language::English);
        assert_eq!(language("zh", "onelane_language=klingon"), Language::Chinese);
    }
}
