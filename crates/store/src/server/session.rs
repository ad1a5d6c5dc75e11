//! A connection to PostgreSQL, with the settings that durability and order depend on, set and read
//! back.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use postgres::config::TargetSessionAttrs;
use postgres::error::SqlState;
use postgres::types::ToSql;
use postgres::{Client, NoTls, Row, Statement};

use super::address::{Encryption, ServerAddress};
use super::tls;
use crate::error::{ServerFailure, StoreError};

/// How long a host may take to answer a connection.
const CONNECT: Duration = Duration::from_secs(3);
/// After how long a connection over which nothing comes back is given up.
const SILENCE: Duration = Duration::from_secs(15);

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It writes, alone.
    Write,
    /// It reads what others write.
    Read,
}

/// A connection, and the statements that were prepared for it.
pub(super) struct Session {
    client: Client,
    statements: HashMap<&'static str, Statement>,
}

impl Session {
    /// Connects, and makes sure that the server keeps what it acknowledges.
    pub(super) fn connect(address: &ServerAddress, purpose: Purpose) -> Result<Self, StoreError> {
        let mut config = address.config.clone();
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        if config.get_application_name().is_none() {
            config.application_name("leadscore");
        }
        config
            .keepalives_idle(SILENCE)
            .keepalives_interval(SILENCE / 3)
            .keepalives_retries(3)
            .tcp_user_timeout(SILENCE);
        if purpose == Purpose::Write && config.get_hosts().len() > 1 {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        // Notices of the server are for nobody here.
        config.notice_callback(|_| {});
        let client = match &address.encryption {
            Encryption::None => config.connect(NoTls),
            Encryption::Tls(roots) => config.connect(tls::connector(roots.as_deref())?),
        };
        let client = client.map_err(|error| of_postgres(address, &error))?;
        let mut session = Self {
            client,
            statements: HashMap::new(),
        };
        session.set(address, purpose)?;
        Ok(session)
    }

    /// Sets what later statements depend on.
    fn set(&mut self, address: &ServerAddress, purpose: Purpose) -> Result<(), StoreError> {
        let schema = address.schema();
        let mut settings = format!(
            "SET search_path = \"{schema}\", pg_temp; SET synchronous_commit = on; \
             SET statement_timeout = 0; SET lock_timeout = '10s'; SET row_security = off; \
             SET default_transaction_isolation = 'read committed'; SET jit = off;"
        );
        // A table that was filled a moment ago has no statistics yet. Its indexes are what all
        // statements were made for.
        settings.push_str(
            "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off;",
        );
        settings.push_str(match purpose {
            Purpose::Write => "SET default_transaction_read_only = off;",
            Purpose::Read => "SET default_transaction_read_only = on;",
        });
        self.client
            .batch_execute(&settings)
            .map_err(|error| of_postgres(address, &error))?;
        for (setting, wanted) in [
            ("synchronous_commit", "on"),
            ("fsync", "on"),
            ("server_encoding", "UTF8"),
        ] {
            let found: String = self
                .client
                .query_one(&format!("SHOW {setting}"), &[])
                .map_err(|error| of_postgres(address, &error))?
                .get(0);
            if found != wanted {
                return Err(StoreError::ServerSetting {
                    path: shown(address),
                    setting,
                    wanted,
                    found,
                });
            }
        }
        Ok(())
    }

    /// Runs statements that have no parameters.
    pub(super) fn run(&mut self, statements: &str) -> Result<(), postgres::Error> {
        self.client.batch_execute(statements)
    }

    /// Rows of a statement, which is prepared once.
    pub(super) fn query(
        &mut self,
        statement: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, postgres::Error> {
        let prepared = match self.statements.entry(statement) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(self.client.prepare(statement)?),
        };
        self.client.query(&*prepared, parameters)
    }

    /// The client, for transactions.
    pub(super) fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// Whether the server answers.
    pub(super) fn is_alive(&mut self) -> bool {
        self.client.is_valid(SILENCE).is_ok()
    }

    /// Whether the connection is broken, as far as is known.
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }
}

/// What may be told of an address, as messages have places.
pub(super) fn shown(address: &ServerAddress) -> PathBuf {
    PathBuf::from(address.to_string())
}

/// Whether an error may be one of the connection alone, so that nobody knows what became of a
/// statement.
pub(super) fn is_of_connection(error: &postgres::Error) -> bool {
    match error.code() {
        None => true,
        Some(code) => {
            code.code().starts_with("08") || code.code().starts_with("57P") || {
                *code == SqlState::TOO_MANY_CONNECTIONS
                    || *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
            }
        }
    }
}

/// What an error of PostgreSQL means for whoever has the store.
pub(super) fn of_postgres(address: &ServerAddress, error: &postgres::Error) -> StoreError {
    let path = shown(address);
    let source = Arc::new(failure(address, error));
    let Some(code) = error.code() else {
        return StoreError::Unreachable { path, source };
    };
    if is_of_connection(error) {
        StoreError::Unreachable { path, source }
    } else if *code == SqlState::DISK_FULL {
        StoreError::Full { path }
    } else if [
        SqlState::INVALID_PASSWORD,
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
        SqlState::INVALID_CATALOG_NAME,
    ]
    .contains(code)
    {
        StoreError::Denied { path, source }
    } else if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        StoreError::NoRight { path, source }
    } else if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        StoreError::Standby { path }
    } else {
        StoreError::Server { path, source }
    }
}

/// What PostgreSQL or the connection says, without secrets.
pub(super) fn failure(address: &ServerAddress, error: &postgres::Error) -> ServerFailure {
    let text = match error.as_db_error() {
        Some(error) => error.message().to_owned(),
        None => std::iter::successors(Some(error as &dyn std::error::Error), |e| e.source())
            .last()
            .map_or_else(String::new, ToString::to_string),
    };
    ServerFailure::new(address.without_secrets(&text))
}
