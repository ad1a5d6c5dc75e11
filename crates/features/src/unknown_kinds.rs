//! Events of kinds that a model has never seen: counted, and said.

use std::collections::{BTreeMap, BTreeSet};

use leadscore_core::{EventFilter, FeatureSpec, Snapshot, Timestamp};
use leadscore_dataset::{MISSING, Note, Tables};

use crate::survey::last_looks;

/// Events of kinds that a model has never seen; those of parts of the leads add up.
///
/// A model that gathers rare kinds in one feature takes them for such, and nothing need be said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnknownKinds {
    /// For each table and kind column, how many events each kind has.
    n_events: BTreeMap<(String, String), BTreeMap<String, usize>>,
}

impl UnknownKinds {
    /// Counts them for a model with these features, among the events that these snapshots' leads
    /// can see; among all if not given.
    pub fn new(tables: &Tables, specs: &[FeatureSpec], snapshots: Option<&[Snapshot]>) -> Self {
        let mut n_events: BTreeMap<(String, String), BTreeMap<String, usize>> = BTreeMap::new();
        for activities in tables.activities.iter() {
            let filters: Vec<&EventFilter> = specs
                .iter()
                .filter_map(|spec| spec.source.events())
                .filter(|read| read.table == activities.name)
                .map(|read| read.filter)
                .collect();
            // Until when each lead's or account's events are looked at: several leads of an account
            // see them once.
            let until = || match snapshots {
                Some(snapshots) => last_looks(
                    activities.n_entities(),
                    snapshots.iter().filter_map(|snapshot| {
                        Some((activities.entity_of(snapshot.lead)?, snapshot.at))
                    }),
                ),
                None => vec![Timestamp::MAX; activities.n_entities()],
            };
            for kind in &activities.rows.kinds {
                let known: BTreeSet<&str> = filters
                    .iter()
                    .filter_map(|filter| match filter {
                        EventFilter::Is(column, value) if *column == kind.name => {
                            Some(value.as_str())
                        }
                        EventFilter::All
                        | EventFilter::Is(..)
                        | EventFilter::Other { .. }
                        | EventFilter::Each(_)
                        | EventFilter::Has { .. } => None,
                    })
                    .collect();
                let has_other = filters.iter().any(|filter| matches!(filter, EventFilter::Other { column, .. } if *column == kind.name));
                if known.is_empty() || has_other {
                    continue;
                }
                let mut counts = vec![0; kind.levels.len()];
                for (entity, until) in until().into_iter().enumerate() {
                    let seen = activities.events_of(entity).filter(|&event| {
                        kind.codes[event] != MISSING && activities.rows.visible_at(event) < until
                    });
                    seen.for_each(|event| counts[kind.codes[event] as usize] += 1);
                }
                let unknown = kind
                    .levels
                    .iter()
                    .zip(counts)
                    .filter(|(level, count)| *count > 0 && !known.contains(level.as_str()));
                n_events.insert(
                    (activities.name.clone(), kind.name.clone()),
                    unknown
                        .map(|(level, count)| (level.clone(), count))
                        .collect(),
                );
            }
        }
        Self { n_events }
    }

    /// Adds those of other leads.
    pub fn add(&mut self, other: Self) {
        for (column, kinds) in other.n_events {
            let all = self.n_events.entry(column).or_default();
            kinds
                .into_iter()
                .for_each(|(kind, count)| *all.entry(kind).or_default() += count);
        }
    }

    /// What is to be said about them.
    pub fn notes(&self) -> Vec<Note> {
        let note = |((table, column), kinds): (&(String, String), &BTreeMap<String, usize>)| {
            let named: Vec<String> = kinds
                .keys()
                .take(3)
                .map(|kind| format!("`{kind}`"))
                .collect();
            let more = if kinds.len() > 3 {
                format!(" and {} more", kinds.len() - 3)
            } else {
                String::new()
            };
            let of = format!(
                "of a `{column}` that the model has never seen ({}{more})",
                named.join(", ")
            );
            Note::counted(
                &format!("[activities.{table}]"),
                kinds.values().sum(),
                format!("event is {of}: it counts among all events, and for no kind"),
                format!("events are {of}: they count among all events, and for no kind"),
            )
        };
        self.n_events.iter().filter_map(note).collect()
    }
}
