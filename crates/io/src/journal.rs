//! Files under temporary names, and journals of those that get their names together: what a killed
//! run left is completed or removed by the next.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::TablesError;
use crate::scratch::remove_abandoned;
use crate::targets::folder_of;
use crate::unfinished::{forget, made_watched, watch};

/// What a journal says of one file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Rename {
    pub(crate) temporary: PathBuf,
    pub(crate) target: PathBuf,
    /// The file itself, by which it is known under either name.
    pub(crate) inode: u64,
}

/// Renames one after the other; where one fails, those before it get back what they had.
pub(crate) fn rename_all(renames: &[Rename]) -> Result<(), TablesError> {
    let backup_of = |rename: &Rename| {
        let mut name = rename.temporary.as_os_str().to_owned();
        // Ends as temporary files do: what a killed run leaves is removed by the next.
        name.push(ENDING);
        PathBuf::from(name)
    };
    for (position, rename) in renames.iter().enumerate() {
        // Without links there is no way back, and the journal still completes what was begun.
        let has_backup =
            renames.len() > 1 && std::fs::hard_link(&rename.target, backup_of(rename)).is_ok();
        let Err(source) = std::fs::rename(&rename.temporary, &rename.target) else {
            continue;
        };
        if has_backup {
            let _ = std::fs::remove_file(backup_of(rename));
        }
        for done in &renames[..position] {
            let backup = backup_of(done);
            let _ = if backup.exists() {
                std::fs::rename(backup, &done.target)
            } else {
                std::fs::remove_file(&done.target)
            };
        }
        return Err(TablesError::Io {
            action: "rename the finished file over",
            path: rename.target.clone(),
            source,
        });
    }
    if renames.len() > 1 {
        renames
            .iter()
            .for_each(|rename| drop(std::fs::remove_file(backup_of(rename))));
    }
    Ok(())
}

/// A journal in every folder that gets a file; whole or not there.
pub(crate) fn write_journals(
    renames: &[Rename],
) -> Result<Vec<(tempfile::TempPath, File)>, TablesError> {
    let folders: BTreeSet<&Path> = renames
        .iter()
        .map(|rename| folder_of(&rename.target))
        .collect();
    let text = serde_json::to_vec(renames).expect("paths of files that were just made are texts");
    let mut journals = Vec::new();
    for folder in folders {
        let error = |source| TablesError::Io {
            action: "write the list of finished files in",
            path: folder.to_owned(),
            source,
        };
        let (mut file, path) = temporary_in(folder).map_err(error)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            file.set_permissions(std::fs::Permissions::from_mode(0o600))
                .map_err(error)?;
        }
        file.write_all(&text)
            .and_then(|()| file.sync_all())
            .map_err(error)?;
        let named = path.with_extension(&JOURNAL[1..]);
        let unnamed = path.to_path_buf();
        path.persist(&named)
            .map_err(|failure| error(failure.error))?;
        forget(&unnamed);
        watch(&named);
        journals.push((
            tempfile::TempPath::try_from_path(named).map_err(error)?,
            file,
        ));
    }
    Ok(journals)
}

