//! What a statement is asked for: which features of which leads, at which moments.

use leadscore_config::Config;
use leadscore_core::{FeatureSpec, Span, Timestamp};

use crate::dialect::Dialect;
use crate::sources::SqlSources;

/// Which features of which leads, where and in whose SQL.
#[derive(Debug, Clone, Copy)]
pub struct FeaturesSql<'a> {
    /// The config, for the names of columns and what they mean.
    pub config: &'a Config,
    /// Where its tables are.
    pub sources: &'a SqlSources,
    /// The features.
    pub specs: &'a [FeatureSpec],
    /// When leads are looked at.
    pub moments: &'a Moments,
    /// Whose SQL.
    pub dialect: Dialect,
    /// Nothing known at this moment or later exists; default: what there is when the statement
    /// runs.
    pub known_before: Option<Timestamp>,
    /// Whether the leads bring their manual score along.
    pub manual_score: bool,
}

/// When leads are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moments {
    /// All leads at risk then.
    At(Timestamp),
    /// All leads at risk when the statement runs.
    Now,
    /// Every lead at risk at each of these moments, in columns `label` (won within the horizon: 1
    /// or 0, null where that is not known yet) and `mature` (the horizon ends by the observation
    /// end).
    Calendar {
        /// The moments.
        moments: Vec<Timestamp>,
        /// The last moment that the data speaks of.
        observation_end: Timestamp,
        /// The last moment at which a window may end for its outcome to be known.
        mature_until: Timestamp,
    },
    /// Every lead at risk at each of these ages, with the same columns.
    Ages {
        /// The ages.
        ages: Vec<Span>,
        /// The last moment that the data speaks of.
        observation_end: Timestamp,
        /// The last moment at which a window may end for its outcome to be known.
        mature_until: Timestamp,
    },
}

impl Moments {
    /// Whether what became of the leads is known.
    pub(crate) fn is_labelled(&self) -> bool {
        matches!(self, Self::Calendar { .. } | Self::Ages { .. })
    }

    /// The one moment, in microseconds; that of the statement where there are several.
    pub(crate) fn single(&self, dialect: Dialect) -> String {
        match self {
            Self::At(at) => at.micros().to_string(),
            Self::Now | Self::Calendar { .. } | Self::Ages { .. } => dialect.now(),
        }
    }
}
