//! What the snapshots' own leads could see of their tables, counted: what features can be made of.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use leadscore_core::{CellKind, Snapshot, Timestamp, Tokenizer};
use leadscore_dataset::{Activities, AttributeKey, KindColumn, MISSING, Tables};

use crate::tokens::{TokenSurvey, survey_tokens};

/// trace.
///
/// Surveys of parts of the leads add up to the survey of all.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Survey {
    /// Attributes of the leads and of each lookup, with their kind.
    pub(crate) attributes: BTreeMap<(Option<String>, String), CellKind>,
    /// What the attributes hold whose cells have several values.
    pub(crate) tokens: BTreeMap<AttributeKey, TokenSurvey>,
    pub(crate) histories: BTreeSet<String>,
    pub(crate) has_creation: bool,
    pub(crate) has_hour: bool,
    pub(crate) has_accounts: bool,
    /// Whether outcomes are a log.
    pub(crate) has_courses: bool,
    pub(crate) first: Option<Timestamp>,
    pub(crate) last: Option<Timestamp>,
    pub(crate) tables: BTreeMap<String, EventSurvey>,
}

/// What could be seen of one event table.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct EventSurvey {
    pub(crate) of_accounts: bool,
    pub(crate) earliest: Option<Timestamp>,
    pub(crate) values: Vec<String>,
    /// For each kind column, the number of events of each value.
    pub(crate) kinds: Vec<KindSurvey>,
    /// For each pair of kind columns, the number of events of each pair of values.
    pub(crate) pairs: BTreeMap<(usize, usize), BTreeMap<(String, String), usize>>,
}

/// The values of a kind column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KindSurvey {
    pub(crate) column: String,
    /// How its cells are split, where they hold several values.
    pub(crate) tokenizer: Option<Tokenizer>,
    /// The number of events of each value.
    pub(crate) counts: BTreeMap<String, usize>,
}

impl KindSurvey {
    /// With the number of events of each level.
    fn new(kind: &KindColumn, n_events: Vec<usize>) -> Self {
        let seen = kind.levels.iter().zip(n_events).filter(|(_, n)| *n > 0);
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for (level, n) in seen {
            match &kind.tokenizer {
                None => *counts.entry(level.clone()).or_default() += n,
                Some(tokenizer) => tokenizer
                    .tokens(level)
                    .into_iter()
                    .for_each(|token| *counts.entry(token).or_default() += n),
            }
        }
        Self {
            column: kind.name.clone(),
            tokenizer: kind.tokenizer.clone(),
            counts,
        }
    }
}

/// Counts what these snapshots' leads could see at their last snapshot.
pub fn survey(tables: &Tables, snapshots: &[Snapshot]) -> Survey {
    let last_of_lead = last_looks(
        tables.leads.ids.len(),
        snapshots
            .iter()
            .map(|snapshot| (snapshot.lead as usize, snapshot.at)),
    );
    let seen = || (0..last_of_lead.len()).filter(|&lead| last_of_lead[lead] > Timestamp::MIN);
    let mut attributes = BTreeMap::new();
    for attribute in &tables.leads.attributes {
        attributes.insert((None, attribute.name.clone()), attribute.column.kind());
    }
    for lookup in tables.lookups.iter() {
        for attribute in &lookup.rows.attributes {
            attributes.insert(
                (Some(lookup.name.clone()), attribute.name.clone()),
                attribute.column.kind(),
            );
        }
    }
    let stamps = || seen().filter_map(|lead| tables.leads.created[lead]);
    Survey {
        attributes,
        tokens: survey_tokens(tables, snapshots),
        histories: tables.history.names().into_iter().collect(),
        has_creation: stamps().next().is_some(),
        has_hour: stamps().any(|stamp| stamp.start == stamp.known),
        has_accounts: tables.leads.accounts.is_some(),
        has_courses: tables.courses.is_some(),
        first: snapshots.iter().map(|snapshot| snapshot.at).min(),
        last: snapshots.iter().map(|snapshot| snapshot.at).max(),
        tables: tables
            .activities
            .iter()
            .map(|activities| {
                (
                    activities.name.clone(),
                    survey_events(activities, &last_of_lead),
                )
            })
            .collect(),
    }
}

