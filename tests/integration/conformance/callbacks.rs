//! What providers call, as their documents say: the inward half of every adapter.
//!
//! `callbacks.json` is a list of objects with these members:
//!
//! | member | |
//! |---|---|
//! | `name` | For people |
//! | `settings` | Of the account, in the place of the sandbox's |
//! | `call` | File with the document's example |
//! | `happenings` | `{event, status?, orderNumber?, providerOrderNumber?}` for each, in order |

use onelane::canonical::{EventType, Happening, OrderStatus};
use onelane::provider::{
    self, Account, Callback, Inward, Profile, Provider, Reception, Refusal, Verification, read_callback,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{account, fixture, json_fixture};

/// An adapter whose provider calls, with an account that its simulator calls.
struct Called {
    profile: &'static Profile,
    inward: &'static dyn Inward,
    credentials: Value,
    settings: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    name: String,
    settings: Option<Value>,
    call: String,
    happenings: Vec<Told>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Told {
    event: EventType,
    status: Option<OrderStatus>,
    order_number: Option<String>,
    provider_order_number: Option<String>,
}

impl From<&Happening> for Told {
    fn from(happening: &Happening) -> Self {
        Told {
            event: happening.event,
            status: happening.status,
            order_number: happening.order.order_number.clone(),
            provider_order_number: happening.order.provider_order_number.clone(),
        }
    }
}

fn called() -> Vec<Called> {
    let sandbox = crate::harness::gateway::new_sandbox();
    let accounts = sandbox.demo_accounts("http://sandbox.test");
    let of_provider = |provider: &'static dyn Provider| {
        let (profile, inward) = (provider.profile(), provider.inward()?);
        let demo = accounts.iter().find(|account| account.provider == profile.id).unwrap();
        Some(Called { profile, inward, credentials: demo.credentials.clone(), settings: demo.settings.clone() })
    };
    provider::ALL.iter().copied().filter_map(of_provider).collect()
}

impl Called {
    fn examples(&self) -> Vec<Example> {
        let id = self.profile.id;
        let list = json_fixture(id, "callbacks.json").unwrap_or_else(|| panic!("tests/fixtures/{id}/callbacks.json"));
        serde_json::from_value(list).unwrap_or_else(|error| panic!("tests/fixtures/{id}/callbacks.json: {error}"))
    }

    fn account(&self, example: &Example) -> Account {
        let settings = example.settings.as_ref().unwrap_or(&self.settings);
        account("conformance", "http://provider.test", &self.credentials, settings)
    }

    fn body(&self, example: &Example) -> Vec<u8> {
        std::fs::read(fixture(self.profile.id, &example.call))
            .unwrap_or_else(|error| panic!("{}: {error}", example.call))
    }

    fn read(&self, account: &Account, body: &[u8]) -> Result<Vec<Happening>, Refusal> {
        let callback = Callback { headers: &[], body };
        read_callback(self.inward, account, callback, crate::harness::wall_clock())
    }
}

#[test]
fn calls_are_read_as_the_documents_say() {
    for called in called() {
        for example in called.examples() {
            let read = called.read(&called.account(&example), &called.body(&example));
            let read = read.unwrap_or_else(|refusal| panic!("{}: {refusal:?}", example.name));
            let told: Vec<Told> = read.iter().map(Told::from).collect();
            assert_eq!(told, example.happenings, "{} {}", called.profile.id, example.name);
            for happening in &read {
                assert!(happening.data.contains_key("raw"), "{}", example.name);
                let named = happening.order.order_number.is_some() || happening.order.provider_order_number.is_some();
                assert!(named || happening.without_order, "{}", example.name);
            }
            let mut keys: Vec<_> = read.iter().map(|happening| &happening.dedupe_key).collect();
            keys.sort();
            keys.dedup();
            assert_eq!(keys.len(), read.len(), "{}", example.name);
        }
    }
}

#[test]
fn the_same_call_in_another_form_is_a_repetition() {
    for called in called() {
        for example in called.examples() {
            let (account, body) = (called.account(&example), called.body(&example));
            let keys = |body: &[u8]| -> Vec<String> {
                called.read(&account, body).unwrap().into_iter().map(|happening| happening.dedupe_key).collect()
            };
            let Ok(Value::Object(members)) = serde_json::from_slice(&body) else { continue };
            let turned: serde_json::Map<String, Value> = members.into_iter().rev().collect();
            assert_eq!(keys(&body), keys(Value::Object(turned).to_string().as_bytes()), "{}", example.name);
        }
    }
}

/// Whoever calls, nonsense is no call.
#[test]
fn nonsense_and_half_a_call_tell_nothing() {
    const NONSENSE: &[&[u8]] =
        &[b"", b" ", b"<html></html>", b"null", b"[]", b"{}", b"200", b"\"ok\"", b"\xff\xfe\x00\x00", b"{\"a\":"];
    for called in called() {
        for example in called.examples() {
            let (account, body) = (called.account(&example), called.body(&example));
            for nonsense in NONSENSE {
                let refusal = called.read(&account, nonsense).unwrap_err();
                assert!(refusal.code.starts_with("callback."), "{refusal:?}");
                assert!(!refusal.detail.is_empty() && !refusal.detail_zh.is_empty(), "{refusal:?}");
            }
            let whole = String::from_utf8_lossy(&body).trim_end().len();
            for end in 0..whole {
                assert!(called.read(&account, &body[..end]).is_err(), "{}: {end} bytes", example.name);
            }
        }
    }
}

/// A wrong type of any member tells something or is refused; it never brings the gateway down.
#[test]
fn any_member_may_be_anything() {
    for called in called() {
        for example in called.examples() {
            let account = called.account(&example);
            let document: Value = serde_json::from_slice(&called.body(&example)).unwrap();
            for pointer in super::leaves(&document) {
                for other in
                    [json!(null), json!(""), json!("x"), json!(-1), json!(1e300), json!([]), json!({}), json!(true)]
                {
                    let mut changed = document.clone();
                    *changed.pointer_mut(&pointer).unwrap() = other;
                    let _ = called.read(&account, changed.to_string().as_bytes());
                }
            }
        }
    }
}

#[test]
fn a_refusal_never_sounds_like_an_acceptance() {
    for called in called() {
        let refusal = Refusal::unparsable("why", "原因");
        let accepted = called.inward.reply(Reception::Accepted);
        let refused = called.inward.reply(Reception::Refused(&refusal));
        assert_ne!(accepted.body, refused.body, "{}", called.profile.id);
        assert!(String::from_utf8_lossy(&refused.body).contains("原因"), "{}", called.profile.id);
    }
}

/// Where calls are signed, an unsigned one is refused unless the account only warns.
#[test]
fn what_cannot_be_verified_is_not_taken_in_silence() {
    for called in called() {
        for example in called.examples() {
            let own = account("conformance", "http://provider.test", &called.credentials, &called.settings);
            let body = called.body(&example);
            let callback = Callback { headers: &[], body: &body };
            let strict = called.inward.verify(&own, &callback, crate::harness::wall_clock());
            let lenient = called.inward.verify(&called.account(&example), &callback, crate::harness::wall_clock());
            match strict {
                Verification::Genuine => assert_eq!(lenient, Verification::Genuine),
                Verification::Failed(_) | Verification::Doubtful(_) => {
                    assert!(
                        matches!(lenient, Verification::Doubtful(warnings) if !warnings.is_empty()),
                        "{}",
                        example.name
                    );
                }
            }
        }
    }
}
