//! One connection, one transaction: all queries see the same moment, and a table is written wholly
//! or not at all.

use adbc_core::options::{
    AdbcVersion, IngestMode, OptionConnection, OptionDatabase, OptionStatement, OptionValue,
};
use adbc_core::{
    Connection as _, Database as _, Driver as _, LOAD_FLAG_DEFAULT, Optionable as _, Statement as _,
};
use adbc_driver_manager::{ManagedConnection, ManagedDriver, ManagedStatement};
use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use leadscore_core::hide_credentials;
use leadscore_io::{Frame, FrameError};

use crate::address::Address;
use crate::error::DatabaseError;

/// Connects and leaves again.
///
/// # Errors
///
/// [`DatabaseError`] where there is no driver, or the database refuses.
pub fn check(address: &Address) -> Result<(), DatabaseError> {
    Session::open(address).map(drop)
}

/// Reads the rows of queries, all in one transaction; each with the name that messages call it by.
///
/// # Errors
///
/// [`DatabaseError`]; a connection that is lost on the way is one.
pub fn read(address: &Address, queries: &[(&str, &str)]) -> Result<Vec<Frame>, DatabaseError> {
    let mut session = Session::open(address)?;
    if address.scheme() == "postgresql" {
        session.run(
            "cannot begin to read",
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
        )?;
    }
    queries
        .iter()
        .map(|(name, query)| session.query(name, query))
        .collect()
}

/// Writes rows into a table in one transaction: rows with the same keys are replaced, and a table
/// that is not there is made. Returns the number of rows written.
///
/// # Errors
///
/// [`DatabaseError`]; the table is then as it was before.
pub fn upsert(
    address: &Address,
    table: &str,
    keys: &[&str],
    rows: &Frame,
) -> Result<usize, DatabaseError> {
    let mut session = Session::open(address)?;
    let what = format!("cannot write into {table}");
    session.ingest(&what, rows)?;
    let target = quoted_path(table);
    let columns = rows
        .columns()
        .iter()
        .map(|column| quoted(column))
        .collect::<Vec<_>>()
        .join(", ");
    let same = |key: &&str| {
        let key = quoted(key);
        format!(
            "({STAGING}.{key} = {target}.{key} OR ({STAGING}.{key} IS NULL AND {target}.{key} IS NULL))"
        )
    };
    let same = keys.iter().map(same).collect::<Vec<_>>().join(" AND ");
    for statement in [
        format!("CREATE TABLE IF NOT EXISTS {target} AS SELECT * FROM {STAGING} WHERE 1 = 0"),
        format!("DELETE FROM {target} WHERE EXISTS (SELECT 1 FROM {STAGING} WHERE {same})"),
        format!("INSERT INTO {target} ({columns}) SELECT {columns} FROM {STAGING}"),
        format!("DROP TABLE {STAGING}"),
    ] {
        session.run(&what, &statement)?;
    }
    session
        .connection
        .commit()
        .map_err(|error| session.refused(&what, &error))?;
    Ok(rows.n_rows())
}

/// A temporary table that rows wait in; gone with the transaction's end.
const STAGING: &str = "leadscore_staging";

/// An open transaction; dropped before it is committed, it leaves nothing behind.
struct Session<'a> {
    address: &'a Address,
    connection: ManagedConnection,
}

impl<'a> Session<'a> {
    fn open(address: &'a Address) -> Result<Self, DatabaseError> {
        // Drivers are libraries, which a program without the system's loader cannot load.
        if cfg!(all(target_env = "musl", target_feature = "crt-static")) {
            return Err(DatabaseError::StaticBuild);
        }
        let mut driver = ManagedDriver::load_from_name(
            address.driver(),
            None,
            AdbcVersion::V110,
            LOAD_FLAG_DEFAULT,
            None,
        )
        .map_err(|error| {
            let said = hide_credentials(error.message.lines().next().unwrap_or_default());
            DatabaseError::Driver {
                driver: hide_credentials(address.driver()),
                scheme: address.scheme().to_owned(),
                said,
            }
        })?;
        let what = format!("cannot connect to {}", address.shown());
        let refused = |error: adbc_core::error::Error| refused(address, &what, &error);
        let database = driver
            .new_database_with_opts([(OptionDatabase::Uri, OptionValue::from(address.expose()))])
            .map_err(refused)?;
        let mut connection = database.new_connection().map_err(refused)?;
        connection
            .set_option(OptionConnection::AutoCommit, OptionValue::from("false"))
            .map_err(refused)?;
        Ok(Self {
            address,
            connection,
        })
    }

