//! Where scores go: files, folders with a file for each moment, tables of the database.

use std::path::{Path, PathBuf};

use leadscore::front_end::{TableWriter, check_databases, check_table_target};
use leadscore::{Data, OutTable, Outputs, Scores, Timestamp};

use super::RunError;
use crate::history::{Addition, History, in_a_name};

/// A place of `[operation] publish`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// One file, replaced by each run.
    File(PathBuf),
    /// A folder, with a file for each moment.
    Folder(PathBuf),
    /// A table of `[database]`, whose rows of the same lead and moment are replaced.
    Table(String),
}

impl Place {
    /// Reads a place; relative paths start at the config.
    pub(super) fn of(text: &str, folder: &Path) -> Self {
        if let Some(table) = text.strip_prefix("table:") {
            Self::Table(table.trim().to_owned())
        } else if text.ends_with(['/', '\\']) {
            // With its slash, the path of a file would be no file.
            let name = text.trim_end_matches(['/', '\\']);
            Self::Folder(folder.join(if name.is_empty() { text } else { name }))
        } else {
            Self::File(folder.join(text))
        }
    }

    /// Fails where nothing can be written there.
    pub(super) fn check(&self, data: &Data) -> Result<(), RunError> {
        match self {
            Self::File(path) => check_table_target(path).map_err(leadscore::Error::from)?,
            Self::Folder(path) => {
                if path.is_file() {
                    return Err(RunError::NotAFolder { path: path.clone() });
                }
            }
            Self::Table(table) => {
                check_databases().map_err(leadscore::Error::from)?;
                data.check_table(table)?;
            }
        }
        Ok(())
    }

    /// What it is called in the report of a run.
    pub(super) fn name(&self, as_of: Option<Timestamp>) -> String {
        match self {
            Self::File(_) | Self::Folder(_) => self
                .file(as_of)
                .map(|path| path.display().to_string())
                .unwrap_or_default(),
            Self::Table(table) => format!("table:{table}"),
        }
    }

    /// What it is called before anything is scored.
    pub(super) fn planned(&self) -> String {
        match self {
            Self::File(path) | Self::Folder(path) => path.display().to_string(),
            Self::Table(table) => format!("table:{table}"),
        }
    }

    /// The file that scores as of a moment are in.
    pub(super) fn file(&self, as_of: Option<Timestamp>) -> Option<PathBuf> {
        match self {
            Self::File(path) => Some(path.clone()),
            Self::Folder(path) => {
                let moment = as_of.map_or("undated".to_owned(), in_a_name);
                Some(path.join(format!("scores-{moment}.parquet")))
            }
            Self::Table(_) => None,
        }
    }
}

/// Adds the scores to the history and to all files, which appear together once the outputs are
/// published; texts are made once for all of them.
pub(super) fn add_all(
    history: Option<&History>,
    places: &[Place],
    scores: &Scores<'_>,
    outputs: &mut Outputs,
) -> Result<Option<Addition>, RunError> {
    let mut writers = Vec::new();
    for place in places {
        let Some(path) = place.file(scores.as_of()) else {
            continue;
        };
        if let Place::Folder(folder) = place {
            std::fs::create_dir_all(folder).map_err(|source| RunError::Folder {
                path: folder.clone(),
                source,
            })?;
        }
        let writer = TableWriter::create(&path).map_err(leadscore::Error::from)?;
        writers.push((path, writer));
    }
    let mut write = |part: &OutTable| {
        writers
            .iter_mut()
            .try_for_each(|(_, writer)| Ok(writer.write(part)?))
    };
    let addition = match history {
        Some(history) => Some(history.add_with(scores, outputs, &mut write)?),
        None => {
            scores.for_each_part(|part| write(&part))?;
            None
        }
    };
    for (path, writer) in writers {
        outputs.written(&path, writer)?;
    }
    Ok(addition)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_by_how_they_are_written() {
        let folder = Path::new("/data");
        assert_eq!(
            Place::of("scores.parquet", folder),
            Place::File("/data/scores.parquet".into())
        );
        assert_eq!(
            Place::of("out/", folder),
            Place::Folder("/data/out/".into())
        );
        assert_eq!(
            Place::of("table: crm.scores", folder),
            Place::Table("crm.scores".into())
        );
    }

    #[test]
    fn moments_are_names_of_files() {
        let at = |text: &str| Timestamp::parse_iso(text).expect("a moment").0;
        assert_eq!(in_a_name(at("2025-07-01")), "2025-07-01");
        assert_eq!(in_a_name(at("2025-07-01T06:30:00Z")), "2025-07-01T06-30-00");
    }
}
