//! `/organization/list`: the organizations of the document's example.

use serde_json::{Value, json};

use super::answer::{self, Outcome};
use super::ledger::{Ledger, Visit};
use super::parameters::Parameters;

/// Node, name, path.
const ORGANIZATIONS: [(i64, &str, &str); 3] = [(0, "总部", "0-0"), (11, "网点1", "0-11"), (12, "杭州网点2", "0-12")];

/// How orders that name none show the headquarters: not with the path of the list.
pub const HEADQUARTERS: &str = "0";

pub fn is_path(path: &str) -> bool {
    path == HEADQUARTERS || ORGANIZATIONS.iter().any(|(_, _, known)| *known == path)
}

pub fn list(_: &mut Ledger, _: &Visit, parameters: &Parameters) -> Outcome {
    parameters.check_none()?;
    let show = |(node, name, path): (i64, &str, &str)| json!({ "nodeId": node, "name": name, "path": path });
    Ok(answer::data(ORGANIZATIONS.map(show).into_iter().collect::<Vec<Value>>()))
}
