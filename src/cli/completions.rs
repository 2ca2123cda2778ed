//! `onelane completions` and `onelane man`

use std::path::Path;

use anyhow::Context;
use clap::Command;
use clap_complete::Shell;

use super::output;

/// Prints the script that teaches a shell the command line.
pub fn completions(mut command: Command, shell: Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "onelane", &mut script);
    output::bytes(&script)?;
    Ok(())
}

/// Writes a manual page for each command.
pub fn manual(command: Command, directory: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
    clap_mangen::generate_to(command, directory).with_context(|| format!("cannot write to {}", directory.display()))?;
    Ok(())
}
