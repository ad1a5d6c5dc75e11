//! The words of lead scoring as types: times, labels, features, likelihoods, tiers; no I/O, no
//! clock, no randomness.

mod data_profile;
mod time;

mod concept;
mod count;
mod event_filter;
mod event_words;
mod family;
mod feature;
mod feature_phrase;
mod formula;
mod hash;
mod hold_back;
mod left_out;
mod matrix;
mod phrase;
mod printable;
mod probability;
mod secret;
mod snapshot;
mod statistic;
mod tier;
mod tokenizer;
mod unit;
mod wording;

pub use concept::Concept;
pub use count::{agree, count, counted};
pub use data_profile::{
    Cells, ColumnProfile, ColumnRole, DataProfile, MatchCount, TableProfile, TableReach, Writing,
};
pub use event_filter::EventFilter;
pub use family::Family;
pub use feature::{
    AttributeTable, CalendarPart, CellKind, EventsRead, FeatureKind, FeatureSource, FeatureSpec,
    MONTHS, PeerState, SplitCell, WEEKDAYS,
};
pub use formula::{Aggregate, AggregateKind, AggregateValues, Formula, Moment, Term};
pub use hash::{hex, stable_hash};
pub use hold_back::{HoldBack, held_back};
pub use left_out::LeftOut;
pub use matrix::{FeatureMatrix, MatrixCell, MatrixError};
pub use phrase::{Case, Phrase, Shown};
pub use printable::{cut, escape_of, is_hostile, printable, printable_json, printable_lines};
pub use probability::{Probability, ProbabilityError, log_odds_to_probability};
pub use secret::{
    Secret, SecretUri, credential_ranges, hide_credentials, location_has_credentials,
    names_a_secret,
};
pub use snapshot::{LabelledSnapshots, Snapshot};
pub use statistic::Statistic;
pub use tier::ContactPriority;
pub use time::{Precision, Span, SpanError, Stamp, Timestamp};
pub use tokenizer::Tokenizer;
pub use unit::Unit;
pub use wording::Wording;
