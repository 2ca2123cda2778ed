//! `onelane restored`: what has to be done with a ledger that was set back, before a gateway serves on it.

use std::path::Path;

use anyhow::ensure;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::output;
use super::serve::connect;
use crate::canonical::{Action, Severity, SubmissionResult};
use crate::config::ServeConfig;
use crate::store::audit::{Act, Actor};
use crate::store::restored::Restored;
use crate::telemetry;

const COMMAND: &str = "restored";
const REASON: &str =
    "the ledger was set back to an earlier moment: compare it with the provider, then resume the account";

pub async fn run(config: Option<&Path>, feed_gap: u32) -> anyhow::Result<()> {
    telemetry::set_up("warn");
    let config = ServeConfig::read(config)?;
    let Some(store) = connect(&config, &CancellationToken::new()).await? else { return Ok(()) };
    let schema = store.schema().await?;
    ensure!(schema.may_start(), "{schema}");
    let mut paused = 0;
    for account in store.accounts_at_work().await? {
        let act = act(Action::PauseAccount, &account, Some(&account), json!({}));
        paused += i32::from(store.pause_account(&account, REASON, &act).await?);
    }
    let details = json!({"feedGap": feed_gap});
    let act = act(Action::DeclareRestored, "ledger", None, details);
    let Restored { doubts, feed_position } = store.declare_restored(feed_gap.into(), &set_back(), &act).await?;
    store.close().await;
    output::line(format!("{paused} accounts were paused, and now all are."))?;
    output::line(format!(
        "{doubts} submissions may have been sent meanwhile; evidence is sought before they are sent."
    ))?;
    output::line(format!("The next event of the feed stands after place {feed_position}."))?;
    output::line(
        "Now start the gateways; docs/backup.md says what to look at before accounts are resumed.".to_owned(),
    )?;
    Ok(())
}

fn act<'a>(action: Action, object: &str, account: Option<&'a str>, details: Value) -> Act<'a> {
    Act { actor: Actor::CommandLine(COMMAND), action, object: object.to_owned(), account, details }
}

fn set_back() -> SubmissionResult {
    SubmissionResult::gateway(
        "gateway.ledger_set_back",
        Severity::Warning,
        false,
        "The ledger was set back to an earlier moment; whether it was sent since then is not known",
        "账本已恢复到较早的时刻,此后是否已发送无法得知",
    )
}
