//! `onelane accounts apply`: the accounts become what a file says.
//!
//! The gateway never answers credentials, so nobody can tell whether those of the file are the same. They are sent
//! when an account is added, and else only with `--credentials`: a change of a password is somebody's decision, what
//! runs again and again changes nothing, and no fingerprint of a secret is kept anywhere.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::difference::{Change, changes_between, patch_between};
use super::file::{AccountsFile, DesiredAccount};
use super::tell_failure;
use crate::cli::exit::{Exit, Failure, bad_input};
use crate::cli::output::{self, BAD, DIM, DOUBTFUL, Form, GOOD, printable, shown, styled};
use crate::cli::remote::{Call, Gateway, path_segment};

#[derive(Debug, clap::Args)]
pub struct ApplyArguments {
    /// A TOML file with the accounts as they shall be
    file: PathBuf,
    /// Change without asking
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
    /// Show the differences and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Delete accounts that are not in the file
    #[arg(long)]
    prune: bool,
    /// Send the credentials of accounts that exist, too: they cannot be compared
    #[arg(long = "credentials")]
    with_credentials: bool,
}

/// What is to be done about one account.
struct Step<'a> {
    id: String,
    deed: Deed<'a>,
    changes: Vec<Change>,
}

enum Deed<'a> {
    Add(&'a DesiredAccount),
    /// The patch, the version that it was made for, and whether the credentials go with it
    Change {
        patch: Value,
        version: i64,
        credentials: Option<&'a DesiredAccount>,
    },
    Delete {
        version: i64,
    },
    /// Another provider is another account
    Impossible(String),
}

pub async fn run(gateway: &Gateway, arguments: &ApplyArguments, form: Form) -> anyhow::Result<Exit> {
    let ApplyArguments { file: path, yes, dry_run, prune, with_credentials } = arguments;
    let file = AccountsFile::read(path)?;
    if file.shows_credentials(path) {
        let words =
            "holds credentials and may be read by others; chmod 600, or keep them elsewhere: { env = … }, { file = … }";
        output::note(format!("{} {} {words}", styled(DOUBTFUL, "warning:"), path.display()));
    }
    let current = gateway.all("/v1/accounts", &[]).await?;
    let steps = plan(&file, &current, *prune, *with_credentials);
    show(&steps, &file, &current, form)?;
    if steps.is_empty() {
        return Ok(Exit::Done);
    }
    let impossible = steps.iter().any(|step| matches!(step.deed, Deed::Impossible(_)));
    if impossible {
        return Err(bad_input("the file asks for what cannot be; nothing was changed"));
    }
    if *dry_run || !(*yes || is_confirmed(steps.len())?) {
        return Ok(Exit::ChangesPending);
    }
    let mut failures = Vec::new();
    for step in &steps {
        if let Err(failure) = take(gateway, step).await {
            tell_failure(&step.id, &failure, form);
            failures.push(failure);
        }
    }
    if !failures.is_empty() {
        output::note(format!("{} of {} changes were not made; the others were.", failures.len(), steps.len()));
        return Ok(worst(&failures));
    }
    output::note(styled(GOOD, format!("{} changed.", count(steps.len()))));
    Ok(Exit::Done)
}

/// What the gateway refused counts more than what it was never asked.
fn worst(failures: &[Failure]) -> Exit {
    let is = |wanted: fn(&Failure) -> bool| failures.iter().any(wanted);
    if is(|failure| matches!(failure, Failure::Refused(_))) {
        Exit::Refused
    } else if is(|failure| matches!(failure, Failure::Unreachable(_))) {
        Exit::Unreachable
    } else {
        Exit::BadInput
    }
}

fn count(accounts: usize) -> String {
    if accounts == 1 { "1 account".to_owned() } else { format!("{accounts} accounts") }
}

fn is_confirmed(changes: usize) -> anyhow::Result<bool> {
    if !output::is_asked() {
        output::note("Nothing was changed: without a terminal to ask at, say --yes.");
        return Ok(false);
    }
    Ok(output::ask(&format!("Change {}?", count(changes)))?)
}

/// What separates the accounts from the file.
fn plan<'a>(file: &'a AccountsFile, current: &[Value], prune: bool, with_credentials: bool) -> Vec<Step<'a>> {
    let mut steps = Vec::new();
    for (id, desired) in &file.accounts {
        let wanted = desired.comparable(id);
        let Some(known) = current.iter().find(|account| account["id"] == **id) else {
            let changes = changes_between(&json!({"provider": null}), &with_provider(&wanted, &desired.provider));
            steps.push(Step { id: id.clone(), deed: Deed::Add(desired), changes });
            continue;
        };
        if known["provider"] != desired.provider {
            let words = format!(
                "is an account of {} and cannot become one of {}; delete it first, or choose another id",
                shown(&known["provider"]),
                desired.provider
            );
            steps.push(Step { id: id.clone(), deed: Deed::Impossible(words), changes: Vec::new() });
            continue;
        }
        let before = comparable(known);
        let patch = patch_between(&before, &wanted);
        let credentials = (with_credentials && !desired.credential_names().is_empty()).then_some(desired);
        if patch.is_some() || credentials.is_some() {
            let deed = Deed::Change { patch: patch.unwrap_or_else(|| json!({})), version: version(known), credentials };
            steps.push(Step { id: id.clone(), deed, changes: changes_between(&before, &wanted) });
        }
    }
    if prune {
        let gone = not_in(file, current);
        steps.extend(gone.map(|account| {
            let deed = Deed::Delete { version: version(account) };
            Step { id: shown(&account["id"]), deed, changes: Vec::new() }
        }));
    }
    steps
}

