//! What all commands have in common: help, exit codes, errors, pipes.

use std::process::Stdio;

use tokio::io::AsyncReadExt;

use super::{CommandLine, Directory};
use crate::harness::Bench;

#[tokio::test]
async fn usage_errors_and_a_gateway_that_is_not_there_have_exit_codes() {
    let command_line = CommandLine::alone();
    command_line.run(&["nonsense"]).await.with_code(2);
    let said = command_line.run(&["accounts", "list"]).await.with_code(2);
    assert!(said.err.contains("ONELANE_API_KEY"), "{}", said.err);
    let said = CommandLine::alone().with_key("k").run(&["accounts", "list"]).await.with_code(4);
    assert!(said.err.contains("http://127.0.0.1:9"), "{}", said.err);
    assert!(!said.err.contains("panicked"), "{}", said.err);
    let said = CommandLine::alone().with_key("k").run(&["keys", "list", "--url", "ftp://x"]).await.with_code(2);
    assert!(said.err.contains("ftp://x"), "{}", said.err);
}

#[tokio::test]
async fn every_command_has_help_with_examples() {
    let command_line = CommandLine::alone();
    for command in ["translate", "submit", "watch", "accounts", "keys", "completions"] {
        let said = command_line.run(&[command, "--help"]).await.with_code(0);
        assert!(said.out.contains("Examples:\n  onelane "), "{command}: {}", said.out);
    }
    assert!(command_line.run(&["--help"]).await.with_code(0).out.contains("Exit codes: 0 done"));
}

#[tokio::test]
async fn completions_and_manual_pages_know_every_command() {
    let command_line = CommandLine::alone();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let said = command_line.run(&["completions", shell]).await.with_code(0);
        assert!(said.out.contains("submit") && said.out.contains("master-key"), "{shell}");
    }
    let directory = Directory::new();
    command_line.run(&["man", &directory.path("man")]).await.with_code(0);
    for page in ["onelane.1", "onelane-submit.1", "onelane-accounts-apply.1"] {
        let page = std::fs::read_to_string(directory.path("man") + "/" + page).unwrap();
        assert!(page.contains(".TH"), "{page}");
    }
}

#[tokio::test]
async fn what_the_gateway_refuses_is_told_with_its_request_id() {
    let bench = Bench::start().await;
    let stranger = CommandLine::of(&bench).with_key("olk_nobody");
    let said = stranger.run(&["accounts", "list"]).await.with_code(3);
    assert!(said.err.contains("An API key is needed (401 unauthenticated)"), "{}", said.err);
    assert!(said.err.contains("request 0"), "{}", said.err);
    assert!(!said.err.contains("olk_nobody"));
    let said = stranger.run(&["accounts", "list", "--output", "json"]).await.with_code(3);
    let problem: serde_json::Value = serde_json::from_str(&said.err).unwrap();
    assert_eq!((&problem["type"], &problem["status"]), (&"/problems/unauthenticated".into(), &401.into()));

    // A key from a file is as good, and wins.
    let directory = Directory::new();
    let file = directory.file("key", format!("{}\n", crate::harness::ADMIN_KEY));
    stranger.run(&["accounts", "list", "--api-key-file", &file]).await.with_code(0);
}

#[tokio::test]
async fn a_reader_that_goes_away_is_no_panic() {
    // More than a pipe holds.
    let mut command = CommandLine::alone().command(&["openapi"]);
    let mut child = command.spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 100]).await.unwrap();
    drop(out);
    let output = child.wait_with_output().await.unwrap();
    assert_eq!(output.status.code(), Some(141));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    // Nobody hears the errors either.
    let mut command = CommandLine::alone().command(&["accounts", "list"]);
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().await.unwrap().code(), Some(2));
}
