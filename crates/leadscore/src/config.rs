//! A `leadscore.toml`: read and checked, before anything that it names is opened.

use std::path::{Path, PathBuf};

use leadscore_config::{Bytes, Config as Settings, ConfigError, StoreConfig};
use leadscore_core::Timestamp;
use leadscore_io::read_at_most;

use crate::config_failure::ConfigFailure;
use crate::error::Context;
use crate::moment::moment;

/// A `leadscore.toml`, read and checked.
///
/// Reading one opens no table, downloads nothing and asks no database: [`Data::open`] does.
///
/// # Examples
///
/// ```
/// use leadscore::{Config, ErrorKind};
///
/// let text = r#"
/// [leads]
/// id = "lead_id"
/// created_at = "created"
///
/// [outcomes]
/// lead = "lead_id"
/// closed_at = "closed"
/// result = "stage"
/// won = ["Closed Won"]
/// lost = ["Closed Lost"]
/// "#;
/// let config = Config::parse(text, "leadscore.toml").expect("a config");
/// assert_eq!(config.settings().leads.id, "lead_id");
/// // A key that there is not is refused, with the line that it stands in.
/// let error = Config::parse(text.replace("created_at", "craeted_at"), "x.toml").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Config);
/// assert!(leadscore::error_text(&error, false).contains("craeted_at"));
/// ```
///
/// [`Data::open`]: crate::Data::open
#[derive(Debug, Clone)]
pub struct Config {
    text: String,
    path: PathBuf,
    settings: Settings,
}

impl Config {
    /// Reads a config file; paths in it start from its folder.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::FileNotFound`](crate::ErrorKind::FileNotFound) and other kinds of the system
    /// where the file cannot be read; [`ErrorKind::Config`](crate::ErrorKind::Config) for a key or
    /// value that it cannot have.
    pub fn read(path: impl AsRef<Path>) -> crate::Result<Self> {
        let path = path.as_ref();
        Self::parse(read_text(path)?, path)
    }

    /// A config by its text, and the path that it was read from or is called by.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config).
    pub fn parse(text: impl Into<String>, path: impl AsRef<Path>) -> crate::Result<Self> {
        let (text, path) = (text.into(), path.as_ref().to_owned());
        let settings = Settings::parse_anywhere(&text)
            .map_err(|error| ConfigFailure::new(&path, &text, error))?;
        Ok(Self {
            text,
            path,
            settings,
        })
    }

    /// What it says, section by section; tables that have no place in it have an empty one.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The same config, whose tables are the rows of another event store than it names.
    #[must_use]
    pub fn with_store(mut self, path: impl Into<String>) -> Self {
        self.settings.store = Some(StoreConfig {
            path: path.into().into(),
        });
        self
    }

    /// Where it was read from, or what it is called by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The text that it was read from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Reads a moment: a time, or for undated data a value of `order_by`; `what` is what the moment
    /// is called in an error.
    ///
    /// # Errors
    ///
    /// It is neither.
    pub fn moment(&self, what: &str, text: &str) -> crate::Result<Timestamp> {
        moment(&self.settings, what, text)
    }

    /// The folder that its paths start from.
    pub fn folder(&self) -> PathBuf {
        self.path.parent().map(Path::to_owned).unwrap_or_default()
    }

    /// Takes from the text what `parse` gives; its errors show the line.
    pub(crate) fn parse_by<T>(
        &self,
        parse: impl FnOnce(&str) -> Result<T, ConfigError>,
    ) -> crate::Result<T> {
        Ok(parse(&self.text).map_err(|error| ConfigFailure::new(&self.path, &self.text, error))?)
    }
}

/// Largest config or file of rules.
const LARGEST_TEXT: Bytes = Bytes(4_000_000);

/// A text of moderate size.
pub(crate) fn read_small_text(path: &Path) -> std::io::Result<String> {
    String::from_utf8(read_at_most(path, LARGEST_TEXT)?)
        .map_err(|_| std::io::Error::new(std::io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}

fn read_text(path: &Path) -> crate::Result<String> {
    read_small_text(path).with_context(|| {
        let hint = if path.exists() {
            "is it a text file?"
        } else {
            "`leadscore init` writes one from your files; -c names another"
        };
        format!("cannot read the config {}\n  hint: {hint}", path.display())
    })
}
