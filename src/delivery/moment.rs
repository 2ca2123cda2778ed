//! The moments at which a gateway may die. A debug build dies there when it is told to, so that tests can see
//! what is left; a release build knows none of them.

/// A moment in the life of an exchange, of a callback, or of what is old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Moment {
    /// The attempt is on record.
    AfterClaim,
    /// Its slot has come.
    BeforeFirstByte,
    /// The whole answer is here.
    AfterAnswer,
    /// What came of it is on record.
    AfterSettle,
    /// A callback is kept, and nothing was done with it yet.
    CallbackKept,
    /// A batch of what is old was removed, and there is more.
    RetentionBatch,
}

/// Dies without a word, as after `kill -9`, when `ONELANE_TEST_DIE_AT` names this moment.
#[cfg(debug_assertions)]
pub fn reached(moment: Moment) {
    use std::sync::LazyLock;
    static DIE_AT: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("ONELANE_TEST_DIE_AT").ok());
    if DIE_AT.as_deref() == Some(moment.into()) {
        // Nobody is left to hear of a failure.
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        loop {
            std::thread::park();
        }
    }
}

/// Nothing: only debug builds die on demand.
#[cfg(not(debug_assertions))]
pub fn reached(_moment: Moment) {}
