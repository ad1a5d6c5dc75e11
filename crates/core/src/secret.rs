//! Secrets, and addresses that may have one: types that cannot be shown, and what may be told of
//! them.

use serde::Deserialize;

/// A text that must not be seen, such as a token: it has no `Display`, its `Debug` says nothing of
/// it, and it is not serialized.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Secret {
    /// The text itself, for whoever it is meant for: a driver, a server.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// A text in which the secret reads as `…`: as it is, with and without percent-encoding, and
    /// its parts of some length.
    pub fn hide_in(&self, text: &str) -> String {
        hidden(text, &[self.0.as_str()])
    }
}

/// An address, such as a URI of a database, that may have a user, a password and parameters in it.
///
/// It [shows](Self::shown) only what cannot be a secret, however it is read: the scheme; the host
/// and the path, where nothing before them makes it doubtful what they are.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct SecretUri(Secret);

impl std::fmt::Debug for SecretUri {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}

impl From<String> for SecretUri {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// Schemes that are followed by no `//`.
const BARE_SCHEMES: [&str; 3] = ["sqlite", "duckdb", "file"];
/// What a host, its port, or several of them are made of.
const HOST: &[char] = &['.', '-', '_', ':', '[', ']', ',', '%'];
/// What a path is made of.
const PATH: &[char] = &['.', '-', '_', '/', '~', '%', ' ', '\\'];
/// What begins parameters.
const PARAMETERS: &[char] = &['?', ';', '#', '&'];

impl SecretUri {
    /// The address itself, for whoever it is meant for.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What stands before `://`; or before `:`, where it is a scheme that is known to be one.
    pub fn scheme(&self) -> Option<&str> {
        let (scheme, rest) = self.expose().split_once(':')?;
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        (is_scheme && (rest.starts_with("//") || BARE_SCHEMES.contains(&scheme))).then_some(scheme)
    }

    /// What stands behind the scheme.
    fn rest(&self) -> &str {
        let text = self.expose();
        self.scheme()
            .map_or(text, |scheme| &text[scheme.len() + 1..])
    }

    /// What stands before the last `@`, and behind it.
    fn halves(&self) -> (Option<&str>, &str) {
        let rest = self.rest();
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        rest.rsplit_once('@')
            .map_or((None, rest), |(before, after)| (Some(before), after))
    }

    /// What may be parameters: what stands behind the place, or all of an address without a scheme.
    fn parameters(&self) -> impl Iterator<Item = &str> {
        let parts = self
            .rest()
            .split(|c: char| c.is_whitespace() || PARAMETERS.contains(&c));
        parts.skip(usize::from(self.scheme().is_some()))
    }

    /// What may be told of it.
    pub fn shown(&self) -> String {
        let Some(scheme) = self.scheme() else {
            return "…".to_owned();
        };
        let slashes = if self.rest().starts_with("//") {
            "//"
        } else {
            ""
        };
        let (before, after) = self.halves();
        if before.is_some() && (slashes.is_empty() || self.is_ambiguous()) {
            return format!("{scheme}:{slashes}…");
        }
        let user = if before.is_some() { "…@" } else { "" };
        let (place, parameters) = after.split_at(after.find(PARAMETERS).unwrap_or(after.len()));
        let parameters = parameters
            .chars()
            .next()
            .map_or(String::new(), |mark| format!("{mark}…"));
        let is_of = |text: &str, marks: &[char]| {
            text.chars()
                .all(|c| c.is_alphanumeric() || marks.contains(&c))
        };
        let (host, path) = if slashes.is_empty() {
            ("", place)
        } else {
            place.split_at(place.find('/').unwrap_or(place.len()))
        };
        let host = if is_of(host, HOST) && has_port(host) {
            host
        } else {
            "…"
        };
        let path = if is_of(path, PATH) { path } else { "…" };
        format!("{scheme}:{slashes}{user}{host}{path}{parameters}")
    }

