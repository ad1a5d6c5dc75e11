//! Where a database is, and what may be said of it.

use std::path::Path;

use leadscore_core::SecretUri;
use leadscore_io::secret_uri;

use crate::error::DatabaseError;

/// The address of a database. Its password, if any, comes from the environment or a file that
/// others cannot read, and stays here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    uri: SecretUri,
    scheme: String,
    driver: String,
}

impl Address {
    /// Resolves a URI of the config: `postgresql://…` without a password, `env:NAME`, or
    /// `file:PATH` relative to `folder`.
    ///
    /// The driver is called as its scheme asks for, unless one is named.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`], naming the `place` in the config.
    pub fn resolve(
        uri: &SecretUri,
        driver: Option<&str>,
        folder: &Path,
        place: &str,
    ) -> Result<Self, DatabaseError> {
        let uri = secret_uri(uri, folder, "uri", place)?;
        let place = place.to_owned();
        // Without a driver's name its own is made of the scheme, which must then be one: what
        // stands before the first `:` may else be anything.
        let scheme = match (uri.scheme(), driver) {
            (Some("postgres"), _) => "postgresql",
            (Some(scheme), _) => scheme,
            (None, Some(_)) if !uri.expose().is_empty() => "…",
            (None, _) => return Err(DatabaseError::Scheme { place }),
        };
        let driver = driver.map_or_else(|| format!("adbc_driver_{scheme}"), str::to_owned);
        Ok(Self {
            scheme: scheme.to_owned(),
            uri,
            driver,
        })
    }

    /// The address for the driver, and for nobody else.
    pub(crate) fn expose(&self) -> &str {
        self.uri.expose()
    }

    pub(crate) fn scheme(&self) -> &str {
        &self.scheme
    }

    pub(crate) fn driver(&self) -> &str {
        &self.driver
    }

    /// What may be told of the address: no user, no password, no parameter.
    pub fn shown(&self) -> String {
        self.uri.shown()
    }

    /// What a driver says, without what the address has that is secret. Where it could be read in
    /// more ways than one, nobody knows which part of a password the driver takes for a host, and
    /// shows.
    pub(crate) fn without_secrets(&self, text: &str) -> String {
        if self.uri.is_ambiguous() {
            return "what the driver says is not shown, since parts of the password may be in it: write /, ?, #, @, & and the like in the user, the password and parameters as %2F, %3F, %23, %40, %26".to_owned();
        }
        self.uri.hide_in(text)
    }
}

#[cfg(test)]
mod tests {
    use leadscore_io::SecretPlaceError;

    use super::*;

    fn resolve(uri: &str) -> Result<Address, DatabaseError> {
        Address::resolve(
            &SecretUri::from(uri.to_owned()),
            None,
            Path::new("."),
            "[database]",
        )
    }

    #[track_caller]
    fn check_refused(uri: &str, expected: &str) {
        let error = resolve(uri).expect_err("it has a password");
        assert!(
            error.to_string().contains("[database]") && error.to_string().contains(expected),
            "{error}"
        );
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
    }

    #[test]
    fn a_password_in_the_config_is_refused_and_not_repeated() {
        check_refused("postgresql://ann:s3cret@db.example/crm", "has a password");
        check_refused(
            "postgresql://ann:s3c/s3cret@db.example/crm",
            "has a password",
        );
        check_refused(
            "postgresql://db.example/crm?sslpassword=s3cret",
            "has a password",
        );
        check_refused(
            "postgresql://db.example/crm?%70assword=s3cret",
            "has a password",
        );
        check_refused("host=db.example password=s3cret", "has a password");
        check_refused("ann:s3cret@account/crm", "has a password");
        check_refused(
            "env:postgresql://ann:s3cret@db.example/crm",
            "names no environment variable",
        );
        check_refused("env:ann:s3cret@db.example", "names no environment variable");
        check_refused(
            "file:postgresql://ann:s3cret@db.example/crm",
            "names no file",
        );
        check_refused("file:ann:s3cret@db.example", "names no file");
        check_refused("s3cret:hunter", "has no scheme");
        check_refused("s3cret", "has no scheme");
    }

    #[test]
    fn a_password_of_a_file_is_never_shown() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("crm.uri");
        std::fs::write(&path, "postgresql://ann:s3cret@db.example/crm\n").expect("room");
        let read = || {
            Address::resolve(
                &SecretUri::from("file:crm.uri".to_owned()),
                None,
                folder.path(),
                "[database]",
            )
        };
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644))
                .expect("the owner may");
            assert!(matches!(
                read(),
                Err(DatabaseError::Secret(SecretPlaceError::Readable { .. }))
            ));
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))
                .expect("the owner may");
        }
        let address = read().expect("a URI");
        assert_eq!(
            (address.shown().as_str(), address.driver()),
            ("postgresql://…@db.example/crm", "adbc_driver_postgresql")
        );
        assert!(!format!("{address:?}").contains("s3cret"));
        assert_eq!(
            address.without_secrets("user \"ann\" with s3cret"),
            "user \"…\" with …"
        );
        std::fs::write(&path, "postgresql://ann:s3c/s3cret@db.example/crm\n").expect("room");
        assert!(
            read()
                .expect("a URI")
                .without_secrets("port s3c")
                .starts_with("what the driver says is not shown")
        );
        assert!(matches!(
            resolve("env:LEADSCORE_NO_SUCH_VARIABLE"),
            Err(DatabaseError::Secret(SecretPlaceError::Variable { .. }))
        ));
    }
}
