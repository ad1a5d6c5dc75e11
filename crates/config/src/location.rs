//! Where the rows of a table are: paths, a query, or a frame.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

/// One path or glob, or a list of them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several, in order.
    Many(Vec<String>),
}

impl OneOrMany {
    /// All of them, in order.
    pub fn to_vec(&self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one.clone()],
            Self::Many(many) => many.clone(),
        }
    }
}

/// Where the rows of a table are.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Location {
    /// One path or glob.
    One(String),
    /// Several, in order.
    Many(Vec<String>),
    /// In memory: put there by [`Config::put_frames`](super::Config::put_frames), never written.
    #[serde(skip)]
    Memory(InMemory),
    /// A table without rows or columns, where none are asked for.
    #[serde(skip)]
    NoRows,
}

/// Rows in memory: only what reads them knows what they are.
#[derive(Clone)]
pub struct InMemory(Arc<dyn Any + Send + Sync>);

impl InMemory {
    /// Rows of some kind.
    pub fn new(rows: impl Any + Send + Sync) -> Self {
        Self(Arc::new(rows))
    }

    /// The rows, if they are of this kind.
    pub fn get<T: 'static>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

impl fmt::Debug for InMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InMemory(..)")
    }
}

impl Default for Location {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Location {
    /// The paths and globs, as the config has them.
    pub fn paths(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
            Self::Memory(_) | Self::NoRows => &[],
        }
    }

    /// Whether nothing was said.
    pub fn is_nowhere(&self) -> bool {
        matches!(self, Self::Many(paths) if paths.is_empty())
    }
}

/// Whether a path of the config is in an object store.
pub fn is_remote(path: &str) -> bool {
    ["s3://", "s3a://", "gs://", "az://", "abfs://", "abfss://"]
        .iter()
        .any(|scheme| path.starts_with(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_their_paths() {
        let one = Location::One("a.csv".to_owned());
        let many = Location::Many(vec!["a.csv".to_owned(), "b.csv".to_owned()]);
        let frame = Location::Memory(InMemory::new(7_u8));
        assert_eq!(one.paths(), ["a.csv"]);
        assert_eq!(many.paths(), ["a.csv", "b.csv"]);
        assert!(frame.paths().is_empty() && Location::NoRows.paths().is_empty());
        // A frame and an empty table are somewhere; a list of no paths is nowhere.
        let are_nowhere = [one, many, frame, Location::NoRows, Location::default()]
            .map(|location| location.is_nowhere());
        assert_eq!(are_nowhere, [false, false, false, false, true]);
    }

    #[test]
    fn objects_of_stores() {
        for path in [
            "s3://b/a",
            "s3a://b/a",
            "gs://b/a",
            "az://b/a",
            "abfs://b/a",
            "abfss://b/a",
        ] {
            assert!(is_remote(path), "{path}");
        }
        for path in ["a.csv", "s3:/b/a", "S3/b", "file://a", "x/s3://b", ""] {
            assert!(!is_remote(path), "{path}");
        }
    }

    #[test]
    fn rows_in_memory_have_a_type() {
        let frame = InMemory::new("rows".to_owned());
        assert_eq!(frame.get::<String>().map(String::as_str), Some("rows"));
        assert_eq!(frame.get::<u8>(), None);
        assert_eq!(format!("{frame:?}"), "InMemory(..)");
    }
}