    /// Whether it can be read in more than one way, as where a password has a `/`, `?`, `#` or `@`
    /// that is not encoded. What a driver says of such an address may have any part of the password
    /// in it.
    pub fn is_ambiguous(&self) -> bool {
        let (before, after) = self.halves();
        let bad = |c: char| c.is_whitespace() || c.is_control() || "/?#@[];&=\\".contains(c);
        let parameters = after
            .split_once(PARAMETERS)
            .map_or("", |(_, parameters)| parameters);
        let whole = |part: &str| part.is_empty() || part.matches('=').count() == 1;
        let host = after
            .split(['/', '?', ';', '#', '&'])
            .next()
            .unwrap_or(after);
        // What stands for a port may be the password of an address without its host.
        before.is_some_and(|before| before.contains(bad))
            || (self.rest().starts_with("//") && !has_port(host))
            || !parameters.split(['&', ';']).all(whole)
            || parameters.contains(['#', '?', '@', ' ', '"', '\''])
            || self.scheme().is_none()
    }

    /// Whether a password, a token or the like is in it, as far as can be told: what stands in a
    /// config must have none.
    pub fn has_credentials(&self) -> bool {
        let has_password = |before: &str| {
            before
                .split_once(':')
                .is_some_and(|(_, password)| !password.is_empty())
        };
        self.halves().0.is_some_and(has_password)
            || self
                .parameters()
                .filter_map(|part| part.split_once('='))
                .any(|(name, value)| !value.is_empty() && is_secret_parameter(name))
    }

