//! Whose each row is, in SQL: ids that reach their leads through association tables, and ids that
//! live on under another.

use leadscore_config::{Config, LinkConfig, MergesConfig, TableId, YES};
use leadscore_core::Timestamp;

use crate::columns::{Columns, no_earlier};
use crate::dialect::Dialect;
use crate::error::SqlError;
use crate::sources::SqlSources;
use crate::statement::Statement;

/// So many merges in a row are followed: not every engine knows recursion, and all know joins. A
/// statement fails at a chain that is longer, and at a circle.
pub const LONGEST_CHAIN: usize = 8;

/// From when a row belongs to its lead that always did.
const ALWAYS: Timestamp = Timestamp::MIN;

/// Which ids of a config's tables belong together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Belonging<'a> {
    config: &'a Config,
    sources: &'a SqlSources,
    dialect: Dialect,
    /// What is merged at this moment or later is not known yet; default: when the statement runs.
    known_before: Option<Timestamp>,
}

/// The rows of a table with their leads.
pub(crate) struct OwnedRows {
    /// As it stands behind FROM.
    pub(crate) from: String,
    /// The lead of each row; NULL where it is of none.
    pub(crate) lead: String,
    /// From when each belongs to its lead, in microseconds, where that is said; NULL: always.
    since: Option<String>,
    /// The condition of the rows that there are, if some are left out.
    pub(crate) only: Option<String>,
}

impl OwnedRows {
    /// From when a row is seen by its lead that else is seen from a moment on.
    pub(crate) fn seen(&self, moment: &str) -> String {
        match &self.since {
            Some(since) => no_earlier(since, moment),
            None => moment.to_owned(),
        }
    }

    /// Whether rows may be seen later than they say themselves.
    pub(crate) fn has_since(&self) -> bool {
        self.since.is_some()
    }

    /// What stands behind FROM, with the condition of the rows that there are and another one.
    pub(crate) fn behind_from(&self, condition: Option<&str>) -> String {
        let conditions: Vec<&str> = self.only.as_deref().into_iter().chain(condition).collect();
        if conditions.is_empty() {
            self.from.clone()
        } else {
            format!("{}\n  WHERE {}", self.from, conditions.join(" AND "))
        }
    }
}

impl<'a> Belonging<'a> {
    pub(crate) fn new(
        config: &'a Config,
        sources: &'a SqlSources,
        dialect: Dialect,
        known_before: Option<Timestamp>,
    ) -> Self {
        Self {
            config,
            sources,
            dialect,
            known_before,
        }
    }

    /// Adds the steps that rows of tables are joined with, in front of all others.
    pub(crate) fn add(&self, statement: &mut Statement) -> Result<(), SqlError> {
        if let Some(merges) = &self.config.merges {
            self.add_merges(statement, merges)?;
        }
        for (number, (name, link)) in self.config.links.iter().enumerate() {
            self.add_link(statement, number, name, link)?;
        }
        Ok(())
    }

    /// The rows of a table whose lead, or whose account, this column names; of the leads, those that
    /// were not merged into others.
    pub(crate) fn rows(&self, table: &TableId, columns: &Columns<'_>, key: &str) -> OwnedRows {
        let key = columns.text(key);
        let from = &columns.source.from;
        let plain = OwnedRows {
            from: from.clone(),
            lead: key.clone(),
            since: None,
            only: None,
        };
        let follows = self.config.follows_merges(table);
        let merges = self.config.merges.as_ref().filter(|_| follows);
        let joined = |step: &str| format!("{from}\n  LEFT JOIN {step} ls_k ON ls_k.ls_id = {key}");
        let since = |is_told: bool| is_told.then(|| "ls_k.ls_since".to_owned());
        if let Some((name, link)) = self.config.link_of(table) {
            let is_merged_later = merges.is_some_and(|merges| merges.at.is_some());
            let linked = OwnedRows {
                from: joined(&self.step_of(name)),
                lead: "ls_k.ls_lead".to_owned(),
                since: since(link.linked_at.is_some() || is_merged_later),
                only: None,
            };
            return match (link.own_ids, merges) {
                (false, _) => linked,
                (true, None) => OwnedRows {
                    lead: format!("COALESCE(ls_k.ls_lead, {key})"),
                    ..linked
                },
                // An id of a lead may be one that was merged.
                (true, Some(_)) => OwnedRows {
                    from: format!(
                        "{}\n  LEFT JOIN ls_merges ls_m ON ls_m.ls_id = {key}",
                        linked.from
                    ),
                    lead: format!("COALESCE(ls_k.ls_lead, ls_m.ls_lead, {key})"),
                    since: linked.since.map(|since| {
                        if is_merged_later {
                            format!("COALESCE({since}, ls_m.ls_since)")
                        } else {
                            since
                        }
                    }),
                    only: None,
                },
            };
        }
        match merges {
            None => plain,
            Some(_) if *table == TableId::Leads => OwnedRows {
                from: joined("ls_merges"),
                only: Some("ls_k.ls_id IS NULL".to_owned()),
                ..plain
            },
            Some(merges) => OwnedRows {
                from: joined("ls_merges"),
                lead: format!("COALESCE(ls_k.ls_lead, {key})"),
                since: since(merges.at.is_some()),
                only: None,
            },
        }
    }

