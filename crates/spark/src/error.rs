//! What can go wrong with an engine elsewhere.

/// A statement that an engine did not run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// No address, or one that must not be used.
    #[error("{why}")]
    Address {
        /// Why.
        why: String,
    },
    /// Nobody answers there.
    #[error("no engine answers at {address}: {why}\n  hint: {help}")]
    Unreachable {
        /// Where.
        address: String,
        /// What the network says.
        why: String,
        /// What to look at.
        help: &'static str,
    },
    /// It answers, and does not let us in.
    #[error(
        "{address} refuses: {why}\n  hint: check SPARK_CONNECT_AUTHENTICATE_TOKEN, or the address in the variable that --connect names"
    )]
    Refused {
        /// Where.
        address: String,
        /// What it says.
        why: String,
    },
    /// The engine failed at a statement.
    #[error("{address} failed while {doing}: {why}\nthe statement begins: {statement}")]
    Failed {
        /// Where.
        address: String,
        /// What was being done.
        doing: String,
        /// What the engine says.
        why: String,
        /// The beginning of the statement.
        statement: String,
    },
    /// The connection went and did not come back.
    #[error(
        "the connection to {address} was lost while {doing}, and did not come back in {seconds} seconds: {why}"
    )]
    Lost {
        /// Where.
        address: String,
        /// What was being done.
        doing: String,
        /// How long it was tried.
        seconds: u64,
        /// What the network says.
        why: String,
    },
    /// The user stopped it; the engine was told to stop, too.
    #[error("interrupted; {address} was told to stop, too")]
    Interrupted {
        /// Where.
        address: String,
    },
    /// Fewer or more rows than the engine said.
    #[error("{address} sent {} while {doing}, and announced {expected}", leadscore_core::counted(*found, "row"))]
    Rows {
        /// Where.
        address: String,
        /// What was being done.
        doing: String,
        /// Rows that came.
        found: i64,
        /// Rows that it spoke of.
        expected: i64,
    },
    /// This machine cannot wait for a network.
    #[error("cannot start waiting for the network: {0}")]
    Runtime(String),
}
