//! What a request asks: the members of its JSON body, or of the query of a GET.
//!
//! Beside the token nothing may stand in the URL of a POST (请勿将请求参数拼接在URL中传递, says an
//! older public copy of the document).

use std::collections::HashSet;
use std::fmt;

use axum::extract::Query;
use axum::http::{HeaderMap, Method, Uri, header};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::answer::Failure;
use super::members::Members;

const TOKEN: &str = "access_token";

pub struct Parameters {
    pub members: Map<String, Value>,
    /// In a query everything is text.
    is_query: bool,
}

impl Parameters {
    pub fn read(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<Self, Failure> {
        let query = query(uri).ok_or_else(|| Failure::because("URL参数格式错误"))?;
        let others = query.into_iter().filter(|(name, _)| name != TOKEN);
        if method == Method::GET {
            return Ok(Self { members: gathered(others), is_query: true });
        }
        if let Some((name, _)) = others.into_iter().next() {
            return Err(Failure::because(format!("{name}不能拼接在URL中传递,参数传递使用JSON格式")));
        }
        if body.is_empty() {
            return Ok(Self { members: Map::new(), is_query: false });
        }
        if !is_json(headers) {
            return Err(Failure::because("Content-Type应为application/json"));
        }
        let unreadable = |error: serde_json::Error| Failure::because(format!("请求体不是JSON:{error}"));
        let _: Unrepeated = serde_json::from_slice(body).map_err(unreadable)?;
        match serde_json::from_slice(body).map_err(unreadable)? {
            Value::Object(members) => Ok(Self { members, is_query: false }),
            _ => Err(Failure::because("请求体应为JSON对象")),
        }
    }

    /// Reads them with `read`, which must ask for all that are there; or says what is wrong with
    /// them, all of it.
    pub fn check<'a, T>(&'a self, read: impl FnOnce(&mut Members<'a, '_>) -> T) -> Result<T, Failure> {
        let mut faults = Vec::new();
        let value = Members::read(&self.members, String::new(), self.is_query, &mut faults, read);
        if faults.is_empty() { Ok(value) } else { Err(Failure::Because(faults.join(";"))) }
    }

    /// For an operation that takes none.
    pub fn check_none(&self) -> Result<(), Failure> {
        self.check(|_| ())
    }
}

/// The token in a URL, if there is just one.
pub fn token(uri: &Uri) -> Option<String> {
    let mut tokens = query(uri)?.into_iter().filter(|(name, _)| name == TOKEN).map(|(_, token)| token);
    let token = tokens.next()?;
    tokens.next().is_none().then_some(token)
}

fn query(uri: &Uri) -> Option<Vec<(String, String)>> {
    Query::try_from_uri(uri).ok().map(|Query(pairs)| pairs)
}

/// A name that comes again makes a list.
fn gathered(pairs: impl Iterator<Item = (String, String)>) -> Map<String, Value> {
    let mut members = Map::new();
    for (name, text) in pairs {
        match members.get_mut(&name) {
            None => {
                members.insert(name, text.into());
            }
            Some(Value::Array(texts)) => texts.push(text.into()),
            Some(first) => *first = Value::Array(vec![first.take(), text.into()]),
        }
    }
    members
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let mut parts = content_type.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|it| it.eq_ignore_ascii_case("application/json"));
    let is_other_charset = |it: &str| match it.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            !value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => false,
    };
    is_json && !parts.any(is_other_charset)
}

/// Any JSON in which no object has a member twice. Most readers take the last one in silence.
struct Unrepeated;

impl<'de> Deserialize<'de> for Unrepeated {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UnrepeatedVisitor)
    }
}

struct UnrepeatedVisitor;

impl<'de> Visitor<'de> for UnrepeatedVisitor {
    type Value = Unrepeated;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Unrepeated, E> {
        Ok(Unrepeated)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Unrepeated, E> {
        Ok(Unrepeated)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Unrepeated, E> {
        Ok(Unrepeated)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Unrepeated, E> {
        Ok(Unrepeated)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Unrepeated, E> {
        Ok(Unrepeated)
    }

    fn visit_str<E>(self, _: &str) -> Result<Unrepeated, E> {
        Ok(Unrepeated)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Unrepeated, A::Error> {
        while items.next_element::<Unrepeated>()?.is_some() {}
        Ok(Unrepeated)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Unrepeated, A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if names.contains(&name) {
                return Err(A::Error::custom(format_args!("{name}重复")));
            }
            names.insert(name);
            members.next_value::<Unrepeated>()?;
        }
        Ok(Unrepeated)
    }
}
