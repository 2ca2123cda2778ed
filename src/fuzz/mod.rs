//! What must hold for any bytes: the bodies of the fuzz targets in `fuzz/targets`. They are compiled for fuzzing, and
//! for `cargo test`, which replays the inputs in `fuzz/corpus`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a law that does not hold panics: that is how a fuzzer hears of it"
)]

mod adapters;
mod amendments;
mod answers;
mod callbacks;
mod heads;
mod merge_patches;
mod orders;
#[cfg(test)]
mod replay;
mod soundness;
mod xml;

pub use amendments::amendments;
pub use answers::answers;
pub use callbacks::callbacks;
pub use heads::heads;
pub use merge_patches::merge_patches;
pub use orders::orders;
pub use xml::xml;
