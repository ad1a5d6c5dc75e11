//! What can be wrong with a table.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use leadscore_config::Doubt;
use leadscore_core::printable;

/// A table that cannot be read or written, with the place.
#[derive(Debug, thiserror::Error)]
pub enum TablesError {
    /// No file at this path, or a glob that matches none.
    #[error(
        "{}: no file at {}\n  hint: check `path`; it is relative to the config",
        printable(table),
        shown(path)
    )]
    Missing {
        /// The table in the config.
        table: String,
        /// The path or glob.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{}: cannot {action} it{}", shown(path), io_hint(action, source))]
    Io {
        /// What was tried.
        action: &'static str,
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file of a kind that is not read.
    #[error("{}: {}\n  hint: {}", shown(path), printable(found), printable(help))]
    Format {
        /// The path.
        path: PathBuf,
        /// What it is.
        found: String,
        /// What to do.
        help: String,
    },
    /// A row that does not fit its table.
    #[error(
        "{}, line {line}: {}\n  hint: {}",
        shown(path),
        printable(found),
        printable(help)
    )]
    Row {
        /// The path.
        path: PathBuf,
        /// Line of the file, from 1.
        line: u64,
        /// What was found.
        found: String,
        /// What was expected, or what to do.
        help: String,
    },
    /// A column that the config names and the file lacks.
    #[error("{}: {} has no column `{}`; its columns: {}\n  hint: {}", printable(table), shown(path), printable(column), printable(&columns.join(", ")), column_hint(column, nearest.as_deref(), columns))]
    Column {
        /// The key of the config that names it.
        table: String,
        /// The path.
        path: PathBuf,
        /// The column.
        column: String,
        /// The nearest column there is.
        nearest: Option<String>,
        /// The columns there are.
        columns: Vec<String>,
    },
    /// A cell that is not what its column is for.
    #[error(
        "{}, column `{}`: {}\n  hint: {}",
        printable(place),
        printable(column),
        printable(found),
        printable(help)
    )]
    Cell {
        /// File and line or row.
        place: String,
        /// The column.
        column: String,
        /// What was found.
        found: String,
        /// What was expected, or what to do.
        help: String,
    },
    /// What would change numbers if it were read one way or the other.
    #[error("{}", doubts_text(.0))]
    Doubts(Vec<Doubt>),
    /// Tables that contradict each other or the config.
    #[error(
        "{}: {}\n  hint: {}",
        printable(table),
        printable(found),
        printable(help)
    )]
    Content {
        /// The table in the config.
        table: String,
        /// What was found.
        found: String,
        /// What to do.
        help: String,
    },
    /// The engine that reads and writes files refused one.
    #[error(
        "{}: cannot {action} it as {format}\n  hint: {}",
        shown(path),
        engine_hint(action)
    )]
    Engine {
        /// What was being done: "read" or "write".
        action: &'static str,
        /// The path.
        path: PathBuf,
        /// The format that its name or the config says.
        format: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What to do where the operating system refused, on a line of its own; nothing where its words say
/// it all.
fn io_hint(action: &str, source: &std::io::Error) -> &'static str {
    const HINTS: [(ErrorKind, &str); 4] = [
        (
            ErrorKind::PermissionDenied,
            "\n  hint: check who may read and write there",
        ),
        (ErrorKind::NotFound, "\n  hint: check the path"),
        (
            ErrorKind::StorageFull,
            "\n  hint: make room, or write elsewhere",
        ),
        (
            ErrorKind::QuotaExceeded,
            "\n  hint: make room, or write elsewhere",
        ),
    ];
    if action == "decompress" {
        return "\n  hint: the file may be damaged or cut off: export it again";
    }
    let known = HINTS.iter().find(|(kind, _)| *kind == source.kind());
    known.map_or("", |(_, hint)| hint)
}

/// What to do where the engine refused.
fn engine_hint(action: &str) -> &'static str {
    if action == "read" {
        "the file may be damaged or cut off: export it again"
    } else {
        "check that there is room, or write another format"
    }
}

/// What to do about a column that is not there.
fn column_hint(column: &str, nearest: Option<&str>, columns: &[String]) -> String {
    let is_field = |name: &&String| {
        name.strip_prefix(column)
            .is_some_and(|rest| rest.starts_with('.'))
    };
    match (columns.iter().find(is_field), nearest) {
        (Some(field), _) => format!(
            "`{}` is an object: name one of its fields, such as `{}`",
            printable(column),
            printable(field)
        ),
        (None, Some(near)) => format!("did you mean `{}`?", printable(near)),
        (None, None) => "correct the name in the config, or export the column".to_owned(),
    }
}

/// A path on one line.
fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy()).into_owned()
}

/// One doubt as it is; several with their number.
fn doubts_text(doubts: &[Doubt]) -> String {
    match doubts {
        [one] => one.to_string(),
        several => {
            let numbered: Vec<String> = several
                .iter()
                .enumerate()
                .map(|(idx, doubt)| format!("\n{}. {doubt}", idx + 1))
                .collect();
            format!(
                "the config must settle {} things before anything is computed:{}",
                several.len(),
                numbered.concat()
            )
        }
    }
}

impl From<Doubt> for TablesError {
    fn from(doubt: Doubt) -> Self {
        Self::Doubts(vec![doubt])
    }
}
