//! What an event has to be before it may come in, and what is computed of it by the thread of the
//! caller, so that the writer has little to do.

use std::sync::Arc;

use leadscore_core::Timestamp;
use serde::de::IgnoredAny;

use crate::error::StoreError;
use crate::event::{Entity, NewEvent};
use crate::recent::{IdHash, hash_of_content, hash_of_id};

/// Events in one call. More would keep other callers waiting.
pub const MAX_EVENTS_OF_CALL: usize = 100_000;
/// Bytes of the rows of one call.
pub const MAX_BYTES_OF_CALL: usize = 64 << 20;
/// Bytes of an ID, of an event or of an entity: IDs of CRMs have at most a few dozen.
const MAX_ID: usize = 512;
/// Bytes of a row: a text that people write fits in.
const MAX_ROW: usize = 1 << 20;

/// An event that may come in.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) id: Box<str>,
    pub(crate) id_hash: IdHash,
    pub(crate) content: i64,
    pub(crate) table: Box<str>,
    pub(crate) entity: Arc<str>,
    pub(crate) at: i64,
    /// Of imported events, when they were recorded.
    pub(crate) recorded: Option<i64>,
    pub(crate) row: Box<str>,
}

/// Checks all events of a call.
pub(crate) fn prepare(salt: &[u8], events: Vec<NewEvent>) -> Result<Vec<Prepared>, StoreError> {
    if events.len() > MAX_EVENTS_OF_CALL {
        return Err(StoreError::TooMany {
            n_events: events.len(),
            limit: MAX_EVENTS_OF_CALL,
        });
    }
    let n_bytes: usize = events.iter().map(|event| event.row.len()).sum();
    if n_bytes > MAX_BYTES_OF_CALL {
        return Err(StoreError::TooLong {
            n_bytes,
            limit: MAX_BYTES_OF_CALL,
        });
    }
    events
        .into_iter()
        .enumerate()
        .map(|(position, event)| prepare_one(salt, position, event))
        .collect()
}

fn prepare_one(salt: &[u8], position: usize, event: NewEvent) -> Result<Prepared, StoreError> {
    if let Err((what, hint)) = check(&event) {
        return Err(refused(position, &event.id, what, hint));
    }
    let entity = event.entity.key();
    Ok(Prepared {
        id_hash: hash_of_id(salt, &event.id),
        content: hash_of_content(salt, &event.table, &entity, &event.row),
        id: event.id.into_boxed_str(),
        table: event.table.into_boxed_str(),
        entity: entity.into(),
        at: event.at.micros(),
        recorded: event.recorded.map(Timestamp::micros),
        row: event.row.into_boxed_str(),
    })
}

/// An event that cannot be meant, with as much of its ID as a message has room for.
pub(crate) fn refused(
    position: usize,
    id: &str,
    what: &'static str,
    hint: &'static str,
) -> StoreError {
    StoreError::Refused {
        position,
        id: id.chars().take(64).collect(),
        what,
        hint,
    }
}

fn check(event: &NewEvent) -> Result<(), (&'static str, &'static str)> {
    let text = |text: &str, empty, long| {
        if text.is_empty() {
            Err((empty, "give it one"))
        } else if text.len() > MAX_ID {
            Err((long, "512 bytes are the limit"))
        } else {
            Ok(())
        }
    };
    text(&event.id, "has no ID", "has an ID that is too long")?;
    text(
        &event.table,
        "has no table",
        "has a name of a table that is too long",
    )?;
    let (no_id, long_id) = match &event.entity {
        Entity::Lead(_) => ("has no lead", "has an ID of a lead that is too long"),
        Entity::Account(_) => ("has no account", "has an ID of an account that is too long"),
        Entity::Lookup { name, .. } => {
            text(
                name,
                "has no name of a lookup",
                "has a name of a lookup that is too long",
            )?;
            ("has no key", "has a key that is too long")
        }
    };
    text(event.entity.id(), no_id, long_id)?;
    if event.row.len() > MAX_ROW {
        return Err((
            "has a row that is too long",
            "a row has at most 1 MiB of JSON",
        ));
    }
    let is_object = event.row.trim_start().starts_with('{')
        && serde_json::from_str::<IgnoredAny>(&event.row).is_ok();
    if !is_object {
        return Err((
            "has a row that is no JSON object",
            "write the columns as {\"column\": value}",
        ));
    }
    if event.at == Timestamp::MIN || event.at == Timestamp::MAX {
        return Err((
            "has a time that no calendar has",
            "check the time of the row",
        ));
    }
    Ok(())
}
