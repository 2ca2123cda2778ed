//! `onelane keys`: the API keys of a running gateway.

use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::exit::Exit;
use super::output::{self, Form, OutputArguments, shown};
use super::remote::{Call, Gateway, RemoteArguments, path_segment};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  onelane keys list
  KEY=$(onelane keys create --name shop --scope orders:write --scope orders:read --account acme-east)
  onelane keys revoke 01a2b3c4-…")]
pub struct KeysArguments {
    #[command(flatten)]
    remote: RemoteArguments,
    #[command(flatten)]
    pub output: OutputArguments,
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// All keys, without the keys themselves
    List,
    /// Make a key; it is printed this once
    Create {
        /// For people
        #[arg(long)]
        name: String,
        /// What it may do; several times for several
        #[arg(long = "scope", value_name = "SCOPE", required = true,
              value_parser = ["orders:write", "orders:read", "admin"])]
        scopes: Vec<String>,
        /// Limits it to this account; several times for several
        #[arg(long = "account", value_name = "ACCOUNT")]
        accounts: Vec<String>,
        /// When it stops to be valid, e.g. 2027-01-31T00:00:00+08:00
        #[arg(long, value_name = "INSTANT")]
        expires_at: Option<String>,
        /// Requests per second that it may send
        #[arg(long, value_name = "NUMBER")]
        requests_per_second: Option<i32>,
        /// Requests that it may send at once after a rest
        #[arg(long, value_name = "NUMBER")]
        burst: Option<i32>,
    },
    /// Revoke a key, effective at once
    Revoke {
        /// Id of the key, as `list` shows it
        id: String,
    },
}

pub async fn run(arguments: KeysArguments) -> anyhow::Result<Exit> {
    let KeysArguments { remote, output, command } = arguments;
    let gateway = Gateway::of(&remote)?;
    let form = output.output;
    match command {
        KeysCommand::List => list(&gateway, form).await?,
        KeysCommand::Create { name, scopes, accounts, expires_at, requests_per_second, burst } => {
            let mut wish = json!({"name": name, "scopes": scopes});
            let optional = [
                ("accounts", (!accounts.is_empty()).then(|| json!(accounts))),
                ("expiresAt", expires_at.map(Value::from)),
                ("requestsPerSecond", requests_per_second.map(Value::from)),
                ("burst", burst.map(Value::from)),
            ];
            if let Some(members) = wish.as_object_mut() {
                members.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
            }
            create(&gateway, &wish, form).await?;
        }
        KeysCommand::Revoke { id } => {
            gateway.ask(&Call::delete(&format!("/v1/api-keys/{}", path_segment(&id)))).await?;
            match form {
                Form::Text => output::note(format!("The key {id} is refused from now on.")),
                Form::Json => output::json(&json!({"id": id, "revoked": true}))?,
            }
        }
    }
    Ok(Exit::Done)
}

async fn list(gateway: &Gateway, form: Form) -> anyhow::Result<()> {
    let keys = gateway.all("/v1/api-keys", &[]).await?;
    if form == Form::Json {
        output::json(&keys)?;
        return Ok(());
    }
    let words = |value: &Value| match value.as_array() {
        Some(items) => items.iter().map(shown).collect::<Vec<_>>().join(" "),
        None => "all".to_owned(),
    };
    let rows = keys.iter().map(|key| {
        let standing = match (&key["revokedAt"], &key["expiresAt"]) {
            (Value::String(at), _) => format!("revoked {at}"),
            (_, Value::String(at)) => format!("until {at}"),
            _ => "valid".to_owned(),
        };
        let last_used = if key["lastUsedAt"].is_null() { "never".to_owned() } else { shown(&key["lastUsedAt"]) };
        vec![
            shown(&key["id"]),
            shown(&key["name"]),
            words(&key["scopes"]),
            words(&key["accounts"]),
            standing,
            last_used,
        ]
    });
    output::table(&["ID", "NAME", "SCOPES", "ACCOUNTS", "STANDING", "LAST USED"], rows)?;
    Ok(())
}

/// The key alone goes to standard output, so that a script can take it.
async fn create(gateway: &Gateway, wish: &Value, form: Form) -> anyhow::Result<()> {
    let created: Map<String, Value> =
        match gateway.ask(&Call::post("/v1/api-keys", wish.to_string().into())).await?.body {
            Value::Object(created) => created,
            _ => anyhow::bail!("the gateway made a key and did not say which; see `onelane keys list`"),
        };
    match form {
        Form::Json => output::json(&created)?,
        Form::Text => {
            output::note(format!("The key {} was made; it cannot be read again:", shown(&created["id"])));
            output::line(shown(&created["key"]))?;
        }
    }
    Ok(())
}
