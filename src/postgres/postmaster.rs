//! Reads `postmaster.pid`, in which a server tells who it is and how far it got.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, test_kill_process};
use tokio::net::UnixStream;

use super::ClusterError;

/// The port names the socket's file; nothing listens on TCP.
pub(super) const PORT: u16 = 5432;

/// What a server wrote about itself. A file without a readable process id is as good as none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Postmaster {
    process: i32,
    port: u16,
    /// None while it starts, or if it listens on TCP only.
    socket_directory: Option<PathBuf>,
    ready: bool,
}

impl Postmaster {
    /// What the server of this data directory wrote; none if there is no server, or if it has
    /// not written enough yet.
    pub(super) fn read(data: &Path) -> Option<Self> {
        Self::parse(&fs::read(data.join("postmaster.pid")).ok()?)
    }

    /// Line 1 is the process id, 4 the port, 5 the socket directory, 8 the state, padded.
    fn parse(content: &[u8]) -> Option<Self> {
        let lines: Vec<&[u8]> = content.split(|byte| *byte == b'\n').collect();
        let text = |line: usize| str::from_utf8(lines.get(line - 1)?).ok().map(str::trim);
        let socket_directory = lines.get(4).filter(|line| !line.is_empty());
        Some(Self {
            process: text(1)?.parse().ok()?,
            port: text(4).and_then(|port| port.parse().ok()).unwrap_or(PORT),
            socket_directory: socket_directory.map(|line| PathBuf::from(std::ffi::OsStr::from_bytes(line))),
            ready: text(8) == Some("ready"),
        })
    }

    /// Whether this is the server that we started, and it takes connections. The directory is
    /// new with each start, so a file that someone else left behind cannot fool us.
    pub(super) fn is_ready_at(&self, socket_directory: &Path) -> bool {
        self.ready && self.socket_directory.as_deref() == Some(socket_directory)
    }

    /// Whether the server is there. That its process id exists proves nothing: after a crash or
    /// in a new container it may be anyone's. So the socket must answer, if it has one.
    async fn is_alive(&self) -> bool {
        if !process_exists(self.process) {
            return false;
        }
        let Some(directory) = &self.socket_directory else {
            return true;
        };
        let socket = directory.join(format!(".s.PGSQL.{}", self.port));
        match UnixStream::connect(socket).await {
            Ok(_) => true,
            Err(error) => !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused),
        }
    }
}

/// Makes sure that no server runs on this data, and that no stale file keeps ours from it.
///
/// A file whose process is gone stays: PostgreSQL recognises that itself, and needs the file to
/// see whether a backend of the old server still holds its shared memory.
pub(super) async fn refuse_second_server(data: &Path) -> Result<(), ClusterError> {
    let Some(postmaster) = Postmaster::read(data) else {
        return Ok(());
    };
    if postmaster.is_alive().await {
        return Err(ClusterError::AlreadyServed { directory: data.to_owned(), process: postmaster.process });
    }
    if process_exists(postmaster.process) {
        let file = data.join("postmaster.pid");
        fs::remove_file(&file).map_err(ClusterError::file("remove the stale", &file))?;
    }
    Ok(())
}

/// Whether there is such a process, be it ours or not.
pub(super) fn process_exists(process: i32) -> bool {
    Pid::from_raw(process).is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    const READY: &[u8] = b"4711\n/data\n1700000000\n5432\n/tmp/onelane-1\n\n  123456   98765\nready   \n";

    #[test]
    fn a_ready_server_is_ready_at_its_own_socket_only() {
        let postmaster = Postmaster::parse(READY).expect("a whole file");
        assert_eq!((postmaster.process, postmaster.port), (4711, 5432));
        assert!(postmaster.is_ready_at(Path::new("/tmp/onelane-1")));
        assert!(!postmaster.is_ready_at(Path::new("/tmp/onelane-2")));
    }

    #[test]
    fn half_a_file_is_not_ready() {
        for end in 5..READY.len() - 4 {
            let postmaster = Postmaster::parse(&READY[..end]).expect("a process id");
            assert!(!postmaster.ready, "{end} bytes");
        }
        assert_eq!(Postmaster::parse(b""), None);
        let starting = b"4711\n/data\n1700000000\n5432\n\n\n";
        let starting = Postmaster::parse(starting).expect("a process id");
        assert_eq!(starting.socket_directory, None);
    }

    #[tokio::test]
    async fn a_reused_process_id_is_no_server() {
        let ours = i32::try_from(std::process::id()).expect("a process id");
        assert!(process_exists(ours));
        let postmaster = Postmaster {
            process: ours,
            port: PORT,
            socket_directory: Some(PathBuf::from("/nowhere/at/all")),
            ready: true,
        };
        assert!(!postmaster.is_alive().await);
    }
}
