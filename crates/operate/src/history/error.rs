//! Why a score history cannot be read, or kept.

use std::path::{Path, PathBuf};

use leadscore::ErrorKind;
use leadscore_core::{Timestamp, printable};
use leadscore_io::TablesError;

use crate::registry::kind_of;

/// What is wrong with a score history, with the file.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The export has no dates.
    #[error(
        "undated data has no history: its scores are of no moment\n  hint: name `created_at` in [leads], so that scores have a moment"
    )]
    Undated,
    /// The folder is none.
    #[error(
        "{}: this is a file, and a score history is a folder\n  hint: name a folder, as `history` of [operation] does",
        shown(path)
    )]
    NoFolder {
        /// The path.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{}: cannot {action} it", shown(path))]
    Io {
        /// What was tried.
        action: &'static str,
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A folder in the history whose name is no moment.
    #[error(
        "{}: this folder is named after no moment\n  hint: a score history has folders such as as_of=2025-07-01 or as_of=2025-07-01T06-00-00; move this one elsewhere",
        shown(path)
    )]
    NoMoment {
        /// The folder.
        path: PathBuf,
    },
    /// An engine has not finished writing a moment.
    #[error(
        "{}: an engine is writing these scores, or was stopped while it did\n  hint: wait until it is done, or remove the folder and score again",
        shown(path)
    )]
    Unfinished {
        /// The folder of the moment.
        path: PathBuf,
    },
    /// A file that lacks a column.
    #[error(
        "{}: there is no column `{}`; its columns: {}\n  hint: {}",
        shown(path),
        printable(column),
        printable(&first_columns(columns)),
        column_hint(*is_id)
    )]
    Column {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The columns there are.
        columns: Vec<String>,
        /// Whether it is the column of the leads' ids.
        is_id: bool,
    },
    /// A column that is not what a score file has.
    #[error(
        "{}, column `{}`: {}\n  hint: {}",
        shown(path),
        printable(column),
        printable(found),
        help
    )]
    Content {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// What was found.
        found: String,
        /// What to do.
        help: &'static str,
    },
    /// There are no scores yet.
    #[error(
        "{}: no scores are kept here yet\n  hint: `leadscore run` keeps them, and `leadscore score` where it is asked to",
        shown(path)
    )]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// A moment that the history lacks.
    #[error(
        "{}: no scores of {moment} are kept here; {}",
        shown(path),
        known_hint(known)
    )]
    UnknownMoment {
        /// The folder.
        path: PathBuf,
        /// The moment.
        moment: Timestamp,
        /// The first and the last moment that it has; `None` where it has none.
        known: Option<(Timestamp, Timestamp)>,
    },
    /// A moment after which the history has none.
    #[error(
        "{}: no scores of {since} or later are kept here: the last are of {last}\n  hint: ask since an earlier moment",
        shown(path)
    )]
    NothingSince {
        /// The folder.
        path: PathBuf,
        /// The moment.
        since: Timestamp,
        /// The last moment that it has.
        last: Timestamp,
    },
    /// A lead that no moment has.
    #[error(
        "no scores of lead `{}` are kept in {}{}",
        printable(lead),
        shown(path),
        nearest.as_ref().map_or_else(
            || "\n  hint: only leads that were open when scores were kept have a history".to_owned(),
            |near| format!("\n  hint: did you mean `{}`?", printable(near))
        )
    )]
    UnknownLead {
        /// The lead.
        lead: String,
        /// The folder.
        path: PathBuf,
        /// The nearest id that there is.
        nearest: Option<String>,
    },
    /// A lead that has no scores from some moment on.
    #[error(
        "lead `{}` has no scores at {since} or later: it was last seen at {last}\n  hint: ask since an earlier moment",
        printable(lead)
    )]
    NotSince {
        /// The lead.
        lead: String,
        /// The moment.
        since: Timestamp,
        /// Its last moment in the history.
        last: Timestamp,
    },
    /// A file cannot be read or written.
    #[error(transparent)]
    Tables(#[from] TablesError),
    /// Scores cannot be made.
    #[error(transparent)]
    Scores(#[from] leadscore::Error),
}

impl HistoryError {
    /// What kind of thing went wrong, for programs.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Undated => ErrorKind::Request,
            Self::Empty { .. } => ErrorKind::FileNotFound,
            Self::UnknownMoment { .. }
            | Self::NothingSince { .. }
            | Self::UnknownLead { .. }
            | Self::NotSince { .. } => ErrorKind::NotFound,
            Self::NoFolder { .. }
            | Self::NoMoment { .. }
            | Self::Unfinished { .. }
            | Self::Column { .. }
            | Self::Content { .. } => ErrorKind::Data,
            Self::Io { source, .. } => kind_of(source),
            Self::Tables(error) => kind_beneath(error),
            Self::Scores(error) => error.kind(),
        }
    }
}

/// The kind of the first error of the operating system among the causes.
fn kind_beneath(error: &TablesError) -> ErrorKind {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(found) = cause {
        if let Some(error) = found.downcast_ref::<std::io::Error>() {
            return kind_of(error);
        }
        cause = found.source();
    }
    ErrorKind::Data
}

/// A path on one line.
fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy()).into_owned()
}

/// Columns that a message lists at most.
const MOST_COLUMNS: usize = 8;

fn first_columns(columns: &[String]) -> String {
    let first = columns[..columns.len().min(MOST_COLUMNS)].join(", ");
    match columns.len().saturating_sub(MOST_COLUMNS) {
        0 => first,
        more => format!("{first}, and {more} more"),
    }
}

fn column_hint(is_id: bool) -> &'static str {
    if is_id {
        "this may be the history of another config: `id` of [leads] names another column; correct `history` in [operation]"
    } else {
        "keep only files that `score` has written in the folder"
    }
}

fn known_hint(known: &Option<(Timestamp, Timestamp)>) -> String {
    match known {
        None => "there are none yet".to_owned(),
        Some((first, last)) if first == last => format!("only those of {first}"),
        Some((first, last)) => format!("the first are of {first}, the last of {last}"),
    }
}
