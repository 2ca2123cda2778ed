//! The cluster's files.
//!
//! | path | what |
//! |---|---|
//! | `<home>/data` | PostgreSQL's own data directory |
//! | `<home>/postgres.log` | what `initdb` and `postgres` say; the run before: `postgres.log.old` |
//! | `<home>/lock` | kept clusters: held by whoever runs it |
//! | `<run>/.s.PGSQL.5432` | the socket |
//! | `<run>/exited` | written by the guard when the server is gone |
//!
//! A kept cluster's home is the subdirectory `postgres` of the chosen directory, and its run
//! directory is new with each start, in `/tmp`, where paths are short enough for a socket. A
//! throw-away cluster has one directory for both, so that there is one thing to remove.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::account::Account;
use super::postmaster::{PORT, process_exists};
use super::{ClusterError, programs};

/// A cluster in memory is worth it only where it cannot fill the memory up.
const MEMORY_NEEDED: u64 = 1 << 30;
/// A unix socket's address takes 104 bytes on macOS, 108 on Linux, with the final zero.
const LONGEST_SOCKET: usize = 103;
/// How long to wait for a lock whose owner died: its guard is shutting the server down.
const GUARD_PATIENCE: Duration = Duration::from_secs(30);
/// How long to wait for a lock whose owner lives: it may be about to end.
const OWNER_PATIENCE: Duration = Duration::from_millis(500);
/// How much of the log goes into an error.
const LOG_TAIL: u64 = 3_000;

/// The home of a kept cluster, locked for as long as this or a duplicate of the lock lives.
#[derive(Debug)]
pub(super) struct KeptHome {
    pub(super) path: PathBuf,
    pub(super) account: Account,
    pub(super) lock: File,
}

impl KeptHome {
    /// Makes the home if it is missing, and takes its lock.
    pub(super) async fn open(chosen: &Path) -> Result<Self, ClusterError> {
        let chosen = std::path::absolute(chosen).map_err(ClusterError::file("find", chosen))?;
        let path = chosen.join("postgres");
        let account = Account::choose(Some(&path))?;
        account.check_reach(&chosen)?;
        account.create_reachable(&chosen)?;
        create_private(&path)
            .or_else(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => Ok(()),
                _ => Err(error),
            })
            .map_err(ClusterError::file("create", &path))?;
        let lock_file = path.join("lock");
        let mut entries = fs::read_dir(&path).map_err(ClusterError::file("read", &path))?;
        if entries.next().is_some() && !lock_file.exists() {
            return Err(ClusterError::ForeignDirectory { directory: path });
        }
        account.hand_over(&path)?;
        let lock = take_lock(&lock_file, &path).await?;
        Ok(Self { path, account, lock })
    }
}

/// Takes the lock and leaves our process id in it, for the error that the next one gets.
///
/// The lock belongs to the open file, not to the process: the guard inherits it, so it is held
/// until the server is down, whether or not we are still there.
async fn take_lock(path: &Path, home: &Path) -> Result<File, ClusterError> {
    let mut lock = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(ClusterError::file("open", path))?;
    let started = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(source)) => {
                return Err(ClusterError::file("lock", path)(source));
            }
        }
        let owner = fs::read_to_string(path).unwrap_or_default();
        let owner_lives = owner.trim().parse().is_ok_and(process_exists);
        let patience = if owner_lives { OWNER_PATIENCE } else { GUARD_PATIENCE };
        if started.elapsed() > patience {
            return Err(ClusterError::InUse { directory: home.to_owned(), owner: owner.trim().to_owned() });
        }
        sleep(Duration::from_millis(20)).await;
    }
    lock.set_len(0)
        .and_then(|()| writeln!(lock, "{}", std::process::id()))
        .map_err(ClusterError::file("write", path))?;
    Ok(lock)
}

