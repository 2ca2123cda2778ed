//! Finds PostgreSQL's programs on this machine.
//!
//! Nothing is downloaded: whoever develops against PostgreSQL has it, or installs it with one
//! command that the error names.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::ClusterError;

/// The migrations and queries are written for what this version knows.
pub(super) const OLDEST_MAJOR: u32 = 15;

/// What a directory must hold to be of use. Debian's `/usr/bin` has only `psql`.
pub(super) const NEEDED: [&str; 3] = ["initdb", "postgres", "psql"];

/// Where packagers put one directory a version: the parent, and how the names in it begin.
const VERSIONED: [(&str, &str); 5] = [
    ("/usr/lib/postgresql", ""),
    ("/usr", "pgsql-"),
    ("/opt/homebrew/opt", "postgresql"),
    ("/usr/local/opt", "postgresql"),
    ("/Applications/Postgres.app/Contents/Versions", ""),
];

/// A directory with all needed programs of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Programs {
    pub(super) directory: PathBuf,
    pub(super) major: u32,
}

impl Programs {
    /// Finds the programs that fit the data: `data` is its directory and major version, if any.
    pub(super) async fn find(data: Option<(&Path, u32)>) -> Result<Self, ClusterError> {
        let mut found = Vec::new();
        for directory in candidates()? {
            if let Some(major) = major_version(&directory).await {
                found.push(Self { directory, major });
            } else {
                tracing::debug!(?directory, "PostgreSQL programs that do not run");
            }
        }
        choose(found, data)
    }

    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

/// The first that fits, or the error that says why none does.
fn choose(found: Vec<Programs>, data: Option<(&Path, u32)>) -> Result<Programs, ClusterError> {
    let newest = found.iter().map(|programs| programs.major).max();
    let fits = |programs: &Programs| match data {
        Some((_, major)) => programs.major == major,
        None => programs.major >= OLDEST_MAJOR,
    };
    if let Some(programs) = found.into_iter().find(fits) {
        return Ok(programs);
    }
    Err(match (newest, data) {
        (None, _) => ClusterError::ProgramsNotFound,
        (Some(found), None) => ClusterError::ProgramsTooOld { found },
        (Some(found), Some((directory, data))) => {
            ClusterError::VersionMismatch { directory: directory.to_owned(), data, found }
        }
    })
}

/// The directories that hold all needed programs, in order of preference.
fn candidates() -> Result<Vec<PathBuf>, ClusterError> {
    let explicit = std::env::var_os("ONELANE_PG_BIN").filter(|value| !value.is_empty());
    if let Some(explicit) = explicit {
        let directory = std::path::absolute(&explicit).map_err(ClusterError::file("find", Path::new(&explicit)))?;
        return if holds_programs(&directory) {
            Ok(vec![directory])
        } else {
            Err(ClusterError::ProgramsIncomplete { directory })
        };
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut directories: Vec<PathBuf> =
        std::env::split_paths(&path).filter(|directory| directory.is_absolute()).collect();
    for (parent, prefix) in VERSIONED {
        let names = fs::read_dir(parent).into_iter().flatten().flatten().map(|entry| entry.file_name());
        let names = newest_first(names.filter_map(|name| name.into_string().ok()), prefix);
        directories.extend(names.iter().map(|name| Path::new(parent).join(name).join("bin")));
    }
    directories.retain(|directory| holds_programs(directory));
    Ok(directories)
}

/// The names that begin with `prefix`, by the version that follows it; those without one last.
fn newest_first(names: impl Iterator<Item = String>, prefix: &str) -> Vec<String> {
    let mut names: Vec<(Option<u32>, String)> = names
        .filter_map(|name| {
            let version = name.strip_prefix(prefix)?.trim_start_matches('@');
            Some((leading_number(version), name))
        })
        .collect();
    names.sort_by(|one, other| other.cmp(one));
    names.into_iter().map(|(_, name)| name).collect()
}

fn holds_programs(directory: &Path) -> bool {
    NEEDED.iter().all(|program| {
        fs::metadata(directory.join(program)).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    })
}

/// The major version of the programs in `directory`; none if they do not even run.
async fn major_version(directory: &Path) -> Option<u32> {
    let output = Command::new(directory.join("postgres"))
        .arg("--version")
        .env("LC_ALL", OsStr::new("C"))
        .kill_on_drop(true)
        .output()
        .await
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    parse_version(&text)
}

/// Reads `postgres (PostgreSQL) 15.13 (Debian …)`, and betas like `18beta1`.
fn parse_version(text: &str) -> Option<u32> {
    leading_number(text.split_once("(PostgreSQL) ")?.1)
}

/// The whole number that `text` begins with; also reads what is in `PG_VERSION`.
pub(super) fn leading_number(text: &str) -> Option<u32> {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn programs(major: u32) -> Programs {
        Programs { directory: PathBuf::from(format!("/usr/lib/postgresql/{major}/bin")), major }
    }

    #[test]
    fn versions_are_read() {
        let debian = "postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)\n";
        assert_eq!(parse_version(debian), Some(15));
        assert_eq!(parse_version("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(parse_version("command not found"), None);
        assert_eq!(leading_number("17\n"), Some(17));
    }

    #[test]
    fn the_newest_version_comes_first() {
        let sorted = |names: &[&str], prefix| newest_first(names.iter().map(|name| (*name).to_owned()), prefix);
        assert_eq!(sorted(&["9.6", "15", "17"], ""), ["17", "15", "9.6"]);
        let homebrew = ["postgresql", "openssl@3", "postgresql@9", "postgresql@16"];
        let expected = ["postgresql@16", "postgresql@9", "postgresql"];
        assert_eq!(sorted(&homebrew, "postgresql"), expected);
    }

    #[test]
    fn new_data_takes_the_first_that_is_new_enough() {
        let found = vec![programs(14), programs(16), programs(17)];
        assert_eq!(choose(found, None).ok(), Some(programs(16)));
        let error = choose(vec![programs(13)], None).expect_err("too old");
        assert!(matches!(error, ClusterError::ProgramsTooOld { found: 13 }));
        let error = choose(Vec::new(), None).expect_err("nothing there");
        assert!(error.to_string().contains("apt-get install postgresql"));
    }

    #[test]
    fn existing_data_takes_its_own_version_or_none() {
        let data = Path::new("/data");
        let found = vec![programs(17), programs(15)];
        assert_eq!(choose(found, Some((data, 15))).ok(), Some(programs(15)));
        let error = choose(vec![programs(17)], Some((data, 15))).expect_err("wrong version");
        let expected = "/data was made by PostgreSQL 15 and only PostgreSQL 17 was found";
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}
