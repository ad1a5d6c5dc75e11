//! A registry that this process alone may change.
//!
//! A change is one line of the journal. A model file is written before it, under a name that does
//! not count; names, role files and the head are written after it. Whoever takes the lock next
//! completes what a killed process left undone.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::time::Duration;

use leadscore_core::Timestamp;
use leadscore_inference::Model;

use super::error::{Holder, RegistryError};
use super::event::{By, Decision, Event, Facts, Line, ModelFile, Role, Roles, RunNote};
use super::files::{
    LOCK, UNNAMED, failed, model_file, read, replace, sha256, sync_folder, write_unnamed,
};
use super::{KnownModel, Registry, models_of, refuse_remote};

/// How long whoever has just taken the lock has to write who they are.
const PATIENCE: Duration = Duration::from_millis(20);

/// A registry that this process alone may change, until it is dropped.
#[derive(Debug)]
pub struct LockedRegistry {
    registry: Registry,
    by: By,
    lock: File,
}

/// What came of adding a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// ID of the model.
    pub id: String,
    /// Whether the registry did not have it before.
    pub is_new: bool,
    /// Whether the registry had it, and its file was missing and is back.
    pub is_put_back: bool,
}

impl Deref for LockedRegistry {
    type Target = Registry;

    fn deref(&self) -> &Registry {
        &self.registry
    }
}

impl Registry {
    /// Takes the lock of the registry in a folder, which is made where there is none; completes what
    /// a killed process left undone.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Busy`] where another process has the lock, [`RegistryError::Damaged`] as in
    /// [`Registry::open`], [`RegistryError::Io`] where the folder cannot be written.
    pub fn lock(folder: impl Into<PathBuf>, by: By) -> Result<LockedRegistry, RegistryError> {
        let folder = folder.into();
        refuse_remote(&folder)?;
        let by = by.without_secrets();
        let is_made = !folder.is_dir();
        std::fs::create_dir_all(&folder).map_err(failed("make the folder", &folder))?;
        if is_made && let Some(parent) = folder.parent().filter(|path| path.is_dir()) {
            sync_folder(parent)?;
        }
        let lock = take_lock(&folder, &by)?;
        let mut locked = LockedRegistry {
            registry: Self::open(folder)?,
            by,
            lock,
        };
        let registry = &mut locked.registry;
        registry.journal.remove_torn(&registry.folder)?;
        locked.settle()?;
        locked.remove_unnamed();
        Ok(locked)
    }
}

/// Opens and locks the lock file, and writes into it who holds it.
fn take_lock(folder: &Path, by: &By) -> Result<File, RegistryError> {
    let path = folder.join(LOCK);
    loop {
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed("open the lock", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                std::thread::sleep(PATIENCE);
                let mut text = String::new();
                let _ = file.read_to_string(&mut text);
                return Err(RegistryError::Busy {
                    folder: folder.to_owned(),
                    holder: serde_json::from_str(&text).ok(),
                });
            }
            Err(TryLockError::Error(error)) => return Err(failed("lock", &path)(error)),
        }
        // A file that was removed meanwhile locks nobody out.
        if is_at(&file, &path) {
            let holder = Holder {
                pid: std::process::id(),
                host: by.host.clone(),
                user: by.user.clone(),
                since: by.at.to_string(),
                command: by.command.clone(),
            };
            // On a full disk the lock still holds, and nobody can read who holds it.
            let _ = serde_json::to_string(&holder).map(|text| {
                let written = file
                    .set_len(0)
                    .and_then(|()| file.rewind())
                    .and_then(|()| writeln!(file, "{text}"));
                if written.is_err() {
                    let _ = file.set_len(0);
                }
            });
            return Ok(file);
        }
    }
}

/// Whether an open file is the one at this path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), path.metadata()) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        (Err(_), _) | (_, Err(_)) => false,
    }
}

/// Elsewhere an open file cannot be removed.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

