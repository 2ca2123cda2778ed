//! The process that owns the server.
//!
//! It is a shell script (`guard.sh`) that starts the server as its own child and then blocks on
//! a pipe of which we hold the other end. The kernel closes that end when we end, by whatever
//! cause, so stopping on purpose and dying of `kill -9` take the same way and leave the same:
//! nothing. It has a process group of its own, so that Ctrl-C in the terminal reaches us alone
//! and we can finish our work while the server still runs.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::ClusterError;
use super::account::Account;
use super::programs::Programs;

const SHELL: &str = "/bin/sh";
const SCRIPT: &str = include_str!("guard.sh");
/// A fast shutdown writes everything to disk first, which may take a while.
const STOP_DEADLINE: Duration = Duration::from_secs(60);

/// How the server goes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shutdown {
    /// Ends sessions and writes everything to disk.
    Fast,
    /// Drops everything; for data that goes away with it.
    Immediate,
}

/// What the guard needs to know.
pub(super) struct Assignment<'a> {
    pub(super) account: &'a Account,
    pub(super) programs: &'a Programs,
    pub(super) data: &'a Path,
    pub(super) run: &'a Path,
    pub(super) shutdown: Shutdown,
    pub(super) settings: &'a [(String, String)],
    /// Held until the server is down.
    pub(super) lock: Option<File>,
    pub(super) log: File,
}

/// A running guard. Dropping it stops the server too, without waiting for it.
///
/// These are the standard library's types, not tokio's, so that a cluster outlives the runtime
/// that started it: tests start it before any runtime of theirs exists.
#[derive(Debug)]
pub(super) struct Guard {
    process: Child,
    pipe: ChildStdin,
}

impl Guard {
    /// Starts the guard, and with it the server.
    pub(super) fn start(assignment: Assignment<'_>) -> Result<Self, ClusterError> {
        let Assignment { account, programs, data, run, shutdown, settings, lock, log } = assignment;
        let (signal, initdb_option) = match shutdown {
            Shutdown::Fast => ("INT", ""),
            Shutdown::Immediate => ("QUIT", "--no-sync"),
        };
        let shell = Path::new(SHELL);
        let mut command = account.command(shell);
        command
            .args(["-c", SCRIPT, "onelane-postgres-guard"])
            .args([programs.directory.as_path(), data, run])
            .args([signal, initdb_option]);
        for (name, value) in settings {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        plain_environment(&mut command);
        let mut process = command
            // Ours may be closed to the user that PostgreSQL runs as.
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(lock.map_or_else(Stdio::null, Stdio::from))
            .stderr(log)
            .spawn()
            .map_err(ClusterError::program(shell))?;
        let pipe =
            process.stdin.take().ok_or_else(|| ClusterError::program(shell)(std::io::ErrorKind::BrokenPipe.into()))?;
        Ok(Self { process, pipe })
    }

    /// Whether the guard is gone, which it should never be before `finish`.
    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.process.try_wait(), Ok(None))
    }

    /// Lets go of the pipe and waits until the guard took everything down.
    pub(super) async fn finish(self) -> Result<(), ClusterError> {
        let Self { mut process, pipe } = self;
        drop(pipe);
        let deadline = Instant::now() + STOP_DEADLINE;
        let reason = loop {
            match process.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => break format!("its guard ended with {status}"),
                Ok(None) if Instant::now() > deadline => {
                    break format!("it still runs after {} s", STOP_DEADLINE.as_secs());
                }
                Ok(None) => sleep(Duration::from_millis(5)).await,
                Err(error) => break error.to_string(),
            }
        };
        Err(ClusterError::StopFailed { reason })
    }
}

/// Leaves out all variables but those needed to run a program: ours hold secrets, and `PG…` of
/// the caller's shell would redirect the programs to another server.
pub(super) fn plain_environment(command: &mut std::process::Command) {
    command.env_clear().env("LC_ALL", "C");
    for name in ["PATH", "LD_LIBRARY_PATH"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
}
