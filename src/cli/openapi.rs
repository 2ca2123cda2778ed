//! `onelane openapi`

use std::path::Path;

use anyhow::{Context, ensure};

use super::output;
use crate::api::CONTRACT;

pub fn run(check: Option<&Path>) -> anyhow::Result<()> {
    let document = format!("{:#}\n", CONTRACT.document());
    match check {
        None => output::bytes(document.as_bytes())?,
        Some(path) => {
            let committed = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            ensure!(
                committed == document,
                "{} is out of date; write it anew with `cargo run -- openapi > {}`",
                path.display(),
                path.display()
            );
        }
    }
    Ok(())
}
