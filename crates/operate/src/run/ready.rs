//! What a run needs before it begins, a dry run too: the data, places that can be written, a key;
//! and whether the run before had the same.

use std::path::{Path, PathBuf};

use leadscore::{Config, Data, Inputs, Timestamp};
use leadscore_config::OperationConfig;

use super::key::{hash_of_file, key};
use super::publish::Place;
use super::report::RunReport;
use super::{RunError, RunOptions};
use crate::history::History;
use crate::registry::{Event, Registry, Roles, RunNote};

/// Inputs that were looked at, and places that can be written.
pub(super) struct Ready {
    pub(super) data: Data,
    pub(super) places: Vec<Place>,
    pub(super) fingerprint: String,
    pub(super) key: String,
}

impl Ready {
    /// Fails where the run could not end, before any work.
    pub(super) fn of(
        config: &Config,
        inputs: Inputs,
        options: RunOptions,
    ) -> Result<Self, RunError> {
        let operation = &config.settings().operation;
        let folder = config.folder();
        let data = Data::open(config, inputs)?;
        let data = options
            .as_of
            .map_or(data.clone(), |as_of| data.as_of(as_of));
        let places: Vec<Place> = operation
            .publish
            .iter()
            .map(|place| Place::of(place, &folder))
            .collect();
        for (number, place) in places.iter().enumerate() {
            if places[..number].contains(place) {
                let place = operation.publish[number].clone();
                return Err(RunError::Twice { place });
            }
            place.check(&data)?;
        }
        refuse_undated(&data, &places, options)?;
        let files: Vec<PathBuf> = places
            .iter()
            .filter_map(|place| place.file(options.as_of))
            .collect();
        data.refuse_inputs(&files, &[])?;
        refuse_kept_folders(&files, &folder, operation)?;
        if let Some(history) = history_of(&data, &folder)? {
            history.refuse_other_leads()?;
            if let Some(as_of) = options.as_of {
                refuse_earlier(Some(&history), as_of)?;
            }
        }
        let fingerprint = data.fingerprint()?;
        let key = key_of(config, &fingerprint, options);
        Ok(Self {
            data,
            places,
            fingerprint,
            key,
        })
    }
}

/// The folders of the registry and of the history have files of their own, and no others.
fn refuse_kept_folders(
    files: &[PathBuf],
    folder: &Path,
    operation: &OperationConfig,
) -> Result<(), RunError> {
    let plain = |path: &Path| -> PathBuf { path.components().collect() };
    for (what, kept) in [
        ("registry", &operation.registry),
        ("history", &operation.history),
    ] {
        let kept = plain(&folder.join(kept));
        if let Some(file) = files.iter().find(|file| plain(file).starts_with(&kept)) {
            return Err(RunError::InKeptFolder {
                path: file.clone(),
                what,
            });
        }
    }
    Ok(())
}

/// Undated data has no moments: models cannot be compared on later leads, and scores have no row of
/// their own in a table.
fn refuse_undated(data: &Data, places: &[Place], options: RunOptions) -> Result<(), RunError> {
    let settings = data.settings();
    if !settings.is_flat() {
        return Ok(());
    }
    let asks = match (options.retrain, settings.operation.retrain) {
        (true, _) => Some("training a challenger"),
        (false, Some(_)) => Some("[operation] `retrain`"),
        (false, None) => None,
    };
    if let Some(what) = asks {
        return Err(RunError::Undated { what });
    }
    for place in places {
        match place {
            Place::File(_) | Place::Folder(_) => {}
            Place::Table(_) => {
                return Err(RunError::Undated {
                    what: "a table in [operation] `publish`",
                });
            }
        }
    }
    if places.is_empty() {
        return Err(RunError::Nowhere);
    }
    Ok(())
}

/// The history beside a config; `None` for undated data, whose scores are of no moment.
pub(super) fn history_of(data: &Data, folder: &Path) -> Result<Option<History>, RunError> {
    let settings = data.settings();
    if settings.is_flat() {
        return Ok(None);
    }
    let folder = folder.join(&settings.operation.history);
    Ok(Some(History::open(folder, &settings.leads.id)?))
}

/// Fails where the history has a later moment: published scores would go back to older ones.
pub(super) fn refuse_earlier(history: Option<&History>, as_of: Timestamp) -> Result<(), RunError> {
    let Some(history) = history else {
        return Ok(());
    };
    match history.moments()?.pop() {
        Some(latest) if latest > as_of => Err(RunError::Earlier { as_of, latest }),
        Some(_) | None => Ok(()),
    }
}

/// How a run says that nothing has changed.
pub(super) const SAME_INPUTS: &str = "config, tables and models are those of the run before";

/// The report of the run before, if it had the same inputs and what it wrote is as it was.
pub(super) fn same_run(
    registry: &Registry,
    folder: &Path,
    key: &str,
    options: RunOptions,
) -> Option<RunReport> {
    let before = last_run(registry)?;
    if options.retrain || before.note.key != key || before.roles != registry.roles() {
        return None;
    }
    let report = serde_json::from_value(before.note.details["report"].clone()).ok()?;
    let files = before.note.details["files"].as_object()?;
    let is_same = |(path, hash): (&String, &serde_json::Value)| {
        hash_of_file(&folder.join(path)).as_deref() == hash.as_str()
    };
    files.iter().all(is_same).then_some(report)
}

/// The key of inputs and options.
fn key_of(config: &Config, fingerprint: &str, options: RunOptions) -> String {
    let as_of = options.as_of.map(|at| at.to_string()).unwrap_or_default();
    key(&[
        config.text(),
        fingerprint,
        &as_of,
        env!("CARGO_PKG_VERSION"),
    ])
}

/// The last run that ended, and the roles after it.
struct LastRun {
    note: RunNote,
    roles: Roles,
}

fn last_run(registry: &Registry) -> Option<LastRun> {
    registry
        .journal()
        .iter()
        .rev()
        .find_map(|line| match &line.event {
            Event::Ran(note) => Some(LastRun {
                note: note.clone(),
                roles: line.roles.clone(),
            }),
            Event::Added { .. }
            | Event::Promoted { .. }
            | Event::Kept { .. }
            | Event::Asked { .. }
            | Event::ChallengerSet { .. }
            | Event::Reverted { .. }
            | Event::Retired { .. }
            | Event::Stage { .. } => None,
        })
}
