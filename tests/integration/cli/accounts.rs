//! `onelane accounts`: a file says how accounts shall be.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::{CommandLine, Directory};
use crate::harness::{Bench, order};

const PASSWORD: &str = "a-very-secret-password";

/// A file with one account; `{}` stands for the sandbox.
fn file_for(bench: &Bench, more: &str) -> String {
    format!(
        "[accounts.otms-east]\nprovider = 'otms'\nbaseUrl = '{}/otms'\n{more}\n\
         [accounts.otms-east.settings]\nallowPlainHttp = true\n\
         [accounts.otms-east.credentials]\nusername = {{ env = 'OTMS_USERNAME' }}\npassword = {{ file = 'PASSWORD-FILE' }}\n",
        bench.sandbox_url
    )
}

async fn account(bench: &Bench) -> Value {
    bench.caller.get("/v1/accounts/otms-east").await.body
}

#[tokio::test]
async fn a_file_is_applied_once_and_then_nothing_is_to_be_done() {
    let bench = Bench::start().await;
    let directory = Directory::new();
    let password_file = directory.file("password", format!("{PASSWORD}\n"));
    let written =
        |more: &str| directory.file("accounts.toml", file_for(&bench, more).replace("PASSWORD-FILE", &password_file));
    let file = written("");
    let command_line = CommandLine::of(&bench).with("OTMS_USERNAME", "east");

    // Nobody can be asked: nothing is done, and the exit code says that there is something to do.
    let said = command_line.run(&["accounts", "apply", &file]).await.with_code(5);
    assert!(said.out.contains("+ otms-east"), "{}", said.out);
    assert!(said.out.contains("settings.allowPlainHttp: true"), "{}", said.out);
    assert!(said.out.contains("credentials: *** (password, username)"), "{}", said.out);
    assert!(said.out.contains("not in the file and left as they are"), "{}", said.out);
    command_line.run(&["accounts", "apply", "--dry-run", &file]).await.with_code(5);
    assert_eq!(account(&bench).await["status"], 404);

    command_line.run(&["accounts", "apply", "--yes", &file]).await.with_code(0);
    let added = account(&bench).await;
    assert_eq!((&added["provider"], &added["settings"]), (&json!("otms"), &json!({"allowPlainHttp": true})));
    let said = command_line.run(&["accounts", "apply", &file]).await.with_code(0);
    assert!(said.out.contains("Nothing is to be done: 1 as they shall be"), "{}", said.out);
    assert_eq!(account(&bench).await["version"], added["version"]);

    // Changes are told member by member, and what is taken out of the file has its default again.
    let file =
        written("displayName = 'East'\nqueueLimit = 5\n[accounts.otms-east.throttles.orderImport]\nrequests = 20");
    let said = command_line.run(&["accounts", "apply", "--yes", &file]).await.with_code(0);
    for words in ["~ otms-east", "displayName: otms-east → East", "queueLimit: 5", "throttles.orderImport.requests: 20"]
    {
        assert!(said.out.contains(words), "{words}: {}", said.out);
    }
    let changed = account(&bench).await;
    assert_eq!((&changed["displayName"], &changed["queueLimit"]), (&json!("East"), &json!(5)));
    assert_eq!(changed["throttles"], json!({"orderImport": {"requests": 20}}));
    let file = written("");
    let said = command_line.run(&["accounts", "apply", "--yes", "--output", "json", &file]).await.with_code(0);
    assert_eq!(said.json()["changes"][0]["deed"], "change", "{}", said.out);
    let back = account(&bench).await;
    for name in ["displayName", "queueLimit", "throttles", "settings", "baseUrl"] {
        assert_eq!(back[name], added[name], "{name}");
    }
    command_line.run(&["accounts", "apply", &file]).await.with_code(0);
}

#[tokio::test]
async fn credentials_are_sent_when_an_account_is_added_and_when_somebody_says_so() {
    let bench = Bench::start().await;
    let directory = Directory::new();
    let password_file = directory.file("password", "wrong");
    let file = directory.file("accounts.toml", file_for(&bench, "").replace("PASSWORD-FILE", &password_file));
    let demo = serde_json::to_value(&bench.sandbox.demo_accounts(&bench.sandbox_url)[0]).unwrap();
    let text = |name: &str| demo["credentials"][name].as_str().unwrap().to_owned();
    let command_line = CommandLine::of(&bench);

    // What cannot be read is told before anything is sent.
    let said = command_line.run(&["accounts", "apply", "--yes", &file]).await.with_code(2);
    assert!(said.err.contains("the variable OTMS_USERNAME is not set"), "{}", said.err);
    assert_eq!(account(&bench).await["status"], 404);

    let command_line = CommandLine::of(&bench).with("OTMS_USERNAME", &text("username"));
    command_line.run(&["accounts", "apply", "--yes", &file]).await.with_code(0);
    let place = async |number: &str| {
        let mut order = order(number);
        order["account"] = json!("otms-east");
        bench.caller.place(&order).await.body
    };
    let refused = place("SO-1").await;
    assert_ne!(refused["submission"]["state"], "accepted", "the password is wrong");

    std::fs::write(&password_file, text("password")).unwrap();
    let said = command_line.run(&["accounts", "apply", &file]).await.with_code(0);
    assert!(said.out.contains("Nothing is to be done"), "{}", said.out);
    let said = command_line.run(&["accounts", "apply", "--yes", "--credentials", &file]).await.with_code(0);
    assert!(said.out.contains("credentials: *** → ***"), "{}", said.out);
    assert!(!said.out.contains(&text("password")) && !said.err.contains(&text("password")));
    command_line.run(&["accounts", "resume", "otms-east"]).await.with_code(0);
    assert_eq!(place("SO-2").await["submission"]["state"], "accepted");
}

