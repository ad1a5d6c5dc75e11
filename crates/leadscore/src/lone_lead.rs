//! A lead that is in no table: its columns and its activities as JSON, scored by the same road as
//! leads of tables.

mod frames;
mod json;

use std::sync::Arc;

use leadscore_config::{HistoryConfig, OutcomesConfig};
use leadscore_core::{FeatureMatrix, FeatureSource, Span, Timestamp, agree, counted, printable};
use leadscore_dataset::{Column, History, HistoryChange, KnownEnds, LoadOptions, Tables};
use leadscore_features::{LeftOut, scoring_snapshots};
use leadscore_inference::Model;
use leadscore_io::Frames;
use serde_json::Value;

use self::frames::frames;
use self::json::{object, text_of};
use crate::ages::age_of;
use crate::data::{Data, load_options_of, now};
use crate::error::bail;
use crate::explain::{Explained, Explanation, explained};

pub use self::json::read_lead_json;

/// What a lead without an id is called.
const NAMELESS: &str = "(without id)";

/// Explains a lead that is in no table, as it stands at `as_of`, by default now.
///
/// `lead` is an object: columns of `[leads]` by name, `activities` with a list of objects for each
/// table of activities, and `lookups` with an object for each lookup whose row is not to be looked
/// up in its table. Cells are written as in the tables. The data is opened by [`Data::open`] with
/// [`OpenTables::Lookups`](crate::OpenTables::Lookups). Its tier is told by the edges of `[tiers]`,
/// or the model's own.
///
/// # Errors
///
/// A key is unknown, a value is not what the model reads, or the lead is not open at that moment.
pub fn explain_one(data: &Data, model: &Model, lead: &Value) -> crate::Result<Explanation> {
    let Looked {
        id,
        as_of,
        tables,
        matrix,
    } = look(data, model, lead)?;
    let is_flat = tables.is_flat;
    let mut notes = Vec::new();
    notes.extend(note_of_missing(model, &matrix));
    notes.extend(notes_of_later_events(data, &tables, as_of));
    notes.extend(note_of_others(model));
    let at = (!is_flat).then(|| (data.write_time())(as_of));
    explained(
        data,
        model,
        Explained {
            id: &id,
            as_of: at,
            matrix: &matrix,
            row: 0,
            age: age_of(&tables, 0, as_of),
            changes: &[],
            since: None,
            notes,
        },
    )
}

/// A lead that is open, as its JSON has it.
pub(crate) struct Looked {
    pub(crate) id: String,
    pub(crate) as_of: Timestamp,
    pub(crate) tables: Tables,
    /// Its features, in one row.
    pub(crate) matrix: FeatureMatrix,
}

/// Reads a lead that is in no table.
pub(crate) fn look(data: &Data, model: &Model, lead: &Value) -> crate::Result<Looked> {
    let beside = data.beside(model)?;
    let is_flat = beside.config.is_flat();
    let as_of = data.known_before.unwrap_or_else(|| {
        if is_flat {
            Timestamp::MAX
        } else {
            this_second()
        }
    });
    let given = object("the lead", lead)?;
    let frames = frames(&beside.config, model, given)?;
    let id = text_of(given.get(&beside.config.leads.id)).unwrap_or_else(|| NAMELESS.to_owned());
    let alone = alone(beside, &frames)?;
    let tables = load_alone(&alone, model, as_of)?;
    let set = scoring_snapshots(&tables, as_of);
    if set.at_risk.is_empty() {
        bail!(
            "lead `{}` has no score{}: {}",
            printable(&id),
            data.at(as_of),
            why_not_open(&alone, &set.left_out)
        );
    }
    let matrix = data.features_of(&tables, &model.specs, &set.at_risk)?;
    Ok(Looked {
        id,
        as_of,
        tables,
        matrix,
    })
}

/// The data with the tables of one lead in place of its own: today's values are those of the lead,
/// and nobody has closed it.
fn alone(mut beside: Data, frames: &Frames) -> crate::Result<Data> {
    let config = &mut beside.config;
    config.history = config.history.take().map(|history| HistoryConfig {
        complete: true,
        ..history
    });
    if !config.is_flat() {
        config.outcomes = OutcomesConfig::default();
        leadscore_io::do_without_outcomes(config, &beside.folder);
    }
    config.leads.manual_score = None;
    // A lead that is given is known.
    config.leads.recorded_at = None;
    for (name, lookup) in &mut config.lookups {
        if frames.contains_key(&format!("lookups.{name}")) {
            lookup.changed_at = None;
            lookup.explode = None;
        }
    }
    // What is given is rows already.
    config.leads.explode = None;
    let history = config.history.iter_mut();
    history.for_each(|history| history.explode = None);
    let activities = config.activities.values_mut();
    activities.for_each(|activity| activity.explode = None);
    config.put_frames(frames)?;
    Ok(beside)
}

