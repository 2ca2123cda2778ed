//! `onelane watch`: an order, a submission, or the whole feed, as it happens.

mod following;
mod line;
mod order;

use super::exit::{Exit, bad_input};
use super::output::OutputArguments;
use super::remote::{Call, FeedQuery, Gateway, RemoteArguments, latest_cursor, path_segment};
use crate::canonical::EventType;
use crate::gateway::stop_on_signal;
use following::Following;
use order::Subject;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  onelane watch
  onelane watch --account acme-east --type order.placed,submission.rejected
  onelane watch SO-1                       the order of this number, until it has come to its end
  onelane watch 01a2b3c4-…                 an order or a submission by its id
  onelane watch --output json --after \"$(cat cursor)\" | while read -r event; do …; done")]
pub struct WatchArguments {
    /// Number or id of an order, or id of a submission; the whole feed when absent
    what: Option<String>,
    /// Begin behind this cursor; `latest` or `oldest` for the ends of the feed
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
    /// Types of events, with commas between them
    #[arg(long = "type", value_name = "TYPES", value_delimiter = ',', value_parser = event_type)]
    types: Vec<String>,
    /// One account
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    #[command(flatten)]
    remote: RemoteArguments,
    #[command(flatten)]
    pub output: OutputArguments,
}

fn event_type(text: &str) -> Result<String, String> {
    let known = text.trim().parse::<EventType>();
    known.map(|known| known.to_string()).map_err(|_| "no type of event; docs/events.md has them".to_owned())
}

pub async fn run(arguments: WatchArguments) -> anyhow::Result<Exit> {
    let stop = stop_on_signal();
    let WatchArguments { what, after, types, account, remote, output } = arguments;
    let gateway = Gateway::of(&remote)?;
    let types = (!types.is_empty()).then(|| types.join(","));
    let Some(what) = what else {
        let after = match after.as_deref() {
            None | Some("latest") => Some(latest_cursor(&gateway).await?),
            Some("oldest") => None,
            Some(cursor) => Some(cursor.to_owned()),
        };
        let mut following = Following::new(&gateway, FeedQuery { account, types }, after, &stop, output.output);
        return following.all().await;
    };
    if types.is_some() {
        return Err(bad_input("--type is for the whole feed; everything is told of an order or a submission"));
    }
    // Older than what is read of the subject now, so that nothing falls between.
    let cursor = latest_cursor(&gateway).await?;
    let subject = find(&gateway, &what, account.as_deref()).await?;
    let query = FeedQuery { account: Some(subject.account().to_owned()), types: None };
    let from = after.filter(|after| after != "latest");
    let with_history = from.is_none();
    let begin = match from.as_deref() {
        None => Some(cursor),
        Some("oldest") => None,
        Some(from) => Some(from.to_owned()),
    };
    let following = Following::new(&gateway, query, begin, &stop, output.output);
    subject.follow(following, with_history).await
}

/// What somebody means by a number or an id.
async fn find(gateway: &Gateway, what: &str, account: Option<&str>) -> anyhow::Result<Subject> {
    if what.parse::<uuid::Uuid>().is_ok() {
        let order = gateway.ask_once(&Call::get(&format!("/v1/orders/{what}"))).await?;
        if order.status != 404 {
            return Ok(Subject::Order(order.success()?.body));
        }
        let path = format!("/v1/submissions/{}", path_segment(what));
        return Ok(Subject::Submission(gateway.ask(&Call::get(&path)).await?.body));
    }
    let mut call = Call::get("/v1/orders").query("orderNumber", what);
    if let Some(account) = account {
        call = call.query("account", account);
    }
    let mut found = gateway.ask(&call).await?.body;
    let found = found["items"].as_array_mut().map(std::mem::take).unwrap_or_default();
    match <[_; 1]>::try_from(found) {
        Ok([order]) => Ok(Subject::Order(order)),
        Err(none) if none.is_empty() => Err(bad_input(format!("there is no order {what} that your key may see"))),
        Err(several) => {
            let places: Vec<String> = several
                .iter()
                .map(|order| format!("{} of {}", order["id"].as_str().unwrap_or_default(), order["account"]))
                .collect();
            Err(bad_input(format!("several orders have the number {what}; name one: {}", places.join(", "))))
        }
    }
}
