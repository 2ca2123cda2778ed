//! Which operating system user runs PostgreSQL.
//!
//! Its programs refuse to run as root, which is what one usually is in a container. Then they
//! run as a user without privileges, who must own the data and be able to get to it.

use std::fs::{self, Metadata, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::ClusterError;

/// In order of preference; `_postgres` is the name on macOS.
const UNPRIVILEGED: [&str; 3] = ["postgres", "_postgres", "nobody"];

/// The user that PostgreSQL runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Account {
    /// The user that we are.
    Ours,
    /// Another one, because we are root.
    Other(User),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct User {
    name: String,
    uid: u32,
    gid: u32,
}

pub(super) fn we_are_root() -> bool {
    rustix::process::geteuid().is_root()
}

impl Account {
    /// Chooses the user for a cluster whose files are, or will be, in `home`.
    ///
    /// The owner of existing data stays its owner: a cluster made by `nobody` must not become
    /// unusable on the day that a user `postgres` is added.
    pub(super) fn choose(home: Option<&Path>) -> Result<Self, ClusterError> {
        if !we_are_root() {
            return Ok(Self::Ours);
        }
        let passwd_file = Path::new("/etc/passwd");
        let passwd = fs::read_to_string(passwd_file).map_err(ClusterError::file("read", passwd_file))?;
        let owner = home.and_then(|home| fs::metadata(home).ok()).filter(|metadata| metadata.uid() != 0);
        if let Some(metadata) = owner {
            let uid = metadata.uid();
            let name = users(&passwd).find(|user| user.uid == uid).map_or_else(|| uid.to_string(), |user| user.name);
            let gid = metadata.gid();
            return Ok(Self::Other(User { name, uid, gid }));
        }
        UNPRIVILEGED
            .iter()
            .find_map(|name| users(&passwd).find(|user| user.name == *name))
            .map(Self::Other)
            .ok_or(ClusterError::NoUnprivilegedUser)
    }

    /// A command that will run as this user.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Self::Other(user) = self {
            command.uid(user.uid).gid(user.gid);
        }
        command
    }

    /// Makes this user the owner of what we created.
    pub(super) fn hand_over(&self, path: &Path) -> Result<(), ClusterError> {
        match self {
            Self::Ours => Ok(()),
            Self::Other(user) => {
                chown(path, Some(user.uid), Some(user.gid)).map_err(ClusterError::file("change the owner of", path))
            }
        }
    }

    /// Makes a directory and its missing parents so that this user can get to it, whatever the
    /// umask is.
    pub(super) fn create_reachable(&self, path: &Path) -> Result<(), ClusterError> {
        let missing: Vec<&Path> = path.ancestors().take_while(|part| !part.exists()).collect();
        fs::create_dir_all(path).map_err(ClusterError::file("create", path))?;
        if *self != Self::Ours {
            for part in missing {
                fs::set_permissions(part, Permissions::from_mode(0o711))
                    .map_err(ClusterError::file("change the permissions of", part))?;
            }
        }
        Ok(())
    }

    /// Checks that this user can get to `path`, or to as much of it as exists already.
    pub(super) fn check_reach(&self, path: &Path) -> Result<(), ClusterError> {
        let Self::Other(user) = self else {
            // Our own permissions show soon enough, in errors that name the path.
            return Ok(());
        };
        let Some(existing) = path.ancestors().find_map(|part| part.canonicalize().ok()) else {
            return Ok(());
        };
        let closed = existing
            .ancestors()
            .find(|directory| fs::metadata(directory).is_ok_and(|metadata| !user.can_enter(&metadata)));
        match closed {
            None => Ok(()),
            Some(closed) => Err(ClusterError::OutOfReach {
                user: user.name.clone(),
                path: path.to_owned(),
                closed: closed.to_owned(),
            }),
        }
    }
}

impl User {
    /// By the permission bits alone; a child that changed its user has no further groups.
    fn can_enter(&self, directory: &Metadata) -> bool {
        let (uid, gid) = (directory.uid(), directory.gid());
        let needed = if uid == self.uid {
            0o100
        } else if gid == self.gid {
            0o010
        } else {
            0o001
        };
        directory.mode() & needed != 0
    }
}

/// The readable entries of a passwd file.
fn users(passwd: &str) -> impl Iterator<Item = User> {
    passwd.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(User { name, uid, gid })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_read_and_odd_lines_skipped() {
        let passwd = "# comment\nnobody:*:-2:-2:Unprivileged:/var/empty:/usr/bin/false\n\
                      postgres:x:101:104:PostgreSQL,,,:/var/lib/postgresql:/bin/bash\n";
        let found: Vec<User> = users(passwd).collect();
        let postgres = User { name: "postgres".to_owned(), uid: 101, gid: 104 };
        assert_eq!(found, [postgres]);
    }

    #[test]
    fn the_permission_bits_of_the_right_class_count() {
        let metadata = fs::metadata("/").expect("the root directory");
        let user = |uid, gid| User { name: "someone".to_owned(), uid, gid };
        // Wherever this runs, `/` belongs to someone else and is open to all.
        assert!(user(metadata.uid() + 1, metadata.gid() + 1).can_enter(&metadata));
        assert!(user(metadata.uid(), metadata.gid()).can_enter(&metadata));
    }

    #[test]
    fn without_privileges_nothing_changes() {
        let path = Path::new("/nowhere/at/all");
        assert!(Account::Ours.check_reach(path).is_ok());
        assert!(Account::Ours.hand_over(path).is_ok());
    }
}