#[cfg(unix)]
pub(crate) fn inode_of(metadata: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
pub(crate) fn inode_of(_: &std::fs::Metadata) -> u64 {
    0
}

/// A locked temporary file that says whose it is.
pub(crate) fn temporary_in(folder: &Path) -> std::io::Result<(File, tempfile::TempPath)> {
    let prefix = format!("{BEGINNING}{}-{}-", *HOME, std::process::id());
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(ENDING);
    #[cfg(unix)]
    {
        // As any new file of this user, not private as temporary files are by default.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let (file, path) = made_watched(
        || Ok(builder.tempfile_in(folder)?.into_parts()),
        |(_, path)| path,
    )?;
    // Held while it is written, so that others see that somebody does. Where a file system has no
    // locks, nothing is cleaned.
    let _ = file.try_lock();
    Ok((file, path))
}

/// How the names of unfinished files begin and end.
const BEGINNING: &str = ".leadscore-";
const ENDING: &str = ".tmp";
/// How the name of a journal ends.
const JOURNAL: &str = ".journal";
/// A file younger than this may be about to be locked by whoever made it, where that cannot be
/// asked.
pub(crate) const SETTLED: Duration = Duration::from_secs(60);

/// This start of this machine, and the space in which its process ids count: empty where neither
/// can be known.
pub(crate) static HOME: LazyLock<String> = LazyLock::new(|| {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let space = std::fs::read_link("/proc/self/ns/pid")
        .map(|link| link.display().to_string())
        .unwrap_or_default();
    if boot.is_empty() || space.is_empty() {
        String::new()
    } else {
        format!(
            "{:016x}",
            leadscore_core::stable_hash(&format!("{boot} {space}"))
        )
    }
});

/// Whether whoever made a file of this name has ended for sure.
fn is_orphan(name: &str) -> bool {
    let mut parts = name.trim_start_matches(BEGINNING).split('-');
    let (home, id) = (
        parts.next(),
        parts.next().and_then(|id| id.parse::<u32>().ok()),
    );
    !HOME.is_empty()
        && home == Some(HOME.as_str())
        && id.is_some_and(|id| !Path::new(&format!("/proc/{id}")).exists())
}

/// Completes what a killed run had finished, and removes what it had not, in a folder: for whoever
/// writes there, or reads what runs write.
pub fn complete_and_clean(folder: &Path) {
    remove_abandoned(folder);
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    let ours =
        |entry: &std::fs::DirEntry| entry.file_name().to_string_lossy().starts_with(BEGINNING);
    let entries: Vec<_> = entries.flatten().filter(ours).collect();
    let is_abandoned = |entry: &std::fs::DirEntry| {
        let is_settled = || {
            entry
                .metadata()
                .and_then(|meta| meta.modified())
                .is_ok_and(|at| at.elapsed().is_ok_and(|age| age > SETTLED))
        };
        (is_orphan(&entry.file_name().to_string_lossy()) || is_settled())
            && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok())
    };
    let ends = |entry: &std::fs::DirEntry, ending: &str| {
        entry.file_name().to_string_lossy().ends_with(ending)
    };
    for journal in entries
        .iter()
        .filter(|entry| ends(entry, JOURNAL) && is_abandoned(entry) && is_mine_alone(&entry.path()))
    {
        complete(&journal.path());
    }
    for entry in entries
        .iter()
        .filter(|entry| ends(entry, ENDING) && is_abandoned(entry))
    {
        let _ = std::fs::remove_file(entry.path());
    }
}

/// Whether a file is this user's, and nobody else can write to it: what it says is done. In a
/// folder that others may write to, a journal of theirs could else give any file a name.
#[cfg(unix)]
fn is_mine_alone(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let own = tempfile::tempfile()
        .and_then(|file| file.metadata())
        .map(|meta| meta.uid());
    path.symlink_metadata().is_ok_and(|meta| {
        meta.is_file() && meta.mode() & 0o022 == 0 && own.is_ok_and(|own| own == meta.uid())
    })
}

#[cfg(not(unix))]
fn is_mine_alone(_: &Path) -> bool {
    false
}

/// Does what a journal says, where all of its files are still there; else none had its name yet,
/// and none gets it.
fn complete(journal: &Path) {
    let renames: Vec<Rename> = std::fs::read(journal)
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default();
    let is_there = |path: &Path, inode: u64| {
        path.metadata()
            .is_ok_and(|meta| meta.is_file() && inode_of(&meta) == inode)
    };
    let is_ours = |rename: &Rename| {
        rename
            .temporary
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(BEGINNING))
    };
    let is_whole = renames.iter().all(|rename| {
        is_ours(rename)
            && (is_there(&rename.temporary, rename.inode) || is_there(&rename.target, rename.inode))
    });
    if is_whole
        && renames.iter().any(|rename| {
            is_there(&rename.temporary, rename.inode)
                && std::fs::rename(&rename.temporary, &rename.target).is_err()
        })
    {
        // It cannot be completed now: the journal stays for the next.
        return;
    }
    if std::fs::remove_file(journal).is_ok() {
        // The other folders have a copy of it, and files of their own to be removed.
        let own = folder_of(journal);
        let others: BTreeSet<&Path> = renames
            .iter()
            .filter(|rename| is_ours(rename))
            .map(|rename| folder_of(&rename.target))
            .filter(|folder| *folder != own)
            .collect();
        others.into_iter().for_each(complete_and_clean);
    }
}