impl Drop for LockedRegistry {
    fn drop(&mut self) {
        // Nobody holds it any more; what a killed process leaves here locks nobody out either.
        let _ = self.lock.set_len(0);
    }
}

impl LockedRegistry {
    /// From now on changes happen at this moment.
    pub fn at(&mut self, now: Timestamp) -> &mut Self {
        self.by.at = now;
        self
    }

    /// Adds a model. The same model again is no new one: the file stays as it is.
    ///
    /// # Errors
    ///
    /// As [`LockedRegistry::add_bytes`].
    pub fn add(&mut self, model: &Model, facts: Facts) -> Result<Added, RegistryError> {
        let mut bytes = Vec::new();
        leadscore_inference::write_model(model, &mut bytes).map_err(|error| {
            RegistryError::NotAModel {
                name: format!("the model {}", model.card.model_id),
                source: Box::new(error.into()),
            }
        })?;
        self.add_bytes(&bytes, facts)
    }

    /// Adds a model by the bytes of its file, which are kept as they are.
    ///
    /// A model whose ID the registry has is the same model, with the same scores: the first file
    /// stays. Where that file is missing, and these are its bytes, it is put back.
    ///
    /// # Errors
    ///
    /// [`RegistryError::NotAModel`] and [`RegistryError::Id`] for what is no model,
    /// [`RegistryError::Altered`] where the file of the same model was altered,
    /// [`RegistryError::Io`] where it cannot be written: then nothing was added.
    pub fn add_bytes(&mut self, bytes: &[u8], facts: Facts) -> Result<Added, RegistryError> {
        let name = || facts.from.clone().unwrap_or_else(|| "the model".to_owned());
        let refused = |source: leadscore::Error| RegistryError::NotAModel {
            name: name(),
            source: Box::new(source),
        };
        let model = leadscore::model_from_bytes(bytes).map_err(refused)?;
        let card = &model.card;
        let id = card.model_id.clone();
        let computed = model.compute_id().map_err(|error| refused(error.into()))?;
        // Also keeps it from naming a file elsewhere.
        if id != computed {
            return Err(RegistryError::Id {
                name: name(),
                id,
                computed,
            });
        }
        let hash = sha256(bytes);
        if let Some(known) = self.models.iter().find(|known| known.id() == id) {
            let is_put_back = match self.checked_path_of(known) {
                Err(RegistryError::Missing { .. }) if hash == known.file.sha256 => {
                    self.check_lock()?;
                    replace(&self.folder, &model_file(&id), bytes)?;
                    sync_folder(&self.folder)?;
                    true
                }
                found => found.map(|_| false)?,
            };
            return Ok(Added {
                id,
                is_new: false,
                is_put_back,
            });
        }
        let file = ModelFile {
            model: id.clone(),
            sha256: hash,
            bytes: bytes.len() as u64,
            trained_by: card.tool_version.clone(),
            training_cutoff: card.training_cutoff.clone(),
            data_fingerprint: card.data_fingerprint.clone(),
            n_leads: card.n_leads,
            n_wins: card.n_wins,
        };
        let path = self.folder.join(model_file(&id));
        if read(&path)?.is_some_and(|there| there != bytes) {
            return Err(RegistryError::InTheWay { path });
        }
        self.check_lock()?;
        let unnamed = write_unnamed(&self.folder, &model_file(&id), bytes)?;
        sync_folder(&self.folder)?;
        let roles = self.roles();
        if let Err(error) = self.commit(Event::Added { file, facts }, roles) {
            if !matches!(error, RegistryError::Unsettled { .. }) {
                let _ = std::fs::remove_file(unnamed);
            }
            return Err(error);
        }
        Ok(Added {
            id,
            is_new: true,
            is_put_back: false,
        })
    }

