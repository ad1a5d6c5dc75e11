//! A lead that is in no table: its columns and its activities as JSON, scored by the same road as
//! leads of tables.

use std::collections::BTreeMap;
use std::fmt;

use crate::error::{Context, bail};
use leadscore_core::{AttributeTable, FeatureSource, Span, Timestamp, printable};
use leadscore_features::scoring_snapshots;
use leadscore_inference::Model;
use leadscore_tables::{
    Frames, HistoryConfig, KnownEnds, LoadOptions, OutColumn, OutTable, OutcomesConfig, Tables,
};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::ages::age_of;
use crate::data::{Data, load_options_of, now};
use crate::explain::{Explained, Explanation, explained};

/// What a lead without an id is called.
const NAMELESS: &str = "(without id)";
/// Keys of tables beside the lead's own columns.
const ACTIVITIES: &str = "activities";
const LOOKUPS: &str = "lookups";

/// A lead as JSON, in UTF-8 or behind a byte order mark in UTF-16; `what` names it.
///
/// # Errors
///
/// It is no JSON, or an object has a key twice, of which one would be lost.
pub fn read_lead_json(what: &str, bytes: &[u8]) -> crate::Result<Value> {
    let is_no_json = || format!("{what} is no JSON");
    let units = |bytes: &[u8], unit: fn([u8; 2]) -> u16| -> Vec<u16> {
        bytes
            .chunks_exact(2)
            .map(|pair| unit([pair[0], pair[1]]))
            .collect()
    };
    let text = match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => {
            String::from_utf8(rest.to_vec()).with_context(is_no_json)?
        }
        [0xFF, 0xFE, rest @ ..] if rest.len() % 2 == 0 => {
            String::from_utf16(&units(rest, u16::from_le_bytes)).with_context(is_no_json)?
        }
        [0xFE, 0xFF, rest @ ..] if rest.len() % 2 == 0 => {
            String::from_utf16(&units(rest, u16::from_be_bytes)).with_context(is_no_json)?
        }
        plain => String::from_utf8(plain.to_vec()).with_context(is_no_json)?,
    };
    match serde_json::from_str(&text) {
        Ok(SingleKeys(value)) => Ok(value),
        Err(error) if error.is_data() => bail!("{what} has {error}\n  hint: keep one of the two"),
        Err(error) => Err(error).with_context(is_no_json),
    }
}

/// JSON whose objects have each key once.
struct SingleKeys(Value);

impl<'de> Deserialize<'de> for SingleKeys {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(SingleKeysVisitor).map(Self)
    }
}

struct SingleKeysVisitor;

impl<'de> Visitor<'de> for SingleKeysVisitor {
    type Value = Value;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(SingleKeys(value)) = from.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(key) = from.next_key::<String>()? {
            let SingleKeys(value) = from.next_value()?;
            if values.contains_key(&key) {
                return Err(A::Error::custom(format_args!(
                    "the key `{}` twice in one object",
                    printable(&key)
                )));
            }
            values.insert(key, value);
        }
        Ok(Value::Object(values))
    }
}