/// Reads the tables of one lead, which know everything until the moment at which it is looked at.
fn load_alone(alone: &Data, model: &Model, as_of: Timestamp) -> crate::Result<Tables> {
    let is_flat = alone.config.is_flat();
    let known_ends = (!is_flat).then(|| KnownEnds {
        observation_end: as_of,
        entry_lag: Span::ZERO,
        tables: Vec::new(),
    });
    let options = LoadOptions {
        known_ends,
        now: Some(now()),
        as_of: (!is_flat).then_some(as_of),
        ..load_options_of(model)
    };
    let mut tables = leadscore_io::load(&alone.config, &alone.folder, &options)?;
    tables.history = Arc::new(unchanged(&tables, model));
    Ok(tables)
}

/// The history of a lead whose attributes were never changed, of those whose changes the model reads:
/// each has had the value that is given all along.
pub(crate) fn unchanged(tables: &Tables, model: &Model) -> History {
    let n_leads = tables.leads.ids.len();
    let mut names: Vec<&String> = Vec::new();
    for spec in &model.specs {
        if let FeatureSource::AttributeAge { column } | FeatureSource::AttributeChanges { column } =
            &spec.source
            && !names.contains(&column)
        {
            names.push(column);
        }
    }
    let of = |name: &String| {
        let mut attributes = tables.leads.attributes.iter();
        let given = attributes.find(|attribute| attribute.name == *name);
        HistoryChange {
            attribute: name.clone(),
            offsets: vec![0; n_leads + 1],
            known: Vec::new(),
            values: given.map_or_else(
                || Column::Number(vec![f64::NAN; n_leads]),
                |attribute| attribute.column.clone(),
            ),
            before: (0..n_leads as u32).collect(),
        }
    };
    History {
        attributes: names.into_iter().map(of).collect(),
    }
}

/// Why the lead has no score.
fn why_not_open(alone: &Data, left_out: &LeftOut) -> String {
    match (left_out.without_time, left_out.not_yet) {
        (1.., _) => format!(
            "its `{}` is no time",
            alone.config.leads.created_at.as_deref().unwrap_or_default()
        ),
        (_, 1..) => "it is created later".to_owned(),
        _ if alone.config.is_flat() => "it has closed".to_owned(),
        _ => "it has been silent for longer than `silent` of [snapshots], or is won".to_owned(),
    }
}

/// Attributes that the model reads as missing, in words.
fn note_of_missing(model: &Model, matrix: &FeatureMatrix) -> Option<String> {
    let is_missing = |idx: &usize| {
        model.specs[*idx].source.is_attribute() && matrix.values()[[0, *idx]].is_nan()
    };
    let missing: Vec<String> = (0..model.specs.len())
        .filter(is_missing)
        .map(|idx| format!("`{}`", printable(&model.specs[idx].describe())))
        .collect();
    (!missing.is_empty())
        .then(|| format!("the model reads these as missing: {}", missing.join(", ")))
}

/// For each table the events that are not counted, in words.
fn notes_of_later_events(data: &Data, tables: &Tables, as_of: Timestamp) -> Vec<String> {
    let note = |(table, n_later, n_all): (&str, usize, usize)| {
        let are = agree(n_later, "is", "are");
        let they_are = agree(n_later, "it is", "they are");
        format!(
            "{n_later} of {} in `activities.{}` {are} not known before {}, and {they_are} not counted; a date counts from the end of its day",
            counted(n_all, "event"),
            printable(table),
            (data.write_time())(as_of)
        )
    };
    later_events(tables, as_of).map(note).collect()
}

/// Features that the account's other leads would have filled, in words.
fn note_of_others(model: &Model) -> Option<String> {
    let of_others = model
        .specs
        .iter()
        .filter(|spec| {
            matches!(
                spec.source,
                FeatureSource::Peers { .. } | FeatureSource::PeerLeads(_)
            )
        })
        .count();
    (of_others > 0).then(|| {
        let features = counted(of_others, "feature");
        let have = agree(of_others, "has", "have");
        format!("the account's other leads are not given: {features} of them {have} seen none")
    })
}

/// For each table with events of the lead that nobody could know at a moment, how many those are,
/// and how many it has.
fn later_events(tables: &Tables, as_of: Timestamp) -> impl Iterator<Item = (&str, usize, usize)> {
    tables.activities.iter().filter_map(move |activities| {
        let events = activities.events_of(activities.entity_of(0)?);
        let n_all = events.len();
        let n_later = events
            .filter(|&event| activities.rows.visible_at(event) >= as_of)
            .count();
        (n_later > 0).then_some((activities.name.as_str(), n_later, n_all))
    })
}

/// Now, without a fraction that nobody wants to read.
fn this_second() -> Timestamp {
    const SECOND: i64 = 1_000_000;
    Timestamp::from_micros(now().micros() / SECOND * SECOND)
}
