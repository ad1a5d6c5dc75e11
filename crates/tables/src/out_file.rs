//! Files that appear whole or not at all, one or several at once: temporary files beside their
//! targets, synced, then renamed.
//!
//! Renames of several files are one step for whoever comes later: a journal beside the targets
//! names them before the first is renamed, and the next run that writes there completes what a
//! killed one began.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::TablesError;

/// Files and folders that are being written: removed when the program is interrupted.
static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
/// Held while files get their names: an interrupted program ends before it or after it.
static NAMING: Mutex<()> = Mutex::new(());

/// Removes every file that is still being written; for whoever hears that the program must end.
pub fn remove_unfinished() {
    // Either all files of a run have their names, or none.
    let naming = NAMING.lock();
    if let Ok(mut paths) = UNFINISHED.lock() {
        for path in std::mem::take(&mut *paths) {
            // Nothing more can be done about a file that cannot be removed.
            let _ = if path.is_dir() {
                remove_folder(&path)
            } else {
                std::fs::remove_file(path)
            };
        }
        // The program ends: nobody makes another file before it has.
        std::mem::forget(paths);
    }
    std::mem::forget(naming);
}

/// A file that appears under its name only when it is finished; dropped before, it leaves nothing
/// behind.
#[derive(Debug)]
pub struct OutFile {
    target: PathBuf,
    writer: Writer,
}

#[derive(Debug)]
enum Writer {
    /// A file without its name yet.
    Temporary(tempfile::TempPath, BufWriter<File>),
    /// A pipe or a device, opened by the first write: opening a pipe waits for its reader.
    Direct(Option<BufWriter<File>>),
}

/// A file that is written and synced, and still has to get its name; dropped before, it leaves
/// nothing behind.
#[derive(Debug)]
pub struct FinishedFile {
    target: PathBuf,
    /// With the lock that says that somebody is at it; none where the target is a pipe or a device.
    temporary: Option<(tempfile::TempPath, File)>,
}

impl OutFile {
    /// Opens a temporary file in the folder of `target`.
    ///
    /// A target that is a link is written where the link leads, one that is a pipe or a device
    /// directly. A file that is replaced keeps its mode; a new one gets that of any new file of
    /// this user (umask).
    ///
    /// # Errors
    ///
    /// [`TablesError::Io`] where the folder does not exist or cannot be written.
    pub fn create(target: &Path) -> Result<Self, TablesError> {
        let error = |action| {
            move |source| TablesError::Io {
                action,
                path: target.to_owned(),
                source,
            }
        };
        if target.is_dir() {
            return Err(TablesError::Format {
                path: target.to_owned(),
                found: "this is a folder".to_owned(),
                help: "name a file in it".to_owned(),
            });
        }
        if target.metadata().is_ok_and(|meta| !meta.is_file()) {
            return Ok(Self {
                target: target.to_owned(),
                writer: Writer::Direct(None),
            });
        }
        let named = target;
        let target = led_to(target).map_err(error("follow the link"))?;
        let folder = folder_of(&target);
        if !folder.is_dir() {
            return Err(TablesError::Format {
                path: named.to_owned(),
                found: format!("there is no folder {}", folder.display()),
                help: "make it first, or write elsewhere".to_owned(),
            });
        }
        complete_and_clean(folder);
        let (file, path) = temporary_in(folder).map_err(error("create"))?;
        Ok(Self {
            target,
            writer: Writer::Temporary(path, BufWriter::with_capacity(1 << 20, file)),
        })
    }