/// Explains a lead that is in no table, as it stands at `as_of`, by default now.
///
/// `lead` is an object: columns of `[leads]` by name, `activities` with a list of objects for each
/// table of activities, and `lookups` with an object for each lookup whose row is not to be looked
/// up in its table. Cells are written as in the tables. The data is opened by
/// [`Data::open`] with [`OpenTables::Lookups`](crate::OpenTables::Lookups). Its tier is told by the edges of `[tiers]`, or the model's own.
///
/// # Errors
///
/// A key is unknown, a value is not what the model reads, or the lead is not open at that moment.
pub fn explain_one(data: &Data, model: &Model, lead: &Value) -> crate::Result<Explanation> {
    let mut beside = data.beside(model)?;
    let is_flat = beside.config.is_flat();
    let as_of = data.known_before.unwrap_or_else(|| {
        if is_flat {
            Timestamp::MAX
        } else {
            this_second()
        }
    });
    let given = object("the lead", lead)?;
    let frames = frames(&beside, model, given)?;
    let id = text_of(given.get(&beside.config.leads.id)).unwrap_or_else(|| NAMELESS.to_owned());
    // Today's values are those of the lead, and nobody has closed it.
    beside.config.history = beside.config.history.take().map(|history| HistoryConfig {
        complete: true,
        ..history
    });
    if !is_flat {
        beside.config.outcomes = OutcomesConfig::default();
        beside.config.do_without_outcomes(&beside.folder);
    }
    beside.config.leads.manual_score = None;
    for (name, lookup) in &mut beside.config.lookups {
        if frames.contains_key(&format!("lookups.{name}")) {
            lookup.changed_at = None;
        }
    }
    beside.config.put_frames(&frames)?;
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
    let tables = leadscore_tables::load(&beside.config, &beside.folder, &options)?;
    let set = scoring_snapshots(&tables, as_of);
    if set.at_risk.is_empty() {
        let why = match (set.left_out.without_time, set.left_out.not_yet) {
            (1.., _) => format!(
                "its `{}` is no time",
                beside
                    .config
                    .leads
                    .created_at
                    .as_deref()
                    .unwrap_or_default()
            ),
            (_, 1..) => "it is created later".to_owned(),
            _ if is_flat => "it has closed".to_owned(),
            _ => "it has been silent for longer than `silent` of [snapshots], or is won".to_owned(),
        };
        bail!(
            "lead `{}` has no score{}: {why}",
            printable(&id),
            data.at(as_of)
        );
    }
    let matrix = data.features_of(&tables, &model.specs, &set.at_risk)?;
    let mut notes = Vec::new();
    let is_missing = |idx: &usize| {
        matches!(model.specs[*idx].source, FeatureSource::Attribute { .. })
            && matrix.values()[[0, *idx]].is_nan()
    };
    let missing: Vec<String> = (0..model.specs.len())
        .filter(is_missing)
        .map(|idx| format!("`{}`", printable(&model.specs[idx].describe())))
        .collect();
    if !missing.is_empty() {
        notes.push(format!(
            "the model reads these as missing: {}",
            missing.join(", ")
        ));
    }
    for (table, n_later, n_all) in later_events(&tables, as_of) {
        let (are, they) = if n_later == 1 {
            ("is", "it is")
        } else {
            ("are", "they are")
        };
        notes.push(format!(
            "{n_later} of {n_all} events in `activities.{}` {are} not known before {}, and {they} not counted; a date counts from the end of its day",
            printable(table),
            (data.write_time())(as_of)
        ));
    }
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
    if of_others > 0 {
        notes.push(format!("the lead stands alone: {of_others} features of the account's other leads have seen none"));
    }
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

fn object<'v>(what: &str, value: &'v Value) -> crate::Result<&'v Map<String, Value>> {
    match value {
        Value::Object(object) => Ok(object),
        _ => bail!(
            "{what} is {}, expected an object with a value for each column",
            kind(value)
        ),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A value as a table has it; `None` for what is missing.
fn text_of(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// Fails at a key that is not known.
fn check_keys(what: &str, given: &Map<String, Value>, known: &[String]) -> crate::Result<()> {
    let Some(unknown) = given.keys().find(|key| !known.contains(key)) else {
        return Ok(());
    };
    let near = leadscore_tables::nearest(unknown, known.iter().map(String::as_str))
        .map(|near| format!("did you mean `{}`? ", printable(near)));
    let list = known
        .iter()
        .map(|name| printable(name).into_owned())
        .collect::<Vec<_>>()
        .join(", ");
    bail!(
        "{what} has an unknown key `{}`\n  hint: {}known keys: {list}",
        printable(unknown),
        near.unwrap_or_default()
    );
}

/// A table of rows with these columns: numbers stay numbers where all cells of a column are, all
/// else is text.
fn table(what: &str, columns: &[String], rows: &[Map<String, Value>]) -> crate::Result<OutTable> {
    let mut table = OutTable::default();
    for column in columns {
        let cells: Vec<Option<&Value>> = rows
            .iter()
            .map(|row| row.get(column).filter(|value| !value.is_null()))
            .collect();
        if let Some(cell) = cells
            .iter()
            .flatten()
            .find(|cell| cell.is_array() || cell.is_object())
        {
            bail!(
                "{what}: `{}` is {}, expected one value",
                printable(column),
                kind(cell)
            );
        }
        let integers: Option<Vec<Option<i64>>> = cells
            .iter()
            .map(|cell| cell.map_or(Some(None), |cell| cell.as_i64().map(Some)))
            .collect();
        let numbers: Option<Vec<f64>> = cells
            .iter()
            .map(|cell| cell.map_or(Some(f64::NAN), Value::as_f64))
            .collect();
        let is_given = cells.iter().any(Option::is_some);
        table.push(
            column,
            match (integers, numbers) {
                (Some(integers), _) if is_given => OutColumn::Integer(integers),
                (_, Some(numbers)) if is_given => OutColumn::Number(numbers),
                _ => OutColumn::Text(cells.into_iter().map(text_of).collect()),
            },
        );
    }
    Ok(table)
}

/// The tables of one lead.
fn frames(data: &Data, model: &Model, lead: &Map<String, Value>) -> crate::Result<Frames> {
    let config = &data.config;
    let mut read: BTreeMap<Option<&str>, Vec<String>> = BTreeMap::new();
    for spec in &model.specs {
        match &spec.source {
            FeatureSource::Attribute {
                table: AttributeTable::Leads,
                column,
            }
            | FeatureSource::AttributeAge { column }
            | FeatureSource::AttributeChanges { column } => {
                read.entry(None).or_default().push(column.clone());
            }
            FeatureSource::Attribute {
                table: AttributeTable::Lookup(name),
                column,
            } => read.entry(Some(name)).or_default().push(column.clone()),
            _ => {}
        }
    }
    let columns_of = |table: &str, of_model: Option<&Vec<String>>| {
        let mut columns = config.named_columns(table);
        columns.extend(of_model.into_iter().flatten().cloned());
        columns.sort_unstable();
        columns.dedup();
        columns
    };
    let columns = columns_of("[leads]", read.get(&None));
    let beside: Vec<(&str, bool)> = vec![
        (ACTIVITIES, !config.activities.is_empty()),
        (LOOKUPS, !config.lookups.is_empty()),
    ];
    let is_table = |key: &str| {
        beside
            .iter()
            .any(|(name, is_there)| *is_there && *name == key)
            && !columns.iter().any(|column| column == key)
    };
    let mut known = columns.clone();
    known.extend(
        beside
            .iter()
            .filter(|(name, _)| is_table(name))
            .map(|(name, _)| (*name).to_owned()),
    );
    check_keys("the lead", lead, &known)?;
    if let Some(created_at) = config
        .leads
        .created_at
        .as_ref()
        .filter(|column| lead.get(*column).is_none_or(Value::is_null))
    {
        bail!(
            "the lead has no `{}`\n  hint: say when it was created, as [leads] does",
            printable(created_at)
        );
    }
    let mut row: Map<String, Value> = lead
        .iter()
        .filter(|(key, _)| !is_table(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let id = row
        .entry(config.leads.id.clone())
        .or_insert_with(|| NAMELESS.into())
        .clone();
    let none = Map::new();
    let part = |name: &'static str| {
        if is_table(name) {
            lead.get(name).map_or(Ok(&none), |value| {
                object(&format!("`{name}` of the lead"), value)
            })
        } else {
            Ok(&none)
        }
    };
    let mut frames = Frames::new();
    let activities = part(ACTIVITIES)?;
    check_keys(
        "`activities` of the lead",
        activities,
        &config.activities.keys().cloned().collect::<Vec<_>>(),
    )?;
    for (name, activity) in &config.activities {
        let what = format!("`activities.{name}` of the lead");
        let columns = columns_of(&format!("[activities.{name}]"), None);
        let owner = activity
            .lead
            .as_ref()
            .or(activity.account.as_ref())
            .expect("checked with the config");
        let whose = if activity.lead.is_some() {
            id.clone()
        } else {
            row.get(owner).cloned().unwrap_or(Value::Null)
        };
        let events = match activities.get(name) {
            None | Some(Value::Null) => &[][..],
            Some(Value::Array(events)) => events,
            Some(other) => bail!("{what} is {}, expected a list of objects", kind(other)),
        };
        let mut rows = Vec::new();
        for event in events {
            let mut event = object(&format!("an event in {what}"), event)?.clone();
            check_keys(&format!("an event in {what}"), &event, &columns)?;
            event.entry(owner.clone()).or_insert_with(|| whose.clone());
            let Some(at) = event.get(&activity.at).filter(|at| !at.is_null()).cloned() else {
                bail!(
                    "an event in {what} has no `{}`\n  hint: say when it happened",
                    printable(&activity.at)
                );
            };
            // An event that is told of has been recorded.
            if let Some(recorded_at) = activity
                .recorded_at
                .as_ref()
                .filter(|column| event.get(*column).is_none_or(Value::is_null))
            {
                event.insert(recorded_at.clone(), at);
            }
            rows.push(event);
        }
        if activity.account.is_some() && whose.is_null() && !rows.is_empty() {
            bail!(
                "{what} has events of an account, and the lead has no `{}`",
                printable(owner)
            );
        }
        frames.insert(
            format!("activities.{name}"),
            table(&what, &columns, &rows)?.into_frame()?,
        );
    }
    let lookups = part(LOOKUPS)?;
    check_keys(
        "`lookups` of the lead",
        lookups,
        &config.lookups.keys().cloned().collect::<Vec<_>>(),
    )?;
    for (name, lookup) in &config.lookups {
        let what = format!("`lookups.{name}` of the lead");
        let columns = columns_of(&format!("[lookups.{name}]"), read.get(&Some(name.as_str())));
        let leads_key = lookup.leads_key.as_ref().unwrap_or(&lookup.key);
        let rows = match lookups.get(name) {
            Some(given) if !given.is_null() => {
                let mut entry = object(&what, given)?.clone();
                check_keys(&what, &entry, &columns)?;
                let key = entry
                    .get(&lookup.key)
                    .or(row.get(leads_key))
                    .filter(|key| !key.is_null())
                    .cloned()
                    .unwrap_or_else(|| id.clone());
                entry.insert(lookup.key.clone(), key.clone());
                row.insert(leads_key.clone(), key);
                vec![entry]
            }
            // Without a key there is nothing to look up.
            _ if row.get(leads_key).is_none_or(Value::is_null) => Vec::new(),
            _ => continue,
        };
        frames.insert(
            format!("lookups.{name}"),
            table(&what, &columns, &rows)?.into_frame()?,
        );
    }
    if config.history.is_some() {
        frames.insert(
            "history".to_owned(),
            table("history", &columns_of("[history]", None), &[])?.into_frame()?,
        );
    }
    frames.insert(
        "leads".to_owned(),
        table("the lead", &columns, &[row])?.into_frame()?,
    );
    Ok(frames)
}
