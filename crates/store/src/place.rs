//! Where a store is: a file, or a schema of a PostgreSQL database.

use std::path::{Path, PathBuf};

use crate::server::ServerAddress;

/// Where a store is. It shows nothing secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorePlace {
    /// A file on a local disk.
    File(PathBuf),
    /// A schema of a PostgreSQL database.
    Server(Box<ServerAddress>),
}

impl std::fmt::Display for StorePlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Server(address) => write!(f, "{address}"),
        }
    }
}

impl From<&Path> for StorePlace {
    fn from(path: &Path) -> Self {
        Self::File(path.to_path_buf())
    }
}

impl From<PathBuf> for StorePlace {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl From<&PathBuf> for StorePlace {
    fn from(path: &PathBuf) -> Self {
        Self::File(path.clone())
    }
}

impl From<ServerAddress> for StorePlace {
    fn from(address: ServerAddress) -> Self {
        Self::Server(Box::new(address))
    }
}

impl From<&Self> for StorePlace {
    fn from(place: &Self) -> Self {
        place.clone()
    }
}
