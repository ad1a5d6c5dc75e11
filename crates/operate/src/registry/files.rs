//! The files of a registry: how they are called, read, and written so that a crash leaves either the
//! old one or the new one.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use leadscore_core::hex;
use sha2::{Digest, Sha256};

use super::error::RegistryError;

/// The journal.
pub(super) const JOURNAL: &str = "journal.ndjson";
/// Number and hash of the last line of the journal.
pub(super) const HEAD: &str = "head";
/// Held by whoever changes the registry.
pub(super) const LOCK: &str = ".lock";
/// How files begin that have no name yet.
pub(super) const UNNAMED: &str = ".new-";
/// How model files end.
pub(super) const MODEL: &str = ".leadscore";

/// The name of the file of a model.
pub(super) fn model_file(id: &str) -> String {
    format!("{id}{MODEL}")
}

/// SHA-256 in hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// An error of the system with what was tried.
pub(super) fn failed(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(std::io::Error) -> RegistryError {
    let path = path.to_owned();
    move |source| RegistryError::Io {
        action,
        path,
        source,
    }
}

/// The largest file that is read: a journal of some hundred thousand lines, or a large model.
const LARGEST: u64 = 1_000_000_000;

/// The bytes of a file; `None` if it is not there.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, RegistryError> {
    let read = || {
        let meta = path.metadata()?;
        // A pipe would be waited for.
        if !meta.is_file() {
            return Err(std::io::Error::other("it is not a file"));
        }
        if meta.len() > LARGEST {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        std::fs::read(path)
    };
    match read() {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path)(error)),
    }
}

/// Writes a file that has no name yet, to the disk.
pub(super) fn write_unnamed(
    folder: &Path,
    name: &str,
    bytes: &[u8],
) -> Result<PathBuf, RegistryError> {
    let path = folder.join(format!("{UNNAMED}{name}"));
    let written = File::create(&path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    if let Err(error) = written {
        // Half a file is of no use; what cannot be removed is removed by the next process.
        let _ = std::fs::remove_file(&path);
        return Err(failed("write", &folder.join(name))(error));
    }
    Ok(path)
}

/// Replaces a file as a whole.
pub(super) fn replace(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), RegistryError> {
    let unnamed = write_unnamed(folder, name, bytes)?;
    let path = folder.join(name);
    std::fs::rename(&unnamed, &path).map_err(failed("rename the new file to", &path))
}

/// Brings the names of a folder to the disk.
pub(super) fn sync_folder(folder: &Path) -> Result<(), RegistryError> {
    // Only where folders can be opened as files.
    #[cfg(unix)]
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(failed("write the names of the files in", folder))?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}