    /// Makes a model the champion; the champion until then is the previous one. Returns the number
    /// of the line, or `None` where it is the champion already.
    ///
    /// # Errors
    ///
    /// As [`Registry::find`] and [`Registry::checked_path_of`], [`RegistryError::Retired`], and
    /// errors of writing.
    pub fn promote(
        &mut self,
        name: &str,
        decision: Decision,
    ) -> Result<Option<u64>, RegistryError> {
        let model = self.usable(name)?;
        let before = self.roles();
        if before.champion.as_ref() == Some(&model) {
            return Ok(None);
        }
        let roles = self.crowned(&model);
        self.commit(
            Event::Promoted {
                model,
                instead_of: before.champion,
                decision,
            },
            roles,
        )
        .map(Some)
    }

    /// Makes the previous champion the champion again; the champion until then is the previous one,
    /// so that a second time undoes the first.
    ///
    /// # Errors
    ///
    /// As [`LockedRegistry::promote`].
    pub fn revert(&mut self, decision: Decision) -> Result<u64, RegistryError> {
        let model = self.usable("@previous")?;
        let roles = self.crowned(&model);
        self.commit(
            Event::Reverted {
                model,
                instead_of: self.roles().champion,
                decision,
            },
            roles,
        )
    }

    /// Makes a model the challenger, in place of another. Returns the number of the line, or `None`
    /// where it is the challenger already.
    ///
    /// # Errors
    ///
    /// As [`LockedRegistry::promote`], and [`RegistryError::IsChampion`].
    pub fn set_challenger(
        &mut self,
        name: &str,
        decision: Decision,
    ) -> Result<Option<u64>, RegistryError> {
        let model = self.usable(name)?;
        let before = self.roles();
        if before.champion.as_ref() == Some(&model) {
            return Err(RegistryError::IsChampion { id: model });
        }
        if before.challenger.as_ref() == Some(&model) {
            return Ok(None);
        }
        let roles = Roles {
            challenger: Some(model.clone()),
            ..before
        };
        self.commit(Event::ChallengerSet { model, decision }, roles)
            .map(Some)
    }

    /// A model is not to have a role any more; its file stays. Returns the number of the line, or
    /// `None` where it is retired already.
    ///
    /// # Errors
    ///
    /// As [`Registry::find`], [`RegistryError::IsChampion`], and errors of writing.
    pub fn retire(&mut self, name: &str, decision: Decision) -> Result<Option<u64>, RegistryError> {
        let known = self.find(name)?;
        let (model, is_retired) = (known.id().to_owned(), known.is_retired);
        let before = self.roles();
        if is_retired {
            return Ok(None);
        }
        if before.champion.as_ref() == Some(&model) {
            return Err(RegistryError::IsChampion { id: model });
        }
        let others = |id: Option<String>| id.filter(|id| *id != model);
        let roles = Roles {
            champion: before.champion.clone(),
            challenger: others(before.challenger),
            previous: others(before.previous),
        };
        self.commit(Event::Retired { model, decision }, roles)
            .map(Some)
    }

    /// The champion was compared with the challenger, and stays.
    ///
    /// # Errors
    ///
    /// [`RegistryError::NoRole`] where one of them is missing, and errors of writing.
    pub fn kept(&mut self, decision: Decision) -> Result<u64, RegistryError> {
        let model = self.find("@champion")?.id().to_owned();
        let challenger = self.find("@challenger")?.id().to_owned();
        self.commit(
            Event::Kept {
                model,
                challenger,
                decision,
            },
            self.roles(),
        )
    }

    /// The challenger would be promoted, and a person is asked.
    ///
    /// # Errors
    ///
    /// [`RegistryError::NoRole`] where there is none, and errors of writing.
    pub fn asked(&mut self, decision: Decision) -> Result<u64, RegistryError> {
        let model = self.find("@challenger")?.id().to_owned();
        self.commit(Event::Asked { model, decision }, self.roles())
    }

    /// A scheduled run ended.
    ///
    /// # Errors
    ///
    /// Errors of writing.
    pub fn ran(&mut self, run: RunNote) -> Result<u64, RegistryError> {
        self.commit(Event::Ran(run), self.roles())
    }

