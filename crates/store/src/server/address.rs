//! Where a store in PostgreSQL is: an address, of which nothing secret is told.

use std::path::PathBuf;

use leadscore_core::SecretUri;
use postgres::Config;
use postgres::config::{Host, SslMode};
use url::form_urlencoded;

/// The schema of a store, where the address names none.
const SCHEMA: &str = "leadscore";
/// Bytes of a name, as PostgreSQL has them.
const MAX_NAME: usize = 63;

/// Where a store in PostgreSQL is: `postgresql://USER@HOST/DATABASE`, with these parameters of our
/// own beside those of PostgreSQL.
///
/// - `schema`: the schema of the store, default `leadscore`.
/// - `sslmode`: `disable`; or `verify-full`, as which `require` and `verify-ca` are taken, too.
///   Default: `disable` for sockets and the own machine, `verify-full` for other hosts.
/// - `sslrootcert`: a file of certificates in PEM that are trusted, in place of the system's.
#[derive(Clone)]
pub struct ServerAddress {
    uri: SecretUri,
    schema: String,
    pub(super) config: Config,
    pub(super) encryption: Encryption,
}

/// How a connection is kept from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Encryption {
    /// Not at all.
    None,
    /// By TLS, with certificates that the system trusts, or those of a file.
    Tls(Option<PathBuf>),
}

/// Why an address is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is of something else.
    #[error("it is no address of PostgreSQL\n  hint: write postgresql://HOST/DATABASE?user=USER")]
    Scheme,
    /// It cannot be taken apart.
    #[error(
        "the address of PostgreSQL cannot be read\n  hint: write postgresql://HOST/DATABASE?user=USER, with /, ?, #, @, & and % in names and passwords as %2F, %3F, %23, %40, %26 and %25"
    )]
    Unreadable,
    /// It names no host.
    #[error(
        "the address of PostgreSQL names no host\n  hint: write postgresql://HOST/DATABASE?user=USER, or ?host=/FOLDER for a socket"
    )]
    NoHost,
    /// It names no database.
    #[error(
        "the address of PostgreSQL names no database\n  hint: write postgresql://HOST/DATABASE?user=USER"
    )]
    NoDatabase,
    /// The name of the schema needs quotation marks.
    #[error(
        "`schema` of the address of PostgreSQL is no plain name\n  hint: use lower-case letters, digits and _, such as schema=leadscore; names that start with pg_ belong to PostgreSQL"
    )]
    Schema,
    /// A mode that may or may not encrypt, or none at all.
    #[error(
        "`sslmode` of the address of PostgreSQL is neither disable nor verify-full\n  hint: the modes allow and prefer may send a password unencrypted; leave it out, and other hosts are asked for TLS"
    )]
    SslMode,
    /// Certificates, but nothing is encrypted.
    #[error(
        "`sslrootcert` of the address of PostgreSQL has no use with sslmode=disable\n  hint: write sslmode=verify-full"
    )]
    NoUse,
}

impl ServerAddress {
    /// Whether a text is meant as an address of PostgreSQL.
    pub fn is_meant(text: &str) -> bool {
        ["postgresql:", "postgres:"]
            .iter()
            .any(|scheme| text.trim_start().starts_with(scheme))
    }

    /// Reads an address.
    ///
    /// # Errors
    ///
    /// [`AddressError`]; it has nothing of the address in it.
    pub fn parse(uri: &SecretUri) -> Result<Self, AddressError> {
        let text = uri.expose().trim();
        if !matches!(uri.scheme(), Some("postgresql" | "postgres")) || !text.contains("://") {
            return Err(AddressError::Scheme);
        }
        let (place, query) = text.split_once('?').unwrap_or((text, ""));
        let mut others = form_urlencoded::Serializer::new(String::new());
        let (mut schema, mut mode, mut roots) = (SCHEMA.to_owned(), None, None);
        for (name, value) in form_urlencoded::parse(query.replace('+', "%2B").as_bytes()) {
            match &*name {
                "schema" => schema = value.into_owned(),
                "sslmode" => mode = Some(value.into_owned()),
                "sslrootcert" => roots = Some(PathBuf::from(&*value)),
                _ => drop(others.append_pair(&name, &value)),
            }
        }
        if !is_plain(&schema) {
            return Err(AddressError::Schema);
        }
        let others = others.finish().replace('+', "%20");
        let mark = if others.is_empty() { "" } else { "?" };
        let mut config: Config = format!("{place}{mark}{others}")
            .parse()
            .map_err(|_| AddressError::Unreadable)?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(AddressError::NoHost);
        }
        if config.get_dbname().is_none_or(str::is_empty) {
            return Err(AddressError::NoDatabase);
        }
        let encryption = match (mode.as_deref(), roots) {
            (Some("disable"), Some(_)) => return Err(AddressError::NoUse),
            (Some("disable"), None) => Encryption::None,
            (Some("require" | "verify-ca" | "verify-full"), roots) => Encryption::Tls(roots),
            (None, None) if is_own_machine(&config) => Encryption::None,
            (None, roots) => Encryption::Tls(roots),
            (Some(_), _) => return Err(AddressError::SslMode),
        };
        config.ssl_mode(match encryption {
            Encryption::None => SslMode::Disable,
            Encryption::Tls(_) => SslMode::Require,
        });
        Ok(Self {
            uri: SecretUri::from(text.to_owned()),
            schema,
            config,
            encryption,
        })
    }

    /// The schema of the store.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// What PostgreSQL says, without what the address has that is secret.
    pub(super) fn without_secrets(&self, text: &str) -> String {
        if self.uri.is_ambiguous() {
            return "what PostgreSQL says is not shown, since parts of the password may be in it"
                .to_owned();
        }
        let mut shown = self.uri.hide_in(text);
        let secrets = [
            self.config.get_user().map(str::to_owned),
            self.config
                .get_password()
                .map(|bytes| String::from_utf8_lossy(bytes).into_owned()),
        ];
        for secret in secrets.into_iter().flatten() {
            // A short one is in every word.
            if secret.len() > 1 {
                shown = shown.replace(&secret, "…");
            }
        }
        shown
    }
}

