//! A schema of a PostgreSQL database that keeps events. Each commit is one statement, in which the
//! server looks whether this process is still the one that writes.

mod address;
mod keeper;
mod reads;
mod schema;
mod session;
mod tls;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::door::{Prepared, refused};
use crate::error::StoreError;
use crate::moments::Moments;
use crate::options::Clock;
use crate::recent::Recent;
use crate::shared::{Shared, Visible};

use self::reads::ServerReads;
use self::schema::Found;
use self::session::{Purpose, Session, of_postgres, shown};

pub use self::address::{AddressError, ServerAddress};
pub(crate) use self::keeper::ServerKeeper;

/// How long the server may take to notice that a process that wrote was killed.
const GRACE: Duration = Duration::from_secs(1);

/// Fails where a text of an event cannot be kept: PostgreSQL has no text with a NUL character.
pub(crate) fn check_texts(events: &[Prepared]) -> Result<(), StoreError> {
    let has_nul = |event: &Prepared| {
        [&*event.id, &*event.table, &*event.entity, &*event.row]
            .iter()
            .any(|text| text.contains('\0'))
    };
    match events.iter().position(has_nul) {
        Some(position) => Err(refused(
            position,
            &events[position].id,
            "has a NUL character in its ID, its table or its lead",
            "leave it out: PostgreSQL keeps no text with one",
        )),
        None => Ok(()),
    }
}

/// Whether there is a store.
pub(crate) fn is_there(address: &ServerAddress) -> Result<bool, StoreError> {
    let mut session = Session::connect(address, Purpose::Read)?;
    Ok(schema::look(&mut session, address)? == Found::Store)
}

/// Makes the tables of a store. One that is not `ready` is not there for others until
/// [`finish`]. What an import left that did not end is removed.
pub(crate) fn create(address: &ServerAddress, ready: bool) -> Result<(), StoreError> {
    let mut session = Session::connect(address, Purpose::Write)?;
    match schema::look(&mut session, address)? {
        Found::Store => {
            return Err(StoreError::SchemaExists {
                path: shown(address),
            });
        }
        Found::Nothing => {}
        Found::Unfinished => {
            if !schema::lock(&mut session, address)? {
                return Err(StoreError::InUse {
                    path: shown(address),
                });
            }
            schema::remove_unfinished(&mut session, address)?;
        }
    }
    schema::create(&mut session, address, ready)
}

/// An import has ended: the store is there.
pub(crate) fn finish(address: &ServerAddress) -> Result<(), StoreError> {
    let mut session = Session::connect(address, Purpose::Write)?;
    session
        .run("UPDATE state SET ready = true; ANALYZE events; ANALYZE ids")
        .map_err(|error| of_postgres(address, &error))
}

/// What a store has in memory when it is opened to read.
pub(crate) fn open_read(address: &ServerAddress, clock: Clock) -> Result<Shared, StoreError> {
    let mut session = Session::connect(address, Purpose::Read)?;
    check(&mut session, address, false)?;
    load(&mut session, address, clock)
}

/// What a store has in memory when it is opened to write, and the side that writes.
///
/// `unfinished`: the store of an import that has not ended yet.
pub(crate) fn open(
    address: &ServerAddress,
    clock: Clock,
    unfinished: bool,
) -> Result<(Arc<Shared>, ServerKeeper), StoreError> {
    let mut session = Session::connect(address, Purpose::Write)?;
    check(&mut session, address, unfinished)?;
    let begin = Instant::now();
    while !schema::lock(&mut session, address)? {
        if begin.elapsed() > GRACE {
            return Err(StoreError::InUse {
                path: shown(address),
            });
        }
        std::thread::sleep(GRACE / 20);
    }
    let writer = keeper::take_over(&mut session, address)?;
    let shared = Arc::new(load(&mut session, address, clock)?);
    let keeper = ServerKeeper::new(address.clone(), Arc::clone(&shared), session, writer);
    Ok((shared, keeper?))
}

/// Fails where there is no store.
fn check(
    session: &mut Session,
    address: &ServerAddress,
    unfinished: bool,
) -> Result<(), StoreError> {
    match schema::look(session, address)? {
        Found::Store => Ok(()),
        Found::Unfinished if unfinished => Ok(()),
        Found::Nothing | Found::Unfinished => Err(StoreError::Missing {
            path: shown(address),
        }),
    }
}

/// Reads the state, and which tables there are, as of one moment.
fn load(
    session: &mut Session,
    address: &ServerAddress,
    clock: Clock,
) -> Result<Shared, StoreError> {
    let error = |error| of_postgres(address, &error);
    let rows = session
        .query(
            "SELECT salt, reserved, last_seq, last_recorded, n_events, \
             ARRAY(SELECT name FROM tables ORDER BY id) FROM state",
            &[],
        )
        .map_err(error)?;
    let Some(row) = rows.first() else {
        return Err(StoreError::Missing {
            path: shown(address),
        });
    };
    let last_seq = row.get::<_, i64>(2).cast_unsigned();
    let visible = Visible {
        moments: Moments::new(row.get(3), row.get(1)),
        recent: Recent::default(),
        settled_seq: last_seq,
        n_settled: row.get::<_, i64>(4).cast_unsigned(),
        last_seq,
        tables: row
            .get::<_, Vec<String>>(5)
            .into_iter()
            .map(Into::into)
            .collect(),
    };
    let reads = Box::new(ServerReads::new(address.clone()));
    Ok(Shared::new(
        shown(address),
        clock,
        reads,
        (visible, row.get(0)),
    ))
}