    /// Writes everything to disk; the file has no name yet.
    ///
    /// # Errors
    ///
    /// [`TablesError::Io`]; the target is then as it was before.
    pub fn close(mut self) -> Result<FinishedFile, TablesError> {
        let target = std::mem::take(&mut self.target);
        let error = |source| TablesError::Io {
            action: "write",
            path: target.clone(),
            source,
        };
        let writer = std::mem::replace(&mut self.writer, Writer::Direct(None));
        let temporary = match writer {
            Writer::Direct(writer) => {
                let mut writer = writer
                    .map_or_else(|| open_directly(&target), Ok)
                    .map_err(error)?;
                writer.flush().map_err(error)?;
                None
            }
            Writer::Temporary(path, writer) => {
                let unfinished = Unfinished(path.to_path_buf());
                let file = writer
                    .into_inner()
                    .map_err(|failure| error(failure.into_error()))?;
                if let Ok(before) = target.metadata() {
                    file.set_permissions(before.permissions()).map_err(error)?;
                }
                file.sync_all().map_err(error)?;
                // From here on the finished file looks after its name.
                std::mem::forget(unfinished);
                Some((path, file))
            }
        };
        Ok(FinishedFile { target, temporary })
    }

    /// Writes everything to disk and gives the file its name.
    ///
    /// # Errors
    ///
    /// [`TablesError::Io`]; the target is then as it was before.
    pub fn finish(self) -> Result<(), TablesError> {
        publish(vec![self.close()?])
    }
}

/// Where a link leads, be there a file yet or not.
fn led_to(target: &Path) -> std::io::Result<PathBuf> {
    let mut target = target.to_owned();
    for _ in 0..40 {
        if !target.is_symlink() {
            return Ok(target);
        }
        target = folder_of(&target).join(std::fs::read_link(&target)?);
    }
    Err(std::io::Error::other("the link leads to itself"))
}

/// Forgets a temporary file that is given up.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        forget(&self.0);
    }
}

fn open_directly(target: &Path) -> std::io::Result<BufWriter<File>> {
    Ok(BufWriter::new(File::options().write(true).open(target)?))
}

impl Drop for OutFile {
    fn drop(&mut self) {
        if let Writer::Temporary(path, _) = &self.writer {
            forget(path);
        }
    }
}

impl Drop for FinishedFile {
    fn drop(&mut self) {
        if let Some((path, _)) = &self.temporary {
            forget(path);
        }
    }
}

impl Write for OutFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match &mut self.writer {
            Writer::Temporary(_, writer) => writer.write(bytes),
            Writer::Direct(writer) => {
                if writer.is_none() {
                    *writer = Some(open_directly(&self.target)?);
                }
                writer.as_mut().expect("opened above").write(bytes)
            }
        }
    }
    fn flush(&mut self) -> std::io::Result<()> {
        match &mut self.writer {
            Writer::Temporary(_, writer) | Writer::Direct(Some(writer)) => writer.flush(),
            Writer::Direct(None) => Ok(()),
        }
    }
}

/// What a journal says of one file.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Rename {
    temporary: PathBuf,
    target: PathBuf,
    /// The file itself, by which it is known under either name.
    inode: u64,
}

/// Gives finished files their names: all of them, or none.
///
/// A run that is killed in between is completed by the next one that writes to one of the folders.
///
/// # Errors
///
/// [`TablesError::Io`]; every target is then as it was before.
pub fn publish(files: Vec<FinishedFile>) -> Result<(), TablesError> {
    let mut renames = Vec::new();
    for file in &files {
        if let Some((temporary, handle)) = &file.temporary {
            let error = |source| TablesError::Io {
                action: "write",
                path: file.target.clone(),
                source,
            };
            let absolute = |path: &Path| std::path::absolute(path).map_err(error);
            let target = real(&file.target).map_or_else(|| absolute(&file.target), Ok)?;
            renames.push(Rename {
                temporary: absolute(temporary)?,
                target,
                inode: inode_of(&handle.metadata().map_err(error)?),
            });
        }
    }
    let twice = renames.iter().enumerate().find(|(position, rename)| {
        renames[..*position]
            .iter()
            .any(|other| other.target == rename.target)
    });
    if let Some((_, rename)) = twice {
        return Err(two_of_one_name(rename.target.clone()));
    }
    let _naming = NAMING.lock();
    let journals = if renames.len() > 1 {
        write_journals(&renames)?
    } else {
        Vec::new()
    };
    let outcome = rename_all(&renames);
    for (path, _) in journals {
        forget(&path);
        // A journal that stays says what is true already.
        let _ = path.close();
    }
    outcome?;
    for mut file in files {
        if let Some((temporary, _)) = file.temporary.take() {
            forget(&temporary);
            // It has another name by now.
            std::mem::forget(temporary);
        }
    }
    Ok(())
}

