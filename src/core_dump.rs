//! Core dumps hold everything that a process has in its memory, secrets too.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Has the system write no core dump of this process, whatever becomes of it. Where it can, other processes of the
/// same user are also kept from its memory and its environment.
pub fn forbid() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!(%error, "core dumps cannot be switched off");
    }
    // Where a program takes core dumps, the limit does not count.
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
            tracing::warn!(%error, "core dumps cannot be switched off");
        }
    }
}
