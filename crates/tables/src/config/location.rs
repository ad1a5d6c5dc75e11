//! Where the rows of a table are: paths, a query, or a frame.

use leadscore_core::SecretUri;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::frame::Frame;

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
    Frame(Frame),
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
            Self::Frame(_) => &[],
        }
    }

    /// Whether nothing was said.
    pub(crate) fn is_nowhere(&self) -> bool {
        matches!(self, Self::Many(paths) if paths.is_empty())
    }
}

/// Where the rows of one table are, as the config has it.
pub(crate) struct Place<'c> {
    pub(crate) path: &'c Location,
    pub(super) query: Option<&'c String>,
    pub(super) uri: Option<&'c SecretUri>,
}

impl<'c> Place<'c> {
    pub(super) fn of(
        path: &'c Location,
        query: &'c Option<String>,
        uri: &'c Option<SecretUri>,
    ) -> Self {
        Self {
            path,
            query: query.as_ref(),
            uri: uri.as_ref(),
        }
    }
}

/// Whether a path of the config is in an object store.
pub(crate) fn is_remote(path: &str) -> bool {
    ["s3://", "s3a://", "gs://", "az://", "abfs://", "abfss://"]
        .iter()
        .any(|scheme| path.starts_with(scheme))
}