    fn refused(&self, what: &str, error: &adbc_core::error::Error) -> DatabaseError {
        refused(self.address, what, error)
    }

    fn statement(&mut self, what: &str, text: &str) -> Result<ManagedStatement, DatabaseError> {
        let mut statement = self
            .connection
            .new_statement()
            .map_err(|error| refused(self.address, what, &error))?;
        statement
            .set_sql_query(text)
            .map_err(|error| refused(self.address, what, &error))?;
        Ok(statement)
    }

    fn run(&mut self, what: &str, text: &str) -> Result<(), DatabaseError> {
        self.statement(what, text)?
            .execute_update()
            .map(drop)
            .map_err(|error| self.refused(what, &error))
    }

    fn query(&mut self, name: &str, text: &str) -> Result<Frame, DatabaseError> {
        let what = format!(
            "cannot read the query of {name} from {}",
            self.address.shown()
        );
        let mut statement = self.statement(&what, text)?;
        let reader = statement
            .execute()
            .map_err(|error| self.refused(&what, &error))?;
        let mut stream = FFI_ArrowArrayStream::new(reader);
        // SAFETY: the stream is made here by Arrow's own library, nobody else reads it, and it
        // outlives the call.
        #[expect(unsafe_code, reason = "two libraries meet at Arrow's C interface")]
        let frame = unsafe { Frame::from_stream((&raw mut stream).cast()) };
        frame.map_err(|source| self.frame_error(what, source))
    }

    /// What a query gave is no table; or the driver failed in the middle of it, whose words are
    /// then among the error's.
    fn frame_error(&self, what: String, source: FrameError) -> DatabaseError {
        let text = chain(&source);
        let said = self.address.without_secrets(&text);
        if said == text {
            DatabaseError::Frame { what, source }
        } else {
            DatabaseError::Refused { what, said }
        }
    }

    /// Puts rows into a temporary table.
    fn ingest(&mut self, what: &str, rows: &Frame) -> Result<(), DatabaseError> {
        let refused = |error: adbc_core::error::Error| refused(self.address, what, &error);
        let frame_error = |source| DatabaseError::Frame {
            what: what.to_owned(),
            source,
        };
        let mut stream = rows.to_compatible_stream().map_err(frame_error)?;
        // SAFETY: both are the same struct of the C stream interface; the reader takes the stream's
        // content and leaves it released.
        #[expect(unsafe_code, reason = "two libraries meet at Arrow's C interface")]
        let reader = unsafe { RecordBatchStreamReader::from_raw((&raw mut stream).cast()) };
        let reader = reader.map_err(|error| DatabaseError::Refused {
            what: what.to_owned(),
            said: self.address.without_secrets(&error.to_string()),
        })?;
        let mut statement = self.connection.new_statement().map_err(refused)?;
        statement
            .set_option(OptionStatement::TargetTable, OptionValue::from(STAGING))
            .map_err(refused)?;
        statement
            .set_option(
                OptionStatement::IngestMode,
                OptionValue::from(IngestMode::Create),
            )
            .map_err(refused)?;
        statement
            .set_option(OptionStatement::Temporary, OptionValue::from("true"))
            .map_err(refused)?;
        statement.bind_stream(Box::new(reader)).map_err(refused)?;
        statement.execute_update().map(drop).map_err(refused)
    }
}

fn refused(address: &Address, what: &str, error: &adbc_core::error::Error) -> DatabaseError {
    DatabaseError::Refused {
        what: what.to_owned(),
        said: indented(&address.without_secrets(error.message.trim())),
    }
}

/// What a driver says in several lines, these below our own.
fn indented(said: &str) -> String {
    said.lines().collect::<Vec<_>>().join("\n  ")
}

/// An error with what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(error.source(), |cause| cause.source())
        .fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A table, perhaps with its schema.
fn quoted_path(table: &str) -> String {
    table.split('.').map(quoted).collect::<Vec<_>>().join(".")
}
