//! How a command ends: its exit code, and what kept it from its work.

use std::io;
use std::process::ExitCode;

use super::remote::RemoteProblem;

/// Exit codes. `docs/cli.md` has the same table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All that was asked for is done
    Done = 0,
    Failed = 1,
    /// The command line, a file or a document is wrong; clap ends with the same
    BadInput = 2,
    /// The gateway or a provider refused something
    Refused = 3,
    /// The gateway could not be reached, or took no work for too long
    Unreachable = 4,
    /// There is something to change, and it was not changed
    ChangesPending = 5,
    /// The time was over before everything had come to its end
    Unfinished = 6,
    /// Ctrl-C
    Interrupted = 130,
    /// Whoever read what was written went away, as after SIGPIPE
    BrokenPipe = 141,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// What keeps a command from its work, where that has an exit code of its own.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("{0}")]
    BadInput(String),
    #[error("{0}")]
    Refused(Box<RemoteProblem>),
    #[error("{0}")]
    Unreachable(String),
}

impl Failure {
    /// The gateway's own words on it.
    pub fn problem(&self) -> Option<&RemoteProblem> {
        match self {
            Failure::Refused(problem) => Some(problem),
            Failure::BadInput(_) | Failure::Unreachable(_) => None,
        }
    }
}

/// The exit code for an error.
pub fn exit_of(error: &anyhow::Error) -> Exit {
    let is_broken_pipe = |error: &(dyn std::error::Error + 'static)| is_broken_pipe(error.downcast_ref::<io::Error>());
    if error.chain().any(is_broken_pipe) {
        return Exit::BrokenPipe;
    }
    match error.downcast_ref::<Failure>() {
        Some(Failure::BadInput(_)) => Exit::BadInput,
        // A fault of the gateway is no refusal.
        Some(Failure::Refused(problem)) if problem.status >= 500 => Exit::Failed,
        Some(Failure::Refused(_)) => Exit::Refused,
        Some(Failure::Unreachable(_)) => Exit::Unreachable,
        None => Exit::Failed,
    }
}

fn is_broken_pipe(error: Option<&io::Error>) -> bool {
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// An error about what the caller gave.
pub fn bad_input(words: impl Into<String>) -> anyhow::Error {
    Failure::BadInput(words.into()).into()
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn each_error_has_its_exit_code() {
        let broken = io::Error::new(io::ErrorKind::BrokenPipe, "gone");
        let told: anyhow::Result<()> = Err(broken).context("cannot write");
        assert_eq!(exit_of(&told.unwrap_err()), Exit::BrokenPipe);
        assert_eq!(exit_of(&bad_input("no file").context("reading")), Exit::BadInput);
        assert_eq!(exit_of(&Failure::Unreachable("nobody".to_owned()).into()), Exit::Unreachable);
        let refused = |status| Failure::Refused(Box::new(RemoteProblem::of_status(status))).into();
        assert_eq!(exit_of(&refused(422)), Exit::Refused);
        assert_eq!(exit_of(&refused(500)), Exit::Failed);
        assert_eq!(exit_of(&anyhow::anyhow!("something else")), Exit::Failed);
    }
}