    /// The ids that belong to these leads (a SELECT of them as `ls_own`), by which rows of a table
    /// are found: one SELECT.
    pub(crate) fn ids_of(&self, table: &TableId, leads: &str) -> String {
        match (self.config.link_of(table), table) {
            (Some((name, link)), _) => {
                let step = self.step_of(name);
                let linked = format!("SELECT ls_id FROM {step} WHERE ls_lead IN ({leads})");
                if !link.own_ids {
                    return linked;
                }
                // An id of a lead that is linked as well is only what it is linked to.
                format!(
                    "{linked} UNION ALL SELECT ls_w.ls_own FROM ({}) AS ls_w LEFT JOIN {step} ls_n ON ls_n.ls_id = ls_w.ls_own WHERE ls_n.ls_id IS NULL",
                    self.ids_of_merged(leads)
                )
            }
            // Changes of merged ids are not followed.
            (None, TableId::History) => leads.to_owned(),
            (
                None,
                TableId::Leads
                | TableId::Outcomes
                | TableId::Activities(_)
                | TableId::Lookup(_)
                | TableId::Link(_)
                | TableId::Merges
                | TableId::Deleted,
            ) => self.ids_of_merged(leads),
        }
    }

    /// These leads, and the ids that live on under theirs, as `ls_own`: one SELECT.
    pub(crate) fn ids_of_merged(&self, leads: &str) -> String {
        if self.config.merges.is_some() {
            format!("{leads} UNION ALL SELECT ls_id FROM ls_merges WHERE ls_lead IN ({leads})")
        } else {
            leads.to_owned()
        }
    }

    /// The leads that an association table has, as `ls_other`: one SELECT.
    pub(crate) fn leads_of_link(&self, name: &str) -> String {
        let step = self.step_of(name);
        format!("SELECT DISTINCT ls_lead AS ls_other FROM {step}")
    }

    /// The step of an association table.
    fn step_of(&self, name: &str) -> String {
        let number = self.config.links.keys().position(|known| known == name);
        step_of(number.expect("the config has it"))
    }

    /// Adds `ls_merges`: for each id that is no more the one that it lives on under, and from when.
    fn add_merges(
        &self,
        statement: &mut Statement,
        settings: &MergesConfig,
    ) -> Result<(), SqlError> {
        let dialect = self.dialect;
        let table = Columns::new(dialect, self.sources, "merges", &settings.file())?;
        let at = settings.at.as_ref().map(|column| table.known(column));
        statement.step(
            "ls_merge_rows",
            format!(
                "SELECT {} AS ls_id, {} AS ls_into{}\n  FROM {}",
                table.text(&settings.from),
                table.text(&settings.into),
                at.map(|at| format!(", {at} AS ls_at")).unwrap_or_default(),
                table.source.from
            ),
        );
        let (at, has_time) = match &settings.at {
            Some(_) => (", MIN(ls_at) AS ls_at", " AND ls_at IS NOT NULL"),
            None => ("", ""),
        };
        statement.step(
            "ls_merge_pairs",
            format!(
                "SELECT ls_id, MIN(ls_into) AS ls_into, MAX(ls_into) AS ls_other{at}\n  FROM ls_merge_rows\n  WHERE ls_into IS NOT NULL AND ls_id <> ls_into{has_time}\n  GROUP BY ls_id"
            ),
        );
        // What is not merged yet is not known to be one.
        let until = self
            .known_before
            .map_or_else(|| dialect.now(), |until| until.micros().to_string());
        let (at, is_known) = match &settings.at {
            Some(_) => (", ls_at", format!("ls_at < {until}")),
            None => ("", "1 = 1".to_owned()),
        };
        let failure = dialect.failure("[merges] has an id that is merged into two: ", "ls_id");
        statement.step(
            "ls_merges_known",
            format!(
                "SELECT ls_id, ls_into{at}\n  FROM ls_merge_pairs\n  WHERE CASE WHEN ls_other <> ls_into THEN {failure} = '' ELSE {is_known} END"
            ),
        );
        self.add_chains(statement, settings);
        Ok(())
    }

