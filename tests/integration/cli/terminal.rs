//! What a person at a terminal sees.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::Stdio;

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::{CommandLine, Directory, PATIENCE, ndjson};
use crate::harness::{Bench, order};

/// A terminal that a test sits at.
struct Terminal {
    keyboard: File,
    child: tokio::process::Child,
    screen: tokio::sync::mpsc::UnboundedReceiver<String>,
    seen: String,
}

impl Terminal {
    fn start(command_line: &CommandLine, arguments: &[&str]) -> Self {
        let leader = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&leader).unwrap();
        unlockpt(&leader).unwrap();
        let name = ptsname(&leader, Vec::new()).unwrap();
        let open = || -> OwnedFd { rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap() };
        let (input, output, error) = (open(), open(), open());
        let mut command = command_line.command(arguments);
        command.env("TERM", "xterm").stdin(Stdio::from(input)).stdout(Stdio::from(output)).stderr(Stdio::from(error));
        let child = command.spawn().unwrap();
        // Else the terminal would stay open when the program is gone.
        drop(command);
        let keyboard = File::from(leader);
        let mut reading = keyboard.try_clone().unwrap();
        let (write, screen) = tokio::sync::mpsc::unbounded_channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // At the end of the program reading fails.
            while let Ok(count @ 1..) = reading.read(&mut bytes) {
                let _ = write.send(String::from_utf8_lossy(&bytes[..count]).into_owned());
            }
        });
        Terminal { keyboard, child, screen, seen: String::new() }
    }

    async fn shows(&mut self, words: &str) {
        let shown = async {
            while !self.seen.contains(words) {
                let more = self.screen.recv().await.unwrap_or_else(|| panic!("it never showed {words}: {}", self.seen));
                self.seen.push_str(&more);
            }
        };
        tokio::time::timeout(PATIENCE, shown).await.unwrap_or_else(|_| panic!("it does not show {words}"));
    }

    fn types(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
    }

    async fn ended(mut self) -> (Option<i32>, String) {
        let ended = async {
            while let Some(more) = self.screen.recv().await {
                self.seen.push_str(&more);
            }
            self.child.wait().await.unwrap().code()
        };
        let code = tokio::time::timeout(PATIENCE, ended).await.expect("it does not end");
        (code, self.seen)
    }
}

#[tokio::test]
async fn a_person_is_asked_before_anything_is_changed() {
    let bench = Bench::start().await;
    let directory = Directory::new();
    let file = directory.file(
        "accounts.toml",
        "[accounts.new]\nprovider = 'ttms'\nbaseUrl = 'https://x.example'\ncredentials = { username = 'u', password = 'p' }",
    );
    let command_line = CommandLine::of(&bench);
    for (answer, code, status) in [("n\n", 5, 404), ("\n", 5, 404), ("y\n", 0, 200)] {
        let mut terminal = Terminal::start(&command_line, &["accounts", "apply", &file]);
        terminal.shows("Change 1 account? [y/N]").await;
        terminal.types(answer);
        let (ended, seen) = terminal.ended().await;
        assert_eq!(ended, Some(code), "{answer:?}: {seen}");
        assert_eq!(bench.caller.get("/v1/accounts/new").await.status, status, "{answer:?}: {seen}");
        assert!(seen.contains("\u{1b}[32m+ new"), "coloured: {seen:?}");
    }
}

#[tokio::test]
async fn a_bulk_shows_how_far_it_is_and_words_instead_of_json() {
    let bench = Bench::start().await;
    let directory = Directory::new();
    let mut wrong = order("SO-WRONG");
    wrong["colour"] = serde_json::json!("red");
    let orders = ndjson((0..30).map(|number| order(&format!("SO-{number}"))).chain([wrong]));
    let file = directory.file("orders.ndjson", orders);
    let (code, seen) = Terminal::start(&CommandLine::of(&bench), &["submit", "--wait", &file]).ended().await;
    assert_eq!(code, Some(3), "{seen}");
    for words in ["of 30 have ended", "SO-WRONG", "此处不存在该字段", "30 accepted, 1 refused"] {
        assert!(seen.contains(words), "{words}: {seen}");
    }
    assert!(!seen.contains("{\"index\""), "{seen}");
    let without = CommandLine::of(&bench).with("NO_COLOR", "1");
    let (code, seen) = Terminal::start(&without, &["accounts", "show", "otms-demo"]).ended().await;
    assert_eq!(code, Some(0), "{seen}");
    assert!(!seen.contains('\u{1b}'), "{seen:?}");
}