/// Makes the run directory, which only the account can enter.
pub(super) fn create_run_directory(account: &Account, throw_away: bool) -> Result<PathBuf, ClusterError> {
    let mut parents = Vec::new();
    if throw_away {
        let memory = PathBuf::from("/dev/shm");
        if free_bytes(&memory).is_some_and(|free| free > MEMORY_NEEDED) {
            parents.push(memory);
        }
        // Root's own temporary directory may be closed to the user that is to remove ours.
        if *account == Account::Ours {
            parents.push(std::env::temp_dir());
        }
    }
    parents.push(PathBuf::from("/tmp"));

    let name = format!("onelane-{:012x}", RandomState::new().hash_one(0) >> 16);
    let socket = format!("/{name}/.s.PGSQL.{PORT}");
    parents.retain(|parent| {
        let path = parent.as_os_str();
        path.len() + socket.len() <= LONGEST_SOCKET && has_plain_name(path)
    });

    let mut failure = None;
    for parent in parents {
        let path = parent.join(&name);
        match create_private(&path) {
            Ok(()) => {
                account.hand_over(&path).inspect_err(|_| {
                    // Still empty; nothing is lost if this fails as well.
                    fs::remove_dir(&path).ok();
                })?;
                return Ok(path);
            }
            Err(source) => failure = Some(ClusterError::file("create", &path)(source)),
        }
    }
    Err(failure
        .unwrap_or_else(|| ClusterError::file("create a directory in", Path::new("/tmp"))(io::ErrorKind::Other.into())))
}

/// PostgreSQL and libpq take a list of socket directories, so a comma would make two of one.
fn has_plain_name(path: &OsStr) -> bool {
    path.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || b"/-._+".contains(byte))
}

/// Fails if there is something of this name already, so nobody can prepare it for us.
fn create_private(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

fn free_bytes(directory: &Path) -> Option<u64> {
    let file_system = rustix::fs::statvfs(directory).ok()?;
    Some(file_system.f_bavail.saturating_mul(file_system.f_frsize))
}

/// The major version that made this data; none if there is no data yet.
pub(super) fn data_version(data: &Path) -> Option<u32> {
    programs::leading_number(&fs::read_to_string(data.join("PG_VERSION")).ok()?)
}

/// Opens a fresh log and keeps the one of the run before.
pub(super) fn create_log(path: &Path) -> Result<File, ClusterError> {
    match fs::rename(path, path.with_extension("log.old")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(ClusterError::file("rename", path)(error));
        }
        _ => {}
    }
    File::options().create(true).append(true).mode(0o600).open(path).map_err(ClusterError::file("create", path))
}

/// The end of the log, in whole lines.
pub(super) fn log_tail(path: &Path) -> String {
    let read = || -> io::Result<(bool, Vec<u8>)> {
        let mut file = File::open(path)?;
        let start = file.metadata()?.len().saturating_sub(LOG_TAIL);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok((start > 0, bytes))
    };
    match read() {
        Ok((cut, bytes)) => {
            let text = String::from_utf8_lossy(&bytes);
            let whole_lines = match text.split_once('\n') {
                Some((_, rest)) if cut => rest,
                _ => &text,
            };
            whole_lines.trim_end().to_owned()
        }
        Err(error) => format!("({} cannot be read: {error})", path.display()),
    }
}

/// Encodes a part of a URL: everything but letters, digits and `-._~`.
pub(super) fn percent_encode(part: &OsStr) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    part.as_bytes()
        .iter()
        .map(|&byte| match byte {
            byte if plain(byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_survive_a_url() {
        let encoded = percent_encode("/tmp/one lane-é".as_ref());
        assert_eq!(encoded, "%2Ftmp%2Fone%20lane-%C3%A9");
    }

    #[tokio::test]
    async fn a_lock_is_taken_once_and_names_its_owner() {
        let account = Account::Ours;
        let home = create_run_directory(&account, true).expect("a directory");
        let path = home.join("lock");
        let first = take_lock(&path, &home).await.expect("free");
        let error = take_lock(&path, &home).await.expect_err("taken");
        let ours = format!("another `onelane dev` (process {})", std::process::id());
        assert!(error.to_string().starts_with(&ours), "{error}");
        drop(first);
        take_lock(&path, &home).await.expect("free again");
        fs::remove_dir_all(home).expect("removed");
    }

    #[test]
    fn the_log_of_the_run_before_is_kept_and_the_tail_is_whole_lines() {
        let home = create_run_directory(&Account::Ours, true).expect("a directory");
        let path = home.join("postgres.log");
        for run in ["first", "second"] {
            let mut log = create_log(&path).expect("a log");
            for line in 0..1_000 {
                writeln!(log, "{run} {line}").expect("written");
            }
        }
        let tail = log_tail(&path);
        assert!(tail.starts_with("second ") && tail.ends_with("second 999"), "{tail}");
        let old = fs::read_to_string(home.join("postgres.log.old")).expect("the old log");
        assert!(old.starts_with("first 0\n"));
        fs::remove_dir_all(home).expect("removed");
    }
}
