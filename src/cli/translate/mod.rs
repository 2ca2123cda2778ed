//! `onelane translate`: what would be sent to a provider, without a gateway, a database or a network.

mod account;
mod document;

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use serde_json::{Value, json};
use strum::VariantArray;

use self::account::AccountChoice;
use super::exit::{Exit, bad_input};
use super::output::{self, DIM, DOUBTFUL, Form, OutputArguments, printable, styled};
use super::problem::{as_it_is, describe};
use crate::api::{TranslationView, translate_offline};
use crate::canonical::{FieldError, Operation, Severity, SubmissionResult};
use crate::provider::{self, Lineage};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  onelane translate --provider PROVIDER order.json
  onelane translate --provider PROVIDER --lineage order.json
  onelane translate --provider PROVIDER --operation amend --changes patch.json order.json
  onelane translate --accounts accounts.toml --account acme-east --raw - < order.json

Credentials are never needed: in their place stands what is not secret of an invented account.")]
pub struct TranslateArguments {
    /// Whose document is wanted
    #[arg(long, value_parser = PossibleValuesParser::new(providers()), required_unless_present = "accounts")]
    provider: Option<String>,
    /// What is done with the order
    #[arg(long, value_parser = PossibleValuesParser::new(operations()), default_value = "create")]
    operation: String,
    /// A file with a merge patch: what an amendment changes
    #[arg(long, value_name = "FILE")]
    changes: Option<PathBuf>,
    #[command(flatten)]
    account: AccountChoice,
    /// Show where each member of the order went, and not the document
    #[arg(long, conflicts_with = "raw")]
    lineage: bool,
    /// The exact bytes that would be sent, secrets masked
    #[arg(long)]
    raw: bool,
    #[command(flatten)]
    pub output: OutputArguments,
    /// A file with one canonical order, or - for standard input
    order: PathBuf,
}

fn providers() -> Vec<&'static str> {
    provider::ALL.iter().map(|provider| provider.profile().id).collect()
}

fn operations() -> Vec<&'static str> {
    Operation::VARIANTS.iter().map(Into::into).collect()
}

pub fn run(arguments: &TranslateArguments) -> anyhow::Result<Exit> {
    let TranslateArguments { provider, operation, changes, account, lineage, raw, output, order } = arguments;
    let chosen = account.choose(provider.as_deref())?;
    let mut body = json!({
        "account": chosen.account.id, "operation": operation, "order": read_json(order)?,
    });
    if let Some(own) = body["order"]["account"].as_str().filter(|_| account.account.is_none()) {
        body["account"] = json!(own);
    }
    if let Some(path) = changes {
        body["changes"] = read_json(path)?;
    }
    let view = match translate_offline(body, chosen.provider, &chosen.account) {
        Ok(view) => view,
        Err(problem) => return Ok(refuse(&problem.to_value(), order, changes.as_deref(), output.output)),
    };
    match (output.output, lineage, raw) {
        (_, _, true) => output::bytes(view.request.body.as_bytes())?,
        (Form::Json, ..) => output::json(&view)?,
        (Form::Text, true, _) => show_lineage(&view.lineage)?,
        (Form::Text, false, _) => show_document(&view)?,
    }
    if output.output == Form::Text {
        tell_notices(&view);
    }
    Ok(Exit::Done)
}

/// A JSON document in a file, or on standard input.
fn read_json(path: &Path) -> anyhow::Result<Value> {
    let name = path.display();
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        io::stdin().read_to_end(&mut bytes).map_err(|error| bad_input(format!("standard input: {error}")))?;
    } else {
        bytes = fs::read(path).map_err(|error| bad_input(format!("{name} cannot be read: {error}")))?;
    }
    serde_json::from_slice(&bytes).map_err(|error| bad_input(format!("{name} is no JSON: {error}")))
}

/// Tells all that is wrong, with pointers into the files that were given.
fn refuse(problem: &Value, order: &Path, changes: Option<&Path>, form: Form) -> Exit {
    if form == Form::Json {
        output::note(problem);
        return Exit::BadInput;
    }
    let place = |pointer: &str| {
        let within = |prefix: &str, file: &Path| {
            let rest = pointer.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
            Some(format!("{} {}", file.display(), as_it_is(rest)))
        };
        within("/order", order).or_else(|| within("/changes", changes?)).unwrap_or_else(|| as_it_is(pointer))
    };
    output::note(format!("{} {}", styled(output::BAD, "error:"), describe(problem, place)));
    Exit::BadInput
}

fn show_document(view: &TranslationView) -> io::Result<()> {
    let request = &view.request;
    output::note(styled(DIM, format!("{} {}", request.method, printable(&request.url))));
    for (name, value) in &request.headers {
        output::note(styled(DIM, format!("{name}: {}", printable(value))));
    }
    output::line(document::pretty(&request.body).trim_end())
}

fn show_lineage(lineage: &[Lineage]) -> io::Result<()> {
    let rows = lineage.iter().map(|Lineage { pointer, target, note }| {
        vec![pointer.clone(), target.clone(), note.unwrap_or_default().to_owned()]
    });
    output::table(&["MEMBER", "WHERE IT WENT", "HOW"], rows)
}

/// What the caller should know of the translation.
fn tell_notices(view: &TranslationView) {
    for SubmissionResult { severity, code, pointers, message_en, message_zh, .. } in &view.results {
        let style = if *severity == Severity::Error { output::BAD } else { DOUBTFUL };
        let pointers = pointers.join(" ");
        output::note(format!("{} {pointers}  {message_en}\n    {message_zh}", styled(style, code)));
    }
}

/// What is wrong with something that stands in a file for accounts.
fn wrong(errors: Vec<FieldError>) -> anyhow::Error {
    let words = errors.into_iter().map(|FieldError { pointer, code: _, detail, detail_zh }| {
        format!("{} {detail}\n    {detail_zh}", as_it_is(&pointer))
    });
    bad_input(format!("the account is not valid\n  {}", words.collect::<Vec<_>>().join("\n  ")))
}
