//! The registry: which models there are, which of them scores, and who decided that and why.
//!
//! A registry is a folder of files that anybody can read. The journal is the truth: what it has as
//! a whole line has happened. Role files and the head follow from it, and are written again where a
//! killed process left them behind. Model files are never overwritten and never deleted.

mod error;
mod event;
mod files;
mod finding;
mod journal;
mod locked;
mod verify;
mod why;

use std::path::{Path, PathBuf};

use leadscore_core::Timestamp;
use leadscore_inference::Model;
use serde::Serialize;

pub(crate) use error::kind_of;
pub use error::{Holder, RegistryError};
pub use event::{By, Decision, Event, Facts, Line, ModelFile, Role, Roles, RunNote};
pub use finding::Finding;
pub use locked::{Added, LockedRegistry};
pub use why::{Why, journal_text};

use self::files::{UNNAMED, model_file, sha256};
use self::journal::Journal;

/// A model that the registry has.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KnownModel {
    /// Its file.
    #[serde(flatten)]
    pub file: ModelFile,
    /// Where it comes from.
    #[serde(flatten)]
    pub facts: Facts,
    /// When it was added, as text.
    pub added: String,
    /// Its roles, the most important first.
    pub roles: Vec<Role>,
    /// Whether it is not to have a role any more.
    pub is_retired: bool,
    /// Whether it ever was the champion.
    pub was_champion: bool,
    /// The moment it was added.
    #[serde(skip)]
    pub added_at: Timestamp,
}

impl KnownModel {
    /// Its ID.
    pub fn id(&self) -> &str {
        &self.file.model
    }
}

/// A registry as it was when it was opened; reading needs no lock.
///
/// Its journal is sound: a registry whose journal is not what was written cannot be opened, only
/// [verified](Registry::verify).
#[derive(Debug, Clone)]
pub struct Registry {
    folder: PathBuf,
    journal: Journal,
    models: Vec<KnownModel>,
}

impl Registry {
    /// Reads the registry in a folder. One that does not exist is empty, and a last line that is not
    /// whole, as a killed process leaves it, has not happened.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Damaged`] where the journal is not what was written, [`RegistryError::Io`]
    /// where it cannot be read.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, RegistryError> {
        let folder = folder.into();
        refuse_remote(&folder)?;
        let journal = Journal::read(&folder)?;
        let mut of_journal = journal
            .findings
            .iter()
            .filter(|finding| finding.is_of_journal());
        if let Some(first) = of_journal.next() {
            return Err(RegistryError::Damaged {
                n_findings: 1 + of_journal.count(),
                first: Box::new(first.clone()),
                folder,
            });
        }
        let models = models_of(&journal.lines);
        Ok(Self {
            folder,
            journal,
            models,
        })
    }

    /// What is wrong with the registry in a folder; nothing where it is as it was written.
    ///
    /// What a process leaves that was killed in the middle of a change is not wrong.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Io`] where the folder cannot be read.
    pub fn verify(folder: impl AsRef<Path>) -> Result<Vec<Finding>, RegistryError> {
        refuse_remote(folder.as_ref())?;
        verify::verify(folder.as_ref())
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its models, in the order in which they were added.
    pub fn models(&self) -> &[KnownModel] {
        &self.models
    }

    /// What happened, in order.
    pub fn journal(&self) -> &[Line] {
        &self.journal.lines
    }

    /// Which models have a role.
    pub fn roles(&self) -> Roles {
        self.journal
            .lines
            .last()
            .map(|line| line.roles.clone())
            .unwrap_or_default()
    }

    /// The model that has a role.
    pub fn role(&self, role: Role) -> Option<&KnownModel> {
        let roles = self.roles();
        let id = roles.get(role)?;
        self.models.iter().find(|model| model.id() == id)
    }

    /// A model by `@champion`, `@challenger` or `@previous`, by its ID, or by a beginning of an ID
    /// that no other has; an `@` before an ID changes nothing.
    ///
    /// # Errors
    ///
    /// [`RegistryError::NoRole`], [`RegistryError::NoModel`] and [`RegistryError::Ambiguous`], with
    /// what there is.
    pub fn find(&self, name: &str) -> Result<&KnownModel, RegistryError> {
        let known = || {
            self.models
                .iter()
                .rev()
                .map(|model| model.id().to_owned())
                .collect()
        };
        let role = Role::ALL
            .into_iter()
            .find(|role| name.strip_prefix('@') == Some(role.name()));
        if let Some(role) = role {
            return self.role(role).ok_or_else(|| RegistryError::NoRole {
                folder: self.folder.clone(),
                role,
                known: known(),
            });
        }
        let id = name.strip_prefix('@').unwrap_or(name);
        let begins = |model: &&KnownModel| !id.is_empty() && model.id().starts_with(id);
        let found: Vec<&KnownModel> = self.models.iter().filter(begins).collect();
        match found.as_slice() {
            [] => Err(RegistryError::NoModel {
                folder: self.folder.clone(),
                name: name.to_owned(),
                known: known(),
            }),
            [model] => Ok(model),
            several => several
                .iter()
                .find(|model| model.id() == id)
                .copied()
                .ok_or_else(|| RegistryError::Ambiguous {
                    prefix: id.to_owned(),
                    ids: several.iter().map(|model| model.id().to_owned()).collect(),
                }),
        }
    }

    /// Where the file of a model is.
    pub fn path_of(&self, model: &KnownModel) -> PathBuf {
        path_in(&self.folder, model.id())
    }

    /// The file of a model, after a look at its bytes.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Missing`], and [`RegistryError::Altered`] where the bytes are not those that
    /// were added.
    pub fn checked_path_of(&self, model: &KnownModel) -> Result<PathBuf, RegistryError> {
        self.bytes_of(model).map(|(path, _)| path)
    }

    /// A model, read from its file.
    ///
    /// # Errors
    ///
    /// As [`Registry::checked_path_of`], and [`RegistryError::NotAModel`] where this version of the
    /// program cannot read it.
    pub fn read(&self, model: &KnownModel) -> Result<Model, RegistryError> {
        let (path, bytes) = self.bytes_of(model)?;
        leadscore::model_from_bytes(&bytes).map_err(|error| RegistryError::Unusable {
            path,
            source: Box::new(error),
        })
    }

    fn bytes_of(&self, model: &KnownModel) -> Result<(PathBuf, Vec<u8>), RegistryError> {
        let path = self.path_of(model);
        let Some(bytes) = files::read(&path)? else {
            return Err(RegistryError::Missing { path });
        };
        let found = sha256(&bytes);
        if found == model.file.sha256 {
            Ok((path, bytes))
        } else {
            Err(RegistryError::Altered {
                path,
                found,
                expected: model.file.sha256.clone(),
            })
        }
    }
}

