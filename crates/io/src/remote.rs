//! Tables in object stores (`s3://`, `gs://`, `az://`): their objects are brought to a folder,
//! where they are files like others.

#[cfg(feature = "cloud")]
mod objects;

use std::path::Path;

use leadscore_config::{Config, Location, is_remote};
#[cfg(feature = "cloud")]
use objects::bring;

use crate::error::TablesError;

/// Brings every table that is in an object store into a folder, and reads it from there from
/// now on; calls `begin` with each path of the config before it is brought.
///
/// Who asks is said by the environment alone, with the names that the stores' own tools use:
/// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT_URL`;
/// `GOOGLE_APPLICATION_CREDENTIALS`; `AZURE_STORAGE_ACCOUNT_NAME`, `AZURE_STORAGE_ACCOUNT_KEY`;
/// or by the machine that this runs on.
///
/// # Errors
///
/// [`TablesError`] names the table and the object; nothing is read from a part of one.
pub fn bring_objects(
    config: &mut Config,
    folder: &Path,
    begin: &mut dyn FnMut(&str),
) -> Result<(), TablesError> {
    for (table, location) in config.locations_mut() {
        if !location.paths().iter().any(|path| is_remote(path)) {
            continue;
        }
        let mut files = Vec::new();
        for path in location.paths() {
            if is_remote(path) {
                begin(path);
                files.extend(
                    bring(&table.to_string(), path, folder)?
                        .into_iter()
                        .map(|file| file.to_string_lossy().into_owned()),
                );
            } else {
                files.push(path.clone());
            }
        }
        *location = Location::Many(files);
    }
    Ok(())
}

/// A build without object stores brings nothing.
#[cfg(not(feature = "cloud"))]
fn bring(table: &str, path: &str, _folder: &Path) -> Result<Vec<std::path::PathBuf>, TablesError> {
    let left_out = leadscore_core::LeftOut::ObjectStores;
    Err(TablesError::Content {
        table: format!("[{table}]"),
        found: format!("{path}: {}", left_out.found()),
        help: left_out.help(),
    })
}
