//! What can go wrong with a private cluster, in sentences that say what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// Why a private cluster could not be started, used or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No directory with the programs was found.
    #[error(
        "PostgreSQL is not installed here: install version {oldest} or newer (`apt-get install \
         postgresql` or `brew install postgresql@17`), or name the directory of its programs in \
         ONELANE_PG_BIN, or set DATABASE_URL to use a server that already runs",
        oldest = super::programs::OLDEST_MAJOR
    )]
    ProgramsNotFound,

    /// `ONELANE_PG_BIN` is taken at its word, so a mistake in it is not papered over.
    #[error(
        "ONELANE_PG_BIN names {}, which does not hold the programs {}",
        directory.display(),
        super::programs::NEEDED.join(", ")
    )]
    ProgramsIncomplete { directory: PathBuf },

    /// Only versions that the migrations are not written for were found.
    #[error(
        "only PostgreSQL {found} was found here and {oldest} or newer is needed: install it \
         (`apt-get install postgresql` or `brew install postgresql@17`), or set DATABASE_URL to \
         use a server that already runs",
        oldest = super::programs::OLDEST_MAJOR
    )]
    ProgramsTooOld { found: u32 },

    /// PostgreSQL does not read the files of another major version.
    #[error(
        "{} was made by PostgreSQL {data} and only PostgreSQL {found} was found: install \
         version {data}, or name its programs' directory in ONELANE_PG_BIN, or move the data \
         away to start afresh",
        directory.display()
    )]
    VersionMismatch { directory: PathBuf, data: u32, found: u32 },

    /// We are root, PostgreSQL refuses to be, and there is no user to become.
    #[error(
        "PostgreSQL refuses to run as root, and neither a user `postgres` nor `nobody` is in \
         /etc/passwd: create one, or run as an ordinary user, or set DATABASE_URL"
    )]
    NoUnprivilegedUser,

    /// We are root, and the user that runs PostgreSQL in our stead is locked out.
    #[error(
        "PostgreSQL refuses to run as root, so user `{user}` runs it, who cannot get to {} \
         because {} is closed to others: choose another place (ONELANE_DATA_DIR for the data, \
         ONELANE_PG_BIN for the programs) or open that one with `chmod o+x`",
        path.display(),
        closed.display()
    )]
    OutOfReach { user: String, path: PathBuf, closed: PathBuf },

    /// The directory has the right name and the wrong contents.
    #[error(
        "{} holds files that are not of a onelane cluster: choose another data directory",
        directory.display()
    )]
    ForeignDirectory { directory: PathBuf },

    /// Another process of ours has the lock.
    #[error(
        "another `onelane dev` (process {owner}) already uses {}: stop it first, or set \
         ONELANE_DATA_DIR to another directory",
        directory.display()
    )]
    InUse { directory: PathBuf, owner: String },

    /// Nobody has the lock, but a server answers: someone started it by hand, or its guard was
    /// killed.
    #[error(
        "a PostgreSQL server (process {process}) already runs on {}, left behind by another \
         `onelane dev` or started by hand: stop it first with `kill -INT {process}`",
        directory.display()
    )]
    AlreadyServed { directory: PathBuf, process: i32 },

    /// `initdb` or `postgres` gave up.
    #[error("PostgreSQL did not start; the end of its log:\n{log}")]
    StartFailed { log: String },

    /// `initdb` and `postgres` took longer than anyone would wait.
    #[error("PostgreSQL was not ready within {seconds} s; the end of its log:\n{log}")]
    StartTimedOut { seconds: u64, log: String },

    /// The guard did not end as it should have; processes or files may be left over.
    #[error("PostgreSQL did not stop cleanly: {reason}")]
    StopFailed { reason: String },

    /// `psql` answered with an error.
    #[error("database `{database}` could not be created: {message}")]
    DatabaseNotCreated { database: String, message: String },

    /// A file system operation failed.
    #[error("could not {action} {}: {source}", path.display())]
    File { action: &'static str, path: PathBuf, source: io::Error },

    /// A program could not be run at all.
    #[error("could not run {}: {source}", program.display())]
    Program { program: PathBuf, source: io::Error },
}

impl ClusterError {
    /// For `map_err`: which file, and what was to be done with it.
    pub(super) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { action, path: path.to_owned(), source }
    }

    /// For `map_err`: which program could not be run.
    pub(super) fn program(program: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Program { program: program.to_owned(), source }
    }
}