/// Fails for an address, which would be made as a folder of that name.
fn refuse_remote(folder: &Path) -> Result<(), RegistryError> {
    if folder.to_string_lossy().contains("://") {
        return Err(RegistryError::Remote {
            folder: folder.to_owned(),
        });
    }
    Ok(())
}

/// Where the file of a model is: under its name, or still without one, where a process was killed
/// after the journal had the model.
fn path_in(folder: &Path, id: &str) -> PathBuf {
    let named = folder.join(model_file(id));
    let unnamed = folder.join(format!("{UNNAMED}{}", model_file(id)));
    if !named.exists() && unnamed.exists() {
        unnamed
    } else {
        named
    }
}

/// The models of a journal.
fn models_of(lines: &[Line]) -> Vec<KnownModel> {
    let mut models: Vec<KnownModel> = Vec::new();
    for line in lines {
        match &line.event {
            Event::Added { file, facts } => models.push(KnownModel {
                file: file.clone(),
                facts: facts.clone(),
                added: line.at.to_string(),
                added_at: line.at,
                roles: Vec::new(),
                is_retired: false,
                was_champion: false,
            }),
            Event::Promoted { model, .. } | Event::Reverted { model, .. } => {
                change(&mut models, model, |known| known.was_champion = true);
            }
            Event::Retired { model, .. } => {
                change(&mut models, model, |known| known.is_retired = true);
            }
            Event::Kept { .. }
            | Event::Asked { .. }
            | Event::ChallengerSet { .. }
            | Event::Ran(_)
            | Event::Stage { .. } => {}
        }
    }
    if let Some(last) = lines.last() {
        for model in &mut models {
            model.roles = last.roles.of(model.id());
        }
    }
    models
}

fn change(models: &mut [KnownModel], id: &str, change: impl FnOnce(&mut KnownModel)) {
    if let Some(known) = models.iter_mut().find(|known| known.id() == id) {
        change(known);
    }
}

#[cfg(test)]
mod tests;
