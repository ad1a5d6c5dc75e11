//! What a file has when it is opened.

use std::sync::Arc;

use rusqlite::Connection;

use crate::moments::Moments;
use crate::recent::{Recent, Row, hash_of_content, hash_of_id};
use crate::shared::Visible;

/// What the state table has.
struct State {
    salt: Vec<u8>,
    reserved: Option<i64>,
    last_seq: u64,
    last_recorded: i64,
    settled_seq: u64,
    n_settled: u64,
}

/// Reads the state and the events that are not settled yet, as of one moment; and the salt.
pub(crate) fn read_visible(connection: &mut Connection) -> rusqlite::Result<(Visible, Vec<u8>)> {
    let transaction = connection.transaction()?;
    let state = transaction.query_row(
        "SELECT salt, reserved, last_seq, last_recorded, settled_seq, n_settled FROM state",
        [],
        |row| {
            Ok(State {
                salt: row.get(0)?,
                reserved: row.get(1)?,
                last_seq: row.get::<_, i64>(2)?.cast_unsigned(),
                last_recorded: row.get(3)?,
                settled_seq: row.get::<_, i64>(4)?.cast_unsigned(),
                n_settled: row.get::<_, i64>(5)?.cast_unsigned(),
            })
        },
    )?;
    let tables: Vec<Arc<str>> = transaction
        .prepare("SELECT name FROM tables ORDER BY id")?
        .query_map([], |row| row.get::<_, Arc<str>>(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut recent = Recent::default();
    let mut last_seq = state.last_seq.max(state.settled_seq);
    let mut last_recorded = state.last_recorded;
    let mut statement = transaction.prepare(
        "SELECT seq, id, table_id, entity, at, recorded, row FROM log WHERE seq > ?1 ORDER BY seq",
    )?;
    let mut rows = statement.query([state.settled_seq.cast_signed()])?;
    while let Some(row) = rows.next()? {
        let row = read_log_row(row, &state.salt, &tables)?;
        last_seq = last_seq.max(row.seq);
        last_recorded = last_recorded.max(row.recorded);
        recent.push(row);
    }
    drop(rows);
    drop(statement);
    transaction.commit()?;
    let visible = Visible {
        moments: Moments::new(last_recorded, state.reserved),
        recent,
        settled_seq: state.settled_seq,
        n_settled: state.n_settled,
        last_seq,
        tables,
    };
    Ok((visible, state.salt))
}

fn read_log_row(
    row: &rusqlite::Row<'_>,
    salt: &[u8],
    tables: &[Arc<str>],
) -> rusqlite::Result<Row> {
    let id: Box<str> = row.get(1)?;
    let table: i64 = row.get(2)?;
    let entity: Arc<str> = row.get(3)?;
    let text: Box<str> = row.get(6)?;
    let name = usize::try_from(table - 1)
        .ok()
        .and_then(|place| tables.get(place))
        .ok_or(rusqlite::Error::IntegralValueOutOfRange(2, table))?;
    Ok(Row {
        seq: row.get::<_, i64>(0)?.cast_unsigned(),
        id_hash: hash_of_id(salt, &id),
        content: hash_of_content(salt, name, &entity, &text),
        id,
        table,
        entity,
        at: row.get(4)?,
        recorded: row.get(5)?,
        row: text,
    })
}
