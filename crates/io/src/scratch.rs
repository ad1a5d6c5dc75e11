//! Folders for what a run needs on disk and nobody else: private, removed in the end, and by the
//! next run where it was killed.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::error::TablesError;
use crate::unfinished::{GONE, forget, remove_folder, watch};

/// A folder that its owner alone can look into, since what is in it is personal data; removed when
/// dropped or interrupted.
#[derive(Debug)]
pub struct ScratchFolder {
    path: PathBuf,
    /// Held while the folder is in use.
    _lock: File,
}

const PREFIX: &str = ".leadscore-spill-";

impl ScratchFolder {
    /// Makes a folder in `parent`, and removes there what killed runs left.
    ///
    /// # Errors
    ///
    /// [`TablesError::Io`] where `parent` cannot be written.
    pub fn create(parent: &Path) -> Result<Self, TablesError> {
        let error = |action| {
            move |source| TablesError::Io {
                action,
                path: parent.to_owned(),
                source,
            }
        };
        remove_abandoned(parent);
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o700));
        }
        let made = builder
            .tempdir_in(parent)
            .map_err(error("make a folder for spill files in"))?;
        let lock =
            create_private(&made.path().join("lock")).map_err(error("write a spill folder in"))?;
        lock.try_lock()
            .map_err(|failure| error("lock a spill folder in")(failure.into()))?;
        let folder = made.keep();
        watch(&folder);
        Ok(Self {
            path: folder,
            _lock: lock,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        // The folder is hidden and of no use: nothing is lost where it cannot be removed.
        let _ = remove_folder(&self.path);
        forget(&self.path);
    }
}

/// Opens a file at its end, made where there is none, that its owner alone can read.
pub(crate) fn create_private(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

/// Removes folders that no running program holds.
pub(crate) fn remove_abandoned(parent: &Path) {
    let Ok(entries) = std::fs::read_dir(parent) else {
        return;
    };
    for entry in entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX))
    {
        let is_gone = entry.file_name().to_string_lossy().ends_with(GONE);
        let is_abandoned = is_gone
            || File::open(entry.path().join("lock")).is_ok_and(|lock| lock.try_lock().is_ok());
        if is_abandoned {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn nobody_else_can_look_in() {
        let parent = tempfile::tempdir().expect("a temporary folder");
        let folder = ScratchFolder::create(parent.path()).expect("writable");
        let mode = |path: &Path| path.metadata().expect("there").permissions().mode() & 0o777;
        drop(create_private(&folder.path().join("1-0")).expect("room"));
        assert_eq!(
            (
                mode(folder.path()),
                mode(&folder.path().join("1-0")),
                mode(&folder.path().join("lock"))
            ),
            (0o700, 0o600, 0o600)
        );
        // Another run leaves it alone while it is in use.
        drop(ScratchFolder::create(parent.path()).expect("writable"));
        assert!(folder.path().exists());
        drop(folder);
        assert_eq!(
            std::fs::read_dir(parent.path()).expect("readable").count(),
            0
        );
    }
}
