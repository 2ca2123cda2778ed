//! `onelane accounts`: the accounts of a running gateway, and a file that says how they shall be.

mod apply;
mod difference;
mod export;
mod file;
mod secret;

use clap::Subcommand;
use serde_json::{Value, json};

use self::apply::ApplyArguments;
use super::exit::{Exit, Failure};
use super::output::{self, BAD, DOUBTFUL, Form, GOOD, OutputArguments, printable, shown, styled};
use super::problem::{as_it_is, describe};
use super::remote::{Call, Gateway, RemoteArguments, path_segment};

pub use file::{AccountsFile, DesiredAccount, toml_to_json};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  onelane accounts list
  onelane accounts export > accounts.toml
  onelane accounts apply accounts.toml
  onelane accounts apply --yes --prune accounts.toml
  onelane accounts pause acme-east")]
pub struct AccountsArguments {
    #[command(flatten)]
    remote: RemoteArguments,
    #[command(flatten)]
    pub output: OutputArguments,
    #[command(subcommand)]
    command: AccountsCommand,
}

#[derive(Debug, Subcommand)]
enum AccountsCommand {
    /// Make the accounts what a TOML file says; the differences are shown first
    Apply(ApplyArguments),
    /// Print the accounts as a TOML file that `apply` takes, without credentials
    Export,
    /// All accounts
    List,
    /// One account
    Show {
        /// Id of the account
        account: String,
    },
    /// Hold what is queued for an account; orders are accepted as before
    Pause {
        /// Id of the account
        account: String,
    },
    /// Let go what was held
    Resume {
        /// Id of the account
        account: String,
    },
}

pub async fn run(arguments: AccountsArguments) -> anyhow::Result<Exit> {
    let AccountsArguments { remote, output, command } = arguments;
    let gateway = Gateway::of(&remote)?;
    let form = output.output;
    match command {
        AccountsCommand::Apply(arguments) => return apply::run(&gateway, &arguments, form).await,
        AccountsCommand::Export => export::run(&gateway).await?,
        AccountsCommand::List => list(&gateway, form).await?,
        AccountsCommand::Show { account } => {
            let call = format!("/v1/accounts/{}", path_segment(&account));
            show(&gateway.ask(&Call::get(&call)).await?.body, form)?;
        }
        AccountsCommand::Pause { account } => hold(&gateway, &account, "pause", form).await?,
        AccountsCommand::Resume { account } => hold(&gateway, &account, "resume", form).await?,
    }
    Ok(Exit::Done)
}

async fn list(gateway: &Gateway, form: Form) -> anyhow::Result<()> {
    let accounts = gateway.all("/v1/accounts", &[]).await?;
    if form == Form::Json {
        output::json(&accounts)?;
        return Ok(());
    }
    let rows = accounts.iter().map(|account| {
        let member = |name: &str| shown(&account[name]);
        vec![member("id"), member("provider"), member("displayName"), member("baseUrl"), standing(account)]
    });
    output::table(&["ID", "PROVIDER", "NAME", "BASE URL", "STANDING"], rows)?;
    Ok(())
}

fn standing(account: &Value) -> String {
    let paused = &account["paused"];
    if paused.is_null() { "open".to_owned() } else { format!("paused: {}", shown(&paused["reason"])) }
}

/// `pause` or `resume`.
async fn hold(gateway: &Gateway, account: &str, verb: &str, form: Form) -> anyhow::Result<()> {
    let path = format!("/v1/accounts/{}/{verb}", path_segment(account));
    let answered = gateway.ask(&Call::post(&path, Vec::new())).await?.body;
    match form {
        Form::Json => output::json(&answered)?,
        Form::Text => output::line(format!("{}  {}", printable(account), standing(&answered)))?,
    }
    Ok(())
}

fn show(account: &Value, form: Form) -> anyhow::Result<()> {
    if form == Form::Json {
        output::json(account)?;
        return Ok(());
    }
    for (name, value) in account.as_object().into_iter().flatten() {
        output::line(format!("{name:26} {}", shown(value)))?;
    }
    let style = if account["paused"].is_null() { GOOD } else { DOUBTFUL };
    output::note(styled(style, standing(account)));
    Ok(())
}

/// Tells what went wrong with one account; the others go on.
fn tell_failure(id: &str, failure: &Failure, form: Form) {
    let problem = failure.problem().map(|problem| &problem.document);
    match form {
        Form::Json => {
            let problem = problem.cloned().unwrap_or_else(|| json!({"detail": failure.to_string()}));
            output::note(json!({"account": id, "problem": problem}));
        }
        Form::Text => {
            let words = problem.map_or_else(|| failure.to_string(), |problem| describe(problem, as_it_is));
            output::note(format!("{} {}: {words}", styled(BAD, "error:"), printable(id)));
        }
    }
}
