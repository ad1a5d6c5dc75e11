//! What is being written and has no name yet: removed when the program is interrupted.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

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

/// Held while files get their names.
pub(crate) fn naming() -> MutexGuard<'static, ()> {
    NAMING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a file or folder that whoever removes what is unfinished sees from its first moment.
pub(crate) fn made_watched<T>(
    make: impl FnOnce() -> std::io::Result<T>,
    path_of: impl FnOnce(&T) -> &Path,
) -> std::io::Result<T> {
    let unfinished = UNFINISHED.lock();
    let made = make()?;
    if let Ok(mut unfinished) = unfinished {
        unfinished.insert(path_of(&made).to_path_buf());
    }
    Ok(made)
}

/// Forgets a temporary file that is given up.
pub(crate) struct Unfinished(pub(crate) PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        forget(&self.0);
    }
}

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
