//! Scores are added to a history: one more part of their moment, or nothing where the same bytes
//! are there already.

use std::fs::File;
use std::path::{Path, PathBuf};

use leadscore::front_end::TableWriter;
use leadscore::{OutTable, Outputs, Scores};
use leadscore_core::Timestamp;

use super::History;
use super::error::HistoryError;
use super::place::{folder_name, part_name, place};
use super::read::open;

/// What was added to a history.
///
/// While it lives, nobody else adds to the history: keep it until the outputs are published.
#[derive(Debug)]
pub struct Addition {
    /// The file that has the scores of the moment.
    pub path: PathBuf,
    /// Whether it is a new file; else it has the same bytes already, and nothing is written.
    pub is_new: bool,
    /// Earlier scores of the same moment, which do not count any more.
    pub n_replaced: usize,
    /// A later moment that the history has already, where there is one.
    pub later: Option<Timestamp>,
    /// None where the system has no locks.
    _lock: Option<File>,
}

impl History {
    /// Adds scores, as a file that appears when the outputs are published.
    ///
    /// # Errors
    ///
    /// [`HistoryError::Undated`]; the history is of leads with another column of ids; or it cannot
    /// be written.
    pub fn add(
        &self,
        scores: &Scores<'_>,
        outputs: &mut Outputs,
    ) -> Result<Addition, HistoryError> {
        self.add_with(scores, outputs, |_| Ok(()))
    }

    /// The same for whoever needs the rows as well: `also` gets the columns of the score file, part
    /// after part, so that texts are made once.
    ///
    /// # Errors
    ///
    /// As [`Self::add`], and those of `also`.
    pub fn add_with(
        &self,
        scores: &Scores<'_>,
        outputs: &mut Outputs,
        mut also: impl FnMut(&OutTable) -> leadscore::Result<()>,
    ) -> Result<Addition, HistoryError> {
        let moment = scores.as_of().ok_or(HistoryError::Undated)?;
        let folder = self.folder.join(folder_name(moment));
        let io = |action, path: &Path| {
            let path = path.to_owned();
            move |source| HistoryError::Io {
                action,
                path,
                source,
            }
        };
        std::fs::create_dir_all(&folder).map_err(io("make", &folder))?;
        let lock = self.lock()?;
        let later = self.moments()?.pop().filter(|latest| *latest > moment);
        self.refuse_other_config(Some(moment))?;
        let before = place(&folder, moment)?;
        let number = before.as_ref().map_or(0, |place| place.next_part);
        let path = folder.join(part_name(number));
        let mut writer = TableWriter::create(&path)?;
        scores.for_each_part_with_concepts(|mut part, concepts| {
            also(&part)?;
            part.columns.extend(concepts.columns);
            Ok(writer.write(&part)?)
        })?;
        let file = writer.close()?;
        let n_replaced = before.as_ref().map_or(0, |place| place.n_replaced + 1);
        if let Some(before) = before
            && let [same] = before.files.as_slice()
            && file.is_same_as(same)?
        {
            return Ok(Addition {
                path: same.clone(),
                is_new: false,
                n_replaced: before.n_replaced,
                later,
                _lock: lock,
            });
        }
        outputs.add(&path, file);
        Ok(Addition {
            path,
            is_new: true,
            n_replaced,
            later,
            _lock: lock,
        })
    }

    /// Waits until nobody else adds to the history.
    fn lock(&self) -> Result<Option<File>, HistoryError> {
        let path = self.folder.join(".history.lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|source| HistoryError::Io {
                action: "make",
                path,
                source,
            })?;
        // Some network file systems have no locks; then two runs at once may lose one of the two.
        Ok(file.lock().is_ok().then_some(file))
    }

    /// Fails where scores could not be added, because those that are there are of leads with another
    /// column of ids.
    ///
    /// # Errors
    ///
    /// [`HistoryError::Column`].
    pub fn refuse_other_leads(&self) -> Result<(), HistoryError> {
        self.refuse_other_config(None)
    }

    /// The same before scores of a moment are added, whose own earlier ones say least.
    fn refuse_other_config(&self, moment: Option<Timestamp>) -> Result<(), HistoryError> {
        let places = self.places_since(None)?;
        let other = places.iter().rfind(|place| Some(place.moment) != moment);
        let latest = other.or(places.last());
        match latest.and_then(|place| place.files.first()) {
            None => Ok(()),
            Some(file) => match open(file, &self.id_column) {
                Err(error @ HistoryError::Column { is_id: true, .. }) => Err(error),
                // What is wrong with earlier scores is said where they are read.
                Ok(_) | Err(_) => Ok(()),
            },
        }
    }
}
