//! Where credentials of an account come from.

use std::env;
use std::fmt;
use std::fs;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// One credential: where it is kept, or itself.
#[derive(Deserialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "a credential must be { env = \"VARIABLE\" }, { file = \"/path\" } or a text"
)]
pub enum SecretSource {
    Env { env: String },
    File { file: PathBuf },
    Inline(SecretString),
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretSource::Env { env } => write!(formatter, "Env({env})"),
            SecretSource::File { file } => write!(formatter, "File({})", file.display()),
            SecretSource::Inline(_) => formatter.write_str("Inline(***)"),
        }
    }
}

impl SecretSource {
    /// The credential, or why there is none.
    pub fn read(&self) -> Result<SecretString, String> {
        let secret = match self {
            SecretSource::Env { env } => {
                let value = env::var(env).map_err(|_| format!("the variable {env} is not set"))?;
                SecretString::from(value)
            }
            SecretSource::File { file } => {
                let text = fs::read_to_string(file)
                    .map_err(|error| format!("the file {} cannot be read: {error}", file.display()))?;
                // Editors and shells end a file with a line break.
                SecretString::from(text.trim_end_matches(['\r', '\n']))
            }
            SecretSource::Inline(secret) => secret.clone(),
        };
        if secret.expose_secret().is_empty() { Err(format!("{self:?} is empty")) } else { Ok(secret) }
    }

    pub fn is_inline(&self) -> bool {
        matches!(self, SecretSource::Inline(_))
    }
}