/// All of it was read from the text.
impl PartialEq for ServerAddress {
    fn eq(&self, other: &Self) -> bool {
        self.uri == other.uri
    }
}

impl Eq for ServerAddress {}

impl std::fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} in {}", self.schema, self.uri.shown())
    }
}

impl std::fmt::Debug for ServerAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ServerAddress({self})")
    }
}

/// Whether a name needs no quotation marks, and is not PostgreSQL's own.
fn is_plain(name: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_lowercase() || c == '_';
    name.starts_with(is_letter)
        && name.len() <= MAX_NAME
        && name.chars().all(|c| is_letter(c) || c.is_ascii_digit())
        && !name.starts_with("pg_")
        && name != "information_schema"
}

/// Whether nothing leaves the machine.
fn is_own_machine(config: &Config) -> bool {
    let of_host = config.get_hosts().iter().all(|host| match host {
        #[cfg(unix)]
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost"
                || name
                    .parse::<std::net::IpAddr>()
                    .is_ok_and(|ip| ip.is_loopback())
        }
    });
    of_host && config.get_hostaddrs().iter().all(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(uri: &str) -> Result<ServerAddress, AddressError> {
        ServerAddress::parse(&SecretUri::from(uri.to_owned()))
    }

    #[track_caller]
    fn check(uri: &str, schema: &str, encryption: Encryption) {
        let address = parse(uri).expect("an address");
        assert_eq!(
            (address.schema.as_str(), &address.encryption),
            (schema, &encryption)
        );
        for shown in [address.to_string(), format!("{address:?}")] {
            assert!(
                !shown.contains("s3cret") && !shown.contains("ann"),
                "{shown}"
            );
        }
    }

    #[test]
    fn other_hosts_are_asked_for_tls() {
        check(
            "postgresql://ann:s3cret@localhost/crm",
            "leadscore",
            Encryption::None,
        );
        check(
            "postgres://ann@127.0.0.1:5433/crm",
            "leadscore",
            Encryption::None,
        );
        check("postgresql://ann@[::1]/crm", "leadscore", Encryption::None);
        check(
            "postgresql://%2Fsockets%2Fpg/crm?user=ann",
            "leadscore",
            Encryption::None,
        );
        check(
            "postgresql:///crm?host=/sockets/pg&user=ann&schema=a_1",
            "a_1",
            Encryption::None,
        );
        check(
            "postgresql://ann@db.example/crm",
            "leadscore",
            Encryption::Tls(None),
        );
        check(
            "postgresql://ann@localhost,db.example/crm",
            "leadscore",
            Encryption::Tls(None),
        );
        check(
            "postgresql://ann@localhost/crm?sslmode=require",
            "leadscore",
            Encryption::Tls(None),
        );
        check(
            "postgresql://ann@db.example/crm?sslrootcert=/ca.pem&application_name=x",
            "leadscore",
            Encryption::Tls(Some(PathBuf::from("/ca.pem"))),
        );
        check(
            "postgresql://ann@db.example/crm?sslmode=disable",
            "leadscore",
            Encryption::None,
        );
        check(
            "postgresql://ann@h/crm?password=s3cret&sslmode=disable",
            "leadscore",
            Encryption::None,
        );
    }

    #[track_caller]
    fn refused(uri: &str, expected: AddressError) {
        assert_eq!(parse(uri).expect_err("it is none"), expected);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        refused("mysql://ann@db/crm", AddressError::Scheme);
        refused("postgresql:crm", AddressError::Scheme);
        refused("host=db dbname=crm", AddressError::Scheme);
        refused("postgresql://ann@db:no/crm", AddressError::Unreadable);
        refused("postgresql://ann@db/crm?nobody=1", AddressError::Unreadable);
        refused("postgresql:///crm", AddressError::NoHost);
        refused("postgresql://ann@db", AddressError::NoDatabase);
        refused("postgresql://ann@db/", AddressError::NoDatabase);
        for schema in [
            "",
            "Leads",
            "a b",
            "a;drop",
            "pg_x",
            "1a",
            "ä",
            &"x".repeat(64),
        ] {
            refused(
                &format!("postgresql://db/crm?schema={schema}"),
                AddressError::Schema,
            );
        }
        refused("postgresql://db/crm?sslmode=prefer", AddressError::SslMode);
        refused(
            "postgresql://db/crm?sslmode=disable&sslrootcert=x",
            AddressError::NoUse,
        );
    }
}
