//! The identity of a table of the config.

use std::fmt;

/// A table of the config. Its text is its key there, such as `leads` or `activities.visits`.
///
/// # Examples
///
/// ```
/// use leadscore_config::TableId;
///
/// let visits = TableId::Activities("visits".to_owned());
/// assert_eq!(visits.to_string(), "activities.visits");
/// assert_eq!(visits.heading(), "[activities.visits]");
/// assert_eq!(TableId::named("[activities.visits]"), Some(visits.clone()));
/// assert_eq!(TableId::named("activities.visits"), Some(visits));
/// assert_eq!(TableId::named("visits"), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TableId {
    /// `[leads]`.
    Leads,
    /// `[outcomes]`.
    Outcomes,
    /// `[history]`.
    History,
    /// `[activities.NAME]`.
    Activities(String),
    /// `[lookups.NAME]`.
    Lookup(String),
    /// `[links.NAME]`.
    Link(String),
    /// `[merges]`.
    Merges,
    /// `[deleted]`.
    Deleted,
}

impl TableId {
    /// As the config's heading has it, such as `[leads]`: what messages call the table.
    pub fn heading(&self) -> String {
        format!("[{self}]")
    }

    /// The table of a key or a heading; `None` where no table can be called so.
    pub fn named(text: &str) -> Option<Self> {
        let key = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(text);
        match key {
            "leads" => Some(Self::Leads),
            "outcomes" => Some(Self::Outcomes),
            "history" => Some(Self::History),
            "merges" => Some(Self::Merges),
            "deleted" => Some(Self::Deleted),
            _ => {
                let (kind, name) = key.split_once('.')?;
                match kind {
                    "activities" => Some(Self::Activities(name.to_owned())),
                    "lookups" => Some(Self::Lookup(name.to_owned())),
                    "links" => Some(Self::Link(name.to_owned())),
                    _ => None,
                }
            }
        }
    }
}

impl fmt::Display for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leads => f.write_str("leads"),
            Self::Outcomes => f.write_str("outcomes"),
            Self::History => f.write_str("history"),
            Self::Merges => f.write_str("merges"),
            Self::Deleted => f.write_str("deleted"),
            Self::Activities(name) => write!(f, "activities.{name}"),
            Self::Lookup(name) => write!(f, "lookups.{name}"),
            Self::Link(name) => write!(f, "links.{name}"),
        }
    }
}