    /// A text in which nothing of what stands before the last `@`, and no parameter's value, is to
    /// be read.
    pub fn hide_in(&self, text: &str) -> String {
        let mut secrets: Vec<&str> = Vec::new();
        if let (Some(before), _) = self.halves() {
            secrets.push(before);
            secrets.extend(
                before
                    .split_once(':')
                    .map(|(user, password)| [user, password])
                    .into_iter()
                    .flatten(),
            );
            // Where a driver takes another mark for the end of the password, it may show what it
            // takes for a host or a port.
            secrets.extend(before.split(|c: char| !c.is_alphanumeric()));
        }
        for part in self.parameters() {
            let value = part.split_once('=').map_or(part, |(_, value)| value);
            secrets.extend([value, value.trim_matches(['\'', '"'])]);
        }
        secrets.retain(|secret| !HARMLESS.contains(secret));
        hide_credentials(&hidden(text, &secrets))
    }
}

/// Values of parameters that tell nothing.
const HARMLESS: [&str; 12] = [
    "",
    "true",
    "false",
    "on",
    "off",
    "disable",
    "allow",
    "prefer",
    "require",
    "verify-ca",
    "verify-full",
    "localhost",
];

/// Whether what stands behind a host's last `:` is a port; of an address in brackets, or of several
/// hosts, each.
fn has_port(hosts: &str) -> bool {
    hosts.split(',').all(|host| {
        let behind = host.rsplit_once(']').map_or(host, |(_, behind)| behind);
        behind
            .split_once(':')
            .is_none_or(|(_, port)| port.chars().all(|c| c.is_ascii_digit()))
    })
}

/// Whether a name says that its value is secret.
pub fn names_a_secret(name: &str) -> bool {
    const PARTS: [&str; 15] = [
        "password",
        "passwd",
        "passphrase",
        "pwd",
        "secret",
        "token",
        "credential",
        "signature",
        "authorization",
        "apikey",
        "accesskey",
        "accountkey",
        "sharedkey",
        "privatekey",
        "bearer",
    ];
    let name = letters_of(name);
    PARTS.iter().any(|part| name.contains(part))
}

/// Whether the name of a parameter does: shorter ones are names of much else elsewhere.
fn is_secret_parameter(name: &str) -> bool {
    const NAMES: [&str; 8] = ["pass", "pw", "key", "sig", "auth", "sas", "pat", "pin"];
    NAMES.contains(&letters_of(name).as_str()) || names_a_secret(name)
}

fn letters_of(name: &str) -> String {
    decoded(name)
        .to_lowercase()
        .chars()
        .filter(|c| !"_-. ".contains(*c))
        .collect()
}

/// Whether credentials are in the location of a table, such as
/// `s3://key:secret@bucket/leads.parquet`.
///
/// Keys of objects may have any of these marks, names of buckets none; `abfs://container@account`
/// has no secret.
pub fn location_has_credentials(location: &str) -> bool {
    // With percent-encoding that hides the marks, or without the slashes that belong there, it is a
    // slip, and the key is there.
    let plain = decoded(location);
    let first = plain.split(['/', '\\']).next().unwrap_or(&plain);
    let is_slip = first
        .split_once(':')
        .is_some_and(|(scheme, rest)| scheme.len() > 1 && rest.contains('@'));
    is_slip || has_credentials_behind_scheme(location) || has_credentials_behind_scheme(&plain)
}

fn has_credentials_behind_scheme(location: &str) -> bool {
    let Some((scheme, rest)) = location.split_once(":/") else {
        return false;
    };
    if scheme.len() < 2
        || !scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    {
        return false;
    }
    let rest = rest.trim_start_matches('/');
    let bucket = rest.split('/').next().unwrap_or(rest);
    let user = rest
        .rsplit_once('@')
        .map(|_| bucket.rsplit_once('@').map_or(bucket, |(user, _)| user));
    let is_container = scheme.to_ascii_lowercase().starts_with("abfs");
    let has_user = user
        .is_some_and(|user| decoded(user).contains(':') || (!is_container && bucket.contains('@')));
    let parameters = rest
        .split(PARAMETERS)
        .skip(1)
        .filter_map(|part| part.split_once('='));
    has_user
        || parameters
            .into_iter()
            .any(|(name, value)| !value.is_empty() && is_secret_parameter(name))
}

/// A text in which credentials of addresses read as `…`, whoever wrote them there.
pub fn hide_credentials(text: &str) -> String {
    let mut ranges = credential_ranges(text);
    ranges.sort_unstable_by_key(|range| range.start);
    let (mut shown, mut end) = (String::with_capacity(text.len()), 0);
    for range in ranges {
        if range.start >= end {
            shown.push_str(&text[end..range.start]);
            shown.push('…');
        }
        end = end.max(range.end);
    }
    shown.push_str(&text[end..]);
    shown
}

/// Where in a text credentials of addresses are: between `://` and the last `@` before a space or a
/// quotation mark, and behind names such as `password=`.
pub fn credential_ranges(text: &str) -> Vec<std::ops::Range<usize>> {
    let is_end = |c: char| c.is_whitespace() || "\"'`<>".contains(c);
    let mut ranges = Vec::new();
    for (mark, _) in text.match_indices(":/") {
        // One slash is a slip of the hand; a drive of Windows has one letter before it.
        let letters = text[..mark]
            .chars()
            .rev()
            .take_while(char::is_ascii_alphanumeric)
            .count();
        let start = mark + 2 + usize::from(text[mark + 2..].starts_with('/'));
        let run = &text[start..];
        if letters < 2 && start < mark + 3 {
            continue;
        }
        let run = &run[..run.find(is_end).unwrap_or(run.len())];
        ranges.extend(
            run.rfind('@')
                .filter(|&at| at > 0)
                .map(|at| start..start + at),
        );
    }
    // A scheme without its slashes: `s3:key:secret@bucket`.
    for (mark, _) in text.match_indices(':') {
        let letters = text[..mark]
            .chars()
            .rev()
            .take_while(char::is_ascii_alphanumeric)
            .count();
        let run = &text[mark + 1..];
        let run = &run[..run.find(is_end).unwrap_or(run.len())];
        let first = run.split(['/', '\\']).next().unwrap_or(run);
        if letters > 1
            && text[..mark]
                .chars()
                .next_back()
                .is_some_and(|c| c.is_ascii_alphanumeric())
        {
            ranges.extend(
                first
                    .rfind('@')
                    .filter(|&at| at > 0)
                    .map(|at| mark + 1..mark + 1 + at),
            );
        }
    }
    for (mark, _) in text.match_indices('=') {
        // As a line of a config has it, with blanks around the sign.
        let named = text[..mark].trim_end_matches(' ');
        let before = named
            .char_indices()
            .rev()
            .find(|&(_, c)| is_end(c) || PARAMETERS.contains(&c) || ",(){}".contains(c));
        let name = before.map_or(named, |(at, c)| &named[at + c.len_utf8()..]);
        let is_parameter = before.is_some_and(|(_, c)| PARAMETERS.contains(&c));
        if !(names_a_secret(name) || is_parameter && is_secret_parameter(name)) {
            continue;
        }
        let start =
            mark + 1 + (text[mark + 1..].len() - text[mark + 1..].trim_start_matches(' ').len());
        let behind = &text[start..];
        let quote = behind.chars().next().filter(|c| "\"'`".contains(*c));
        let length = match quote {
            Some(quote) => behind[1..].find(quote).map_or(behind.len(), |end| end + 2),
            None => behind
                .find(|c: char| is_end(c) || "&;,)".contains(c))
                .unwrap_or(behind.len()),
        };
        if length > 0 {
            ranges.push(start..start + length);
        }
    }
    ranges
}

/// Letters of a secret that are hidden wherever they stand together.
const WINDOW: usize = 6;
/// Fewer letters are hidden only where they are a word of their own: they would else be in every
/// other word.
const WORD: usize = 4;

/// A text without these secrets, whatever their case and encoding.
fn hidden(text: &str, secrets: &[&str]) -> String {
    let letters: Vec<char> = text.chars().collect();
    let folded: Vec<char> = letters.iter().map(char::to_ascii_lowercase).collect();
    let mut is_hidden = vec![false; letters.len()];
    for secret in secrets {
        for form in [
            (*secret).to_owned(),
            decoded(secret),
            decoded(&secret.replace('+', " ")),
            encoded(secret),
            encoded(&decoded(secret)),
        ] {
            let form: Vec<char> = form.chars().map(|c| c.to_ascii_lowercase()).collect();
            for window in form.windows(form.len().clamp(1, WINDOW)) {
                for start in 0..(folded.len() + 1).saturating_sub(window.len()) {
                    let end = start + window.len();
                    let is_alone = || {
                        let is_letter =
                            |idx: usize| folded.get(idx).is_some_and(|c| c.is_alphanumeric());
                        (start == 0 || !is_letter(start - 1)) && !is_letter(end)
                    };
                    if folded[start..end] == *window && (window.len() >= WORD || is_alone()) {
                        is_hidden[start..end].fill(true);
                    }
                }
            }
        }
    }
    let mut shown = String::with_capacity(text.len());
    for (idx, letter) in letters.iter().enumerate() {
        match is_hidden[idx] {
            false => shown.push(*letter),
            true if idx == 0 || !is_hidden[idx - 1] => shown.push('…'),
            true => {}
        }
    }
    shown
}

/// A text without its percent-encoding.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut found = Vec::with_capacity(bytes.len());
    let mut idx = 0;
    while idx < bytes.len() {
        let hex = |at: usize| {
            bytes
                .get(at)
                .and_then(|byte| char::from(*byte).to_digit(16))
                .and_then(|digit| u8::try_from(digit).ok())
        };
        match (bytes[idx], hex(idx + 1), hex(idx + 2)) {
            (b'%', Some(high), Some(low)) => {
                found.push(16 * high + low);
                idx += 3;
            }
            (byte, _, _) => {
                found.push(byte);
                idx += 1;
            }
        }
    }
    String::from_utf8_lossy(&found).into_owned()
}

