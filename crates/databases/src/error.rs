//! What can be wrong with a database.

use leadscore_io::{FrameError, SecretPlaceError};

/// A database that cannot be reached, read or written. No message holds a password.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The address is not where the config says.
    #[error(transparent)]
    Secret(#[from] SecretPlaceError),
    /// What stands there is no URI, and no driver is named that may read it.
    #[error(
        "`uri` of {place} has no scheme\n  hint: write such as \"postgresql://host/database\", \"env:NAME\" or \"file:PATH\", or name the `driver` that reads it as it is"
    )]
    Scheme {
        /// The table or section of the config.
        place: String,
    },
    /// This program loads no libraries.
    #[error(
        "this is the static build, which cannot load the driver of a database\n  hint: use the command of the Python package (`pip install leadscore`), or export the table to a file"
    )]
    StaticBuild,
    /// The driver is not there.
    #[error(
        "there is no ADBC driver `{driver}` ({said})\n  hint: `pip install adbc-driver-{scheme}` brings one; name its library as `driver`, or put its folder into ADBC_DRIVER_PATH"
    )]
    Driver {
        /// The driver.
        driver: String,
        /// What the URI begins with.
        scheme: String,
        /// What the driver manager said.
        said: String,
    },
    /// The database refused, or went away.
    #[error("{what}: {said}")]
    Refused {
        /// What was tried, with the address.
        what: String,
        /// What the driver said, without secrets.
        said: String,
    },
    /// What a query gave is no table.
    #[error("{what}")]
    Frame {
        /// The query.
        what: String,
        /// Why.
        #[source]
        source: FrameError,
    },
}