/// Renames one after the other; where one fails, those before it get back what they had.
fn rename_all(renames: &[Rename]) -> Result<(), TablesError> {
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
fn write_journals(renames: &[Rename]) -> Result<Vec<(tempfile::TempPath, File)>, TablesError> {
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
fn inode_of(metadata: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode_of(_: &std::fs::Metadata) -> u64 {
    0
}

/// A locked temporary file that says whose it is.
fn temporary_in(folder: &Path) -> std::io::Result<(File, tempfile::TempPath)> {
    let prefix = format!("{BEGINNING}{}-{}-", *HOME, std::process::id());
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(ENDING);
    #[cfg(unix)]
    {
        // As any new file of this user, not private as temporary files are by default.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    // Whoever removes what is unfinished sees a file from its first moment.
    let unfinished = UNFINISHED.lock();
    let (file, path) = builder.tempfile_in(folder)?.into_parts();
    if let Ok(mut unfinished) = unfinished {
        unfinished.insert(path.to_path_buf());
    }
    // Held while it is written, so that others see that somebody does. Where a file system has no
    // locks, nothing is cleaned.
    let _ = file.try_lock();
    Ok((file, path))
}

/// The folder that a file stands in, or would.
pub fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// How the names of unfinished files begin and end.
const BEGINNING: &str = ".leadscore-";
const ENDING: &str = ".tmp";
/// How the name of a journal ends.
const JOURNAL: &str = ".journal";
/// A file younger than this may be about to be locked by whoever made it, where that cannot be
/// asked.
const SETTLED: Duration = Duration::from_secs(60);

/// This start of this machine, and the space in which its process ids count: empty where neither
/// can be known.
static HOME: LazyLock<String> = LazyLock::new(|| {
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
    crate::scratch::remove_abandoned(folder);
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

/// Removes a folder that other threads may still write to: under another name, where they do not
/// find it.
pub(crate) fn remove_folder(path: &Path) -> std::io::Result<()> {
    let mut gone = path.as_os_str().to_owned();
    gone.push(GONE);
    std::fs::rename(path, &gone)?;
    std::fs::remove_dir_all(gone)
}

/// The ending of a folder that is being removed.
pub(crate) const GONE: &str = ".gone";

/// A file or folder to be removed when the program is interrupted.
pub(crate) fn watch(path: &Path) {
    if let Ok(mut unfinished) = UNFINISHED.lock() {
        unfinished.insert(path.to_path_buf());
    }
}

pub(crate) fn forget(path: &Path) {
    if let Ok(mut unfinished) = UNFINISHED.lock() {
        unfinished.remove(path);
    }
}

/// Fails early where a file could not be written, before the work whose result it would hold.
///
/// # Errors
///
/// As [`OutFile::create`].
pub fn check_target(path: &Path) -> Result<(), TablesError> {
    OutFile::create(path).map(drop)
}

/// Fails where a target is one of the files that the run reads, or another target, by whatever name
/// or link.
///
/// # Errors
///
/// [`TablesError::Format`] names the target.
pub fn refuse_inputs<'a>(
    targets: impl IntoIterator<Item = &'a Path>,
    inputs: &[PathBuf],
) -> Result<(), TablesError> {
    let targets: Vec<&Path> = targets.into_iter().collect();
    let same = |a: &Path, b: &Path| {
        real(a).zip(real(b)).is_some_and(|(a, b)| a == b) || is_same_file(a, b)
    };
    for (position, &target) in targets.iter().enumerate() {
        // Several may go into one pipe or device.
        let is_file = !target.metadata().is_ok_and(|meta| !meta.is_file());
        if is_file
            && targets[..position]
                .iter()
                .any(|other| *other == target || same(target, other))
        {
            return Err(two_of_one_name(target.to_owned()));
        }
        if let Some(input) = inputs.iter().find(|input| same(target, input)) {
            return Err(TablesError::Format {
                path: target.to_owned(),
                found: format!("this run reads {}, and would replace it", input.display()),
                help: "write to a file of another name".to_owned(),
            });
        }
    }
    Ok(())
}

/// The path without links; of a file that is not there yet, that of its folder and its name.
fn real(path: &Path) -> Option<PathBuf> {
    path.canonicalize()
        .ok()
        .or_else(|| Some(folder_of(path).canonicalize().ok()?.join(path.file_name()?)))
}

fn two_of_one_name(path: PathBuf) -> TablesError {
    TablesError::Format {
        path,
        found: "two outputs of one run have this name".to_owned(),
        help: "give each a name of its own".to_owned(),
    }
}

/// Whether two names are links to one file.
#[cfg(unix)]
fn is_same_file(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |path: &Path| {
        path.metadata()
            .ok()
            .filter(std::fs::Metadata::is_file)
            .map(|meta| (meta.dev(), meta.ino()))
    };
    id(a).is_some_and(|id_of_a| id(b) == Some(id_of_a))
}

#[cfg(not(unix))]
fn is_same_file(_: &Path, _: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .expect("readable")
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    fn file(path: &Path, text: &str) -> FinishedFile {
        let mut file = OutFile::create(path).expect("writable");
        file.write_all(text.as_bytes()).expect("room");
        file.close().expect("room")
    }

    fn read(path: &Path) -> String {
        std::fs::read_to_string(path).expect("there")
    }

    #[test]
    fn what_a_killed_run_left_is_removed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let long_ago = std::time::SystemTime::now() - 2 * SETTLED;
        let left = |name: &str, time: std::time::SystemTime| {
            let file = File::create(folder.path().join(name)).expect("room");
            file.set_modified(time).expect("a file's owner may");
            file
        };
        let now = std::time::SystemTime::now();
        left(".leadscore-dead.tmp", long_ago);
        left(".leadscore-young.tmp", now);
        left("scores.tmp", long_ago);
        // Whoever made it has ended: process ids are far smaller.
        left(&format!(".leadscore-{}-4194999-x.tmp", *HOME), now);
        left(
            &format!(".leadscore-{}-{}-x.tmp", *HOME, std::process::id()),
            now,
        );
        left(".leadscore-elsewhere-4194999-x.tmp", now);
        let used = left(".leadscore-used.tmp", long_ago);
        used.lock().expect("free");
        drop(OutFile::create(&folder.path().join("scores.csv")).expect("writable"));
        let own = format!(".leadscore-{}-{}-x.tmp", *HOME, std::process::id());
        let mut expected = vec![
            ".leadscore-elsewhere-4194999-x.tmp",
            ".leadscore-used.tmp",
            ".leadscore-young.tmp",
            "scores.tmp",
            &own,
        ];
        expected.sort_unstable();
        assert_eq!(names(folder.path()), expected);
    }

    #[test]
    fn several_files_appear_together_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name);
        publish(vec![file(&at("a"), "1"), file(&at("b"), "1")]).expect("room");
        publish(vec![file(&at("a"), "2"), file(&at("b"), "2")]).expect("room");
        assert_eq!(
            (read(&at("a")), read(&at("b")), names(folder.path()).len()),
            ("2".to_owned(), "2".to_owned(), 2)
        );
        // The second target became a folder meanwhile.
        let (first, second, third) = (
            file(&at("a"), "3"),
            file(&at("c"), "3"),
            file(&at("d"), "3"),
        );
        std::fs::create_dir_all(at("d/full")).expect("room");
        assert!(publish(vec![first, second, third]).is_err());
        assert_eq!((read(&at("a")), at("c").exists()), ("2".to_owned(), false));
        assert_eq!(names(folder.path()), ["a", "b", "d"]);
        assert!(publish(vec![file(&at("a"), "4"), file(&at("a"), "5")]).is_err());
        assert_eq!(read(&at("a")), "2");
    }

    /// As a run leaves it that is killed after any number of renames, also with a journal in the
    /// other folder alone.
    #[test]
    fn a_killed_run_is_completed_or_forgotten_as_a_whole() {
        for (n_renamed, has_other_journal, expected) in [
            (0, true, "new"),
            (1, true, "new"),
            (2, true, "new"),
            (0, false, "old"),
        ] {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let at = |name: &str| folder.path().join(name);
            for name in ["a", "b"] {
                std::fs::create_dir(at(name)).expect("room");
                std::fs::write(at(name).join("x"), "old").expect("room");
            }
            let dead = |name: &str| at(name).join(format!(".leadscore-{}-4194999-x.tmp", *HOME));
            let renames: Vec<Rename> = ["a", "b"]
                .map(|name| {
                    std::fs::write(dead(name), "new").expect("room");
                    Rename {
                        temporary: dead(name),
                        target: at(name).join("x"),
                        inode: inode_of(&dead(name).metadata().expect("there")),
                    }
                })
                .into();
            let journal = |name: &str| {
                std::fs::write(
                    dead(name).with_extension("journal"),
                    serde_json::to_vec(&renames).expect("a list"),
                )
                .expect("room");
            };
            journal("b");
            if has_other_journal {
                journal("a");
            }
            renames[..n_renamed].iter().for_each(|rename| {
                std::fs::rename(&rename.temporary, &rename.target).expect("room");
            });
            for name in ["a", "b"] {
                drop(OutFile::create(&at(name).join("y")).expect("writable"));
            }
            for name in ["a", "b"] {
                assert_eq!(
                    (read(&at(name).join("x")).as_str(), names(&at(name)).len()),
                    (expected, 1),
                    "{name} after {n_renamed}"
                );
            }
        }
    }

    /// A list that others could have written is not followed.
    #[cfg(unix)]
    #[test]
    fn a_journal_of_others_gives_no_file_a_name() {
        use std::os::unix::fs::PermissionsExt;
        for (mode, expected) in [(0o600, "new"), (0o622, "old")] {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let at = |name: &str| folder.path().join(name);
            let temporary = at(&format!(".leadscore-{}-4194999-x.tmp", *HOME));
            std::fs::write(at("x"), "old").expect("room");
            std::fs::write(&temporary, "new").expect("room");
            let inode = inode_of(&temporary.metadata().expect("there"));
            let journal = temporary.with_extension("journal");
            std::fs::write(
                &journal,
                serde_json::to_vec(&[Rename {
                    temporary,
                    target: at("x"),
                    inode,
                }])
                .expect("a list"),
            )
            .expect("room");
            std::fs::set_permissions(&journal, std::fs::Permissions::from_mode(mode)).expect("own");
            complete_and_clean(folder.path());
            assert_eq!(read(&at("x")), expected);
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_modes_kept() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("real"), "old").expect("room");
        std::fs::set_permissions(at("real"), std::fs::Permissions::from_mode(0o640)).expect("own");
        std::os::unix::fs::symlink("real", at("link")).expect("room");
        publish(vec![file(&at("link"), "new")]).expect("room");
        assert_eq!(
            (read(&at("real")).as_str(), at("link").is_symlink()),
            ("new", true)
        );
        assert_eq!(
            at("real").metadata().expect("there").permissions().mode() & 0o777,
            0o640
        );
        std::os::unix::fs::symlink("nowhere", at("dangling")).expect("room");
        publish(vec![file(&at("dangling"), "new")]).expect("room");
        assert_eq!(
            (read(&at("nowhere")).as_str(), at("dangling").is_symlink()),
            ("new", true)
        );
        std::os::unix::fs::symlink("round", at("round")).expect("room");
        assert!(OutFile::create(&at("round")).is_err());
        std::fs::hard_link(at("real"), at("other")).expect("room");
        for target in ["real", "link", "other"] {
            assert!(
                refuse_inputs([at(target).as_path()], &[at("real")]).is_err(),
                "{target}"
            );
        }
        assert!(refuse_inputs([at("new").as_path()], &[at("real")]).is_ok());
    }
}
