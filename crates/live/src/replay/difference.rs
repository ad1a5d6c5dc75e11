//! An answer of the log beside what the tables say.

use std::path::{Path, PathBuf};

use leadscore_core::{ContactPriority, Timestamp};
use serde::Serialize;

use crate::log::{Answer, bits, percent};

/// What an answer is by the tables; `None` where they do not say.
#[derive(Debug, Default)]
pub(super) struct Computed {
    /// Whether the store has rows of the lead.
    pub(super) has_rows: bool,
    /// Whom the answer is about: of a lead that was in no table, its own columns say it.
    pub(super) lead: Option<String>,
    pub(super) log_odds: Option<f64>,
    pub(super) likelihood: Option<f64>,
    pub(super) tier: Option<ContactPriority>,
    pub(super) edges: Option<[f64; 3]>,
    pub(super) input_hash: Option<String>,
    pub(super) feature_hash: Option<String>,
}

/// What a comparison came to.
#[derive(Debug)]
pub(super) enum Compared {
    /// Every bit is equal.
    Equal,
    /// Some are not.
    Differs(Difference),
    /// The store has nothing of the lead.
    UnknownLead(UnknownLead),
}

/// An answer that the tables do not confirm.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The file of the log.
    pub file: PathBuf,
    /// Its line, from 1.
    pub line: usize,
    /// The lead.
    pub lead: String,
    /// The moment, as text.
    pub at: String,
    /// The moment.
    #[serde(skip)]
    pub moment: Timestamp,
    /// The model.
    pub model: String,
    /// What differs; at least one field.
    pub fields: Vec<DifferentField>,
}

/// An answer about a lead of which the store has nothing: it was forgotten after the file was moved
/// away, or the line was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnknownLead {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The lead.
    pub lead: String,
}

/// A field of an answer with another value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DifferentField {
    /// Its name.
    pub field: &'static str,
    /// What the log has.
    pub logged: String,
    /// What the tables say; `None` where they have no score.
    pub replayed: Option<String>,
}

/// Compares an answer with what the tables say.
pub(super) fn compare(file: &Path, line: usize, answer: &Answer, computed: Computed) -> Compared {
    if answer.raw.is_none() && computed.log_odds.is_none() && !computed.has_rows {
        return Compared::UnknownLead(UnknownLead {
            file: file.to_owned(),
            line,
            lead: answer.lead.clone(),
        });
    }
    let of_number = |value: f64| format!("{value} ({})", bits(value));
    let of_edges = |edges: [f64; 3]| edges.map(of_number).join(", ");
    let number = |field, logged: f64, replayed: Option<f64>| {
        (replayed.map(f64::to_bits) != Some(logged.to_bits())).then(|| DifferentField {
            field,
            logged: of_number(logged),
            replayed: replayed.map(of_number),
        })
    };
    let text = |field, logged: &str, replayed: Option<&str>| {
        (replayed != Some(logged)).then(|| DifferentField {
            field,
            logged: logged.to_owned(),
            replayed: replayed.map(str::to_owned),
        })
    };
    let fields: Vec<DifferentField> = [
        text("lead", &answer.lead, computed.lead.as_deref()),
        number("log-odds", answer.log_odds, computed.log_odds),
        number("likelihood", answer.likelihood, computed.likelihood),
        number("percent", answer.percent, computed.likelihood.map(percent)),
        text(
            "edges",
            &of_edges(answer.edges.values),
            computed.edges.map(of_edges).as_deref(),
        ),
        text(
            "tier",
            answer.tier.name(),
            computed.tier.map(ContactPriority::name),
        ),
        text("rows", &answer.input_hash, computed.input_hash.as_deref()),
        text(
            "features",
            &answer.feature_hash,
            computed.feature_hash.as_deref(),
        ),
    ]
    .into_iter()
    .flatten()
    .collect();
    if fields.is_empty() {
        return Compared::Equal;
    }
    Compared::Differs(Difference {
        file: file.to_owned(),
        line,
        lead: answer.lead.clone(),
        at: answer.at.to_string(),
        moment: answer.at,
        model: answer.model.clone(),
        fields,
    })
}
