//! A look at everything in the folder of a registry: is it as it was written?

use std::path::Path;
use std::time::Duration;

use super::error::RegistryError;
use super::event::{Role, Roles};
use super::files::{HEAD, JOURNAL, LOCK, MODEL, failed, model_file, read, sha256};
use super::finding::Finding;
use super::journal::Journal;
use super::{models_of, path_in};

/// How often it looks again where somebody changes the registry meanwhile, and after how long.
const LOOKS: usize = 50;
const PAUSE: Duration = Duration::from_millis(10);

/// What is wrong with a registry.
pub(super) fn verify(folder: &Path) -> Result<Vec<Finding>, RegistryError> {
    let mut findings = Vec::new();
    for _ in 0..LOOKS {
        let before = state(folder)?;
        findings = look(folder)?;
        if findings.is_empty() || state(folder)? == before {
            break;
        }
        std::thread::sleep(PAUSE);
    }
    Ok(findings)
}

/// What every change of a registry changes.
fn state(folder: &Path) -> Result<(Option<u64>, Option<Vec<u8>>), RegistryError> {
    let length = folder.join(JOURNAL).metadata().ok().map(|meta| meta.len());
    Ok((length, read(&folder.join(HEAD))?))
}

fn look(folder: &Path) -> Result<Vec<Finding>, RegistryError> {
    let journal = Journal::read(folder)?;
    let mut findings = journal.findings.clone();
    let is_sound = !findings.iter().any(Finding::is_of_journal);
    if is_sound {
        findings.extend(role_files(folder, &journal)?);
    }
    findings.extend(model_files(folder, &journal)?);
    // What is missing in a journal that lost lines says nothing about the files.
    if is_sound {
        findings.extend(other_files(folder, &journal)?);
    }
    Ok(findings)
}

fn role_files(folder: &Path, journal: &Journal) -> Result<Vec<Finding>, RegistryError> {
    let of = |back: usize| {
        let position = journal.lines.len().checked_sub(1 + back)?;
        Some(journal.lines[position].roles.clone())
    };
    let expected = of(0).unwrap_or_default();
    // Of a change that was not completed, each file may or may not be written.
    let allowed: Vec<Roles> = if journal.is_unsettled() {
        vec![expected.clone(), of(1).unwrap_or_default()]
    } else {
        vec![expected.clone()]
    };
    let mut findings = Vec::new();
    for role in Role::ALL {
        let found = match read(&folder.join(role.name())) {
            Ok(bytes) => bytes.map(|bytes| String::from_utf8_lossy(&bytes).trim_end().to_owned()),
            Err(error) => {
                findings.push(not_readable(role.name(), error)?);
                continue;
            }
        };
        if !allowed
            .iter()
            .any(|roles| roles.get(role) == found.as_deref())
        {
            findings.push(Finding::RoleFile {
                role,
                found,
                expected: expected.get(role).map(str::to_owned),
            });
        }
    }
    Ok(findings)
}

/// A file that cannot be read, which is a finding where the system says why.
fn not_readable(file: &str, error: RegistryError) -> Result<Finding, RegistryError> {
    let file = file.to_owned();
    if let RegistryError::Io { source, .. } = error {
        let found = source.to_string();
        Ok(Finding::NotReadable { file, found })
    } else {
        Err(error)
    }
}

/// Every model that the journal has.
fn model_files(folder: &Path, journal: &Journal) -> Result<Vec<Finding>, RegistryError> {
    let mut findings = Vec::new();
    for model in models_of(&journal.lines) {
        let id = model.id().to_owned();
        let bytes = match read(&path_in(folder, &id)) {
            Ok(bytes) => bytes,
            Err(error) => {
                findings.push(not_readable(&model_file(&id), error)?);
                continue;
            }
        };
        let Some(bytes) = bytes else {
            findings.push(Finding::ModelMissing { id });
            continue;
        };
        let hash = sha256(&bytes);
        if hash == model.file.sha256 {
            continue;
        }
        let found = match leadscore::model_from_bytes(&bytes) {
            Ok(other) if other.card.model_id != id => {
                format!("it has the model {}", other.card.model_id)
            }
            Ok(_) => format!(
                "its SHA-256 is {hash}, and the journal has {}",
                model.file.sha256
            ),
            Err(error) => {
                let words = error.to_string();
                words.lines().next().unwrap_or_default().to_owned()
            }
        };
        findings.push(Finding::ModelAltered { id, found });
    }
    Ok(findings)
}

/// Every file that the journal does not have.
fn other_files(folder: &Path, journal: &Journal) -> Result<Vec<Finding>, RegistryError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed("read the folder", folder)(error)),
    };
    let models = models_of(&journal.lines);
    let mut findings = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed("read the folder", folder))?;
        let file = entry.file_name().to_string_lossy().into_owned();
        let is_ours = [JOURNAL, HEAD, LOCK, "README.md"].contains(&file.as_str())
            // Hidden files are of file systems and of versions, or have no name yet.
            || file.starts_with('.')
            || Role::ALL.iter().any(|role| role.name() == file)
            || models.iter().any(|model| model_file(model.id()) == file);
        if is_ours {
            continue;
        }
        let id = file.ends_with(MODEL).then(|| {
            let bytes = read(&entry.path()).ok()??;
            leadscore::model_from_bytes(&bytes)
                .ok()
                .map(|model| model.card.model_id)
        });
        findings.push(match id.flatten() {
            Some(id) if model_file(&id) != file => Finding::ModelMisnamed { file, id },
            Some(_) => Finding::Unknown {
                file,
                is_model: true,
            },
            None => Finding::Unknown {
                file,
                is_model: false,
            },
        });
    }
    findings.sort_by_key(Finding::place);
    Ok(findings)
}
