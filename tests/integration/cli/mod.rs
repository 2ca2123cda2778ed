//! The command line as people and scripts meet it: the built program, in a process of its own.

mod accounts;
mod keys;
mod program;
mod submit;
mod terminal;
mod translate;
mod watch;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::harness::{ADMIN_KEY, Bench};

/// How long a command may take; what hangs fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// The program, and the gateway that it is told of.
struct CommandLine {
    url: String,
    key: String,
    variables: Vec<(&'static str, String)>,
}

/// How a command ended.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl CommandLine {
    fn of(bench: &Bench) -> Self {
        CommandLine { url: bench.base_url.clone(), key: ADMIN_KEY.to_owned(), variables: Vec::new() }
    }

    /// One that knows no gateway.
    fn alone() -> Self {
        CommandLine { url: "http://127.0.0.1:9".to_owned(), key: String::new(), variables: Vec::new() }
    }

    fn with_key(mut self, key: &str) -> Self {
        key.clone_into(&mut self.key);
        self
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onelane"));
        command
            .args(arguments)
            .env_clear()
            .env("LANG", "C.UTF-8")
            .env("ONELANE_URL", &self.url)
            .env("ONELANE_API_KEY", &self.key)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs a command to its end.
    async fn run(&self, arguments: &[&str]) -> Said {
        self.start(arguments).ended().await
    }

    /// The same, with something on its standard input.
    async fn run_with(&self, arguments: &[&str], input: &[u8]) -> Said {
        let mut running = self.start_with_input(arguments);
        running.write(input).await;
        running.ended().await
    }

    fn start(&self, arguments: &[&str]) -> Running {
        Running::of(self.command(arguments).spawn().unwrap())
    }

    /// The same, with an open standard input.
    fn start_with_input(&self, arguments: &[&str]) -> Running {
        Running::of(self.command(arguments).stdin(Stdio::piped()).spawn().unwrap())
    }
}

/// A command that runs.
struct Running {
    child: Child,
    input: Option<ChildStdin>,
    out: UnboundedReceiver<String>,
    err: UnboundedReceiver<String>,
    err_lines: Vec<String>,
    out_lines: Vec<String>,
}

/// The lines of a pipe, read as they come: whoever does not read a pipe blocks the one who writes.
fn lines_of(pipe: impl AsyncRead + Unpin + Send + 'static) -> UnboundedReceiver<String> {
    let (write, read) = unbounded_channel();
    tokio::spawn(async move {
        let mut lines = BufReader::new(pipe).lines();
        while let Some(line) = lines.next_line().await.unwrap() {
            let _ = write.send(line);
        }
    });
    read
}

impl Running {
    fn of(mut child: Child) -> Self {
        let (out, err) = (lines_of(child.stdout.take().unwrap()), lines_of(child.stderr.take().unwrap()));
        Running { input: child.stdin.take(), child, out, err, err_lines: Vec::new(), out_lines: Vec::new() }
    }

    async fn write(&mut self, bytes: &[u8]) {
        // A command that has ended reads nothing more.
        let _ = self.input.as_mut().unwrap().write_all(bytes).await;
    }

    /// The next line of its standard output.
    async fn line(&mut self) -> String {
        let line = tokio::time::timeout(PATIENCE, self.out.recv()).await.expect("it says nothing");
        let line = line.unwrap_or_else(|| panic!("it has ended"));
        self.out_lines.push(line.clone());
        line
    }

    /// Waits until it says this on standard error.
    async fn says(&mut self, words: &str) {
        let said = async {
            while !self.err_lines.iter().any(|line| line.contains(words)) {
                let line = self.err.recv().await;
                self.err_lines.push(line.unwrap_or_else(|| panic!("it never said {words}: {:?}", self.err_lines)));
            }
        };
        tokio::time::timeout(PATIENCE, said).await.unwrap_or_else(|_| panic!("it does not say {words}"));
    }

    fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(i32::try_from(self.child.id().unwrap()).unwrap()).unwrap();
        kill_process(id, signal).unwrap();
    }

    /// Waits until it has ended.
    async fn ended(mut self) -> Said {
        drop(self.input.take());
        let ended = async {
            while let Some(line) = self.out.recv().await {
                self.out_lines.push(line);
            }
            while let Some(line) = self.err.recv().await {
                self.err_lines.push(line);
            }
            self.child.wait().await.unwrap()
        };
        let status = tokio::time::timeout(PATIENCE, ended).await.expect("it does not end");
        Said { code: status.code(), out: self.out_lines.join("\n"), err: self.err_lines.join("\n") }
    }
}

impl Said {
    /// Checks the exit code.
    #[track_caller]
    fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n---\n{}", self.out, self.err);
        self
    }

    /// Its standard output, as one document.
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }

    /// Its standard output, one document a line.
    #[track_caller]
    fn json_lines(&self) -> Vec<Value> {
        self.out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
            .collect()
    }
}

/// One document a line.
fn ndjson(documents: impl IntoIterator<Item = Value>) -> String {
    let mut lines: Vec<String> = documents.into_iter().map(|document| document.to_string()).collect();
    lines.push(String::new());
    lines.join("\n")
}

/// A directory of one test, gone with it.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("onelane-cli-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&path).unwrap();
        Directory(path)
    }

    /// Writes a file; gives its path.
    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    fn path(&self, name: &str) -> String {
        Path::new(&self.0).join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
