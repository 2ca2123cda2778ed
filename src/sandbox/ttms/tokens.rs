//! `/user/generate_access_token/v2` and `/user/refresh_access_token/v2`: 有效期一年.
//!
//! Asking again gives what there is (重复获取不会刷新token和有效期), unless that is dead. Refreshing
//! ends it at once, and gives two new ones for another year.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Builder;

use super::answer::{self, Failure, Outcome};
use super::parameters::Parameters;
use super::users::{self, User};

const VALIDITY: TimeDelta = TimeDelta::days(365);

#[derive(Default)]
pub struct Tokens {
    handed_out: HashMap<&'static str, HandedOut>,
    last_serial: u64,
}

/// What a user has now.
struct HandedOut {
    access_token: String,
    refresh_token: String,
    until: DateTime<Utc>,
    /// The access token alone, before its time.
    is_ended: bool,
}

impl Tokens {
    /// Whose token this is, while it is good.
    pub fn user(&self, access_token: &str, now: DateTime<Utc>) -> Option<&'static User> {
        let (name, _) =
            self.handed_out.iter().find(|(_, it)| it.access_token == access_token && !it.is_ended && now < it.until)?;
        users::named(name)
    }

    pub fn end(&mut self, access_token: &str) {
        for handed_out in self.handed_out.values_mut() {
            handed_out.is_ended |= handed_out.access_token == access_token;
        }
    }

    fn hand_out(&mut self, user: &'static User, now: DateTime<Utc>) -> &HandedOut {
        let access_token = self.next_token(user, now);
        let refresh_token = self.next_token(user, now);
        let new = HandedOut { access_token, refresh_token, until: now + VALIDITY, is_ended: false };
        self.handed_out.entry(user.name).insert_entry(new).into_mut()
    }

    /// Looks like the document's, and is another one after a restart. No secret.
    fn next_token(&mut self, user: &User, now: DateTime<Utc>) -> String {
        self.last_serial += 1;
        let half = |which: &str| {
            let mut hasher = DefaultHasher::new();
            (user.name, now, self.last_serial, which).hash(&mut hasher);
            hasher.finish()
        };
        Builder::from_random_bytes((u128::from(half("first")) << 64 | u128::from(half("second"))).to_be_bytes())
            .into_uuid()
            .to_string()
    }
}

impl HandedOut {
    fn shown(&self) -> Value {
        let Self { access_token, refresh_token, until: _, is_ended: _ } = self;
        answer::data(json!({ "accessToken": access_token, "refreshToken": refresh_token }))
    }
}

/// Beside the answer, who has proven to be whom.
pub type Proven = (Option<&'static User>, Outcome);

pub fn generate(tokens: &mut Tokens, parameters: &Parameters, now: DateTime<Utc>) -> Proven {
    let read = parameters.check(|it| (it.required("userName"), it.required("password")));
    let (name, password) = match read {
        Ok(read) => read,
        Err(failure) => return (None, Err(failure)),
    };
    let Some(user) = users::named(&name).filter(|user| user.password == password) else {
        return (None, Err(Failure::Says("账号或密码不正确".to_owned())));
    };
    let answer = match tokens.handed_out.get(user.name) {
        Some(handed_out) if tokens.user(&handed_out.access_token, now).is_some() => handed_out.shown(),
        _ => tokens.hand_out(user, now).shown(),
    };
    (Some(user), Ok(answer))
}

pub fn refresh(tokens: &mut Tokens, parameters: &Parameters, now: DateTime<Utc>) -> Proven {
    let read = parameters.check(|it| (it.required("userName"), it.required("refreshToken")));
    let (name, refresh_token) = match read {
        Ok(read) => read,
        Err(failure) => return (None, Err(failure)),
    };
    let is_theirs = |user: &&'static User| {
        tokens.handed_out.get(user.name).is_some_and(|it| it.refresh_token == refresh_token && now < it.until)
    };
    match users::named(&name).filter(is_theirs) {
        Some(user) => (Some(user), Ok(tokens.hand_out(user, now).shown())),
        None => (None, Err(Failure::Says("账号或刷新凭证不正确".to_owned()))),
    }
}
