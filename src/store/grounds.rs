//! What an order was checked against, so that the statement that keeps it can make sure that this still stands.

use uuid::Uuid;

/// One version of a row: any change of the row gives it another one. It is the transaction that wrote the row, which
/// comes round after four thousand million others: nothing may be remembered for that long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowVersion(i64);

impl RowVersion {
    pub(super) fn read(xmin: i64) -> Self {
        RowVersion(xmin)
    }

    pub(super) fn xmin(self) -> i64 {
        self.0
    }
}

/// The caller's key and the order's account, as they were when somebody looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grounds {
    pub api_key: (Uuid, RowVersion),
    pub account: RowVersion,
}
