//! Addresses that a config has by name: of an environment variable, or of a file that others cannot
//! read.

use std::path::{Path, PathBuf};

use leadscore_config::Bytes;
use leadscore_core::SecretUri;

use crate::memory::read_at_most;

/// Bytes of a file with an address, at most.
const MAX_BYTES: Bytes = Bytes(100_000);

/// An address that is not where the config says. No message holds a password.
#[derive(Debug, thiserror::Error)]
pub enum SecretPlaceError {
    /// The config itself holds a password, and configs are shared.
    #[error(
        "`{key}` of {place} has a password, a token or the like in it, and a config is read by many\n  hint: put the whole URI into an environment variable and write {key} = \"env:NAME\""
    )]
    Password {
        /// The key of the config.
        key: &'static str,
        /// The table or section of the config.
        place: String,
    },
    /// The environment has no such variable.
    #[error(
        "`{key}` of {place} is the environment variable {variable}, which is not set\n  hint: set it where the command runs"
    )]
    Variable {
        /// The key of the config.
        key: &'static str,
        /// The table or section of the config.
        place: String,
        /// The variable.
        variable: String,
    },
    /// What stands behind `env:` cannot be the name of a variable; it is not repeated, since it may
    /// be a URI with a password.
    #[error(
        "`{key}` of {place} names no environment variable\n  hint: write the variable's name alone, such as {key} = \"env:CRM_URI\", and put the URI into the variable"
    )]
    VariableName {
        /// The key of the config.
        key: &'static str,
        /// The table or section of the config.
        place: String,
    },
    /// What stands behind `file:` is a URI, or looks like one; it is not repeated.
    #[error(
        "`{key}` of {place} names no file\n  hint: write the file's path alone, such as {key} = \"file:crm.uri\", and put the URI into the file"
    )]
    FileName {
        /// The key of the config.
        key: &'static str,
        /// The table or section of the config.
        place: String,
    },
    /// The file with the URI cannot be read.
    #[error("`{key}` of {place} is in {}, which cannot be read", path.display())]
    File {
        /// The key of the config.
        key: &'static str,
        /// The table or section of the config.
        place: String,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Others can read the file with the URI.
    #[error("`{key}` of {place} is in {}, which others can read\n  hint: chmod 600 it", path.display())]
    Readable {
        /// The key of the config.
        key: &'static str,
        /// The table or section of the config.
        place: String,
        /// The file.
        path: PathBuf,
    },
}

/// Resolves an address of the config: one without a password, `env:NAME`, or `file:PATH` relative to
/// `folder`. `key` and `place` are where the config has it.
///
/// # Errors
///
/// [`SecretPlaceError`].
pub fn secret_uri(
    uri: &SecretUri,
    folder: &Path,
    key: &'static str,
    place: &str,
) -> Result<SecretUri, SecretPlaceError> {
    let place = place.to_owned();
    if let Some(variable) = uri.expose().strip_prefix("env:") {
        // A URI written there by mistake is not repeated.
        if variable.is_empty()
            || !variable
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_')
        {
            return Err(SecretPlaceError::VariableName { key, place });
        }
        let value = std::env::var(variable).map_err(|_| SecretPlaceError::Variable {
            key,
            place,
            variable: variable.to_owned(),
        })?;
        Ok(SecretUri::from(value.trim().to_owned()))
    } else if let Some(path) = uri.expose().strip_prefix("file:") {
        if path.contains("://") || SecretUri::from(path.to_owned()).has_credentials() {
            return Err(SecretPlaceError::FileName { key, place });
        }
        let path = folder.join(path);
        let error = |source| SecretPlaceError::File {
            key,
            place: place.clone(),
            path: path.clone(),
            source,
        };
        let metadata = std::fs::metadata(&path).map_err(error)?;
        if is_open_to_others(&metadata) {
            return Err(SecretPlaceError::Readable { key, place, path });
        }
        Ok(SecretUri::from(
            text_of(&path).map_err(error)?.trim().to_owned(),
        ))
    } else if uri.has_credentials() {
        Err(SecretPlaceError::Password { key, place })
    } else {
        Ok(uri.clone())
    }
}

/// A text that is an address: no longer than one.
fn text_of(path: &Path) -> std::io::Result<String> {
    let bytes = read_at_most(path, MAX_BYTES)?;
    String::from_utf8(bytes)
        .map_err(|_| std::io::Error::new(std::io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}

#[cfg(unix)]
fn is_open_to_others(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_: &std::fs::Metadata) -> bool {
    false
}
