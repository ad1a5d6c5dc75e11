//! The history of scores: what was predicted for which lead at which moment by which model, a
//! folder of Parquet files by moment, to which scores are added and from which they are read.

mod add;
mod error;
mod json;
mod migration;
mod path;
mod place;
mod read;
mod summary;
mod text;

use std::path::{Path, PathBuf};

use leadscore::front_end::Settings;
use leadscore_core::Timestamp;
use leadscore_io::refuse_remote;

pub use self::add::Addition;
pub use self::error::HistoryError;
pub use self::migration::Migration;
pub use self::path::{
    Basis, Change, ChangeItem, LeadPath, NamedReason, OpenPoint, PathOptions, PathPoint, Standing,
};
pub(crate) use self::place::in_a_name;
use self::place::{Place, places};
pub use self::read::{ReadHistory, ScoredMoment};
pub use self::summary::{HistorySummary, MomentSummary, weekly};

/// The score history of a config: a folder with a folder for each moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    folder: PathBuf,
    id_column: String,
}

impl History {
    /// The history in a folder, whether there is one yet or not, of leads whose ids are in this
    /// column.
    ///
    /// # Errors
    ///
    /// [`HistoryError::NoFolder`] where the path is that of a file; an object store is refused, too.
    pub fn open(folder: impl Into<PathBuf>, id_column: &str) -> Result<Self, HistoryError> {
        let folder = folder.into();
        refuse_remote(&folder)?;
        if folder.metadata().is_ok_and(|found| !found.is_dir()) {
            return Err(HistoryError::NoFolder { path: folder });
        }
        Ok(Self {
            folder,
            id_column: id_column.to_owned(),
        })
    }

    /// The history that a config names, beside the file `config`; `folder` in its place, if given.
    ///
    /// # Errors
    ///
    /// As [`Self::open`].
    pub fn of_config(
        settings: &Settings,
        config: &Path,
        folder: Option<&Path>,
    ) -> Result<Self, HistoryError> {
        refuse_remote(Path::new(&settings.operation.history))?;
        let beside = config.parent().unwrap_or(Path::new(""));
        let named = beside.join(&settings.operation.history);
        Self::open(folder.map_or(named, Path::to_owned), &settings.leads.id)
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The column of the leads' ids.
    pub fn id_column(&self) -> &str {
        &self.id_column
    }

    /// The moments that there are scores of, earliest first; none where there is no folder yet.
    ///
    /// # Errors
    ///
    /// [`HistoryError::NoMoment`] where a folder is of no moment, [`HistoryError::Unfinished`]
    /// where an engine is writing, [`HistoryError::Io`].
    pub fn moments(&self) -> Result<Vec<Timestamp>, HistoryError> {
        let moments = places(&self.folder)?;
        Ok(moments.into_iter().map(|place| place.moment).collect())
    }

    /// Reads the scores of these moments, which may be in any order; the result has the earliest
    /// first, each once.
    ///
    /// # Errors
    ///
    /// As [`Self::moments`]; [`HistoryError::UnknownMoment`]; a file is damaged or no file of
    /// scores.
    pub fn read(&self, moments: &[Timestamp]) -> Result<ReadHistory, HistoryError> {
        let mut places = places(&self.folder)?;
        if let Some(moment) = moments
            .iter()
            .find(|moment| !places.iter().any(|place| place.moment == **moment))
        {
            return Err(HistoryError::UnknownMoment {
                path: self.folder.clone(),
                moment: *moment,
                known: places
                    .first()
                    .zip(places.last())
                    .map(|(first, last)| (first.moment, last.moment)),
            });
        }
        places.retain(|place| moments.contains(&place.moment));
        self.read_places(&places)
    }

    fn read_places(&self, places: &[Place]) -> Result<ReadHistory, HistoryError> {
        read::read(places, &self.id_column)
    }

    fn places_since(&self, since: Option<Timestamp>) -> Result<Vec<Place>, HistoryError> {
        let mut places = places(&self.folder)?;
        places.retain(|place| since.is_none_or(|since| place.moment >= since));
        Ok(places)
    }
}
