//! A model as an argument: a file, or one of the registry by its role or its ID.

use std::convert::Infallible;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use leadscore::{Config, Model, read_model};
use leadscore_operate::Registry;

use crate::args::shared::ConfigArg;

/// A model as it was typed. What it is, only [`ModelArg::read`] says, so that no command can take
/// `@champion` for the name of a file.
#[derive(Debug, Clone)]
pub(crate) struct ModelArg(PathBuf);

/// A model, and the file that it was read from.
pub(crate) struct ReadModel {
    pub(crate) model: Model,
    pub(crate) path: PathBuf,
}

impl From<OsString> for ModelArg {
    fn from(text: OsString) -> Self {
        Self(text.into())
    }
}

impl FromStr for ModelArg {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.into()))
    }
}

impl ModelArg {
    /// Whether it is whichever model the registry has as its champion.
    #[cfg(feature = "serve")]
    pub(crate) fn is_champion(&self) -> bool {
        self.0.as_os_str() == "@champion"
    }

    /// A model file.
    pub(crate) fn file(path: &Path) -> Self {
        // A path of several parts is never a name.
        Self(Path::new(".").join(path))
    }

    /// Reads the model: `@champion`, `@challenger`, `@previous` and `@` before an ID are in the
    /// registry that the config names, all else is a file.
    pub(crate) fn read(&self, config: &ConfigArg) -> anyhow::Result<ReadModel> {
        let name = self.0.to_str().filter(|text| {
            let is_path = text.contains(std::path::is_separator);
            text.starts_with('@') && !is_path
        });
        let Some(name) = name else {
            return Ok(ReadModel {
                model: read_model(&self.0)?,
                path: self.0.clone(),
            });
        };
        let registry = Registry::open(registry_of(config)?)?;
        let known = match registry.find(name) {
            Ok(known) => known,
            Err(error) if self.0.exists() => {
                return Err(anyhow::Error::from(error).context(format!(
                    "`{name}` is a model of the registry\n  hint: write ./{name} for the file of that name"
                )));
            }
            Err(error) => return Err(error.into()),
        };
        Ok(ReadModel {
            model: registry.read(known)?,
            path: registry.path_of(known),
        })
    }

    /// The same for a command that reads no config: the registry is that of the config in this
    /// folder, if there is one.
    pub(crate) fn read_alone(&self) -> anyhow::Result<ReadModel> {
        self.read(&ConfigArg {
            config: ConfigArg::DEFAULT.into(),
        })
    }
}

/// The folder of the registry: as `[operation]` of the config says, and `models` where this folder
/// has no config.
pub(crate) fn registry_of(config: &ConfigArg) -> anyhow::Result<PathBuf> {
    let path = &config.config;
    if !path.exists() && path == Path::new(ConfigArg::DEFAULT) {
        return Ok(PathBuf::from("models"));
    }
    let config = Config::read(path)?;
    Ok(config.folder().join(&config.settings().operation.registry))
}
