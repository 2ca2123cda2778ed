//! Tokens: asking gives the one that is valid now; refreshing ends it and gives another. Both are valid for a year.

use serde_json::{Value, json};

use super::super::answer::reply;
use super::super::profile::{GENERATE_ACCESS_TOKEN, REFRESH_ACCESS_TOKEN};
use super::super::request::{document, post};
use super::super::settings::{Tokens, TtmsCredentials};
use crate::canonical::FieldError;
use crate::provider::{Account, Answer, Reply, Request, Session, Trace};

/// 获取登陆凭证
pub fn open(account: &Account) -> Result<Request, Vec<FieldError>> {
    let TtmsCredentials { username, password } = credentials(account)?;
    let mut trace = Trace::off();
    let json = document(&mut trace, |json| {
        json.constant("userName", &username);
        json.secret("password", &password);
    });
    Ok(post(account, GENERATE_ACCESS_TOKEN, json))
}

/// 更新登陆凭证
pub fn renew(account: &Account, session: &Session) -> Result<Request, Vec<FieldError>> {
    let TtmsCredentials { username, password: _ } = credentials(account)?;
    let tokens: Tokens = session.read().map_err(|_| unreadable("", "holds no tokens", "不包含令牌"))?;
    let mut trace = Trace::off();
    let json = document(&mut trace, |json| {
        json.constant("userName", &username);
        json.secret("refreshToken", &tokens.refresh_token);
    });
    Ok(post(account, REFRESH_ACCESS_TOKEN, json))
}

/// The tokens that either answers with.
pub fn tokens(answer: &Answer<'_>) -> Reply<Session> {
    reply(answer, |data| {
        let text = |name: &str| data.get(name).and_then(Value::as_str).filter(|token| !token.is_empty());
        match (text("accessToken"), text("refreshToken")) {
            (Some(access), Some(refresh)) => {
                Ok(Session::new(json!({"accessToken": access, "refreshToken": refresh}).to_string()))
            }
            _ => Err("the answer has no tokens".to_owned()),
        }
    })
}

fn credentials(account: &Account) -> Result<TtmsCredentials, Vec<FieldError>> {
    account
        .credentials
        .read()
        .map_err(|_| unreadable("/credentials", "must hold username and password", "必须包含 username 与 password"))
}

fn unreadable(pointer: &str, detail: &str, detail_zh: &str) -> Vec<FieldError> {
    vec![FieldError::new(pointer, "validation.missing", detail, detail_zh)]
}
