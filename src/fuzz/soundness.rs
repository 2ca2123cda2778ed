//! What others than our own readers say of a document.

use roxmltree::Error;
use serde_json::Value;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Whether the bytes are one whole document, JSON or XML, by parsers that no adapter uses.
pub fn is_whole(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    serde_json::from_slice::<Value>(bytes).is_ok()
        || std::str::from_utf8(bytes).is_ok_and(|text| match roxmltree::Document::parse(text) {
            Ok(_) => true,
            Err(error) => text.contains('<') && is_lenience(&error),
        })
}

/// Whether a document is taken all the same: what is wrong with it leaves no doubt about what its elements are. So it is
/// with a declaration, comments and prefixes of names, which nobody reads, and with words of characters that XML does
/// not know.
pub fn is_lenience(error: &Error) -> bool {
    !matches!(
        error,
        Error::UnexpectedCloseTag(..)
            | Error::UnexpectedEntityCloseTag(..)
            | Error::UnknownEntityReference(..)
            | Error::MalformedEntityReference(..)
            | Error::EntityReferenceLoop(..)
            | Error::InvalidAttributeValue(..)
            | Error::DuplicatedAttribute(..)
            | Error::NoRootNode
            | Error::UnclosedRootNode
            | Error::DtdDetected
            | Error::InvalidName(..)
            | Error::UnexpectedEndOfStream
    )
}

/// A longer document is not cut: that would take long, and show nothing that a shorter one does not.
const LONGEST_CUT: usize = 100_000;

/// Ends of beginnings of a document that are worth a look: all of a short one, some of a longer one.
pub fn cuts(length: usize) -> impl Iterator<Item = usize> {
    let looked_at = if length > LONGEST_CUT { 0 } else { length };
    (0..looked_at).step_by((length / 24).max(1)).chain(looked_at.saturating_sub(4)..looked_at)
}

/// Whether the ledger can hold a text.
pub fn is_storable(text: &str) -> bool {
    !text.contains('\0')
}
