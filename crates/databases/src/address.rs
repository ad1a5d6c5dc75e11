//! Where a database is, and what may be said of it.

use std::path::Path;

use crate::error::DatabaseError;

/// The address of a database. Its password, if any, comes from the environment or a file that others cannot read, and stays
/// here.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    uri: String,
    scheme: String,
    driver: String,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Address({})", self.shown())
    }
}

impl Address {
    /// Resolves a URI of the config: `postgresql://…` without a password, `env:NAME`, or `file:PATH` relative to `folder`.
    ///
    /// The driver is called as its scheme asks for, unless one is named.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`], naming the `place` in the config.
    pub fn resolve(uri: &str, driver: Option<&str>, folder: &Path, place: &str) -> Result<Self, DatabaseError> {
        let place = place.to_owned();
        let uri = if let Some(variable) = uri.strip_prefix("env:") {
            std::env::var(variable).map_err(|_| DatabaseError::Variable { place: place.clone(), variable: variable.to_owned() })?
        } else if let Some(path) = uri.strip_prefix("file:") {
            let path = folder.join(path);
            let error = |source| DatabaseError::File { place: place.clone(), path: path.clone(), source };
            let metadata = std::fs::metadata(&path).map_err(error)?;
            if is_open_to_others(&metadata) {
                return Err(DatabaseError::Readable { place, path });
            }
            std::fs::read_to_string(&path).map_err(error)?.trim().to_owned()
        } else if password_of(uri).is_some() {
            return Err(DatabaseError::Password { place });
        } else {
            uri.to_owned()
        };
        let Some((scheme, _)) = uri.split_once(':').filter(|(scheme, _)| !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric())) else {
            return Err(DatabaseError::Scheme { place });
        };
        let scheme = if scheme == "postgres" { "postgresql" } else { scheme }.to_owned();
        let driver = driver.map_or_else(|| format!("adbc_driver_{scheme}"), str::to_owned);
        Ok(Self { uri, scheme, driver })
    }

    pub(crate) fn uri(&self) -> &str {
        &self.uri
    }

    pub(crate) fn scheme(&self) -> &str {
        &self.scheme
    }

    pub(crate) fn driver(&self) -> &str {
        &self.driver
    }

    /// The address without its password.
    pub fn shown(&self) -> String {
        self.without_secrets(&self.uri)
    }

    /// A text in which the password reads as dots.
    pub(crate) fn without_secrets(&self, text: &str) -> String {
        password_of(&self.uri).map_or_else(|| text.to_owned(), |password| text.replace(password, "…"))
    }
}

/// The password within a URI: between user and host, or as a parameter.
fn password_of(uri: &str) -> Option<&str> {
    let within = uri.split_once("://").and_then(|(_, rest)| {
        let authority = rest.split(['/', '?']).next().unwrap_or(rest);
        authority.rsplit_once('@').and_then(|(user, _)| user.split_once(':')).map(|(_, password)| password)
    });
    let parameter = || uri.split(['?', '&', ' ']).find_map(|part| part.strip_prefix("password="));
    within.or_else(parameter).filter(|password| !password.is_empty())
}

#[cfg(unix)]
fn is_open_to_others(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_: &std::fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(uri: &str, expected: Option<&str>) {
        assert_eq!(password_of(uri), expected);
    }

    #[test]
    fn passwords_are_found_wherever_they_stand() {
        check("postgresql://ann@db.example/crm", None);
        check("postgresql://ann:s3cret@db.example/crm", Some("s3cret"));
        check("postgresql://ann:with@sign@db.example:5432/crm", Some("with@sign"));
        check("postgresql://db.example:5432/crm", None);
        check("postgresql://db.example/crm?user=ann&password=s3cret&sslmode=require", Some("s3cret"));
        check("sqlite:crm.db", None);
    }

    #[test]
    fn a_password_is_never_shown_and_never_in_the_config() {
        let resolve = |uri: &str| Address::resolve(uri, None, Path::new("."), "[database]");
        let error = resolve("postgresql://ann:s3cret@db.example/crm").expect_err("a password");
        assert!(error.to_string().contains("[database]") && !error.to_string().contains("s3cret"), "{error}");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("crm.uri");
        std::fs::write(&path, "postgresql://ann:s3cret@db.example/crm\n").expect("room");
        let read = || Address::resolve("file:crm.uri", None, folder.path(), "[database]");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("the owner may");
            assert!(matches!(read(), Err(DatabaseError::Readable { .. })));
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("the owner may");
        }
        let address = read().expect("a URI");
        assert_eq!((address.shown().as_str(), address.driver()), ("postgresql://ann:…@db.example/crm", "adbc_driver_postgresql"));
        assert!(!format!("{address:?}").contains("s3cret"));
        assert!(matches!(resolve("env:LEADSCORE_NO_SUCH_VARIABLE"), Err(DatabaseError::Variable { .. })));
        assert!(matches!(resolve("crm"), Err(DatabaseError::Scheme { .. })));
    }
}
