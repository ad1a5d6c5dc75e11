//! Which tables reach their leads through an association table.

use super::contract::Config;
use super::links::LinkConfig;
use super::table_id::TableId;
use super::text::{ConfigError, nearest};

impl Config {
    /// The association table through which rows of a table reach their leads; `None` where they
    /// name their lead.
    pub fn link_of(&self, table: &TableId) -> Option<(&str, &LinkConfig)> {
        let via = self.via(table)?;
        let (name, link) = self.links.get_key_value(via)?;
        Some((name, link))
    }

    /// Whether rows of a table name leads whose merges are followed. Those of the history do not:
    /// what attributes of a merged id were is no past of the lead that it lives on as.
    pub fn follows_merges(&self, table: &TableId) -> bool {
        match table {
            TableId::Leads | TableId::Outcomes => true,
            TableId::Activities(name) => self
                .activities
                .get(name)
                .is_some_and(|activity| activity.lead.is_some()),
            TableId::History
            | TableId::Lookup(_)
            | TableId::Link(_)
            | TableId::Merges
            | TableId::Deleted => false,
        }
    }

    fn via(&self, table: &TableId) -> Option<&str> {
        match table {
            TableId::Outcomes => self.outcomes.via.as_deref(),
            TableId::Activities(name) => self.activities.get(name)?.via.as_deref(),
            TableId::History
            | TableId::Leads
            | TableId::Lookup(_)
            | TableId::Link(_)
            | TableId::Merges
            | TableId::Deleted => None,
        }
    }

    /// Fails where a table names an association table that is not there, or one is of no use.
    pub(super) fn check_links(&self) -> Result<(), ConfigError> {
        let mut used: Vec<&str> = Vec::new();
        for table in self.row_tables() {
            let Some(via) = self.via(&table.id) else {
                continue;
            };
            if !self.links.contains_key(via) {
                let near = nearest(via, self.links.keys().map(String::as_str))
                    .map(|near| format!("did you mean \"{near}\"? "))
                    .unwrap_or_default();
                return ConfigError::refuse(
                    &format!(
                        "{} has `via = \"{via}\"`, and there is no [links.{via}]",
                        table.id.heading()
                    ),
                    &format!("{near}name an association table, with its `path`, `from` and `lead`"),
                );
            }
            used.push(via);
        }
        for (name, link) in &self.links {
            if link.from == link.lead {
                return ConfigError::refuse(
                    &format!("[links.{name}] has `{}` as `from` and as `lead`", link.from),
                    "name the two columns whose ids belong together",
                );
            }
            // Leads may be scored without the outcomes that it was for.
            if !used.contains(&name.as_str()) && self.has_outcomes() {
                return ConfigError::refuse(
                    &format!("no table reaches its leads through [links.{name}]"),
                    &format!(
                        "add `via = \"{name}\"` to the table whose `lead` column has these ids, or remove the section"
                    ),
                );
            }
        }
        Ok(())
    }
}
