//! A private PostgreSQL cluster, run with the machine's own programs.
//!
//! `onelane dev` and the tests must work on a machine that has PostgreSQL installed but nothing
//! set up in it: no role, no password, no port. So this module makes a cluster that belongs to
//! this process alone, reachable through a unix socket in a directory that nobody else may enter.
//!
//! Who does what:
//! - `programs` finds `initdb`, `postgres` and `psql`;
//! - `account` decides which user runs them, since PostgreSQL refuses to run as root;
//! - `directory` owns the layout on disk and the lock that keeps a second process out;
//! - `guard` starts the server and takes it down when this process ends, however it ends;
//! - `postmaster` reads the server's own status file;
//! - `cluster` puts these together.

use std::path::PathBuf;

mod account;
mod cluster;
mod directory;
mod error;
mod guard;
mod postmaster;
mod programs;

pub use cluster::Cluster;
pub use error::ClusterError;

/// What a private cluster is to be like.
#[derive(Debug, Clone)]
pub struct ClusterOptions {
    /// Where the data lives, and for how long.
    pub directory: ClusterDirectory,
    /// PostgreSQL's own limit; three of these are reserved for superusers, which the role is.
    pub max_connections: u32,
    /// Server settings by name. They come last, hence win over those of this module.
    pub extra_settings: Vec<(String, String)>,
}

/// Where a cluster's data lives, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterDirectory {
    /// Durable and kept between runs, in the subdirectory `postgres` of this directory, which
    /// is made when missing. Only one process at a time can have it.
    Kept(PathBuf),
    /// Fast and forgetful: in memory where there is room, without fsync, and removed when the
    /// cluster stops or this process ends, `kill -9` included.
    ThrowAway,
}

/// A program that comes with PostgreSQL, beside those that a cluster is run with.
pub async fn program(name: &str) -> Result<PathBuf, ClusterError> {
    Ok(programs::Programs::find(None).await?.program(name))
}

/// Where kept data belongs on this machine when nobody said otherwise.
///
/// Root gets `/var/lib/onelane`: its own home is closed to the user that runs PostgreSQL.
pub fn default_data_directory() -> PathBuf {
    if account::we_are_root() {
        return PathBuf::from("/var/lib/onelane");
    }
    let home = std::env::home_dir().unwrap_or_default();
    if cfg!(target_os = "macos") {
        return home.join("Library/Application Support/onelane");
    }
    std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        // The XDG specification tells to ignore relative paths.
        .filter(|directory| directory.is_absolute())
        .unwrap_or_else(|| home.join(".local/share"))
        .join("onelane")
}