    /// Follows each merge to the id that lives on.
    fn add_chains(&self, statement: &mut Statement, settings: &MergesConfig) {
        let links = || (0..LONGEST_CHAIN).rev();
        let into: Vec<String> = links().map(|hop| format!("m{hop}.ls_into")).collect();
        let since = settings.at.as_ref().map(|_| {
            let always = ALWAYS.micros();
            let times: Vec<String> = links()
                .map(|hop| format!("COALESCE(m{hop}.ls_at, {always})"))
                .collect();
            format!(", GREATEST({}) AS ls_since", times.join(", "))
        });
        let joins: String = (1..=LONGEST_CHAIN)
            .map(|hop| {
                format!(
                    "\n  LEFT JOIN ls_merges_known m{hop} ON m{hop}.ls_id = m{}.ls_into",
                    hop - 1
                )
            })
            .collect();
        let message = format!(
            "[merges] has a circle, or a chain of more than {LONGEST_CHAIN} merges, from this id on: "
        );
        statement.step(
            "ls_merges",
            format!(
                "SELECT CASE WHEN m{LONGEST_CHAIN}.ls_id IS NOT NULL THEN {} ELSE m0.ls_id END AS ls_id, COALESCE({}) AS ls_lead{}\n  FROM ls_merges_known m0{joins}",
                self.dialect.failure(&message, "m0.ls_id"),
                into.join(", "),
                since.unwrap_or_default()
            ),
        );
    }

    /// Adds the step of an association table: for each id its leads, each once, and from when.
    fn add_link(
        &self,
        statement: &mut Statement,
        number: usize,
        name: &str,
        settings: &LinkConfig,
    ) -> Result<(), SqlError> {
        let dialect = self.dialect;
        let table = Columns::new(
            dialect,
            self.sources,
            &format!("links.{name}"),
            &settings.file(),
        )?;
        let mut columns = vec![
            format!("{} AS ls_id", table.text(&settings.from)),
            format!("{} AS ls_lead", table.text(&settings.lead)),
        ];
        columns.extend(
            settings
                .linked_at
                .as_ref()
                .map(|column| format!("{} AS ls_since", table.known(column))),
        );
        if let Some(column) = &settings.primary {
            let is_primary = is_primary(dialect, &table.text(column));
            columns.push(format!("{is_primary} AS ls_primary"));
            columns.push(format!("MAX({is_primary}) OVER () AS ls_any_primary"));
        }
        let step = step_of(number);
        statement.step(
            &format!("{step}_rows"),
            format!(
                "SELECT {}\n  FROM {}",
                columns.join(",\n    "),
                table.source.from
            ),
        );
        let mut conditions = vec!["r.ls_id IS NOT NULL AND r.ls_lead IS NOT NULL".to_owned()];
        if settings.linked_at.is_some() {
            conditions.push("r.ls_since IS NOT NULL".to_owned());
        }
        if let Some(column) = &settings.primary {
            let message = format!(
                "[links.{name}] has no row whose `{column}` says yes, so no link is a primary one, not even of "
            );
            let failure = dialect.failure(&message, "r.ls_id");
            conditions.push(format!(
                "CASE WHEN r.ls_any_primary = 0 THEN {failure} = '' ELSE r.ls_primary = 1 END"
            ));
        }
        let merges = self.config.merges.as_ref();
        let (lead, join) = match merges {
            Some(_) => (
                "COALESCE(m.ls_lead, r.ls_lead)",
                "\n  LEFT JOIN ls_merges m ON m.ls_id = r.ls_lead",
            ),
            None => ("r.ls_lead", ""),
        };
        let always = ALWAYS.micros();
        let merged = merges
            .and_then(|merges| merges.at.as_ref())
            .map(|_| format!("COALESCE(m.ls_since, {always})"));
        let since = match (settings.linked_at.is_some(), merged) {
            (true, Some(merged)) => Some(format!("GREATEST(r.ls_since, {merged})")),
            (true, None) => Some("r.ls_since".to_owned()),
            (false, merged) => merged,
        };
        let since = since
            .map(|since| format!(", MIN({since}) AS ls_since"))
            .unwrap_or_default();
        statement.step(
            &step,
            format!(
                "SELECT r.ls_id, {lead} AS ls_lead{since}\n  FROM {step}_rows r{join}\n  WHERE {}\n  GROUP BY r.ls_id, {lead}",
                conditions.join(" AND ")
            ),
        );
        Ok(())
    }
}

fn step_of(number: usize) -> String {
    format!("ls_link{number}")
}

/// 1 where a text says that its link is a primary one, else 0.
fn is_primary(dialect: Dialect, text: &str) -> String {
    // Not every database knows the capitals of every language.
    let capitals = |word: &&str| {
        let mut letters = word.chars();
        let first = letters.next().into_iter().flat_map(char::to_uppercase);
        [first.chain(letters).collect(), word.to_uppercase()]
    };
    let foreign = YES.iter().filter(|word| !word.is_ascii());
    let mut words: Vec<String> = YES.iter().map(|word| (*word).to_owned()).collect();
    words.extend(foreign.flat_map(capitals));
    words.sort_unstable();
    words.dedup();
    let words: Vec<String> = words.iter().map(|word| dialect.text(word)).collect();
    let words = words.join(", ");
    let begins = dialect.text(&format!("{}%", LinkConfig::PRIMARY));
    format!(
        "CASE WHEN LOWER({text}) IN ({words}) OR {text} IN ({words}) OR LOWER({text}) LIKE {begins} THEN 1 ELSE 0 END"
    )
}
