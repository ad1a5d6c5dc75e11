//! What can be wrong with a database.

use std::path::PathBuf;

use leadscore_io::FrameError;

/// A database that cannot be reached, read or written. No message holds a password.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The config itself holds a password, and configs are shared.
    #[error(
        "`uri` of {place} has a password, a token or the like in it, and a config is read by many\n  hint: put the whole URI into an environment variable and write uri = \"env:NAME\""
    )]
    Password {
        /// The table or section of the config.
        place: String,
    },
    /// The environment has no such variable.
    #[error(
        "`uri` of {place} is the environment variable {variable}, which is not set\n  hint: set it where the command runs"
    )]
    Variable {
        /// The table or section of the config.
        place: String,
        /// The variable.
        variable: String,
    },
    /// What stands behind `env:` cannot be the name of a variable; it is not repeated, since it may
    /// be a URI with a password.
    #[error(
        "`uri` of {place} names no environment variable\n  hint: write the variable's name alone, such as uri = \"env:CRM_URI\", and put the URI into the variable"
    )]
    VariableName {
        /// The table or section of the config.
        place: String,
    },
    /// What stands behind `file:` is a URI, or looks like one; it is not repeated.
    #[error(
        "`uri` of {place} names no file\n  hint: write the file's path alone, such as uri = \"file:crm.uri\", and put the URI into the file"
    )]
    FileName {
        /// The table or section of the config.
        place: String,
    },
    /// The file with the URI cannot be read.
    #[error("`uri` of {place} is in {}, which cannot be read", path.display())]
    File {
        /// The table or section of the config.
        place: String,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Others can read the file with the URI.
    #[error("`uri` of {place} is in {}, which others can read\n  hint: chmod 600 it", path.display())]
    Readable {
        /// The table or section of the config.
        place: String,
        /// The file.
        path: PathBuf,
    },
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