/// When each of `n` leads or accounts is looked at last; [`Timestamp::MIN`] for never.
pub(crate) fn last_looks(
    n: usize,
    looks: impl Iterator<Item = (usize, Timestamp)>,
) -> Vec<Timestamp> {
    let mut last = vec![Timestamp::MIN; n];
    looks.for_each(|(who, at)| last[who] = last[who].max(at));
    last
}

fn survey_events(activities: &Activities, last_of_lead: &[Timestamp]) -> EventSurvey {
    let rows = &activities.rows;
    let mut earliest: Option<Timestamp> = None;
    let mut counts: Vec<Vec<usize>> = rows
        .kinds
        .iter()
        .map(|kind| vec![0; kind.levels.len()])
        .collect();
    let mut pairs: BTreeMap<(usize, usize), HashMap<(u32, u32), usize>> = BTreeMap::new();
    for (lead, &last) in last_of_lead
        .iter()
        .enumerate()
        .filter(|(_, last)| **last > Timestamp::MIN)
    {
        let Some(entity) = activities.entity_of(lead as u32) else {
            continue;
        };
        for event in activities
            .events_of(entity)
            .filter(|&event| rows.visible_at(event) < last)
        {
            earliest =
                Some(earliest.map_or(rows.at[event], |earliest| earliest.min(rows.at[event])));
            for (number, kind) in rows.kinds.iter().enumerate() {
                let code = kind.codes[event];
                if code == MISSING {
                    continue;
                }
                counts[number][code as usize] += 1;
                for (other, second) in rows.kinds.iter().enumerate().skip(number + 1) {
                    let is_split = kind.tokenizer.is_some() || second.tokenizer.is_some();
                    if second.codes[event] != MISSING && !is_split {
                        *pairs
                            .entry((number, other))
                            .or_default()
                            .entry((code, second.codes[event]))
                            .or_default() += 1;
                    }
                }
            }
        }
    }
    let level = |number: usize, code: u32| rows.kinds[number].levels[code as usize].clone();
    EventSurvey {
        of_accounts: activities.entity_of_lead.is_some(),
        earliest,
        values: rows
            .values
            .iter()
            .map(|column| column.name.clone())
            .collect(),
        kinds: rows
            .kinds
            .iter()
            .zip(counts)
            .map(|(kind, counts)| KindSurvey::new(kind, counts))
            .collect(),
        pairs: pairs
            .into_iter()
            .map(|((a, b), counts)| {
                (
                    (a, b),
                    counts
                        .into_iter()
                        .map(|((x, y), count)| ((level(a, x), level(b, y)), count))
                        .collect(),
                )
            })
            .collect(),
    }
}

impl Survey {
    /// Adds what was counted over other leads of the same tables.
    pub fn add(&mut self, other: Self) {
        for (name, kind) in other.attributes {
            // A part in which every cell is missing says nothing of the kind.
            self.attributes.entry(name).or_insert(kind);
        }
        for (attribute, tokens) in other.tokens {
            match self.tokens.entry(attribute) {
                Entry::Vacant(entry) => {
                    entry.insert(tokens);
                }
                Entry::Occupied(entry) => entry.into_mut().add(tokens),
            }
        }
        self.histories.extend(other.histories);
        self.has_creation |= other.has_creation;
        self.has_hour |= other.has_hour;
        self.has_accounts |= other.has_accounts;
        self.has_courses |= other.has_courses;
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.into_iter().chain(other.last).max();
        for (name, table) in other.tables {
            match self.tables.entry(name) {
                Entry::Vacant(entry) => {
                    entry.insert(table);
                }
                Entry::Occupied(entry) => entry.into_mut().add(table),
            }
        }
    }
}

impl EventSurvey {
    fn add(&mut self, other: Self) {
        self.earliest = self.earliest.into_iter().chain(other.earliest).min();
        for (kind, more) in self.kinds.iter_mut().zip(other.kinds) {
            for (value, count) in more.counts {
                *kind.counts.entry(value).or_default() += count;
            }
        }
        for (columns, more) in other.pairs {
            let counts = self.pairs.entry(columns).or_default();
            for (values, count) in more {
                *counts.entry(values).or_default() += count;
            }
        }
    }
}