/// A text with percent-encoding of all that is neither a letter nor a digit.
fn encoded(text: &str) -> String {
    let letter = |byte: u8| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> SecretUri {
        text.to_owned().into()
    }

    #[track_caller]
    fn check_shown(text: &str, expected: &str) {
        assert_eq!(uri(text).shown(), expected);
        assert_eq!(format!("{:?}", uri(text)), expected);
    }

    #[test]
    fn what_is_shown_is_no_secret() {
        check_shown(
            "postgresql://db.example:5432/crm",
            "postgresql://db.example:5432/crm",
        );
        check_shown(
            "postgresql://ann@db.example/crm",
            "postgresql://…@db.example/crm",
        );
        check_shown(
            "postgresql://ann:hunter2@db.example/crm",
            "postgresql://…@db.example/crm",
        );
        check_shown(
            "postgresql://ann:hunter2@[::1]:5432,db2:5433/crm",
            "postgresql://…@[::1]:5432,db2:5433/crm",
        );
        check_shown("postgresql://ann:hun/ter2@db.example/crm", "postgresql://…");
        check_shown("postgresql://ann:hun?ter2@db.example/crm", "postgresql://…");
        check_shown("postgresql://ann:hun@ter2@db.example/crm", "postgresql://…");
        check_shown("postgresql://ann:hun#ter2@db.example/crm", "postgresql://…");
        check_shown(
            "postgresql://db.example/crm?password=hun@ter2",
            "postgresql://…",
        );
        check_shown(
            "postgresql://db.example;password=hun@ter2",
            "postgresql://…",
        );
        check_shown("postgresql://ann:hunter2", "postgresql://…");
        check_shown(
            "postgresql://db.example/crm?user=ann&%70assword=hunter2",
            "postgresql://db.example/crm?…",
        );
        check_shown("sqlite:crm.db", "sqlite:crm.db");
        check_shown("sqlite:crm.db?key=hunter2", "sqlite:crm.db?…");
        check_shown("ann:hunter2@account/database", "…");
        check_shown("host=db password=hunter2", "…");
        check_shown("jdbc:postgresql://ann:hunter2@db/crm", "…");
        check_shown("hunter2", "…");
        check_shown("", "…");
    }

    #[test]
    fn addresses_that_can_be_read_in_one_way_only() {
        let is_ambiguous = |text: &str| uri(text).is_ambiguous();
        assert!(!is_ambiguous(
            "postgresql://ann:hun%2Fter2:!@[::1]:5432,db2:5433/crm?sslmode=require&password=x%26"
        ));
        assert!(!is_ambiguous("sqlite:crm.db"));
        let ambiguous = [
            "hun/ter2", "hun?ter2", "hun#ter2", "hun@ter2", "hun ter2", "hun;ter2",
        ]
        .map(|password| format!("postgresql://ann:{password}@h/crm"));
        assert!(ambiguous.iter().all(|text| is_ambiguous(text)));
        assert!(
            is_ambiguous("postgresql://ann:hunter2/crm")
                && is_ambiguous("postgresql://h/crm?password=a&b")
                && is_ambiguous("hunter2")
        );
    }

    #[track_caller]
    fn check_credentials(text: &str, expected: bool) {
        assert_eq!(uri(text).has_credentials(), expected, "{text}");
    }

    #[test]
    fn credentials_are_found_wherever_they_stand() {
        check_credentials("postgresql://ann@db.example/crm", false);
        check_credentials(
            "postgresql://db.example:5432/crm?sslmode=require&sslkey=ann.key&passfile=p",
            false,
        );
        check_credentials("sqlite:crm.db?mode=ro", false);
        check_credentials("postgresql://ann:hunter2@db.example/crm", true);
        check_credentials("postgresql://ann:hun/ter2@db.example/crm", true);
        check_credentials(
            "postgresql://db.example/crm?user=ann&password=hunter2",
            true,
        );
        check_credentials("postgresql://db.example/crm?sslpassword=hunter2", true);
        check_credentials("postgresql://db.example/crm?%70ass%57ord=hunter2", true);
        check_credentials("sqlserver://db.example:1433;pwd=hunter2", true);
        check_credentials("duckdb:md:crm?motherduck_token=hunter2", true);
        check_credentials("host=db user=ann password=hunter2", true);
        check_credentials("ann:hunter2@account/database", true);
    }

    #[track_caller]
    fn check_location(text: &str, expected: bool) {
        assert_eq!(location_has_credentials(text), expected, "{text}");
    }

    #[test]
    fn locations_with_credentials_are_told_from_odd_keys() {
        check_location("exports/10:30/ann@crm.csv", false);
        check_location("C:/exports/ann@crm.csv", false);
        check_location("s3://bucket/10:30/ann@crm.csv", false);
        check_location("s3://bucket/token=3/leads.parquet", false);
        check_location(
            "abfs://crm@account.dfs.core.windows.net/leads.parquet",
            false,
        );
        check_location("s3:AKIA:hunter2@bucket/leads.parquet", true);
        check_location("postgresql:ann:hunter2@127.0.0.1/crm", true);
        check_location("ann:hunter2@tcp(127.0.0.1:1)/crm", true);
        check_location("s3://AKIA%3Ahunter2%40bucket/leads.parquet", true);
        check_location("s3://AKIA:hunter2@bucket/leads.parquet", true);
        check_location("s3://AKIA:hun/ter2@bucket/leads.parquet", true);
        check_location("s3://AKIA%3Ahunter2@bucket/leads.parquet", true);
        check_location("S3a:/AKIA:hunter2@bucket/leads.parquet", true);
        check_location("s3://hunter2@bucket/leads.parquet", true);
        check_location("abfs://crm:hunter2@account/leads.parquet", true);
        check_location("https://ann:hunter2@crm.example/leads.csv", true);
        check_location(
            "https://a.blob.core.windows.net/crm/leads.csv?se=2026&sig=hunter2",
            true,
        );
    }

    #[track_caller]
    fn check_hidden(address: &str, text: &str, expected: &str) {
        assert_eq!(uri(address).hide_in(text), expected);
    }

    #[test]
    fn drivers_may_say_anything_of_an_address() {
        let address = "postgresql://ann:hun%2Fter2%21@db.example/crm?sslpassword=s%65same%20street&sslmode=require";
        check_hidden(
            address,
            "password authentication failed for user \"ann\"",
            "password authentication failed for user \"…\"",
        );
        check_hidden(
            address,
            "invalid port \"hun/ter2!\" and HUN%2fTER2%21",
            "invalid port \"…\" and …",
        );
        check_hidden(
            address,
            "cannot open with sesame street, s%65same%20street or sesame+street",
            "cannot open with …, … or …+…",
        );
        check_hidden(
            address,
            "SSL is required; a planner annoys",
            "SSL is required; a planner annoys",
        );
        check_hidden(
            "postgresql://a:verylongsecret@h",
            "near `longsecr`",
            "near `…`",
        );
        let token = Secret::from("dapi0123456789".to_owned());
        assert_eq!(
            (
                token.hide_in("Bearer dapi0123456789 expired").as_str(),
                format!("{token:?}").as_str()
            ),
            ("Bearer … expired", "Secret(…)")
        );
    }

    #[track_caller]
    fn check_text(text: &str, expected: &str) {
        assert_eq!(hide_credentials(text), expected);
    }

    #[test]
    fn credentials_in_other_texts() {
        check_text(
            "no file at s3://AKIA:hun/ter2@bucket/leads.csv, ann@crm",
            "no file at s3://…@bucket/leads.csv, ann@crm",
        );
        check_text(
            "parquet.`s3a://k:s@b/x` and \"https://u:p@q@h\"",
            "parquet.`s3a://…@b/x` and \"https://…@h\"",
        );
        check_text(
            "GET https://h/x?se=1&sig=abc%2F&sp=r failed",
            "GET https://h/x?se=1&sig=…&sp=r failed",
        );
        check_text("host=h Password='a b' x=1", "host=h Password=… x=1");
        check_text(
            "ann@crm.example wrote a=b://c",
            "ann@crm.example wrote a=b://c",
        );
        check_text("a://b a://@ =", "a://b a://@ =");
        check_text(
            "no file at s3:AKIA:hunter2@bucket/x: check",
            "no file at s3:…@bucket/x: check",
        );
        check_text(
            "no file at ann:hunter2@tcp(h)/crm",
            "no file at ann:…@tcp(h)/crm",
        );
        check_text(
            "options = { password = \"hunter2\" }",
            "options = { password = … }",
        );
        check_text(
            "no s3:/AKIA:hunter2@bucket/x, but C:/ann/a@b",
            "no s3:/…@bucket/x, but C:/ann/a@b",
        );
    }
}
