//! The objects of one path of a table, as its store gives them.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use leadscore_core::{Secret, hide_credentials};
use object_store::{ObjectStore, ObjectStoreExt, path::Path as Key};

use crate::error::TablesError;

/// Bytes that are asked for at a time.
const CHUNK: u64 = 32 << 20;

/// Brings the objects of one path, which may have a pattern in its last part, in order of name.
pub(super) fn bring(table: &str, path: &str, folder: &Path) -> Result<Vec<PathBuf>, TablesError> {
    let objects = Objects::open(table, path)?;
    let keys = objects.keys()?;
    if keys.is_empty() {
        return Err(objects.fail(
            "no object has such a name",
            "check the folder and the pattern",
        ));
    }
    keys.iter().map(|key| objects.bring(key, folder)).collect()
}

/// The objects of one path of a table.
struct Objects<'o> {
    table: &'o str,
    path: &'o str,
    scheme: &'o str,
    bucket: &'o str,
    key: &'o str,
    store: Box<dyn ObjectStore>,
    runtime: tokio::runtime::Runtime,
}

/// An error about a path of a table.
fn content_error(table: &str, path: &str, found: &str, help: &str) -> TablesError {
    TablesError::Content {
        table: format!("[{table}]"),
        found: format!("{path}: {found}"),
        help: help.to_owned(),
    }
}

/// What the store says, where it gives no object.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "types of a library: those not named are read the same way, or not at all"
)]
fn refusal(table: &str, path: &str, error: object_store::Error) -> TablesError {
    let found = match error {
        object_store::Error::NotFound { .. } => "there is no such object".to_owned(),
        other => format!("the store refuses: {}", without_keys(&chain(&other))),
    };
    content_error(
        table,
        path,
        &found,
        "check the name, and the environment variables that say who asks (docs/object-stores.md)",
    )
}

impl<'o> Objects<'o> {
    /// Finds the store of a path; nobody is asked yet.
    fn open(table: &'o str, path: &'o str) -> Result<Self, TablesError> {
        const SUCH_AS: &str = "write such as s3://bucket/folder/leads.parquet";
        let (scheme, rest) = path.split_once("://").expect("it has a scheme");
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() || key.is_empty() {
            return Err(content_error(table, path, "this names no object", SUCH_AS));
        }
        let url = url::Url::parse(&format!("{scheme}://{bucket}/"))
            .map_err(|error| content_error(table, path, &error.to_string(), SUCH_AS))?;
        let (store, _) = object_store::parse_url_opts(&url, std::env::vars())
            .map_err(|error| refusal(table, path, error))?;
        // One thread is enough to wait for a network.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|source| TablesError::Io {
                action: "wait for",
                path: PathBuf::from(path),
                source,
            })?;
        Ok(Self {
            table,
            path,
            scheme,
            bucket,
            key,
            store,
            runtime,
        })
    }

    /// An error about this path.
    fn fail(&self, found: &str, help: &str) -> TablesError {
        content_error(self.table, self.path, found, help)
    }

    /// What the store says to this path.
    fn refused(&self, error: object_store::Error) -> TablesError {
        refusal(self.table, self.path, error)
    }

    /// The key of each object, by name.
    fn keys(&self) -> Result<Vec<Key>, TablesError> {
        let last = self.key.rsplit('/').next().unwrap_or(self.key);
        if !last.contains(['*', '?', '[']) {
            return Ok(vec![Key::from(self.key)]);
        }
        let pattern = glob::Pattern::new(last).map_err(|error| {
            self.fail(
                &error.to_string(),
                "use * for any text within the last part",
            )
        })?;
        let prefix = self
            .key
            .strip_suffix(last)
            .unwrap_or("")
            .trim_end_matches('/');
        let listed = self
            .runtime
            .block_on(self.store.list_with_delimiter(Some(&Key::from(prefix))))
            .map_err(|error| self.refused(error))?;
        let mut keys: Vec<Key> = listed
            .objects
            .into_iter()
            .map(|object| object.location)
            .filter(|key| key.filename().is_some_and(|name| pattern.matches(name)))
            .collect();
        keys.sort_unstable();
        Ok(keys)
    }

    /// Writes one object to a file.
    fn bring(&self, key: &Key, folder: &Path) -> Result<PathBuf, TablesError> {
        let file = folder
            .join(self.scheme)
            .join(self.bucket)
            .join(key.as_ref());
        let io = |source| TablesError::Io {
            action: "write",
            path: file.clone(),
            source,
        };
        std::fs::create_dir_all(file.parent().unwrap_or(folder)).map_err(io)?;
        let mut target = File::create(&file).map_err(io)?;
        let meta = self.runtime.block_on(self.store.head(key));
        let size = meta.map_err(|error| self.refused(error))?.size;
        let mut begin = 0;
        while begin < size {
            let end = size.min(begin + CHUNK);
            let bytes = self
                .runtime
                .block_on(self.store.get_range(key, begin..end))
                .map_err(|error| self.refused(error))?;
            target.write_all(&bytes).map_err(io)?;
            begin = end;
        }
        Ok(file)
    }
}

/// What a store says, without the keys of the environment by which it was asked, and without
/// signatures.
fn without_keys(text: &str) -> String {
    let is_key = |name: &str| {
        ["AWS_", "AZURE_", "GOOGLE_"]
            .iter()
            .any(|store| name.starts_with(store))
            && KEYS.iter().any(|key| name.contains(key))
    };
    let keys = std::env::vars().filter(|(name, value)| is_key(name) && !value.is_empty());
    keys.fold(hide_credentials(text), |text, (_, key)| {
        Secret::from(key).hide_in(&text)
    })
}

/// What the names of variables have that hold a secret.
const KEYS: [&str; 4] = ["SECRET", "TOKEN", "_KEY", "PASSWORD"];

/// An error with what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let more = next.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = next.source();
    }
    text
}
