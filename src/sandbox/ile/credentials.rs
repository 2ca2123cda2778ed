//! Who sends a request: `userId`, and only without one `ileId` and `sign`
//! (若userId为空,则ileId、sign必填).

/// The only account of this simulator, in both ways. No secrets: the sandbox prints the demo
/// account's, and this file has the other.
pub const USER_ID: &str = "ile-demo-user";
pub const ILE_ID: &str = "ile-demo";
pub const SIGN: &str = "onelane-demo-sign";

/// How the meter calls the company.
const DEMO: &str = "demo";

/// How the meter calls everybody whose credentials are wrong.
pub const NOT_ACCEPTED: &str = "(not accepted)";

/// How the meter calls those whose requests were not read.
pub const UNREAD: &str = "(not read)";

/// A company whose credentials are right.
pub type Company = &'static str;

/// Each is empty where the request has none.
pub fn check(user_id: &str, ile_id: &str, sign: &str) -> Option<Company> {
    let accepted = if user_id.is_empty() { ile_id == ILE_ID && sign == SIGN } else { user_id == USER_ID };
    accepted.then_some(DEMO)
}