    /// A stage of a scheduled run ended.
    ///
    /// # Errors
    ///
    /// Errors of writing.
    pub fn stage(&mut self, stage: impl Into<String>, run: RunNote) -> Result<u64, RegistryError> {
        let stage = stage.into();
        self.commit(Event::Stage { stage, run }, self.roles())
    }

    /// ID of a model that may have a role.
    fn usable(&self, name: &str) -> Result<String, RegistryError> {
        let known: &KnownModel = self.find(name)?;
        let id = known.id().to_owned();
        if known.is_retired {
            return Err(RegistryError::Retired { id });
        }
        self.read(known)?;
        Ok(id)
    }

    /// The roles once this model is the champion.
    fn crowned(&self, model: &str) -> Roles {
        let before = self.roles();
        Roles {
            champion: Some(model.to_owned()),
            challenger: before.challenger.filter(|id| id != model),
            previous: before.champion,
        }
    }

    /// Writes an event into the journal, where it counts, and then what follows from it.
    fn commit(&mut self, event: Event, roles: Roles) -> Result<u64, RegistryError> {
        self.settle()?;
        self.check_lock()?;
        let last = self.journal().last();
        let number = last.map_or(0, |line| line.number) + 1;
        let at = last.map_or(self.by.at, |line| line.at.max(self.by.at));
        let line = Line {
            number,
            at,
            clock: (at != self.by.at).then_some(self.by.at),
            user: self.by.user.clone(),
            host: self.by.host.clone(),
            command: self.by.command.clone(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            event,
            roles,
            before: self.registry.journal.last_hash.clone(),
        };
        let registry = &mut self.registry;
        registry.journal.append(&registry.folder, line)?;
        registry.models = models_of(&registry.journal.lines);
        self.settle().map_err(|error| RegistryError::Unsettled {
            number,
            source: Box::new(error),
        })?;
        Ok(number)
    }

    /// Writes what follows from the journal: names of model files, role files, the head.
    fn settle(&mut self) -> Result<(), RegistryError> {
        let registry = &mut self.registry;
        let folder = &registry.folder;
        if let Some(Line {
            event: Event::Added { file, .. },
            ..
        }) = registry.journal.lines.last()
            && registry.journal.is_unsettled()
        {
            name_model(folder, file)?;
        }
        let roles = registry.roles();
        let mut is_changed = false;
        for role in Role::ALL {
            let path = folder.join(role.name());
            let wanted = roles.get(role).map(|id| format!("{id}\n").into_bytes());
            if read(&path)? == wanted {
                continue;
            }
            is_changed = true;
            match wanted {
                Some(text) => replace(folder, role.name(), &text)?,
                None => std::fs::remove_file(&path).map_err(failed("remove", &path))?,
            }
        }
        if is_changed || registry.journal.is_unsettled() {
            sync_folder(folder)?;
        }
        registry.journal.settle(&registry.folder)
    }

    /// Removes files that never got a name: whoever wrote them has ended, or the lock would be held.
    fn remove_unnamed(&self) {
        let Ok(entries) = std::fs::read_dir(&self.folder) else {
            return;
        };
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(UNNAMED) {
                // What stays is hidden, and harms nobody.
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    /// Fails where others could hold the lock, too.
    fn check_lock(&self) -> Result<(), RegistryError> {
        let path = self.folder.join(LOCK);
        if is_at(&self.lock, &path) {
            Ok(())
        } else {
            Err(RegistryError::LockLost { path })
        }
    }
}

/// Gives the file of an added model its name, unless it has it.
fn name_model(folder: &Path, file: &ModelFile) -> Result<(), RegistryError> {
    let name = model_file(&file.model);
    let (named, unnamed) = (folder.join(&name), folder.join(format!("{UNNAMED}{name}")));
    if !named.exists()
        && let Some(bytes) = read(&unnamed)?
        && sha256(&bytes) == file.sha256
    {
        std::fs::rename(&unnamed, &named).map_err(failed("rename the new file to", &named))?;
    }
    Ok(())
}