fn not_in<'a>(file: &AccountsFile, current: &'a [Value]) -> impl Iterator<Item = &'a Value> {
    let known: Vec<String> = file.accounts.keys().cloned().collect();
    current.iter().filter(move |account| !known.iter().any(|id| account["id"] == **id))
}

fn with_provider(document: &Value, provider: &str) -> Value {
    let mut document = document.clone();
    document["provider"] = json!(provider);
    document
}

/// The members of an account of the gateway that a file has, too.
fn comparable(account: &Value) -> Value {
    let names = ["displayName", "baseUrl", "settings", "throttles", "throttleGroup", "publicCallbackUrl", "queueLimit"];
    names.into_iter().map(|name| (name.to_owned(), account[name].clone())).collect::<serde_json::Map<_, _>>().into()
}

fn version(account: &Value) -> i64 {
    account["version"].as_i64().unwrap_or_default()
}

/// Shows what is to be done, before it is.
fn show(steps: &[Step<'_>], file: &AccountsFile, current: &[Value], form: Form) -> anyhow::Result<()> {
    if form == Form::Json {
        let steps: Vec<Value> = steps.iter().map(as_json).collect();
        output::json(&json!({"changes": steps}))?;
        return Ok(());
    }
    for step in steps {
        let id = printable(&step.id);
        let names = |desired: &DesiredAccount| desired.credential_names().join(", ");
        match &step.deed {
            Deed::Add(desired) => {
                output::line(styled(GOOD, format!("+ {id}")))?;
                show_changes(&step.changes)?;
                output::line(format!("    credentials: *** ({})", names(desired)))?;
            }
            Deed::Change { credentials, .. } => {
                output::line(styled(DOUBTFUL, format!("~ {id}")))?;
                show_changes(&step.changes)?;
                if let Some(desired) = credentials {
                    output::line(format!("    credentials: *** → *** ({})", names(desired)))?;
                }
            }
            Deed::Delete { .. } => output::line(styled(BAD, format!("- {id}")))?,
            Deed::Impossible(why) => output::line(styled(BAD, format!("! {id} {why}")))?,
        }
    }
    let touched = |id: &str| steps.iter().any(|step| step.id == id);
    let same = file.accounts.keys().filter(|id| !touched(id)).count();
    let left = not_in(file, current).filter(|account| !touched(&shown(&account["id"]))).count();
    let to_do =
        if steps.is_empty() { "Nothing is to be done".to_owned() } else { format!("{} to change", steps.len()) };
    let left = if left == 0 { String::new() } else { format!(", {left} not in the file and left as they are") };
    output::line(styled(DIM, format!("{to_do}: {same} as they shall be{left}.")))?;
    Ok(())
}

fn show_changes(changes: &[Change]) -> anyhow::Result<()> {
    for Change { pointer, before, after } in changes {
        let name = printable(&pointer[1..].replace('/', "."));
        match (before, after) {
            (Some(before), Some(after)) => output::line(format!("    {name}: {} → {}", shown(before), shown(after)))?,
            (None, Some(after)) => output::line(format!("    {name}: {}", shown(after)))?,
            (Some(before), None) => output::line(format!("    {name}: {} → (none)", shown(before)))?,
            (None, None) => {}
        }
    }
    Ok(())
}

fn as_json(step: &Step<'_>) -> Value {
    let (deed, sends_credentials) = match &step.deed {
        Deed::Add(_) => ("add", true),
        Deed::Change { credentials, .. } => ("change", credentials.is_some()),
        Deed::Delete { .. } => ("delete", false),
        Deed::Impossible(_) => ("impossible", false),
    };
    let members = step
        .changes
        .iter()
        .map(|Change { pointer, before, after }| json!({"pointer": pointer, "before": before, "after": after}));
    json!({"account": step.id, "deed": deed, "credentials": sends_credentials, "members": members.collect::<Vec<_>>()})
}

/// Does it, or says why not.
async fn take(gateway: &Gateway, step: &Step<'_>) -> Result<(), Failure> {
    let path = format!("/v1/accounts/{}", path_segment(&step.id));
    let if_match = |version: i64| format!("\"{version}\"");
    let done = match &step.deed {
        Deed::Add(desired) => {
            let mut document = with_provider(&desired.comparable(&step.id), &desired.provider);
            document["id"] = json!(step.id);
            document["credentials"] = desired.credentials().map_err(Failure::BadInput)?;
            // In a new account an absent member is left out.
            if let Some(members) = document.as_object_mut() {
                members.retain(|_, value| !value.is_null());
            }
            gateway.ask(&Call::post("/v1/accounts", document.to_string().into_bytes())).await
        }
        Deed::Change { patch, version, credentials } => {
            let mut changes = patch.clone();
            if let Some(desired) = credentials {
                changes["credentials"] = desired.credentials().map_err(Failure::BadInput)?;
            }
            gateway.ask(&Call::patch(&path, &changes).header("if-match", if_match(*version))).await
        }
        Deed::Delete { version } => gateway.ask(&Call::delete(&path).header("if-match", if_match(*version))).await,
        Deed::Impossible(why) => return Err(Failure::BadInput(why.clone())),
    };
    done.map(drop)
}
