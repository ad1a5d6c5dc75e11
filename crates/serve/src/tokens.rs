//! The file of tokens: hashes alone, so that who reads the file cannot use one.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use leadscore_core::{Timestamp, hex};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::role::Role;

/// How a token begins, so that scanners of secrets find it.
pub const PREFIX: &str = "lst_";

/// A token of the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenEntry {
    /// Its name: who or what uses it. It is in the audit log, and with words of sales.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The owner whose leads alone it sees; default: all leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// From when on it is refused; default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Expiry>,
    /// Requests in a second; default: [`crate::limits::TOKEN_RATE`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// SHA-256 of the token, in hexadecimal. The token has 256 random bits, so that a slow hash
    /// would protect nothing more.
    pub sha256: String,
}

/// A moment from which on a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry(pub Timestamp);

impl Serialize for Expiry {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        writer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Expiry {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let text = String::deserialize(reader)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// Why the file of tokens is refused, or cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum TokensError {
    /// It cannot be read or written.
    #[error("the file of tokens {} cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not the TOML that it should be.
    #[error("the file of tokens {} cannot be read\n  hint: make tokens with `leadscore tokens create`", path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// An entry that cannot be meant.
    #[error("the token `{name}` in {} {problem}\n  hint: {hint}", path.display())]
    Entry {
        /// The file.
        path: PathBuf,
        /// The entry.
        name: String,
        /// What is wrong.
        problem: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// The name is taken.
    #[error("there is a token `{name}` already\n  hint: revoke it first, or take another name")]
    Taken {
        /// The name.
        name: String,
    },
    /// There is no such token.
    #[error("there is no token `{name}`\n  hint: `leadscore tokens list` shows the names")]
    Unknown {
        /// The name.
        name: String,
    },
    /// The system gave no random bytes.
    #[error("the system has no random numbers for a token")]
    Random,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokensFile {
    #[serde(default, rename = "token")]
    tokens: Vec<TokenEntry>,
}

/// What a token is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenOptions {
    /// Its name; unique in the file.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The owner whose leads alone it sees; default: all leads.
    pub owner: Option<String>,
    /// From when on it is refused; default: never.
    pub expires: Option<Timestamp>,
    /// Requests in a second; default: [`crate::limits::TOKEN_RATE`].
    pub rate: Option<f64>,
}

/// Makes a token, adds its hash to the file, and returns the token itself: the only time that
/// anybody sees it.
///
/// # Errors
///
/// [`TokensError`] if the name is empty or taken, or the file cannot be read or written.
pub fn create(path: &Path, options: TokenOptions) -> Result<String, TokensError> {
    let mut secret = [0_u8; 32];
    getrandom::fill(&mut secret).map_err(|_| TokensError::Random)?;
    let token = format!("{PREFIX}{}", hex(&secret));
    let entry = TokenEntry {
        name: options.name,
        role: options.role,
        owner: options.owner,
        expires: options.expires.map(Expiry),
        rate: options.rate,
        sha256: hash(&token),
    };
    let mut entries = list(path)?;
    if entries.iter().any(|other| other.name == entry.name) {
        return Err(TokensError::Taken { name: entry.name });
    }
    entries.push(entry);
    check(path, &entries)?;
    write(path, entries)?;
    Ok(token)
}

/// The tokens of a file; none if it does not exist.
///
/// # Errors
///
/// [`TokensError`] if it exists and cannot be read.
pub fn list(path: &Path) -> Result<Vec<TokenEntry>, TokensError> {
    match read(path) {
        Err(TokensError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Ok(Vec::new())
        }
        read => read,
    }
}

/// Removes a token from the file. A server that runs refuses it within a second. The file stays,
/// also when it was the last one: a server without the file would answer everybody on its machine.
///
/// # Errors
///
/// [`TokensError`] if there is no such token, or the file cannot be read or written.
pub fn revoke(path: &Path, name: &str) -> Result<(), TokensError> {
    let mut entries = list(path)?;
    let n_before = entries.len();
    entries.retain(|entry| entry.name != name);
    if entries.len() == n_before {
        return Err(TokensError::Unknown {
            name: name.to_owned(),
        });
    }
    write(path, entries)
}

/// The hash of a token as the file has it.
pub fn hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

/// Whether two hashes are equal, in a time that does not depend on where they differ.
pub(crate) fn same(one: &str, other: &str) -> bool {
    one.len() == other.len()
        && one
            .bytes()
            .zip(other.bytes())
            .fold(0_u8, |all, (a, b)| std::hint::black_box(all | (a ^ b)))
            == 0
}

pub(crate) fn read(path: &Path) -> Result<Vec<TokenEntry>, TokensError> {
    let text = fs::read_to_string(path).map_err(|source| TokensError::File {
        path: path.to_owned(),
        source,
    })?;
    let file: TokensFile = toml::from_str(&text).map_err(|source| TokensError::Toml {
        path: path.to_owned(),
        source: Box::new(source),
    })?;
    check(path, &file.tokens)?;
    Ok(file.tokens)
}

fn check(path: &Path, entries: &[TokenEntry]) -> Result<(), TokensError> {
    for (at, entry) in entries.iter().enumerate() {
        let refuse = |problem, hint| {
            Err(TokensError::Entry {
                path: path.to_owned(),
                name: leadscore_core::printable(&entry.name).to_string(),
                problem,
                hint,
            })
        };
        if entry.name.trim().is_empty() || entry.name.chars().any(char::is_control) {
            return refuse("has no name", "give it the name of who uses it");
        }
        if entry.name == "local" {
            return refuse(
                "has a name that the server uses itself",
                "take another name",
            );
        }
        if entries[..at].iter().any(|other| other.name == entry.name) {
            return refuse("is there twice", "remove one of them");
        }
        if entry
            .owner
            .as_ref()
            .is_some_and(|owner| owner.trim().is_empty())
        {
            return refuse("has an empty owner", "name an owner, or remove `owner`");
        }
        if entry
            .rate
            .is_some_and(|rate| !rate.is_finite() || rate <= 0.0)
        {
            return refuse(
                "has a rate that is none",
                "write requests a second, such as rate = 100",
            );
        }
        if entry.sha256.len() != 64 || !entry.sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return refuse(
                "has no SHA-256 in hexadecimal",
                "make it anew with `leadscore tokens create`",
            );
        }
    }
    Ok(())
}

/// Writes the file whole or not at all, for its owner alone.
fn write(path: &Path, tokens: Vec<TokenEntry>) -> Result<(), TokensError> {
    let fail = |source| TokensError::File {
        path: path.to_owned(),
        source,
    };
    let text =
        toml::to_string(&TokensFile { tokens }).map_err(|error| fail(io::Error::other(error)))?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    // A temporary file is readable by its owner alone, and stays so under its new name.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(fail)?;
    file.write_all(b"# Hashes of tokens; `leadscore tokens` changes this file.\n")
        .map_err(fail)?;
    file.write_all(text.as_bytes()).map_err(fail)?;
    file.as_file().sync_all().map_err(fail)?;
    file.persist(path).map_err(|error| fail(error.error))?;
    Ok(())
}