#[tokio::test]
async fn credentials_in_a_file_that_others_may_read_are_warned_of() {
    let bench = Bench::start().await;
    let directory = Directory::new();
    let inline = file_for(&bench, "").replace("{ file = 'PASSWORD-FILE' }", &format!("'{PASSWORD}'"));
    let file = directory.file("accounts.toml", inline);
    let command_line = CommandLine::of(&bench).with("OTMS_USERNAME", "east");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let said = command_line.run(&["accounts", "apply", "--yes", &file]).await.with_code(0);
    assert!(said.err.contains("may be read by others"), "{}", said.err);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let said = command_line.run(&["accounts", "apply", &file]).await.with_code(0);
    assert!(!said.err.contains("may be read by others"), "{}", said.err);
    assert!(!format!("{said:?}").contains(PASSWORD));
    // A parser's words do not repeat what stands there.
    let broken = directory.file("broken.toml", format!("[accounts.x]\nprovider = 'otms'\nbaseUrl = '{PASSWORD}\n"));
    let said = command_line.run(&["accounts", "apply", &broken]).await.with_code(2);
    assert!(said.err.contains("broken.toml, line 3"), "{}", said.err);
    assert!(!said.err.contains(PASSWORD), "{}", said.err);
}

#[tokio::test]
async fn accounts_that_are_not_in_the_file_are_deleted_on_demand_and_not_with_unfinished_work() {
    let bench = Bench::start().await;
    let command_line = CommandLine::of(&bench);
    let directory = Directory::new();
    bench.pause().await;
    bench.caller.post("/v1/orders", &order("SO-1")).await;
    let file = directory.file("accounts.toml", "");
    let said = command_line.run(&["accounts", "apply", "--yes", "--prune", &file]).await.with_code(3);
    assert!(said.out.contains("- ttms-demo"), "{}", said.out);
    assert!(said.err.contains("error: otms-demo: "), "{}", said.err);
    assert!(said.err.contains("has unfinished submissions"), "{}", said.err);
    let left: Vec<Value> = command_line
        .run(&["accounts", "list", "--output", "json"])
        .await
        .with_code(0)
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|account| account["id"].clone())
        .collect();
    assert_eq!(left, [json!("otms-demo")]);
}

#[tokio::test]
async fn what_the_gateway_refuses_of_one_account_spoils_no_other() {
    let bench = Bench::start().await;
    let directory = Directory::new();
    let file = directory.file(
        "accounts.toml",
        format!(
            "[accounts.good]\nprovider = 'ttms'\nbaseUrl = 'https://x.example'\n\
             credentials = {{ username = 'u', password = 'p' }}\n\
             [accounts.bad]\nprovider = 'otms'\nbaseUrl = '{}'\ncredentials = {{ username = 'u' }}\n",
            bench.sandbox_url
        ),
    );
    let command_line = CommandLine::of(&bench);
    let said = command_line.run(&["accounts", "apply", "--yes", &file]).await.with_code(3);
    assert!(
        said.err.contains("error: bad: ") && said.err.contains("/credentials/password  is required"),
        "{}",
        said.err
    );
    assert!(said.err.contains("1 of 2 changes were not made"), "{}", said.err);
    command_line.run(&["accounts", "show", "good"]).await.with_code(0);
    // Another provider is another account.
    let other = directory.file(
        "other.toml",
        "[accounts.good]\nprovider = 'otms'\nbaseUrl = 'https://x.example'\ncredentials = { username = 'u', password = 'p' }",
    );
    let said = command_line.run(&["accounts", "apply", "--yes", &other]).await.with_code(2);
    assert!(said.out.contains("! good is an account of ttms"), "{}", said.out);
}

#[tokio::test]
async fn what_is_exported_is_what_stands_there() {
    let bench = Bench::start().await;
    let command_line = CommandLine::of(&bench);
    let directory = Directory::new();
    let said = command_line.run(&["accounts", "export"]).await.with_code(0);
    assert!(said.out.contains("password = { env = \"OTMS_DEMO_PASSWORD\" }"), "{}", said.out);
    let file = directory.file("accounts.toml", &said.out);
    let said = command_line.run(&["accounts", "apply", "--prune", &file]).await.with_code(0);
    assert!(said.out.contains("Nothing is to be done: 4 as they shall be."), "{}", said.out);
}

#[tokio::test]
async fn accounts_are_listed_held_and_let_go() {
    let bench = Bench::start().await;
    let command_line = CommandLine::of(&bench);
    let said = command_line.run(&["accounts", "list"]).await.with_code(0);
    assert!(said.out.starts_with("ID"), "{}", said.out);
    assert_eq!(said.out.lines().count(), 5, "{}", said.out);
    let said = command_line.run(&["accounts", "pause", "otms-demo"]).await.with_code(0);
    assert!(said.out.contains("paused: paused by an administrator"), "{}", said.out);
    let shown = command_line.run(&["accounts", "show", "otms-demo", "--output", "json"]).await.with_code(0).json();
    assert_eq!(shown["paused"]["reason"], "paused by an administrator");
    command_line.run(&["accounts", "resume", "otms-demo"]).await.with_code(0);
    let said = command_line.run(&["accounts", "show", "otms-demo"]).await.with_code(0);
    assert!(said.err.contains("open"), "{}", said.err);
    command_line.run(&["accounts", "show", "../x"]).await.with_code(3);
}
